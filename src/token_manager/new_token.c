#include "token_manager/new_token.h"

#include <string.h>

#include "cli/when.h"

#include "base/banned.h"

/* The note is shown on one line, and is checked as the file's reader does. */
static enum status check_note(const char *note, struct error *error)
{
    struct error reason;

    if (note == NULL) {
        return STATUS_OK;
    }
    if (token_text_looks_like_one(note, strlen(note))) {
        return error_set(
            error, STATUS_USAGE,
            "--note: there is a token in it, and notes are stored and shown; leave it out");
    }
    return token_note_check(note, strlen(note), &reason) == STATUS_OK
               ? STATUS_OK
               : error_set(error, STATUS_USAGE, "--note: %s", reason.text);
}

/* Each scope once. */
static enum status check_scopes(const struct scopes *scopes, struct error *error)
{
    for (size_t i = 0; i < scopes->count; i++) {
        if (token_text_looks_like_one(scopes->texts[i], strlen(scopes->texts[i]))) {
            return error_set(
                error, STATUS_USAGE,
                "--scope: that is a token, and scopes are stored and shown; leave it out");
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(scopes->texts[i], scopes->texts[j]) == 0) {
                return error_set(error, STATUS_USAGE, "--scope %s is given twice",
                                 scopes->texts[i]);
            }
        }
    }
    if (scopes->count > TOKEN_SCOPE_COUNT) {
        return error_set(error, STATUS_USAGE,
                         "--scope is given %zu times, and a token has at most %d scopes",
                         scopes->count, TOKEN_SCOPE_COUNT);
    }
    return STATUS_OK;
}

enum status new_token_read_options(struct new_token_options *options,
                                   const struct cli_arguments *arguments, int64_t now,
                                   struct error *error)
{
    const char *scheme = cli_value(arguments, "prefix");
    enum status status;

    options->scheme = scheme != NULL ? scheme : TOKEN_DEFAULT_SCHEME;
    options->note = cli_value(arguments, "note");
    options->expires_at = TIME_NONE;
    options->now = now;
    status = token_text_scheme_check(options->scheme, error);
    if (status == STATUS_OK) {
        status = check_note(options->note, error);
    }
    if (status == STATUS_OK) {
        status = scopes_read(&options->scopes, arguments, error);
    }
    if (status == STATUS_OK) {
        status = check_scopes(&options->scopes, error);
    }
    if (status == STATUS_OK) {
        status = when_future(arguments, "expires", now, &options->expires_at, error);
    }
    return status;
}

void new_token_make_secret(const char *scheme, struct token_secret *made,
                           char secret[static TOKEN_TEXT_SIZE])
{
    const size_t size = strlen(scheme) + TOKEN_BODY_LENGTH + TOKEN_CHECKSUM_LENGTH;

    token_text_make(scheme, secret);
    *made = (struct token_secret){.expires_at = TIME_NONE};
    secret_digest(made->digest, secret, size);
    token_text_prefix(secret, size, made->prefix);
}

enum status new_token_make(const struct new_token_options *options, const char *name,
                           struct token *token, char secret[static TOKEN_TEXT_SIZE],
                           struct error *error)
{
    enum status status = STATUS_OK;

    new_token_make_secret(options->scheme, &token->secret, secret);
    token_make_id(token->id);
    token->created_at = options->now;
    token->expires_at = options->expires_at;
    token->name = strdup(name);
    token->note = options->note != NULL ? strdup(options->note) : NULL;
    if (token->name == NULL || (options->note != NULL && token->note == NULL)) {
        return error_no_memory(error);
    }
    for (size_t i = 0; i < options->scopes.count && status == STATUS_OK; i++) {
        status = token_add_scope(token, options->scopes.texts[i], error);
    }
    return status;
}
