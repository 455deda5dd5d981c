/*
 * The subcommands of token_verifier, a file each.
 */
#ifndef TOKEN_VERIFIER_COMMANDS_H
#define TOKEN_VERIFIER_COMMANDS_H

#include "base/status.h"
#include "cli/cli.h"

enum status check_run(const struct cli_arguments *arguments, struct error *error);
enum status stream_run(const struct cli_arguments *arguments, struct error *error);
enum status status_run(const struct cli_arguments *arguments, struct error *error);

#endif
