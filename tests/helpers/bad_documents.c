/*
 * Takes token files and other documents apart by the grammar of JSON (RFC 8259), breaks each token of
 * them in each way there is, and sees that what comes of it is refused, with the right line:
 *
 *     bad_documents STEP [PROGRAMS EVERY]
 *
 * Of the ways to break a token each STEP-th is tried, beginning with another for each token: 1 for all.
 * With PROGRAMS, a folder, each EVERY-th document is also given to the programs there, as the file
 * api_tokens.json in the current folder. Prints how many documents were refused by the reader and by the
 * programs.
 *
 * What is no JSON is for another reader to say (reference.c).
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "../fuzz/fuzz.h"
#include "../fuzz/reference.h"
#include "token/token_json.h"

#define NAME "api_tokens.json"
#define DEPTH_LIMIT \
    514 /* 512 in a field of a record is the most there can be, but for previous secrets */
#define STORE_EXIT 6
#define SAID_SIZE 8192

extern char **environ;

/* What is broken, and how that goes. */
struct breaking {
    const char *text; /* the whole document */
    size_t size;
    struct reference_piece piece;
    bool is_file; /* accepted, as long as it is whole: what stands before the fault is in order */
    bool is_foreign; /* the piece is in a value of other people's */
    size_t ways;     /* to break it, so far */
    size_t number;   /* of the piece */
};

static size_t step;
static const char *programs;
static size_t every;
static size_t refused;
static size_t refused_by_programs;

static void fail(const char *what, const char *text, size_t size)
{
    (void)fprintf(stderr, "%s:\n", what);
    (void)fwrite(text, 1, size, stderr);
    (void)fputc('\n', stderr);
    abort();
}

static void write_file(const char *text, size_t size)
{
    FILE *file = fopen(NAME, "wb");

    MUST(file != NULL && fwrite(text, 1, size, file) == size && fclose(file) == 0);
}

/* Runs a program; its exit status, and what it said in `said`. */
static int run(char *const *words, char said[static SAID_SIZE])
{
    posix_spawn_file_actions_t actions;
    char path[4096];
    int ends[2];
    int ended;
    size_t size = 0;
    ssize_t got;
    pid_t child;

    (void)snprintf(path, sizeof(path), "%s/%s", programs, words[0]);
    MUST(pipe(ends) == 0 && posix_spawn_file_actions_init(&actions) == 0);
    MUST(posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) == 0);
    MUST(posix_spawn_file_actions_addopen(&actions, 1, "out", O_WRONLY | O_CREAT | O_TRUNC, 0600) ==
         0);
    MUST(posix_spawn_file_actions_adddup2(&actions, ends[1], 2) == 0);
    MUST(posix_spawn_file_actions_addclose(&actions, ends[0]) == 0);
    MUST(posix_spawn(&child, path, &actions, NULL, words, environ) == 0 && close(ends[1]) == 0);
    while (size < SAID_SIZE - 1 && (got = read(ends[0], said + size, SAID_SIZE - 1 - size)) > 0) {
        size += (size_t)got;
    }
    said[size] = '\0';
    MUST(close(ends[0]) == 0 && waitpid(child, &ended, 0) == child);
    (void)posix_spawn_file_actions_destroy(&actions);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : 128;
}

/* The file is refused by all, as the reader refused it, and is left as it is. */
static void give_to_programs(const char *text, size_t size, size_t line)
{
    static char *const rows[][4] = {
        {"token_manager", "list", "--json"},
        {"token_manager", "create", "third"},
        {"token_verifier", "check", "--no-env-file"},
    };
    char wanted[64];

    write_file(text, size);
    (void)snprintf(wanted, sizeof(wanted), NAME ":%zu: ", line);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char said[SAID_SIZE];
        const int code = run(rows[i], said);
        char after[SAID_SIZE];
        FILE *file = fopen(NAME, "rb");
        FILE *out = fopen("out", "rb");

        MUST(file != NULL && out != NULL);
        if (code != STORE_EXIT || strstr(said, wanted) == NULL || fgetc(out) != EOF ||
            (i == 2 && strstr(said, "(unavailable)") == NULL)) {
            (void)fprintf(stderr, "exit %d, wanted %s, said %s", code, wanted, said);
            fail(rows[i][1], text, size);
        }
        for (size_t at = 0; at < size; at += sizeof(after)) {
            const size_t part = size - at < sizeof(after) ? size - at : sizeof(after);

            MUST(fread(after, 1, part, file) == part && memcmp(after, text + at, part) == 0);
        }
        MUST(fgetc(file) == EOF && fclose(file) == 0 && fclose(out) == 0);
    }
    refused_by_programs++;
}

