#include "token/token_json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_object.h"
#include "base/key_set.h"
#include "base/secret.h"
#include "base/text.h"
#include "token/token_record_json.h"
#include "token/token_text.h"

#include "base/banned.h"

#define RECORD_GAP "\n    "
#define CLOSING_GAP "\n  "

const char token_json_empty[] = "{\n  \"version\": 1,\n  \"tokens\": []\n}\n";

/* What one reading keeps while it lasts. */
struct reading {
    struct token_json *json;
    const struct token_json_sink *sink;
    struct key_set ids;
    struct key_set digests;
};

static enum status add_unique(struct key_set *set, const void *key, const struct json_slice *record,
                              const char *what, struct error *error)
{
    const enum key_set_result result = key_set_add(set, key, NULL);

    if (result == KEY_SET_PRESENT) {
        return json_fail(record, error, "the %s of this token stood in the file before", what);
    }
    return result == KEY_SET_ADDED ? STATUS_OK : error_no_memory(error);
}

/* No id and no secret, current or older, may stand for two tokens. */
static enum status check_unique(struct reading *r, const struct token *token,
                                const struct json_slice *record, struct error *error)
{
    enum status status = add_unique(&r->ids, TOKEN_ID_KEY(token->id), record, "id", error);

    if (status == STATUS_OK) {
        status = add_unique(&r->digests, token->secret.digest, record, "hash", error);
    }
    for (size_t i = 0; i < token->previous_count && status == STATUS_OK; i++) {
        status = add_unique(&r->digests, token->previous[i].digest, record, "previous hash", error);
    }
    return status;
}

static enum status read_token(struct reading *r, struct json_cursor *cursor, struct error *error)
{
    struct json_slice record;
    struct token token;
    enum status status;

    token_init(&token);
    status = token_record_json_read(cursor, &token, &record, error);
    if (status == STATUS_OK) {
        status = check_unique(r, &token, &record, error);
    }
    if (status == STATUS_OK) {
        const struct token_place place = {(size_t)(record.at - r->json->text), record.size};

        status = r->sink->take(r->sink->context, &token, &place, error);
    }
    token_clear(&token);
    return status;
}

static enum status read_tokens(struct json_cursor *cursor, const char *name, void *field,
                               struct error *error)
{
    struct reading *r = field;
    enum status status = json_enter(cursor, '[', error);
    bool more = true;

    (void)name;
    r->json->open = (size_t)(cursor->at - r->json->text);
    while (status == STATUS_OK) {
        status = json_next(cursor, ']', &more, error);
        if (status != STATUS_OK || !more) {
            break;
        }
        status = read_token(r, cursor, error);
    }
    r->json->close = (size_t)(cursor->at - r->json->text) - 1;
    return status;
}

static enum status read_version(struct json_cursor *cursor, const char *name, void *field,
                                struct error *error)
{
    struct json_slice value;
    const enum status status = json_skip(cursor, &value, error);

    (void)name;
    (void)field;
    if (status == STATUS_OK && (value.size != 1 || value.at[0] != '1')) {
        struct text_quoted quoted = {""};

        if (value.size <= 20 && strchr("-0123456789", value.at[0]) != NULL) {
            memcpy(quoted.text, value.at, value.size);
        } else {
            (void)text_quote(&quoted, value.at, value.size); /* it may be a token */
        }
        return json_fail(&value, error,
                         "version %s of the file format is not known to this program, which "
                         "knows version 1; use the program that wrote the file",
                         quoted.text);
    }
    return status;
}

static const struct json_field top_fields[] = {
    {"version", true, 0, read_version},
    {"tokens", true, 0, read_tokens},
};

bool token_json_is_predecessor(const struct token_json *json)
{
    struct error ignored;
    struct json_cursor cursor;
    struct json_slice key;
    struct json_slice value;
    char name[JSON_FIELD_NAME_SIZE];
    bool has_token = false;
    bool more = true;

    json_cursor_init(&cursor, json->file, json->text, json->size);
    if (json_enter(&cursor, '{', &ignored) != STATUS_OK) {
        return false;
    }
    while (json_next(&cursor, '}', &more, &ignored) == STATUS_OK) {
        bool is_ours;

        if (!more) {
            return has_token || json_end(&cursor, &ignored) == STATUS_OK;
        }
        if (json_key(&cursor, &key, &ignored) != STATUS_OK ||
            json_skip(&cursor, &value, &ignored) != STATUS_OK) {
            break;
        }
        is_ours = json_key_text(&key, name, sizeof(name), &ignored) == STATUS_OK &&
                  (strcmp(name, "version") == 0 || strcmp(name, "tokens") == 0);
        secret_wipe(name, sizeof(name)); /* or it is a token */
        if (value.at[0] != '{' || is_ours) {
            return false;
        }
        has_token = has_token || token_text_looks_like_one(key.at + 1, key.size - 2);
    }
    return has_token; /* one that is broken further on */
}

