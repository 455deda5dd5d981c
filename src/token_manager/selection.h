/*
 * The tokens that a command line means: each selector exactly one, or the command does nothing.
 */
#ifndef TOKEN_MANAGER_SELECTION_H
#define TOKEN_MANAGER_SELECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "cli/cli.h"
#include "token/token_set.h"

/* What was typed, "-" replaced by the lines of standard input. */
struct selectors {
    char **texts; /* owned and wiped: they may be whole tokens */
    size_t count;
    size_t capacity;
};

MUST_CHECK enum status selectors_read(struct selectors *selectors,
                                      const struct cli_arguments *arguments, struct error *error);
void selectors_clear(struct selectors *selectors);

/* The records that selectors stand for, each once, in the order they were named. */
struct selected {
    struct token_record *record; /* the set's */
    const char *selector;        /* what it was named by; borrowed */
    bool moot;                   /* for the command: there is nothing to do */
};

struct selection {
    struct selected *items; /* owned */
    size_t count;
};

MUST_CHECK enum status selection_make(struct selection *selection, const struct token_set *tokens,
                                      const struct selectors *selectors, struct error *error);
void selection_clear(struct selection *selection);

/* Puts the ids of what was selected in the place of what was typed. */
MUST_CHECK enum status selectors_become_ids(struct selectors *selectors,
                                            const struct selection *selection, struct error *error);

#endif
