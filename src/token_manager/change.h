/*
 * A change of tokens that a person selected: the frame that revoke, restore and delete share.
 */
#ifndef TOKEN_MANAGER_CHANGE_H
#define TOKEN_MANAGER_CHANGE_H

#include "base/status.h"
#include "cli/cli.h"
#include "token_manager/choice.h"
#include "token_manager/manager.h"
#include "token_manager/selection.h"

struct change {
    const char *action; /* for the audit trail: "revoke" */
    const char *done;   /* for people: "Revoked" */
    const char *moot;   /* for people, when there was nothing to do: "was revoked already" */

    /*
     * Changes the record of one selected token, or marks it moot because it is that way already. A
     * failure undoes the whole command.
     */
    enum status (*apply)(const struct manager *manager, const struct token_set *tokens,
                         struct selected *selected, struct error *error);
};

/* Selects, changes and reports; all or nothing. */
MUST_CHECK enum status change_run(const struct change *change, struct manager *manager,
                                  const struct choice *choice, struct error *error);

/* The same as a whole command, from its arguments on. */
MUST_CHECK enum status change_command(const struct change *change,
                                      const struct cli_arguments *arguments, struct error *error);

#endif
