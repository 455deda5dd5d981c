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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_mean_one_token_or_nothing),
        cmocka_unit_test(an_ambiguous_selector_names_the_candidates),
        cmocka_unit_test(a_selector_that_is_a_token_is_not_repeated),
        cmocka_unit_test(removed_tokens_are_not_found),
        cmocka_unit_test(only_what_would_be_accepted_counts_as_active),
    };

    return cmocka_run_group_tests(tests, make_set, drop_set);
}
