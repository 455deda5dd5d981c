/*
 * What the command line asks of the server.
 */
#ifndef TOKEN_AUTHD_OPTIONS_H
#define TOKEN_AUTHD_OPTIONS_H

#include <stddef.h>

#include "cli/cli.h"
#include "token_authd/listen_socket.h"
#include "token_authd/sandbox.h"
#include "verify/token_verifier.h"

/* Strings are borrowed from the arguments. */
struct options {
    struct token_verifier_options verifier;
    struct listen_socket_options listen;
    enum sandbox_wish sandbox;
    const char *realm; /* visible ASCII and blanks, without " and \ */
    unsigned threads;
    size_t connections; /* clients at once */
    unsigned timeout;   /* seconds */
};

/* STATUS_USAGE names the option that cannot be. */
MUST_CHECK enum status options_read(struct options *options, const struct cli_arguments *arguments,
                                    struct error *error);

#endif
