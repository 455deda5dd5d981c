#include "token_manager/foreign_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/env_file.h"
#include "base/json.h"
#include "base/json_object.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "token/token_text.h"

#include "base/banned.h"

#define SECONDS_LENGTH 19 /* of 2025-11-26T10:30:00 */
#define NAME_SIZE 32      /* of "imported-1" */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum status fail_at(const struct foreign_source *source, size_t line, const char *reason,
                           struct error *error)
{
    return error_set(error, STATUS_FAILED, "%s:%zu: %s", source->name, line, reason);
}

/* Appends a key with copies of its text and name. */
static enum status add(struct foreign_keys *keys, const struct foreign_key *key, size_t size,
                       struct error *error)
{
    struct foreign_key *added;

    if (keys->count == keys->capacity) {
        struct foreign_key *items = array_grow(keys->items, &keys->capacity, sizeof(*items));

        if (items == NULL) {
            return error_no_memory(error);
        }
        keys->items = items;
    }
    added = &keys->items[keys->count++];
    *added = *key;
    added->text = strndup(key->text, size);
    added->name = strdup(key->name);
    return added->text != NULL && added->name != NULL ? STATUS_OK : error_no_memory(error);
}

static enum status check_key(const struct foreign_source *source, const char *text, size_t size,
                             size_t line, struct error *error)
{
    if (size == 0) {
        return fail_at(source, line, "there is no key", error);
    }
    if (size > CREDENTIAL_LIMIT) {
        return fail_at(source, line, "the key is longer than 512 characters", error);
    }
    if (!text_is_visible_ascii(text, size)) {
        return fail_at(source, line,
                       "the key contains blanks or others than visible ASCII characters", error);
    }
    return STATUS_OK;
}

static enum status add_checked(struct foreign_keys *keys, const struct foreign_source *source,
                               const struct foreign_key *key, struct error *error)
{
    const size_t size = strlen(key->text);
    const enum status status = check_key(source, key->text, size, key->line, error);

    return status == STATUS_OK ? add(keys, key, size, error) : status;
}

/* The next line, trimmed; false at the end. `*at` is moved past it. */
static bool next_line(const char **at, const char *end, const char **line, size_t *size)
{
    const char *newline;

    if (*at == end) {
        return false;
    }
    newline = memchr(*at, '\n', (size_t)(end - *at));
    *line = *at;
    *size = (size_t)((newline != NULL ? newline : end) - *at);
    *at = newline != NULL ? newline + 1 : end;
    text_trim(line, size);
    return true;
}

static bool is_content(const char *line, size_t size)
{
    return size > 0 && line[0] != '#';
}

static enum status read_list(struct foreign_keys *keys, const struct foreign_source *source,
                             struct error *error)
{
    const char *at = source->text;
    const char *end = at + source->size;
    const char *line;
    size_t size;
    enum status status = STATUS_OK;

    for (size_t number = 1; status == STATUS_OK && next_line(&at, end, &line, &size); number++) {
        char name[NAME_SIZE];
        struct foreign_key key = {.text = (char *)line, /* copied, and not changed */
                                  .name = name,
                                  .line = number,
                                  .active = true,
                                  .created_at = TIME_NONE,
                                  .last_used = TIME_NONE};

        if (!is_content(line, size)) {
            continue;
        }
        (void)snprintf(name, sizeof(name), "imported-%zu", keys->count + 1);
        status = check_key(source, line, size, number, error);
        if (status == STATUS_OK) {
            status = add(keys, &key, size, error);
        }
    }
    return status;
}

static enum status read_env(struct foreign_keys *keys, const struct foreign_source *source,
                            struct error *error)
{
    struct env_file env = {0};
    enum status status = env_file_parse(&env, source->name, source->text, source->size, error);

    for (size_t i = 0; i < env.count && status == STATUS_OK; i++) {
        struct foreign_key key = {.active = true, .created_at = TIME_NONE, .last_used = TIME_NONE};
        const char *name;
        const char *value;

        status = env_file_entry(&env, i, &name, &value, &key.line, error);
        if (status == STATUS_OK) {
            key.text = (char *)value; /* copied, and not changed */
            key.name = (char *)name;
            status = add_checked(keys, source, &key, error);
        }
    }
    env_file_clear(&env);
    return status == STATUS_STORE ? STATUS_FAILED : status;
}

