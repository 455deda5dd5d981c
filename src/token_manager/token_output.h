/*
 * A new secret in the forms that scripts take, shared by the commands that make one.
 */
#ifndef TOKEN_MANAGER_TOKEN_OUTPUT_H
#define TOKEN_MANAGER_TOKEN_OUTPUT_H

#include <stddef.h>

#include "base/buffer.h"
#include "cli/cli.h"
#include "token/token.h"

/* --env: the variable to print, or NULL when it was not given. Excludes --json. */
MUST_CHECK enum status token_output_read_variable(const struct cli_arguments *arguments,
                                                  const char **variable, struct error *error);

/* The secret and a line end; with a variable as a line for .env. */
void token_output_plain(struct buffer *out, const char *variable, const char *secret);

/*
 * An object on one line, but for its closing brace, before which callers put what only they know.
 * `secret` is NULL where nothing was made.
 */
void token_output_json(struct buffer *out, const struct token *token, const char *secret);

/* `"scopes": ["…"]`, or null for all. */
void token_output_json_scopes(struct buffer *out, const struct token *token);

/* `"previous": [{"prefix": …, "expires_at": …}, …]`, the older secrets that are good still. */
void token_output_json_previous(struct buffer *out, const struct token *token, int64_t now);

/* What to do with it, on standard error, so many having been made. `variable` may be NULL. */
void token_output_explain(size_t made, const char *variable);

#endif
