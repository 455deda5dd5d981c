/*
 * The subcommands of token_verifier, a file each.
 */
#ifndef TOKEN_VERIFIER_COMMANDS_H
#define TOKEN_VERIFIER_COMMANDS_H

#include "base/status.h"
#include "cli/cli.h"
#include "verify/token_verifier.h"

enum status check_run(const struct cli_arguments *arguments, struct error *error);
enum status status_run(const struct cli_arguments *arguments, struct error *error);

/* What the options that all commands share say to the library. */
struct token_verifier_options verifier_options(const struct cli_arguments *arguments);

#endif
