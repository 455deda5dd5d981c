/*
 * Any bytes for a usage file. What is read is what a plain reading finds; a line can be appended, and
 * compaction changes nothing that is read; a file that is none is left as it is.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "store/usage.h"

#define NOW INT64_C(1790000000)
#define FILE_MOST ((size_t)1 << 20)

static char path[4096];

static void remove_file(void)
{
    (void)unlink(path);
}

static void make_file(void)
{
    const char *folder = getenv("TMPDIR");
    const int length = snprintf(path, sizeof(path), "%s/usage.XXXXXX",
                                folder != NULL && folder[0] != '\0' ? folder : "/tmp");
    int fd;

    MUST(length > 0 && (size_t)length < sizeof(path));
    fd = mkstemp(path);
    MUST(fd >= 0 && close(fd) == 0 && atexit(remove_file) == 0);
}

static void write_file(const uint8_t *data, size_t size)
{
    const int fd = open(path, O_WRONLY | O_TRUNC);

    MUST(fd >= 0);
    MUST(write(fd, data, size) == (ssize_t)size);
    MUST(close(fd) == 0);
}

static char *read_file(size_t *size)
{
    const int fd = open(path, O_RDONLY);
    struct stat now;
    char *text;

    MUST(fd >= 0 && fstat(fd, &now) == 0 && (size_t)now.st_size < FILE_MOST);
    *size = (size_t)now.st_size;
    text = malloc(*size + 1);
    MUST(text != NULL && read(fd, text, *size) == (ssize_t)*size);
    text[*size] = '\0';
    MUST(close(fd) == 0);
    return text;
}

/* The latest time of a plain reading: of the lines with this word before it. */
static int64_t latest(const char *text, size_t size, const char *word)
{
    const size_t length = strlen(word);
    int64_t last = TIME_NONE;

    for (size_t i = 0; i + length + 1 + 20 < size; i++) {
        int64_t time;

        if ((i == 0 || text[i - 1] == '\n') && memcmp(text + i, word, length) == 0 &&
            text[i + length] == ' ' && text[i + length + 1 + 20] == '\n' &&
            time_parse(text + i + length + 1, 20, &time)) {
            last = time > last ? time : last; /* TIME_NONE is the least there is */
        }
    }
    return last;
}

/* Reads the file, and holds that against a plain reading. */
static void check_load(const char *text, size_t size)
{
    struct usage usage;
    struct error error;
    size_t found = 0;

    MUST(usage_load(&usage, path, &error) == STATUS_OK);
    MUST(usage.since == latest(text, size, "since"));
    for (size_t i = 0; i + 20 < size; i++) {
        char id[TOKEN_ID_SIZE] = "";

        memcpy(id, text + i, TOKEN_ID_SIZE - 1);
        if ((i == 0 || text[i - 1] == '\n') && token_is_id(id, TOKEN_ID_SIZE - 1)) {
            const int64_t last = latest(text, size, id);

            MUST(usage_last(&usage, id) == last);
            found += last != TIME_NONE;
        }
    }
    MUST(found >= usage.ids.count);
    usage_clear(&usage);
}

static enum usage_result append(const struct usage_entry *entry, size_t size_limit)
{
    const struct usage_append append = {.path = path,
                                        .entries = entry,
                                        .count = entry != NULL,
                                        .size_limit = size_limit,
                                        .now = NOW};

    return usage_append(&append);
}

/* Both files have the same to say. */
static void check_compacted(const char *before, size_t size_before, const char *after, size_t size)
{
    MUST(size <= size_before);
    MUST(latest(before, size_before, "since") == latest(after, size, "since"));
    for (size_t i = 0; i + 20 < size_before; i++) {
        char id[TOKEN_ID_SIZE] = "";

        memcpy(id, before + i, TOKEN_ID_SIZE - 1);
        if ((i == 0 || before[i - 1] == '\n') && token_is_id(id, TOKEN_ID_SIZE - 1)) {
            MUST(latest(before, size_before, id) == latest(after, size, id));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct usage_entry entry = {"tok_0000000000000001", NOW};
    char *text = fuzz_copy(data, size);
    char *appended;
    char *compacted;
    size_t appended_size;
    size_t compacted_size;

    if (path[0] == '\0') {
        make_file();
    }
    write_file(data, size);
    check_load(text, size);
    if (append(&entry, FILE_MOST) == USAGE_APPENDED) {
        appended = read_file(&appended_size);
        MUST(appended_size > size && memcmp(appended, text, size) == 0);
        check_load(appended, appended_size);
        MUST(latest(appended, appended_size, entry.id) >= NOW);
        MUST(append(NULL, 0) == USAGE_APPENDED);
        compacted = read_file(&compacted_size);
        check_load(compacted, compacted_size);
        check_compacted(appended, appended_size, compacted, compacted_size);
        free(compacted);
    } else {
        MUST(size > 0);
        appended = read_file(&appended_size);
        MUST(appended_size == size && memcmp(appended, text, size) == 0);
    }
    free(appended);
    free(text);
    return 0;
}
