/*
 * A verdict by HTTP: who asks at /verify is let in or not.
 */
#ifndef TOKEN_AUTHD_GATE_H
#define TOKEN_AUTHD_GATE_H

#include "token_authd/authd.h"

/*
 * The credential is in the headers, by the rule of verify/credential.h. Scopes that are demanded, in
 * addition to whatever: each X-Required-Scope and, if `by_argument`, each argument `scope`, both with
 * one or several of them, blanks between. An argument that names none is a mistake and refused.
 *
 * Accepted: 200 without a body, and X-Token-Id, X-Token-Name, X-Token-Scopes and X-Auth-Mode, always
 * all of them and never empty, percent-encoded, so that they overwrite what a client forged.
 */
void gate_answer(struct authd *authd, const struct http_request *request, bool by_argument,
                 struct http_answer *answer);

#endif
