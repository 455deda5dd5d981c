/*
 * The token as a string: making one, and telling from the looks of a string what it is.
 *
 *     sk-  +  43 random base62 characters (256 bits)  +  6 base62 characters of CRC-32
 *     scheme  body                                       checksum of the body, left-padded with 0
 *
 * The checksum (CRC-32 of ISO 3309, as in zlib) only explains refusals. Whether a credential is good
 * is decided by its digest alone, so that imported keys of any shape work.
 */
#ifndef TOKEN_TOKEN_TEXT_H
#define TOKEN_TOKEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "token/token.h"

#define TOKEN_SCHEME_LIMIT 16 /* characters of a scheme prefix */
#define TOKEN_DEFAULT_SCHEME "sk-"
#define TOKEN_BODY_LENGTH 43
#define TOKEN_CHECKSUM_LENGTH 6
#define TOKEN_TEXT_SIZE (TOKEN_SCHEME_LIMIT + TOKEN_BODY_LENGTH + TOKEN_CHECKSUM_LENGTH + 1)
#define TOKEN_PREFIX_SHOWN 11 /* characters past the scheme prefix that are kept to be seen */
#define CREDENTIAL_LIMIT 512  /* characters of anything that may be checked */

/* What a string that is not in the file looks like. */
enum token_shape {
    TOKEN_SHAPE_OTHER,        /* nothing we know; an imported key may look like this */
    TOKEN_SHAPE_WHOLE,        /* a token, its checksum right */
    TOKEN_SHAPE_BLANK_INSIDE, /* white space, or several values */
    TOKEN_SHAPE_NOT_ASCII,    /* something that is not visible ASCII */
    TOKEN_SHAPE_TOO_LONG,     /* over CREDENTIAL_LIMIT, or a token with more behind it */
    TOKEN_SHAPE_CUT_SHORT,
    TOKEN_SHAPE_CHECKSUM, /* of the right length, mistyped */
    TOKEN_SHAPE_ID,       /* tok_…, which names a token */
    TOKEN_SHAPE_JWT,      /* eyJ….….… */
    TOKEN_SHAPE_DIGEST,   /* what the file holds */
};

bool token_text_is_base62(const char *text, size_t size);

/* Fills with random base62 characters; no final NUL. */
void token_text_random(char *text, size_t size);

/* The six characters for a body; no final NUL. */
void token_text_checksum(const char body[static TOKEN_BODY_LENGTH],
                         char checksum[static TOKEN_CHECKSUM_LENGTH]);

/* 1 to 16 of [A-Za-z0-9_-], ending in - or _, and not one that an id begins with. */
MUST_CHECK enum status token_text_scheme_check(const char *scheme, struct error *error);

/* A new token. `scheme` has passed the check. The caller wipes `text`. */
void token_text_make(const char *scheme, char text[static TOKEN_TEXT_SIZE]);

/* How many characters at the beginning are a scheme prefix: up to the last - or _ of the first 16. */
size_t token_text_scheme(const char *text, size_t size);

/*
 * What is kept of a token to recognise it by: the scheme prefix and 11 characters; of a string that
 * is not our own make at most a quarter.
 */
void token_text_prefix(const char *text, size_t size, char prefix[static TOKEN_PREFIX_SIZE]);

/* Works from the looks alone. Costs a CRC at most. */
enum token_shape token_text_shape(const char *text, size_t size);

/* The length without the dots that `list` puts behind a prefix, three or an ellipsis. */
size_t token_text_without_dots(const char *text, size_t size);

/*
 * Whether somebody seems to have put a token, or the beginning of one, where something else belongs:
 * as the whole text, or in it.
 */
bool token_text_looks_like_one(const char *text, size_t size);

/* Whether a whole token, checksum and all, is in the text: nobody names a thing so by chance. */
bool token_text_has_whole(const char *text, size_t size);

#endif
