/*
 * The names of tokens that are to be made together.
 */
#ifndef TOKEN_MANAGER_CREATE_NAMES_H
#define TOKEN_MANAGER_CREATE_NAMES_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/status.h"

/* Zero-initialise. */
struct create_names {
    const char
        *source; /* for messages: a file or "standard input"; NULL for one name as argument */
    struct buffer text; /* what they were read from; each name with a final NUL */
    struct create_name {
        const char *text; /* borrowed from there, or from the caller */
        size_t line;
    } * items;
    size_t count;
    size_t capacity;
};

/* The name of an argument, borrowed. */
MUST_CHECK enum status create_names_take(struct create_names *names, const char *name,
                                         struct error *error);

/*
 * The lines of a file, or with "-" of standard input: a name each, blanks around it and blank lines
 * ignored. STATUS_USAGE with file and line for one that can be no name.
 */
MUST_CHECK enum status create_names_read(struct create_names *names, const char *path,
                                         struct error *error);

void create_names_clear(struct create_names *names);

#endif
