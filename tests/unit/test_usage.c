#include "test.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/usage.h"

static char path[] = "/tmp/test_usage.XXXXXX";

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int64_t last_use(const char *id)
{
    struct usage usage;
    struct error error;
    int64_t time;

    assert_int_equal(usage_load(&usage, path, &error), STATUS_OK);
    time = usage_last(&usage, id);
    usage_clear(&usage);
    return time;
}

static bool append(const char *id, int64_t time, size_t size_limit)
{
    struct usage_entry entry = {.time = time};
    const struct usage_append what = {
        .path = path, .entries = &entry, .count = 1, .size_limit = size_limit, .now = 0};

    (void)snprintf(entry.id, sizeof(entry.id), "%s", id);
    return usage_append(&what) == USAGE_APPENDED;
}

#define A "tok_aaaaaaaaaaaaaaaa"
#define B "tok_bbbbbbbbbbbbbbbb"
#define T1 "1970-01-01T00:00:01Z"
#define T2 "1970-01-01T00:00:02Z"

static void the_latest_line_of_an_id_counts(void **state)
{
    (void)state;
    write_file("since " T1 "\n" A " " T2 "\n" A " " T1 "\n");
    assert_true(last_use(A) == 2);
    assert_true(last_use(B) == TIME_NONE);
}

static void other_lines_are_skipped(void **state)
{
    static const char *const rows[] = {
        "\n",           A "\n",           A "  " T2 "\n",
        A " " T2, /* torn */
        A " " T2 " \n", A " " T2 "\r\n",  "tok_aaaaaaaaaaaaaaa! " T2 "\n",
        "\xff\xff\n",   A " yesterday\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[256];

        (void)snprintf(text, sizeof(text), "%s%s", A " " T1 "\n", rows[i]);
        write_file(text);
        CHECK_ROW(i, last_use(A) == 1);
    }
}

static void a_missing_file_is_an_empty_one(void **state)
{
    struct usage usage;
    struct error error;

    (void)state;
    assert_int_equal(usage_load(&usage, "/tmp/test_usage.nothing.here", &error), STATUS_OK);
    assert_true(usage.since == TIME_NONE);
    assert_true(usage_last(&usage, A) == TIME_NONE);
    usage_clear(&usage);
}

static void appending_closes_off_a_torn_line(void **state)
{
    (void)state;
    write_file("since " T1 "\n" B " 1970-01-");
    assert_true(append(A, 2, 1000));
    assert_true(last_use(A) == 2);
    assert_true(last_use(B) == TIME_NONE);
}

static void a_lock_that_is_held_makes_nobody_wait(void **state)
{
    int fd;

    (void)state;
    write_file("since " T1 "\n");
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_false(append(A, 2, 1000));
    assert_int_equal(close(fd), 0);
    assert_true(append(A, 2, 1000));
}

static void past_its_limit_the_file_shrinks_and_loses_no_last_use(void **state)
{
    struct stat now;

    (void)state;
    write_file("since " T1 "\n");
    for (int64_t i = 0; i < 1000; i++) {
        assert_true(append(i % 3 == 0 ? A : B, i, 500));
        assert_int_equal(stat(path, &now), 0);
        assert_true(now.st_size <= 500);
    }
    assert_true(last_use(A) == 999);
    assert_true(last_use(B) == 998);
    assert_true(append(A, 999, 500));
    {
        struct usage usage;
        struct error error;

        assert_int_equal(usage_load(&usage, path, &error), STATUS_OK);
        assert_true(usage.since == 1);
        usage_clear(&usage);
    }
}

/* The new text never overtakes the old one, so that any cut between them still tells every id. */
static void a_crash_while_compacting_loses_no_last_use(void **state)
{
    static const char since[] = "since " T1 "\n";
    static char old_text[(size_t)42 * 60 + sizeof(since)];
    static char new_text[sizeof(old_text)];
    static char mixed[sizeof(old_text)];
    size_t new_size;
    FILE *file;

    (void)state;
    memcpy(old_text, since, sizeof(since));
    for (size_t i = 0; i < 60; i++) {
        (void)snprintf(old_text + sizeof(since) - 1 + i * 42, 43,
                       "tok_%016zu 1970-01-01T00:00:%02zuZ\n", i < 20 ? i : i % 20, i);
    }
    write_file(old_text);
    assert_true(append("tok_0000000000000000", 59, 100)); /* compacts */
    file = fopen(path, "r");
    assert_non_null(file);
    new_size = fread(new_text, 1, sizeof(new_text), file);
    assert_int_equal(fclose(file), 0);
    assert_true(new_size < sizeof(old_text) - 1);
    for (size_t cut = 0; cut <= new_size; cut++) {
        memcpy(mixed, new_text, cut);
        memcpy(mixed + cut, old_text + cut, strlen(old_text) + 1 - cut);
        write_file(mixed);
        for (size_t i = 1; i < 20; i++) {
            char id[TOKEN_ID_SIZE];

            (void)snprintf(id, sizeof(id), "tok_%016zu", i);
            CHECK_ROW(cut, last_use(id) == (int64_t)i + 40);
        }
    }
}

static void nothing_but_a_usage_file_is_written_to(void **state)
{
    static const char *const rows[] = {
        "{\"version\": 1, \"tokens\": []}\n", "a line\n",   "\n", "since ",
        "since yesterday or so, I think\n",   A " " T2 "\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[256] = "";
        FILE *file;

        write_file(rows[i]);
        CHECK_ROW(i, !append(A, 2, 1));
        file = fopen(path, "r");
        assert_non_null(file);
        assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
        assert_int_equal(fclose(file), 0);
        assert_string_equal(text, rows[i]);
    }
}

static int make_path(void **state)
{
    const int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_line_of_an_id_counts),
        cmocka_unit_test(other_lines_are_skipped),
        cmocka_unit_test(a_missing_file_is_an_empty_one),
        cmocka_unit_test(appending_closes_off_a_torn_line),
        cmocka_unit_test(a_lock_that_is_held_makes_nobody_wait),
        cmocka_unit_test(past_its_limit_the_file_shrinks_and_loses_no_last_use),
        cmocka_unit_test(nothing_but_a_usage_file_is_written_to),
        cmocka_unit_test(a_crash_while_compacting_loses_no_last_use),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
