#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "token/token_json.h"
#include "verify/verdict.h"

#define NOW 1800000000 /* 2027-01-15T08:00:00Z */

/* A file with one token of each kind; the credentials are "active", "revoked", … */
static char file_text[8192];
static struct digest_index file_index;
static struct settings_key environment_key;

static const struct {
    const char *credential;
    const char *more; /* fields */
} kinds[] = {
    {"active", ""},
    {"revoked", ", \"revoked_at\": \"2026-01-01T00:00:00Z\""},
    {"revoked-later", ", \"revoked_at\": \"2999-01-01T00:00:00Z\""},
    {"expired", ", \"expires_at\": \"2027-01-15T08:00:00Z\""},
    {"expires", ", \"expires_at\": \"2027-01-15T08:00:01Z\""},
    {"revoked-and-expired", ", \"revoked_at\": \"2026-01-01T00:00:00Z\", "
                            "\"expires_at\": \"2026-01-01T00:00:00Z\""},
    {"scoped", ", \"scopes\": [\"chat\", \"models:read\"]"},
    {"expired-and-scoped", ", \"scopes\": [\"chat\"], \"expires_at\": \"2026-01-01T00:00:00Z\""},
};

static void add_text(const char *text)
{
    const size_t used = strlen(file_text);

    assert_true(used + strlen(text) < sizeof(file_text));
    memcpy(file_text + used, text, strlen(text) + 1);
}

static void add_hash(const char *credential)
{
    uint8_t digest[DIGEST_SIZE];
    char hex[DIGEST_HEX_SIZE + 1] = "";

    secret_digest(digest, credential, strlen(credential));
    secret_digest_to_hex(hex, digest);
    add_text("\"prefix\": \"\", \"hash\": \"blake2b-256:");
    add_text(hex);
    add_text("\"");
}

static void add_record(const char *id, const char *credential, const char *more)
{
    add_text("{\"id\": \"tok_00000000000000");
    add_text(id);
    add_text("\", \"name\": \"n\", \"created_at\": \"2026-01-01T00:00:00Z\", ");
    add_hash(credential);
    add_text(more);
    add_text("}");
}

static enum status add_to_index(void *context, struct token *token, const struct token_place *place,
                                struct error *error)
{
    (void)place;
    return digest_index_add(context, token, error);
}

static int make_file(void **state)
{
    static const struct token_json_sink sink = {add_to_index, &file_index};
    struct token_json json = {.file = "f", .text = file_text};
    struct error error;

    (void)state;
    if (secret_init(&error) != STATUS_OK) {
        return -1;
    }
    add_text("{\"version\": 1, \"tokens\": [");
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const char id[] = {'0', (char)('a' + i), '\0'};

        add_record(id, kinds[i].credential, kinds[i].more);
        add_text(",");
    }
    /* One whose two older secrets are in and past their grace. */
    add_record("1z", "rotated", ", \"previous\": [{\"expires_at\": \"2027-01-15T08:00:01Z\", ");
    file_text[strlen(file_text) - 1] = '\0';
    add_hash("older");
    add_text("}, {\"expires_at\": \"2027-01-15T08:00:00Z\", ");
    add_hash("oldest");
    add_text("}]}]}");
    json.size = strlen(file_text);
    environment_key = (struct settings_key){.variable = "V", .length = 3, .usable = true};
    secret_digest(environment_key.digest, "env", 3);
    return token_json_read(&json, &sink, &error) == STATUS_OK ? 0 : -1;
}

static int drop_file(void **state)
{
    (void)state;
    digest_index_clear(&file_index);
    return 0;
}

static enum token_verifier_reason reason_for(enum token_verifier_mode mode, const char *credential,
                                             const char *scope)
{
    static const struct digest_index empty;
    const bool has_file =
        mode == TOKEN_VERIFIER_MODE_FILE || mode == TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT;
    const struct verdict_situation situation = {
        .mode = mode,
        .index = has_file ? &file_index : &empty,
        .key = mode == TOKEN_VERIFIER_MODE_FILE ? NULL : &environment_key,
        .now = NOW};
    const struct verdict_question question = {
        .found = credential == NULL ? CREDENTIAL_MISSING : CREDENTIAL_FOUND,
        .credential = {credential, credential == NULL ? 0 : strlen(credential)},
        .scopes = &scope,
        .scope_count = scope == NULL ? 0 : 1};

    return verdict_decide(&situation, &question).reason;
}