/* Local time without a zone, with or without a fraction, as Python's isoformat() writes it. */
static bool parse_local_time(const char *text, int64_t *out)
{
    const size_t size = strlen(text);
    char utc[TIME_TEXT_SIZE];
    struct tm parts;
    time_t seconds;

    if (size < SECONDS_LENGTH) {
        return false;
    }
    memcpy(utc, text, SECONDS_LENGTH);
    utc[SECONDS_LENGTH] = 'Z';
    utc[SECONDS_LENGTH + 1] = '\0';
    if (!time_parse(utc, SECONDS_LENGTH + 1, out) ||
        (size > SECONDS_LENGTH &&
         (text[SECONDS_LENGTH] != '.' || size == SECONDS_LENGTH + 1 ||
          strspn(text + SECONDS_LENGTH + 1, "0123456789") != size - SECONDS_LENGTH - 1))) {
        return false;
    }
    /* The same clock face in this machine's zone; summer time as it was then. */
    seconds = (time_t)*out;
    if (gmtime_r(&seconds, &parts) == NULL) {
        return false;
    }
    parts.tm_isdst = -1;
    *out = (int64_t)mktime(&parts);
    return true;
}

static enum status read_time(struct json_cursor *cursor, const char *name, void *field,
                             struct error *error)
{
    struct json_slice value;
    char text[64];
    enum status status = json_skip(cursor, &value, error);

    value.label = name;
    if (status != STATUS_OK || (value.size == 4 && memcmp(value.at, "null", 4) == 0)) {
        return status;
    }
    status = json_string(&value, text, sizeof(text), error);
    if (status == STATUS_OK && !parse_local_time(text, field)) {
        status =
            json_fail(&value, error, "%s must be a time such as 2025-11-26T10:30:00.123456", name);
    }
    return status;
}

/* Whatever it is: what no name can be is mended later. */
static enum status read_name(struct json_cursor *cursor, const char *name, void *field,
                             struct error *error)
{
    char **copy = field;
    struct json_slice value;
    struct error ignored;
    enum status status = json_skip(cursor, &value, error);

    (void)name;
    if (status != STATUS_OK) {
        return status;
    }
    *copy = calloc(1, value.size + 1);
    if (*copy == NULL) {
        return error_no_memory(error);
    }
    if (json_string(&value, *copy, value.size + 1, &ignored) != STATUS_OK) {
        (*copy)[0] = '\0';
    }
    return STATUS_OK;
}

static enum status read_active(struct json_cursor *cursor, const char *name, void *field,
                               struct error *error)
{
    bool *active = field;
    struct json_slice value;
    const enum status status = json_skip(cursor, &value, error);

    (void)name;
    *active = status == STATUS_OK && value.size == 4 && memcmp(value.at, "true", 4) == 0;
    return status;
}

static const struct json_field predecessor_fields[] = {
    {"name", false, offsetof(struct foreign_key, name), read_name},
    {"created_at", false, offsetof(struct foreign_key, created_at), read_time},
    {"last_used", false, offsetof(struct foreign_key, last_used), read_time},
    {"active", false, offsetof(struct foreign_key, active), read_active},
};

/* One member of the predecessor's object: the token, and what is known of it. */
static enum status read_predecessor_member(struct foreign_keys *keys, struct json_cursor *cursor,
                                           const struct foreign_source *source, struct error *error)
{
    char text[CREDENTIAL_LIMIT + 2]; /* one more than a key may have, to tell */
    struct foreign_key key = {.text = text, .created_at = TIME_NONE, .last_used = TIME_NONE};
    const struct json_object object = {"token", predecessor_fields, COUNT(predecessor_fields),
                                       &key};
    struct json_slice name;
    struct json_slice slice;
    enum status status = json_key(cursor, &name, error);

    key.line = name.line;
    name.label = "the key";
    if (status == STATUS_OK) {
        status = json_key_text(&name, text, sizeof(text), error);
    }
    if (status == STATUS_OK) {
        status = json_object_read(cursor, &object, &slice, error);
    }
    if (status == STATUS_OK) {
        char *owned = key.name;

        key.name = owned != NULL ? owned : (char *)"";
        status = add_checked(keys, source, &key, error);
        key.name = owned;
    }
    free(key.name);
    secret_wipe(text, sizeof(text));
    return status;
}

