#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "token/token_text.h"

#define VECTORS "tests/data/token_vectors.tsv"

/* Made with another language's standard library: scheme, body, CRC, checksum, token, digest, prefix. */
static void tokens_agree_with_the_vectors(void **state)
{
    char line[512];
    size_t rows = 0;
    FILE *file = fopen(VECTORS, "r");

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        char scheme[32];
        char body[64];
        char crc[16];
        char sum[16];
        char token[128];
        char hex[128];
        char prefix[64];
        char own_sum[TOKEN_CHECKSUM_LENGTH];
        char own_hex[DIGEST_HEX_SIZE];
        char own_prefix[TOKEN_PREFIX_SIZE];
        uint8_t digest[DIGEST_SIZE];

        if (line[0] == '#') {
            continue;
        }
        assert_int_equal(sscanf(line, "%31s %63s %15s %15s %127s %127s %63s", scheme, body, crc,
                                sum, token, hex, prefix),
                         7);
        token_text_checksum(body, own_sum);
        assert_memory_equal(own_sum, sum, TOKEN_CHECKSUM_LENGTH);
        secret_digest(digest, token, strlen(token));
        secret_digest_to_hex(own_hex, digest);
        assert_memory_equal(own_hex, hex, DIGEST_HEX_SIZE);
        token_text_prefix(token, strlen(token), own_prefix);
        assert_string_equal(own_prefix, prefix);
        assert_int_equal(token_text_shape(token, strlen(token)), TOKEN_SHAPE_WHOLE);
        rows++;
    }
    (void)fclose(file);
    assert_true(rows >= 16);
}

static void new_tokens_are_whole_and_differ(void **state)
{
    static const char *const schemes[] = {"sk-", "sk_live_", "a-", "abcdefghijklmno-"};
    char before[TOKEN_TEXT_SIZE] = "";

    (void)state;
    for (size_t i = 0; i < 400; i++) {
        const char *scheme = schemes[i % COUNT(schemes)];
        char text[TOKEN_TEXT_SIZE];

        token_text_make(scheme, text);
        CHECK_ROW(i, strlen(text) == strlen(scheme) + 49);
        CHECK_ROW(i, strncmp(text, scheme, strlen(scheme)) == 0);
        CHECK_ROW(i, token_text_shape(text, strlen(text)) == TOKEN_SHAPE_WHOLE);
        CHECK_ROW(i, strcmp(text, before) != 0);
        memcpy(before, text, sizeof(before));
    }
}

/* 62 letters over 20000 draws: each turns up about 322 times; 200 to 450 is far outside chance. */
static void random_letters_are_uniform(void **state)
{
    char text[20000];
    size_t seen[256] = {0};

    (void)state;
    token_text_random(text, sizeof(text));
    for (size_t i = 0; i < sizeof(text); i++) {
        seen[(unsigned char)text[i]]++;
    }
    for (size_t c = 0; c < 256; c++) {
        const char letter = (char)c;
        const bool is_letter = token_text_is_base62(&letter, 1);

        CHECK_ROW(c, is_letter ? seen[c] > 200 && seen[c] < 450 : seen[c] == 0);
    }
}

#define WHOLE "sk-xL7opGaC0SAoELzn9rPLvatLJeOxjQj0E0peSM21sSO4Z9hT1"
#define HEX64 "24ce060de35c68f9df3a31c56c3c5a9be1a9afda5619a52e1309a4196a934a77"

