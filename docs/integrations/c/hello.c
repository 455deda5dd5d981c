/*
 * A server that greets whoever has a token, by its name:
 *
 *     cc -o hello hello.c $(pkg-config --cflags --libs token_verifier libmicrohttpd)
 *     API_TOKENS_FILE=/var/lib/my-api/api_tokens.json ./hello 9000
 *
 * libmicrohttpd does the HTTP, from several threads, and libtoken_verifier the rest.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <token_verifier.h>

#define HEADERS 64
#define BODY_SIZE (TOKEN_VERIFIER_NAME_SIZE + 64)

struct headers {
    struct token_verifier_header list[HEADERS];
    size_t count;
    bool overflown;
};

/* All of them as they came, each line of the request: the library looks for the credential. */
static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_size, const char *value, size_t value_size)
{
    struct headers *headers = context;

    (void)kind;
    headers->overflown = headers->count == HEADERS;
    if (headers->overflown) {
        return MHD_NO;
    }
    headers->list[headers->count++] = (struct token_verifier_header){
        name, name_size, value != NULL ? value : "", value != NULL ? value_size : 0};
    return MHD_YES;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              const char *challenge, char *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result = MHD_NO; /* which closes the connection */

    if (response == NULL) {
        return MHD_NO;
    }
    if (MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8") == MHD_YES &&
        MHD_add_response_header(response, "Cache-Control", "no-store") == MHD_YES &&
        (challenge == NULL ||
         MHD_add_response_header(response, "WWW-Authenticate", challenge) == MHD_YES)) {
        result = MHD_queue_response(connection, status, response);
    }
    MHD_destroy_response(response);
    return result;
}

/* The client is not told whether its token was revoked, has expired or never was. The log is. */
static enum MHD_Result refuse(struct MHD_Connection *connection,
                              const struct token_verifier_result *result)
{
    (void)fprintf(stderr, "refused reason=%s id=%s: %s\n",
                  token_verifier_reason_text(result->reason), result->refused_id, result->message);
    switch (result->reason) {
    case TOKEN_VERIFIER_UNAVAILABLE:
        return answer(connection, 503, NULL, "Tokens cannot be checked at the moment.\n");
    case TOKEN_VERIFIER_SCOPE:
        return answer(connection, 403, "Bearer realm=\"api\", error=\"insufficient_scope\"",
                      "This token is not allowed to do that.\n");
    case TOKEN_VERIFIER_MISSING:
        return answer(connection, 401, "Bearer realm=\"api\"", "A token is needed.\n");
    default:
        return answer(connection, 401, "Bearer realm=\"api\", error=\"invalid_token\"",
                      "This token is not valid.\n");
    }
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **progress)
{
    static const char *const greeters[] = {"greet"};
    struct token_verifier *verifier = context;
    struct headers headers = {0};
    struct token_verifier_request request = {0};
    struct token_verifier_result result;
    char body[BODY_SIZE];

    (void)method, (void)version, (void)upload;
    /* Not all of the request is here. A body is skipped. */
    if (*progress == NULL || *upload_size > 0) {
        *progress = verifier;
        *upload_size = 0;
        return MHD_YES;
    }
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take_header, &headers);
    if (headers.overflown) {
        return answer(connection, 431, NULL, "There are too many headers.\n");
    }
    request.headers = headers.list;
    request.header_count = headers.count;
    if (strcmp(path, "/greet") == 0) { /* not for every token */
        request.scopes = greeters;
        request.scope_count = 1;
    }
    if (token_verifier_check(verifier, &request, &result) != TOKEN_VERIFIER_ACCEPTED) {
        return refuse(connection, &result);
    }
    (void)snprintf(body, sizeof(body), "Hello, %s (%s)!\n", result.name, result.id);
    return answer(connection, 200, NULL, body);
}

int main(int argc, char **argv)
{
    const struct token_verifier_options options = {.require_auth = true};
    const struct timespec second = {.tv_sec = 1};
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct token_verifier *verifier;
    struct MHD_Daemon *server;
    char why[TOKEN_VERIFIER_MESSAGE_SIZE];
    sigset_t signals;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: hello PORT\n");
        return 2;
    }
    address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!token_verifier_open(&verifier, &options, why, sizeof(why))) {
        (void)fprintf(stderr, "%s\n", why);
        return 1;
    }
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL); /* for the server's threads, too */
    server = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL,
                              &handle, verifier, MHD_OPTION_SOCK_ADDR, &address,
                              MHD_OPTION_THREAD_POOL_SIZE, 4U, MHD_OPTION_CONNECTION_TIMEOUT, 10U,
                              MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (server != NULL) {
        /* Last uses need not wait for the next check. */
        while (sigtimedwait(&signals, NULL, &second) < 0) {
            (void)token_verifier_flush(verifier);
        }
        MHD_stop_daemon(server);
    }
    token_verifier_close(verifier);
    return server != NULL ? 0 : 1;
}
