/*
 * Data for standard output.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/status.h"

/* Writes a buffer to standard output and clears it. Fails also if it was cut short for want of
 * memory. */
MUST_CHECK enum status output_print(struct buffer *text, struct error *error);

/* The status of an output_print after a change: a failure says that it was made all the same. */
enum status output_of_change(enum status status, struct error *error);

/* What it means that writing to standard output failed with errno. Of a closed pipe nothing is said. */
enum status output_failed(struct error *error);

/*
 * Writes text to standard error. Control characters but line ends, what is not seen, and what is not
 * UTF-8 are escaped as \xNN: names of files may hold anything, and a terminal is not to obey them.
 */
void output_talk(const char *text, size_t size);

/* The same, printf-style, never of a secret; and to standard output, for people. */
void output_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void output_show(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
