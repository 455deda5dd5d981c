/*
 * The terminal: what it can show, and asking the person at it.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

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

/*
 * Asks on standard error and reads a line from the terminal at standard input, which does not show
 * it and shows what is typed again afterwards, come what may. The line's size, or -1 with errno set.
 */
ssize_t terminal_read_unseen(const char *question, char *line, size_t capacity);

#endif
