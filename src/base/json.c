#include "base/json.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"

#include "base/banned.h"

#define DEPTH_LIMIT 512
#define DEPTH_AGAIN (DEPTH_LIMIT + 16) /* with the brackets around what was passed by its parts */
#define ESCAPE_LENGTH 6                /* of \uXXXX */
#define NO_UNIT 0x10000u

/* Fails at the cursor. */
static enum status fail(const struct json_cursor *c, struct error *error, const char *reason)
{
    return error_set(error, STATUS_STORE, "%s:%zu: %s", c->file, c->line, reason);
}

/* Fails at the cursor because something else stands there. */
static enum status unexpected(const struct json_cursor *c, struct error *error,
                              const char *expected)
{
    struct text_quoted quoted;

    if (c->at == c->end) {
        return error_set(error, STATUS_STORE, "%s:%zu: the text ends, expected %s", c->file,
                         c->line, expected);
    }
    return error_set(error, STATUS_STORE, "%s:%zu: found %s, expected %s", c->file, c->line,
                     text_quote(&quoted, c->at, 1), expected);
}

enum status json_fail(const struct json_slice *value, struct error *error, const char *format, ...)
{
    char message[ERROR_TEXT_SIZE / 2];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return error_set(error, STATUS_STORE, "%s:%zu: %s", value->file, value->line, message);
}

void json_cursor_init(struct json_cursor *cursor, const char *file, const char *text, size_t size)
{
    *cursor = (struct json_cursor){
        .file = file, .at = text, .end = text + size, .line = 1, .depth_limit = DEPTH_LIMIT};
}

void json_cursor_into(struct json_cursor *cursor, const struct json_slice *value)
{
    json_cursor_init(cursor, value->file, value->at, value->size);
    cursor->line = value->line;
    cursor->depth_limit = DEPTH_AGAIN;
}

static void skip_blanks(struct json_cursor *c)
{
    for (; c->at < c->end; c->at++) {
        if (*c->at == '\n') {
            c->line++;
        } else if (*c->at != ' ' && *c->at != '\t' && *c->at != '\r') {
            return;
        }
    }
}

/* Whether the cursor, past blanks, stands at this character; if so, passes it. */
static bool pass(struct json_cursor *c, char wanted)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != wanted) {
        return false;
    }
    c->at++;
    return true;
}

static enum status skip_escape(struct json_cursor *c, struct error *error)
{
    c->at++;
    if (c->at < c->end && *c->at == 'u') {
        for (int i = 0; i < 4; i++) {
            c->at++;
            if (c->at == c->end || strchr("0123456789abcdefABCDEF", *c->at) == NULL ||
                *c->at == '\0') {
                return unexpected(c, error, "a hex digit of a \\u escape");
            }
        }
    } else if (c->at == c->end || strchr("\"\\/bfnrt", *c->at) == NULL || *c->at == '\0') {
        return unexpected(c, error, "an escape that JSON knows");
    }
    c->at++;
    return STATUS_OK;
}

static enum status skip_string(struct json_cursor *c, struct error *error)
{
    c->at++;
    while (c->at < c->end) {
        const unsigned char byte = (unsigned char)*c->at;

        if (byte == '"') {
            c->at++;
            return STATUS_OK;
        }
        if (byte == '\\') {
            const enum status status = skip_escape(c, error);

            if (status != STATUS_OK) {
                return status;
            }
        } else if (byte < 0x20) {
            return fail(c, error,
                        byte == '\n' ? "a string does not end on its line"
                                     : "a control character inside a string");
        } else if (byte < 0x80) {
            c->at++;
        } else {
            uint32_t point;
            const size_t length = text_utf8_next(c->at, (size_t)(c->end - c->at), &point);

            if (length == 0) {
                return fail(c, error, "bytes that are not UTF-8");
            }
            c->at += length;
        }
    }
    return fail(c, error, "the text ends inside a string");
}

