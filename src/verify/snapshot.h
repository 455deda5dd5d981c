/*
 * One loading of the token file: the tokens it held, or why they could not be had. It never changes,
 * but for the uses that are noted in its index.
 */
#ifndef VERIFY_SNAPSHOT_H
#define VERIFY_SNAPSHOT_H

#include "base/status.h"
#include "store/store.h"
#include "verify/digest_index.h"

struct snapshot {
    struct store_version version;
    enum status status; /* STATUS_NOT_FOUND: there is no file; else not STATUS_OK: see `error` */
    struct error error;
    struct digest_index index; /* empty unless STATUS_OK */
};

/* Loads what stands at the path now. NULL only without memory. */
struct snapshot *snapshot_load(const char *path);

/* NULL is allowed. */
void snapshot_free(struct snapshot *snapshot);

#endif
