#include "base/json_write.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "base/timefmt.h"

#include "base/banned.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Writes what stands at `text` and returns how many bytes that took. */
static size_t write_character(struct buffer *out, const char *text, size_t size)
{
    uint32_t point;
    const size_t length = text_utf8_next(text, size, &point);

    if (length == 0) {
        buffer_append_text(out, REPLACEMENT);
        return 1;
    }
    if (point == '"' || point == '\\') {
        buffer_append(out, "\\", 1);
    }
    if (point < 0x20 || point == 0x7f) {
        buffer_appendf(out, "\\u%04x", (unsigned)point);
    } else {
        buffer_append(out, text, length);
    }
    return length;
}

void json_write_string(struct buffer *out, const char *text, size_t size)
{
    buffer_append(out, "\"", 1);
    for (size_t i = 0; i < size;) {
        i += write_character(out, text + i, size - i);
    }
    buffer_append(out, "\"", 1);
}

void json_write_name(struct buffer *out, const char *name)
{
    if (out->size > 0 && out->bytes[out->size - 1] != '{') {
        buffer_append(out, ", ", 2);
    }
    buffer_appendf(out, "\"%s\": ", name);
}

void json_write_text(struct buffer *out, const char *name, const char *text)
{
    json_write_name(out, name);
    if (text != NULL) {
        json_write_string(out, text, strlen(text));
    } else {
        buffer_append_text(out, "null");
    }
}

void json_write_time(struct buffer *out, const char *name, int64_t time)
{
    char text[TIME_TEXT_SIZE];

    if (time != TIME_NONE) {
        time_format(time, text);
    }
    json_write_text(out, name, time != TIME_NONE ? text : NULL);
}

void json_write_flag(struct buffer *out, const char *name, bool flag)
{
    json_write_name(out, name);
    buffer_append_text(out, flag ? "true" : "false");
}

void json_write_count(struct buffer *out, const char *name, size_t count)
{
    json_write_name(out, name);
    buffer_appendf(out, "%zu", count);
}

void json_write_list(struct buffer *out, const char *name, const char *const *texts, size_t count)
{
    json_write_name(out, name);
    buffer_append(out, "[", 1);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            buffer_append(out, ", ", 2);
        }
        json_write_string(out, texts[i], strlen(texts[i]));
    }
    buffer_append(out, "]", 1);
}
