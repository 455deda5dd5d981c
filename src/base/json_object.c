#include "base/json_object.h"

#include <stdint.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"

#include "base/banned.h"

#define FOREIGN_LIMIT 64 /* fields of other people in one object */

/* The fields that one object had so far. */
struct seen {
    uint32_t known; /* one bit for each field of the table */
    struct json_slice foreign[FOREIGN_LIMIT];
    size_t foreign_count;
};

bool json_is_foreign(const char *name)
{
    return strncmp(name, "x_", 2) == 0;
}

static enum status refuse_duplicate(const struct json_slice *key, const char *name,
                                    struct error *error)
{
    struct text_quoted quoted;

    return json_fail(key, error, "the field %s appears twice",
                     text_quote(&quoted, name, strlen(name)));
}

static enum status read_foreign(struct json_cursor *cursor, const struct json_slice *key,
                                struct seen *seen, struct error *error)
{
    char name[JSON_FIELD_NAME_SIZE];
    char other[JSON_FIELD_NAME_SIZE];
    struct json_slice value;
    enum status status = json_key_text(key, name, sizeof(name), error);

    for (size_t i = 0; i < seen->foreign_count && status == STATUS_OK; i++) {
        status = json_key_text(&seen->foreign[i], other, sizeof(other), error);
        if (status == STATUS_OK && strcmp(name, other) == 0) {
            return refuse_duplicate(key, name, error);
        }
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (seen->foreign_count == FOREIGN_LIMIT) {
        return json_fail(key, error, "more than %d fields that begin with x_", FOREIGN_LIMIT);
    }
    seen->foreign[seen->foreign_count++] = *key;
    return json_skip(cursor, &value, error);
}

static enum status refuse_unknown(const struct json_object *object, const struct json_slice *key,
                                  const char *name, struct error *error)
{
    struct text_quoted quoted;

    return json_fail(key, error,
                     "unknown field %s of the %s; it may be a newer version's and change what the "
                     "%s means (fields of your own must begin with x_)",
                     text_quote(&quoted, name, strlen(name)), object->what, object->what);
}

static enum status read_field(struct json_cursor *cursor, const struct json_object *object,
                              struct seen *seen, struct error *error)
{
    struct json_slice key;
    char name[JSON_FIELD_NAME_SIZE];
    enum status status = json_key(cursor, &key, error);

    if (status == STATUS_OK) {
        status = json_key_text(&key, name, sizeof(name), error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 0; i < object->count; i++) {
        const struct json_field *field = &object->fields[i];

        if (strcmp(name, field->name) == 0) {
            if ((seen->known & UINT32_C(1) << i) != 0) {
                return refuse_duplicate(&key, name, error);
            }
            seen->known |= UINT32_C(1) << i;
            return field->read(cursor, field->name, (char *)object->into + field->offset, error);
        }
    }
    if (json_is_foreign(name)) {
        return read_foreign(cursor, &key, seen, error);
    }
    status = refuse_unknown(object, &key, name, error);
    secret_wipe(name, sizeof(name)); /* in the predecessor's file it is a token */
    return status;
}

enum status json_object_read(struct json_cursor *cursor, const struct json_object *object,
                             struct json_slice *slice, struct error *error)
{
    struct seen seen;
    bool more = true;
    enum status status = json_enter(cursor, '{', error);

    if (status != STATUS_OK) {
        return status;
    }
    seen.known = 0;
    seen.foreign_count = 0;
    *slice = (struct json_slice){
        .at = cursor->at - 1, .line = cursor->line, .file = cursor->file, .label = object->what};
    while (status == STATUS_OK) {
        status = json_next(cursor, '}', &more, error);
        if (status != STATUS_OK || !more) {
            break;
        }
        status = read_field(cursor, object, &seen, error);
    }
    slice->size = (size_t)(cursor->at - slice->at);
    for (size_t i = 0; i < object->count && status == STATUS_OK; i++) {
        if (object->fields[i].required && (seen.known & UINT32_C(1) << i) == 0) {
            status = json_fail(slice, error, "the %s has no field \"%s\"", object->what,
                               object->fields[i].name);
        }
    }
    return status;
}
