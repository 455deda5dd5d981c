#include "test.h"

#include <stdio.h>
#include <string.h>

#include "token/token_set.h"
#include "token/token_text.h"

#define SHOWN_ONCE "sk-xL7opGaC0SAoELzn9rPLvatLJeOxjQj0E0peSM21sSO4Z9hT1"
#define OTHER "sk-xL7oXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"
#define FOREIGN "abcdefghijklmnopqrstuvwxyz01234567890123456789"

/* Name, secret, revoked; the id is tok_ and the row's number. */
static const struct {
    const char *name;
    const char *secret;
    bool revoked;
} rows[] = {
    {"app", SHOWN_ONCE, false},
    {"app", "sk-qqqqqqqqqqqqqqqq", true},
    {"old", "sk-rrrrrrrrrrrrrrrrr0", true},
    {"old", "sk-rrrrrrrrrrrrrrrrr1", true},
    {"gone", "sk-ssssssssssssssss", true},
    {"foreign", FOREIGN, false},
    {"sk-xL7", OTHER, false},
    {"twin", "sk-tttttttttttttttt0", false},
    {"twin", "sk-tttttttttttttttt1", false},
    {"live", "sk_live_uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu", false},
};

static struct token_set set;

static int make_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct token token;
        struct error error;
        const size_t size = strlen(rows[i].secret);

        token_init(&token);
        (void)snprintf(token.id, sizeof(token.id), "tok_%016zu", i);
        token.name = strdup(rows[i].name);
        secret_digest(token.secret.digest, rows[i].secret, size);
        token_text_prefix(rows[i].secret, size, token.secret.prefix);
        token.revoked_at = rows[i].revoked ? 1 : TIME_NONE;
        if (token_set_add(&set, &token, NULL, &error) != STATUS_OK) {
            return -1;
        }
    }
    return 0;
}

static int drop_set(void **state)
{
    (void)state;
    token_set_clear(&set);
    return 0;
}

#define NOBODY SIZE_MAX
#define SEVERAL (SIZE_MAX - 1)

static void selectors_mean_one_token_or_nothing(void **state)
{
    static const struct {
        const char *selector;
        size_t meant;
    } cases[] = {
        {"tok_0000000000000002", 2},
        {"tok_0000000000000099", NOBODY},
        {SHOWN_ONCE, 0},
        {"sk-xL7opGaC0SA", 0},
        {"sk-xL7opGaC0SA...", 0},
        {"sk-xL7opGaC0SA\xe2\x80\xa6", 0},
        {"sk-xL7op", 0},
        {"sk-xL7o", SEVERAL},
        {"sk-xL7", 6}, /* as a name; too short for a beginning */
        {"sk-", NOBODY},
        {"", NOBODY},
        {"...", NOBODY},
        {"sk-xL7opGaC0SAoELzn9", 0}, /* longer than what is stored */
        {"sk-xL7opGaC0SB", NOBODY},
        {"sk-xl7op", NOBODY},
        {"app", 0},  /* the unrevoked one */
        {"gone", 4}, /* the only revoked one */
        {"old", SEVERAL},
        {"twin", SEVERAL},
        {"sk_live", NOBODY}, /* all of it is the scheme prefix */
        {"sk_live_uuu", NOBODY},
        {"sk_live_uuuu", 9},
        {"App", NOBODY},
        {FOREIGN, 5},
        {"abcd", 5},
        {"abcdefghijk", 5},
        {"abcdefghijklmno", 5},
        {"abc", NOBODY},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct token_record *found;
        struct error error;
        const enum status status = token_set_select(&set, cases[i].selector, &found, &error);

        if (cases[i].meant == NOBODY) {
            CHECK_ROW(i, status == STATUS_NOT_FOUND);
        } else if (cases[i].meant == SEVERAL) {
            CHECK_ROW(i, status == STATUS_AMBIGUOUS);
        } else {
            CHECK_ROW(i, status == STATUS_OK && found == &set.records[cases[i].meant]);
        }
    }
}

static void an_ambiguous_selector_names_the_candidates(void **state)
{
    struct token_record *found;
    struct error error;

    (void)state;
    assert_int_equal(token_set_select(&set, "old", &found, &error), STATUS_AMBIGUOUS);
    assert_non_null(strstr(error.text, "tok_0000000000000002"));
    assert_non_null(strstr(error.text, "tok_0000000000000003"));
    assert_null(strstr(error.text, "tok_0000000000000004"));
}