static size_t line_at(const char *text, size_t at)
{
    const struct reference place = {.text = text, .at = at};

    return reference_line(&place);
}

/*
 * A document, broken from `at` on. Our reader may find it no token file before it is no JSON any more,
 * but not before the place where it was broken; in other people's values it may not.
 */
static void judge(const struct breaking *b, const char *bytes, size_t size, size_t at,
                  bool is_exact)
{
    char *text = fuzz_copy(bytes, size);
    struct reference reference = {.text = text, .size = size, .depth_limit = DEPTH_LIMIT};
    struct token_json json = {.file = NAME, .text = text, .size = size};
    struct token_set set = {0};
    struct error error;

    if (!reference_accepts(&reference)) {
        const size_t most = reference_line(&reference);
        size_t line;

        if (token_json_read_set(&json, &set, &error) != STATUS_STORE) {
            fail("accepted", text, size);
        }
        line = fuzz_line_of(error.text, NAME, text, size);
        if (line > most || (is_exact && line != most) ||
            (b->is_file && line < line_at(text, at) &&
             strstr(error.text, "has no field") == NULL)) {
            (void)fprintf(stderr, "should be in line %zu: %s\n", most, error.text);
            fail("the line is wrong", text, size);
        }
        refused++;
        if (programs != NULL && refused % every == 0) {
            give_to_programs(text, size, line);
        }
    }
    token_set_clear(&set);
    free(text);
}

/* Something else in the place of the piece, or of a part of it. */
static void put_at(struct breaking *b, size_t from, size_t to, const char *with, size_t size)
{
    struct buffer text = {0};

    if ((b->ways++ + b->number) % step == 0) {
        buffer_append(&text, b->text, from);
        buffer_append(&text, with, size);
        buffer_append(&text, b->text + to, b->size - to);
        MUST(!text.failed);
        judge(b, text.size > 0 ? text.bytes : "", text.size, from,
              b->is_foreign && b->piece.kind != REFERENCE_STRUCTURE);
        buffer_clear(&text);
    }
}

static void put(struct breaking *b, const char *with)
{
    put_at(b, b->piece.at, b->piece.at + b->piece.size, with, strlen(with));
}

static void put_all(struct breaking *b, const char *const *withs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put(b, withs[i]);
    }
}

static void break_structure(struct breaking *b)
{
    static const char *const others[] = {"",
                                         "[",
                                         "]",
                                         "{",
                                         "}",
                                         ",",
                                         ":",
                                         ";",
                                         "=",
                                         "=>",
                                         ".",
                                         "(",
                                         ")",
                                         "<",
                                         ">",
                                         "|",
                                         "[[",
                                         "]]",
                                         "{{",
                                         "}}",
                                         ",,",
                                         "::",
                                         "\"",
                                         "\\",
                                         "\xef\xbc\x8c",
                                         "\xef\xbc\x9a",
                                         "\\u002c"};

    put_all(b, others, COUNT(others));
}

