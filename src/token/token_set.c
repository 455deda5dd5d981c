#include "token/token_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/text.h"
#include "token/token_text.h"

#include "base/banned.h"

#define BEGINNING_LEAST 4   /* characters past the scheme prefix that a selector needs */
#define CANDIDATES_SHOWN 10 /* of an ambiguous selector … */
#define NAME_SHOWN 60       /* … and bytes of their names */

void token_set_clear(struct token_set *set)
{
    if (set != NULL) {
        for (size_t i = 0; i < set->count; i++) {
            token_clear(&set->records[i].token);
        }
        free(set->records);
        *set = (struct token_set){0};
    }
}

enum status token_set_add(struct token_set *set, struct token *token,
                          const struct token_place *place, struct error *error)
{
    if (set->count == set->capacity) {
        struct token_record *records =
            array_grow(set->records, &set->capacity, sizeof(*set->records));

        if (records == NULL) {
            return error_no_memory(error);
        }
        set->records = records;
    }
    set->records[set->count++] =
        (struct token_record){.token = *token,
                              .place = place != NULL ? *place : (struct token_place){0},
                              .changed = place == NULL ? TOKEN_CHANGE_NEW : 0};
    token_init(token);
    return STATUS_OK;
}

enum status token_set_take(void *set, struct token *token, const struct token_place *place,
                           struct error *error)
{
    return token_set_add(set, token, place, error);
}

struct token_record *token_set_last(const struct token_set *set)
{
    return &set->records[set->count - 1];
}

static bool is_revoked(const struct token_record *record)
{
    return record->token.revoked_at != TIME_NONE;
}

struct token_record *token_set_find_name(const struct token_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        struct token_record *record = &set->records[i];

        if (!record->removed && !is_revoked(record) && strcmp(record->token.name, name) == 0) {
            return record;
        }
    }
    return NULL;
}

struct token_record *token_set_find_id(const struct token_set *set, const char *id)
{
    for (size_t i = 0; i < set->count; i++) {
        if (!set->records[i].removed && strcmp(set->records[i].token.id, id) == 0) {
            return &set->records[i];
        }
    }
    return NULL;
}

struct token_record *token_set_find_digest(const struct token_set *set,
                                           const uint8_t digest[static DIGEST_SIZE])
{
    for (size_t i = 0; i < set->count; i++) {
        if (!set->records[i].removed && token_has_digest(&set->records[i].token, digest)) {
            return &set->records[i];
        }
    }
    return NULL;
}

bool token_set_is_beginning(const char *text)
{
    const size_t size = strlen(text);

    return size >= token_text_scheme(text, size) + BEGINNING_LEAST;
}

bool token_set_may_begin(const char *stored, const char *text, size_t size)
{
    const size_t length = strlen(stored);
    size_t scheme;

    if (length == 0 || memcmp(stored, text, size < length ? size : length) != 0) {
        return false; /* as nearly always */
    }
    scheme = token_text_scheme(stored, length);
    return size >= scheme + BEGINNING_LEAST &&
           (size <= length || length - scheme == TOKEN_PREFIX_SHOWN);
}

static bool token_begins(const struct token *token, const char *text, size_t size)
{
    bool found = token_set_may_begin(token->secret.prefix, text, size);

    for (size_t i = 0; i < token->previous_count && !found; i++) {
        found = token_set_may_begin(token->previous[i].prefix, text, size);
    }
    return found;
}

/* What a selector matched: the candidates are counted, the first of them listed. */
struct matches {
    struct token_record *first;
    size_t count;
    struct buffer list;
};

static void add_match(struct matches *matches, struct token_record *record)
{
    const struct token *token = &record->token;

    if (matches->count == 0) {
        matches->first = record;
    }
    if (matches->count < CANDIDATES_SHOWN) {
        const size_t size = strlen(token->name);
        const size_t shown = text_clip(token->name, size, NAME_SHOWN);

        buffer_appendf(&matches->list, "\n  %s  %s...  %.*s%s%s", token->id, token->secret.prefix,
                       (int)shown, token->name, shown < size ? "..." : "",
                       is_revoked(record) ? "  (revoked)" : "");
    }
    matches->count++;
}

