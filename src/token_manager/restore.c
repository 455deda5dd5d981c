#include <string.h>

#include "token_manager/change.h"
#include "token_manager/commands.h"

#include "base/banned.h"

/* A revoked token of the same name: perhaps the one that was meant. */
static const struct token *find_revoked_namesake(const struct token_set *tokens,
                                                 const struct token *token)
{
    for (size_t i = 0; i < tokens->count; i++) {
        const struct token *other = &tokens->records[i].token;

        if (other != token && other->revoked_at != TIME_NONE &&
            strcmp(other->name, token->name) == 0) {
            return other;
        }
    }
    return NULL;
}

static enum status refuse(const struct token *revoked, const struct token *holder,
                          struct error *error)
{
    return error_set(error, STATUS_NAME_TAKEN,
                     "%s cannot be restored: its name \"%s\" now belongs to %s; revoke or delete "
                     "that one first",
                     revoked->id, revoked->name, holder->id);
}

static enum status restore_one(const struct manager *manager, const struct token_set *tokens,
                               struct selected *selected, struct error *error)
{
    const struct token *token = &selected->record->token;
    const struct token *namesake = find_revoked_namesake(tokens, token);
    const struct token_record *holder = token_set_find_name(tokens, token->name);

    (void)manager;
    selected->moot = token->revoked_at == TIME_NONE;
    /* A name means the unrevoked token, but who restores by name means the other one. */
    if (selected->moot && namesake != NULL && strcmp(selected->selector, token->name) == 0) {
        return refuse(namesake, token, error);
    }
    if (!selected->moot && holder != NULL) {
        return refuse(token, &holder->token, error);
    }
    if (!selected->moot) {
        token_set_restore(selected->record);
    }
    return STATUS_OK;
}

enum status restore_run(const struct cli_arguments *arguments, struct error *error)
{
    static const struct change change = {
        .action = "restore", .done = "Restored", .moot = "is not revoked", .apply = restore_one};

    return change_command(&change, arguments, error);
}
