#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "cli/terminal.h"
#include "token_manager/change.h"
#include "token_manager/commands.h"

#include "base/banned.h"

static enum status delete_one(const struct manager *manager, const struct token_set *tokens,
                              struct selected *selected, struct error *error)
{
    const enum status status =
        manager_check_not_in_environment(manager, &selected->record->token, error);

    (void)tokens;
    if (status == STATUS_OK) {
        token_set_remove(selected->record);
    }
    return status;
}

static const struct change change = {
    .action = "delete", .done = "Deleted", .moot = "", .apply = delete_one};

static bool ask(const struct selection *selection)
{
    struct buffer question = {0};
    bool agreed;

    for (size_t i = 0; i < selection->count; i++) {
        const struct token *token = &selection->items[i].record->token;

        buffer_appendf(&question, "  %s  %s...  %s\n", token->id, token->secret.prefix,
                       token->name);
    }
    if (selection->count == 1) {
        buffer_append_text(&question, "Delete this token for good?");
    } else {
        buffer_appendf(&question, "Delete these %zu tokens for good?", selection->count);
    }
    buffer_append(&question, "", 1);
    agreed = !question.failed && terminal_confirm(question.bytes);
    buffer_clear(&question);
    return agreed;
}

/*
 * Shows which tokens are meant and asks, without holding the lock meanwhile. The answer is for those
 * tokens, whatever happens until it comes: so from then on they are meant by their ids.
 */
static enum status confirm(struct manager *manager, struct choice *choice, struct error *error)
{
    struct selection selection = {0};
    struct token_set tokens = {0};
    enum status status = manager_load(manager, &tokens, error);

    if (status == STATUS_NOT_FOUND) {
        return STATUS_OK; /* the transaction will say it */
    }
    if (status == STATUS_OK) {
        status = choice_select(choice, manager, &tokens, &selection, error);
    }
    if (status == STATUS_OK && selection.count == 0) {
        choice->dry_run = true; /* nobody was asked about what may come in between */
    } else if (status == STATUS_OK) {
        status = ask(&selection) ? choice_become(choice, &selection, error)
                                 : error_set(error, STATUS_FAILED, "nothing was deleted");
    }
    selection_clear(&selection);
    token_set_clear(&tokens);
    return status;
}

enum status delete_run(const struct cli_arguments *arguments, struct error *error)
{
    struct choice choice = {.dry_run = false};
    struct manager manager;
    enum status status = manager_init(&manager, arguments, error);

    if (status == STATUS_OK) {
        status = choice_read(&choice, arguments, manager.now, error);
    }
    if (status == STATUS_OK && !choice.dry_run && !cli_has(arguments, "yes") &&
        terminal_is_interactive()) {
        status = confirm(&manager, &choice, error);
    }
    if (status == STATUS_OK) {
        status = change_run(&change, &manager, &choice, error);
    }
    choice_clear(&choice);
    manager_clear(&manager);
    return status;
}
