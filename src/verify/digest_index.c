#include "verify/digest_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* The slot where a digest would stand if no other were in its way. */
static size_t first_slot(const struct digest_index *index, const uint8_t *digest)
{
    uint32_t hash;

    memcpy(&hash, digest, sizeof(hash));
    /* Scales 32 random bits to the table, whatever its size. */
    return (size_t)((uint64_t)hash * index->slot_count >> 32);
}

static struct index_entry *find_slot(const struct digest_index *index, const uint8_t *digest)
{
    size_t i = first_slot(index, digest);

    while (index->entries[i].token != 0 &&
           memcmp(index->entries[i].digest, digest, DIGEST_SIZE) != 0) {
        i = i + 1 == index->slot_count ? 0 : i + 1;
    }
    return &index->entries[i];
}

/* Doubles the table; it is at most three quarters full. */
static bool grow(struct digest_index *index)
{
    struct index_entry *old = index->entries;
    const size_t old_count = index->slot_count;
    const size_t slot_count = old_count == 0 ? 32 : 2 * old_count;
    struct index_entry *entries =
        slot_count <= UINT32_MAX ? calloc(slot_count, sizeof(*entries)) : NULL;

    if (entries == NULL) {
        return false;
    }
    index->entries = entries;
    index->slot_count = slot_count;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].token != 0) {
            *find_slot(index, old[i].digest) = old[i];
        }
    }
    free(old);
    return true;
}

static bool add_entry(struct digest_index *index, const struct token_secret *secret)
{
    uint32_t grace = 0;

    if (index->entry_count + 1 > index->slot_count / 4 * 3 && !grow(index)) {
        return false;
    }
    if (secret->expires_at != TIME_NONE) {
        int64_t *ends = realloc(index->grace_ends, (index->grace_count + 1) * sizeof(*ends));

        if (ends == NULL) {
            return false;
        }
        index->grace_ends = ends;
        ends[index->grace_count++] = secret->expires_at;
        grace = (uint32_t)index->grace_count;
    }
    struct index_entry *entry = find_slot(index, secret->digest);
    memcpy(entry->digest, secret->digest, DIGEST_SIZE);
    entry->token = (uint32_t)index->token_count;
    entry->grace = grace;
    index->entry_count++;
    return true;
}

/* Keeps a text with its NUL and says where. */
static size_t keep_text(struct digest_index *index, const char *text)
{
    const size_t at = index->texts.size;

    buffer_append(&index->texts, text, strlen(text) + 1);
    return at;
}

static bool add_token(struct digest_index *index, const struct token *token)
{
    if (index->token_count == index->token_capacity) {
        const size_t capacity = index->token_capacity == 0 ? 16 : 2 * index->token_capacity;
        struct index_token *tokens = realloc(index->tokens, capacity * sizeof(*tokens));

        if (tokens == NULL) {
            return false;
        }
        index->tokens = tokens;
        index->token_capacity = capacity;
    }
    struct index_token *added = &index->tokens[index->token_count++];
    *added = (struct index_token){
        .revoked = token->revoked_at != TIME_NONE,
        .scope_count = (uint32_t)token->scope_count,
        .name = keep_text(index, token->name),
        .scopes = index->texts.size,
        .expires_at = token->expires_at,
    };
    memcpy(added->id, token->id, sizeof(added->id));
    atomic_init(&added->used, TIME_NONE);
    atomic_init(&added->noted, TIME_NONE);
    for (size_t i = 0; i < token->scope_count; i++) {
        (void)keep_text(index, token->scopes[i]);
    }
    return !index->texts.failed;
}

static void note_time(struct digest_index *index, int64_t time)
{
    if (time != TIME_NONE && (index->newest == TIME_NONE || time > index->newest)) {
        index->newest = time;
    }
}

enum status digest_index_add(struct digest_index *index, const struct token *token,
                             struct error *error)
{
    bool added = add_token(index, token) && add_entry(index, &token->secret);

    for (size_t i = 0; i < token->previous_count && added; i++) {
        added = add_entry(index, &token->previous[i]);
    }
    if (index->token_count == 1) {
        index->newest = TIME_NONE;
    }
    note_time(index, token->created_at);
    note_time(index, token->revoked_at);
    return added ? STATUS_OK : error_no_memory(error);
}

bool digest_index_find(const struct digest_index *index, const uint8_t digest[static DIGEST_SIZE],
                       struct index_match *match)
{
    const struct index_entry *entry = index->slot_count > 0 ? find_slot(index, digest) : NULL;

    if (entry == NULL || entry->token == 0) {
        return false;
    }
    match->token = &index->tokens[entry->token - 1];
    match->secret_expires_at = entry->grace != 0 ? index->grace_ends[entry->grace - 1] : TIME_NONE;
    return true;
}

const char *digest_index_name(const struct digest_index *index, const struct index_token *token)
{
    return index->texts.bytes + token->name;
}

bool digest_index_has_scope(const struct digest_index *index, const struct index_token *token,
                            const char *scope)
{
    const char *own = index->texts.bytes + token->scopes;

    for (uint32_t i = 0; i < token->scope_count; i++, own += strlen(own) + 1) {
        if (strcmp(own, scope) == 0) {
            return true;
        }
    }
    return token->scope_count == 0;
}

void digest_index_clear(struct digest_index *index)
{
    if (index != NULL) {
        free(index->entries);
        free(index->tokens);
        free(index->grace_ends);
        buffer_clear(&index->texts);
        *index = (struct digest_index){0};
    }
}