/* Every beginning, every letter in the other case, doubled, or left out, and what others write. */
static void break_word(struct breaking *b)
{
    static const char *const others[] = {"True",      "False",  "None", "NULL",      "Null",  "nil",
                                         "undefined", "yes",    "no",   "on",        "off",   "t",
                                         "f",         "n",      "void", "truefalse", "nulls", "NaN",
                                         "Infinity",  "true()", "!0",   "tru\\u0065"};
    const struct reference_piece *p = &b->piece;

    for (size_t i = 0; i < p->size; i++) {
        const char turned = (char)(b->text[p->at + i] ^ 0x20);

        put_at(b, p->at + i, p->at + p->size, "", 0);
        put_at(b, p->at + i, p->at + i + 1, "", 0);
        put_at(b, p->at + i, p->at + i + 1, &turned, 1);
        put_at(b, p->at + i, p->at + i, b->text + p->at + i, 1);
        put_at(b, p->at + i, p->at + i, " ", 1);
    }
    put_all(b, others, COUNT(others));
}

static void break_number(struct breaking *b)
{
    static const char *const others[] = {"01",
                                         "00",
                                         "-01",
                                         "-00",
                                         "+1",
                                         "++1",
                                         "--1",
                                         "-",
                                         "+",
                                         ".",
                                         "-.",
                                         ".1",
                                         "-.1",
                                         "1.",
                                         "-1.",
                                         "0.",
                                         "1.e1",
                                         "1.E+2",
                                         ".e1",
                                         "1..2",
                                         "1.2.3",
                                         "e1",
                                         "1e",
                                         "1E",
                                         "1e+",
                                         "1e-",
                                         "1e+-1",
                                         "1e1.5",
                                         "1e1e1",
                                         "1e 1",
                                         "1 2",
                                         "- 1",
                                         "1 .5",
                                         "1. 5",
                                         "0x10",
                                         "0X1",
                                         "0b1",
                                         "0o7",
                                         "1_000",
                                         "1'000",
                                         "1f",
                                         "1L",
                                         "1n",
                                         "1a",
                                         "0e",
                                         "0e+",
                                         "NaN",
                                         "-NaN",
                                         "nan",
                                         "inf",
                                         "-inf",
                                         "1/2",
                                         "$1",
                                         "1%",
                                         "1;",
                                         "0.1.",
                                         "Infinity",
                                         "-Infinity",
                                         "1,5.",
                                         "\xd9\xa1",
                                         "\xef\xbc\x91",
                                         "\xe2\x88\x92"
                                         "1",
                                         "1e\xe2\x81\xba"
                                         "1",
                                         "\xc2\xbd"};

    put_all(b, others, COUNT(others));
}

/* Bytes inside a string, at its beginning, in its middle and at its end. */
static void put_inside(struct breaking *b, const char *bytes, size_t size)
{
    const size_t first = b->piece.at + 1;
    const size_t last = b->piece.at + b->piece.size - 1;
    size_t middle = first + (last - first) / 2;

    if (memchr(b->text + first, '\\', last - first) != NULL) {
        middle = first; /* not to part an escape */
    }
    while (middle > first && ((unsigned char)b->text[middle] & 0xc0) == 0x80) {
        middle--;
    }
    put_at(b, first, first, bytes, size);
    put_at(b, middle, middle, bytes, size);
    put_at(b, last, last, bytes, size);
}

static void put_inside_text(struct breaking *b, const char *text)
{
    put_inside(b, text, strlen(text));
}

static void break_escapes(struct breaking *b)
{
    static const char *const others[] = {"\\",         "\\u",       "\\u1",        "\\u12",
                                         "\\u123",     "\\u{41}",   "\\u 041",     "\\u-041",
                                         "\\u+041",    "\\u0x41",   "\\U00000041", "\\x41",
                                         "\\101",      "\\0",       "\\ud83d\\u",  "\\ud83d\\ude0",
                                         "\\u\\u0041", "\\N{DASH}", "\\cA",        "\\\xc3\xa9"};
    char escape[6] = "\\u0041";

    for (int byte = 0; byte < 256; byte++) {
        const char pair[2] = {'\\', (char)byte};

        put_inside(b, pair, sizeof(pair));
        for (size_t digit = 2; digit < sizeof(escape); digit++) {
            escape[digit] = (char)byte;
            put_inside(b, escape, sizeof(escape));
            escape[digit] = '0';
        }
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        put_inside_text(b, others[i]);
    }
}

