/*
 * Keys from elsewhere on their way to being tokens, in memory: each secret once, each name once, and
 * notes of what was changed.
 */
#ifndef TOKEN_MANAGER_IMPORT_BATCH_H
#define TOKEN_MANAGER_IMPORT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/key_set.h"
#include "base/status.h"
#include "store/usage.h"
#include "token/token_set.h"
#include "token_manager/foreign_keys.h"
#include "token_manager/import_names.h"

/* The first four are the caller's to fill in; the rest begins as IMPORT_BATCH_INIT. */
struct import_batch {
    struct token_set *tokens; /* of the store, where the keys go */
    const char *source;       /* for messages */
    int64_t now;
    bool allow_weak;
    struct key_set digests; /* of the secrets that are there */
    size_t *owners;         /* by the digests' numbers: the record of each */
    size_t owner_capacity;
    struct import_names names;
    struct usage_entry *uses; /* when the keys were last used */
    size_t use_count;
    size_t first; /* the number of the first imported record */
    size_t skipped;
    struct buffer notes; /* what people should know once it is done, a line each */
};

#define IMPORT_BATCH_INIT                                                \
    {                                                                    \
        .digests = {.key_size = DIGEST_SIZE}, .names = IMPORT_NAMES_INIT \
    }

/* Adds all keys to the tokens; to be called once. On failure the tokens are to be thrown away. */
MUST_CHECK enum status import_batch_add(struct import_batch *batch, const struct foreign_keys *keys,
                                        struct error *error);

void import_batch_clear(struct import_batch *batch);

#endif
