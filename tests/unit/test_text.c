#include "test.h"

#include <string.h>

#include "base/text.h"

static void utf8_is_decoded_and_nothing_else(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        uint32_t point;
    } rows[] = {
        {"a", 1, 'a'},
        {"\xc3\xa9", 2, 0xe9},
        {"\xe2\x9c\x93", 3, 0x2713},
        {"\xf0\x9f\x98\x80", 4, 0x1f600},
        {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
        {"\xc0\xaf", 0, 0}, /* overlong */
        {"\xc1\xbf", 0, 0},
        {"\xe0\x9f\xbf", 0, 0},
        {"\xf0\x8f\xbf\xbf", 0, 0},
        {"\xed\xa0\x80", 0, 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 0, 0}, /* past the last character */
        {"\xe2\x9c", 0, 0},         /* cut */
        {"\xe2(\x93", 0, 0},
        {"\x80", 0, 0},
        {"\xff", 0, 0},
        {"", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t point = 0;

        CHECK_ROW(i, text_utf8_next(rows[i].text, strlen(rows[i].text), &point) == rows[i].length);
        CHECK_ROW(i, point == rows[i].point);
    }
}

static void quoting_is_safe_to_show(void **state)
{
    static const struct {
        const char *text;
        const char *quoted;
    } rows[] = {
        {"", "\"\""},
        {"my-app", "\"my-app\""},
        {"caf\xc3\xa9 x", "\"caf\xc3\xa9 x\""},
        {"a\x1b[31m\n", "\"a\\x1b[31m\\x0a\""},
        {"a\xff", "\"a\\xff\""},
        {"\xe2\x80\xae", "\"\\xe2\\x80\\xae\""}, /* would turn the line around */
        {"production-web-app-frontend", "\"production-web-app-frontend\""},
        {"sk-xL7opGaC0SAoELzn9rPLvatLJeOxjQj0E0peSM21sSO4Z9hT1", "\"sk-xL7opGaC0S...\""},
        {"x sk-xL7opGaC0SAoELzn9rPLvatLJeOxjQj0E0peSM21sSO4Z9hT1.", "\"x sk-xL7opGaC0S...\""},
        {"24ce060de35c68f9df3a31c56c3c5a9b", "\"24ce060d...\""},
        {"pa55.w0rd+abc/def=ghijk.lmnop", "\"pa55.w0...\""},
        {"sk-abcdefghijklmnopqrstUVWXYZabcdefghijklmnopqrstuvw", "\"sk-abcdefghij...\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text_quoted quoted;

        assert_string_equal(text_quote(&quoted, rows[i].text, strlen(rows[i].text)),
                            rows[i].quoted);
    }
}

static void quoting_has_a_bound(void **state)
{
    static const char *const fillers[] = {"a", "\x01", "\xf0\x9f\x98\x80", "1234567890abcdefghij ",
                                          "z9 "};
    static char text[40000];

    (void)state;
    for (size_t i = 0; i < COUNT(fillers); i++) {
        const size_t size = strlen(fillers[i]);
        struct text_quoted quoted;

        for (size_t at = 0; at + size <= sizeof(text); at += size) {
            memcpy(text + at, fillers[i], size);
        }
        CHECK_ROW(i,
                  strlen(text_quote(&quoted, text, sizeof(text) / size * size)) < TEXT_QUOTED_SIZE);
    }
}

static void a_word_for_a_shell_is_quoted_where_it_must_be(void **state)
{
    static const struct {
        const char *text;
        const char *word;
    } rows[] = {
        {"/srv/api_tokens.json", "/srv/api_tokens.json"},
        {"", "''"},
        {"/my files/a", "'/my files/a'"},
        {"it's", "'it'\\''s'"},
        {"$(id)`id`;*", "'$(id)`id`;*'"},
        {"caf\xc3\xa9", "'caf\xc3\xa9'"},
        {"a\nb'c\\", "$'a\\012b\\'c\\\\'"},
        {"\xff", "$'\\377'"},
        {"\xe2\x80\xae", "$'\\342\\200\\256'"}, /* would turn the line around */
    };
    static char text[TEXT_SHELL_SIZE + 1];
    struct text_shell word;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(text_shell(&word, rows[i].text), rows[i].word);
    }
    for (size_t size = TEXT_SHELL_SIZE - 10; size <= TEXT_SHELL_SIZE; size++) {
        memset(text, ' ', size);
        text[size] = '\0';
        CHECK_ROW(size, strlen(text_shell(&word, text)) ==
                            (size <= TEXT_SHELL_SIZE - 7 ? size + 2 : strlen("FILE")));
    }
}

static void words_that_are_near_are_found_near(void **state)
{
    (void)state;
    assert_int_equal(text_distance("revoke", "revoke"), 0);
    assert_int_equal(text_distance("revok", "revoke"), 1);
    assert_int_equal(text_distance("lsit", "list"), 2);
    assert_int_equal(text_distance("", "list"), 4);
    assert_true(text_distance("this-word-is-much-longer-than-any-option", "list") == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_decoded_and_nothing_else),
        cmocka_unit_test(quoting_is_safe_to_show),
        cmocka_unit_test(quoting_has_a_bound),
        cmocka_unit_test(a_word_for_a_shell_is_quoted_where_it_must_be),
        cmocka_unit_test(words_that_are_near_are_found_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
