#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_write.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/when.h"
#include "token_manager/commands.h"
#include "token_manager/manager.h"
#include "token_manager/new_token.h"
#include "token_manager/secret_output.h"
#include "token_manager/selection.h"
#include "token_manager/token_output.h"

#include "base/banned.h"

#define GRACE_DEFAULT INT64_C(86400) /* a day */

struct rotate {
    struct manager *manager;
    struct store *store;
    const char *variable; /* for --env, else NULL */
    const char *scheme;   /* that the new secret begins with; NULL: as the old one */
    int64_t grace;        /* seconds */
    bool has_expiry;
    int64_t expires_at; /* from --expires */
    struct token_record *record;
    struct buffer output;
};

static enum status read_arguments(struct rotate *rotate, const struct cli_arguments *arguments,
                                  struct error *error)
{
    enum status status = token_output_read_variable(arguments, &rotate->variable, error);

    rotate->scheme = cli_value(arguments, "prefix");
    rotate->has_expiry = cli_has(arguments, "expires");
    rotate->grace = GRACE_DEFAULT;
    rotate->expires_at = TIME_NONE;
    if (status == STATUS_OK && rotate->scheme != NULL) {
        status = token_text_scheme_check(rotate->scheme, error);
    }
    if (status == STATUS_OK) {
        status = when_span(arguments, "grace", &rotate->grace, error);
    }
    if (status == STATUS_OK && rotate->manager->now + rotate->grace > TIME_LAST) {
        return error_set(error, STATUS_USAGE, "--grace ends after the year 9999");
    }
    if (status == STATUS_OK) {
        status =
            when_future(arguments, "expires", rotate->manager->now, &rotate->expires_at, error);
    }
    return status;
}

static enum status find_record(struct rotate *rotate, const struct selectors *selectors,
                               struct error *error)
{
    if (selectors->count != 1) {
        return error_set(error, STATUS_USAGE, "one token at a time: each has a new secret to keep");
    }
    return token_set_select(store_tokens(rotate->store), selectors->texts[0], &rotate->record,
                            error);
}

static enum status check_token(const struct rotate *rotate, struct error *error)
{
    const struct token *token = &rotate->record->token;
    const enum token_status status = token_status(token, rotate->manager->now);
    struct manager_call call;

    if (status == TOKEN_REVOKED) {
        return error_set(error, STATUS_FAILED,
                         "\"%s\" (%s) is revoked; `%s restore %s` first, or create another",
                         token->name, token->id, manager_call(rotate->manager, &call), token->id);
    }
    if (status == TOKEN_EXPIRED && !rotate->has_expiry) {
        return error_set(error, STATUS_FAILED,
                         "\"%s\" (%s) has expired, and would stay so; say until when it is to be "
                         "good, as `%s rotate %s --expires 90d`",
                         token->name, token->id, manager_call(rotate->manager, &call), token->id);
    }
    return manager_check_not_in_environment(rotate->manager, token, error);
}

/* The earlier of two ends, of which TIME_NONE is none. */
static int64_t earlier(int64_t a, int64_t b)
{
    return b != TIME_NONE && b < a ? b : a;
}

/* What the old secret begins with, as far as its prefix tells. */
static const char *old_scheme(const struct token *token, char scheme[static TOKEN_PREFIX_SIZE])
{
    const char *prefix = token->secret.prefix;
    const size_t size = token_text_scheme(prefix, strlen(prefix));
    struct error ignored;

    memcpy(scheme, prefix, size);
    scheme[size] = '\0';
    return token_text_scheme_check(scheme, &ignored) == STATUS_OK ? scheme : TOKEN_DEFAULT_SCHEME;
}

/* Changes the record, and appends the new secret to the output. */
static enum status renew(struct rotate *rotate, struct error *error)
{
    const int64_t now = rotate->manager->now;
    struct token *token = &rotate->record->token;
    int64_t end = earlier(now + rotate->grace, token->expires_at);
    char scheme[TOKEN_PREFIX_SIZE];
    char secret[TOKEN_TEXT_SIZE];
    struct token_secret fresh;
    enum status status;

