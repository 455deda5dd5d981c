#include "token_manager/foreign_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/env_file.h"
#include "base/json.h"
#include "base/json_object.h"
#include "base/key_set.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "token/token_text.h"

#include "base/banned.h"

#define SECONDS_LENGTH 19 /* of 2025-11-26T10:30:00 */
#define NAME_SIZE 32      /* of "imported-1" */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A stretch of text; borrowed. */
struct slice {
    const char *at;
    size_t size;
};

static enum status fail_at(const struct foreign_source *source, size_t line, const char *reason,
                           struct error *error)
{
    return error_set(error, STATUS_FAILED, "%s:%zu: %s", source->name, line, reason);
}

/* Appends a key of this text, with a copy of the name. Text that can be no key is refused. */
static enum status add(struct foreign_keys *keys, const struct foreign_source *source,
                       const struct foreign_key *key, const struct slice *text, struct error *error)
{
    struct foreign_key *added;

    if (text->size == 0) {
        return fail_at(source, key->line, "there is no key", error);
    }
    if (text->size > CREDENTIAL_LIMIT) {
        return fail_at(source, key->line, "the key is longer than 512 characters", error);
    }
    if (!text_is_visible_ascii(text->at, text->size)) {
        return fail_at(source, key->line,
                       "the key contains blanks or others than visible ASCII characters", error);
    }
    if (keys->count == keys->capacity) {
        struct foreign_key *items = array_grow(keys->items, &keys->capacity, sizeof(*items));

        if (items == NULL) {
            return error_no_memory(error);
        }
        keys->items = items;
    }
    added = &keys->items[keys->count++];
    *added = *key;
    added->text = strndup(text->at, text->size);
    added->name = strdup(key->name != NULL ? key->name : "");
    return added->text != NULL && added->name != NULL ? STATUS_OK : error_no_memory(error);
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
    struct slice line;
    enum status status = STATUS_OK;

    for (size_t number = 1; status == STATUS_OK && next_line(&at, end, &line.at, &line.size);
         number++) {
        char name[NAME_SIZE];
        const struct foreign_key key = {.name = name,
                                        .line = number,
                                        .active = true,
                                        .created_at = TIME_NONE,
                                        .last_used = TIME_NONE};

        if (is_content(line.at, line.size)) {
            (void)snprintf(name, sizeof(name), "imported-%zu", keys->count + 1);
            status = add(keys, source, &key, &line, error);
        }
    }
    return status;
}

/* A variable that is set to nothing is no key, and usual in such files. */
static enum status read_env(struct foreign_keys *keys, const struct foreign_source *source,
                            struct error *error)
{
    struct env_file env = {0};
    enum status status = env_file_parse(&env, source->name, source->text, source->size, error);

