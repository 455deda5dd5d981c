#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "token_authd/log.h"

#define BEGINNING "time=1970-01-01T00:00:00Z level=info event=test"
#define ROOM (2 * LOG_LINE_SIZE)
#define GUARD_SIZE 64

/* A line with something around it that nobody may touch. */
static struct {
    char before[GUARD_SIZE];
    struct log_line line;
    char after[GUARD_SIZE];
} guarded;

static struct log_line *begin(void)
{
    memset(&guarded, 0x5a, sizeof(guarded));
    log_begin(&guarded.line, LOG_LEVEL_INFO, 0, "test");
    return &guarded.line;
}

/* Ends the line; what came out of it, with a NUL behind it. Standard error is a file meanwhile. */
static const char *end(void)
{
    static char text[ROOM];
    FILE *file = tmpfile();
    const int before = dup(STDERR_FILENO);
    size_t size;

    assert_non_null(file);
    assert_true(before >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
    log_end(&guarded.line);
    (void)dup2(before, STDERR_FILENO);
    (void)close(before);
    rewind(file);
    size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    (void)fclose(file);
    for (size_t i = 0; i < GUARD_SIZE; i++) {
        assert_int_equal(guarded.before[i], 0x5a);
        assert_int_equal(guarded.after[i], 0x5a);
    }
    return text;
}

static void a_value_is_a_word_or_in_quotation_marks(void **state)
{
    static const struct {
        const char *value;
        const char *wanted;
    } rows[] = {
        {"word", "word"},
        {"!#$%&'()*+,-./09:;<>?@AZ[]^_`az{|}~", "!#$%&'()*+,-./09:;<>?@AZ[]^_`az{|}~"},
        {"", "\"\""},
        {" ", "\" \""},
        {"two words", "\"two words\""},
        {"a=b", "\"a=b\""},
        {"\"", "\"\\\"\""},
        {"say \"so\"", "\"say \\\"so\\\"\""},
        {"a\\b", "\"a\\\\b\""},
        {"\\", "\"\\\\\""},
        {"a\nlevel=error", "\"a\\x0alevel=error\""},
        {"\t\r\x01\x1b\x1f\x7f", "\"\\x09\\x0d\\x01\\x1b\\x1f\\x7f\""},
        {"caf\xc3\xa9", "\"caf\xc3\xa9\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char wanted[256];

        log_text(begin(), "key", rows[i].value);
        (void)snprintf(wanted, sizeof(wanted), BEGINNING " key=%s\n", rows[i].wanted);
        CHECK_ROW(i, strcmp(end(), wanted) == 0);
    }
}

static void levels_and_numbers_are_words(void **state)
{
    struct log_line *line = begin();

    (void)state;
    log_count(line, "none", 0);
    log_count(line, "most", UINT64_MAX);
    log_seconds(line, "short", 0.0000004);
    log_seconds(line, "long", 12.5);
    assert_string_equal(end(), BEGINNING " none=0 most=18446744073709551615 short=0.000000"
                                         " long=12.500000\n");
    log_begin(&guarded.line, LOG_LEVEL_WARN, 1764157523, "a");
    assert_string_equal(end(), "time=2025-11-26T11:45:23Z level=warn event=a\n");
    log_begin(&guarded.line, LOG_LEVEL_ERROR, 1764157523, "b");
    assert_string_equal(end(), "time=2025-11-26T11:45:23Z level=error event=b\n");
}

static void of_a_secret_only_the_beginning_is_logged(void **state)
{
    static const char *const paths[] = {
        "sk-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg37cCQ0",
        "/verify/sk-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg37cCQ0",
        "/verify?key=sk-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg37cCQ0&x=\"y\"",
        "\nsk-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg37cCQ0\n",
    };
    static const char nul[] = "GET\0GET";

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        const char *text;

        log_foreign(begin(), "path", paths[i], strlen(paths[i]));
        text = end();
        CHECK_ROW(i, strstr(text, "FGHIJKLM") == NULL);
        CHECK_ROW(i, strchr(text, '\n') == text + strlen(text) - 1);
    }
    log_foreign(begin(), "method", "GET", 3);
    assert_string_equal(end(), BEGINNING " method=GET\n");
    log_foreign(begin(), "method", "GETTING", 3);
    assert_string_equal(end(), BEGINNING " method=GET\n");
    log_foreign(begin(), "method", "", 0);
    assert_string_equal(end(), BEGINNING " method=\"\"\n");
    log_foreign(begin(), "method", nul, sizeof(nul) - 1);
    assert_non_null(strstr(end(), "x00GET"));
}

/* Behind a quotation mark: where the value ends, behind its closing mark; NULL if it is no value. */
static const char *quoted_end(const char *at)
{
    while (*at != '"') {
        if (*at == '\\' && (at[1] == '"' || at[1] == '\\')) {
            at += 2;
        } else if (*at == '\\') {
            if (at[1] != 'x' || strspn(at + 2, "0123456789abcdef") < 2) {
                return NULL;
            }
            at += 4;
        } else if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            return NULL;
        } else {
            at++;
        }
    }
    return at + 1;
}

