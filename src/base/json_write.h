/*
 * Writing JSON into a buffer. Each function that writes a member puts a comma before it, unless it
 * is the first of its object.
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* A string in quotes. Only what must be is escaped; bytes that are not UTF-8 become U+FFFD. */
void json_write_string(struct buffer *out, const char *text, size_t size);

/* `"name": `, for a value that the caller writes. */
void json_write_name(struct buffer *out, const char *name);

/* `"name": "text"`, or `"name": null` for NULL. */
void json_write_text(struct buffer *out, const char *name, const char *text);

/* `"name": "2026-11-26T11:45:23Z"`, or `"name": null` for TIME_NONE. */
void json_write_time(struct buffer *out, const char *name, int64_t time);

/* `"name": true` */
void json_write_flag(struct buffer *out, const char *name, bool flag);

/* `"name": 12` */
void json_write_count(struct buffer *out, const char *name, size_t count);

/* `"name": ["a", "b"]` */
void json_write_list(struct buffer *out, const char *name, const char *const *texts, size_t count);

#endif
