/*
 * The formats of keys from elsewhere: what other programs keep in plain text, read as a list.
 *
 *     token_manager.py   one JSON object, {"sk-…": {"name": …, "created_at": …, "last_used": …,
 *                        "active": …}, …}, times without a zone: this process's
 *     list               a key a line; blank lines and # comments do not count
 *     env                NAME=key lines, as a .env file has them
 */
#ifndef TOKEN_MANAGER_FOREIGN_FORMAT_H
#define TOKEN_MANAGER_FOREIGN_FORMAT_H

#include "base/status.h"
#include "token_manager/foreign_keys.h"

/* The format of that name, or FOREIGN_BY_LOOKING for NULL. STATUS_USAGE names those there are. */
MUST_CHECK enum status foreign_format_read(const char *name, enum foreign_format *format,
                                           struct error *error);

/*
 * Reads all keys. STATUS_FAILED with `name:line: reason` when something cannot be understood, or a
 * key can never be one: over 512 characters, or with others than visible ASCII. The caller clears
 * `keys` in any case.
 */
MUST_CHECK enum status foreign_format_read_keys(struct foreign_keys *keys,
                                                const struct foreign_source *given,
                                                struct error *error);

#endif
