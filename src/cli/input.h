/*
 * Standard input, and files in its place.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/status.h"

/*
 * Appends all of standard input; more than `limit` bytes are refused. Not through stdio, whose own
 * buffer would keep what may be secret.
 */
MUST_CHECK enum status input_read_all(struct buffer *input, size_t limit, struct error *error);

/* The same from a file, or with "-" from standard input. */
MUST_CHECK enum status input_read_from(struct buffer *input, const char *path, size_t limit,
                                       struct error *error);

#endif
