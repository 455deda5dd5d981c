#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "base/json_write.h"

/* Whether a text is exactly one value. */
static bool accepts(const char *text, size_t size)
{
    struct json_cursor cursor;
    struct json_slice value;
    struct error error;

    json_cursor_init(&cursor, "f", text, size);
    return json_skip(&cursor, &value, &error) == STATUS_OK &&
           json_end(&cursor, &error) == STATUS_OK;
}

static void what_the_grammar_allows_is_accepted(void **state)
{
    static const char *const rows[] = {
        "null",
        " true ",
        "\t\r\n false\n",
        "0",
        "-0",
        "-0.0e-0",
        "1e+400",
        "12345678901234567890.5E10",
        "\"\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\ud800\\u0000\"",
        "\"caf\xc3\xa9 \xe2\x9c\x93 \xf0\x9f\x98\x80 \x7f\"",
        "[]",
        "[ ]",
        "{}",
        "[1,[2,{\"a\":[]}],{}]",
        "{\"a\":1,\"a\":2}",
        "{\"\":null , \"b\" : [ ] }",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(i, accepts(rows[i], strlen(rows[i])));
    }
}

static void what_the_grammar_forbids_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        " ",
        "nul",
        "nulls",
        "True",
        "NaN",
        "Infinity",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1.e5",
        "1e",
        "1e+",
        "0x10",
        "1_000",
        "1 2",
        "'a'",
        "\"",
        "\"a",
        "\"a\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12G4\"",
        "\"\\",
        "\"a\nb\"",
        "\"a\tb\"",
        "\"\x1f\"",
        "\"\x80\"",
        "\"\xc0\x80\"",
        "\"\xe0\x80\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf5\x80\x80\x80\"",
        "\"\xe2\x9c\"",
        "\"\xff\"",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "}",
        "{a:1}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1]",
        "{1:2}",
        "{\"a\":1}}",
        "/**/1",
        "1//",
        "\xef\xbb\xbf"
        "1",
        "\f1",
        "\v1",
        "\xc2\xa0"
        "1",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(i, !accepts(rows[i], strlen(rows[i])));
    }
    assert_false(accepts("1\0", 2));
    assert_false(accepts("\"\0\"", 3));
    assert_false(accepts("\"\\\0\"", 4));
}

static void every_cut_of_a_document_is_refused(void **state)
{
    static const char text[] = "{\"a\": [1.5e3, \"x\\u00e9\\n\", {\"b\": null}], \"c\": -0}";

    (void)state;
    for (size_t size = 0; size < sizeof(text) - 1; size++) {
        CHECK_ROW(size, !accepts(text, size));
    }
    assert_true(accepts(text, sizeof(text) - 1));
}

static void nesting_has_a_limit(void **state)
{
    char text[2 * 513];

    (void)state;
    memset(text, '[', 512);
    memset(text + 512, ']', 512);
    assert_true(accepts(text, 1024));
    memset(text, '[', 513);
    memset(text + 513, ']', 513);
    assert_false(accepts(text, 1026));
}

static void a_failure_names_file_and_line(void **state)
{
    static const char text[] = "{\n\"a\": 1,\n\"b\": x\n}";
    struct json_cursor cursor;
    struct json_slice value;
    struct error error;

    (void)state;
    json_cursor_init(&cursor, "file.json", text, sizeof(text) - 1);
    assert_int_equal(json_skip(&cursor, &value, &error), STATUS_STORE);
    assert_string_equal(error.text, "file.json:3: found \"x\", expected a value");
}

static void strings_are_decoded(void **state)
{
    static const struct {
        const char *json;
        const char *text; /* NULL: refused */
    } rows[] = {
        {"\"abc\"", "abc"},
        {"\"\"", ""},
        {"\"a\\u0062\\n\"", "ab\n"},
        {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
        {"\"\\\\u0000\"", "\\u0000"},
        {"\"a\\u0000b\"", NULL},
        {"\"\\ud800\"", NULL},
        {"\"12345678\"", NULL}, /* too long */
        {"12", NULL},
        {"null", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct json_slice slice = {
            .at = rows[i].json, .size = strlen(rows[i].json), .line = 1, .file = "f"};
        struct error error;
        char text[8] = "";
        const enum status status = json_string(&slice, text, sizeof(text), &error);

        CHECK_ROW(i, (status == STATUS_OK) == (rows[i].text != NULL));
        CHECK_ROW(i, rows[i].text == NULL || strcmp(text, rows[i].text) == 0);
    }
}

static void written_strings_read_back(void **state)
{
    static const char text[] = "a\"b\\c\n\t\x01\x7f caf\xc3\xa9";
    struct buffer out = {0};
    struct error error;
    char again[64];

    (void)state;
    json_write_string(&out, text, sizeof(text) - 1);
    assert_true(accepts(out.bytes, out.size));
    const struct json_slice slice = {.at = out.bytes, .size = out.size, .line = 1, .file = "f"};
    assert_int_equal(json_string(&slice, again, sizeof(again), &error), STATUS_OK);
    assert_string_equal(again, text);
    buffer_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_grammar_allows_is_accepted),
        cmocka_unit_test(what_the_grammar_forbids_is_refused),
        cmocka_unit_test(every_cut_of_a_document_is_refused),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(a_failure_names_file_and_line),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(written_strings_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
