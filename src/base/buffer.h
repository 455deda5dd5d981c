/*
 * A growing run of bytes. Running out of memory is remembered in `failed` rather than returned, so
 * that a writer checks once, at the end.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* Zero-initialise: `struct buffer b = {0}`, or `{.secret = true}` for what must be wiped. */
struct buffer {
    char *bytes; /* owned; NULL while empty; not NUL-terminated */
    size_t size;
    size_t capacity;
    bool secret; /* wipe the memory whenever it is given back */
    bool failed; /* memory ran out: `bytes` is cut short */
};

/* Makes room for `more` bytes beyond `size`. On false, `failed` is set and nothing else changed. */
bool buffer_reserve(struct buffer *buffer, size_t more);

void buffer_append(struct buffer *buffer, const void *bytes, size_t size);
void buffer_append_text(struct buffer *buffer, const char *text);
/* Not for secrets: printf leaves copies of what it writes on the stack. */
void buffer_appendf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Frees the bytes (wiped first if `secret`) and makes the buffer empty again. NULL is allowed. */
void buffer_clear(struct buffer *buffer);

#endif
