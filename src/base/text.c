#include "base/text.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

#define SHOWN_LIMIT 100     /* characters of an argument that a message repeats */
#define SECRET_RUN 20       /* a run this long may be a secret */
#define SECRET_SHOWN_MAX 14 /* what a listing shows of a token is no secret: "sk-" and 11 more */

size_t text_utf8_next(const char *text, size_t size, uint32_t *point)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t length;
    uint32_t value;
    uint32_t least;

    if (size == 0) {
        return 0;
    }
    if (s[0] < 0x80) {
        *point = s[0];
        return 1;
    }
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        length = 2;
        value = s[0] & 0x1fu;
        least = 0x80;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        length = 3;
        value = s[0] & 0x0fu;
        least = 0x800;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        length = 4;
        value = s[0] & 0x07u;
        least = 0x10000;
    } else {
        return 0;
    }
    if (size < length) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0u) != 0x80u) {
            return 0;
        }
        value = value << 6 | (s[i] & 0x3fu);
    }
    if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
        return 0;
    }
    *point = value;
    return length;
}

bool text_is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) ||
           (point >= 0x2028 && point <= 0x202e) || /* line ends, bidirectional overrides */
           (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

bool text_is_blank(uint32_t point)
{
    return point == ' ' || (point >= '\t' && point <= '\r') || point == 0x85 || point == 0xa0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200b) || point == 0x2028 ||
           point == 0x2029 || point == 0x202f || point == 0x205f || point == 0x3000;
}

bool text_is_visible_ascii(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] < 0x21 || text[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

/* How many bytes at the start of `text` are letters, digits, - or _; and if that may be a secret. */
static size_t word_run(const char *text, size_t size, bool *may_be_secret)
{
    bool has_digit = false;
    size_t run = 0;

    for (; run < size; run++) {
        const char c = text[run];
        const bool digit = c >= '0' && c <= '9';

        if (!digit && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && c != '-' && c != '_') {
            break;
        }
        has_digit = has_digit || digit;
    }
    *may_be_secret = run >= SECRET_RUN && has_digit;
    return run;
}

const char *text_quote(struct text_quoted *quoted, const char *text, size_t size)
{
    char *out = quoted->text;
    size_t shown = 0;
    size_t i = 0;

    *out++ = '"';
    while (i < size && shown < SHOWN_LIMIT) {
        bool may_be_secret;
        const size_t run = word_run(text + i, size - i, &may_be_secret);
        uint32_t point;

        if (may_be_secret) {
            const size_t keep = run / 4 < SECRET_SHOWN_MAX ? run / 4 : SECRET_SHOWN_MAX;

            memcpy(out, text + i, keep);
            memcpy(out + keep, "...", 3);
            out += keep + 3;
            i += run;
            shown += keep;
            continue;
        }
        /* A run that is no secret is copied whole, so that its tail is not judged on its own. */
        for (size_t left = run; left > 0 && shown < SHOWN_LIMIT; left--, shown++) {
            *out++ = text[i++];
        }
        if (run > 0) {
            continue;
        }
        const size_t length = text_utf8_next(text + i, size - i, &point);
        if (length == 0 || text_is_control(point)) {
            (void)snprintf(out, 5, "\\x%02x", (unsigned)(unsigned char)text[i]);
            out += 4;
            i += 1;
        } else {
            memcpy(out, text + i, length);
            out += length;
            i += length;
        }
        shown++;
    }
    if (i < size) {
        memcpy(out, "...", 3);
        out += 3;
    }
    *out++ = '"';
    *out = '\0';
    return quoted->text;
}

size_t text_distance(const char *a, const char *b)
{
    size_t row[33];
    const size_t rows = strlen(a);
    const size_t columns = strlen(b);

    if (rows >= 32 || columns >= 32) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= columns; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= rows; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            const size_t change = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = row[j] < change ? row[j] : change;
        }
    }
    return row[columns];
}

void text_trim(const char **text, size_t *size)
{
    while (*size > 0 && ((*text)[0] == ' ' || ((*text)[0] >= '\t' && (*text)[0] <= '\r'))) {
        (*text)++;
        (*size)--;
    }
    while (*size > 0 && ((*text)[*size - 1] == ' ' ||
                         ((*text)[*size - 1] >= '\t' && (*text)[*size - 1] <= '\r'))) {
        (*size)--;
    }
}
