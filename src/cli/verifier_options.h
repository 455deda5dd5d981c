/*
 * The options that say where the tokens are, alike in every program.
 */
#ifndef CLI_VERIFIER_OPTIONS_H
#define CLI_VERIFIER_OPTIONS_H

#include "cli/cli.h"
#include "verify/token_verifier.h"

/* --file, --env-file, --no-env-file, --usage, --allow-open, --require-auth. Strings are borrowed. */
struct token_verifier_options verifier_options(const struct cli_arguments *arguments);

#endif
