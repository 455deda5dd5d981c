/*
 * Any headers: what is found in them is one of them, and nobody is accepted but who sent a secret that
 * is good. The same credential gets the same verdict however it comes.
 *
 * An input is a header a line, NAME:VALUE, and each line is a credential or a header by itself, too. A
 * byte between 0x80 and 0x8f at the beginning chooses the mode and what is demanded.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "token/token_text.h"
#include "verify/credential.h"
#include "verify/digest_index.h"
#include "verify/verdict.h"

#define NOW INT64_C(1790000000)
#define HEADER_LIMIT 16
#define RANDOM_LENGTH (TOKEN_BODY_LENGTH + TOKEN_CHECKSUM_LENGTH)

/* Nobody's: their random parts are not random. */
static const struct secret {
    const char *text;
    bool is_older; /* of the token before */
    bool revoked;
    int64_t expires_at;
    const char *scope; /* or NULL for all */
    bool good;
} secrets[] = {
    {"sk-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg37cCQ0", false, false, TIME_NONE, NULL, true},
    {"sk-zbvGdUUo0z9gkumYGK7lfvgBZjEHUiFQlNXqdqCJVah4GZcJl", false, true, TIME_NONE, NULL, false},
    {"an-imported-key", false, false, NOW, "read", false},
    {"Bearer", false, false, NOW + 1, "read", true},
    {"older", true, false, NOW + 1, "read", true},
    {"oldest", true, false, NOW, "read", false},
};

#define KEY "environment-key"

static struct digest_index known;
static struct settings_key key = {.variable = "OPENAI_API_KEY", .usable = true};

static void know(void)
{
    struct token tokens[COUNT(secrets)];
    struct error error;
    size_t count = 0;

    for (size_t i = 0; i < COUNT(secrets); i++) {
        struct token_secret secret = {.prefix = "sk-", .expires_at = TIME_NONE};

        secret_digest(secret.digest, secrets[i].text, strlen(secrets[i].text));
        if (secrets[i].is_older) {
            secret.expires_at = secrets[i].expires_at;
            MUST(token_add_previous(&tokens[count - 1], &secret, &error) == STATUS_OK);
            continue;
        }
        struct token *token = &tokens[count++];

        token_init(token);
        memcpy(token->id, "tok_0000000000000000", TOKEN_ID_SIZE);
        token->id[TOKEN_ID_SIZE - 2] = (char)('0' + count);
        token->name = fuzz_copy("name", 5);
        token->secret = secret;
        token->created_at = NOW - 1;
        token->expires_at = secrets[i].expires_at;
        token->revoked_at = secrets[i].revoked ? NOW - 1 : TIME_NONE;
        MUST(secrets[i].scope == NULL ||
             token_add_scope(token, secrets[i].scope, &error) == STATUS_OK);
    }
    for (size_t i = 0; i < count; i++) {
        MUST(digest_index_add(&known, &tokens[i], &error) == STATUS_OK);
        token_clear(&tokens[i]);
    }
    secret_digest(key.digest, KEY, strlen(KEY));
}

static bool is_text(const struct credential *credential, const char *text)
{
    return credential->size == strlen(text) &&
           memcmp(credential->text, text, credential->size) == 0;
}

/* Whether it should be accepted. */
static bool is_good(const struct credential *credential, const struct verdict_question *question)
{
    const bool can_be_had = question->scope_count == 0 ||
                            token_is_scope(question->scopes[0], strlen(question->scopes[0]));
    bool good = is_text(credential, KEY);

    for (size_t i = 0; i < COUNT(secrets) && !good; i++) {
        good = is_text(credential, secrets[i].text) && secrets[i].good &&
               (question->scope_count == 0 || secrets[i].scope == NULL ||
                strcmp(secrets[i].scope, question->scopes[0]) == 0);
    }
    return good && can_be_had;
}

static enum token_verifier_reason decide(enum token_verifier_mode mode,
                                         const struct verdict_question *question)
{
    const struct verdict_situation situation = {
        .mode = mode, .index = &known, .key = &key, .now = NOW};
    const struct verdict_answer answer = verdict_decide(&situation, question);
    const bool accepted = answer.reason == TOKEN_VERIFIER_NO_REASON;

    MUST(strcmp(token_verifier_reason_text(answer.reason), "?") != 0);
    MUST((answer.help[0] == '\0') == accepted);
    if (mode == TOKEN_VERIFIER_MODE_OPEN) {
        MUST(accepted);
    } else if (mode == TOKEN_VERIFIER_MODE_UNAVAILABLE) {
        MUST(answer.reason == TOKEN_VERIFIER_UNAVAILABLE);
    } else {
        MUST(accepted ==
             (question->found == CREDENTIAL_FOUND && is_good(&question->credential, question)));
        MUST(!accepted || (answer.token != NULL) != (answer.key != NULL));
    }
    return answer.reason;
}

