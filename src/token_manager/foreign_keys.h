/*
 * Keys from elsewhere: what other programs keep in plain text, read as a list.
 *
 *     token_manager.py   one JSON object, {"sk-…": {"name": …, "created_at": …, "last_used": …,
 *                        "active": …}, …}, times without a zone: this process's
 *     list               a key a line; blank lines and # comments do not count
 *     env                NAME=key lines, as a .env file has them
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

/* The format of that name, or FOREIGN_BY_LOOKING for NULL. STATUS_USAGE names those there are. */
MUST_CHECK enum status foreign_format_read(const char *name, enum foreign_format *format,
                                           struct error *error);

/*
 * Reads all keys. STATUS_FAILED with `name:line: reason` when something cannot be understood, or a
 * key can never be one: over 512 characters, or with others than visible ASCII. The caller clears
 * `keys` in any case.
 */
MUST_CHECK enum status foreign_keys_read(struct foreign_keys *keys,
                                         const struct foreign_source *given, struct error *error);

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
