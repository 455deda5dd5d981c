/*
 * Token files that are well-formed in every way that the grammar of JSON (RFC 8259) allows, and sees that
 * each is read, that it means what it should, and that other people's values are kept to the byte:
 *
 *     good_documents STEP [FOLDER]
 *
 * Of the characters, and of the ways to write one, each STEP-th is tried: 1 for all. With FOLDER, what
 * other people's values may be is left there too, a token file for each, for other programs to read.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fuzz/fuzz.h"
#include "../fuzz/reference.h"
#include "base/buffer.h"
#include "token/token_json.h"

#define NAME "api_tokens.json"
#define NOW INT64_C(1790000000)
#define DEPTH_LIMIT 512

static size_t step;
static const char *folder;
static size_t values;
static size_t texts;
static size_t spellings;

static void fail(const char *what, const char *text, size_t size)
{
    (void)fprintf(stderr, "%s:\n", what);
    (void)fwrite(text, 1, size < 10000 ? size : 10000, stderr);
    (void)fputc('\n', stderr);
    abort();
}

static enum status read_text(const char *bytes, size_t size, struct token_set *set)
{
    char *text = fuzz_copy(bytes, size);
    struct token_json json = {.file = NAME, .text = text, .size = size};
    struct error error;
    const enum status status = token_json_read_set(&json, set, &error);

    free(text);
    return status;
}

#define HASH "\"blake2b-256:000000000000000000000000000000000000000000000000000000000000000"
#define FIRST                                                                                          \
    "\"id\": \"tok_0000000000000001\", \"name\": \"first\", \"prefix\": \"sk-first\", \"hash\": " HASH \
    "1\", \"created_at\": \"2026-01-01T00:00:00Z\""
#define SECOND                                                                                           \
    "\"id\": \"tok_0000000000000002\", \"name\": \"second\", \"prefix\": \"sk-second\", \"hash\": " HASH \
    "2\", \"created_at\": \"2026-01-02T00:00:00Z\", \"expires_at\": \"2999-01-01T00:00:00Z\", "          \
    "\"scopes\": [\"read\", \"write\"], \"note\": \"a/b\", \"revoked_at\": \"2026-02-01T00:00:00Z\", "
#define OLDER \
    "\"prefix\": \"sk-older\", \"hash\": " HASH "3\", \"expires_at\": \"2999-01-02T00:00:00Z\""

static size_t count_of(const struct buffer *text, const struct buffer *word)
{
    size_t found = 0;

    for (size_t i = 0; i + word->size <= text->size; i++) {
        found += text->bytes[i] == '"' && memcmp(text->bytes + i, word->bytes, word->size) == 0;
    }
    return found;
}

static void leave(const struct buffer *text)
{
    char path[4096];
    FILE *file;

    if (folder != NULL) {
        (void)snprintf(path, sizeof(path), "%s/%zu", folder, values);
        file = fopen(path, "wb");
        MUST(file != NULL && fwrite(text->bytes, 1, text->size, file) == text->size);
        MUST(fclose(file) == 0);
    }
}

/* A value of other people's at each level. The record and the older secret around it are changed. */
static void keep_value(const char *value, size_t size)
{
    struct buffer field = {0};
    struct buffer text = {0};
    struct buffer out = {0};
    struct token_json json = {.file = NAME};
    struct token_set set = {0};
    struct error error;

    buffer_append_text(&field, "\"x_v\": ");
    buffer_append(&field, value, size);
    buffer_append_text(&text, "{\"version\": 1, ");
    buffer_append(&text, field.bytes, field.size);
    buffer_append_text(&text, ", \"tokens\": [{" FIRST ", ");
    buffer_append(&text, field.bytes, field.size);
    buffer_append_text(&text, "},\n{" SECOND "\"previous\": [{" OLDER ", ");
    buffer_append(&text, field.bytes, field.size);
    buffer_append_text(&text, "}]}]}\n");
    json.text = text.bytes;
    json.size = text.size;
    if (token_json_read_set(&json, &set, &error) != STATUS_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        fail("not accepted", value, size);
    }
    token_set_revoke(&set.records[0], NOW);
    token_set_expire(&set.records[1], NOW);
    MUST(token_json_write(&json, &set, &out, &error) == STATUS_OK);
    if (count_of(&text, &field) != 3 || count_of(&out, &field) != 3) {
        fail("not kept", value, size);
    }
    token_set_clear(&set);
    MUST(read_text(out.bytes, out.size, &set) == STATUS_OK && set.count == 2);
    values++;
    leave(&text);
    token_set_clear(&set);
    buffer_clear(&field);
    buffer_clear(&text);
    buffer_clear(&out);
}