    if (rotate->has_expiry) {
        end = earlier(end, rotate->expires_at);
        token_set_expire(rotate->record, token->expires_at); /* what that has ended stays so */
        token_set_expire(rotate->record, rotate->expires_at);
    }
    new_token_make_secret(rotate->scheme != NULL ? rotate->scheme : old_scheme(token, scheme),
                          &fresh, secret);
    status = token_set_rotate(rotate->record, &fresh, now, end, error);
    if (status == STATUS_FAILED && token->previous_count == TOKEN_PREVIOUS_COUNT) {
        status = error_set(error, status,
                           "\"%s\" (%s) has %d older secrets in their grace already; end that with "
                           "--grace 0, or wait",
                           token->name, token->id, TOKEN_PREVIOUS_COUNT);
    } else if (status == STATUS_OK && rotate->manager->json) {
        token_output_json(&rotate->output, token, secret);
        token_output_json_previous(&rotate->output, token, now);
        buffer_append_text(&rotate->output, "}\n");
    } else if (status == STATUS_OK) {
        token_output_plain(&rotate->output, rotate->variable, secret);
    }
    secret_wipe(secret, sizeof(secret));
    return status;
}

static void explain(const struct rotate *rotate)
{
    const struct token *token = &rotate->record->token;
    char end[TIME_TEXT_SIZE];

    output_say("\nRotated \"%s\" (%s) in %s\n", token->name, token->id, store_path(rotate->store));
    for (size_t i = 0; i < token->previous_count; i++) {
        time_format(token->previous[i].expires_at, end);
        output_say("Its earlier secret %s... is good until %s.\n", token->previous[i].prefix, end);
    }
    if (token->previous_count == 0) {
        output_say("No earlier secret of it is good any more.\n");
    }
    if (token->expires_at != TIME_NONE) {
        time_format(token->expires_at, end);
        output_say("The new one is good until %s.\n", end);
    }
    output_say("\n");
    token_output_explain(1, rotate->variable);
}

static enum status commit_and_show(struct rotate *rotate, struct error *error)
{
    const struct token *token = &rotate->record->token;
    bool written;
    enum status status;

    if (rotate->output.failed) {
        return error_no_memory(error); /* before it is too late */
    }
    secret_output_hold_signals();
    status = manager_commit(rotate->manager, rotate->store, "rotate", &written, error);
    if (written && secret_output_write(&rotate->output)) {
        explain(rotate);
    } else if (written) {
        struct text_shell path;

        status =
            error_set_errno(error, STATUS_FAILED, errno,
                            "token %s was rotated, but its new secret could not be shown and "
                            "never will be; make another with `token_manager --file %s rotate "
                            "%s`: cannot write to standard output",
                            token->id, text_shell(&path, store_path(rotate->store)), token->id);
    }
    secret_output_release_signals();
    return status;
}

static enum status rotate_selected(struct rotate *rotate, const struct selectors *selectors,
                                   struct error *error)
{
    enum status status = manager_begin(rotate->manager, false, &rotate->store, error);

    if (status == STATUS_OK) {
        status = find_record(rotate, selectors, error);
    }
    if (status == STATUS_OK) {
        status = check_token(rotate, error);
    }
    if (status == STATUS_OK) {
        status = renew(rotate, error);
    }
    if (status == STATUS_OK) {
        status = commit_and_show(rotate, error);
    }
    return status;
}

enum status rotate_run(const struct cli_arguments *arguments, struct error *error)
{
    struct selectors selectors = {0};
    struct manager manager;
    struct rotate rotate = {.manager = &manager, .output = {.secret = true}};
    enum status status = manager_init(&manager, arguments, error);

    if (status == STATUS_OK) {
        status = read_arguments(&rotate, arguments, error);
    }
    if (status == STATUS_OK) {
        status = secret_output_check(error);
    }
    if (status == STATUS_OK) {
        status = selectors_read(&selectors, arguments, error);
    }
    if (status == STATUS_OK) {
        status = rotate_selected(&rotate, &selectors, error);
    }
    buffer_clear(&rotate.output);
    selectors_clear(&selectors);
    store_abort(rotate.store);
    manager_clear(&manager);
    return status;
}
