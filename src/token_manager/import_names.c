#include "token_manager/import_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/secret.h"
#include "base/text.h"

#include "base/banned.h"

#define SUFFIX_SIZE 24 /* " (2)", " (3)", … */

/* The text that people see as a name: no control characters, no invalid bytes, no blanks around. */
static void clean_name(const char *raw, char name[static TOKEN_NAME_SIZE])
{
    const size_t size = strlen(raw);
    size_t used = 0;
    size_t characters = 0;
    size_t last_end = 0; /* of the last character that is no blank */

    for (size_t i = 0; i < size && characters < TOKEN_NAME_LIMIT;) {
        uint32_t point;
        const size_t length = text_utf8_next(raw + i, size - i, &point);

        /* Leading blanks do not count as characters. */
        if (length > 0 && !text_is_control(point) && !(used == 0 && text_is_blank(point))) {
            memcpy(name + used, raw + i, length);
            used += length;
            characters++;
            last_end = text_is_blank(point) ? last_end : used;
        }
        i += length > 0 ? length : 1;
    }
    name[last_end] = '\0';
}

/* `name` with a number behind it, shortened where that would make it too long. */
static void number_name(const char *name, size_t number, char out[static TOKEN_NAME_SIZE])
{
    char suffix[SUFFIX_SIZE];
    const int suffix_length = snprintf(suffix, sizeof(suffix), " (%zu)", number);
    const size_t size = strlen(name);
    size_t keep = 0;

    for (int room = TOKEN_NAME_LIMIT - suffix_length; room > 0 && keep < size; room--) {
        uint32_t point;

        keep += text_utf8_next(name + keep, size - keep, &point);
    }
    memcpy(out, name, keep);
    memcpy(out + keep, suffix, (size_t)suffix_length + 1);
}

/* Takes a name; `*number` is its place among those that are taken. */
static enum key_set_result take(struct import_names *names, const char *name, size_t *number)
{
    uint8_t digest[DIGEST_SIZE];
    enum key_set_result result;

    secret_digest(digest, name, strlen(name));
    result = key_set_add(&names->taken, digest, number);
    while (result == KEY_SET_ADDED && *number >= names->capacity) {
        size_t *next = array_grow(names->next, &names->capacity, sizeof(*next));

        if (next == NULL) {
            return KEY_SET_NO_MEMORY;
        }
        names->next = next;
    }
    if (result == KEY_SET_ADDED) {
        names->next[*number] = 2;
    }
    return result;
}

enum status import_names_take(struct import_names *names, const char *name, struct error *error)
{
    size_t number;

    return take(names, name, &number) != KEY_SET_NO_MEMORY ? STATUS_OK : error_no_memory(error);
}

enum status import_names_choose(struct import_names *names, const char *wanted, size_t position,
                                char name[static TOKEN_NAME_SIZE], struct error *error)
{
    struct error ignored;
    char base[TOKEN_NAME_SIZE];
    enum key_set_result result;
    size_t first;
    size_t number;

    clean_name(wanted, base);
    if (token_name_check(base, strlen(base), &ignored) != STATUS_OK) {
        (void)snprintf(base, sizeof(base), "imported-%zu", position);
    }
    memcpy(name, base, sizeof(base));
    result = take(names, name, &first);
    while (result == KEY_SET_PRESENT) {
        number_name(base, names->next[first]++, name);
        result = take(names, name, &number);
    }
    return result == KEY_SET_ADDED ? STATUS_OK : error_no_memory(error);
}

void import_names_clear(struct import_names *names)
{
    key_set_clear(&names->taken);
    free(names->next);
}