static void keep_values(void)
{
    static const char *const rows[] = {
        "0",
        "-0",
        "-0.0",
        "0e0",
        "0E-0",
        "-0e+0",
        "1",
        "-1",
        "10",
        "1.5",
        "1.50",
        "1e5",
        "1E5",
        "1e+5",
        "1e-5",
        "1.5e05",
        "0.1e00000000000000000001",
        "1e999",
        "-1e999",
        "1e-999",
        "1E+99999999999999999999",
        "9007199254740993",
        "12345678901234567890123456789012345678901234567890",
        "0.1000000000000000055511151",
        "1.7976931348623157e308",
        "5e-324",
        "true",
        "false",
        "null",
        "\"\"",
        "\" \"",
        "[]",
        "[ ]",
        "{}",
        "{ }",
        "[[]]",
        "[{}]",
        "{\"\": \"\"}",
        "{\"\": {\"\": {\"\": []}}}",
        "[null, true, false, 0, \"\"]",
        "{\"a\": 1, \"a\": 2, \"a\": 1}",
        "{\"a\": 1, \"\\u0061\": 2}",
        "{\"version\": 2, \"tokens\": []}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0000\"",
        "[\"\\u0000a\", {\"\\u0000\": 1}]",
        "\"\\uFFFF\\ufffe\"",
        "\"\\u00e9\\u00E9\"",
        "\"\\ud83d\\ude00\\uD83D\\uDE00\"",
        "\"\\ud800\"",
        "\"\\udfff\"",
        "\"\\ude00\\ud83d\"",
        "[\"\\ud800\\ud800\\udc00\", \"\\ud800x\", \"\\udbff\\\\udc00\"]",
        "{\"\\ud800\": \"\\udc00\"}",
        "\"\\\\u0000\"",
        "\"/* no comment */ // # \"",
        "\"a, ] } : { [ \"",
        "\"\x7f\xc2\x80\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf\"",
        "[\r\n1\t,\n\n\r2 ]",
        "{\t\"a\"\n:\r1 , \"b\":2}"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        keep_value(rows[i], strlen(rows[i]));
    }
}

static void keep_repeated(const char *open, size_t count, const char *middle, const char *close)
{
    struct buffer text = {0};

    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&text, open);
    }
    buffer_append_text(&text, middle);
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&text, close);
    }
    keep_value(text.bytes, text.size);
    buffer_clear(&text);
}

static void keep_large_values(void)
{
    keep_repeated("[", DEPTH_LIMIT, "", "]");
    keep_repeated("{\"a\":", DEPTH_LIMIT, "1", "}");
    keep_repeated("[{\"\": ", DEPTH_LIMIT / 2, "null", "}]");
    keep_repeated("1", 10000, ".5e1", "0");
}

/* All characters that a string may have, in strings of 4096. */
static void keep_characters(void)
{
    for (uint32_t first = 0x20; first < 0x110000; first += 4096 * (uint32_t)(step > 1 ? 16 : 1)) {
        struct buffer text = {0};

        buffer_append_text(&text, "\"");
        for (uint32_t point = first; point < first + 4096 && point < 0x110000; point++) {
            if (point != '"' && point != '\\' && (point < 0xd800 || point > 0xdfff)) {
                reference_append(&text, point);
            }
        }
        buffer_append_text(&text, "\"");
        keep_value(text.bytes, text.size);
        buffer_clear(&text);
    }
}

/* A note that is written so, quotes and all: read as it should be, or refused where it is no note. */
static void read_note(const char *string, size_t size)
{
    struct buffer text = {0};
    struct buffer meant = {0};
    struct token_set set = {0};
    struct error error;
    bool is_note = reference_decode(string, size, &meant);

    buffer_append(&meant, "", 1);
    is_note = is_note && token_note_check(meant.bytes, meant.size - 1, &error) == STATUS_OK;
    buffer_append_text(&text, "{\"version\": 1, \"tokens\": [{" FIRST ", \"note\": ");
    buffer_append(&text, string, size);
    buffer_append_text(&text, "}]}");
    if ((read_text(text.bytes, text.size, &set) == STATUS_OK) != is_note ||
        (is_note && strcmp(set.records[0].token.note, meant.bytes) != 0)) {
        fail("not the note that it is", text.bytes, text.size);
    }
    texts++;
    token_set_clear(&set);
    buffer_clear(&text);
    buffer_clear(&meant);
}

