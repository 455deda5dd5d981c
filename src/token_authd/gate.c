#include "token_authd/gate.h"

#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "base/text.h"
#include "token/token.h"
#include "token_authd/log.h"
#include "token_authd/refusal.h"

#include "base/banned.h"

#define DEMAND_LIMIT 64        /* scopes of one request … */
#define DEMAND_TEXT_LIMIT 4160 /* … and their characters */
#define ADDRESS_LIMIT 45       /* characters of an IP address */

/* The scopes that a request demands. */
struct demand {
    const char *scopes[DEMAND_LIMIT + 1];
    size_t count;
    char text[DEMAND_TEXT_LIMIT];
    size_t size;
};

/* What cannot be had is demanded, so that nobody is let in by mistake. */
static void demand_impossible(struct demand *demand)
{
    demand->scopes[0] = "";
    demand->count = 1;
}

static void demand_scope(struct demand *demand, const char *scope, size_t size)
{
    char *copy = demand->text + demand->size;

    if (demand->count >= DEMAND_LIMIT || size >= sizeof(demand->text) - demand->size ||
        memchr(scope, '\0', size) != NULL) {
        demand_impossible(demand);
        return;
    }
    memcpy(copy, scope, size);
    copy[size] = '\0';
    demand->size += size + 1;
    demand->scopes[demand->count++] = copy;
}

/* Each word of a list. A demand that names nothing is a mistake, and is not met. */
static void demand_list(struct demand *demand, const char *list, size_t size)
{
    const char *end = list + size;
    const size_t before = demand->count;

    while (list < end) {
        const char *blank = memchr(list, ' ', (size_t)(end - list));
        const size_t length = (size_t)((blank != NULL ? blank : end) - list);

        if (length > 0) {
            demand_scope(demand, list, length);
        }
        list += length + 1;
    }
    if (demand->count == before) {
        demand_impossible(demand);
    }
}

static void find_demand(struct demand *demand, const struct http_request *request, bool by_argument)
{
    demand->count = 0;
    demand->size = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct token_verifier_header *header = &request->headers[i];

        if (text_is_word(header->name, header->name_size, "X-Required-Scope")) {
            const char *list = header->value;
            size_t size = header->value_size;

            text_trim(&list, &size);
            demand_list(demand, list, size);
        }
    }
    for (size_t i = 0; by_argument && i < request->argument_count; i++) {
        const struct token_verifier_header *argument = &request->arguments[i];

        if (text_is_word(argument->name, argument->name_size, "scope")) {
            demand_list(demand, argument->value != NULL ? argument->value : "",
                        argument->value != NULL ? argument->value_size : 0);
        }
    }
}

static void add_encoded(struct http_answer *answer, const char *name, const char *value)
{
    buffer_append(&answer->fields, name, strlen(name) + 1);
    text_percent_encode(&answer->fields, value, strlen(value));
    buffer_append(&answer->fields, "", 1);
}

static void let_in(const struct token_verifier_result *result, struct http_answer *answer)
{
    answer->status = 200;
    answer->comes_again = true;
    add_encoded(answer, "X-Token-Id", result->id);
    add_encoded(answer, "X-Token-Name", result->name);
    add_encoded(answer, "X-Token-Scopes", result->scopes);
    add_encoded(answer, "X-Auth-Mode", token_verifier_mode_text(result->mode));
    http_answer_field(answer, "Cache-Control", "no-store");
}

/*
 * The client's address as the proxy in front tells it: the last of the last X-Forwarded-For, for what
 * stands before it may be the client's own invention. Only what looks like an address.
 */
static void log_client(struct log_line *line, const struct http_request *request)
{
    const char *address = NULL;
    size_t size = 0;

    for (size_t i = 0; i < request->header_count; i++) {
        if (text_is_word(request->headers[i].name, request->headers[i].name_size,
                         "X-Forwarded-For")) {
            address = request->headers[i].value;
            size = request->headers[i].value_size;
        }
    }
    if (address == NULL) {
        return;
    }
    for (size_t i = size; i > 0; i--) {
        if (address[i - 1] == ',') {
            address += i;
            size -= i;
            break;
        }
    }
    text_trim(&address, &size);
    for (size_t i = 0; i < size; i++) {
        if (address[i] == '\0' || strchr("0123456789abcdefABCDEF.:", address[i]) == NULL) {
            return;
        }
    }
    if (size > 0 && size <= ADDRESS_LIMIT) {
        log_foreign(line, "client", address, size);
    }
}

/* That there is no verdict is logged once, with the mode. */
static void log_refusal(const struct token_verifier_result *result,
                        const struct http_request *request, int64_t now)
{
    struct log_line line;

    if (result->reason == TOKEN_VERIFIER_UNAVAILABLE) {
        return;
    }
    log_begin(&line, LOG_LEVEL_WARN, now, "refused");
    log_text(&line, "reason", token_verifier_reason_text(result->reason));
    log_count(&line, "status", refusal_status(result->reason));
    if (result->refused_id[0] != '\0') {
        log_text(&line, "id", result->refused_id);
    }
    log_client(&line, request);
    log_foreign(&line, "method", request->method, strlen(request->method));
    log_foreign(&line, "path", request->path, strlen(request->path));
    log_text(&line, "detail", result->message);
    log_end(&line);
}

void gate_answer(struct authd *authd, const struct http_request *request, bool by_argument,
                 struct http_answer *answer)
{
    struct token_verifier_request question = {.headers = request->headers,
                                              .header_count = request->header_count};
    struct token_verifier_result result;
    struct demand demand;
    struct refusal refusal = {.result = &result, .realm = authd->realm};

    find_demand(&demand, request, by_argument);
    question.scopes = demand.scopes;
    question.scope_count = demand.count;
    (void)token_verifier_check(authd->verifier, &question, &result);
    metrics_count(&authd->metrics, result.reason);
    authd_note_mode(authd, result.mode, result.message);
    if (result.verdict == TOKEN_VERIFIER_ACCEPTED) {
        let_in(&result, answer);
    } else {
        refusal.scopes = demand.scopes;
        refusal.scope_count = demand.count;
        refusal_answer(&refusal, answer);
        log_refusal(&result, request, time(NULL));
    }
    secret_wipe(demand.text, demand.size); /* a token may have been sent there by mistake */
}
