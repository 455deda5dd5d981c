#include "token_manager/change.h"
#include "token_manager/commands.h"

#include "base/banned.h"

static enum status revoke_one(const struct manager *manager, const struct token_set *tokens,
                              struct selected *selected, struct error *error)
{
    (void)tokens;
    (void)error;
    selected->moot = selected->record->token.revoked_at != TIME_NONE;
    if (!selected->moot) {
        token_set_revoke(selected->record, manager->now);
    }
    return STATUS_OK;
}

enum status revoke_run(const struct cli_arguments *arguments, struct error *error)
{
    static const struct change change = {
        .action = "revoke", .done = "Revoked", .moot = "was revoked already", .apply = revoke_one};

    return change_command(&change, arguments, error);
}
