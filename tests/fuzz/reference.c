#include "reference.h"

#include <stdint.h>
#include <string.h>

static bool value(struct reference *r, size_t depth);

/* The byte at the cursor; -1 at the end. */
static int look(const struct reference *r)
{
    return r->at < r->size ? (unsigned char)r->text[r->at] : -1;
}

static bool one(struct reference *r, const char *of)
{
    const int byte = look(r);

    if (byte <= 0 || strchr(of, byte) == NULL) {
        return false;
    }
    r->at++;
    return true;
}

static bool all(struct reference *r, const char *word)
{
    while (*word != '\0' && look(r) == *word) {
        r->at++;
        word++;
    }
    return *word == '\0';
}

static bool digits(struct reference *r)
{
    if (!one(r, "0123456789")) {
        return false;
    }
    while (one(r, "0123456789")) {
    }
    return true;
}

static void white(struct reference *r)
{
    while (one(r, " \t\n\r")) {
    }
}

/* UTF8-octets as RFC 3629, section 4, lists them; every further byte is 80-BF. */
static const struct {
    unsigned char first[2];
    unsigned char second[2];
    size_t length;
} characters[] = {
    {{0x00, 0x7f}, {0, 0}, 1},       {{0xc2, 0xdf}, {0x80, 0xbf}, 2},
    {{0xe0, 0xe0}, {0xa0, 0xbf}, 3}, {{0xe1, 0xec}, {0x80, 0xbf}, 3},
    {{0xed, 0xed}, {0x80, 0x9f}, 3}, {{0xee, 0xef}, {0x80, 0xbf}, 3},
    {{0xf0, 0xf0}, {0x90, 0xbf}, 4}, {{0xf1, 0xf3}, {0x80, 0xbf}, 4},
    {{0xf4, 0xf4}, {0x80, 0x8f}, 4},
};

size_t reference_character(const char *text, size_t size)
{
    const unsigned char *s = (const unsigned char *)text;

    for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
        const size_t length = characters[i].length;
        bool good =
            size >= length && s[0] >= characters[i].first[0] && s[0] <= characters[i].first[1];

        if (good && length > 1) {
            good = s[1] >= characters[i].second[0] && s[1] <= characters[i].second[1];
        }
        for (size_t k = 2; good && k < length; k++) {
            good = s[k] >= 0x80 && s[k] <= 0xbf;
        }
        if (good) {
            return length;
        }
    }
    return 0;
}

static bool string(struct reference *r)
{
    if (!one(r, "\"")) {
        return false;
    }
    while (look(r) >= 0x20 && look(r) != '"') {
        if (one(r, "\\")) {
            if (one(r, "u")) {
                for (int i = 0; i < 4; i++) {
                    if (!one(r, "0123456789abcdefABCDEF")) {
                        return false;
                    }
                }
            } else if (!one(r, "\"\\/bfnrt")) {
                return false;
            }
        } else {
            const size_t length = reference_character(r->text + r->at, r->size - r->at);

            if (length == 0) {
                return false;
            }
            r->at += length;
        }
    }
    return one(r, "\"");
}

static bool number(struct reference *r)
{
    (void)one(r, "-");
    if (!one(r, "0") && !digits(r)) {
        return false;
    }
    if (one(r, ".") && !digits(r)) {
        return false;
    }
    if (one(r, "eE")) {
        (void)one(r, "+-");
        return digits(r);
    }
    return true;
}

static bool member(struct reference *r, size_t depth)
{
    white(r);
    if (!string(r)) {
        return false;
    }
    white(r);
    return one(r, ":") && value(r, depth);
}

/* What stands in brackets, after the first: items with commas between, and the last bracket. */
static bool items(struct reference *r, const char *closing, size_t depth,
                  bool (*item)(struct reference *, size_t))
{
    white(r);
    if (one(r, closing)) {
        return true;
    }
    do {
        if (!item(r, depth)) {
            return false;
        }
        white(r);
    } while (one(r, ","));
    return one(r, closing);
}

