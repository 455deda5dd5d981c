/*
 * Reading an object by a table of its fields. Whatever the table does not know is refused, but for
 * names that begin with `x_`, which are other people's; so are missing and duplicate fields.
 */
#ifndef BASE_JSON_OBJECT_H
#define BASE_JSON_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "base/status.h"

#define JSON_FIELD_NAME_SIZE 128 /* of a field's name, with the final NUL */

struct json_field {
    const char *name;
    bool required;
    size_t offset; /* of what is read, within what the object is read into */
    /* Passes the value at the cursor and stores it in `field`. `name` is for messages. */
    enum status (*read)(struct json_cursor *cursor, const char *name, void *field,
                        struct error *error);
};

struct json_object {
    const char *what; /* for messages: "token" */
    const struct json_field *fields;
    size_t count; /* at most 32 */
    void *into;
};

/* Passes the object at the cursor. `slice` tells where it stands; it is valid on success only. */
MUST_CHECK enum status json_object_read(struct json_cursor *cursor,
                                        const struct json_object *object, struct json_slice *slice,
                                        struct error *error);

/* Whether a field of this name is other people's. */
bool json_is_foreign(const char *name);

#endif