__attribute__((format(printf, 1, 2))) static void read_formatted(const char *format, ...)
{
    char string[64];
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(string, sizeof(string), format, args);
    va_end(args);
    read_note(string, (size_t)size);
}

/* Each character as it is and escaped, and pairs of escapes that make one, or do not. */
static void read_notes(void)
{
    for (uint32_t point = 0x20; point < 0x110000; point += (uint32_t)step) {
        struct buffer text = {0};

        if (point != '"' && point != '\\' && (point < 0xd800 || point > 0xdfff)) {
            buffer_append_text(&text, "\"a");
            reference_append(&text, point);
            buffer_append_text(&text, "\"");
            read_note(text.bytes, text.size);
        }
        buffer_clear(&text);
    }
    for (unsigned unit = 0; unit < 0x10000; unit += (unsigned)step) {
        read_formatted("\"\\u%04x\"", unit);
        read_formatted("\"\\u%04Xa\"", unit);
        read_formatted("\"\\u%04x\\u%04X\"", unit, 0xdc00 + unit % 0x400);
        read_formatted("\"\\u%04X\\u%04x\"", 0xd800 + unit % 0x400, unit);
        read_formatted("\"\\\\u%04x\\/\"", unit);
    }
}

static const char file[] = "{\"x_a\": {\"b\": [1, true]}, \"version\": 1, \"tokens\": [{" FIRST
                           "}, {" SECOND "\"x_c\": \"d\", \"previous\": [{" OLDER "}]}]}";

/* The file with something else in the place of a part of it, which means the same. */
static void read_spelling(size_t from, size_t to, const char *with, const struct token_set *meant)
{
    struct buffer text = {0};
    struct token_set set = {0};

    buffer_append(&text, file, from);
    buffer_append_text(&text, with);
    buffer_append(&text, file + to, sizeof(file) - 1 - to);
    if (read_text(text.bytes, text.size, &set) != STATUS_OK || set.count != meant->count) {
        fail("not accepted", text.bytes, text.size);
    }
    for (size_t i = 0; i < set.count; i++) {
        if (!fuzz_same_token(&set.records[i].token, &meant->records[i].token)) {
            fail("not the tokens that they are", text.bytes, text.size);
        }
    }
    spellings++;
    token_set_clear(&set);
    buffer_clear(&text);
}

/* Each kind of white space in each place for it, and each character of each string as an escape. */
static void read_spellings(void)
{
    static const char *const blanks[] = {" ", "\t", "\n", "\r", "\r\n", " \t\r\n \n\n"};
    struct reference_piece piece = {.size = 0};
    struct token_set meant = {0};
    char escape[8];

    MUST(read_text(file, sizeof(file) - 1, &meant) == STATUS_OK);
    while (reference_next(file, sizeof(file) - 1, &piece)) {
        for (size_t i = 0; i < COUNT(blanks); i++) {
            read_spelling(piece.at, piece.at, blanks[i], &meant);
            read_spelling(piece.at + piece.size, piece.at + piece.size, blanks[i], &meant);
        }
        for (size_t at = piece.at + 1;
             piece.kind == REFERENCE_STRING && at < piece.at + piece.size - 1; at++) {
            (void)snprintf(escape, sizeof(escape), at % 2 == 0 ? "\\u%04x" : "\\u%04X",
                           (unsigned)(unsigned char)file[at]);
            read_spelling(at, at + 1, escape, &meant);
            if (file[at] == '/') {
                read_spelling(at, at + 1, "\\/", &meant);
            }
        }
    }
    token_set_clear(&meant);
}

int main(int argc, char **argv)
{
    step = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    folder = argc > 2 ? argv[2] : NULL;
    if (step == 0) {
        (void)fprintf(stderr, "usage: good_documents STEP [FOLDER]\n");
        return 2;
    }
    keep_values();
    keep_large_values();
    keep_characters();
    read_notes();
    read_spellings();
    (void)printf("%zu values kept, %zu texts and %zu spellings read\n", values, texts, spellings);
    return 0;
}
