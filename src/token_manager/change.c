#include "token_manager/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"

#include "base/banned.h"

/* Applies the change to each; `moot[i]` tells where there was nothing to do. */
static enum status apply_all(const struct change *change, const struct manager *manager,
                             struct store *store, const struct selection *selection, bool *moot,
                             struct error *error)
{
    for (size_t i = 0; i < selection->count; i++) {
        const struct change_target target = {
            selection->selectors[i], selection->records[i], store_tokens(store)};
        const enum status status = change->apply(manager, &target, &moot[i], error);

        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static bool all_moot(const bool *moot, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!moot[i]) {
            return false;
        }
    }
    return true;
}

static void report(const struct change *change, const struct selection *selection,
                   const bool *moot)
{
    for (size_t i = 0; i < selection->count; i++) {
        const struct token *token = &selection->records[i]->token;

        if (moot[i]) {
            (void)fprintf(stderr, "\"%s\" (%s, %s...) %s\n", token->name, token->id,
                          token->secret.prefix, change->moot);
        } else {
            (void)fprintf(stderr, "%s \"%s\" (%s, %s...)\n", change->done, token->name, token->id,
                          token->secret.prefix);
        }
    }
}

/* The tokens as they are now, or were before they were removed. */
static void report_json(const struct manager *manager, const struct selection *selection,
                        const bool *moot)
{
    struct buffer out = {0};

    for (size_t i = 0; i < selection->count; i++) {
        const struct token_record *record = selection->records[i];
        const char *status =
            record->removed ? "deleted"
                            : token_status_text(token_status(&record->token, manager->now));

        buffer_append_text(&out, i == 0 ? "[\n  {" : ",\n  {");
        json_write_member(&out, "id", record->token.id);
        buffer_append_text(&out, ", ");
        json_write_member(&out, "name", record->token.name);
        buffer_append_text(&out, ", ");
        json_write_member(&out, "status", status);
        buffer_appendf(&out, ", \"changed\": %s}", moot[i] ? "false" : "true");
    }
    buffer_append_text(&out, "\n]\n");
    (void)fwrite(out.bytes, 1, out.size, stdout);
    buffer_clear(&out);
}

static enum status change_selected(const struct change *change, struct manager *manager,
                                   struct store *store, const struct selection *selection,
                                   bool *moot, struct error *error)
{
    const size_t active_before = token_set_count_active(store_tokens(store), manager->now);
    bool written = false;
    enum status status = apply_all(change, manager, store, selection, moot, error);

    if (status == STATUS_OK && !all_moot(moot, selection->count)) {
        status = manager_commit(manager, store, change->action, &written, error);
    }
    if (status == STATUS_OK || written) {
        report(change, selection, moot);
        manager_warn_if_last(manager, store, active_before);
    }
    return status;
}

enum status change_run(const struct change *change, struct manager *manager,
                       const struct selectors *selectors, struct error *error)
{
    struct selection selection = {0};
    struct store *store = NULL;
    bool *moot = calloc(selectors->count, sizeof(*moot));
    enum status status = moot != NULL ? manager_begin(manager, false, &store, error)
                                      : error_set(error, STATUS_FAILED, "out of memory");

    if (status == STATUS_OK) {
        status = selection_make(&selection, store_tokens(store), selectors, error);
    }
    if (status == STATUS_OK) {
        status = change_selected(change, manager, store, &selection, moot, error);
    }
    if (status == STATUS_OK && manager->json) {
        report_json(manager, &selection, moot);
    }
    selection_clear(&selection);
    store_abort(store);
    free(moot);
    return status;
}

enum status change_command(const struct change *change, const struct cli_arguments *arguments,
                           struct error *error)
{
    struct selectors selectors = {0};
    struct manager manager;
    enum status status = manager_init(&manager, arguments, error);

    if (status == STATUS_OK) {
        status = selectors_read(&selectors, arguments, error);
    }
    if (status == STATUS_OK) {
        status = change_run(change, &manager, &selectors, error);
    }
    selectors_clear(&selectors);
    manager_clear(&manager);
    return status;
}