static enum status read_predecessor(struct foreign_keys *keys, const struct foreign_source *source,
                                    struct error *error)
{
    struct json_cursor cursor;
    bool more = true;
    enum status status;

    json_cursor_init(&cursor, source->name, source->text, source->size);
    status = json_enter(&cursor, '{', error);
    while (status == STATUS_OK) {
        status = json_next(&cursor, '}', &more, error);
        if (status != STATUS_OK || !more) {
            break;
        }
        status = read_predecessor_member(keys, &cursor, source, error);
    }
    if (status == STATUS_OK) {
        status = json_end(&cursor, error);
    }
    return status == STATUS_STORE ? STATUS_FAILED : status;
}

/* NAME=key, where what follows the = is no more padding of a base64 key. */
static bool is_env_line(const char *line, size_t size)
{
    size_t i = size > 7 && memcmp(line, "export ", 7) == 0 ? 7 : 0;
    const size_t start = i;

    while (i < size && ((line[i] >= 'A' && line[i] <= 'Z') || (line[i] >= 'a' && line[i] <= 'z') ||
                        line[i] == '_' || (i > start && line[i] >= '0' && line[i] <= '9'))) {
        i++;
    }
    return i > start && i + 1 < size && line[i] == '=' && line[i + 1] != '=';
}

/* Tells the formats apart. Lines of both kinds are nobody's guess. */
static enum status look(const struct foreign_source *source, enum foreign_format *format,
                        struct error *error)
{
    const char *at = source->text;
    const char *end = at + source->size;
    const char *line;
    size_t size;

    *format = FOREIGN_BY_LOOKING;
    for (size_t number = 1; next_line(&at, end, &line, &size); number++) {
        enum foreign_format here;

        if (!is_content(line, size)) {
            continue;
        }
        if (*format == FOREIGN_BY_LOOKING && line[0] == '{') {
            *format = FOREIGN_PREDECESSOR;
            return STATUS_OK;
        }
        here = is_env_line(line, size) ? FOREIGN_ENV : FOREIGN_LIST;
        if (*format != FOREIGN_BY_LOOKING && *format != here) {
            return fail_at(source, number,
                           "some lines are NAME=key and some are not; say which format it is with "
                           "--format env or --format list",
                           error);
        }
        *format = here;
    }
    return *format != FOREIGN_BY_LOOKING
               ? STATUS_OK
               : error_set(error, STATUS_FAILED, "%s holds no key", source->name);
}

enum status foreign_format_read(const char *name, enum foreign_format *format, struct error *error)
{
    static const struct {
        const char *name;
        enum foreign_format format;
    } formats[] = {
        {"token_manager.py", FOREIGN_PREDECESSOR}, {"list", FOREIGN_LIST}, {"env", FOREIGN_ENV}};
    struct text_quoted quoted;

    *format = FOREIGN_BY_LOOKING;
    for (size_t i = 0; i < COUNT(formats) && name != NULL; i++) {
        if (strcmp(name, formats[i].name) == 0) {
            *format = formats[i].format;
        }
    }
    if (name != NULL && *format == FOREIGN_BY_LOOKING) {
        return error_set(error, STATUS_USAGE,
                         "--format must be token_manager.py, list or env, not %s",
                         text_quote(&quoted, name, strlen(name)));
    }
    return STATUS_OK;
}

enum status foreign_keys_read(struct foreign_keys *keys, const struct foreign_source *source,
                              struct error *error)
{
    enum foreign_format format = source->format;
    enum status status = format == FOREIGN_BY_LOOKING ? look(source, &format, error) : STATUS_OK;

    if (status != STATUS_OK) {
        return status;
    }
    switch (format) {
    case FOREIGN_PREDECESSOR:
        return read_predecessor(keys, source, error);
    case FOREIGN_ENV:
        return read_env(keys, source, error);
    default:
        return read_list(keys, source, error);
    }
}

void foreign_keys_clear(struct foreign_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->items[i].text != NULL) {
            secret_wipe(keys->items[i].text, strlen(keys->items[i].text));
        }
        free(keys->items[i].text);
        free(keys->items[i].name);
    }
    free(keys->items);
    *keys = (struct foreign_keys){0};
}