static void every_shape_is_told(void **state)
{
    static const struct {
        const char *text;
        enum token_shape shape;
    } rows[] = {
        {WHOLE, TOKEN_SHAPE_WHOLE},
        {"sk-xL7opGaC0SAoELzn9rPLvatLJeOxjQj0E0peSM21sSO4Z9hT2", TOKEN_SHAPE_CHECKSUM},
        {"sk-xL7opGaC0SAoELzn9rPLvatLJeOxjQj0E0peSM21sSo4Z9hT1", TOKEN_SHAPE_CHECKSUM},
        {"sk-xL7opGaC0SAoELzn9rPLvatLJeOxjQj0E0peSM21sSO4Z9hT", TOKEN_SHAPE_CUT_SHORT},
        {"sk-a1b2c3d4e5f", TOKEN_SHAPE_CUT_SHORT},
        {"sk-", TOKEN_SHAPE_CUT_SHORT},
        {"my_xL7opGaC0SAoELzn9rPLvatLJeOxjQj0E0peSM21sSO4Z9h", TOKEN_SHAPE_CUT_SHORT},
        {WHOLE "x", TOKEN_SHAPE_TOO_LONG},
        {WHOLE WHOLE, TOKEN_SHAPE_OTHER},
        {"sk-" HEX64, TOKEN_SHAPE_OTHER},
        {"ghp_abcdefghijklmnopqrstuvwxyz0123456789", TOKEN_SHAPE_OTHER},
        {"my-secret", TOKEN_SHAPE_OTHER},
        {"hunter2", TOKEN_SHAPE_OTHER},
        {"tok_okIbrB1q3Isjoyfr", TOKEN_SHAPE_ID},
        {"tok_okIb", TOKEN_SHAPE_ID},
        {"blake2b-256:" HEX64, TOKEN_SHAPE_DIGEST},
        {HEX64, TOKEN_SHAPE_DIGEST},
        {"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", TOKEN_SHAPE_JWT},
        {"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.", TOKEN_SHAPE_JWT},
        {"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0", TOKEN_SHAPE_OTHER},
        {"sk-a b", TOKEN_SHAPE_BLANK_INSIDE},
        {"a, b", TOKEN_SHAPE_BLANK_INSIDE},
        {"a\tb", TOKEN_SHAPE_BLANK_INSIDE},
        {"a\nb", TOKEN_SHAPE_BLANK_INSIDE},
        {"caf\xc3\xa9", TOKEN_SHAPE_NOT_ASCII},
        {"a\x7f", TOKEN_SHAPE_NOT_ASCII},
        {"a\x01", TOKEN_SHAPE_NOT_ASCII},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(i, token_text_shape(rows[i].text, strlen(rows[i].text)) == rows[i].shape);
    }
}

static void a_jwt_is_told_at_any_length_and_all_else_by_its_length(void **state)
{
    char text[1000];

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(token_text_shape(text, 512), TOKEN_SHAPE_OTHER);
    assert_int_equal(token_text_shape(text, 513), TOKEN_SHAPE_TOO_LONG);
    text[0] = 'e';
    text[1] = 'y';
    text[2] = 'J';
    text[100] = '.';
    text[700] = '.';
    assert_int_equal(token_text_shape(text, sizeof(text)), TOKEN_SHAPE_JWT);
}

static void of_foreign_keys_at_most_a_quarter_is_kept(void **state)
{
    static const struct {
        const char *text;
        const char *prefix;
    } rows[] = {
        {"", ""},
        {"abc", ""},
        {"abcdefgh", "ab"},
        {"sk-" HEX64, "sk-24ce060de35"},
        {"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijk"},
        {"sk-or-v1-" HEX64, "sk-or-v1-24ce060de"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char prefix[TOKEN_PREFIX_SIZE];

        token_text_prefix(rows[i].text, strlen(rows[i].text), prefix);
        assert_string_equal(prefix, rows[i].prefix);
    }
}

static void schemes_are_checked(void **state)
{
    static const char *const good[] = {"sk-", "sk_live_", "-", "_", "a-b_c-", "abcdefghijklmno_"};
    static const char *const bad[] = {
        "", "sk", "sk-x", "sk ", "s.k-", "tok_", "caf\xc3\xa9-", "abcdefghijklmnop_", "a\n-"};
    struct error error;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        CHECK_ROW(i, token_text_scheme_check(good[i], &error) == STATUS_OK);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        CHECK_ROW(i, token_text_scheme_check(bad[i], &error) == STATUS_USAGE);
    }
}

static int start_secrets(void **state)
{
    struct error error;

    (void)state;
    return secret_init(&error) == STATUS_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_agree_with_the_vectors),
        cmocka_unit_test(new_tokens_are_whole_and_differ),
        cmocka_unit_test(random_letters_are_uniform),
        cmocka_unit_test(every_shape_is_told),
        cmocka_unit_test(a_jwt_is_told_at_any_length_and_all_else_by_its_length),
        cmocka_unit_test(of_foreign_keys_at_most_a_quarter_is_kept),
        cmocka_unit_test(schemes_are_checked),
    };

    return cmocka_run_group_tests(tests, start_secrets, NULL);
}
