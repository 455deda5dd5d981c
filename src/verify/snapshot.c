#include "verify/snapshot.h"

#include <stdlib.h>

#include "base/banned.h"

static enum status take_token(void *context, struct token *token, const struct token_place *place,
                              struct error *error)
{
    (void)place;
    return digest_index_add(context, token, error);
}

struct snapshot *snapshot_load(const char *path)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

    if (snapshot != NULL) {
        const struct token_json_sink sink = {take_token, &snapshot->index};

        snapshot->status = store_load(path, &sink, &snapshot->version, &snapshot->error);
        if (snapshot->status != STATUS_OK) {
            digest_index_clear(&snapshot->index); /* half a file is no file */
        }
    }
    return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot != NULL) {
        store_version_clear(&snapshot->version);
        digest_index_clear(&snapshot->index);
        free(snapshot);
    }
}
