/*
 * The store: one flat file of tokens, changed in transactions and read without a lock.
 *
 * A change goes
 *
 *     store_begin     waits for the lock, follows links, reads and checks the file
 *     token_set_*     changes what store_tokens() hands out, in memory
 *     store_commit    writes the next version beside the file, syncs it, makes sure that nobody has
 *                     touched the file meanwhile, writes the audit lines and syncs them, renames the
 *                     next version over the file, syncs the folder, unlocks
 *     store_abort     ends the transaction in any case, at whatever point it is
 *
 * Until the rename nothing has changed; whatever fails before it leaves the file as it was. Several
 * changes in one transaction are made all or none. A secret may be shown only after store_commit.
 *
 * A reader goes
 *
 *     store_load      opens the file, reads and checks it, and keeps the descriptor
 *     store_changed   one stat: is what was loaded still what the path leads to?
 *
 * The open descriptor keeps the version's inode number from being used again for a newer one, which
 * could then look like no change.
 *
 * These five calls are all that commands and readers know of where tokens are kept.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/status.h"
#include "store/audit.h"
#include "token/token_json.h"
#include "token/token_set.h"

#define STORE_SIZE_LIMIT ((size_t)1024 * 1024 * 1024) /* bytes of a token file */

struct store; /* a transaction */

/*
 * Opens a transaction on the file at `path`. With `may_create`, a file that is not there is an empty
 * one, and made by the commit; otherwise that is STATUS_STORE. Waits for other writers at most
 * `lock_wait_ms`. `*out` is the caller's, to be given to store_abort; NULL on failure.
 */
struct store_options {
    const char *path;
    unsigned lock_wait_ms;
    bool may_create;
    struct buffer *foreign; /* not NULL: takes the text of a file in the predecessor's format, and
                               the transaction starts as if there were none; of any other file
                               STATUS_STORE */
};
MUST_CHECK enum status store_begin(struct store **out, const struct store_options *options,
                                   struct error *error);

/* The tokens, to be changed. Valid until store_abort. */
struct token_set *store_tokens(struct store *store);

/* The absolute path of the file, links followed. Valid until store_abort. */
const char *store_path(const struct store *store);

/* Whether the file does not exist yet. */
bool store_is_new(const struct store *store);

/*
 * Makes the changes, and an audit line for each token that was changed or removed. On failure the
 * old version stands, unless `*written`: then the new one does, but may not survive a power cut.
 */
MUST_CHECK enum status store_commit(struct store *store, const struct audit_event *event,
                                    bool *written, struct error *error);

/* Drops what was not committed, unlocks, frees. NULL is allowed. */
void store_abort(struct store *store);

/* Which version of the file a reader has loaded. */
struct store_version {
    enum {
        STORE_VERSION_NONE,
        STORE_VERSION_MISSING,
        STORE_VERSION_FILE
    } kind;
    int fd; /* held open for STORE_VERSION_FILE */
    struct stat seen;
};

/*
 * Reads the file without a lock and hands its tokens to the sink. STATUS_NOT_FOUND when its folder
 * has no entry of that name; STATUS_STORE with the reason when it cannot be read or understood. In
 * each case `*version`, which may hold an earlier one, is what store_changed compares with, and is
 * given to store_version_clear in the end.
 */
MUST_CHECK enum status store_load(const char *path, const struct token_json_sink *sink,
                                  struct store_version *version, struct error *error);

/* Whether loading again could give another result. Cost: one stat. */
bool store_changed(const char *path, const struct store_version *version);

void store_version_clear(struct store_version *version);

#endif
