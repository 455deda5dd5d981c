#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_write.h"
#include "base/key_set.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "token_manager/commands.h"
#include "token_manager/create_names.h"
#include "token_manager/manager.h"
#include "token_manager/new_token.h"
#include "token_manager/secret_output.h"
#include "token_manager/token_output.h"

#include "base/banned.h"

#define IDS_SHOWN 20 /* in the remedy for tokens that nobody has seen */

/* A create while it is made: of one token, or of a batch. */
struct create {
    struct manager *manager;
    struct store *store;
    struct new_token_options options;
    struct create_names names;
    const char *variable; /* for --env, else NULL */
    bool is_batch;
    bool if_not_exists;
    size_t first;         /* the number of the first new record */
    struct key_set taken; /* digests of the names of unrevoked tokens */
    struct buffer output; /* secrets and all */
};

static enum status read_arguments(struct create *create, const struct cli_arguments *arguments,
                                  struct error *error)
{
    const char *batch = cli_value(arguments, "batch");
    enum status status;

    create->is_batch = batch != NULL;
    create->if_not_exists = cli_has(arguments, "if-not-exists");
    if (create->is_batch == (arguments->operand_count > 0)) {
        return error_set(error, STATUS_USAGE,
                         create->is_batch ? "NAME and --batch exclude each other"
                                          : "NAME is missing: token_manager create NAME");
    }
    status = token_output_read_variable(arguments, &create->variable, error);
    if (status == STATUS_OK && create->is_batch && create->variable != NULL) {
        return error_set(error, STATUS_USAGE, "--env and --batch exclude each other");
    }
    if (status == STATUS_OK) {
        status = new_token_read_options(&create->options, arguments, create->manager->now, error);
    }
    if (status == STATUS_OK) {
        status = create->is_batch
                     ? create_names_read(&create->names, batch, error)
                     : create_names_take(&create->names, arguments->operands[0], error);
    }
    return status;
}

static enum key_set_result take_name(struct create *create, const char *name)
{
    uint8_t digest[DIGEST_SIZE];

    if (!create->is_batch) {
        return token_set_find_name(store_tokens(create->store), name) != NULL ? KEY_SET_PRESENT
                                                                              : KEY_SET_ADDED;
    }
    secret_digest(digest, name, strlen(name));
    return key_set_add(&create->taken, digest, NULL);
}

/* For a batch: one name alone is looked up quicker. */
static enum status take_present_names(struct create *create, struct error *error)
{
    const struct token_set *tokens = store_tokens(create->store);

    for (size_t i = 0; create->is_batch && i < tokens->count; i++) {
        const struct token *token = &tokens->records[i].token;

        if (token->revoked_at == TIME_NONE && take_name(create, token->name) == KEY_SET_NO_MEMORY) {
            return error_no_memory(error);
        }
    }
    return STATUS_OK;
}

static enum status refuse_name(const struct create *create, const struct create_name *name,
                               struct error *error)
{
    const struct token_record *existing =
        token_set_find_name(store_tokens(create->store), name->text);
    const struct token *token = &existing->token;
    const size_t number = (size_t)(existing - store_tokens(create->store)->records);
    struct manager_call call;
    struct error reason;

    if (number >= create->first) {
        return error_set(error, STATUS_NAME_TAKEN, "%s:%zu: the name \"%s\" comes twice",
                         create->names.source, name->line, name->text);
    }
    if (token_status(token, create->manager->now) == TOKEN_EXPIRED) {
        (void)error_set(&reason, STATUS_NAME_TAKEN,
                        "the name \"%s\" is taken by %s, which has expired; renew it with `%s "
                        "rotate %s --expires 90d`, or revoke or delete it first",
                        token->name, token->id, manager_call(create->manager, &call), token->id);
    } else {
        (void)error_set(&reason, STATUS_NAME_TAKEN,
                        "the name \"%s\" is taken by %s, which is active; choose another name, or "
                        "revoke or delete that token first",
                        token->name, token->id);
    }
    return create->is_batch ? error_set(error, STATUS_NAME_TAKEN, "%s:%zu: %s (nothing was made)",
                                        create->names.source, name->line, reason.text)
                            : error_set(error, STATUS_NAME_TAKEN, "%s", reason.text);
}

