/*
 * HTTP/1.1: requests in, answers out. The only door to libmicrohttpd.
 *
 * Bodies of requests are read and thrown away. A head that can be read in two ways is marked as broken,
 * and the connection closed behind its answer. Answers that come again and again are kept ready, one
 * set for each thread, so that they cost no allocation and no lock of ours.
 */
#ifndef TOKEN_AUTHD_HTTP_H
#define TOKEN_AUTHD_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/buffer.h"
#include "base/status.h"
#include "verify/token_verifier.h"

/* A request, borrowed while it is answered. Names and values are in the order in which they came. */
struct http_request {
    const char *method;
    const char *path; /* decoded, without the query */
    size_t head_size; /* bytes of request line and headers */
    bool is_broken;   /* its parts are not all that was sent, or not HTTP: no verdict is possible */
    const struct token_verifier_header *headers;
    size_t header_count;
    const struct token_verifier_header *arguments; /* of the query, decoded; value may be NULL */
    size_t argument_count;
};

/* An answer, to be filled in; it comes with status 0 and empty. */
struct http_answer {
    unsigned status;
    struct buffer fields; /* see http_answer_field */
    struct buffer body;
    bool comes_again; /* keep it ready: no body, and the same fields are likely to come again */
    bool ends;        /* close the connection behind it */
};

/* Adds a header. The value has no characters but visible ASCII and blanks. */
void http_answer_field(struct http_answer *answer, const char *name, const char *value);

struct http_options {
    int listen_fd; /* stays the caller's */
    unsigned threads;
    size_t connections;
    unsigned timeout; /* seconds that a client may be silent, or take for a request */
    time_t now;       /* see http_tick */
    void (*answer)(void *context, const struct http_request *request, struct http_answer *answer);
    void (*complain)(void *context, const char *what, size_t count); /* see http_tick */
    void *context;
};

struct http_server;

/* Starts threads that answer. `*server` is the caller's, to be given to http_stop; else NULL. */
MUST_CHECK enum status http_start(struct http_server **server, const struct http_options *options,
                                  struct error *error);

/*
 * To be called about once a second, with the seconds of a clock that nobody sets. If clients made
 * trouble since the last time, it calls `complain` with how often, and what the last was: not for
 * each, for that would let them fill the log.
 */
void http_tick(struct http_server *server, time_t now);

/* Takes no more connections, and closes each after the request that is under way. */
void http_stop_accepting(struct http_server *server);

/* Whether requests are under way. */
bool http_is_busy(struct http_server *server);

/* Ends what is still under way, and frees. NULL is allowed. */
void http_stop(struct http_server *server);

#endif
