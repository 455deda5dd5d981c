/*
 * The tokens of one store, in the order they were created, and what can be done to them in memory.
 * No input or output.
 */
#ifndef TOKEN_TOKEN_SET_H
#define TOKEN_TOKEN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "token/token.h"

/* What of a record the text does not tell as `token` does. */
enum token_change {
    TOKEN_CHANGE_NEW = 1, /* all of it */
    TOKEN_CHANGE_REVOKED = 2,
    TOKEN_CHANGE_SECRETS = 4,
    TOKEN_CHANGE_EXPIRY = 8,
};

struct token_record {
    struct token token;
    struct token_place place; /* of the record in the text */
    unsigned changed;         /* a sum of enum token_change; 0: nothing */
    bool removed;             /* to be left out; nobody finds it any more */
};

/* Zero-initialise. */
struct token_set {
    struct token_record *records; /* owned */
    size_t count;                 /* removed ones too */
    size_t capacity;
};

void token_set_clear(struct token_set *set);

/*
 * Appends a token and leaves `*token` empty; `place` is NULL for a new one. Pointers to records do
 * not survive an addition.
 */
MUST_CHECK enum status token_set_add(struct token_set *set, struct token *token,
                                     const struct token_place *place, struct error *error);

/* The same with the set as context, for whoever reads tokens one by one. */
MUST_CHECK enum status token_set_take(void *set, struct token *token,
                                      const struct token_place *place, struct error *error);

/* The token that was added last. */
struct token_record *token_set_last(const struct token_set *set);

/* The unrevoked token of that name, or NULL. */
struct token_record *token_set_find_name(const struct token_set *set, const char *name);

/* The token of that id, or NULL. */
struct token_record *token_set_find_id(const struct token_set *set, const char *id);

/* The token with that current or older secret, or NULL. */
struct token_record *token_set_find_digest(const struct token_set *set,
                                           const uint8_t digest[static DIGEST_SIZE]);

/*
 * What a person means by a selector: an id, a whole token, a name (the unrevoked one of that name,
 * else the only revoked one), or the beginning of a token with or without dots, at least 4
 * characters past the scheme prefix. STATUS_NOT_FOUND, or STATUS_AMBIGUOUS with the candidates in
 * the message, unless it is exactly one. Cost: a pass over all tokens, and a digest.
 */
MUST_CHECK enum status token_set_select(const struct token_set *set, const char *selector,
                                        struct token_record **found, struct error *error);

/* Whether a stored prefix is long enough to be a selector. */
bool token_set_is_beginning(const char *prefix);

/*
 * Whether the text, of `size` bytes, is a selector of the secret with this stored prefix: a beginning of
 * it, as far as the prefix tells.
 */
bool token_set_may_begin(const char *stored, const char *text, size_t size);

/* How many tokens would be accepted at this time. */
size_t token_set_count_active(const struct token_set *set, int64_t now);

void token_set_revoke(struct token_record *record, int64_t now);
void token_set_restore(struct token_record *record);

/* Sets the token's own end, which ends its older secrets as well: they do not come back with a later one. */
void token_set_expire(struct token_record *record, int64_t expires_at);

/*
 * Puts a fresh secret in the place of the current one, which is good until `grace_end`; the ones before
 * it keep their own ends. If that is not after `now`, no earlier secret is left. Those that have ended
 * are forgotten. STATUS_FAILED when too many would be left, or without memory.
 */
MUST_CHECK enum status token_set_rotate(struct token_record *record,
                                        const struct token_secret *fresh, int64_t now,
                                        int64_t grace_end, struct error *error);

void token_set_remove(struct token_record *record);

#endif