static void append_json(struct create *create, const struct token *token, const char *secret)
{
    token_output_json(&create->output, token, secret);
    json_write_flag(&create->output, "created", secret != NULL);
    buffer_append_text(&create->output, "}");
}

/* With --if-not-exists; in a batch that would be a line for each. */
static void tell_existing(struct create *create, const struct create_name *name)
{
    const struct token *token =
        &token_set_find_name(store_tokens(create->store), name->text)->token;
    struct manager_call call;

    if (create->manager->json) {
        append_json(create, token, NULL);
    }
    if (token_status(token, create->manager->now) == TOKEN_EXPIRED) {
        output_say("\"%s\" (%s) exists already, but has expired; renew it with `%s rotate %s "
                   "--expires 90d`.\n",
                   token->name, token->id, manager_call(create->manager, &call), token->id);
    } else {
        output_say("\"%s\" (%s) exists already.\n", token->name, token->id);
    }
}

static void append_output(struct create *create, const struct token *token, const char *secret)
{
    struct buffer *out = &create->output;

    if (create->manager->json) {
        buffer_append_text(out, create->is_batch && out->size > 0 ? ",\n  " : "");
        append_json(create, token, secret);
    } else if (create->is_batch) {
        buffer_append_text(out, token->name);
        buffer_append_text(out, "\t");
        token_output_plain(out, NULL, secret);
    } else {
        token_output_plain(out, create->variable, secret);
    }
}

static enum status create_one(struct create *create, const struct create_name *name,
                              struct error *error)
{
    const enum key_set_result taken = take_name(create, name->text);
    char secret[TOKEN_TEXT_SIZE];
    struct token token;
    enum status status;

    if (taken == KEY_SET_NO_MEMORY) {
        return error_no_memory(error);
    }
    if (taken == KEY_SET_PRESENT && !create->if_not_exists) {
        return refuse_name(create, name, error);
    }
    if (taken == KEY_SET_PRESENT) {
        if (!create->is_batch) {
            tell_existing(create, name);
        }
        return STATUS_OK;
    }
    token_init(&token);
    status = new_token_make(&create->options, name->text, &token, secret, error);
    if (status == STATUS_OK) {
        append_output(create, &token, secret);
        status = token_set_add(store_tokens(create->store), &token, NULL, error);
    }
    secret_wipe(secret, sizeof(secret));
    token_clear(&token);
    return status;
}

/* All tokens, in memory. */
static enum status create_all(struct create *create, struct error *error)
{
    struct progress progress;
    enum status status = take_present_names(create, error);

    create->first = store_tokens(create->store)->count;
    create->options.now = create->manager->now;
    progress_begin(&progress, "tokens", create->names.count);
    for (size_t i = 0; i < create->names.count && status == STATUS_OK; i++) {
        status = create_one(create, &create->names.items[i], error);
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    return status;
}

/* They are good, and nobody will ever know them. */
static enum status lament(const struct create *create, struct error *error)
{
    const struct token_set *tokens = store_tokens(create->store);
    const int cause = errno;
    const size_t made = tokens->count - create->first;
    struct text_shell path;
    struct buffer ids = {0};
    enum status status;

