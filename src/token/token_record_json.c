#include "token/token_record_json.h"

#include <string.h>

#include "base/json_object.h"
#include "base/json_write.h"
#include "base/text.h"

#include "base/banned.h"

#define HASH_LABEL TOKEN_HASH_LABEL
#define HASH_LABEL_SIZE (sizeof(HASH_LABEL) - 1)
#define HASH_SIZE (HASH_LABEL_SIZE + DIGEST_HEX_SIZE + 1) /* with the final NUL */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Passes a string and hands it out decoded. */
static enum status read_string(struct json_cursor *cursor, struct json_slice *value, char *out,
                               size_t capacity, struct error *error)
{
    const char *name = value->label;
    const enum status status = json_skip(cursor, value, error);

    value->label = name;
    return status == STATUS_OK ? json_string(value, out, capacity, error) : status;
}

static enum status read_id(struct json_cursor *cursor, const char *name, void *field,
                           struct error *error)
{
    struct json_slice value = {.label = name};
    char *id = field;
    const enum status status = read_string(cursor, &value, id, TOKEN_ID_SIZE, error);

    if (status == STATUS_OK && !token_is_id(id, strlen(id))) {
        return json_fail(&value, error, "id must be tok_ and 16 letters and digits");
    }
    return status;
}

/* Passes a text that a rule allows, and hands out a copy. */
static enum status read_checked(struct json_cursor *cursor, struct json_slice *value, char **copy,
                                enum status (*check)(const char *, size_t, struct error *),
                                struct error *error)
{
    struct error reason;
    char text[TOKEN_NOTE_SIZE]; /* the longest there is */
    const enum status status = read_string(cursor, value, text, sizeof(text), error);

    if (status != STATUS_OK) {
        return status;
    }
    if (check(text, strlen(text), &reason) != STATUS_OK) {
        return json_fail(value, error, "%s", reason.text);
    }
    *copy = strdup(text);
    return *copy != NULL ? STATUS_OK : error_no_memory(error);
}

static enum status read_name(struct json_cursor *cursor, const char *name, void *field,
                             struct error *error)
{
    struct json_slice value = {.label = name};

    return read_checked(cursor, &value, field, token_name_check_stored, error);
}

static enum status read_note(struct json_cursor *cursor, const char *name, void *field,
                             struct error *error)
{
    struct json_slice value = {.label = name};

    return read_checked(cursor, &value, field, token_note_check, error);
}

static enum status read_prefix(struct json_cursor *cursor, const char *name, void *field,
                               struct error *error)
{
    struct json_slice value = {.label = name};
    char *prefix = field;
    const enum status status = read_string(cursor, &value, prefix, TOKEN_PREFIX_SIZE, error);

    if (status == STATUS_OK && !text_is_visible_ascii(prefix, strlen(prefix))) {
        return json_fail(&value, error, "prefix must be visible ASCII");
    }
    return status;
}

static enum status read_hash(struct json_cursor *cursor, const char *name, void *field,
                             struct error *error)
{
    struct json_slice value = {.label = name};
    char text[HASH_SIZE];
    const enum status status = read_string(cursor, &value, text, sizeof(text), error);

    if (status == STATUS_OK &&
        (strncmp(text, HASH_LABEL, HASH_LABEL_SIZE) != 0 ||
         !secret_digest_from_hex(field, text + HASH_LABEL_SIZE, strlen(text + HASH_LABEL_SIZE)))) {
        return json_fail(&value, error, "hash must be blake2b-256: and 64 lower-case hex digits");
    }
    return status;
}

static enum status read_time(struct json_cursor *cursor, const char *name, void *field,
                             struct error *error)
{
    struct json_slice value = {.label = name};
    char text[2 * TIME_TEXT_SIZE]; /* room for a wrong one, which is worth a better message */
    const enum status status = read_string(cursor, &value, text, sizeof(text), error);

    if (status == STATUS_OK && !time_parse(text, strlen(text), field)) {
        return json_fail(&value, error, "%s must be a time such as 2026-11-26T11:45:23Z (UTC)",
                         name);
    }
    return status;
}

