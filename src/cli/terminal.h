/*
 * The terminal: what it can show, and asking the person at it.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cli/cli.h"

/* Colours that can be read on a dark and on a light background. */
#define TERMINAL_GREEN "\x1b[32m"
#define TERMINAL_RED "\x1b[31m"
#define TERMINAL_BOLD "\x1b[1m"

/* The marks, with a blank behind them. */
#define TERMINAL_CHECK "\xe2\x9c\x93 "
#define TERMINAL_CROSS "\xe2\x9c\x97 "

struct terminal {
    bool marks;  /* ✓ and ✗: a terminal, and a locale that has them */
    bool colour; /* as --color says; if that is auto, a terminal that is not dumb, and no NO_COLOR
                    (https://no-color.org) */
};

/* Of standard output or standard error. --color=always says nothing of marks. */
struct terminal terminal_look(int fd, enum cli_colour wish);

/* What begins and ends a colour there: "" where there is to be none. */
const char *terminal_begin(const struct terminal *terminal, const char *colour);
const char *terminal_end(const struct terminal *terminal);

/* Asks on standard error and reads a line from standard input: is it "y" or "yes"? */
bool terminal_confirm(const char *question);

/* Whether a person sits at both ends, so that asking makes sense. */
bool terminal_is_interactive(void);

/*
 * Asks on standard error and reads a line from the terminal at standard input, which does not show
 * it and shows what is typed again afterwards, come what may. The line's size, or -1 with errno set.
 */
ssize_t terminal_read_unseen(const char *question, char *line, size_t capacity);

#endif
