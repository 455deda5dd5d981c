/*
 * The life of the server: from its options to its end.
 */
#ifndef TOKEN_AUTHD_SERVE_H
#define TOKEN_AUTHD_SERVE_H

#include "cli/cli.h"

/*
 * Serves until SIGTERM or SIGINT; SIGHUP makes it read its settings and the token file anew.
 * STATUS_STORE when at the start no verdict is possible.
 */
MUST_CHECK enum status serve_run(const struct cli_arguments *arguments, struct error *error);

#endif
