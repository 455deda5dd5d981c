/*
 * The selectors that a shell may offer, one a line: SELECTOR<TAB>description. A name or a prefix
 * is left out where it would mean another token than the one described, or none, or several; the
 * id is always there. Neither can hold a tab or a line end, so that the first tab ends SELECTOR.
 */
#ifndef TOKEN_MANAGER_SELECTOR_LINES_H
#define TOKEN_MANAGER_SELECTOR_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"
#include "token/token_set.h"

struct selector_lines {
    const struct token_set *tokens; /* borrowed */
    bool *by_name;                  /* which tokens have a name to be offered … */
    bool *by_prefix;                /* … and a prefix */
};

/* Looks at all tokens, also at those that are not to be shown. The caller clears in any case. */
MUST_CHECK enum status selector_lines_init(struct selector_lines *lines,
                                           const struct token_set *tokens, struct error *error);

/* Appends the lines of one token. */
void selector_lines_append(const struct selector_lines *lines, size_t index, int64_t now,
                           struct buffer *out);

void selector_lines_clear(struct selector_lines *lines);

#endif
