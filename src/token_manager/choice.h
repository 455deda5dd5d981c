/*
 * Which tokens a command is to change: those that were named, or those that meet criteria.
 */
#ifndef TOKEN_MANAGER_CHOICE_H
#define TOKEN_MANAGER_CHOICE_H

#include "token_manager/criteria.h"
#include "token_manager/manager.h"
#include "token_manager/selection.h"

struct choice {
    struct selectors selectors;
    struct criteria criteria; /* instead, if any is given */
    bool dry_run;             /* only say what would be done */
};

/* Operands, criteria, and --dry-run. The caller clears it in any case. */
MUST_CHECK enum status choice_read(struct choice *choice, const struct cli_arguments *arguments,
                                   int64_t now, struct error *error);
void choice_clear(struct choice *choice);

/* The records that are meant: none at all is an answer only to criteria. */
MUST_CHECK enum status choice_select(const struct choice *choice, const struct manager *manager,
                                     const struct token_set *tokens, struct selection *selection,
                                     struct error *error);

/* From now on only these very tokens are meant, as long as they still meet the criteria, if any. */
MUST_CHECK enum status choice_become(struct choice *choice, const struct selection *selection,
                                     struct error *error);

#endif
