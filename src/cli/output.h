/*
 * Data for standard output.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/buffer.h"
#include "base/status.h"

/* Writes a buffer to standard output and clears it. Fails if it was cut short for want of memory;
 * failed writes are found by cli_main when it flushes. */
MUST_CHECK enum status output_print(struct buffer *text, struct error *error);

#endif
