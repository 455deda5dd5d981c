#include "store/audit_entry.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "base/timefmt.h"

#include "base/banned.h"

#define FIELD_SIZE 32 /* of a field's name that we know, and more */

static const struct field {
    const char *name;
    size_t offset; /* of the text */
    size_t size;   /* of it; 0: not a text */
} fields[] = {
    {"time", 0, 0},
    {"changed", 0, 0},
    {"action", offsetof(struct audit_entry, action), AUDIT_WORD_SIZE},
    {"id", offsetof(struct audit_entry, id), TOKEN_ID_SIZE},
    {"name", offsetof(struct audit_entry, name), TOKEN_NAME_SIZE},
    {"login", offsetof(struct audit_entry, login), AUDIT_WORD_SIZE},
    {"sudo_user", offsetof(struct audit_entry, sudo_user), AUDIT_WORD_SIZE},
    {"host", offsetof(struct audit_entry, host), AUDIT_WORD_SIZE},
};

/* Whether a text was read. If not for want of memory, that is noted: the line may be a good one. */
static bool is_read(struct audit_entry *entry, enum status status)
{
    entry->no_memory = entry->no_memory || status == STATUS_FAILED;
    return status == STATUS_OK;
}

static const struct field *find_field(struct audit_entry *entry, const struct json_slice *key)
{
    struct error ignored;
    char name[FIELD_SIZE];

    if (!is_read(entry, json_key_text(key, name, sizeof(name), &ignored))) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

static bool take(struct audit_entry *entry, const struct field *field,
                 const struct json_slice *value)
{
    struct error ignored;
    char time[TIME_TEXT_SIZE];

    if (field->size > 0) {
        return is_read(entry,
                       json_string(value, (char *)entry + field->offset, field->size, &ignored));
    }
    if (strcmp(field->name, "time") == 0) {
        return is_read(entry, json_string(value, time, sizeof(time), &ignored)) &&
               time_parse(time, strlen(time), &entry->time);
    }
    entry->changed = *value;
    return value->at[0] == '{';
}

static bool read_fields(struct audit_entry *entry, struct json_cursor *cursor)
{
    struct error ignored;
    struct json_slice key;
    struct json_slice value = {.size = 0};
    bool more = true;

    if (json_enter(cursor, '{', &ignored) != STATUS_OK) {
        return false;
    }
    while (json_next(cursor, '}', &more, &ignored) == STATUS_OK) {
        const struct field *field;

        if (!more) {
            return json_end(cursor, &ignored) == STATUS_OK;
        }
        if (json_key(cursor, &key, &ignored) != STATUS_OK ||
            json_skip(cursor, &value, &ignored) != STATUS_OK) {
            return false;
        }
        field = find_field(entry, &key);
        if (field != NULL && !take(entry, field, &value)) {
            return false;
        }
    }
    return false;
}

bool audit_entry_read(struct audit_entry *entry, const char *line, size_t size)
{
    struct json_cursor cursor;
    struct error ignored;

    *entry = (struct audit_entry){.time = TIME_NONE};
    json_cursor_init(&cursor, "", line, size);
    return text_is_harmless(line, size) && read_fields(entry, &cursor) && !entry->no_memory &&
           entry->time != TIME_NONE && entry->action[0] != '\0' &&
           token_is_id(entry->id, strlen(entry->id)) &&
           token_name_check_stored(entry->name, strlen(entry->name), &ignored) == STATUS_OK &&
           text_is_harmless(entry->action, strlen(entry->action)) &&
           text_is_harmless(entry->login, strlen(entry->login)) &&
           text_is_harmless(entry->sudo_user, strlen(entry->sudo_user)) &&
           text_is_harmless(entry->host, strlen(entry->host));
}
