/*
 * The file of the Python token_manager.py, as keys from elsewhere.
 */
#ifndef TOKEN_MANAGER_FOREIGN_PREDECESSOR_H
#define TOKEN_MANAGER_FOREIGN_PREDECESSOR_H

#include "base/status.h"
#include "token_manager/foreign_keys.h"

/* As foreign_format_read_keys. Times are this process's local ones; only `true` is active. */
MUST_CHECK enum status foreign_predecessor_read(struct foreign_keys *keys,
                                                const struct foreign_source *source,
                                                struct error *error);

#endif