static bool skip_digits(struct json_cursor *c)
{
    const char *start = c->at;

    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        c->at++;
    }
    return c->at > start;
}

static enum status skip_number(struct json_cursor *c, struct error *error)
{
    if (*c->at == '-') {
        c->at++;
    }
    if (c->at < c->end && *c->at == '0') {
        c->at++; /* nothing may follow a leading zero but a point or an exponent */
    } else if (!skip_digits(c)) {
        return unexpected(c, error, "a digit");
    }
    if (c->at < c->end && *c->at == '.') {
        c->at++;
        if (!skip_digits(c)) {
            return unexpected(c, error, "a digit after the point");
        }
    }
    if (c->at < c->end && (*c->at == 'e' || *c->at == 'E')) {
        c->at++;
        if (c->at < c->end && (*c->at == '+' || *c->at == '-')) {
            c->at++;
        }
        if (!skip_digits(c)) {
            return unexpected(c, error, "a digit of the exponent");
        }
    }
    return STATUS_OK;
}

/* Passes a value that is no object and no array. */
static enum status skip_scalar(struct json_cursor *c, struct error *error)
{
    static const char *const words[] = {"true", "false", "null"};
    const size_t left = (size_t)(c->end - c->at);

    if (left > 0 && *c->at == '"') {
        return skip_string(c, error);
    }
    if (left > 0 && (*c->at == '-' || (*c->at >= '0' && *c->at <= '9'))) {
        return skip_number(c, error);
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (left >= strlen(words[i]) && memcmp(c->at, words[i], strlen(words[i])) == 0) {
            c->at += strlen(words[i]);
            return STATUS_OK;
        }
    }
    return unexpected(c, error, "a value");
}

void json_mark(struct json_cursor *cursor)
{
    skip_blanks(cursor);
    cursor->mark = cursor->at;
}

enum status json_enter(struct json_cursor *cursor, char bracket, struct error *error)
{
    if (!pass(cursor, bracket)) {
        return unexpected(cursor, error, bracket == '{' ? "'{'" : "'['");
    }
    cursor->first = true;
    return STATUS_OK;
}

enum status json_next(struct json_cursor *cursor, char bracket, bool *more, struct error *error)
{
    *more = false;
    if (pass(cursor, bracket)) {
        cursor->first = false;
        return STATUS_OK;
    }
    if (!cursor->first && !pass(cursor, ',')) {
        return unexpected(cursor, error, bracket == '}' ? "',' or '}'" : "',' or ']'");
    }
    cursor->first = false;
    skip_blanks(cursor);
    *more = true;
    return STATUS_OK;
}

enum status json_key(struct json_cursor *cursor, struct json_slice *key, struct error *error)
{
    enum status status;

    skip_blanks(cursor);
    *key = (struct json_slice){
        .at = cursor->at, .line = cursor->line, .file = cursor->file, .label = "a field's name"};
    if (cursor->at == cursor->end || *cursor->at != '"') {
        return unexpected(cursor, error, "a field's name in double quotes");
    }
    status = skip_string(cursor, error);
    if (status != STATUS_OK) {
        return status;
    }
    key->size = (size_t)(cursor->at - key->at);
    return pass(cursor, ':') ? STATUS_OK : unexpected(cursor, error, "':'");
}

enum status json_skip(struct json_cursor *cursor, struct json_slice *value, struct error *error)
{
    char closing[DEPTH_AGAIN]; /* the brackets that are open, innermost last */
    size_t depth = 0;
    enum status status = STATUS_OK;

