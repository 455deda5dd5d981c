/*
 * From a digest to the token it stands for: what a verifier keeps of the file in memory.
 *
 * A hash table with open addressing. Digests are random, so their own first bytes are the hash.
 */
#ifndef VERIFY_DIGEST_INDEX_H
#define VERIFY_DIGEST_INDEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/secret.h"
#include "base/status.h"
#include "token/token.h"

/* A token, as far as a verdict needs it. */
struct index_token {
    char id[TOKEN_ID_SIZE];
    bool revoked;
    uint32_t scope_count;
    size_t name;   /* offsets into the texts; scopes stand there one after the other, each … */
    size_t scopes; /* … with a final NUL */
    int64_t expires_at;
    _Atomic int64_t used;  /* the last accepted check; TIME_NONE if none */
    _Atomic int64_t noted; /* the last of them that was handed over to be recorded */
};

/* One secret: the current or an older one of a token. */
struct index_entry {
    uint8_t digest[DIGEST_SIZE];
    uint32_t token; /* 1 + its number; 0: an empty slot */
    uint32_t grace; /* 1 + the number of the older secret's end; 0: the current secret */
};

/* Zero-initialise. */
struct digest_index {
    struct index_entry *entries; /* owned */
    size_t entry_count;
    size_t slot_count;
    struct index_token *tokens; /* owned */
    size_t token_count;
    size_t token_capacity;
    int64_t *grace_ends; /* owned */
    size_t grace_count;
    struct buffer texts;
    int64_t newest; /* the latest time that a record speaks of as past; valid with tokens */
};

struct index_match {
    struct index_token *token; /* borrowed */
    int64_t secret_expires_at; /* of an older secret; TIME_NONE for the current one */
};

MUST_CHECK enum status digest_index_add(struct digest_index *index, const struct token *token,
                                        struct error *error);

bool digest_index_find(const struct digest_index *index, const uint8_t digest[static DIGEST_SIZE],
                       struct index_match *match);

/* Borrowed from the index. */
const char *digest_index_name(const struct digest_index *index, const struct index_token *token);

/* Whether the token may do this: it has the scope, or has none, which means all. */
bool digest_index_has_scope(const struct digest_index *index, const struct index_token *token,
                            const char *scope);

void digest_index_clear(struct digest_index *index);

#endif