#define ACCEPTED TOKEN_VERIFIER_NO_REASON
#define OPEN TOKEN_VERIFIER_MODE_OPEN
#define NONE TOKEN_VERIFIER_MODE_UNAVAILABLE
#define ENV TOKEN_VERIFIER_MODE_ENVIRONMENT
#define FILE_ONLY TOKEN_VERIFIER_MODE_FILE
#define BOTH TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT

static void each_case_gets_its_verdict(void **state)
{
    static const struct {
        enum token_verifier_mode mode;
        const char *credential;
        const char *scope;
        enum token_verifier_reason reason;
    } rows[] = {
        {OPEN, NULL, NULL, ACCEPTED},
        {OPEN, "revoked", "chat", ACCEPTED},
        {NONE, NULL, NULL, TOKEN_VERIFIER_UNAVAILABLE},
        {NONE, "active", NULL, TOKEN_VERIFIER_UNAVAILABLE},
        {NONE, "env", NULL, TOKEN_VERIFIER_UNAVAILABLE},
        {ENV, NULL, NULL, TOKEN_VERIFIER_MISSING},
        {ENV, "env", NULL, ACCEPTED},
        {ENV, "env", "chat", ACCEPTED},
        {ENV, "env", "*", TOKEN_VERIFIER_SCOPE},
        {ENV, "active", NULL, TOKEN_VERIFIER_UNKNOWN},
        {FILE_ONLY, NULL, NULL, TOKEN_VERIFIER_MISSING},
        {FILE_ONLY, "env", NULL, TOKEN_VERIFIER_UNKNOWN},
        {BOTH, "env", NULL, ACCEPTED},
        {BOTH, "active", NULL, ACCEPTED},
        {BOTH, "active", "chat", ACCEPTED},
        {BOTH, "active", "*", TOKEN_VERIFIER_SCOPE},
        {BOTH, "active", "two scopes", TOKEN_VERIFIER_SCOPE},
        {BOTH, "revoked", NULL, TOKEN_VERIFIER_REVOKED},
        {BOTH, "revoked-later", NULL, TOKEN_VERIFIER_REVOKED},
        {BOTH, "expired", NULL, TOKEN_VERIFIER_EXPIRED},
        {BOTH, "expires", NULL, ACCEPTED},
        {BOTH, "revoked-and-expired", NULL, TOKEN_VERIFIER_REVOKED},
        {BOTH, "scoped", NULL, ACCEPTED},
        {BOTH, "scoped", "chat", ACCEPTED},
        {BOTH, "scoped", "models:read", ACCEPTED},
        {BOTH, "scoped", "models", TOKEN_VERIFIER_SCOPE},
        {BOTH, "scoped", "Chat", TOKEN_VERIFIER_SCOPE},
        {BOTH, "expired-and-scoped", "models", TOKEN_VERIFIER_EXPIRED},
        {BOTH, "rotated", NULL, ACCEPTED},
        {BOTH, "older", NULL, ACCEPTED},
        {BOTH, "oldest", NULL, TOKEN_VERIFIER_EXPIRED},
        {BOTH, "nobody", NULL, TOKEN_VERIFIER_UNKNOWN},
        {BOTH, "a b", NULL, TOKEN_VERIFIER_MALFORMED},
        {BOTH, "sk-cut", NULL, TOKEN_VERIFIER_MALFORMED},
        {BOTH, "tok_0000000000000001", NULL, TOKEN_VERIFIER_ID_NOT_TOKEN},
        {BOTH, "eyJ0.e30.x", NULL, TOKEN_VERIFIER_JWT_NOT_TOKEN},
        {BOTH, "blake2b-256:24ce060de35c68f9df3a31c56c3c5a9be1a9afda5619a52e1309a4196a934a77", NULL,
         TOKEN_VERIFIER_DIGEST_NOT_TOKEN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(i, reason_for(rows[i].mode, rows[i].credential, rows[i].scope) == rows[i].reason);
    }
}

static void what_the_file_says_wins_over_the_environment(void **state)
{
    static const char *const rows[] = {"revoked", "expired"};
    const struct settings_key saved = environment_key;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        secret_digest(environment_key.digest, rows[i], strlen(rows[i]));
        CHECK_ROW(i, reason_for(BOTH, rows[i], NULL) != ACCEPTED);
        CHECK_ROW(i, reason_for(ENV, rows[i], NULL) == ACCEPTED);
    }
    environment_key = saved;
}

