#include "token_authd/routes.h"

#include <string.h>
#include <time.h>

#include "base/json_write.h"
#include "token_authd/authd.h"
#include "token_authd/gate.h"
#include "token_authd/log.h"
#include "token_authd/refusal.h"

#include "base/banned.h"

static void answer_verify(struct authd *authd, const struct http_request *request,
                          struct http_answer *answer)
{
    gate_answer(authd, request, true, answer);
}

/* What stands behind /verify is what the client asked the proxy for, and so are its arguments. */
static void answer_verify_below(struct authd *authd, const struct http_request *request,
                                struct http_answer *answer)
{
    gate_answer(authd, request, false, answer);
}

static void answer_health(struct authd *authd, const struct http_request *request,
                          struct http_answer *answer)
{
    char why[TOKEN_VERIFIER_MESSAGE_SIZE];
    const enum token_verifier_mode mode =
        token_verifier_current_mode(authd->verifier, why, sizeof(why));
    const bool healthy = mode != TOKEN_VERIFIER_MODE_UNAVAILABLE;

    (void)request;
    authd_note_mode(authd, mode, why);
    answer->status = healthy ? 200 : 503;
    http_answer_field(answer, "Content-Type", "application/json");
    http_answer_field(answer, "Cache-Control", "no-store");
    buffer_append_text(&answer->body, "{");
    json_write_text(&answer->body, "status", healthy ? "ok" : "unavailable");
    json_write_text(&answer->body, "mode", token_verifier_mode_text(mode));
    json_write_text(&answer->body, "reason", healthy ? NULL : why);
    buffer_append_text(&answer->body, "}\n");
}

static void answer_metrics(struct authd *authd, const struct http_request *request,
                           struct http_answer *answer)
{
    struct verifier_report report;

    (void)request;
    verifier_report(authd->verifier, time(NULL), &report);
    authd_note_mode(authd, report.mode, report.error.text);
    answer->status = 200;
    http_answer_field(answer, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    http_answer_field(answer, "Cache-Control", "no-store");
    metrics_print(&authd->metrics, &report, log_dropped(), &answer->body);
}

static const struct route {
    const char *path; /* with a slash at the end, everything below it is meant */
    bool reads_only;  /* GET and HEAD, not any method */
    void (*answer)(struct authd *authd, const struct http_request *request,
                   struct http_answer *answer);
} routes[] = {
    {"/verify", false, answer_verify},
    {"/verify/", false, answer_verify_below},
    {"/healthz", true, answer_health},
    {"/metrics", true, answer_metrics},
};

static bool leads_to(const char *path, const struct route *route)
{
    const size_t length = strlen(route->path);

    return route->path[length - 1] == '/' ? strncmp(path, route->path, length) == 0
                                          : strcmp(path, route->path) == 0;
}

static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (leads_to(path, &routes[i])) {
            return &routes[i];
        }
    }
    return NULL;
}

static bool reads(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

void routes_answer(void *context, const struct http_request *request, struct http_answer *answer)
{
    const struct route *route = find_route(request->path);

    if (request->is_broken) {
        refusal_of_request(answer, 400, "bad_request", "The request cannot be understood.");
        answer->ends = true;
    } else if (request->head_size > ROUTES_HEAD_LIMIT) {
        refusal_of_request(answer, 431, "request_too_large",
                           "The request line and headers are more than 16 KiB.");
    } else if (route == NULL) {
        refusal_of_request(answer, 404, "not_found",
                           "There are /verify and what is below it, /healthz and /metrics.");
    } else if (route->reads_only && !reads(request->method)) {
        refusal_of_request(answer, 405, "method_not_allowed", "Use GET.");
        http_answer_field(answer, "Allow", "GET, HEAD");
    } else {
        route->answer(context, request, answer);
    }
}
