/*
 * What the threads that answer share, and what they answer.
 */
#ifndef TOKEN_AUTHD_AUTHD_H
#define TOKEN_AUTHD_AUTHD_H

#include <stdatomic.h>

#include "token_authd/http.h"
#include "token_authd/log.h"
#include "token_authd/metrics.h"
#include "verify/verifier.h"

struct authd {
    struct token_verifier *verifier;
    const char *realm;   /* for challenges: visible ASCII and blanks, without " and \ */
    const char *sandbox; /* what its log calls the sandbox that is in force; NULL: none is */
    struct metrics metrics;
    _Atomic int mode_said; /* the enum token_verifier_mode that the log told of last */
};

#define AUTHD_HEAD_LIMIT ((size_t)16 * 1024) /* bytes of request line and headers */

/* Answers a request by its path. `context` is a struct authd; the form is that of http_options. */
void authd_answer(void *context, const struct http_request *request, struct http_answer *answer);

/* For a line about what failed: a sandbox in force may be why something that is there cannot be read. */
void authd_log_sandbox(const struct authd *authd, struct log_line *line);

/* Logs a mode, once: not if it is the one that was logged before. `message`: why it is no mode. */
void authd_note_mode(struct authd *authd, enum token_verifier_mode mode, const char *message);

#endif
