/*
 * Any text for a token file. Refused, it is with file, line and reason. Accepted, every token of it is
 * found, it is JSON to another reader too, it reads back as it was meant after changes of all kinds, and
 * what is other people's in it is the same to the byte.
 *
 * With FUZZ_VIEWS=FILE four JSON documents are appended for each text that is accepted: the text, its
 * records as we understand them, the text after the changes, its records as they should be then. Another
 * program's reader can be held against ours with that: see same.jq.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_object.h"
#include "reference.h"
#include "token/token_json.h"
#include "token/token_record_json.h"
#include "token/token_set.h"
#include "verify/digest_index.h"

#define NAME "t.json"
#define NOW INT64_C(1790000000)
#define GRACE INT64_C(3600)
#define DEPTH_LIMIT 517 /* 512 in a value of a previous secret of a record of the object */
#define VIEW_DEPTH 200  /* what jq can read, and some */

/* What a verifier makes of the same text. */
static enum status take_into_index(void *context, struct token *token,
                                   const struct token_place *place, struct error *error)
{
    (void)place;
    return digest_index_add(context, token, error);
}

static void must_find(const struct digest_index *index, const struct token *token,
                      const struct token_secret *secret)
{
    struct index_match match;

    MUST(digest_index_find(index, secret->digest, &match));
    MUST(strcmp(match.token->id, token->id) == 0);
    MUST(strcmp(digest_index_name(index, match.token), token->name) == 0);
    MUST(match.token->revoked == (token->revoked_at != TIME_NONE));
    MUST(match.token->expires_at == token->expires_at);
    MUST(match.token->scope_count == token->scope_count);
    MUST(match.secret_expires_at == secret->expires_at);
    for (size_t i = 0; i < token->scope_count; i++) {
        MUST(digest_index_has_scope(index, match.token, token->scopes[i]));
    }
}

static void check_index(const char *text, size_t size, const struct token_set *set)
{
    struct token_json json = {.file = NAME, .text = text, .size = size};
    struct digest_index index = {0};
    const struct token_json_sink sink = {take_into_index, &index};
    struct error error;

    MUST(token_json_read(&json, &sink, &error) == STATUS_OK);
    MUST(index.token_count == set->count);
    for (size_t i = 0; i < set->count; i++) {
        const struct token *token = &set->records[i].token;

        must_find(&index, token, &token->secret);
        for (size_t k = 0; k < token->previous_count; k++) {
            must_find(&index, token, &token->previous[k]);
        }
    }
    digest_index_clear(&index);
}

/* A secret that nobody has yet, but for those who know the number. */
static struct token_secret make_secret(size_t number)
{
    struct token_secret secret = {.prefix = "sk-fuzz", .expires_at = TIME_NONE};

    secret_digest(secret.digest, &number, sizeof(number));
    return secret;
}

static void add_token(struct token_set *set)
{
    static const char new_name[] = "a \"new\" one \\ \xf0\x9f\x98\x80";
    struct token token;
    struct error error;

    token_init(&token);
    memcpy(token.id, "tok_fuzzfuzzfuzzfuzz", TOKEN_ID_SIZE);
    token.secret = make_secret(SIZE_MAX);
    token.name = fuzz_copy(new_name, sizeof(new_name));
    token.created_at = NOW;
    if (token_set_find_id(set, token.id) == NULL &&
        token_set_find_digest(set, token.secret.digest) == NULL) {
        MUST(token_add_scope(&token, "read", &error) == STATUS_OK);
        MUST(token_set_add(set, &token, NULL, &error) == STATUS_OK);
    }
    token_clear(&token);
}

/* To each record another kind of change, to the same ones for the same text. */
static void change(struct token_set *set, const struct token_json *json)
{
    size_t sum = 0;
    struct error error;

    for (size_t i = 0; i < json->size; i++) {
        sum += (unsigned char)json->text[i];
    }
    for (size_t i = 0; i < set->count; i++) {
        struct token_record *record = &set->records[i];
        const struct token_secret fresh = make_secret(i);

        switch ((i + sum) % 7) {
        case 0:
            token_set_revoke(record, NOW);
            break;
        case 1:
            token_set_restore(record);
            break;
        case 2:
        case 3:
            if (token_set_find_digest(set, fresh.digest) == NULL &&
                record->token.previous_count < TOKEN_PREVIOUS_COUNT) {
                MUST(token_set_rotate(record, &fresh, NOW, (i + sum) % 2 == 0 ? NOW + GRACE : NOW,
                                      &error) == STATUS_OK);
            }
            break;
        case 4:
            token_set_expire(record, NOW + 2 * GRACE);
            break;
        case 5:
            token_set_remove(record);
            break;
        default:
            break;
        }
    }
    if (sum % 2 == 0) {
        add_token(set);
    }
}

/* The records of a set, without what is other people's. */
static void write_view(const struct token_set *set, struct buffer *out)
{
    const char *between = "[";
    struct error error;

    for (size_t i = 0; i < set->count; i++) {
        struct buffer record = {0};

        if (!set->records[i].removed) {
            MUST(token_record_json_write(&set->records[i].token, NULL, &record, &error) ==
                 STATUS_OK);
            buffer_append_text(out, between);
            buffer_append(out, record.bytes, record.size);
            between = ",\n";
        }
        buffer_clear(&record);
    }
    buffer_append_text(out, between[0] == '[' ? "[]\n" : "]\n");
}