    for (size_t i = create->first; i < tokens->count; i++) {
        if (made > IDS_SHOWN) {
            output_say("%s\n", tokens->records[i].token.id);
        } else {
            buffer_appendf(&ids, " %s", tokens->records[i].token.id);
        }
    }
    buffer_append_text(&ids, made > IDS_SHOWN ? " -` and these ids as its input" : "`");
    buffer_append(&ids, "", 1);
    status = error_set_errno(
        error, STATUS_FAILED, cause,
        "%s made, but could not be shown and never will be; remove %s with `token_manager --file "
        "%s delete%s, and create %s: cannot write to standard output",
        made == 1 ? "the token was" : "the tokens were", made == 1 ? "it" : "them",
        text_shell(&path, store_path(create->store)), ids.failed ? "`" : ids.bytes,
        made == 1 ? "another" : "others");
    buffer_clear(&ids);
    return status;
}

static void explain(const struct create *create)
{
    const struct token_set *tokens = store_tokens(create->store);
    const size_t made = tokens->count - create->first;
    const struct token *token = &token_set_last(tokens)->token;
    char end[TIME_TEXT_SIZE] = "";

    if (create->options.expires_at != TIME_NONE) {
        time_format(create->options.expires_at, end);
    }
    if (create->is_batch) {
        output_say("\nCreated %zu token%s in %s", made, made == 1 ? "" : "s",
                   store_path(create->store));
    } else {
        output_say("\nCreated \"%s\" (%s) in %s", token->name, token->id,
                   store_path(create->store));
    }
    output_say("%s\n%s%s%s\n",
               store_is_new(create->store)
                   ? ",\na new file: requests without a token are refused from now on."
                   : "",
               end[0] != '\0' ? "Good until " : "", end, end[0] != '\0' ? ".\n" : "");
    token_output_explain(made, create->variable);
}

/* Makes the change and shows the secrets, in this order. */
static enum status commit_and_show(struct create *create, struct error *error)
{
    bool written;
    enum status status;

    if (create->output.failed) {
        return error_no_memory(error); /* before it is too late */
    }
    secret_output_hold_signals();
    status = manager_commit(create->manager, create->store, "create", &written, error);
    if (written) {
        if (secret_output_write(&create->output)) {
            explain(create);
        } else {
            status = lament(create, error);
        }
    }
    secret_output_release_signals();
    return status;
}

static enum status finish(struct create *create, struct error *error)
{
    const size_t made = store_tokens(create->store)->count - create->first;

    if (create->is_batch && create->manager->json) {
        struct buffer list = {.secret = true};

        buffer_append_text(&list, create->output.size > 0 ? "[\n  " : "[");
        buffer_append(&list, create->output.bytes, create->output.size);
        buffer_append_text(&list, create->output.size > 0 ? "\n]" : "]");
        list.failed = list.failed || create->output.failed;
        buffer_clear(&create->output);
        create->output = list;
    }
    if (create->manager->json) {
        buffer_append_text(&create->output, "\n");
    }
    if (create->is_batch && create->names.count > made) {
        output_say("%zu of %zu names exist%s already.\n", create->names.count - made,
                   create->names.count, create->names.count - made == 1 ? "s" : "");
    }
    return made > 0 ? commit_and_show(create, error) : output_print(&create->output, error);
}

enum status create_run(const struct cli_arguments *arguments, struct error *error)
{
    struct manager manager;
    struct create create = {
        .manager = &manager,
        .names = {.text = {.secret = true}}, /* people give a list of keys by mistake */
        .taken = {.key_size = DIGEST_SIZE},
        .output = {.secret = true}};
    enum status status = manager_init(&manager, arguments, error);

    if (status == STATUS_OK) {
        status = read_arguments(&create, arguments, error);
    }
    if (status == STATUS_OK) {
        status = secret_output_check(error);
    }
    if (status == STATUS_OK) {
        status = manager_begin(&manager, true, &create.store, error);
    }
    if (status == STATUS_OK) {
        status = create_all(&create, error);
    }
    if (status == STATUS_OK) {
        status = finish(&create, error);
    }
    buffer_clear(&create.output);
    key_set_clear(&create.taken);
    create_names_clear(&create.names);
    store_abort(create.store);
    manager_clear(&manager);
    return status;
}
