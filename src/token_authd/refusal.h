/*
 * What a client is told whom we do not let in: a status, a challenge (RFC 6750, section 3), and a body
 * of the shape that OpenAI's servers use, so that clients made for those raise their own errors.
 *
 * It helps who sent the wrong thing, and never tells a revoked token from an unknown one.
 */
#ifndef TOKEN_AUTHD_REFUSAL_H
#define TOKEN_AUTHD_REFUSAL_H

#include "token_authd/http.h"
#include "verify/token_verifier.h"

struct refusal {
    const struct token_verifier_result *result; /* refused */
    const char *realm;                          /* visible ASCII and blanks, without " and \ */
    const char *const *scopes;                  /* that were demanded */
    size_t scope_count;
};

void refusal_answer(const struct refusal *refusal, struct http_answer *answer);

/* The status alone. */
unsigned refusal_status(enum token_verifier_reason reason);

/* A body and status for a request that is refused for another reason. `code` is one word. */
void refusal_of_request(struct http_answer *answer, unsigned status, const char *code,
                        const char *message);

#endif
