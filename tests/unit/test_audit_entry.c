#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/audit.h"
#include "store/audit_entry.h"

#define TIME "\"time\": \"2026-11-26T11:45:23Z\""
#define ACTION "\"action\": \"revoke\""
#define ID "\"id\": \"tok_0000000000000001\""
#define NAME "\"name\": \"ci\""
#define ALL TIME ", " ACTION ", " ID ", " NAME

/* In memory of exactly that size, so that a sanitizer sees a read behind its end. */
static bool read_line(struct audit_entry *entry, const char *line)
{
    const size_t size = strlen(line);
    char *copy = malloc(size > 0 ? size : 1);
    bool good;

    assert_non_null(copy);
    memcpy(copy, line, size); /* NOLINT(bugprone-not-null-terminated-result) */
    good = audit_entry_read(entry, copy, size);
    entry->changed = (struct json_slice){.size = entry->changed.size}; /* it points into the line */
    free(copy);
    return good;
}

static void a_line_is_read_with_all_that_it_tells(void **state)
{
    static const char line[] = "{" ALL ", \"changed\": {\"revoked_at\": \"x\"}, \"uid\": 0, "
                               "\"login\": \"root\", \"sudo_user\": \"alice\", "
                               "\"host\": \"server\"}";
    struct audit_entry entry;

    (void)state;
    assert_true(audit_entry_read(&entry, line, strlen(line)));
    assert_int_equal(entry.time, 1795693523);
    assert_string_equal(entry.action, "revoke");
    assert_string_equal(entry.id, "tok_0000000000000001");
    assert_string_equal(entry.name, "ci");
    assert_string_equal(entry.login, "root");
    assert_string_equal(entry.sudo_user, "alice");
    assert_string_equal(entry.host, "server");
    assert_int_equal(entry.changed.size, strlen("{\"revoked_at\": \"x\"}"));
    assert_memory_equal(entry.changed.at, "{\"revoked_at\": \"x\"}", entry.changed.size);
}

static void what_is_not_told_is_empty_and_what_is_not_known_is_passed_over(void **state)
{
    struct audit_entry entry;

    (void)state;
    assert_true(read_line(&entry, "{\"x\": [1, {\"id\": 2}], " ALL ", \"Host\": 5}"));
    assert_string_equal(entry.login, "");
    assert_string_equal(entry.sudo_user, "");
    assert_string_equal(entry.host, "");
    assert_int_equal(entry.changed.size, 0);
}

static void what_is_no_line_of_a_trail_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        " ",
        "garbage",
        "null",
        "[]",
        "{}",
        "{" ALL,
        "{" ALL ", ",
        "{" ALL ",}",
        "{" ALL "} x",
        "{" ALL "}{" ALL "}",
        "{" TIME ", " ACTION ", " ID "}",
        "{" TIME ", " ACTION ", " NAME "}",
        "{" TIME ", " ID ", " NAME "}",
        "{" ACTION ", " ID ", " NAME "}",
        "{\"time\": \"2026-11-26\", " ACTION ", " ID ", " NAME "}",
        "{\"time\": 1795693523, " ACTION ", " ID ", " NAME "}",
        "{\"time\": \"2026-02-30T00:00:00Z\", " ACTION ", " ID ", " NAME "}",
        "{" TIME ", \"action\": \"\", " ID ", " NAME "}",
        "{" TIME ", \"action\": 1, " ID ", " NAME "}",
        "{" TIME ", " ACTION ", \"id\": \"ci\", " NAME "}",
        "{" TIME ", " ACTION ", \"id\": \"tok_00000000000000012\", " NAME "}",
        "{" TIME ", " ACTION ", " ID ", \"name\": \"\"}",
        "{" TIME ", " ACTION ", " ID ", \"name\": null}",
        "{" ALL ", \"login\": 1}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct audit_entry entry;

        CHECK_ROW(i, !read_line(&entry, rows[i]));
    }
}