static enum status read_scope(struct json_cursor *cursor, const char *name, struct token *token,
                              struct error *error)
{
    struct json_slice value = {.label = name};
    char scope[TOKEN_SCOPE_SIZE];
    const enum status status = read_string(cursor, &value, scope, sizeof(scope), error);

    if (status != STATUS_OK) {
        return status;
    }
    if (!token_is_scope(scope, strlen(scope)) || token_has_scope(token, scope)) {
        return json_fail(
            &value, error,
            "scopes must differ, each 1 to 64 visible ASCII characters without \" and \\");
    }
    if (token->scope_count == TOKEN_SCOPE_COUNT) {
        return json_fail(&value, error, "more than %d scopes", TOKEN_SCOPE_COUNT);
    }
    return token_add_scope(token, scope, error);
}

/* An empty array would read as "no scopes", which everywhere else means all: it is refused. */
static enum status read_scopes(struct json_cursor *cursor, const char *name, void *field,
                               struct error *error)
{
    const struct json_slice here = {.line = cursor->line, .file = cursor->file};
    struct token *token = field;
    bool more = true;
    enum status status = json_enter(cursor, '[', error);

    while (status == STATUS_OK) {
        status = json_next(cursor, ']', &more, error);
        if (status != STATUS_OK || !more) {
            break;
        }
        status = read_scope(cursor, name, token, error);
    }
    if (status == STATUS_OK && token->scope_count == 0) {
        return json_fail(&here, error, "scopes is empty; leave it out to allow everything");
    }
    return status;
}

static const struct json_field previous_fields[] = {
    {"prefix", true, offsetof(struct token_secret, prefix), read_prefix},
    {"hash", true, offsetof(struct token_secret, digest), read_hash},
    {"expires_at", true, offsetof(struct token_secret, expires_at), read_time},
};

static enum status read_previous_one(struct json_cursor *cursor, struct token *token,
                                     struct error *error)
{
    struct token_secret secret = {.expires_at = TIME_NONE};
    struct json_slice slice;
    const struct json_object object = {"previous secret", previous_fields, COUNT(previous_fields),
                                       &secret};
    const enum status status = json_object_read(cursor, &object, &slice, error);

    if (status != STATUS_OK) {
        return status;
    }
    if (token->previous_count == TOKEN_PREVIOUS_COUNT) {
        return json_fail(&slice, error, "more than %d previous secrets", TOKEN_PREVIOUS_COUNT);
    }
    secret.place = (struct token_place){(size_t)(slice.at - cursor->mark), slice.size};
    return token_add_previous(token, &secret, error);
}

static enum status read_previous(struct json_cursor *cursor, const char *name, void *field,
                                 struct error *error)
{
    struct token *token = field;
    bool more = true;
    enum status status = json_enter(cursor, '[', error);

    (void)name;
    while (status == STATUS_OK) {
        status = json_next(cursor, ']', &more, error);
        if (status != STATUS_OK || !more) {
            break;
        }
        status = read_previous_one(cursor, token, error);
    }
    return status;
}

static const struct json_field record_fields[] = {
    {"id", true, offsetof(struct token, id), read_id},
    {"name", true, offsetof(struct token, name), read_name},
    {"prefix", true, offsetof(struct token, secret.prefix), read_prefix},
    {"hash", true, offsetof(struct token, secret.digest), read_hash},
    {"created_at", true, offsetof(struct token, created_at), read_time},
    {"expires_at", false, offsetof(struct token, expires_at), read_time},
    {"scopes", false, 0, read_scopes},
    {"note", false, offsetof(struct token, note), read_note},
    {"revoked_at", false, offsetof(struct token, revoked_at), read_time},
    {"previous", false, 0, read_previous},
};

enum status token_record_json_read(struct json_cursor *cursor, struct token *token,
                                   struct json_slice *record, struct error *error)
{
    const struct json_object object = {"token", record_fields, COUNT(record_fields), token};

    json_mark(cursor);
    return json_object_read(cursor, &object, record, error);
}

