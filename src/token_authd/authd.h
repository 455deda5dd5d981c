/*
 * What the threads that answer share, and what the log says of it.
 */
#ifndef TOKEN_AUTHD_AUTHD_H
#define TOKEN_AUTHD_AUTHD_H

#include <stdatomic.h>
#include <stdint.h>

#include "token_authd/log.h"
#include "token_authd/metrics.h"
#include "token_authd/sandbox.h"
#include "verify/verifier.h"

struct authd {
    struct token_verifier *verifier;
    const char *realm;   /* for challenges: visible ASCII and blanks, without " and \ */
    const char *sandbox; /* what its log calls the sandbox that is in force; NULL: none is */
    struct metrics metrics;
    _Atomic int mode_said; /* the enum token_verifier_mode that the log told of last */
};

/* For a line about what failed: a sandbox in force may be why something that is there cannot be read. */
void authd_log_sandbox(const struct authd *authd, struct log_line *line);

/* Logs a mode, once: not if it is the one that was logged before. `message`: why it is no mode. */
void authd_note_mode(struct authd *authd, enum token_verifier_mode mode, const char *message);

/*
 * Logs what is in force, for a person: at the start, and when something of it was read anew. Returns
 * how often the token file had been loaded by then.
 */
uint64_t authd_log_state(struct authd *authd, const char *event, const char *listen,
                         const struct sandbox *sandbox);

#endif
