/*
 * Uses on their way from accepted checks to the usage file: noted in memory, appended at most once a
 * second, a given token at most once a minute after its first.
 */
#ifndef VERIFY_USE_RECORDER_H
#define VERIFY_USE_RECORDER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/usage.h"
#include "verify/digest_index.h"

struct use_recorder {
    pthread_mutex_t lock; /* of the entries; never held during input or output */
    struct usage_entry *entries;
    size_t count;
    size_t capacity;
    bool flushing;              /* one thread is at it */
    _Atomic bool pending;       /* whether there are entries */
    _Atomic bool crowded;       /* whether they cannot wait for the next second */
    _Atomic int64_t last_flush; /* the second of the last try */
};

void use_recorder_init(struct use_recorder *recorder);

/* Notes a use. Cost: one relaxed store, but for the first use in a minute. */
void use_recorder_note(struct use_recorder *recorder, struct index_token *token, int64_t now);

/* Takes over what an index knows and the recorder does not, before the index goes. */
void use_recorder_collect(struct use_recorder *recorder, struct digest_index *index);

/* Whether it is time to flush. */
bool use_recorder_is_due(const struct use_recorder *recorder, int64_t now);

/*
 * Appends what was noted, as `append` says but for its entries. USAGE_BUSY when that cannot be done
 * just now: nothing is lost by trying again. While the file cannot be written at all, only a bounded
 * number of uses is kept.
 */
enum usage_result use_recorder_flush(struct use_recorder *recorder, struct usage_append append);

void use_recorder_clear(struct use_recorder *recorder);

#endif
