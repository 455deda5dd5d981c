/*
 * Showing a new secret, the only time that it is shown.
 */
#ifndef TOKEN_MANAGER_SECRET_OUTPUT_H
#define TOKEN_MANAGER_SECRET_OUTPUT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/status.h"

/*
 * From the commit until the secret is out, Ctrl-C and its like must wait: else a token is good that
 * nobody knows.
 */
void secret_output_hold_signals(void);
void secret_output_release_signals(void);

/* Fails if standard output is closed, which is better known before the change than after it. */
MUST_CHECK enum status secret_output_check(struct error *error);

/*
 * Writes straight to standard output, past stdio, whose buffers are never wiped. False with errno set.
 */
MUST_CHECK bool secret_output_write(const struct buffer *text);

#endif
