/*
 * Keys from elsewhere: the list that the readers of one format or another fill.
 */
#ifndef TOKEN_MANAGER_FOREIGN_KEYS_H
#define TOKEN_MANAGER_FOREIGN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum foreign_format {
    FOREIGN_BY_LOOKING,
    FOREIGN_PREDECESSOR,
    FOREIGN_LIST,
    FOREIGN_ENV
};

/* A key as it was found. */
struct foreign_key {
    char *text;    /* the secret; owned and wiped */
    char *name;    /* owned; "" where there is none that can be kept */
    bool is_named; /* by its owner: else we chose the name */
    size_t line;
    bool active;
    int64_t created_at; /* TIME_NONE where unknown */
    int64_t last_used;
};

/* Zero-initialise. */
struct foreign_keys {
    struct foreign_key *items; /* owned */
    size_t count;
    size_t capacity;
};

/* Where keys are read from. */
struct foreign_source {
    const char *name; /* for messages: a path, or "standard input" */
    const char *text;
    size_t size;
    enum foreign_format format;
};

/* A stretch of text; borrowed. */
struct foreign_text {
    const char *at;
    size_t size;
};

/* For readers of one format: appends a key of this text, with a copy of the name (NULL: none). Text
 * that can be no key is refused, with the key's line. */
MUST_CHECK enum status foreign_keys_add(struct foreign_keys *keys,
                                        const struct foreign_source *source,
                                        const struct foreign_key *key,
                                        const struct foreign_text *text, struct error *error);

/* STATUS_FAILED with `name:line: reason`. */
enum status foreign_fail(const struct foreign_source *source, size_t line, const char *reason,
                         struct error *error);

/* Wipes and frees a text that may be a secret. NULL is allowed. */
void foreign_text_free(char *text);

/* Wipes the secrets. */
void foreign_keys_clear(struct foreign_keys *keys);

#endif
