#include "token_manager/foreign_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/secret.h"
#include "base/text.h"
#include "token/token_text.h"

#include "base/banned.h"

enum status foreign_fail(const struct foreign_source *source, size_t line, const char *reason,
                         struct error *error)
{
    return error_set(error, STATUS_FAILED, "%s:%zu: %s", source->name, line, reason);
}

void foreign_text_free(char *text)
{
    if (text != NULL) {
        secret_wipe(text, strlen(text));
    }
    free(text);
}

enum status foreign_keys_add(struct foreign_keys *keys, const struct foreign_source *source,
                             const struct foreign_key *key, const struct foreign_text *text,
                             struct error *error)
{
    struct foreign_key *added;

    if (text->size == 0) {
        return foreign_fail(source, key->line, "the key is empty", error);
    }
    if (text->size > CREDENTIAL_LIMIT) {
        return foreign_fail(source, key->line, "the key is longer than 512 characters", error);
    }
    if (!text_is_visible_ascii(text->at, text->size)) {
        return foreign_fail(source, key->line,
                            "the key contains blanks, or characters other than visible ASCII",
                            error);
    }
    if (keys->count == keys->capacity) {
        struct foreign_key *items = array_grow(keys->items, &keys->capacity, sizeof(*items));

        if (items == NULL) {
            return error_no_memory(error);
        }
        keys->items = items;
    }
    added = &keys->items[keys->count++];
    *added = *key;
    added->text = strndup(text->at, text->size);
    added->name = strdup(key->name != NULL ? key->name : "");
    return added->text != NULL && added->name != NULL ? STATUS_OK : error_no_memory(error);
}

void foreign_keys_clear(struct foreign_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        foreign_text_free(keys->items[i].text);
        foreign_text_free(keys->items[i].name); /* people name keys after themselves */
    }
    free(keys->items);
    *keys = (struct foreign_keys){0};
}
