/*
 * A token as the file records it, and the rules for its fields. The secret itself is not in here:
 * only its digest and its prefix.
 */
#ifndef TOKEN_TOKEN_H
#define TOKEN_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "base/status.h"
#include "base/timefmt.h"

/* Sizes with the final NUL. */
#define TOKEN_ID_SIZE 21     /* "tok_" and 16 base62 characters */
#define TOKEN_PREFIX_SIZE 28 /* a scheme prefix of at most 16 and the next 11 characters */
#define TOKEN_NAME_SIZE 401  /* 100 characters of at most 4 bytes */
#define TOKEN_NOTE_SIZE 2001 /* 500 characters of at most 4 bytes */
#define TOKEN_SCOPE_SIZE 65

/* The random part of an id, its key in a set of ids. */
#define TOKEN_ID_KEY_SIZE 16
#define TOKEN_ID_KEY(id) ((id) + (TOKEN_ID_SIZE - 1 - TOKEN_ID_KEY_SIZE))

#define TOKEN_HASH_LABEL "blake2b-256:" /* before the hex digits, in the file */

#define TOKEN_NAME_LIMIT 100 /* characters */
#define TOKEN_NOTE_LIMIT 500
#define TOKEN_SCOPE_COUNT 64    /* scopes of one token */
#define TOKEN_PREVIOUS_COUNT 64 /* older secrets in their grace */

/* Where something stands in the text that it was read from. */
struct token_place {
    size_t at;
    size_t size; /* 0: nowhere, it is new */
};

/* What stands for one secret string. */
struct token_secret {
    uint8_t digest[DIGEST_SIZE];
    char prefix[TOKEN_PREFIX_SIZE];
    int64_t expires_at;       /* end of an older secret's grace; TIME_NONE for the current one */
    struct token_place place; /* of an older secret, counted from the beginning of its record */
    bool is_cut;              /* its end is sooner than the text there says */
};

struct token {
    char id[TOKEN_ID_SIZE];
    char *name; /* owned */
    char *note; /* owned, or NULL */
    struct token_secret secret;
    int64_t created_at;
    int64_t expires_at; /* TIME_NONE: never */
    int64_t revoked_at; /* TIME_NONE: not revoked */
    char **scopes;      /* owned, each too; none means all */
    size_t scope_count;
    struct token_secret *previous; /* owned */
    size_t previous_count;
};

/* Derived, never stored. */
enum token_status {
    TOKEN_ACTIVE,
    TOKEN_REVOKED,
    TOKEN_EXPIRED
};

/* No strings, no times. */
void token_init(struct token *token);

void token_clear(struct token *token);

enum token_status token_status(const struct token *token, int64_t now);

/* Until when an older secret of the token is good; TIME_NONE when it is so no more. */
int64_t token_previous_end(const struct token *token, const struct token_secret *previous,
                           int64_t now);

/* "active", "revoked", "expired" */
const char *token_status_text(enum token_status status);

/* Whether this is the digest of the token's current secret or of an older one. */
bool token_has_digest(const struct token *token, const uint8_t digest[static DIGEST_SIZE]);

/* Whether it is one of the token's own scopes. */
bool token_has_scope(const struct token *token, const char *scope);

/* Appends a scope, or an older secret, of which there may be as many as the limits above say. */
MUST_CHECK enum status token_add_scope(struct token *token, const char *scope, struct error *error);
MUST_CHECK enum status token_add_previous(struct token *token, const struct token_secret *secret,
                                          struct error *error);

bool token_is_id(const char *text, size_t size);

/* A new random id. */
void token_make_id(char id[static TOKEN_ID_SIZE]);

/* What every stored name keeps to: 1 to 100 characters of UTF-8, none a control character. */
MUST_CHECK enum status token_name_check_stored(const char *name, size_t size, struct error *error);

/* What a new name keeps to as well: no blanks around it, not "-", not like a token or an id. */
MUST_CHECK enum status token_name_check(const char *name, size_t size, struct error *error);

MUST_CHECK enum status token_note_check(const char *note, size_t size, struct error *error);

/* A scope-token of RFC 6749, section 3.3, at most 64 characters, but not "*". */
bool token_is_scope(const char *text, size_t size);

#endif
