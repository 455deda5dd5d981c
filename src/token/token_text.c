#include "token/token_text.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

#include "base/banned.h"

#define RANDOM_LENGTH (TOKEN_BODY_LENGTH + TOKEN_CHECKSUM_LENGTH)
#define CUT_SHORT_LEAST 38 /* this much of 49 characters, and a foreign scheme is ours */

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool is_base62(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool token_text_is_base62(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!is_base62(text[i])) {
            return false;
        }
    }
    return true;
}

void token_text_random(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        text[i] = base62[secret_random_below(62)];
    }
}

/* Bit by bit: it runs for one new token, or to explain one refusal. */
static uint32_t crc32(const char *bytes, size_t size)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
        }
    }
    return ~crc;
}

void token_text_checksum(const char body[static TOKEN_BODY_LENGTH],
                         char checksum[static TOKEN_CHECKSUM_LENGTH])
{
    uint32_t crc = crc32(body, TOKEN_BODY_LENGTH);

    for (size_t i = TOKEN_CHECKSUM_LENGTH; i > 0; i--) {
        checksum[i - 1] = base62[crc % 62];
        crc /= 62;
    }
}

enum status token_text_scheme_check(const char *scheme, struct error *error)
{
    const size_t size = strlen(scheme);

    if (size == 0 || size > TOKEN_SCHEME_LIMIT || token_text_scheme(scheme, size) != size) {
        return error_set(error, STATUS_USAGE,
                         "--prefix must be 1 to 16 letters, digits, - and _, ending in - or _, "
                         "such as sk_live_");
    }
    if (strcmp(scheme, "tok_") == 0) {
        return error_set(error, STATUS_USAGE, "--prefix tok_ belongs to ids; choose another");
    }
    return STATUS_OK;
}

void token_text_make(const char *scheme, char text[static TOKEN_TEXT_SIZE])
{
    const size_t size = strlen(scheme);

    memcpy(text, scheme, size);
    token_text_random(text + size, TOKEN_BODY_LENGTH);
    token_text_checksum(text + size, text + size + TOKEN_BODY_LENGTH);
    text[size + RANDOM_LENGTH] = '\0';
}

size_t token_text_without_dots(const char *text, size_t size)
{
    static const char ellipsis[] = "\xe2\x80\xa6";

    if (size >= 3 && memcmp(text + size - 3, ellipsis, 3) == 0) {
        return size - 3;
    }
    while (size > 0 && text[size - 1] == '.') {
        size--;
    }
    return size;
}

size_t token_text_scheme(const char *text, size_t size)
{
    size_t scheme = 0;

    for (size_t i = 0; i < size && i < TOKEN_SCHEME_LIMIT; i++) {
        if (text[i] == '-' || text[i] == '_') {
            scheme = i + 1;
        } else if (!is_base62(text[i])) {
            break;
        }
    }
    return scheme;
}

/* Whether the checksum after the scheme prefix is right; there are enough characters. */
static bool checksum_is_right(const char *random)
{
    char checksum[TOKEN_CHECKSUM_LENGTH];

    token_text_checksum(random, checksum);
    return memcmp(checksum, random + TOKEN_BODY_LENGTH, TOKEN_CHECKSUM_LENGTH) == 0;
}

void token_text_prefix(const char *text, size_t size, char prefix[static TOKEN_PREFIX_SIZE])
{
    size_t keep = token_text_scheme(text, size) + TOKEN_PREFIX_SHOWN;

    if (token_text_shape(text, size) != TOKEN_SHAPE_WHOLE && keep > size / 4) {
        keep = size / 4;
    }
    memcpy(prefix, text, keep);
    prefix[keep] = '\0';
}

/* Three parts of base64url between dots, the first beginning as any JSON object in base64 does. */
static bool is_jwt(const char *text, size_t size)
{
    size_t dots = 0;

    if (size < 3 || memcmp(text, "eyJ", 3) != 0) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '.') {
            dots++;
        } else if (!is_base62(text[i]) && text[i] != '-' && text[i] != '_' && text[i] != '=') {
            return false;
        }
    }
    return dots == 2;
}

static bool is_digest(const char *text, size_t size)
{
    static const char label[] = TOKEN_HASH_LABEL;
    uint8_t digest[DIGEST_SIZE];

    if (size > sizeof(label) - 1 && memcmp(text, label, sizeof(label) - 1) == 0) {
        text += sizeof(label) - 1;
        size -= sizeof(label) - 1;
    }
    return secret_digest_from_hex(digest, text, size);
}

