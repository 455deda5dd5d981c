#include "token/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "token/token_text.h"

#include "base/banned.h"

#define ID_START "tok_"
#define ID_START_SIZE (sizeof(ID_START) - 1)

void token_init(struct token *token)
{
    *token = (struct token){
        .secret = {.expires_at = TIME_NONE},
        .expires_at = TIME_NONE,
        .revoked_at = TIME_NONE,
    };
}

void token_clear(struct token *token)
{
    if (token == NULL) {
        return;
    }
    for (size_t i = 0; i < token->scope_count; i++) {
        free(token->scopes[i]);
    }
    free(token->scopes);
    free(token->previous);
    free(token->name);
    free(token->note);
    token_init(token);
}

enum token_status token_status(const struct token *token, int64_t now)
{
    if (token->revoked_at != TIME_NONE) {
        return TOKEN_REVOKED;
    }
    return token->expires_at != TIME_NONE && token->expires_at <= now ? TOKEN_EXPIRED
                                                                      : TOKEN_ACTIVE;
}

int64_t token_previous_end(const struct token *token, const struct token_secret *previous,
                           int64_t now)
{
    int64_t end = previous->expires_at;

    if (token->expires_at != TIME_NONE && token->expires_at < end) {
        end = token->expires_at;
    }
    return token->revoked_at == TIME_NONE && end > now ? end : TIME_NONE;
}

const char *token_status_text(enum token_status status)
{
    static const char *const texts[] = {
        [TOKEN_ACTIVE] = "active", [TOKEN_REVOKED] = "revoked", [TOKEN_EXPIRED] = "expired"};

    return texts[status];
}

bool token_has_scope(const struct token *token, const char *scope)
{
    for (size_t i = 0; i < token->scope_count; i++) {
        if (strcmp(token->scopes[i], scope) == 0) {
            return true;
        }
    }
    return false;
}

enum status token_add_scope(struct token *token, const char *scope, struct error *error)
{
    char **scopes;

    if (token->scope_count == TOKEN_SCOPE_COUNT) {
        return error_set(error, STATUS_USAGE, "more than %d scopes", TOKEN_SCOPE_COUNT);
    }
    scopes = realloc(token->scopes, (token->scope_count + 1) * sizeof(*scopes));
    if (scopes == NULL) {
        return error_no_memory(error);
    }
    token->scopes = scopes;
    scopes[token->scope_count] = strdup(scope);
    if (scopes[token->scope_count] == NULL) {
        return error_no_memory(error);
    }
    token->scope_count++;
    return STATUS_OK;
}

enum status token_add_previous(struct token *token, const struct token_secret *secret,
                               struct error *error)
{
    struct token_secret *previous;

    if (token->previous_count == TOKEN_PREVIOUS_COUNT) {
        return error_set(error, STATUS_FAILED, "more than %d previous secrets",
                         TOKEN_PREVIOUS_COUNT);
    }
    previous = realloc(token->previous, (token->previous_count + 1) * sizeof(*previous));
    if (previous == NULL) {
        return error_no_memory(error);
    }
    token->previous = previous;
    previous[token->previous_count++] = *secret;
    return STATUS_OK;
}

bool token_has_digest(const struct token *token, const uint8_t digest[static DIGEST_SIZE])
{
    bool found = secret_equal(token->secret.digest, digest);

    for (size_t i = 0; i < token->previous_count && !found; i++) {
        found = secret_equal(token->previous[i].digest, digest);
    }
    return found;
}

bool token_is_id(const char *text, size_t size)
{
    return size == TOKEN_ID_SIZE - 1 && memcmp(text, ID_START, ID_START_SIZE) == 0 &&
           token_text_is_base62(text + ID_START_SIZE, size - ID_START_SIZE);
}

void token_make_id(char id[static TOKEN_ID_SIZE])
{
    memcpy(id, ID_START, ID_START_SIZE);
    token_text_random(id + ID_START_SIZE, TOKEN_ID_SIZE - 1 - ID_START_SIZE);
    id[TOKEN_ID_SIZE - 1] = '\0';
}

/* At most `limit` characters of UTF-8 without control characters. */
static enum status check_text(const char *what, const char *text, size_t size, size_t limit,
                              struct error *error)
{
    size_t characters = 0;

    for (size_t i = 0; i < size; characters++) {
        uint32_t point;
        const size_t length = text_utf8_next(text + i, size - i, &point);

        if (length == 0) {
            return error_set(error, STATUS_USAGE, "the %s is not valid UTF-8", what);
        }
        if (text_is_control(point)) {
            return error_set(error, STATUS_USAGE,
                             "the %s contains a control character or an invisible one (U+%04X)",
                             what, (unsigned)point);
        }
        i += length;
    }
    if (characters > limit) {
        return error_set(error, STATUS_USAGE, "the %s has %zu characters; at most %zu are allowed",
                         what, characters, limit);
    }
    return STATUS_OK;
}

enum status token_name_check_stored(const char *name, size_t size, struct error *error)
{
    if (size == 0) {
        return error_set(error, STATUS_USAGE, "the name is empty");
    }
    return check_text("name", name, size, TOKEN_NAME_LIMIT, error);
}

/* Whether the first or the last character is a blank; the text is valid UTF-8. */
static bool has_outer_blank(const char *text, size_t size)
{
    uint32_t first = 0;
    uint32_t last = 0;

    (void)text_utf8_next(text, size, &first);
    for (size_t i = 0; i < size;) {
        i += text_utf8_next(text + i, size - i, &last);
    }
    return text_is_blank(first) || text_is_blank(last);
}

enum status token_name_check(const char *name, size_t size, struct error *error)
{
    const enum status status = token_name_check_stored(name, size, error);

    if (status != STATUS_OK) {
        return status;
    }
    if (has_outer_blank(name, size)) {
        return error_set(error, STATUS_USAGE, "the name begins or ends with a blank; leave it out");
    }
    if (size == 1 && name[0] == '-') {
        return error_set(error, STATUS_USAGE, "the name - means standard input; choose another");
    }
    if (token_is_id(name, size)) {
        return error_set(error, STATUS_USAGE,
                         "the name is shaped like the id of a token; choose another");
    }
    if (token_text_looks_like_one(name, size)) {
        return error_set(error, STATUS_USAGE,
                         "the name is shaped like a token; name what will use it, such as my-app");
    }
    return STATUS_OK;
}

enum status token_note_check(const char *note, size_t size, struct error *error)
{
    return check_text("note", note, size, TOKEN_NOTE_LIMIT, error);
}

bool token_is_scope(const char *text, size_t size)
{
    if (size == 0 || size >= TOKEN_SCOPE_SIZE || (size == 1 && text[0] == '*')) {
        return false;
    }
    return text_is_visible_ascii(text, size) && memchr(text, '"', size) == NULL &&
           memchr(text, '\\', size) == NULL;
}
