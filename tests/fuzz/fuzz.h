/*
 * What the fuzzing harnesses share. A harness is a file fuzz_NAME.c, which takes any bytes for an
 * input, hands them to one part of the programs, and ends the process where the outcome is not as it
 * must be: not crashing is the least of it.
 *
 * `make fuzz` links it with the fuzzer of clang, which looks for such inputs; the tests link it with
 * replay.c, which runs the inputs that are kept.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "token/token.h"

/* One input. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* As assert, but for every build. */
#define MUST(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/*
 * A copy that is exactly as large, so that the address sanitizer sees a byte read behind its end.
 * The caller frees it.
 */
char *fuzz_copy(const void *bytes, size_t size);

/* UTF-8 without characters that do a terminal harm. */
bool fuzz_is_harmless(const char *text, size_t size);

/* Where a message "NAME:LINE: reason" says that the fault is; the process ends where it is no such
 * message about this text. */
size_t fuzz_line_of(const char *message, const char *name, const char *text, size_t size);

/* Whether two tokens are the same in every field. */
bool fuzz_same_token(const struct token *a, const struct token *b);

#endif
