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
    static const struct {
        uint32_t first;
        uint32_t last;
    } ranges[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},       /* control characters */
        {0x2028, 0x202e}, {0x2066, 0x2069},   /* line ends, bidirectional overrides */
        {0x061c, 0x061c}, {0x200e, 0x200f},   /* bidirectional marks */
        {0x00ad, 0x00ad}, {0x034f, 0x034f},   /* what is not seen: soft hyphen, joiner, … */
        {0x115f, 0x1160}, {0x17b4, 0x17b5},   /* … */
        {0x180b, 0x180f}, {0x200b, 0x200b},   /* … */
        {0x2060, 0x2065}, {0x3164, 0x3164},   /* … */
        {0xfeff, 0xfeff}, {0xffa0, 0xffa0},   /* … */
        {0xfff0, 0xfffb}, {0xe0000, 0xe0fff}, /* … tags and variation selectors */
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (point >= ranges[i].first && point <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

bool text_is_blank(uint32_t point)
{
    return point == ' ' || (point >= '\t' && point <= '\r') || point == 0x85 || point == 0xa0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200b) || point == 0x2028 ||
           point == 0x2029 || point == 0x202f || point == 0x205f || point == 0x3000;
}

size_t text_clip(const char *text, size_t size, size_t limit)
{
    if (size <= limit) {
        return size;
    }
    while (limit > 0 && ((unsigned char)text[limit] & 0xc0) == 0x80) {
        limit--; /* back to where a character begins */
    }
    return limit;
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

/* How many bytes at the start of `text` a key may be made of; and if they may be one. */
static size_t word_run(const char *text, size_t size, bool *may_be_secret)
{
    bool digit = false;
    bool upper = false;
    bool lower = false;
    size_t run = 0;

    for (; run < size; run++) {
        const char c = text[run];

        if (c >= '0' && c <= '9') {
            digit = true;
        } else if (c >= 'A' && c <= 'Z') {
            upper = true;
        } else if (c >= 'a' && c <= 'z') {
            lower = true;
        } else if (c == '\0' || strchr("-_+/=.~", c) == NULL) {
            break;
        }
    }
    *may_be_secret = run >= SECRET_RUN && (digit || (upper && lower));
    return run;
}

/* A message's quotation while it grows. */
struct quotation {
    char *out;
    size_t shown; /* characters of the original */
};

static void show_run(struct quotation *q, const char *text, size_t run, bool may_be_secret)
{
    size_t keep = run;

    if (may_be_secret) {
        keep = run / 4 < SECRET_SHOWN_MAX ? run / 4 : SECRET_SHOWN_MAX;
    } else if (keep > SHOWN_LIMIT - q->shown) {
        keep = SHOWN_LIMIT - q->shown;
    }
    memcpy(q->out, text, keep);
    q->out += keep;
    q->shown += keep;
    if (keep < run) {
        memcpy(q->out, "...", 3);
        q->out += 3;
    }
}

/* One character that is not part of a run; returns its length. */
static size_t show_character(struct quotation *q, const char *text, size_t size)
{
    uint32_t point;
    const size_t length = text_utf8_next(text, size, &point);

    q->shown++;
    if (length == 0 || text_is_control(point)) {
        (void)snprintf(q->out, 5, "\\x%02x", (unsigned)(unsigned char)text[0]);
        q->out += 4;
        return 1;
    }
    memcpy(q->out, text, length);
    q->out += length;
    return length;
}

const char *text_quote(struct text_quoted *quoted, const char *text, size_t size)
{
    struct quotation q = {.out = quoted->text};
    size_t i = 0;

    *q.out++ = '"';
    while (i < size && q.shown < SHOWN_LIMIT) {
        bool may_be_secret;
        const size_t run = word_run(text + i, size - i, &may_be_secret);

        if (run > 0) {
            show_run(&q, text + i, run, may_be_secret);
            i += run;
        } else {
            i += show_character(&q, text + i, size - i);
        }
    }
    if (i < size) {
        memcpy(q.out, "...", 3);
        q.out += 3;
    }
    *q.out++ = '"';
    *q.out = '\0';
    return quoted->text;
}

bool text_is_harmless(const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        uint32_t point;
        const size_t length = text_utf8_next(text + i, size - i, &point);

        if (length == 0 || text_is_control(point)) {
            return false;
        }
        i += length;
    }
    return true;
}

/* One byte, as it stands in single quotes, or in $'…'; returns how many it became. */
static size_t put_shell_byte(char *out, char c, bool escapes)
{
    const unsigned char byte = (unsigned char)c;

    if (escapes && (byte < 0x20 || byte >= 0x7f)) {
        (void)snprintf(out, 5, "\\%03o", (unsigned)byte);
        return 4;
    }
    if (escapes && (c == '\'' || c == '\\')) {
        out[0] = '\\';
        out[1] = c;
        return 2;
    }
    if (c == '\'') {
        static const char again[] = "'\\''"; /* out of the quotes and back */

        memcpy(out, again, sizeof(again) - 1);
        return sizeof(again) - 1;
    }
    out[0] = c;
    return 1;
}

const char *text_shell(struct text_shell *word, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "_@%+=:,./-";
    const size_t size = strlen(text);
    const bool escapes = !text_is_harmless(text, size);
    char *out = word->text;

    if (size > 0 && size < sizeof(word->text) && strspn(text, plain) == size) {
        memcpy(word->text, text, size + 1);
        return word->text;
    }
    *out++ = '$';
    *out++ = '\'';
    for (size_t i = 0; i < size; i++) {
        if ((size_t)(out - word->text) + 6 > sizeof(word->text)) { /* a byte, a quote, a NUL */
            memcpy(word->text, "FILE", 5);
            return word->text;
        }
        out += put_shell_byte(out, text[i], escapes);
    }
    *out++ = '\'';
    *out = '\0';
    return escapes ? word->text : memmove(word->text, word->text + 1, strlen(word->text));
}

bool text_equal_nocase(const char *a, const char *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const char x = a[i] >= 'A' && a[i] <= 'Z' ? (char)(a[i] + ('a' - 'A')) : a[i];
        const char y = b[i] >= 'A' && b[i] <= 'Z' ? (char)(b[i] + ('a' - 'A')) : b[i];

        if (x != y) {
            return false;
        }
    }
    return true;
}

bool text_is_word(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && text_equal_nocase(text, word, size);
}

void text_percent_encode(struct buffer *out, const char *text, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = (unsigned char)text[i];

        if (byte > 0x20 && byte < 0x7f && byte != '%') {
            buffer_append(out, text + i, 1);
        } else {
            const char encoded[3] = {'%', digits[byte >> 4], digits[byte & 15]};

            buffer_append(out, encoded, sizeof(encoded));
        }
    }
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