static void write_time(struct buffer *out, const char *name, int64_t time)
{
    char text[TIME_TEXT_SIZE];

    if (time != TIME_NONE) {
        time_format(time, text);
        json_write_text(out, name, text);
    }
}

static void write_secret(struct buffer *out, const struct token_secret *secret)
{
    char hash[HASH_SIZE] = HASH_LABEL;

    secret_digest_to_hex(hash + HASH_LABEL_SIZE, secret->digest);
    json_write_text(out, "prefix", secret->prefix);
    json_write_text(out, "hash", hash);
}

/* The x_ fields of an object as it stood, names and values as they are written there. */
static enum status write_foreign(struct buffer *out, const struct json_slice *old,
                                 struct error *error)
{
    struct json_cursor cursor;
    bool more = true;
    enum status status;

    json_cursor_into(&cursor, old);
    status = json_enter(&cursor, '{', error);
    while (status == STATUS_OK) {
        char name[JSON_FIELD_NAME_SIZE];
        struct json_slice key;
        struct json_slice value = {.size = 0};

        status = json_next(&cursor, '}', &more, error);
        if (status != STATUS_OK || !more) {
            break;
        }
        status = json_key(&cursor, &key, error);
        if (status == STATUS_OK) {
            status = json_key_text(&key, name, sizeof(name), error);
        }
        if (status == STATUS_OK) {
            status = json_skip(&cursor, &value, error);
        }
        if (status == STATUS_OK && json_is_foreign(name)) {
            buffer_append(out, ", ", 2); /* an id stands before it, at least */
            buffer_append(out, key.at, key.size);
            buffer_append(out, ": ", 2);
            buffer_append(out, value.at, value.size);
        }
    }
    return status;
}

/* The text of an older secret is taken over as it is, x_ fields and all, unless its end was cut. */
static enum status write_previous_one(struct buffer *out, const struct token_secret *secret,
                                      const struct json_slice *record, struct error *error)
{
    const bool was_there = record != NULL && secret->place.size > 0;
    struct json_slice old = {.size = 0};
    enum status status = STATUS_OK;

    if (was_there) {
        old = *record;
        old.at += secret->place.at;
        old.size = secret->place.size;
    }
    if (was_there && !secret->is_cut) {
        buffer_append(out, old.at, old.size);
        return STATUS_OK;
    }
    buffer_append_text(out, "{");
    write_secret(out, secret);
    write_time(out, "expires_at", secret->expires_at);
    if (was_there) {
        status = write_foreign(out, &old, error);
    }
    buffer_append_text(out, "}");
    return status;
}

static enum status write_previous(struct buffer *out, const struct token *token,
                                  const struct json_slice *record, struct error *error)
{
    enum status status = STATUS_OK;

    json_write_name(out, "previous");
    buffer_append_text(out, "[");
    for (size_t i = 0; i < token->previous_count && status == STATUS_OK; i++) {
        buffer_append_text(out, i == 0 ? "" : ", ");
        status = write_previous_one(out, &token->previous[i], record, error);
    }
    buffer_append_text(out, "]");
    return status;
}

enum status token_record_json_write(const struct token *token, const struct json_slice *old,
                                    struct buffer *out, struct error *error)
{
    enum status status = STATUS_OK;

    buffer_append_text(out, "{");
    json_write_text(out, "id", token->id);
    json_write_text(out, "name", token->name);
    write_secret(out, &token->secret);
    write_time(out, "created_at", token->created_at);
    write_time(out, "expires_at", token->expires_at);
    if (token->scope_count > 0) {
        json_write_list(out, "scopes", (const char *const *)token->scopes, token->scope_count);
    }
    if (token->note != NULL) {
        json_write_text(out, "note", token->note);
    }
    write_time(out, "revoked_at", token->revoked_at);
    if (token->previous_count > 0) {
        status = write_previous(out, token, old, error);
    }
    if (old != NULL && status == STATUS_OK) {
        status = write_foreign(out, old, error);
    }
    buffer_append_text(out, "}");
    return status;
}