    skip_blanks(cursor);
    *value = (struct json_slice){.at = cursor->at, .line = cursor->line, .file = cursor->file};
    do {
        struct json_slice key;
        bool more = true;

        if (depth > 0) {
            status = json_next(cursor, closing[depth - 1], &more, error);
            if (status == STATUS_OK && more && closing[depth - 1] == '}') {
                status = json_key(cursor, &key, error);
            }
            if (status != STATUS_OK) {
                return status;
            }
        }
        if (!more) {
            depth--;
            continue;
        }
        skip_blanks(cursor);
        if (cursor->at < cursor->end && (*cursor->at == '{' || *cursor->at == '[')) {
            if (depth == cursor->depth_limit) {
                return fail(cursor, error, "nested more than 512 levels deep");
            }
            closing[depth++] = *cursor->at == '{' ? '}' : ']';
            status = json_enter(cursor, *cursor->at, error);
        } else {
            status = skip_scalar(cursor, error);
        }
        if (status != STATUS_OK) {
            return status;
        }
    } while (depth > 0);
    cursor->first = false;
    value->size = (size_t)(cursor->at - value->at);
    return STATUS_OK;
}

enum status json_end(struct json_cursor *cursor, struct error *error)
{
    skip_blanks(cursor);
    return cursor->at == cursor->end ? STATUS_OK : unexpected(cursor, error, "the end of the file");
}

/* The value of the \uXXXX escape at `at`, which was checked; NO_UNIT if there is none. */
static unsigned escaped_unit(const char *at, const char *end)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    unsigned unit = 0;

    if (end - at < ESCAPE_LENGTH || at[0] != '\\' || at[1] != 'u') {
        return NO_UNIT;
    }
    for (int i = 2; i < ESCAPE_LENGTH; i++) {
        unit = unit << 4 | (unsigned)((strchr(digits, at[i]) - digits) & 15);
    }
    return unit;
}

/*
 * What is legal JSON but no text for us: U+0000, which cJSON would take for the end, and half a
 * surrogate pair. NULL when there is nothing of that kind in a checked string.
 */
static const char *find_fault(const struct json_slice *string)
{
    const char *end = string->at + string->size - 1;

    for (const char *at = string->at + 1; at < end; at++) {
        const unsigned unit = escaped_unit(at, end);

        if (unit == 0) {
            return "contains \\u0000";
        }
        if (unit >= 0xd800 && unit <= 0xdbff) {
            const unsigned low = escaped_unit(at + ESCAPE_LENGTH, end);

            if (low < 0xdc00 || low > 0xdfff) {
                return "contains half a surrogate pair";
            }
            at += ESCAPE_LENGTH;
        } else if (unit >= 0xdc00 && unit <= 0xdfff) {
            return "contains half a surrogate pair";
        }
        if (*at == '\\') {
            at++; /* whatever is escaped does not begin an escape itself */
        }
    }
    return NULL;
}

enum status json_string(const struct json_slice *value, char *out, size_t capacity,
                        struct error *error)
{
    const char *label = value->label != NULL ? value->label : "the value";
    enum status status = STATUS_OK;
    const char *fault;
    cJSON *decoded;
    size_t size;

    if (value->size < 2 || value->at[0] != '"') {
        return json_fail(value, error, "%s must be a string", label);
    }
    fault = find_fault(value);
    if (fault != NULL) {
        return json_fail(value, error, "%s %s", label, fault);
    }
    decoded = cJSON_ParseWithLengthOpts(value->at, value->size, NULL, 0);
    if (!cJSON_IsString(decoded)) {
        cJSON_Delete(decoded);
        return error_no_memory(error);
    }
    size = strlen(decoded->valuestring);
    if (size < capacity) {
        memcpy(out, decoded->valuestring, size + 1);
    } else {
        status = json_fail(value, error, "%s is longer than %zu bytes", label, capacity - 1);
    }
    secret_wipe(decoded->valuestring, size); /* a field of the predecessor's file is a secret */
    cJSON_Delete(decoded);
    return status;
}

enum status json_key_text(const struct json_slice *key, char *out, size_t capacity,
                          struct error *error)
{
    const size_t size = key->size - 2;

    if (memchr(key->at, '\\', key->size) != NULL || size >= capacity) {
        return json_string(key, out, capacity, error);
    }
    memcpy(out, key->at + 1, size);
    out[size] = '\0';
    return STATUS_OK;
}
