#include "verify/use_recorder.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#include "base/banned.h"

#define REPEAT_SECONDS 60
#define ENTRIES_LIMIT 65536 /* while the usage file cannot be written, later uses are not kept */
#define ENTRIES_MANY (ENTRIES_LIMIT / 2)

void use_recorder_init(struct use_recorder *recorder)
{
    *recorder = (struct use_recorder){0};
    (void)pthread_mutex_init(&recorder->lock, NULL);
    atomic_init(&recorder->pending, false);
    atomic_init(&recorder->crowded, false);
    atomic_init(&recorder->last_flush, TIME_NONE);
}

/* Keeps an entry, if there is room. The lock is held. */
static void keep(struct use_recorder *recorder, const struct usage_entry *entry)
{
    if (recorder->count == recorder->capacity && recorder->capacity < ENTRIES_LIMIT) {
        struct usage_entry *entries =
            array_grow(recorder->entries, &recorder->capacity, sizeof(*entries));

        if (entries != NULL) {
            recorder->entries = entries;
        }
    }
    if (recorder->count < recorder->capacity) {
        recorder->entries[recorder->count++] = *entry;
        atomic_store_explicit(&recorder->pending, true, memory_order_relaxed);
    }
}

static void add(struct use_recorder *recorder, const char *id, int64_t used)
{
    struct usage_entry entry = {.time = used};

    memcpy(entry.id, id, TOKEN_ID_SIZE);
    (void)pthread_mutex_lock(&recorder->lock);
    keep(recorder, &entry);
    /* Only as they come to be many: what could not be written waits for its second. */
    if (recorder->count == ENTRIES_MANY) {
        atomic_store_explicit(&recorder->crowded, true, memory_order_relaxed);
    }
    (void)pthread_mutex_unlock(&recorder->lock);
}

void use_recorder_note(struct use_recorder *recorder, struct index_token *token, int64_t now)
{
    int64_t noted = atomic_load_explicit(&token->noted, memory_order_relaxed);

    atomic_store_explicit(&token->used, now, memory_order_relaxed);
    if (noted != TIME_NONE && now >= noted && now - noted < REPEAT_SECONDS) {
        return;
    }
    if (atomic_compare_exchange_strong(&token->noted, &noted, now)) {
        add(recorder, token->id, now);
    }
}

void use_recorder_collect(struct use_recorder *recorder, struct digest_index *index)
{
    for (size_t i = 0; i < index->token_count; i++) {
        struct index_token *token = &index->tokens[i];
        const int64_t used = atomic_load_explicit(&token->used, memory_order_relaxed);
        const int64_t noted = atomic_load_explicit(&token->noted, memory_order_relaxed);

        if (used != noted) {
            atomic_store_explicit(&token->noted, used, memory_order_relaxed);
            add(recorder, token->id, used);
        }
    }
}

bool use_recorder_is_due(const struct use_recorder *recorder, int64_t now)
{
    return atomic_load_explicit(&recorder->pending, memory_order_relaxed) &&
           (atomic_load_explicit(&recorder->last_flush, memory_order_relaxed) != now ||
            atomic_load_explicit(&recorder->crowded, memory_order_relaxed));
}

/* Takes the entries out, for one thread at a time; if not, `*result` is what that means. */
static bool take(struct use_recorder *recorder, struct usage_append *append,
                 enum usage_result *result)
{
    bool taken;

    (void)pthread_mutex_lock(&recorder->lock);
    atomic_store_explicit(&recorder->last_flush, append->now, memory_order_relaxed);
    atomic_store_explicit(&recorder->crowded, false, memory_order_relaxed);
    taken = !recorder->flushing && recorder->count > 0;
    *result = recorder->flushing ? USAGE_BUSY : USAGE_APPENDED;
    if (taken) {
        append->entries = recorder->entries;
        append->count = recorder->count;
        recorder->flushing = true;
        recorder->entries = NULL;
        recorder->count = 0;
        recorder->capacity = 0;
        atomic_store_explicit(&recorder->pending, false, memory_order_relaxed);
    }
    (void)pthread_mutex_unlock(&recorder->lock);
    return taken;
}

enum usage_result use_recorder_flush(struct use_recorder *recorder, struct usage_append append)
{
    enum usage_result result;

    if (!take(recorder, &append, &result)) {
        return result;
    }
    result = usage_append(&append);
    (void)pthread_mutex_lock(&recorder->lock);
    for (size_t i = 0; i < append.count && result != USAGE_APPENDED; i++) {
        keep(recorder, &append.entries[i]);
    }
    recorder->flushing = false;
    (void)pthread_mutex_unlock(&recorder->lock);
    free((void *)append.entries);
    return result;
}

void use_recorder_clear(struct use_recorder *recorder)
{
    free(recorder->entries);
    (void)pthread_mutex_destroy(&recorder->lock);
}
