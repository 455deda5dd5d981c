#include "token_manager/create_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "cli/input.h"
#include "token/token.h"

#include "base/banned.h"

#define INPUT_LIMIT ((size_t)64 * 1024 * 1024)

static enum status add(struct create_names *names, const char *text, size_t line,
                       struct error *error)
{
    if (names->count == names->capacity) {
        struct create_name *items =
            array_grow(names->items, &names->capacity, sizeof(*names->items));

        if (items == NULL) {
            return error_no_memory(error);
        }
        names->items = items;
    }
    names->items[names->count++] = (struct create_name){text, line};
    return STATUS_OK;
}

enum status create_names_take(struct create_names *names, const char *name, struct error *error)
{
    const enum status status = token_name_check(name, strlen(name), error);

    return status == STATUS_OK ? add(names, name, 0, error) : status;
}

/* One line of that size, whose end may be overwritten. */
static enum status add_line(struct create_names *names, char *line, size_t size, size_t number,
                            struct error *error)
{
    const char *text = line;
    struct error reason;

    text_trim(&text, &size);
    if (size == 0) {
        return STATUS_OK;
    }
    if (token_name_check(text, size, &reason) != STATUS_OK) {
        return error_set(error, STATUS_USAGE, "%s:%zu: %s (nothing was made)", names->source,
                         number, reason.text);
    }
    line[(size_t)(text - line) + size] = '\0';
    return add(names, text, number, error);
}

enum status create_names_read(struct create_names *names, const char *path, struct error *error)
{
    enum status status = input_read_from(&names->text, path, INPUT_LIMIT, error);
    char *at;
    char *end;

    names->source = strcmp(path, "-") == 0 ? "standard input" : path;
    if (status == STATUS_OK) {
        buffer_append(&names->text, "\n", 1);
        status = names->text.failed ? error_no_memory(error) : STATUS_OK;
    }
    if (status != STATUS_OK) {
        return status;
    }
    at = names->text.bytes;
    end = at + names->text.size;
    for (size_t number = 1; at < end && status == STATUS_OK; number++) {
        char *newline = memchr(at, '\n', (size_t)(end - at));

        status = add_line(names, at, (size_t)(newline - at), number, error);
        at = newline + 1;
    }
    if (status == STATUS_OK && names->count == 0) {
        status = error_set(error, STATUS_USAGE, "%s names no token", names->source);
    }
    return status;
}

void create_names_clear(struct create_names *names)
{
    buffer_clear(&names->text);
    free(names->items);
    *names = (struct create_names){.count = 0};
}
