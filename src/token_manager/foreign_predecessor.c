#include "token_manager/foreign_predecessor.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/json_object.h"
#include "base/key_set.h"
#include "base/secret.h"
#include "base/timefmt.h"
#include "token/token_text.h"

#include "base/banned.h"

#define SECONDS_LENGTH 19 /* of 2025-11-26T10:30:00 */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
    if (!time_parse(utc, SECONDS_LENGTH + 1, out)) {
        secret_wipe(utc, sizeof(utc)); /* whatever else it is */
        return false;
    }
    if (size > SECONDS_LENGTH &&
        (text[SECONDS_LENGTH] != '.' || size == SECONDS_LENGTH + 1 ||
         strspn(text + SECONDS_LENGTH + 1, "0123456789") != size - SECONDS_LENGTH - 1)) {
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
        secret_wipe(text, sizeof(text));
    }
    return status;
}

/* Whatever it is: what no name can be is mended later. */
static enum status read_name(struct json_cursor *cursor, const char *name, void *field,
                             struct error *error)
{
    char **copy = field;
    struct json_slice value;
    enum status status = json_skip(cursor, &value, error);

    (void)name;
    if (status != STATUS_OK) {
        return status;
    }
    *copy = calloc(1, value.size + 1);
    if (*copy == NULL) {
        return error_no_memory(error);
    }
    status = json_string(&value, *copy, value.size + 1, error);
    if (status == STATUS_FAILED) {
        return status; /* for want of memory: the name may be a good one */
    }
    if (status != STATUS_OK) {
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
        status = foreign_fail(
            source, key.line,
            "this is a token file already, and tokens cannot be imported from one", error);
    }
    if (status == STATUS_OK) {
        status = json_object_read(cursor, &object, &slice, error);
    }
    if (status == STATUS_OK) {
        const struct foreign_text whole = {text, strlen(text)};
        enum key_set_result result;

        secret_digest(digest, whole.at, whole.size);
        result = key_set_add(seen, digest, NULL);
        if (result == KEY_SET_NO_MEMORY) {
            status = error_no_memory(error);
        } else if (result == KEY_SET_PRESENT) {
            /* Of two the reader before us took the last, and others the first: neither is a guess. */
            status = foreign_fail(source, key.line, "this key stands in the file twice", error);
        } else {
            status = foreign_keys_add(keys, source, &key, &whole, error);
        }
    }
    foreign_text_free(key.name);
    secret_wipe(text, sizeof(text));
    return status;
}

enum status foreign_predecessor_read(struct foreign_keys *keys, const struct foreign_source *source,
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
