/*
 * Growing arrays.
 */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

/*
 * Makes room in a heap array of `*capacity` items for at least one more, doubling it. Returns the
 * array, which may have moved, and the new capacity; NULL without memory, and then nothing changed.
 */
void *array_grow(void *array, size_t *capacity, size_t item_size);

#endif