static void a_key_that_cannot_be_sent_accepts_nobody(void **state)
{
    (void)state;
    environment_key.usable = false;
    assert_int_equal(reason_for(ENV, "env", NULL), TOKEN_VERIFIER_UNKNOWN);
    environment_key.usable = true;
}

static void a_header_twice_is_malformed_unless_all_are_let_in(void **state)
{
    struct verdict_situation situation = {
        .mode = BOTH, .index = &file_index, .key = &environment_key, .now = NOW};
    const struct verdict_question question = {.found = CREDENTIAL_TWICE};

    (void)state;
    assert_int_equal(verdict_decide(&situation, &question).reason, TOKEN_VERIFIER_MALFORMED);
    situation.mode = OPEN;
    assert_int_equal(verdict_decide(&situation, &question).reason, ACCEPTED);
}

static void all_demanded_scopes_are_needed(void **state)
{
    static const char *const both[] = {"chat", "models:read"};
    static const char *const more[] = {"chat", "models:read", "admin"};
    const struct verdict_situation situation = {.mode = BOTH, .index = &file_index, .now = NOW};
    struct verdict_question question = {.found = CREDENTIAL_FOUND,
                                        .credential = {"scoped", 6},
                                        .scopes = both,
                                        .scope_count = COUNT(both)};

    (void)state;
    assert_int_equal(verdict_decide(&situation, &question).reason, ACCEPTED);
    question.scopes = more;
    question.scope_count = COUNT(more);
    assert_int_equal(verdict_decide(&situation, &question).reason, TOKEN_VERIFIER_SCOPE);
}

static void the_earliest_end_is_told(void **state)
{
    static const struct {
        const char *credential;
        int64_t end;
    } rows[] = {{"active", TIME_NONE}, {"expires", NOW + 1}, {"older", NOW + 1}};
    const struct verdict_situation situation = {.mode = BOTH, .index = &file_index, .now = NOW};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct verdict_question question = {
            .found = CREDENTIAL_FOUND,
            .credential = {rows[i].credential, strlen(rows[i].credential)}};

        CHECK_ROW(i, verdict_decide(&situation, &question).expires_at == rows[i].end);
    }
}

/* One loaded file and a clock that goes on: nothing is read again. */
static enum token_verifier_reason reason_at(const char *credential, int64_t now)
{
    const struct verdict_situation situation = {
        .mode = FILE_ONLY, .index = &file_index, .now = now};
    const struct verdict_question question = {.found = CREDENTIAL_FOUND,
                                              .credential = {credential, strlen(credential)}};

    return verdict_decide(&situation, &question).reason;
}

static void a_token_is_refused_from_the_very_second_of_its_expiry_on(void **state)
{
    (void)state;
    assert_int_equal(reason_at("expires", 0), ACCEPTED);
    assert_int_equal(reason_at("expires", NOW), ACCEPTED);
    assert_int_equal(reason_at("expires", NOW + 1), TOKEN_VERIFIER_EXPIRED);
    assert_int_equal(reason_at("expires", NOW + 2), TOKEN_VERIFIER_EXPIRED);
    assert_int_equal(reason_at("expires", TIME_LAST + 1), TOKEN_VERIFIER_EXPIRED);
    assert_int_equal(reason_at("active", TIME_LAST + 1), ACCEPTED);
}

static void an_older_secret_is_refused_from_the_very_second_its_grace_ends_on(void **state)
{
    (void)state;
    assert_int_equal(reason_at("older", NOW), ACCEPTED);
    assert_int_equal(reason_at("older", NOW + 1), TOKEN_VERIFIER_EXPIRED);
    assert_int_equal(reason_at("older", NOW + 2), TOKEN_VERIFIER_EXPIRED);
    assert_int_equal(reason_at("rotated", NOW + 2), ACCEPTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_gets_its_verdict),
        cmocka_unit_test(what_the_file_says_wins_over_the_environment),
        cmocka_unit_test(a_key_that_cannot_be_sent_accepts_nobody),
        cmocka_unit_test(a_header_twice_is_malformed_unless_all_are_let_in),
        cmocka_unit_test(all_demanded_scopes_are_needed),
        cmocka_unit_test(the_earliest_end_is_told),
        cmocka_unit_test(a_token_is_refused_from_the_very_second_of_its_expiry_on),
        cmocka_unit_test(an_older_secret_is_refused_from_the_very_second_its_grace_ends_on),
    };

    return cmocka_run_group_tests(tests, make_file, drop_file);
}
