#include "token_manager/import_names.h"

#include <stdio.h>
#include <string.h>

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
    const char *trimmed = name;

    for (size_t i = 0; i < size && characters < TOKEN_NAME_LIMIT;) {
        uint32_t point;
        const size_t length = text_utf8_next(raw + i, size - i, &point);

        /* Leading blanks do not count as characters. */
        if (length > 0 && !text_is_control(point) && !(used == 0 && text_is_blank(point))) {
            memcpy(name + used, raw + i, length);
            used += length;
            characters++;
        }
        i += length > 0 ? length : 1;
    }
    text_trim(&trimmed, &used);
    name[used] = '\0';
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

static enum key_set_result take(struct import_names *names, const char *name)
{
    uint8_t digest[DIGEST_SIZE];

    secret_digest(digest, name, strlen(name));
    return key_set_add(&names->taken, digest, NULL);
}

enum status import_names_take(struct import_names *names, const char *name, struct error *error)
{
    return take(names, name) != KEY_SET_NO_MEMORY ? STATUS_OK : error_no_memory(error);
}

enum status import_names_choose(struct import_names *names, const char *wanted, size_t position,
                                char name[static TOKEN_NAME_SIZE], struct error *error)
{
    struct error ignored;
    char base[TOKEN_NAME_SIZE];
    enum key_set_result result;

    clean_name(wanted, base);
    if (token_name_check(base, strlen(base), &ignored) != STATUS_OK) {
        (void)snprintf(base, sizeof(base), "imported-%zu", position);
    }
    memcpy(name, base, sizeof(base));
    result = take(names, name);
    for (size_t number = 2; result == KEY_SET_PRESENT; number++) {
        number_name(base, number, name);
        result = take(names, name);
    }
    return result == KEY_SET_ADDED ? STATUS_OK : error_no_memory(error);
}

void import_names_clear(struct import_names *names)
{
    key_set_clear(&names->taken);
}
