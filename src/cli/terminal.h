/*
 * What the place that output goes to can show.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

struct terminal {
    bool marks;  /* ✓ and ✗: a terminal, and a locale that has them */
    bool colour; /* a terminal that is not dumb, and no NO_COLOR (https://no-color.org) */
};

/* Of standard output. */
struct terminal terminal_look(void);

/* Asks on standard error and reads a line from standard input: is it "y" or "yes"? */
bool terminal_confirm(const char *question);

/* Whether a person sits at both ends, so that asking makes sense. */
bool terminal_is_interactive(void);

#endif
