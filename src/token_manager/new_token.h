/*
 * Tokens that are to be made: what the command line says of them, and making them in memory.
 */
#ifndef TOKEN_MANAGER_NEW_TOKEN_H
#define TOKEN_MANAGER_NEW_TOKEN_H

#include <stdint.h>

#include "cli/cli.h"
#include "cli/scopes.h"
#include "token/token.h"
#include "token/token_text.h"

/* What all tokens of one call have in common. Strings are borrowed. */
struct new_token_options {
    const char *scheme;
    const char *note; /* or NULL */
    struct scopes scopes;
    int64_t expires_at; /* or TIME_NONE */
    int64_t now;
};

/* --prefix, --note, --scope, --expires. STATUS_USAGE names what cannot be. */
MUST_CHECK enum status new_token_read_options(struct new_token_options *options,
                                              const struct cli_arguments *arguments, int64_t now,
                                              struct error *error);

/* Fills in an initialised token, which the caller clears in any case; the caller wipes `secret`. */
MUST_CHECK enum status new_token_make(const struct new_token_options *options, const char *name,
                                      struct token *token, char secret[static TOKEN_TEXT_SIZE],
                                      struct error *error);

/* A new secret alone. `scheme` has passed token_text_scheme_check. */
void new_token_make_secret(const char *scheme, struct token_secret *made,
                           char secret[static TOKEN_TEXT_SIZE]);

#endif
