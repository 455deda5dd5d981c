#include "test.h"

#include "token_authd/request_head.h"

#define HEADER(n, v)                       \
    {                                      \
        n, sizeof(n) - 1, v, sizeof(v) - 1 \
    }

static void a_sound_head_has_plain_headers_and_one_end(void **state)
{
    static const struct {
        bool sound;
        const char *version;
        struct token_verifier_header headers[3];
        size_t count;
    } rows[] = {
        {true, "HTTP/1.1", {{0}}, 0},
        {true, "HTTP/1.1", {HEADER("Host", "x"), HEADER("X-Api-Key", "")}, 2},
        {true, "HTTP/1.1", {HEADER("a!#$%&'*+-.^_`|~9Z", "\t ~\x80\xff")}, 1},
        {true, "HTTP/1.1", {HEADER("X", "1"), HEADER("X", "1"), HEADER("x", "2")}, 3},
        {false, "HTTP/1.1", {HEADER("", "x")}, 1},
        {false, "HTTP/1.1", {HEADER("X ", "x")}, 1},
        {false, "HTTP/1.1", {HEADER("X\t", "x")}, 1},
        {false, "HTTP/1.1", {HEADER(" X", "x")}, 1},
        {false, "HTTP/1.1", {HEADER("\rX", "x")}, 1},
        {false, "HTTP/1.1", {HEADER("X\0", "x")}, 1},
        {false, "HTTP/1.1", {HEADER("X\x80", "x")}, 1},
        {false, "HTTP/1.1", {HEADER("X:", "x")}, 1},
        {false, "HTTP/1.1", {HEADER("Y", "x"), HEADER("X", "a\rb")}, 2},
        {false, "HTTP/1.1", {HEADER("X", "\0")}, 1},
        {false, "HTTP/1.1", {HEADER("X", "\x1f")}, 1},
        {false, "HTTP/1.1", {HEADER("X", "\x7f")}, 1},
        {true, "HTTP/1.0", {HEADER("Content-Length", "1")}, 1},
        {false, "HTTP/1.1", {HEADER("Content-Length", "1"), HEADER("content-length", "1")}, 2},
        {false, "HTTP/1.1", {HEADER("Host", "x"), HEADER("X", "1"), HEADER("HOST", "x")}, 3},
        {true, "HTTP/1.1", {HEADER("Transfer-Encoding", "Chunked")}, 1},
        {true, "HTTP/1.2", {HEADER("transfer-encoding", "chunked")}, 1},
        {false, "HTTP/1.0", {HEADER("Transfer-Encoding", "chunked")}, 1},
        {false, "HTTP/1.1", {HEADER("Transfer-Encoding", "chunked "), {0}}, 1},
        {false, "HTTP/1.1", {HEADER("Transfer-Encoding", "gzip, chunked")}, 1},
        {false, "HTTP/1.1", {HEADER("Transfer-Encoding", "")}, 1},
        {false,
         "HTTP/1.1",
         {HEADER("Transfer-Encoding", "chunked"), HEADER("Transfer-Encoding", "chunked")},
         2},
        {false,
         "HTTP/1.1",
         {HEADER("Content-Length", "5"), HEADER("Transfer-Encoding", "chunked")},
         2},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(i, request_head_is_sound(rows[i].version, rows[i].headers, rows[i].count) ==
                         rows[i].sound);
    }
}

static void a_method_or_target_has_no_blanks_and_no_controls(void **state)
{
    static const struct {
        bool word;
        const char *text;
    } rows[] = {
        {true, "GET"},    {true, "/verify?a=%20"}, {true, "/\xc3\xa9"},
        {false, "/a b"},  {false, "/a\tb"},        {false, "GET\r"},
        {false, "/\x01"}, {false, "/\x7f"},        {true, "A\"B:(x)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(i, request_head_is_word(rows[i].text) == rows[i].word);
    }
}

/* As libmicrohttpd leaves it: NULs where a blank, a colon or a line end was. */
static void what_stands_apart_in_a_head_was_not_shown(void **state)
{
    static char plain[] = "GET\0/a\0HTTP/1.1\0\0Host\0 x\0\0\0";
    const struct token_verifier_header host = {plain + 17, 4, plain + 23, 1};
    const struct request_head whole = {.method = plain,
                                       .path = plain + 4,
                                       .target_end = plain + 6,
                                       .version = plain + 7,
                                       .size = 28,
                                       .headers = &host,
                                       .header_count = 1};
    struct request_head head = whole;

    (void)state;
    assert_false(request_head_has_gaps(&head));
    head.size++; /* a header more before the end of the head */
    assert_true(request_head_has_gaps(&head));
    head = whole;
    head.header_count = 0;
    assert_true(request_head_has_gaps(&head));
    head = whole;
    head.path++; /* the method ended at a NUL */
    assert_true(request_head_has_gaps(&head));
    head = whole;
    head.target_end--; /* the target did */
    assert_true(request_head_has_gaps(&head));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_head_has_plain_headers_and_one_end),
        cmocka_unit_test(a_method_or_target_has_no_blanks_and_no_controls),
        cmocka_unit_test(what_stands_apart_in_a_head_was_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
