/*
 * The subcommands of token_manager, a file each.
 */
#ifndef TOKEN_MANAGER_COMMANDS_H
#define TOKEN_MANAGER_COMMANDS_H

#include "base/status.h"
#include "cli/cli.h"

enum status create_run(const struct cli_arguments *arguments, struct error *error);
enum status list_run(const struct cli_arguments *arguments, struct error *error);
enum status revoke_run(const struct cli_arguments *arguments, struct error *error);
enum status rotate_run(const struct cli_arguments *arguments, struct error *error);
enum status restore_run(const struct cli_arguments *arguments, struct error *error);
enum status audit_run(const struct cli_arguments *arguments, struct error *error);
enum status import_run(const struct cli_arguments *arguments, struct error *error);
enum status delete_run(const struct cli_arguments *arguments, struct error *error);

#endif