/* What is no UTF-8: RFC 3629, section 4. */
static void break_characters(struct breaking *b)
{
    static const char *const others[] = {"\xc0\x80",
                                         "\xc0\xaf",
                                         "\xc1\x81",
                                         "\xc1\xbf", /* overlong */
                                         "\xe0\x80\x80",
                                         "\xe0\x80\xaf",
                                         "\xe0\x9f\xbf",
                                         "\xf0\x80\x80\x80",
                                         "\xf0\x8f\xbf\xbf",
                                         "\xf0\x80\x80\xaf",
                                         "\xf8\x80\x80\x80\xaf",
                                         "\xfc\x80\x80\x80\x80\xaf",
                                         "\xed\xa0\x80",
                                         "\xed\xad\xbf",
                                         "\xed\xae\x80",
                                         "\xed\xaf\xbf", /* surrogates */
                                         "\xed\xb0\x80",
                                         "\xed\xbe\x80",
                                         "\xed\xbf\xbf",
                                         "\xed\xa0\xbd\xed\xb8\x80",
                                         "\xf4\x90\x80\x80",
                                         "\xf5\x80\x80\x80",
                                         "\xf7\xbf\xbf\xbf", /* past the last character */
                                         "\xf8\x88\x80\x80\x80",
                                         "\xfc\x84\x80\x80\x80\x80",
                                         "\xfe\xff",
                                         "\xff\xfe",
                                         "\xc3",
                                         "\xc3(",
                                         "\xc3\xc3\xa9",
                                         "\xe2\x82", /* cut short */
                                         "\xe2\x82(",
                                         "\xe2(\xac",
                                         "\xe2\xe2\x82\xac",
                                         "\xf0\x9f\x98",
                                         "\xf0\x9f\x98(",
                                         "\xf0\x9f(\x80",
                                         "\xf0(\x98\x80",
                                         "\xf0\x9f",
                                         "\xc3\xa9\x80",
                                         "\xe2\x82\xac\x80",
                                         "\xf0\x9f\x98\x80\x80",
                                         "J\xfcrgen"}; /* too long */

    for (int byte = 0x80; byte < 256; byte++) {
        const char one = (char)byte;

        put_inside(b, &one, 1);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        put_inside_text(b, others[i]);
    }
}

static void break_string(struct breaking *b)
{
    static const char *const others[] = {"",
                                         "'text'",
                                         "`text`",
                                         "text",
                                         "\"text",
                                         "text\"",
                                         "\"\"\"",
                                         "\"a\" \"b\"",
                                         "\"a\" + \"b\"",
                                         "\"a\nb\"",
                                         "\"\"\"text\"\"\"",
                                         "'",
                                         "\"",
                                         "\"\\",
                                         "\"\\\"",
                                         "u\"text\"",
                                         "b\"text\"",
                                         "/text/",
                                         "\xe2\x80\x9ctext\xe2\x80\x9d",
                                         "\xc2\xabtext\xc2\xbb",
                                         "&quot;a&quot;"};

    for (int byte = 0; byte < 0x20; byte++) {
        const char raw = (char)byte;

        put_inside(b, &raw, 1);
    }
    put_all(b, others, COUNT(others));
    break_escapes(b);
    break_characters(b);
}

/* Before a piece, where blanks may be. */
static void break_gap(struct breaking *b)
{
    static const char *const others[] = {
        "/**/",         "/* */",        "// \n",        "//",
        "# \n",         "--",           "<!-- -->",     ";",
        "\xc2\xa0",     "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe3\x80\x80",
        "\xe2\x80\x8b", "\xef\xbb\xbf", "\xc2\x85",     "\xe1\x9a\x80",
        "\\n",          "\\u0020",      "&nbsp;",       "null ",
        "0 ",           "\"\" "};
    const size_t at = b->piece.at;

    for (int byte = 0; byte < 256; byte++) {
        const char one = (char)byte;

        put_at(b, at, at, &one, 1);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        put_at(b, at, at, others[i], strlen(others[i]));
    }
}

