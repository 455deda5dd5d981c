/*
 * A `.env` file: NAME=value lines, as people write them for shells, containers and the dotenv
 * libraries.
 *
 *     # comment                  export NAME=value         NAME = value # comment
 *     NAME='taken literally'     NAME="with \n \" \\ \$"   CRLF line ends, a byte order mark
 *
 * Quoted values may span lines. The last line of a name wins. Nothing is expanded: a value that
 * refers to another variable is refused when it is asked for.
 */
#ifndef BASE_ENV_FILE_H
#define BASE_ENV_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/status.h"

#define ENV_FILE_LIMIT ((size_t)1024 * 1024) /* bytes of a .env file */

struct env_file {
    char *path;                /* as it was given; owned */
    struct buffer text;        /* names and values, each with a final NUL; wiped when cleared */
    struct env_entry *entries; /* owned */
    size_t count;
};

/*
 * Reads a file whole. STATUS_NOT_FOUND when there is none; STATUS_STORE with `path:line: reason`
 * when it cannot be read or a line cannot be understood. `env` is always safe to clear.
 */
MUST_CHECK enum status env_file_load(struct env_file *env, const char *path, struct error *error);

/* The same for text that is in memory; `path` is for messages. */
MUST_CHECK enum status env_file_parse(struct env_file *env, const char *path, const char *text,
                                      size_t size, struct error *error);

/* `*value` is borrowed, or NULL when the file does not set the name. */
MUST_CHECK enum status env_file_get(const struct env_file *env, const char *name,
                                    const char **value, struct error *error);

/* One line of the file. Borrowed. */
struct env_variable {
    const char *name;
    const char *value;
    size_t line;
};

/*
 * The variable of that number, below `count`, in the order of the file. Refuses a value that refers
 * to another variable.
 */
MUST_CHECK enum status env_file_variable(const struct env_file *env, size_t number,
                                         struct env_variable *variable, struct error *error);

/* Whether a name may have this character, as its first or further on. */
bool env_file_is_name_char(char c, bool first);

/* Wipes and frees; for a zeroed `env` too. */
void env_file_clear(struct env_file *env);

#endif
