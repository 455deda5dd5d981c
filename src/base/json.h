/*
 * JSON (RFC 8259), strictly: UTF-8, no byte more or less than the grammar allows. The only door to
 * cJSON.
 *
 * Reading is a walk with a cursor, which checks every byte it passes and knows its line:
 *
 *     json_enter(c, '{')  while (json_next(c, '}', &more), more) { json_key(c); json_skip(c); }
 *
 * What it hands out are slices of the text that the caller owns. cJSON decodes the slices; it is
 * never shown text that the cursor has not checked, because alone it accepts malformed documents.
 * Messages read `file:line: reason`.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* One value in the text, checked. Everything is borrowed. */
struct json_slice {
    const char *at;
    size_t size;
    size_t line;       /* where it begins, from 1 */
    const char *file;  /* for messages */
    const char *label; /* what a message calls it; NULL until somebody knows */
};

struct json_cursor {
    const char *file;
    const char *at;
    const char *end;
    size_t line;
    const char *mark;   /* set by json_mark */
    size_t depth_limit; /* of brackets in one value */
    bool first;         /* the next member or element is its parent's first */
};

/* `text` and `file` are borrowed for as long as the cursor or a slice of it is used. */
void json_cursor_init(struct json_cursor *cursor, const char *file, const char *text, size_t size);

/*
 * A cursor over a slice that was handed out before. An object whose parts were passed one by one is some
 * brackets deeper as a whole, and passed nevertheless.
 */
void json_cursor_into(struct json_cursor *cursor, const struct json_slice *value);

/* Passes the bracket, '{' or '['. */
MUST_CHECK enum status json_enter(struct json_cursor *cursor, char bracket, struct error *error);

/* Remembers where the value at the cursor begins, for whoever counts from there. */
void json_mark(struct json_cursor *cursor);

/* Passes a comma to the next member or element, or the closing bracket: then `*more` is false. */
MUST_CHECK enum status json_next(struct json_cursor *cursor, char bracket, bool *more,
                                 struct error *error);

/* Passes a member's name and its colon; `key` is the string as it is written, quotes and all. */
MUST_CHECK enum status json_key(struct json_cursor *cursor, struct json_slice *key,
                                struct error *error);

/* Passes any one value, nested up to 512 levels deep (RFC 8259, section 9, allows a limit). */
MUST_CHECK enum status json_skip(struct json_cursor *cursor, struct json_slice *value,
                                 struct error *error);

/* Only white space is left. */
MUST_CHECK enum status json_end(struct json_cursor *cursor, struct error *error);

/*
 * The text of a field's name, in `out` as for json_string. Only names that are written with escapes
 * cost a decoding.
 */
MUST_CHECK enum status json_key_text(const struct json_slice *key, char *out, size_t capacity,
                                     struct error *error);

/*
 * Decodes a string into `out`, `capacity` bytes with the final NUL. Refuses what is no string, is
 * longer, or contains U+0000 or a lone surrogate. STATUS_FAILED without memory.
 */
MUST_CHECK enum status json_string(const struct json_slice *value, char *out, size_t capacity,
                                   struct error *error);

/* Fills `error` with "file:line: " and the message; always returns STATUS_STORE. */
enum status json_fail(const struct json_slice *value, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
