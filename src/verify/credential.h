/*
 * Finding the one credential in what a client sent.
 *
 *     Authorization: Bearer …   then   X-Api-Key   then   X-Auth-Token   then   Api-Key
 *
 * The first that is present and not empty decides, and a bad one never falls through to the next. An
 * Authorization of another scheme is not ours and is passed over. A header that comes twice is
 * refused: two readers could take different ones.
 */
#ifndef VERIFY_CREDENTIAL_H
#define VERIFY_CREDENTIAL_H

#include <stddef.h>

#include "verify/token_verifier.h"

enum credential_result {
    CREDENTIAL_MISSING = 0,
    CREDENTIAL_FOUND,
    CREDENTIAL_TWICE, /* the same header more than once */
};

/* Borrowed from what it was found in, without white space around it. */
struct credential {
    const char *text;
    size_t size;
};

enum credential_result credential_from_headers(const struct token_verifier_header *headers,
                                               size_t count, struct credential *credential);

/* A credential by itself. */
enum credential_result credential_from_value(const char *value, size_t size,
                                             struct credential *credential);

/* A credential by itself, or a whole header line of one of the four names. */
enum credential_result credential_from_line(const char *line, size_t size,
                                            struct credential *credential);

#endif