/*
 * Whether jq can read a text that was accepted: it allows fewer brackets in brackets, and no half of a
 * surrogate pair.
 */
static bool jq_can_read(const char *text, size_t size)
{
    size_t depth = 0;
    bool can = true;

    for (size_t i = 0; i < size && can; i++) {
        const size_t start = i;
        struct buffer ignored = {0};

        depth += text[i] == '[' || text[i] == '{';
        depth -= depth > 0 && (text[i] == ']' || text[i] == '}');
        can = depth <= VIEW_DEPTH;
        if (text[i] == '"') {
            for (i++; text[i] != '"'; i++) {
                i += text[i] == '\\';
            }
            can = can && reference_decode(text + start, i + 1 - start, &ignored);
        }
        buffer_clear(&ignored);
    }
    return can;
}

static void keep_views(const char *text, size_t size, const struct buffer *views)
{
    const char *path = getenv("FUZZ_VIEWS");
    FILE *file;

    if (path == NULL || !jq_can_read(text, size)) {
        return;
    }
    file = fopen(path, "a");
    MUST(file != NULL);
    MUST(fwrite(views->bytes, 1, views->size, file) == views->size);
    MUST(fclose(file) == 0);
}

/* The names and values of what is other people's in a record, as they are written. */
static void gather_foreign(const char *record, size_t size, struct buffer *out)
{
    const struct json_slice slice = {.at = record, .size = size, .line = 1, .file = NAME};
    struct json_cursor cursor;
    struct json_slice key;
    struct json_slice value = {.size = 0};
    struct error error;
    char name[JSON_FIELD_NAME_SIZE];
    bool more = true;

    json_cursor_into(&cursor, &slice);
    MUST(json_enter(&cursor, '{', &error) == STATUS_OK);
    while (json_next(&cursor, '}', &more, &error) == STATUS_OK && more) {
        MUST(json_key(&cursor, &key, &error) == STATUS_OK);
        MUST(json_key_text(&key, name, sizeof(name), &error) == STATUS_OK);
        MUST(json_skip(&cursor, &value, &error) == STATUS_OK);
        if (json_is_foreign(name)) {
            buffer_append(out, key.at, key.size);
            buffer_append(out, value.at, value.size);
        }
    }
    buffer_append(out, "", 1);
}

static void check_foreign(const char *before, const struct token_place *place_before,
                          const char *after, const struct token_place *place_after)
{
    struct buffer old = {0};
    struct buffer new = {0};

    gather_foreign(before + place_before->at, place_before->size, &old);
    gather_foreign(after + place_after->at, place_after->size, &new);
    MUST(old.size == new.size &&memcmp(old.bytes, new.bytes, old.size) == 0);
    buffer_clear(&old);
    buffer_clear(&new);
}

/* A rewritten text says what the set says, and those records that were not changed are as they were. */
static void check_rewritten(const struct token_json *old, const struct token_set *set,
                            const struct buffer *out)
{
    char *text = fuzz_copy(out->bytes, out->size);
    struct token_json json = {.file = NAME, .text = text, .size = out->size};
    struct token_set again = {0};
    struct buffer same = {0};
    struct error error;
    size_t count = 0;

    MUST(token_json_read_set(&json, &again, &error) == STATUS_OK);
    for (size_t i = 0; i < set->count; i++) {
        const struct token_record *record = &set->records[i];

        if (record->removed) {
            continue;
        }
        MUST(count < again.count);
        const struct token_record *read = &again.records[count++];

        MUST(fuzz_same_token(&record->token, &read->token));
        MUST(record->changed != 0 ||
             (read->place.size == record->place.size &&
              memcmp(text + read->place.at, old->text + record->place.at, read->place.size) == 0));
        if (record->place.size > 0) {
            check_foreign(old->text, &record->place, text, &read->place);
        }
    }
    MUST(count == again.count);
    MUST(token_json_write(&json, &again, &same, &error) == STATUS_OK);
    MUST(same.size == out->size && memcmp(same.bytes, out->bytes, out->size) == 0);
    token_set_clear(&again);
    buffer_clear(&same);
    free(text);
}

static void check_accepted(struct token_json *json, struct token_set *set)
{
    struct reference reference = {
        .text = json->text, .size = json->size, .depth_limit = DEPTH_LIMIT};
    struct buffer views = {0};
    struct buffer out = {0};
    struct error error;

    MUST(reference_accepts(&reference));
    MUST(!token_json_is_predecessor(json));
    check_index(json->text, json->size, set);
    buffer_append(&views, json->text, json->size);
    write_view(set, &views);
    change(set, json);
    MUST(token_json_write(json, set, &out, &error) == STATUS_OK);
    check_rewritten(json, set, &out);
    buffer_append(&views, out.bytes, out.size);
    write_view(set, &views);
    keep_views(json->text, json->size, &views);
    buffer_clear(&views);
    buffer_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    struct token_json json = {.file = NAME, .text = text, .size = size};
    struct token_set set = {0};
    struct error error;
    const enum status status = token_json_read_set(&json, &set, &error);

    if (status == STATUS_OK) {
        check_accepted(&json, &set);
    } else {
        MUST(status == STATUS_STORE);
        (void)fuzz_line_of(error.text, NAME, text, size);
    }
    token_set_clear(&set);
    free(text);
    return 0;
}