static bool value(struct reference *r, size_t depth)
{
    white(r);
    switch (look(r)) {
    case '{':
    case '[':
        if (depth == r->depth_limit) {
            return false;
        }
        return one(r, "{") ? items(r, "}", depth + 1, member)
                           : one(r, "[") && items(r, "]", depth + 1, value);
    case '"':
        return string(r);
    case 't':
        return all(r, "true");
    case 'f':
        return all(r, "false");
    case 'n':
        return all(r, "null");
    default:
        return number(r);
    }
}

bool reference_accepts(struct reference *r)
{
    r->at = 0;
    if (!value(r, 0)) {
        return false;
    }
    white(r);
    return r->at == r->size;
}

size_t reference_line(const struct reference *r)
{
    size_t line = 1;

    for (size_t i = 0; i < r->at; i++) {
        line += r->text[i] == '\n';
    }
    return line;
}

void reference_append(struct buffer *out, uint32_t point)
{
    unsigned char bytes[4];
    size_t length = 1;

    if (point < 0x80) {
        bytes[0] = (unsigned char)point;
    } else if (point < 0x800) {
        length = 2;
        bytes[0] = (unsigned char)(0xc0 + point / 64);
    } else if (point < 0x10000) {
        length = 3;
        bytes[0] = (unsigned char)(0xe0 + point / 4096);
    } else {
        length = 4;
        bytes[0] = (unsigned char)(0xf0 + point / 262144);
    }
    for (size_t i = length; i > 1; i--) {
        bytes[i - 1] = (unsigned char)(0x80 + point % 64);
        point /= 64;
    }
    buffer_append(out, bytes, length);
}

static uint32_t hex(const char *at)
{
    uint32_t unit = 0;

    for (int i = 0; i < 4; i++) {
        const char c = at[i];

        unit = unit * 16 + (uint32_t)(c <= '9' ? c - '0' : c <= 'F' ? c - 'A' + 10 : c - 'a' + 10);
    }
    return unit;
}

bool reference_decode(const char *string, size_t size, struct buffer *out)
{
    static const char letters[] = "bfnrt";
    static const char meanings[] = "\b\f\n\r\t";
    uint32_t high = 0; /* the first half of a pair, just before */

    for (size_t i = 1; i + 1 < size;) {
        if (string[i] != '\\' || string[i + 1] != 'u') {
            const char *letter = string[i] == '\\' ? strchr(letters, string[i + 1]) : NULL;

            if (high != 0) {
                return false;
            }
            i += string[i] == '\\';
            buffer_append(out, letter != NULL ? &meanings[letter - letters] : &string[i], 1);
            i++;
            continue;
        }
        const uint32_t unit = hex(string + i + 2);
        const bool is_low = unit >= 0xdc00 && unit < 0xe000;

        if (unit == 0 || is_low != (high != 0)) {
            return false;
        }
        if (is_low) {
            reference_append(out, 0x10000 + (high - 0xd800) * 1024 + (unit - 0xdc00));
            high = 0;
        } else if (unit >= 0xd800 && unit < 0xdc00) {
            high = unit;
        } else {
            reference_append(out, unit);
        }
        i += 6;
    }
    return high == 0;
}

bool reference_next(const char *text, size_t size, struct reference_piece *piece)
{
    size_t at = piece->at + piece->size;
    size_t end;

    while (at < size && strchr(" \t\r\n", text[at]) != NULL) {
        at++;
    }
    if (at == size) {
        return false;
    }
    end = at + 1;
    piece->kind = REFERENCE_STRUCTURE;
    if (text[at] == '"') {
        piece->kind = REFERENCE_STRING;
        for (; text[end] != '"'; end++) {
            end += text[end] == '\\';
        }
        end++;
    } else if (strchr("[]{}:,", text[at]) == NULL) {
        piece->kind = strchr("tfn", text[at]) != NULL ? REFERENCE_WORD : REFERENCE_NUMBER;
        while (end < size && strchr("[]{}:, \t\r\n", text[end]) == NULL) {
            end++;
        }
    }
    piece->at = at;
    piece->size = end - at;
    return true;
}
