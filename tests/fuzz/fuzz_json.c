/*
 * Any text is JSON to us if and only if it is to another reader of the same grammar, and a fault is in
 * the same line to both. Strings mean the same to both, and are written so that they read back.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_write.h"
#include "reference.h"

#define NAME "j.json"
#define DEPTH_LIMIT 512

static enum status decode(const char *string, size_t size, char *out, size_t capacity)
{
    const struct json_slice slice = {.at = string, .size = size, .line = 1, .file = NAME};
    struct error error;

    return json_string(&slice, out, capacity, &error);
}

static bool is_same(const char *text, const struct buffer *meant)
{
    return strlen(text) == meant->size &&
           (meant->size == 0 || memcmp(text, meant->bytes, meant->size) == 0);
}

/* What a string stands for, and that it is written so that it stands for the same again. */
static void check_string(const char *string, size_t size)
{
    struct buffer meant = {0};
    struct buffer written = {0};
    const bool is_text = reference_decode(string, size, &meant);
    char *out = malloc(size);

    MUST(out != NULL);
    MUST((decode(string, size, out, size) == STATUS_OK) == is_text);
    if (is_text) {
        MUST(is_same(out, &meant));
        MUST(decode(string, size, out, meant.size + 1) == STATUS_OK);
        MUST(meant.size == 0 || decode(string, size, out, meant.size) == STATUS_STORE);
        json_write_string(&written, meant.bytes, meant.size);
        free(out);
        out = malloc(written.size);
        MUST(out != NULL);
        MUST(decode(written.bytes, written.size, out, written.size) == STATUS_OK);
        MUST(is_same(out, &meant));
    }
    free(out);
    buffer_clear(&meant);
    buffer_clear(&written);
}

/* All strings of a text that was accepted. */
static void check_strings(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const size_t start = i;

        if (text[i] != '"') {
            continue;
        }
        for (i++; text[i] != '"'; i++) {
            i += text[i] == '\\';
        }
        char *string = fuzz_copy(text + start, i + 1 - start);
        check_string(string, i + 1 - start);
        free(string);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    struct reference reference = {.text = text, .size = size, .depth_limit = DEPTH_LIMIT};
    const bool is_json = reference_accepts(&reference);
    struct json_cursor cursor;
    struct json_slice value;
    struct error error;

    json_cursor_init(&cursor, NAME, text, size);
    if (json_skip(&cursor, &value, &error) == STATUS_OK && json_end(&cursor, &error) == STATUS_OK) {
        MUST(is_json);
        MUST(value.at >= text && value.at + value.size <= text + size);
        check_strings(text, size);
    } else {
        MUST(!is_json);
        MUST(fuzz_line_of(error.text, NAME, text, size) == reference_line(&reference));
    }
    free(text);
    return 0;
}
