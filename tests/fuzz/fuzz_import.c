/*
 * Any text for a file of keys from elsewhere, in each format and by its looks. Refused, it is with name,
 * line and reason, and no key is told. Accepted, every key can be one, and gets a name that is allowed
 * and nobody else's.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/timefmt.h"
#include "token/token_json.h"
#include "token/token_text.h"
#include "token_manager/foreign_format.h"
#include "token_manager/import_names.h"

#define NAME "keys"
#define TOLD_MOST 20 /* of a key in a message: less than a quarter of a token, more than a word */

static void check_names(const struct foreign_keys *keys)
{
    struct import_names names = IMPORT_NAMES_INIT;
    struct key_set chosen = {.key_size = DIGEST_SIZE};
    struct error error;

    for (size_t i = 0; i < keys->count; i++) {
        char name[TOKEN_NAME_SIZE];
        uint8_t digest[DIGEST_SIZE];

        MUST(import_names_choose(&names, keys->items[i].name, i + 1, name, &error) == STATUS_OK);
        MUST(token_name_check(name, strlen(name), &error) == STATUS_OK);
        secret_digest(digest, name, strlen(name));
        MUST(key_set_add(&chosen, digest, NULL) == KEY_SET_ADDED);
    }
    key_set_clear(&chosen);
    import_names_clear(&names);
}

static void check_keys(const struct foreign_keys *keys, const char *text, size_t size)
{
    size_t line = 1;
    size_t lines = 1;

    for (size_t i = 0; i < size; i++) {
        lines += text[i] == '\n';
    }
    for (size_t i = 0; i < keys->count; i++) {
        const struct foreign_key *key = &keys->items[i];
        const size_t length = strlen(key->text);
        char prefix[TOKEN_PREFIX_SIZE];
        char time[TIME_TEXT_SIZE];

        MUST(length > 0 && length <= CREDENTIAL_LIMIT && text_is_visible_ascii(key->text, length));
        MUST(key->line >= line && key->line <= lines);
        line = key->line;
        token_text_prefix(key->text, length, prefix);
        time_format(key->created_at, time);
        time_format(key->last_used, time);
    }
    check_names(keys);
}

/* No word of the text that could be a secret is in the message. */
static void check_untold(const char *message, const char *text, size_t size)
{
    char word[TOLD_MOST + 1] = "";

    for (size_t i = 0; i + TOLD_MOST <= size; i++) {
        memcpy(word, text + i, TOLD_MOST);
        if (token_text_is_base62(word, TOLD_MOST) && strpbrk(word, "0123456789") != NULL) {
            MUST(strstr(message, word) == NULL);
        }
    }
}

static void check_format(const char *text, size_t size, enum foreign_format format)
{
    const struct foreign_source source = {
        .name = NAME, .text = text, .size = size, .format = format};
    struct foreign_keys keys = {0};
    struct error error;
    const enum status status = foreign_format_read_keys(&keys, &source, &error);

    if (status == STATUS_OK) {
        check_keys(&keys, text, size);
    } else {
        MUST(status == STATUS_FAILED);
        (void)fuzz_line_of(error.text, NAME, text, size);
        check_untold(error.text, text, size);
    }
    foreign_keys_clear(&keys);
}

/* A file of the predecessor's that can be imported is never taken for a token file. */
static void check_predecessor(const char *text, size_t size)
{
    const struct foreign_source source = {
        .name = NAME, .text = text, .size = size, .format = FOREIGN_PREDECESSOR};
    struct token_json json = {.file = NAME, .text = text, .size = size};
    struct foreign_keys keys = {0};
    struct token_set set = {0};
    struct error error;

    if (token_json_read_set(&json, &set, &error) == STATUS_OK) {
        MUST(foreign_format_read_keys(&keys, &source, &error) == STATUS_FAILED);
    }
    foreign_keys_clear(&keys);
    token_set_clear(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    static bool is_set;

    if (!is_set) { /* a zone with summer time, on every machine */
        MUST(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1) == 0);
        tzset();
        is_set = true;
    }
    for (enum foreign_format format = FOREIGN_BY_LOOKING; format <= FOREIGN_ENV; format++) {
        check_format(text, size, format);
    }
    check_predecessor(text, size);
    free(text);
    return 0;
}
