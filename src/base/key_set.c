#include "base/key_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* The keys are random already, or chosen by the one whose file it is: mixing a little is enough. */
static size_t first_slot(const struct key_set *set, const void *key)
{
    uint64_t hash;

    memcpy(&hash, key, sizeof(hash));
    hash *= 0x9e3779b97f4a7c15u; /* 2^64 divided by the golden ratio: Knuth, TAOCP 3, 6.4 */
    return (size_t)(hash >> 32) & (set->slot_count - 1);
}

/* The slot that holds the key, or the empty one where it belongs. */
static uint32_t *find_slot(const struct key_set *set, const void *key)
{
    size_t i = first_slot(set, key);

    while (set->slots[i] != 0 &&
           memcmp(set->keys + (set->slots[i] - 1) * set->key_size, key, set->key_size) != 0) {
        i = (i + 1) & (set->slot_count - 1);
    }
    return &set->slots[i];
}

static bool grow(struct key_set *set)
{
    const size_t slot_count = set->slot_count == 0 ? 64 : 2 * set->slot_count;
    uint8_t *keys;

    if (slot_count > UINT32_MAX || slot_count > SIZE_MAX / set->key_size) {
        return false;
    }
    keys = realloc(set->keys, slot_count / 2 * set->key_size);
    if (keys == NULL) {
        return false;
    }
    set->keys = keys;
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    free(set->slots);
    set->slots = slots;
    set->slot_count = slot_count;
    for (size_t i = 0; i < set->count; i++) {
        *find_slot(set, set->keys + i * set->key_size) = (uint32_t)i + 1;
    }
    return true;
}

enum key_set_result key_set_add(struct key_set *set, const void *key, size_t *number)
{
    enum key_set_result result = KEY_SET_PRESENT;
    uint32_t *slot;

    if (set->count >= set->slot_count / 2 && !grow(set)) {
        return KEY_SET_NO_MEMORY;
    }
    slot = find_slot(set, key);
    if (*slot == 0) {
        memcpy(set->keys + set->count * set->key_size, key, set->key_size);
        *slot = (uint32_t)++set->count;
        result = KEY_SET_ADDED;
    }
    if (number != NULL) {
        *number = *slot - 1;
    }
    return result;
}

bool key_set_find(const struct key_set *set, const void *key, size_t *number)
{
    const uint32_t slot = set->slot_count > 0 ? *find_slot(set, key) : 0;

    *number = slot > 0 ? slot - 1 : 0;
    return slot > 0;
}

void key_set_clear(struct key_set *set)
{
    if (set != NULL) {
        free(set->keys);
        free(set->slots);
        *set = (struct key_set){.key_size = set->key_size};
    }
}