static void a_selector_that_is_a_token_is_not_repeated(void **state)
{
    struct token_record *found;
    struct error error;

    (void)state;
    assert_int_equal(token_set_select(&set, "sk-0000000000000000000000000000000000000000000000000",
                                      &found, &error),
                     STATUS_NOT_FOUND);
    assert_null(strstr(error.text, "sk-000000000000000"));
}

static void removed_tokens_are_not_found(void **state)
{
    struct token_record *found;
    struct error error;

    (void)state;
    token_set_remove(&set.records[0]);
    assert_int_equal(token_set_select(&set, SHOWN_ONCE, &found, &error), STATUS_NOT_FOUND);
    assert_int_equal(token_set_select(&set, "tok_0000000000000000", &found, &error),
                     STATUS_NOT_FOUND);
    assert_int_equal(token_set_select(&set, "app", &found, &error), STATUS_OK);
    assert_ptr_equal(found, &set.records[1]);
    set.records[0].removed = false;
}

static void only_what_would_be_accepted_counts_as_active(void **state)
{
    (void)state;
    assert_int_equal(token_set_count_active(&set, 100), 6);
    set.records[0].token.expires_at = 100;
    assert_int_equal(token_set_count_active(&set, 99), 6);
    assert_int_equal(token_set_count_active(&set, 100), 5);
    set.records[0].token.expires_at = TIME_NONE;
}

#define NOW 1000

/* A token of its own, whose secrets are single letters: the current one "a". */
static void begin_rotation(struct token_record *record)
{
    *record = (struct token_record){.changed = 0};
    token_init(&record->token);
    memcpy(record->token.id, "tok_0000000000000001", TOKEN_ID_SIZE);
    record->token.name = strdup("rotated");
    secret_digest(record->token.secret.digest, "a", 1);
    memcpy(record->token.secret.prefix, "a", 2);
}

static enum status rotate_to(struct token_record *record, const char *letter, int64_t now,
                             int64_t grace_end)
{
    struct token_secret fresh = {.expires_at = TIME_NONE};
    struct error error;

    secret_digest(fresh.digest, letter, 1);
    memcpy(fresh.prefix, letter, 2);
    return token_set_rotate(record, &fresh, now, grace_end, &error);
}

/* The older secrets and their ends: "a1010 b1020 ". */
static const char *older(const struct token_record *record)
{
    static char text[1024];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < record->token.previous_count; i++) {
        const struct token_secret *previous = &record->token.previous[i];
        uint8_t digest[DIGEST_SIZE];

        secret_digest(digest, previous->prefix, 1);
        assert_memory_equal(digest, previous->digest, DIGEST_SIZE);
        assert_true(used < sizeof(text));
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%lld ", previous->prefix,
                                 (long long)previous->expires_at);
    }
    return text;
}

static void a_rotation_puts_the_fresh_secret_first_and_keeps_the_old_one(void **state)
{
    struct token_record record;
    uint8_t digest[DIGEST_SIZE];

    (void)state;
    begin_rotation(&record);
    record.token.created_at = 5;
    assert_int_equal(rotate_to(&record, "b", NOW, NOW + 10), STATUS_OK);
    secret_digest(digest, "b", 1);
    assert_memory_equal(record.token.secret.digest, digest, DIGEST_SIZE);
    assert_string_equal(record.token.secret.prefix, "b");
    assert_true(record.token.secret.expires_at == TIME_NONE);
    assert_string_equal(older(&record), "a1010 ");
    assert_string_equal(record.token.id, "tok_0000000000000001");
    assert_string_equal(record.token.name, "rotated");
    assert_int_equal(record.token.created_at, 5);
    assert_int_equal(record.changed, TOKEN_CHANGE_SECRETS);
    token_clear(&record.token);
}

static void rotating_again_keeps_older_secrets_to_their_own_ends(void **state)
{
    struct token_record record;

    (void)state;
    begin_rotation(&record);
    assert_int_equal(rotate_to(&record, "b", NOW, NOW + 10), STATUS_OK);
    assert_int_equal(rotate_to(&record, "c", NOW + 1, NOW + 5), STATUS_OK);
    assert_int_equal(rotate_to(&record, "d", NOW + 2, NOW + 20), STATUS_OK);
    assert_string_equal(older(&record), "a1010 b1005 c1020 ");
    token_clear(&record.token);
}