/* Whoever reads the trail looks at a terminal. */
static void what_would_move_a_terminal_is_refused_raw_or_escaped(void **state)
{
    static const char *const rows[] = {
        "{" ALL ", \"x\": \"\x1b[2J\"}",
        "{" ALL "}\r",
        "{" ALL ", \"x\": \"\x7f\"}",
        "{" ALL ", \"x\": \"\xc2\x9b\"}",
        "{" ALL ", \"x\": \"\xff\"}",
        "{" ALL ", \"x\": \"\xed\xa0\x80\"}",
        "{" ALL ", \"login\": \"\\u001b[2J\"}",
        "{" ALL ", \"sudo_user\": \"a\\nb\"}",
        "{" ALL ", \"host\": \"\\u009b\"}",
        "{" ALL ", \"host\": \"a\\u0000b\"}",
        "{" TIME ", \"action\": \"\\u001b\", " ID ", " NAME "}",
        "{" TIME ", " ACTION ", " ID ", \"name\": \"\\u001b[2J\"}",
        "{" TIME ", " ACTION ", " ID ", \"name\": \"a\\rb\"}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct audit_entry entry;

        CHECK_ROW(i, !read_line(&entry, rows[i]));
    }
}

static void every_beginning_of_a_line_is_refused(void **state)
{
    static const char line[] = "{" ALL ", \"changed\": {}, \"uid\": 0, \"host\": \"h\"}";

    (void)state;
    for (size_t size = 0; size < strlen(line); size++) {
        char beginning[sizeof(line)] = "";
        struct audit_entry entry;

        memcpy(beginning, line, size);
        CHECK_ROW(size, !read_line(&entry, beginning));
    }
}

static void a_text_that_has_no_room_is_refused(void **state)
{
    char line[1024];
    char text[512];
    struct audit_entry entry;

    (void)state;
    for (size_t size = AUDIT_WORD_SIZE - 1; size <= AUDIT_WORD_SIZE; size++) {
        memset(text, 'h', size);
        text[size] = '\0';
        (void)snprintf(line, sizeof(line), "{" ALL ", \"host\": \"%s\"}", text);
        CHECK_ROW(size, read_line(&entry, line) == (size < AUDIT_WORD_SIZE));
    }
}

static void what_is_written_is_read_back(void **state)
{
    const struct audit_actor actor = {
        .uid = 4294967295UL, .login = "a\"b\\c", .sudo_user = "é", .host = "h"};
    const struct audit_event event = {.time = 1795693523, .action = "rotate", .actor = &actor};
    struct token_record record = {.changed = TOKEN_CHANGE_SECRETS};
    struct token_secret previous = {.prefix = "sk-old", .expires_at = 1795693600};
    struct buffer line = {0};
    struct audit_entry entry;
    struct error error;

    (void)state;
    token_init(&record.token);
    memcpy(record.token.id, "tok_0000000000000001", TOKEN_ID_SIZE);
    memcpy(record.token.secret.prefix, "sk-new", 7);
    record.token.name = strdup("a \"name\" \\ 😀");
    assert_int_equal(token_add_previous(&record.token, &previous, &error), STATUS_OK);
    audit_write_line(&event, &record, &line);
    assert_false(line.failed);
    assert_int_equal(line.bytes[line.size - 1], '\n');
    assert_true(audit_entry_read(&entry, line.bytes, line.size - 1));
    assert_int_equal(entry.time, event.time);
    assert_string_equal(entry.action, "rotate");
    assert_string_equal(entry.id, record.token.id);
    assert_string_equal(entry.name, record.token.name);
    assert_string_equal(entry.login, actor.login);
    assert_string_equal(entry.sudo_user, actor.sudo_user);
    assert_string_equal(entry.host, actor.host);
    static const char changed[] =
        "{\"prefix\": \"sk-new\", \"previous\": [{\"prefix\": \"sk-old\", "
        "\"expires_at\": \"2026-11-26T11:46:40Z\"}]}";
    assert_int_equal(entry.changed.size, strlen(changed));
    assert_memory_equal(entry.changed.at, changed, strlen(changed));
    buffer_clear(&line);
    token_clear(&record.token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_read_with_all_that_it_tells),
        cmocka_unit_test(what_is_not_told_is_empty_and_what_is_not_known_is_passed_over),
        cmocka_unit_test(what_is_no_line_of_a_trail_is_refused),
        cmocka_unit_test(what_would_move_a_terminal_is_refused_raw_or_escaped),
        cmocka_unit_test(every_beginning_of_a_line_is_refused),
        cmocka_unit_test(a_text_that_has_no_room_is_refused),
        cmocka_unit_test(what_is_written_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
