#include "token_manager/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_write.h"
#include "cli/output.h"

#include "base/banned.h"

/* For people, on standard error. */
static void report(const struct change *change, const struct selection *selection, bool dry_run)
{
    for (size_t i = 0; i < selection->count; i++) {
        const struct selected *item = &selection->items[i];
        const struct token *token = &item->record->token;

        if (item->moot) {
            output_say("\"%s\" (%s, %s...) %s\n", token->name, token->id, token->secret.prefix,
                       change->moot);
        } else {
            output_say("%s%s \"%s\" (%s, %s...)\n", dry_run ? "Would " : "",
                       dry_run ? change->action : change->done, token->name, token->id,
                       token->secret.prefix);
        }
    }
    if (selection->count == 0) {
        output_say("No token is that old: nothing was changed.\n");
    }
}

/* The tokens as they are now, or were before they were removed. */
static enum status report_json(const struct manager *manager, const struct selection *selection,
                               bool dry_run, struct error *error)
{
    struct buffer out = {0};

    for (size_t i = 0; i < selection->count; i++) {
        const struct selected *item = &selection->items[i];
        const struct token *token = &item->record->token;

        buffer_append_text(&out, i == 0 ? "[\n  {" : ",\n  {");
        json_write_text(&out, "id", token->id);
        json_write_text(&out, "name", token->name);
        json_write_text(&out, "status",
                        item->record->removed
                            ? "deleted"
                            : token_status_text(token_status(token, manager->now)));
        json_write_flag(&out, "changed", !item->moot);
        if (dry_run) {
            json_write_flag(&out, "dry_run", true);
        }
        buffer_append_text(&out, "}");
    }
    buffer_append_text(&out, selection->count == 0 ? "[]\n" : "\n]\n");
    return output_print(&out, error);
}

/* Changes the tokens in memory; `*any` tells whether there was anything to do. */
static enum status apply_all(const struct change *change, const struct manager *manager,
                             const struct token_set *tokens, struct selection *selection, bool *any,
                             struct error *error)
{
    *any = false;
    for (size_t i = 0; i < selection->count; i++) {
        const enum status status = change->apply(manager, tokens, &selection->items[i], error);

        if (status != STATUS_OK) {
            return status;
        }
        *any = *any || !selection->items[i].moot;
    }
    return STATUS_OK;
}

static enum status change_selected(const struct change *change, struct manager *manager,
                                   struct store *store, struct selection *selection, bool dry_run,
                                   struct error *error)
{
    const struct token_set *tokens = store_tokens(store);
    const size_t active_before = token_set_count_active(tokens, manager->now);
    struct error ignored;
    bool any;
    bool written = false;
    enum status status = apply_all(change, manager, tokens, selection, &any, error);

    if (status == STATUS_OK && any && !dry_run) {
        status = manager_commit(manager, store, change->action, &written, error);
    }
    if (status == STATUS_OK || written) {
        report(change, selection, dry_run);
        manager_warn_if_last(manager, store, dry_run ? 0 : active_before);
    }
    if ((status == STATUS_OK || written) && manager->json) {
        const enum status printed =
            report_json(manager, selection, dry_run, status == STATUS_OK ? error : &ignored);

        if (status == STATUS_OK) {
            status = written ? output_of_change(printed, error) : printed;
        }
    }
    return status;
}

enum status change_run(const struct change *change, struct manager *manager,
                       const struct choice *choice, struct error *error)
{
    struct selection selection = {0};
    struct store *store = NULL;
    enum status status = manager_begin(manager, false, &store, error);

    if (status == STATUS_OK) {
        status = choice_select(choice, manager, store_tokens(store), &selection, error);
    }
    if (status == STATUS_OK) {
        status = change_selected(change, manager, store, &selection, choice->dry_run, error);
    }
    selection_clear(&selection);
    store_abort(store);
    return status;
}

enum status change_command(const struct change *change, const struct cli_arguments *arguments,
                           struct error *error)
{
    struct choice choice = {.dry_run = false};
    struct manager manager;
    enum status status = manager_init(&manager, arguments, error);

    if (status == STATUS_OK) {
        status = choice_read(&choice, arguments, manager.now, error);
    }
    if (status == STATUS_OK) {
        status = change_run(change, &manager, &choice, error);
    }
    choice_clear(&choice);
    manager_clear(&manager);
    return status;
}
