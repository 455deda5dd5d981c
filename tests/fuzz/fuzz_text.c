/*
 * Any bytes as an argument, a name or a note: shown in a message they do a terminal no harm and tell no
 * secret, and characters are what another reader of UTF-8 takes for one.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "reference.h"
#include "token/token.h"
#include "token/token_set.h"
#include "token/token_text.h"

#define SECRET_LEAST 20 /* characters of a run that may be a secret */
#define SECRET_SHOWN 14

static void check_characters(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char *rest = fuzz_copy(text + i, size - i);
        uint32_t point;

        MUST(text_utf8_next(rest, size - i, &point) == reference_character(rest, size - i));
        free(rest);
        i += size > 64 ? size / 64 : 0; /* enough of a long text */
    }
}

/* How often a word is in a text. */
static size_t count_of(const char *text, size_t size, const char *word)
{
    const size_t length = strlen(word);
    size_t found = 0;

    for (size_t i = 0; i + length <= size; i++) {
        found += memcmp(text + i, word, length) == 0;
    }
    return found;
}

/* A message without what stands for bytes that cannot be shown, \xNN, whose digits are nobody's. */
static char *without_escapes(const char *message)
{
    char *shown = fuzz_copy(message, strlen(message) + 1);
    char *out = shown;

    for (const char *at = message; *at != '\0';) {
        const bool is_escape = strncmp(at, "\\x", 2) == 0 && strlen(at) >= 4;

        *out++ = *at;
        at += is_escape ? 4 : 1;
    }
    *out = '\0';
    return shown;
}

/* Of what may be a secret, a message shows the beginning alone, unless that is there by itself too. */
static void check_untold(const char *message, const char *text, size_t size)
{
    char run[SECRET_LEAST + 1] = "";
    char *shown = without_escapes(message);

    for (size_t i = 0; i + SECRET_LEAST <= size; i++) {
        memcpy(run, text + i, SECRET_LEAST);
        if (token_text_is_base62(run, SECRET_LEAST) && strpbrk(run, "0123456789") != NULL) {
            run[SECRET_SHOWN + 1] = '\0';
            MUST(strstr(shown, run) == NULL || count_of(text, size, run) > 1);
        }
    }
    free(shown);
}

static void check_quote(const char *text, size_t size)
{
    struct text_quoted quoted;
    const char *message = text_quote(&quoted, text, size);
    const size_t length = strlen(message);

    MUST(length >= 2 && length < TEXT_QUOTED_SIZE && message[0] == '"' &&
         message[length - 1] == '"');
    MUST(fuzz_is_harmless(message, length));
    if (memchr(text, '\0', size) == NULL) {
        check_untold(message, text, size);
    }
}

/* What a name may be can be shown as it is. */
static void check_names(const char *text, size_t size)
{
    struct error error;

    if (token_name_check(text, size, &error) == STATUS_OK) {
        MUST(token_name_check_stored(text, size, &error) == STATUS_OK);
        MUST(size < TOKEN_NAME_SIZE && fuzz_is_harmless(text, size));
        MUST(!token_text_looks_like_one(text, size));
    }
    if (token_note_check(text, size, &error) == STATUS_OK) {
        MUST(size < TOKEN_NOTE_SIZE && fuzz_is_harmless(text, size));
    }
    if (token_is_scope(text, size)) {
        MUST(size < TOKEN_SCOPE_SIZE && text_is_visible_ascii(text, size));
    }
}

/* Anything may be typed to mean a token: it means that one or none. */
static void check_selector(const char *text, size_t size)
{
    struct token_set set = {0};
    struct token_record *found = NULL;
    struct token token;
    struct error error;
    char *selector = malloc(size + 1);

    MUST(selector != NULL);
    memcpy(selector, text, size);
    selector[size] = '\0';
    token_init(&token);
    memcpy(token.id, "tok_0000000000000001", TOKEN_ID_SIZE);
    memcpy(token.secret.prefix, "sk-0123456789A", 15);
    token.name = fuzz_copy("name", 5);
    MUST(token_set_add(&set, &token, NULL, &error) == STATUS_OK);
    if (token_set_select(&set, selector, &found, &error) == STATUS_OK) {
        MUST(found == &set.records[0]);
        MUST(strcmp(selector, "name") == 0 || strcmp(selector, "tok_0000000000000001") == 0 ||
             strncmp(selector, "sk-0123", 7) == 0);
    } else {
        MUST(fuzz_is_harmless(error.text, strlen(error.text)) || strchr(error.text, '\n') != NULL);
    }
    token_clear(&token);
    token_set_clear(&set);
    free(selector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    const char *trimmed = text;
    size_t trimmed_size = size;
    struct buffer encoded = {0};

    check_characters(text, size);
    check_quote(text, size);
    check_names(text, size);
    check_selector(text, size);
    text_trim(&trimmed, &trimmed_size);
    MUST(trimmed >= text && trimmed + trimmed_size <= text + size);
    MUST(text_clip(text, size, size / 2) <= size / 2);
    text_percent_encode(&encoded, text, size);
    MUST(encoded.size >= size && text_is_visible_ascii(encoded.bytes, encoded.size));
    buffer_clear(&encoded);
    free(text);
    return 0;
}
