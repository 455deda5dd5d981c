/*
 * In the place of the fuzzer: runs each file, and each file of each folder, through a harness, and what
 * is near it, which is each beginning of a small file and the file with each byte made another one; with
 * FUZZ_EXACT in the environment the files alone.
 *
 *     fuzz_NAME FILE|FOLDER...
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define SIZE_MOST ((size_t)1 << 20)
#define SMALL 1024

static size_t runs;
static size_t files;

static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = (uint8_t *)fuzz_copy(bytes, size);

    (void)LLVMFuzzerTestOneInput(exact, size);
    runs++;
    free(exact);
}

static void run_near(uint8_t *bytes, size_t size)
{
    static const uint8_t others[] = {0, '\n', '"', '0', 0xff};

    for (size_t i = 0; i < size; i++) {
        const uint8_t byte = bytes[i];

        run(bytes, i);
        for (size_t k = 0; k < sizeof(others); k++) {
            bytes[i] = others[k];
            run(bytes, size);
        }
        bytes[i] = byte ^ 1;
        run(bytes, size);
        bytes[i] = byte;
    }
}

static void run_file(const char *path)
{
    static uint8_t bytes[SIZE_MOST];
    FILE *file = fopen(path, "rb");
    size_t size;

    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size = fread(bytes, 1, sizeof(bytes), file);
    MUST(ferror(file) == 0 && size < sizeof(bytes));
    (void)fclose(file);
    files++;
    (void)fprintf(stderr, "%s\n", path); /* whose run ends is the last one named */
    run(bytes, size);
    if (size <= SMALL && getenv("FUZZ_EXACT") == NULL) {
        run_near(bytes, size);
    }
}

static void run_folder(const char *path)
{
    struct dirent **entries;
    const int count = scandir(path, &entries, NULL, alphasort);

    if (count < 0) {
        perror(path);
        exit(1);
    }
    for (int i = 0; i < count; i++) {
        char name[4096];

        if (entries[i]->d_name[0] != '.') {
            (void)snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
            run_file(name);
        }
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat found;

        if (stat(argv[i], &found) != 0) {
            perror(argv[i]);
            return 1;
        }
        if (S_ISDIR(found.st_mode)) {
            run_folder(argv[i]);
        } else {
            run_file(argv[i]);
        }
    }
    (void)printf("%zu files, %zu runs\n", files, runs);
    return files == 0;
}