/* What the looks of a credential are, by all who look at them. */
static void check_shape(const struct credential *credential)
{
    char *text = fuzz_copy(credential->text, credential->size);
    const size_t size = credential->size;
    const enum token_shape shape = token_text_shape(text, size);
    char prefix[TOKEN_PREFIX_SIZE];

    MUST(shape != TOKEN_SHAPE_WHOLE ||
         (size < TOKEN_TEXT_SIZE && token_text_looks_like_one(text, size)));
    MUST((shape == TOKEN_SHAPE_NOT_ASCII || shape == TOKEN_SHAPE_BLANK_INSIDE) ==
         !text_is_visible_ascii(text, size));
    MUST(token_text_scheme(text, size) <= TOKEN_SCHEME_LIMIT);
    MUST(token_text_without_dots(text, size) <= size);
    (void)token_text_looks_like_one(text, size);
    token_text_prefix(text, size, prefix);
    MUST(strlen(prefix) <=
         (shape == TOKEN_SHAPE_WHOLE ? size - RANDOM_LENGTH + TOKEN_PREFIX_SHOWN : size / 4));
    MUST(memcmp(prefix, text, strlen(prefix)) == 0);
    free(text);
}

/* A credential that was found lies in that text, whole, without blanks around it. */
static void check_found(const struct credential *found, const char *text, size_t size)
{
    MUST(found->size > 0 && found->text >= text && found->text + found->size <= text + size);
    MUST(strchr(" \t\n\v\f\r", found->text[0]) == NULL || found->text[0] == '\0');
    MUST(strchr(" \t\n\v\f\r", found->text[found->size - 1]) == NULL ||
         found->text[found->size - 1] == '\0');
    check_shape(found);
}

static void check_line(const char *text, size_t size, const struct verdict_question *demand)
{
    struct verdict_question question = *demand;
    struct token_verifier_header header = {"x-api-key", 9, text, size};
    enum token_verifier_reason reason;

    question.found = credential_from_line(text, size, &question.credential);
    if (question.found == CREDENTIAL_FOUND) {
        check_found(&question.credential, text, size);
    }
    (void)decide(TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT, &question);
    question.found = credential_from_value(text, size, &question.credential);
    if (question.found == CREDENTIAL_FOUND) {
        check_found(&question.credential, text, size);
    }
    reason = decide(TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT, &question);
    question.found = credential_from_headers(&header, 1, &question.credential);
    MUST(decide(TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT, &question) == reason);
}

/* How often a header is there. */
static size_t count_of(const struct token_verifier_header *headers, size_t count, const char *name)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        found += headers[i].name_size == strlen(name) &&
                 strncasecmp(headers[i].name, name, headers[i].name_size) == 0;
    }
    return found;
}

static void check_headers(struct token_verifier_header *headers, size_t count,
                          enum token_verifier_mode mode, const struct verdict_question *demand)
{
    static const char *const names[] = {"authorization", "x-api-key", "x-auth-token", "api-key"};
    struct verdict_question question = *demand;
    struct verdict_question turned = *demand;
    bool twice = false;
    bool any = false;

    for (size_t i = 0; i < COUNT(names); i++) {
        const size_t found = count_of(headers, count, names[i]);

        any = any || found > 0;
        twice = twice || found > 1;
    }
    question.found = credential_from_headers(headers, count, &question.credential);
    MUST((question.found == CREDENTIAL_TWICE) == twice);
    MUST(question.found != CREDENTIAL_FOUND || any);
    for (size_t i = 0; question.found == CREDENTIAL_FOUND && i < count; i++) {
        if (question.credential.text >= headers[i].value &&
            question.credential.text < headers[i].value + headers[i].value_size) {
            check_found(&question.credential, headers[i].value, headers[i].value_size);
            any = false; /* it is in one of them */
        }
    }
    MUST(question.found != CREDENTIAL_FOUND || !any);
    /* Their order does not matter. */
    for (size_t i = 0; i < count / 2; i++) {
        const struct token_verifier_header header = headers[i];

        headers[i] = headers[count - 1 - i];
        headers[count - 1 - i] = header;
    }
    turned.found = credential_from_headers(headers, count, &turned.credential);
    MUST(turned.found == question.found);
    MUST(decide(mode, &turned) == decide(mode, &question));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const demands[] = {"read", "write", "*", ""};
    struct token_verifier_header headers[HEADER_LIMIT] = {{.name = NULL}};
    struct verdict_question demand = {.scopes = demands};
    enum token_verifier_mode mode = TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT;
    const char *at = (const char *)data;
    const char *end = at + size;
    size_t count = 0;

    if (known.token_count == 0) {
        know();
    }
    if (size > 0 && data[0] >= 0x80 && data[0] < 0x90) {
        static const enum token_verifier_mode modes[] = {
            TOKEN_VERIFIER_MODE_UNAVAILABLE, TOKEN_VERIFIER_MODE_OPEN,
            TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT, TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT};

        mode = modes[data[0] / 4 % 4];
        demand.scopes = &demands[data[0] % 4];
        demand.scope_count = 1;
        at++;
    }
    while (at < end && count < HEADER_LIMIT) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const size_t length = (size_t)((newline != NULL ? newline : end) - at);
        const char *colon = memchr(at, ':', length);
        const size_t name_size = colon != NULL ? (size_t)(colon - at) : length;
        const size_t value_size = colon != NULL ? length - name_size - 1 : 0;
        char *line = fuzz_copy(at, length);

        check_line(line, length, &demand);
        free(line);
        headers[count++] = (struct token_verifier_header){
            fuzz_copy(at, name_size), name_size, fuzz_copy(at + length - value_size, value_size),
            value_size};
        at += newline != NULL ? length + 1 : length;
    }
    check_headers(headers, count, mode, &demand);
    for (size_t i = 0; i < count; i++) {
        free((char *)headers[i].name);
        free((char *)headers[i].value);
    }
    return 0;
}