/* sk-, sk_live_ and their like: nobody's names or hosts begin so. */
static bool is_usual_scheme(const char *text, size_t scheme)
{
    return scheme >= 3 && (memcmp(text, "sk-", 3) == 0 || memcmp(text, "sk_", 3) == 0);
}

/* A scheme prefix with base62 characters behind it: how far it is from being a token. */
static enum token_shape schemed_shape(const char *text, size_t size)
{
    const size_t scheme = token_text_scheme(text, size);
    const size_t whole = token_text_without_dots(text, size);
    const size_t random = whole - scheme;

    if (whole < size && whole > scheme && scheme > 0 &&
        token_text_is_base62(text + scheme, random)) {
        return TOKEN_SHAPE_CUT_SHORT; /* as a list shows it */
    }
    if (scheme == 0 || !token_text_is_base62(text + scheme, random)) {
        return TOKEN_SHAPE_OTHER;
    }
    if (random == RANDOM_LENGTH) {
        return checksum_is_right(text + scheme) ? TOKEN_SHAPE_WHOLE : TOKEN_SHAPE_CHECKSUM;
    }
    if (random > RANDOM_LENGTH) {
        return checksum_is_right(text + scheme) ? TOKEN_SHAPE_TOO_LONG : TOKEN_SHAPE_OTHER;
    }
    return is_usual_scheme(text, scheme) || random >= CUT_SHORT_LEAST ? TOKEN_SHAPE_CUT_SHORT
                                                                      : TOKEN_SHAPE_OTHER;
}

enum token_shape token_text_shape(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r')) {
            return TOKEN_SHAPE_BLANK_INSIDE;
        }
    }
    if (!text_is_visible_ascii(text, size)) {
        return TOKEN_SHAPE_NOT_ASCII;
    }
    if (is_jwt(text, size)) {
        return TOKEN_SHAPE_JWT;
    }
    if (size > CREDENTIAL_LIMIT) {
        return TOKEN_SHAPE_TOO_LONG;
    }
    if (size >= 4 && memcmp(text, "tok_", 4) == 0 && size < RANDOM_LENGTH) {
        return TOKEN_SHAPE_ID; /* a mistyped or cut one, too */
    }
    if (is_digest(text, size)) {
        return TOKEN_SHAPE_DIGEST;
    }
    return schemed_shape(text, size);
}

static bool word_looks_like_one(const char *text, size_t size)
{
    const size_t length = token_text_without_dots(text, size);
    const size_t scheme = token_text_scheme(text, length);
    const enum token_shape shape = token_text_shape(text, length);

    if (shape == TOKEN_SHAPE_WHOLE || shape == TOKEN_SHAPE_CHECKSUM ||
        shape == TOKEN_SHAPE_TOO_LONG || shape == TOKEN_SHAPE_JWT || shape == TOKEN_SHAPE_DIGEST) {
        return true;
    }
    /* What `list` shows of one, and anything between that and the whole. */
    return is_usual_scheme(text, scheme) && length - scheme >= TOKEN_PREFIX_SHOWN &&
           token_text_is_base62(text + scheme, length - scheme);
}

/* How many characters at the beginning one of our tokens may be made of. */
static size_t key_run(const char *text, size_t size)
{
    size_t run = 0;

    while (run < size && (is_base62(text[run]) || text[run] == '-' || text[run] == '_')) {
        run++;
    }
    return run;
}

static bool is_whole(const char *text, size_t size)
{
    return token_text_shape(text, size) == TOKEN_SHAPE_WHOLE;
}

/* Whether one of the words in the text is one. */
static bool has_word(const char *text, size_t size, bool (*is_one)(const char *, size_t))
{
    bool found = false;

    for (size_t i = 0; i < size && !found;) {
        const size_t run = key_run(text + i, size - i);

        found = run > 0 && is_one(text + i, run);
        i += run > 0 ? run : 1;
    }
    return found;
}

bool token_text_looks_like_one(const char *text, size_t size)
{
    return word_looks_like_one(text, size) || has_word(text, size, word_looks_like_one);
}

bool token_text_has_whole(const char *text, size_t size)
{
    return has_word(text, size, is_whole);
}
