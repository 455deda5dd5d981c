#include "token_authd/refusal.h"

#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "token/token.h"

#include "base/banned.h"

#define INVALID "Invalid API key provided"
#define NOT_GOOD                                                                                  \
    INVALID ". It may be mistyped, belong to another server, or no longer be valid; ask whoever " \
            "gave it to you for another."

/* How the challenge names the error; by RFC 6750 not where nothing was sent. */
static const struct {
    unsigned status;
    const char *error;
    const char *code;
    const char *message; /* or NULL: INVALID and what the verdict says, which is no secret */
} refusals[] = {
    [TOKEN_VERIFIER_NO_REASON] = {500, NULL, "internal_error", "No verdict was reached."},
    [TOKEN_VERIFIER_UNAVAILABLE] = {503, NULL, "verifier_unavailable",
                                    "API keys cannot be checked at the moment. Try again later."},
    [TOKEN_VERIFIER_MISSING] = {401, NULL, "missing_api_key",
                                "No API key was provided. Send it in the header "
                                "\"Authorization: Bearer YOUR_API_KEY\"."},
    [TOKEN_VERIFIER_REVOKED] = {401, "invalid_token", "invalid_api_key", NOT_GOOD},
    [TOKEN_VERIFIER_EXPIRED] = {401, "invalid_token", "invalid_api_key", NOT_GOOD},
    [TOKEN_VERIFIER_SCOPE] = {403, "insufficient_scope", "insufficient_scope",
                              "This API key is not allowed to do that."},
    [TOKEN_VERIFIER_MALFORMED] = {401, "invalid_token", "invalid_api_key", NULL},
    [TOKEN_VERIFIER_ID_NOT_TOKEN] = {401, "invalid_token", "invalid_api_key", NULL},
    [TOKEN_VERIFIER_JWT_NOT_TOKEN] = {401, "invalid_token", "invalid_api_key", NULL},
    [TOKEN_VERIFIER_DIGEST_NOT_TOKEN] = {401, "invalid_token", "invalid_api_key", NULL},
    [TOKEN_VERIFIER_UNKNOWN] = {401, "invalid_token", "invalid_api_key", NOT_GOOD},
};

/* Which scopes would do, unless one that was demanded is none at all. */
static void append_scopes(struct buffer *challenge, const struct refusal *refusal)
{
    for (size_t i = 0; i < refusal->scope_count; i++) {
        if (!token_is_scope(refusal->scopes[i], strlen(refusal->scopes[i]))) {
            return;
        }
    }
    for (size_t i = 0; i < refusal->scope_count; i++) {
        buffer_appendf(challenge, "%s%s", i == 0 ? ", scope=\"" : " ", refusal->scopes[i]);
    }
    buffer_append_text(challenge, refusal->scope_count > 0 ? "\"" : "");
}

static void append_challenge(struct buffer *fields, const struct refusal *refusal)
{
    const char *error = refusals[refusal->result->reason].error;

    buffer_append(fields, "WWW-Authenticate", sizeof("WWW-Authenticate"));
    buffer_appendf(fields, "Bearer realm=\"%s\"", refusal->realm);
    if (error != NULL) {
        buffer_appendf(fields, ", error=\"%s\"", error);
    }
    if (refusal->result->reason == TOKEN_VERIFIER_SCOPE) {
        append_scopes(fields, refusal);
    }
    buffer_append(fields, "", 1);
}

/* On one line, as it may have to go through a header. */
static void append_body(struct buffer *body, unsigned status, const char *code, const char *message)
{
    buffer_append_text(body, "{\"error\": {");
    json_write_text(body, "message", message);
    json_write_text(body, "type", status >= 500 ? "server_error" : "invalid_request_error");
    json_write_text(body, "param", NULL);
    json_write_text(body, "code", code);
    buffer_append_text(body, "}}");
}

static void put_body(struct http_answer *answer, unsigned status, const struct buffer *body)
{
    answer->status = body->failed ? 0 : status;
    http_answer_field(answer, "Content-Type", "application/json");
    http_answer_field(answer, "Cache-Control", "no-store");
    buffer_append(&answer->body, body->bytes, body->size);
    buffer_append_text(&answer->body, "\n");
}

void refusal_of_request(struct http_answer *answer, unsigned status, const char *code,
                        const char *message)
{
    struct buffer body = {0};

    append_body(&body, status, code, message);
    put_body(answer, status, &body);
    buffer_clear(&body);
}

void refusal_answer(const struct refusal *refusal, struct http_answer *answer)
{
    const enum token_verifier_reason reason = refusal->result->reason;
    const unsigned status = refusals[reason].status;
    char message[sizeof(INVALID) + TOKEN_VERIFIER_MESSAGE_SIZE + 4];
    struct buffer body = {0};

    (void)snprintf(message, sizeof(message), INVALID ": %s.", refusal->result->message);
    append_body(&body, status, refusals[reason].code,
                refusals[reason].message != NULL ? refusals[reason].message : message);
    put_body(answer, status, &body);
    if (status < 500) {
        append_challenge(&answer->fields, refusal);
    }
    /* Where only headers reach the client's side of a proxy, as with nginx, this is the body. */
    buffer_append(&answer->fields, "X-Auth-Error", sizeof("X-Auth-Error"));
    buffer_append(&answer->fields, body.bytes, body.size);
    buffer_append(&answer->fields, "", 1);
    buffer_clear(&body);
}

unsigned refusal_status(enum token_verifier_reason reason)
{
    return refusals[reason].status;
}