/* Every token that the selector means by name or by beginning. */
static void match_all(const struct token_set *set, const char *selector, struct matches *matches)
{
    const size_t size = token_text_without_dots(selector, strlen(selector));
    const bool is_taken = token_set_find_name(set, selector) != NULL;

    for (size_t i = 0; i < set->count; i++) {
        struct token_record *record = &set->records[i];
        /* By name the unrevoked are meant, where there are any. */
        const bool by_name =
            strcmp(record->token.name, selector) == 0 && (!is_taken || !is_revoked(record));

        if (!record->removed && (by_name || token_begins(&record->token, selector, size))) {
            add_match(matches, record);
        }
    }
}

enum status token_set_select(const struct token_set *set, const char *selector,
                             struct token_record **found, struct error *error)
{
    struct text_quoted quoted;
    struct matches matches = {.count = 0};
    uint8_t digest[DIGEST_SIZE];
    const size_t size = strlen(selector);

    *found = token_set_find_id(set, selector);
    if (*found == NULL) {
        secret_digest(digest, selector, size);
        *found = token_set_find_digest(set, digest);
    }
    if (*found != NULL) {
        return STATUS_OK;
    }
    match_all(set, selector, &matches);
    *found = matches.count == 1 ? matches.first : NULL;
    if (matches.count == 0) {
        return error_set(error, STATUS_NOT_FOUND,
                         "no token matches %s; give a name, an id, or the beginning of the token "
                         "with at least %d characters past its prefix, as `token_manager list` "
                         "shows them",
                         text_quote(&quoted, selector, size), BEGINNING_LEAST);
    }
    if (matches.count > 1) {
        (void)error_set(error, STATUS_AMBIGUOUS,
                        "%s means %zu tokens, so nothing was changed; use one of these ids:%.*s%s",
                        text_quote(&quoted, selector, size), matches.count, (int)matches.list.size,
                        matches.list.size > 0 ? matches.list.bytes : "",
                        matches.count > CANDIDATES_SHOWN ? "\n  ..." : "");
    }
    buffer_clear(&matches.list);
    return matches.count > 1 ? STATUS_AMBIGUOUS : STATUS_OK;
}

size_t token_set_count_active(const struct token_set *set, int64_t now)
{
    size_t active = 0;

    for (size_t i = 0; i < set->count; i++) {
        active +=
            !set->records[i].removed && token_status(&set->records[i].token, now) == TOKEN_ACTIVE;
    }
    return active;
}

void token_set_revoke(struct token_record *record, int64_t now)
{
    record->token.revoked_at = now;
    record->changed |= TOKEN_CHANGE_REVOKED;
}

void token_set_restore(struct token_record *record)
{
    record->token.revoked_at = TIME_NONE;
    record->changed |= TOKEN_CHANGE_REVOKED;
}

void token_set_expire(struct token_record *record, int64_t expires_at)
{
    struct token *token = &record->token;

    for (size_t i = 0; expires_at != TIME_NONE && i < token->previous_count; i++) {
        if (token->previous[i].expires_at > expires_at) {
            token->previous[i].expires_at = expires_at;
            token->previous[i].is_cut = true;
        }
    }
    token->expires_at = expires_at;
    record->changed |= TOKEN_CHANGE_EXPIRY;
}

enum status token_set_rotate(struct token_record *record, const struct token_secret *fresh,
                             int64_t now, int64_t grace_end, struct error *error)
{
    struct token *token = &record->token;
    struct token_secret current = token->secret;
    enum status status = STATUS_OK;
    size_t kept = 0;

    for (size_t i = 0; i < token->previous_count; i++) {
        if (grace_end > now && token->previous[i].expires_at > now) {
            token->previous[kept++] = token->previous[i];
        }
    }
    token->previous_count = kept;
    if (grace_end > now) {
        current.expires_at = grace_end;
        current.place = (struct token_place){0};
        status = token_add_previous(token, &current, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    token->secret = *fresh;
    record->changed |= TOKEN_CHANGE_SECRETS;
    return STATUS_OK;
}

void token_set_remove(struct token_record *record)
{
    record->removed = true;
}
