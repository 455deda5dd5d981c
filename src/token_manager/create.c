#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_write.h"
#include "base/text.h"
#include "cli/output.h"
#include "token/token_text.h"
#include "token_manager/commands.h"
#include "token_manager/manager.h"
#include "token_manager/secret_output.h"

#include "base/banned.h"

#define DEFAULT_VARIABLE "FREEGPT_API_KEY"

/* What the command line asks for. */
struct request {
    const char *name;
    const char *scheme;
    const char *variable; /* for --env, else NULL */
    bool json;
    bool if_not_exists;
};

static bool is_variable(const char *text)
{
    const size_t rest =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    return *text != '\0' && text[rest] == '\0' && (*text < '0' || *text > '9');
}

static enum status read_request(struct request *request, const struct cli_arguments *arguments,
                                struct error *error)
{
    const char *scheme = cli_value(arguments, "prefix");
    const char *variable = cli_value(arguments, "env");
    enum status status;

    *request = (struct request){
        .name = arguments->operands[0],
        .scheme = scheme != NULL ? scheme : TOKEN_DEFAULT_SCHEME,
        .variable = variable == cli_no_value ? DEFAULT_VARIABLE : variable,
        .json = cli_has(arguments, "json"),
        .if_not_exists = cli_has(arguments, "if-not-exists"),
    };
    status = token_name_check(request->name, strlen(request->name), error);
    if (status == STATUS_OK) {
        status = token_text_scheme_check(request->scheme, error);
    }
    if (status == STATUS_OK && request->variable != NULL &&
        (!is_variable(request->variable) ||
         token_text_looks_like_one(request->variable, strlen(request->variable)))) {
        status = error_set(error, STATUS_USAGE,
                           "--env=VAR needs the name of a variable: letters, digits and _");
    }
    if (status == STATUS_OK && request->variable != NULL && request->json) {
        status = error_set(error, STATUS_USAGE, "--env and --json exclude each other");
    }
    return status;
}

/* `secret` is NULL where nothing was created. */
static void write_json(struct buffer *out, const struct token *token, const char *secret)
{
    char created_at[TIME_TEXT_SIZE];

    time_format(token->created_at, created_at);
    buffer_append_text(out, "{");
    json_write_text(out, "id", token->id);
    json_write_text(out, "name", token->name);
    if (secret != NULL) {
        json_write_text(out, "token", secret);
    }
    json_write_text(out, "prefix", token->secret.prefix);
    json_write_text(out, "created_at", created_at);
    json_write_flag(out, "created", secret != NULL);
    buffer_append_text(out, "}\n");
}

/* An unrevoked token has the name already. */
static enum status meet_existing(const struct manager *manager, const struct request *request,
                                 const struct token *token, struct error *error)
{
    struct buffer out = {0};
    const bool expired = token_status(token, manager->now) == TOKEN_EXPIRED;

    if (!request->if_not_exists) {
        return error_set(error, STATUS_NAME_TAKEN,
                         "the name \"%s\" is taken by %s, which %s; choose another name, or revoke "
                         "or delete that token first",
                         token->name, token->id, expired ? "has expired" : "is active");
    }
    if (request->json) {
        write_json(&out, token, NULL);
    }
    (void)fprintf(stderr, "\"%s\" exists already (%s)%s\n", token->name, token->id,
                  expired ? ", but it has expired; revoke or delete it, and create another" : "");
    return output_print(&out, error);
}

static enum status fill_token(struct token *token, const struct request *request, int64_t now,
                              char secret[static TOKEN_TEXT_SIZE], struct error *error)
{
    const size_t size = strlen(request->scheme) + TOKEN_BODY_LENGTH + TOKEN_CHECKSUM_LENGTH;

    token_text_make(request->scheme, secret);
    token_make_id(token->id);
    secret_digest(token->secret.digest, secret, size);
    token_text_prefix(secret, size, token->secret.prefix);
    token->created_at = now;
    token->name = strdup(request->name);
    return token->name != NULL ? STATUS_OK : error_no_memory(error);
}

static void explain(struct store *store, const struct request *request)
{
    const struct token *token = &token_set_last(store_tokens(store))->token;

    (void)fprintf(stderr,
                  "\nCreated \"%s\" (%s) in %s%s\n\n"
                  "Save the token now: only its digest is kept, and it is not shown again.\n"
                  "  in a .env file:  %s=TOKEN\n"
                  "  in a request:    Authorization: Bearer TOKEN\n",
                  token->name, token->id, store_path(store),
                  store_is_new(store)
                      ? ",\na new file: requests without a token are refused from now on."
                      : "",
                  request->variable != NULL ? request->variable : DEFAULT_VARIABLE);
}

/* Makes the change and shows the secret, in this order. */
static enum status commit_and_show(struct manager *manager, struct store *store,
                                   const struct request *request, const char *secret,
                                   struct error *error)
{
    const struct token *token = &token_set_last(store_tokens(store))->token;
    struct buffer out = {.secret = true};
    struct error shown;
    bool written;
    enum status status;

    if (request->json) {
        write_json(&out, token, secret);
    } else {
        buffer_appendf(&out, "%s%s%s\n", request->variable != NULL ? request->variable : "",
                       request->variable != NULL ? "=" : "", secret);
    }
    secret_output_hold_signals();
    status = manager_commit(manager, store, "create", &written, error);
    if (written) {
        const enum status shown_status =
            secret_output_write(&out, token, store_path(store), &shown);

        if (shown_status != STATUS_OK) {
            status = shown_status;
            *error = shown;
        } else {
            explain(store, request);
        }
    }
    secret_output_release_signals();
    buffer_clear(&out);
    return status;
}

static enum status create(struct manager *manager, const struct request *request,
                          struct store *store, struct error *error)
{
    char secret[TOKEN_TEXT_SIZE];
    struct token_set *tokens = store_tokens(store);
    const struct token_record *existing = token_set_find_name(tokens, request->name);
    struct token token;
    enum status status;

    if (existing != NULL) {
        return meet_existing(manager, request, &existing->token, error);
    }
    token_init(&token);
    status = fill_token(&token, request, manager->now, secret, error);
    if (status == STATUS_OK) {
        status = token_set_add(tokens, &token, NULL, error);
    }
    if (status == STATUS_OK) {
        status = commit_and_show(manager, store, request, secret, error);
    }
    secret_wipe(secret, sizeof(secret));
    token_clear(&token);
    return status;
}

enum status create_run(const struct cli_arguments *arguments, struct error *error)
{
    struct manager manager;
    struct request request;
    struct store *store = NULL;
    enum status status = manager_init(&manager, arguments, error);

    if (status == STATUS_OK) {
        status = read_request(&request, arguments, error);
    }
    if (status == STATUS_OK) {
        status = secret_output_check(error);
    }
    if (status == STATUS_OK) {
        status = manager_begin(&manager, true, &store, error);
    }
    if (status == STATUS_OK) {
        status = create(&manager, &request, store, error);
    }
    store_abort(store);
    manager_clear(&manager);
    return status;
}
