#include "base/json.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#include "base/banned.h"

#define DEPTH_LIMIT 512

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
        return error_set(error, STATUS_STORE, "%s:%zu: the text ends where %s should be", c->file,
                         c->line, expected);
    }
    return error_set(error, STATUS_STORE, "%s:%zu: %s where %s should be", c->file, c->line,
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
    *cursor = (struct json_cursor){.file = file, .at = text, .end = text + size, .line = 1};
}

void json_cursor_into(struct json_cursor *cursor, const struct json_slice *value)
{
    json_cursor_init(cursor, value->file, value->at, value->size);
    cursor->line = value->line;
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
    char closing[DEPTH_LIMIT]; /* the brackets that are open, innermost last */
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
            if (depth == DEPTH_LIMIT) {
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

/* Whether a checked string contains \u0000, which cJSON would take for its end. */
static bool has_nul(const struct json_slice *string)
{
    for (size_t i = 1; i + 1 < string->size; i++) {
        if (string->at[i] == '\\') {
            if (memcmp(string->at + i, "\\u0000", 6) == 0) {
                return true;
            }
            i++; /* whatever is escaped does not begin an escape itself */
        }
    }
    return false;
}

enum status json_string(const struct json_slice *value, char *out, size_t capacity,
                        struct error *error)
{
    const char *label = value->label != NULL ? value->label : "the value";
    enum status status = STATUS_OK;
    cJSON *decoded;
    size_t size;

    if (value->size < 2 || value->at[0] != '"') {
        return json_fail(value, error, "%s must be a string", label);
    }
    if (has_nul(value)) {
        return json_fail(value, error, "%s contains \\u0000", label);
    }
    decoded = cJSON_ParseWithLengthOpts(value->at, value->size, NULL, 0);
    if (!cJSON_IsString(decoded)) {
        status =
            json_fail(value, error, "%s cannot be decoded: a lone surrogate, or no memory", label);
        goto out;
    }
    size = strlen(decoded->valuestring);
    if (size >= capacity) {
        status = json_fail(value, error, "%s is longer than %zu bytes", label, capacity - 1);
        goto out;
    }
    memcpy(out, decoded->valuestring, size + 1);
out:
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

enum status json_number(const struct json_slice *value, double *out, struct error *error)
{
    const char *label = value->label != NULL ? value->label : "the value";
    cJSON *decoded = cJSON_ParseWithLengthOpts(value->at, value->size, NULL, 0);
    enum status status = STATUS_OK;

    if (cJSON_IsNumber(decoded)) {
        *out = decoded->valuedouble;
    } else {
        status = json_fail(value, error, "%s must be a number", label);
    }
    cJSON_Delete(decoded);
    return status;
}

void json_write_string(struct buffer *out, const char *text, size_t size)
{
    buffer_append(out, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = (unsigned char)text[i];

        if (byte == '"' || byte == '\\') {
            const char escaped[2] = {'\\', text[i]};

            buffer_append(out, escaped, 2);
        } else if (byte < 0x20 || byte == 0x7f) {
            buffer_appendf(out, "\\u%04x", byte);
        } else {
            buffer_append(out, text + i, 1);
        }
    }
    buffer_append(out, "\"", 1);
}

void json_write_member(struct buffer *out, const char *name, const char *text)
{
    buffer_appendf(out, "\"%s\": ", name);
    if (text != NULL) {
        json_write_string(out, text, strlen(text));
    } else {
        buffer_append_text(out, "null");
    }
}
