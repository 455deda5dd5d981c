/*
 * Data for standard output.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/status.h"

/* Writes a buffer to standard output and clears it. Fails if it was cut short for want of memory;
 * failed writes are found by cli_main when it flushes. */
MUST_CHECK enum status output_print(struct buffer *text, struct error *error);

/*
 * Writes text to standard error. Control characters but line ends are escaped: names of files may
 * hold anything, and a terminal is not to obey them.
 */
void output_talk(const char *text, size_t size);

#endif