static void break_piece(struct breaking *b)
{
    static void (*const by_kind[])(struct breaking *) = {[REFERENCE_STRUCTURE] = break_structure,
                                                         [REFERENCE_STRING] = break_string,
                                                         [REFERENCE_NUMBER] = break_number,
                                                         [REFERENCE_WORD] = break_word};
    const bool is_foreign = b->is_foreign;

    by_kind[b->piece.kind](b);
    b->is_foreign = false; /* what is put before the first bracket is in our part, for one */
    break_gap(b);
    b->is_foreign = is_foreign;
}

/* Cut short, with more behind it, in other encodings. */
static void break_whole(struct breaking *b)
{
    static const char *const behind[] = {
        "{}", "[]",   "null", "1",        "\"\"",         ",", "}", "]",
        "//", "/**/", "#",    "\xc2\xa0", "\xef\xbb\xbf", "x", ";"};
    static const struct {
        size_t width;
        size_t place;
        const char *mark;
        size_t mark_size;
    } encodings[] = {{2, 0, "\xff\xfe", 2},
                     {2, 1, "\xfe\xff", 2},
                     {4, 0, "\xff\xfe\0\0", 4},
                     {4, 3, "\0\0\xfe\xff", 4}};

    b->piece = (struct reference_piece){REFERENCE_STRUCTURE, b->size, 0};
    for (size_t i = 0; i < b->size; i++) {
        put_at(b, i, b->size, "", 0);
    }
    for (size_t i = 0; i < COUNT(behind); i++) {
        put(b, behind[i]);
    }
    for (int byte = 0; byte < 256; byte++) {
        const char one = (char)byte;

        put_at(b, b->size, b->size, &one, 1);
    }
    put_at(b, b->size, b->size, b->text, b->size);
    put_at(b, 0, 0, "\xef\xbb\xbf", 3);
    for (size_t i = 0; i < COUNT(encodings); i++) {
        struct buffer wide = {0};

        for (size_t k = 0; k < b->size; k++) {
            char unit[4] = "";

            unit[encodings[i].place] = b->text[k];
            buffer_append(&wide, unit, encodings[i].width);
        }
        put_at(b, 0, b->size, wide.bytes, wide.size);
        put_at(b, 0, 0, encodings[i].mark, encodings[i].mark_size);
        buffer_clear(&wide);
    }
}

/* Brackets in brackets, more than there may be, in the place of a value. */
static void break_depth(struct breaking *b)
{
    static const struct {
        const char *open;
        const char *close;
    } rows[] = {{"[", "]"}, {"{\"a\":", "}"}, {"[{\"\": ", "}]"}, {"[", ""}, {"{\"a\":", ""}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer deep = {0};

        for (int k = 0; k < 600; k++) {
            buffer_append_text(&deep, rows[i].open);
        }
        buffer_append_text(&deep, "1");
        for (int k = 0; k < 600; k++) {
            buffer_append_text(&deep, rows[i].close);
        }
        put_at(b, b->piece.at, b->piece.at + b->piece.size, deep.bytes, deep.size);
        buffer_clear(&deep);
    }
}

static void break_document(const char *text, bool is_file)
{
    struct breaking b = {.text = text, .size = strlen(text), .is_file = is_file};
    size_t depth = 0;
    size_t foreign_depth = 0; /* where other people's value begins; 0 while in none */
    bool name_is_foreign = false;

    while (reference_next(b.text, b.size, &b.piece)) {
        const char c = text[b.piece.at];

        depth -= c == '}' || c == ']';
        if (foreign_depth > 0 && (depth < foreign_depth || (depth == foreign_depth && c == ','))) {
            foreign_depth = 0;
        }
        b.is_foreign = foreign_depth > 0;
        b.number++;
        break_piece(&b);
        if (b.is_foreign && b.piece.kind == REFERENCE_NUMBER) {
            break_depth(&b);
        }
        if (c == ':' && foreign_depth == 0 && name_is_foreign) {
            foreign_depth = depth;
        }
        name_is_foreign = strncmp(text + b.piece.at, "\"x_", 3) == 0;
        depth += c == '{' || c == '[';
    }
    break_whole(&b);
}

