/*
 * A command line taken apart, by the tables of the program and its commands.
 */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include "base/status.h"
#include "cli/cli.h"

/*
 * Fills in `arguments`, which the caller zeroes before and clears after in any case. Options may
 * stand anywhere, as --name value or --name=value; the first operand names the command, or is the word
 * help; -- ends the options. What `colour` is to be is read as well. STATUS_USAGE names what is
 * wrong, and the nearest known word. Words that may be secrets are
 * copied, and shortened in `argv`, where `ps` would show them.
 */
MUST_CHECK enum status arguments_parse(const struct cli_program *program, int argc, char **argv,
                                       struct cli_arguments *arguments, struct error *error);

/* Whether the command, which is not NULL, got as many operands as it takes. */
MUST_CHECK enum status arguments_check_operands(const struct cli_program *program,
                                                const struct cli_arguments *arguments,
                                                struct error *error);

/* Wipes and frees the words. */
void arguments_clear(struct cli_arguments *arguments);

#endif