/* Whether it is one line of pairs, each with one blank between, and nothing is cut apart. */
static bool is_logfmt(const char *text)
{
    for (;;) {
        const size_t key = strspn(text, "abcdefghijklmnopqrstuvwxyz-0123456789");

        if (key == 0 || text[key] != '=') {
            return false;
        }
        text += key + 1;
        text = *text == '"' ? quoted_end(text + 1) : text + strcspn(text, " \"\\\n");
        if (text == NULL || (*text != ' ' && *text != '\n')) {
            return false;
        }
        if (*text == '\n') {
            return text[1] == '\0';
        }
        text++;
    }
}

/* Whatever the first value fills of the line, and whatever still comes. */
static void a_line_that_is_full_is_cut_and_whole(void **state)
{
    static const char *const fillers[] = {"x",  "x ",    " ",        "\"",  "\\",
                                          "\n", "x\x01", "\xc3\xa9", "\xff"};
    static char value[ROOM];

    (void)state;
    for (size_t f = 0; f < COUNT(fillers); f++) {
        const size_t unit = strlen(fillers[f]);

        for (size_t size = 900; size < LOG_LINE_SIZE + 100; size++) {
            struct log_line *line = begin();
            const char *text;
            size_t length;

            /* With escapes four times as long, the limit is at a quarter. */
            if (size == 1100) {
                size = LOG_LINE_SIZE / 2 - 100;
            } else if (size == LOG_LINE_SIZE / 2 + 20) {
                size = LOG_LINE_SIZE - 120;
            }
            for (size_t i = 0; i < size; i++) {
                value[i] = fillers[f][i % unit];
            }
            value[size] = '\0';
            log_text(line, "value", value);
            log_text(line, "word", "word");
            log_text(line, "k", "");
            log_text(line, "quoted", "two words");
            log_count(line, "count", size);
            log_foreign(line, "path", "/\x01\x02", 3);
            for (int i = 0; i < 200; i++) {
                log_text(line, "field", "a \"quoted\" value\n");
            }
            text = end();
            length = strlen(text);
            CHECK_ROW(size, length <= LOG_LINE_SIZE);
            CHECK_ROW(size, length >= LOG_LINE_SIZE - 8); /* no room is left without need */
            CHECK_ROW(size, strncmp(text, BEGINNING " value=", strlen(BEGINNING " value=")) == 0);
            CHECK_ROW(size, is_logfmt(text));
        }
    }
}

/* Nothing behind what did not fit, and no part of a character. */
static void what_is_cut_off_is_the_end(void **state)
{
    static const char *const ends[] = {"\x01##", "\"##", "\xf0\x9f\x98\x80##"};
    static char value[ROOM];

    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        for (size_t size = LOG_LINE_SIZE - 100; size < LOG_LINE_SIZE; size++) {
            const char *text;
            size_t bytes = 0;

            memset(value, ' ', size);
            (void)snprintf(value + size, sizeof(value) - size, "%s", ends[i]);
            log_text(begin(), "value", value);
            text = end();
            CHECK_ROW(size, strstr(text, " #") == NULL);
            for (const char *c = text; *c != '\0'; c++) {
                bytes += (unsigned char)*c >= 0x80 ? 1 : 0;
            }
            CHECK_ROW(size, bytes == 0 || bytes == 4);
        }
    }
}

static void many_long_fields_are_cut_to_one_line(void **state)
{
    static char value[ROOM];
    struct log_line *line = begin();
    const char *text;

    (void)state;
    memset(value, 'x', sizeof(value) - 1);
    for (int i = 0; i < 100; i++) {
        log_text(line, "long", value);
        log_foreign(line, "foreign", value, sizeof(value) - 1);
    }
    text = end();
    assert_int_equal(strlen(text), LOG_LINE_SIZE);
    assert_true(is_logfmt(text));
    /* And the next line begins anew. */
    log_text(begin(), "key", "value");
    assert_string_equal(end(), BEGINNING " key=value\n");
}

static void a_key_that_does_not_fit_is_left_out(void **state)
{
    static char key[ROOM];
    struct log_line *line = begin();

    (void)state;
    memset(key, 'k', sizeof(key) - 1);
    log_text(line, key, "value");
    log_text(line, "key", "value");
    assert_string_equal(end(), BEGINNING " key=value\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_a_word_or_in_quotation_marks),
        cmocka_unit_test(levels_and_numbers_are_words),
        cmocka_unit_test(of_a_secret_only_the_beginning_is_logged),
        cmocka_unit_test(a_line_that_is_full_is_cut_and_whole),
        cmocka_unit_test(what_is_cut_off_is_the_end),
        cmocka_unit_test(many_long_fields_are_cut_to_one_line),
        cmocka_unit_test(a_key_that_does_not_fit_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
