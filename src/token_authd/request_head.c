#include "token_authd/request_head.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

#include "base/banned.h"

/* Headers on which it depends what the request is, and where it ends. */
static const char *const single[] = {"Content-Length", "Transfer-Encoding", "Host"};

const struct token_verifier_header *request_head_find(const struct token_verifier_header *headers,
                                                      size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (text_is_word(headers[i].name, headers[i].name_size, name)) {
            return &headers[i];
        }
    }
    return NULL;
}

static bool is_token_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* White space before the colon, above all, makes another header of it for some. */
static bool is_name(const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!is_token_character(name[i])) {
            return false;
        }
    }
    return size > 0;
}

/* A carriage return that stands alone ends a line for some. */
static bool is_value(const char *value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)value[i];

        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool has_one_end(const char *version, const struct token_verifier_header *headers,
                        size_t count)
{
    const struct token_verifier_header *coding =
        request_head_find(headers, count, "Transfer-Encoding");

    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        const struct token_verifier_header *first = request_head_find(headers, count, single[i]);

        if (first != NULL && request_head_find(first + 1, count - (size_t)(first + 1 - headers),
                                               single[i]) != NULL) {
            return false;
        }
    }
    return coding == NULL || (text_is_word(coding->value, coding->value_size, "chunked") &&
                              strcmp(version, "HTTP/1.0") != 0 &&
                              request_head_find(headers, count, "Content-Length") == NULL);
}

bool request_head_is_sound(const char *version, const struct token_verifier_header *headers,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_name(headers[i].name, headers[i].name_size) ||
            !is_value(headers[i].value, headers[i].value_size)) {
            return false;
        }
    }
    return has_one_end(version, headers, count);
}

bool request_head_is_word(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || *text == 0x7f) {
            return false;
        }
    }
    return true;
}

/*
 * Until 0.9.76 libmicrohttpd takes a header line that begins with a colon or a NUL for the end of the
 * head, and does not show what comes behind it: a scope that a proxy demands, a header for the second
 * time. It ends a value at a NUL as well, and the method and the target, and joins folded lines wrongly.
 * All that cannot be turned off, but shows in where things stand: the text stays in its place, with NULs
 * for blanks, colons and line ends, so the target must begin one byte behind the method, the version
 * where the target ended before it was decoded, each header one line end behind the last, and the head
 * end two of the same kind behind them. Later versions refuse such heads.
 *
 * What does not show is one colon or NUL too much next to a bare line feed, for together they look like the
 * end of a line. No proxy writes that, so it can hide nothing but what the same client wrote.
 */
bool request_head_has_gaps(const struct request_head *head)
{
    const char *end = head->version + strlen(head->version);
    const size_t line_end = end[1] == '\0' ? 2 : 1;

    if (head->path != head->method + strlen(head->method) + 1 ||
        head->version != head->target_end + 1) {
        return true;
    }
    for (size_t i = 0; i < head->header_count; i++) {
        const struct token_verifier_header *header = &head->headers[i];

        if ((uintptr_t)header->name - (uintptr_t)end != line_end || header->name_size == 0) {
            return true;
        }
        end = header->value + header->value_size;
    }
    return (uintptr_t)head->method + head->size - (uintptr_t)end != 2 * line_end ||
           memcmp(end, "\0\0\0", 2 * line_end) != 0;
}
