/*
 * A verdict by HTTP: who asks at /verify is let in or not.
 */
#ifndef TOKEN_AUTHD_GATE_H
#define TOKEN_AUTHD_GATE_H

#include "token_authd/authd.h"
#include "token_authd/http.h"

/*
 * The credential is in the headers, by the rule of verify/credential.h. Each X-Required-Scope and, if
 * `by_argument`, each argument `scope` demands one scope or several, blanks between. To demand none in
 * one of them, what is no scope, or more than 64 is a mistake that no token can meet.
 *
 * Accepted: 200 without a body, and X-Token-Id, X-Token-Name, X-Token-Scopes and X-Auth-Mode, always
 * all of them and never empty, percent-encoded, so that they overwrite what a client forged.
 */
void gate_answer(struct authd *authd, const struct http_request *request, bool by_argument,
                 struct http_answer *answer);

#endif
