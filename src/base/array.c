#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/banned.h"

void *array_grow(void *array, size_t *capacity, size_t item_size)
{
    const size_t larger = *capacity == 0 ? 16 : 2 * *capacity;
    void *grown;

    if (*capacity > SIZE_MAX / 2 / item_size) {
        return NULL;
    }
    grown = realloc(array, larger * item_size);
    if (grown != NULL) {
        *capacity = larger;
    }
    return grown;
}
