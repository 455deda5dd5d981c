/*
 * What HTTP forbids in the head of a request, and libmicrohttpd lets pass: what two servers can read in
 * two ways, so that one takes for a body, or for a part of a header, what the other takes for the next
 * request or header.
 */
#ifndef TOKEN_AUTHD_REQUEST_HEAD_H
#define TOKEN_AUTHD_REQUEST_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "verify/token_verifier.h"

/* A head as libmicrohttpd hands it out, and where its parts stand. Everything is borrowed. */
struct request_head {
    const char *method;
    const char *path;
    const char *target_end; /* of the path and what came behind it; NULL if that was no target */
    const char *version;
    size_t size; /* bytes of request line and headers */
    const struct token_verifier_header *headers;
    size_t header_count;
};

/* Whether each header is one by RFC 9112, and there is one way to tell where the body ends. */
bool request_head_is_sound(const char *version, const struct token_verifier_header *headers,
                           size_t count);

/* Whether a request line's method or target has neither blanks nor control characters. */
bool request_head_is_word(const char *text);

/* The first header of that name; NULL if there is none. */
const struct token_verifier_header *request_head_find(const struct token_verifier_header *headers,
                                                      size_t count, const char *name);

/* Whether more was sent than is shown: only versions up to 0.9.76 of libmicrohttpd leave such gaps. */
bool request_head_has_gaps(const struct request_head *head);

#endif