    for (size_t i = 0; i < env.count && status == STATUS_OK; i++) {
        struct env_variable variable;

        status = env_file_variable(&env, i, &variable, error);
        if (status == STATUS_OK && variable.value[0] != '\0') {
            char *name = strdup(variable.name);
            const struct slice text = {variable.value, strlen(variable.value)};
            const struct foreign_key key = {.name = name,
                                            .is_named = true,
                                            .line = variable.line,
                                            .active = true,
                                            .created_at = TIME_NONE,
                                            .last_used = TIME_NONE};

            status = name != NULL ? add(keys, source, &key, &text, error) : error_no_memory(error);
            free(name);
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
    parts.tm_wday = -1;
    *out = (int64_t)mktime(&parts);
    return parts.tm_wday >= 0; /* mktime sets it; -1 alone is a second of 1969 */
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
static enum status read_member(struct foreign_keys *keys, struct json_cursor *cursor,
                               const struct foreign_source *source, struct key_set *seen,
                               struct error *error)
{
    char text[CREDENTIAL_LIMIT + 2]; /* one more than a key may have, to tell */
    uint8_t digest[DIGEST_SIZE];
    struct foreign_key key = {.is_named = true, .created_at = TIME_NONE, .last_used = TIME_NONE};
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
    if (status == STATUS_OK && (strcmp(text, "version") == 0 || strcmp(text, "tokens") == 0)) {
        status =
            fail_at(source, key.line,
                    "this is a token file already, and tokens cannot be imported from one", error);
    }
    if (status == STATUS_OK) {
        status = json_object_read(cursor, &object, &slice, error);
    }
    if (status == STATUS_OK) {
        const struct slice whole = {text, strlen(text)};

        /* Of two the reader before us took the last, and others the first: neither is a guess. */
        secret_digest(digest, whole.at, whole.size);
        status = key_set_add(seen, digest, NULL) == KEY_SET_PRESENT
                     ? fail_at(source, key.line, "this key stands in the file twice", error)
                     : add(keys, source, &key, &whole, error);
    }
    free(key.name);
    secret_wipe(text, sizeof(text));
    return status;
}

static enum status read_predecessor(struct foreign_keys *keys, const struct foreign_source *source,
                                    struct error *error)
{
    struct key_set seen = {.key_size = DIGEST_SIZE};
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
        status = read_member(keys, &cursor, source, &seen, error);
    }
    if (status == STATUS_OK) {
        status = json_end(&cursor, error);
    }
    key_set_clear(&seen);
    return status == STATUS_STORE ? STATUS_FAILED : status;
}

/* What a line by itself looks like. */
enum line_kind {
    LINE_KEY,
    LINE_NAMED,
    LINE_UNCLEAR
};

/*
 * A key by itself has no = but as padding at its end, and NAME=key a name before it such as people
 * give: WEB_APP, web-app. What is neither, or could be both, is nobody's guess.
 */
static enum line_kind line_kind(const char *line, size_t size)
{
    const size_t start = size > 7 && memcmp(line, "export ", 7) == 0 ? 7 : 0;
    size_t name_end = start;
    size_t equals;
    size_t key_end = size;
    bool upper = false;
    bool lower = false;
    bool digit = false;

    while (key_end > 0 && line[key_end - 1] == '=') {
        key_end--;
    }
    for (; name_end < size && env_file_is_name_char(line[name_end], name_end == start);
         name_end++) {
        upper = upper || (line[name_end] >= 'A' && line[name_end] <= 'Z');
        lower = lower || (line[name_end] >= 'a' && line[name_end] <= 'z');
        digit = digit || (line[name_end] >= '0' && line[name_end] <= '9');
    }
    for (equals = name_end; equals < size && line[equals] == ' '; equals++) {
    }
    if (start == 0 && memchr(line, '=', key_end) == NULL && memchr(line, ':', size) == NULL) {
        /* A key with its padding has small letters; a long name set to nothing has none. */
        return name_end == key_end && key_end + 1 == size && (size < 20 || !lower) ? LINE_NAMED
                                                                                   : LINE_KEY;
    }
    return name_end > start && equals < size && line[equals] == '=' && !(upper && lower && digit)
               ? LINE_NAMED
               : LINE_UNCLEAR;
}

/* Tells the formats apart. */
static enum status look(const struct foreign_source *source, enum foreign_format *format,
                        struct error *error)
{
    static const char unclear[] = "this may be a key, or NAME=key, or something else; say which "
                                  "format it is with --format list or --format env";
    const char *at = source->text;
    const char *end = at + source->size;
    struct slice line;

    *format = FOREIGN_BY_LOOKING;
    for (size_t number = 1; next_line(&at, end, &line.at, &line.size); number++) {
        enum foreign_format here;
        enum line_kind kind;

        if (!is_content(line.at, line.size)) {
            continue;
        }
        if (*format == FOREIGN_BY_LOOKING && line.at[0] == '{') {
            *format = FOREIGN_PREDECESSOR;
            return STATUS_OK;
        }
        kind = line_kind(line.at, line.size);
        here = kind == LINE_NAMED ? FOREIGN_ENV : FOREIGN_LIST;
        if (kind == LINE_UNCLEAR) {
            return fail_at(source, number, unclear, error);
        }
        if (*format != FOREIGN_BY_LOOKING && *format != here) {
            return fail_at(source, number,
                           "some lines are NAME=key and some are not; say which format it is with "
                           "--format env or --format list",
                           error);
        }
        *format = here;
    }
    return STATUS_OK;
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

enum status foreign_keys_read(struct foreign_keys *keys, const struct foreign_source *given,
                              struct error *error)
{
    struct foreign_source source = *given;
    enum foreign_format format = source.format;
    enum status status = STATUS_OK;

    if (source.size >= 3 && memcmp(source.text, "\xef\xbb\xbf", 3) == 0) {
        source.text += 3; /* a byte order mark, as some editors leave it */
        source.size -= 3;
    }
    if (format == FOREIGN_BY_LOOKING) {
        status = look(&source, &format, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    switch (format) {
    case FOREIGN_PREDECESSOR:
        return read_predecessor(keys, &source, error);
    case FOREIGN_ENV:
        return read_env(keys, &source, error);
    default:
        return read_list(keys, &source, error);
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
