/*
 * Which path is answered by what: /verify and what is below it, /healthz, /metrics.
 */
#ifndef TOKEN_AUTHD_ROUTES_H
#define TOKEN_AUTHD_ROUTES_H

#include "token_authd/http.h"

#define ROUTES_HEAD_LIMIT ((size_t)16 * 1024) /* bytes of request line and headers */

/* Answers a request by its path. `context` is a struct authd; the form is that of http_options. */
void routes_answer(void *context, const struct http_request *request, struct http_answer *answer);

#endif