static enum status refuse_predecessor(const char *path, struct error *error)
{
    struct text_shell word;

    (void)text_shell(&word, path);
    return error_set(error, STATUS_STORE,
                     "%s:1: this is the format of the Python token_manager.py, which holds the "
                     "secrets in plain text; convert it with `token_manager --file %s import %s`",
                     path, word.text, word.text);
}

enum status token_json_read(struct token_json *json, const struct token_json_sink *sink,
                            struct error *error)
{
    struct reading r = {.json = json,
                        .sink = sink,
                        .ids = {.key_size = TOKEN_ID_KEY_SIZE},
                        .digests = {.key_size = DIGEST_SIZE}};
    const struct json_object top = {"file", top_fields, sizeof(top_fields) / sizeof(top_fields[0]),
                                    &r};
    struct json_cursor cursor;
    struct json_slice slice;
    enum status status;

    json_cursor_init(&cursor, json->file, json->text, json->size);
    if (json->size == 0) {
        return error_set(error, STATUS_STORE,
                         "%s:1: the file is empty (0 bytes), which does not mean that there are no "
                         "tokens; restore it from a backup, or delete it to begin anew",
                         json->file);
    }
    if (json->size >= 3 && memcmp(json->text, "\xef\xbb\xbf", 3) == 0) {
        return error_set(error, STATUS_STORE,
                         "%s:1: the file begins with a byte order mark; save it as UTF-8 without "
                         "one",
                         json->file);
    }
    status = json_object_read(&cursor, &top, &slice, error);
    if (status == STATUS_OK) {
        status = json_end(&cursor, error);
    }
    if (status != STATUS_OK && token_json_is_predecessor(json)) {
        status = refuse_predecessor(json->file, error);
    }
    key_set_clear(&r.ids);
    key_set_clear(&r.digests);
    return status;
}

enum status token_json_read_set(struct token_json *json, struct token_set *set, struct error *error)
{
    const struct token_json_sink sink = {token_set_take, set};

    return token_json_read(json, &sink, error);
}

static enum status write_record(const struct token_json *json, const struct token_record *record,
                                struct buffer *out, struct error *error)
{
    const struct json_slice old = {.at = json->text + record->place.at,
                                   .size = record->place.size,
                                   .line = 1,
                                   .file = json->file};

    if (record->changed == 0) {
        buffer_append(out, old.at, old.size);
        return STATUS_OK;
    }
    return token_record_json_write(&record->token, record->place.size > 0 ? &old : NULL, out,
                                   error);
}

/*
 * Each record that stays is preceded by the text that preceded it (a comma, a line end, how its
 * owner likes to indent), the first one by what preceded the first.
 */
enum status token_json_write(const struct token_json *json, const struct token_set *set,
                             struct buffer *out, struct error *error)
{
    const size_t first =
        set->count > 0 && set->records[0].place.size > 0 ? set->records[0].place.at : 0;
    size_t end = json->open; /* of the record before, as it stood in the text */
    bool any = false;

    buffer_append(out, json->text, json->open);
    for (size_t i = 0; i < set->count; i++) {
        const struct token_record *record = &set->records[i];
        const bool is_old = record->place.size > 0;

        if (!record->removed) {
            if (!any && first > 0) {
                buffer_append(out, json->text + json->open, first - json->open);
            } else if (any && is_old) {
                buffer_append(out, json->text + end, record->place.at - end);
            } else {
                buffer_append_text(out, any ? "," RECORD_GAP : RECORD_GAP);
            }
            const enum status status = write_record(json, record, out, error);
            if (status != STATUS_OK) {
                return status;
            }
            any = true;
        }
        end = is_old ? record->place.at + record->place.size : end;
    }
    if (any && end == json->open) {
        buffer_append_text(out, CLOSING_GAP);
    } else if (any) {
        buffer_append(out, json->text + end, json->close - end);
    }
    buffer_append(out, json->text + json->close, json->size - json->close);
    return out->failed ? error_no_memory(error) : STATUS_OK;
}
