/*
 * The scopes that a command line demands.
 */
#ifndef CLI_SCOPES_H
#define CLI_SCOPES_H

#include <stddef.h>

#include "base/status.h"
#include "cli/cli.h"

struct scopes {
    const char *texts[CLI_GIVEN_LIMIT]; /* borrowed from the arguments */
    size_t count;
};

/* Each --scope. STATUS_USAGE names one that is no scope. */
MUST_CHECK enum status scopes_read(struct scopes *scopes, const struct cli_arguments *arguments,
                                   struct error *error);

#endif
