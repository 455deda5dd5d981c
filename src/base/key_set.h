/*
 * A set of keys of one fixed size: has this one been here before, and as which? Open addressing; about twice the
 * keys' own memory.
 */
#ifndef BASE_KEY_SET_H
#define BASE_KEY_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Initialise with `{.key_size = N}`, N at least 8. */
struct key_set {
    size_t key_size;
    uint8_t *keys;   /* in the order they came; owned */
    uint32_t *slots; /* 1 + a key's number, or 0; owned */
    size_t count;
    size_t slot_count;
};

enum key_set_result {
    KEY_SET_ADDED,
    KEY_SET_PRESENT,
    KEY_SET_NO_MEMORY
};

/* `*number` is the key's place in the order of first coming, from 0; NULL if nobody asks. */
enum key_set_result key_set_add(struct key_set *set, const void *key, size_t *number);

/* False when the key never came. */
bool key_set_find(const struct key_set *set, const void *key, size_t *number);

void key_set_clear(struct key_set *set);

#endif
