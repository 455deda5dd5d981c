/*
 * What --help says, from the tables that drive the program.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "cli/cli.h"

/* For one command, or with NULL for the program. */
void help_print(const struct cli_program *program, const struct cli_command *command, FILE *out);

/* For somebody who gave no command: which there are, and with what to begin. */
void help_print_short(const struct cli_program *program, FILE *out);

#endif