#define HASH "\"blake2b-256:000000000000000000000000000000000000000000000000000000000000000"
#define VALUE                                                                                      \
    "{\"a\": [1, -0.5e+3, true,\n false, null], \"b\\u00e9\": {\"\": \"c\\n\"},\n \"d\": [[], {}," \
    " \"\xc3\xa9\xf0\x9f\x98\x80\"]}"

/* Each field there is, and other people's at each level, over several lines. */
static const char file[] =
    "{\n  \"x_top\": " VALUE ",\n  \"version\": 1,\n  \"tokens\": [\n"
    "    {\"id\": \"tok_0000000000000001\", \"name\": \"first\", \"prefix\": \"sk-first\", \"hash\": " HASH
    "1\", \"created_at\": \"2026-01-01T00:00:00Z\"},\n"
    "    {\n      \"id\": \"tok_0000000000000002\",\n      \"x_in\": " VALUE
    ",\n      \"name\": \"second\",\n"
    "      \"prefix\": \"sk-second\",\n      \"hash\": " HASH "2\",\n"
    "      \"created_at\": \"2026-01-02T00:00:00Z\",\n      \"expires_at\": \"2999-01-01T00:00:00Z\",\n"
    "      \"scopes\": [\"read\",\n        \"write\"],\n      \"note\": \"spare\",\n"
    "      \"revoked_at\": \"2026-02-01T00:00:00Z\",\n"
    "      \"previous\": [\n        {\"prefix\": \"sk-older\",\n        \"hash\": " HASH "3\",\n"
    "        \"x_older\": " VALUE
    ",\n        \"expires_at\": \"2999-01-02T00:00:00Z\"}\n      ]\n    }\n"
    "  ],\n  \"x_end\": [1]\n}\n";

/* The same value, brackets deep. */
static void break_deep_file(size_t depth)
{
    struct buffer text = {0};

    buffer_append_text(&text, "{\"version\": 1,\n\"x_deep\":\n");
    for (size_t i = 0; i < depth; i++) {
        buffer_append_text(&text, i % 2 == 0 ? "[" : "{\"a\":\n");
    }
    buffer_append_text(&text, VALUE);
    for (size_t i = depth; i > 0; i--) {
        buffer_append_text(&text, i % 2 == 1 ? "]" : "}");
    }
    buffer_append(&text, ",\n\"tokens\": []}", sizeof(",\n\"tokens\": []}"));
    break_document(text.bytes, true);
    buffer_clear(&text);
}

static void break_crlf_file(void)
{
    struct buffer text = {0};

    for (size_t i = 0; i < sizeof(file); i++) {
        buffer_append(&text, file[i] == '\n' ? "\r\n" : &file[i], file[i] == '\n' ? 2 : 1);
    }
    break_document(text.bytes, true);
    buffer_clear(&text);
}

/* The parts of the files alone: JSON, but no token file even while they are whole. */
static const char *const parts[] = {"1",
                                    "-0.5e+3",
                                    "true",
                                    "false",
                                    "null",
                                    "\"text\"",
                                    "[]",
                                    "{}",
                                    "[1]",
                                    "{\"a\": 1}",
                                    VALUE,
                                    "{\"version\": 1}",
                                    "{\"tokens\": []}"};

int main(int argc, char **argv)
{
    step = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    programs = argc > 3 ? argv[2] : NULL;
    every = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
    if (step == 0 || every == 0) {
        (void)fprintf(stderr, "usage: bad_documents STEP [PROGRAMS EVERY]\n");
        return 2;
    }
    break_document(file, true);
    break_document("{\"version\": 1, \"tokens\": []}", true);
    break_crlf_file();
    break_deep_file(9);
    break_deep_file(480);
    for (size_t i = 0; i < COUNT(parts); i++) {
        break_document(parts[i], false);
    }
    (void)printf("%zu by the reader, %zu by the programs\n", refused, refused_by_programs);
    return 0;
}
