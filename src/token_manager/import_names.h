/*
 * Names for keys from elsewhere: mended until our rules allow them, numbered until nobody has them.
 */
#ifndef TOKEN_MANAGER_IMPORT_NAMES_H
#define TOKEN_MANAGER_IMPORT_NAMES_H

#include <stddef.h>

#include "base/key_set.h"
#include "base/status.h"
#include "token/token.h"

/* The names that are taken; begins as IMPORT_NAMES_INIT. */
struct import_names {
    struct key_set taken; /* their digests */
    size_t *next; /* by the digests' numbers: which number to try for the next of that name */
    size_t capacity;
};

#define IMPORT_NAMES_INIT                   \
    {                                       \
        .taken = {.key_size = DIGEST_SIZE } \
    }

/* Notes a name that is taken. */
MUST_CHECK enum status import_names_take(struct import_names *names, const char *name,
                                         struct error *error);

/*
 * Chooses a name and takes it: `wanted` without what no name may have, "imported-POSITION" where
 * nothing is left of it, with " (2)", " (3)", … behind it where somebody has it.
 */
MUST_CHECK enum status import_names_choose(struct import_names *names, const char *wanted,
                                           size_t position, char name[static TOKEN_NAME_SIZE],
                                           struct error *error);

void import_names_clear(struct import_names *names);

#endif
