#include "base/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#include "base/banned.h"

static void release(struct buffer *buffer)
{
    if (buffer->secret) {
        secret_wipe(buffer->bytes, buffer->capacity);
    }
    free(buffer->bytes);
}

bool buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t capacity = buffer->capacity;
    char *bytes;

    if (more <= capacity - buffer->size) {
        return true;
    }
    if (more > SIZE_MAX / 2 - buffer->size) {
        buffer->failed = true;
        return false;
    }
    capacity = buffer->size + more > 2 * capacity ? buffer->size + more : 2 * capacity;
    /* Not realloc for secrets: it would leave an unwiped copy behind. */
    bytes = buffer->secret ? malloc(capacity) : realloc(buffer->bytes, capacity);
    if (bytes == NULL) {
        buffer->failed = true;
        return false;
    }
    if (buffer->secret) {
        if (buffer->size > 0) {
            memcpy(bytes, buffer->bytes, buffer->size);
        }
        release(buffer);
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t size)
{
    if (size > 0 && !buffer->failed && buffer_reserve(buffer, size)) {
        memcpy(buffer->bytes + buffer->size, bytes, size);
        buffer->size += size;
    }
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_appendf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_list again;
    int length;

    va_start(args, format);
    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        buffer->failed = true;
    } else if (!buffer->failed && buffer_reserve(buffer, (size_t)length + 1)) {
        (void)vsnprintf(buffer->bytes + buffer->size, (size_t)length + 1, format, again);
        buffer->size += (size_t)length;
    }
    va_end(again);
}

void buffer_clear(struct buffer *buffer)
{
    if (buffer != NULL) {
        release(buffer);
        *buffer = (struct buffer){.secret = buffer->secret};
    }
}