static void secrets_that_have_ended_are_forgotten_at_the_very_second(void **state)
{
    struct token_record record;

    (void)state;
    begin_rotation(&record);
    assert_int_equal(rotate_to(&record, "b", NOW, NOW + 10), STATUS_OK);
    assert_int_equal(rotate_to(&record, "c", NOW + 9, NOW + 30), STATUS_OK);
    assert_string_equal(older(&record), "a1010 b1030 ");
    assert_int_equal(rotate_to(&record, "d", NOW + 10, NOW + 40), STATUS_OK);
    assert_string_equal(older(&record), "b1030 c1040 ");
    token_clear(&record.token);
}

static void without_grace_no_earlier_secret_is_left(void **state)
{
    static const int64_t ends[] = {NOW + 1, NOW, 0, TIME_NONE};

    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        struct token_record record;

        begin_rotation(&record);
        assert_int_equal(rotate_to(&record, "b", NOW, NOW + 10), STATUS_OK);
        assert_int_equal(rotate_to(&record, "c", NOW + 1, ends[i]), STATUS_OK);
        CHECK_ROW(i, record.token.previous_count == 0);
        CHECK_ROW(i, strcmp(record.token.secret.prefix, "c") == 0);
        token_clear(&record.token);
    }
}

static void more_than_64_older_secrets_are_refused_until_one_has_ended(void **state)
{
    struct token_record record;

    (void)state;
    begin_rotation(&record);
    for (int64_t i = 0; i < TOKEN_PREVIOUS_COUNT; i++) {
        assert_int_equal(rotate_to(&record, "b", NOW, NOW + 10 + i), STATUS_OK);
    }
    assert_int_equal(record.token.previous_count, 64);
    assert_int_equal(rotate_to(&record, "c", NOW, NOW + 100), STATUS_FAILED);
    assert_int_equal(rotate_to(&record, "c", NOW + 10, NOW + 100), STATUS_OK);
    assert_int_equal(record.token.previous_count, 64);
    assert_int_equal(rotate_to(&record, "d", NOW + 10, NOW), STATUS_OK);
    assert_int_equal(record.token.previous_count, 0);
    token_clear(&record.token);
}

static void an_older_secret_is_good_until_its_end_or_the_token_s(void **state)
{
    static const struct {
        int64_t now;
        int64_t token_end;
        int64_t revoked_at;
        int64_t end;
    } cases[] = {
        {NOW, TIME_NONE, TIME_NONE, NOW + 10},
        {NOW + 9, TIME_NONE, TIME_NONE, NOW + 10},
        {NOW + 10, TIME_NONE, TIME_NONE, TIME_NONE},
        {NOW, NOW + 20, TIME_NONE, NOW + 10},
        {NOW, NOW + 5, TIME_NONE, NOW + 5},
        {NOW + 5, NOW + 5, TIME_NONE, TIME_NONE},
        {NOW, TIME_NONE, NOW, TIME_NONE},
        {NOW, TIME_NONE, NOW + 100, TIME_NONE},
    };
    const struct token_secret previous = {.expires_at = NOW + 10};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct token token;

        token_init(&token);
        token.expires_at = cases[i].token_end;
        token.revoked_at = cases[i].revoked_at;
        CHECK_ROW(i, token_previous_end(&token, &previous, cases[i].now) == cases[i].end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_mean_one_token_or_nothing),
        cmocka_unit_test(an_ambiguous_selector_names_the_candidates),
        cmocka_unit_test(a_selector_that_is_a_token_is_not_repeated),
        cmocka_unit_test(removed_tokens_are_not_found),
        cmocka_unit_test(only_what_would_be_accepted_counts_as_active),
        cmocka_unit_test(a_rotation_puts_the_fresh_secret_first_and_keeps_the_old_one),
        cmocka_unit_test(rotating_again_keeps_older_secrets_to_their_own_ends),
        cmocka_unit_test(secrets_that_have_ended_are_forgotten_at_the_very_second),
        cmocka_unit_test(without_grace_no_earlier_secret_is_left),
        cmocka_unit_test(more_than_64_older_secrets_are_refused_until_one_has_ended),
        cmocka_unit_test(an_older_secret_is_good_until_its_end_or_the_token_s),
    };

    return cmocka_run_group_tests(tests, make_set, drop_set);
}
