#include "test.h"

#include <string.h>

#include "verify/credential.h"

#define HEADER(n, v)                       \
    {                                      \
        n, sizeof(n) - 1, v, sizeof(v) - 1 \
    }

static void the_first_source_that_is_not_empty_decides(void **state)
{
    static const struct {
        struct token_verifier_header headers[4];
        size_t count;
        enum credential_result result;
        const char *text;
    } rows[] = {
        {{{0}}, 0, CREDENTIAL_MISSING, ""},
        {{HEADER("Host", "x")}, 1, CREDENTIAL_MISSING, ""},
        {{HEADER("Authorization", "Bearer t1")}, 1, CREDENTIAL_FOUND, "t1"},
        {{HEADER("authorization", "bEaReR   t1 ")}, 1, CREDENTIAL_FOUND, "t1"},
        {{HEADER("AUTHORIZATION", "\tBearer\tt1\r\n")}, 1, CREDENTIAL_FOUND, "t1"},
        {{HEADER("Authorization", "Bearer")}, 1, CREDENTIAL_MISSING, ""},
        {{HEADER("Authorization", "Bearer  ")}, 1, CREDENTIAL_MISSING, ""},
        {{HEADER("Authorization", "Bearert1")}, 1, CREDENTIAL_MISSING, ""},
        {{HEADER("Authorization", "Basic dTpw")}, 1, CREDENTIAL_MISSING, ""},
        {{HEADER("Authorization", "t1")}, 1, CREDENTIAL_MISSING, ""},
        {{HEADER("X-Api-Key", "t2")}, 1, CREDENTIAL_FOUND, "t2"},
        {{HEADER("x-auth-token", "t3")}, 1, CREDENTIAL_FOUND, "t3"},
        {{HEADER("Api-Key", "t4")}, 1, CREDENTIAL_FOUND, "t4"},
        {{HEADER("Api-Key", "t4"), HEADER("X-Auth-Token", "t3"), HEADER("X-Api-Key", "t2"),
          HEADER("Authorization", "Bearer t1")},
         4,
         CREDENTIAL_FOUND,
         "t1"},
        {{HEADER("Api-Key", "t4"), HEADER("X-Auth-Token", "t3")}, 2, CREDENTIAL_FOUND, "t3"},
        {{HEADER("Authorization", "Basic dTpw"), HEADER("X-Api-Key", "t2")},
         2,
         CREDENTIAL_FOUND,
         "t2"},
        {{HEADER("Authorization", "Bearer "), HEADER("X-Api-Key", "t2")},
         2,
         CREDENTIAL_FOUND,
         "t2"},
        {{HEADER("X-Api-Key", "  "), HEADER("Api-Key", "t4")}, 2, CREDENTIAL_FOUND, "t4"},
        {{HEADER("Authorization", "Bearer a b"), HEADER("X-Api-Key", "t2")},
         2,
         CREDENTIAL_FOUND,
         "a b"},
        {{HEADER("X-Api-Key", "t2"), HEADER("x-api-key", "t2")}, 2, CREDENTIAL_TWICE, NULL},
        {{HEADER("X-Api-Key", "t2"), HEADER("X-API-KEY", "")}, 2, CREDENTIAL_TWICE, NULL},
        {{HEADER("Authorization", "Bearer t1"), HEADER("Authorization", "Basic dTpw")},
         2,
         CREDENTIAL_TWICE,
         NULL},
        {{HEADER("Authorization", "Bearer t1"), HEADER("Api-Key", "a"), HEADER("Api-Key", "b")},
         3,
         CREDENTIAL_TWICE,
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct credential found;

        CHECK_ROW(i, credential_from_headers(rows[i].headers, rows[i].count, &found) ==
                         rows[i].result);
        CHECK_ROW(i, rows[i].text == NULL || (found.size == strlen(rows[i].text) &&
                                              memcmp(found.text, rows[i].text, found.size) == 0));
    }
}

static void a_line_is_a_credential_or_a_header(void **state)
{
    static const struct {
        const char *line;
        const char *text;
    } rows[] = {
        {"", ""},
        {" \r\n", ""},
        {"t1\n", "t1"},
        {" t1 \t\r\n", "t1"},
        {"Authorization: Bearer t1", "t1"},
        {"authorization:bearer t1", "t1"},
        {"Authorization: Basic dTpw", ""},
        {"X-Api-Key:t1", "t1"},
        {"Api-Key: t1\r\n", "t1"},
        {"X-Auth-Token:", ""},
        {"Bearer t1", "Bearer t1"},
        {"Cookie: a=b", "Cookie: a=b"},
        {"X-Api-Key t1", "X-Api-Key t1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct credential found;
        const enum credential_result result =
            credential_from_line(rows[i].line, strlen(rows[i].line), &found);

        CHECK_ROW(i, found.size == strlen(rows[i].text));
        CHECK_ROW(i, memcmp(found.text, rows[i].text, found.size) == 0);
        CHECK_ROW(i, (result == CREDENTIAL_FOUND) == (found.size > 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_source_that_is_not_empty_decides),
        cmocka_unit_test(a_line_is_a_credential_or_a_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
