/*
 * Tokens meant by their age and use, and not by name.
 */
#ifndef TOKEN_MANAGER_CRITERIA_H
#define TOKEN_MANAGER_CRITERIA_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"
#include "store/usage.h"
#include "token/token.h"

/* All that are given must be met. TIME_NONE for one that is not. Of revoked tokens use is not asked. */
struct criteria {
    int64_t now;
    bool is_any;            /* at least one is given */
    bool unused;            /* never used since it was created */
    int64_t unused_since;   /* there by then, and not used since */
    int64_t revoked_before; /* by then */
    int64_t expiring_until; /* active, but not beyond then */
};

/*
 * --unused, --unused-for, --revoked-for, --expiring-within, whichever of them the command has.
 * STATUS_USAGE names what cannot be understood.
 */
MUST_CHECK enum status criteria_read(struct criteria *criteria,
                                     const struct cli_arguments *arguments, int64_t now,
                                     struct error *error);

/*
 * Whether the usage file, whose path is for the message, can tell what the criteria ask for. An
 * unrecorded use must not look like none: STATUS_FAILED unless uses were recorded all the time that
 * is asked for, as far as the file's `since` line proves it.
 */
MUST_CHECK enum status criteria_check_usage(const struct criteria *criteria,
                                            const struct usage *usage, const char *path,
                                            struct error *error);

/* Whether the usage file is needed. */
bool criteria_ask_for_use(const struct criteria *criteria);

bool criteria_are_met(const struct criteria *criteria, const struct usage *usage,
                      const struct token *token);

/* Whether --unused asks of a token that is older than the record of uses, and had none since. */
bool criteria_cannot_tell(const struct criteria *criteria, const struct usage *usage,
                          const struct token *token);

#endif
