#include "test.h"

#include <stdio.h>
#include <string.h>

#include "verify/digest_index.h"

#define MANY 5000

static void make_token(struct token *token, size_t number)
{
    token_init(token);
    (void)snprintf(token->id, sizeof(token->id), "tok_%016zu", number);
    secret_digest(token->secret.digest, &number, sizeof(number));
    token->name = strdup(token->id + 4);
    token->created_at = (int64_t)number;
}

static void every_token_is_found_and_no_other(void **state)
{
    struct digest_index index = {0};
    struct index_match match;
    struct error error;
    uint8_t digest[DIGEST_SIZE];

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        struct token token;

        make_token(&token, i);
        assert_int_equal(digest_index_add(&index, &token, &error), STATUS_OK);
        token_clear(&token);
    }
    for (size_t i = 0; i < 2 * (size_t)MANY; i++) {
        char name[32];

        secret_digest(digest, &i, sizeof(i));
        CHECK_ROW(i, digest_index_find(&index, digest, &match) == (i < MANY));
        if (i < MANY) {
            (void)snprintf(name, sizeof(name), "%016zu", i);
            assert_string_equal(digest_index_name(&index, match.token), name);
            assert_string_equal(match.token->id + 4, name);
        }
    }
    assert_true(index.newest == MANY - 1);
    digest_index_clear(&index);
}

static void an_empty_index_finds_nothing(void **state)
{
    const struct digest_index index = {0};
    const uint8_t digest[DIGEST_SIZE] = {0};
    struct index_match match;

    (void)state;
    assert_false(digest_index_find(&index, digest, &match));
}

static void digests_that_share_their_first_bytes_are_told_apart(void **state)
{
    struct digest_index index = {0};
    struct index_match match;
    struct error error;

    (void)state;
    for (size_t i = 0; i < 100; i++) {
        struct token token;

        make_token(&token, i);
        memset(token.secret.digest, 0xff, DIGEST_SIZE); /* the last slot, and around its end */
        token.secret.digest[DIGEST_SIZE - 1] = (uint8_t)i;
        assert_int_equal(digest_index_add(&index, &token, &error), STATUS_OK);
        token_clear(&token);
    }
    for (size_t i = 0; i < 200; i++) {
        uint8_t digest[DIGEST_SIZE];

        memset(digest, 0xff, sizeof(digest));
        digest[DIGEST_SIZE - 1] = (uint8_t)i;
        CHECK_ROW(i, digest_index_find(&index, digest, &match) == (i < 100));
    }
    digest_index_clear(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_token_is_found_and_no_other),
        cmocka_unit_test(an_empty_index_finds_nothing),
        cmocka_unit_test(digests_that_share_their_first_bytes_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
