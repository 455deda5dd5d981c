#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json_write.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "store/usage.h"
#include "token_manager/commands.h"
#include "token_manager/criteria.h"
#include "token_manager/manager.h"
#include "token_manager/selector_lines.h"
#include "token_manager/token_output.h"

#include "base/banned.h"

/* What is shown, and how. */
struct listing {
    const struct manager *manager;
    struct token_set tokens;
    struct usage usage;
    struct terminal terminal;
    struct criteria criteria;
    bool selectors;  /* these, and not the tokens */
    bool any_status; /* no --status */
    enum token_status status;
};

static enum status read_status(struct listing *listing, const char *text, struct error *error)
{
    struct text_quoted quoted;

    listing->any_status = text == NULL;
    if (text == NULL) {
        return STATUS_OK;
    }
    for (int s = TOKEN_ACTIVE; s <= TOKEN_EXPIRED; s++) {
        listing->status = (enum token_status)s;
        if (strcmp(text, token_status_text(listing->status)) == 0) {
            return STATUS_OK;
        }
    }
    return error_set(error, STATUS_USAGE, "--status must be active, revoked or expired, not %s",
                     text_quote(&quoted, text, strlen(text)));
}

static bool is_shown(const struct listing *listing, const struct token *token)
{
    return (listing->any_status || token_status(token, listing->manager->now) == listing->status) &&
           criteria_are_met(&listing->criteria, &listing->usage, token);
}

/* "   Created: 2025-11-26T10:30:00Z (3 days ago)"; nothing for TIME_NONE */
static void print_time(const struct listing *listing, const char *label, int64_t time)
{
    char text[TIME_TEXT_SIZE];
    char ago[TIME_AGO_SIZE];

    if (time != TIME_NONE) {
        time_format(time, text);
        time_ago(time, listing->manager->now, ago);
        (void)printf("   %s: %s (%s)\n", label, text, ago);
    }
}

static void print_status(const struct listing *listing, const struct token *token)
{
    static const struct {
        const char *text;
        const char *mark;
        const char *colour;
    } looks[] = {
        [TOKEN_ACTIVE] = {"Active", TERMINAL_CHECK, TERMINAL_GREEN},
        [TOKEN_REVOKED] = {"Revoked", TERMINAL_CROSS, TERMINAL_RED},
        [TOKEN_EXPIRED] = {"Expired", TERMINAL_CROSS, TERMINAL_RED},
    };
    const enum token_status status = token_status(token, listing->manager->now);
    const struct terminal *terminal = &listing->terminal;

    (void)printf("   Status: %s%s%s%s\n", terminal_begin(terminal, looks[status].colour),
                 terminal->marks ? looks[status].mark : "", looks[status].text,
                 terminal_end(terminal));
}

static void print_scopes(const struct token *token)
{
    (void)printf("   Scopes:%s", token->scope_count == 0 ? " all" : "");
    for (size_t i = 0; i < token->scope_count; i++) {
        (void)printf(" %s", token->scopes[i]);
    }
    (void)printf("\n");
}

/* The older secrets that are good still. */
static void print_previous(const struct listing *listing, const struct token *token)
{
    const int64_t now = listing->manager->now;
    char text[TIME_TEXT_SIZE];
    char ago[TIME_AGO_SIZE];

    for (size_t i = 0; i < token->previous_count; i++) {
        const int64_t end = token_previous_end(token, &token->previous[i], now);

        if (end != TIME_NONE) {
            time_format(end, text);
            time_ago(end, now, ago);
            (void)printf("   Previous secret %s... until %s (%s)\n", token->previous[i].prefix,
                         text, ago);
        }
    }
}

/* "Never" only of a token whose whole life was recorded. */
static void print_last_use(const struct listing *listing, const struct token *token)
{
    const int64_t last_used = usage_last(&listing->usage, token->id);
    const int64_t since = listing->usage.since;
    char text[TIME_TEXT_SIZE];

    if (last_used != TIME_NONE) {
        print_time(listing, "Last used", last_used);
    } else if (since == TIME_NONE) {
        (void)printf("   Last used: Unknown\n");
    } else if (since > token->created_at) {
        time_format(since, text);
        (void)printf("   Last used: Not since %s\n", text);
    } else {
        (void)printf("   Last used: Never\n");
    }
}

static void print_token(const struct listing *listing, size_t number, const struct token *token)
{
    (void)printf("\n%zu. %s...\n   Name: %s\n", number, token->secret.prefix, token->name);
    print_status(listing, token);
    print_time(listing, "Created", token->created_at);
    print_time(listing, "Expires", token->expires_at);
    print_time(listing, "Revoked", token->revoked_at);
    print_last_use(listing, token);
    print_scopes(token);
    if (token->note != NULL) {
        (void)printf("   Note: %s\n", token->note);
    }
    print_previous(listing, token);
}

static void print_for_people(const struct listing *listing)
{
    const struct token_set *tokens = &listing->tokens;
    size_t shown = 0;
    size_t number = 0;

    for (size_t i = 0; i < tokens->count; i++) {
        shown += is_shown(listing, &tokens->records[i].token);
    }
    if (shown == 0) {
        (void)printf("No %s%stokens found%s.\n",
                     listing->any_status ? "" : token_status_text(listing->status),
                     listing->any_status ? "" : " ",
                     listing->criteria.is_any ? " of that age or use" : "");
        return;
    }
    (void)printf("Found %zu token(s):\n", shown);
    for (size_t i = 0; i < tokens->count; i++) {
        if (is_shown(listing, &tokens->records[i].token)) {
            print_token(listing, ++number, &tokens->records[i].token);
        }
    }
}

static void write_json_token(const struct listing *listing, const struct token *token,
                             struct buffer *out)
{
    const enum token_status status = token_status(token, listing->manager->now);

    buffer_append_text(out, "{");
    json_write_text(out, "id", token->id);
    json_write_text(out, "name", token->name);
    json_write_text(out, "prefix", token->secret.prefix);
    json_write_text(out, "status", token_status_text(status));
    json_write_time(out, "created_at", token->created_at);
    json_write_time(out, "expires_at", token->expires_at);
    json_write_time(out, "revoked_at", token->revoked_at);
    json_write_time(out, "last_used_at", usage_last(&listing->usage, token->id));
    token_output_json_scopes(out, token);
    json_write_text(out, "note", token->note);
    token_output_json_previous(out, token, listing->manager->now);
    buffer_append_text(out, "}");
}

static enum status print_json(const struct listing *listing, struct error *error)
{
    struct buffer out = {0};
    bool any = false;

    for (size_t i = 0; i < listing->tokens.count; i++) {
        if (is_shown(listing, &listing->tokens.records[i].token)) {
            buffer_append_text(&out, any ? ",\n  " : "[\n  ");
            write_json_token(listing, &listing->tokens.records[i].token, &out);
            any = true;
        }
    }
    buffer_append_text(&out, any ? "\n]\n" : "[]\n");
    return output_print(&out, error);
}

static enum status print_selectors(const struct listing *listing, struct error *error)
{
    const struct token_set *tokens = &listing->tokens;
    struct selector_lines lines;
    struct buffer out = {0};
    enum status status = selector_lines_init(&lines, tokens, error);

    for (size_t i = 0; i < tokens->count && status == STATUS_OK; i++) {
        if (is_shown(listing, &tokens->records[i].token)) {
            selector_lines_append(&lines, i, listing->manager->now, &out);
        }
    }
    selector_lines_clear(&lines);
    return status == STATUS_OK ? output_print(&out, error) : status;
}

/* Tokens of which --unused cannot tell are not shown, which must not look like "used". */
static void warn_of_untold(const struct listing *listing)
{
    size_t untold = 0;
    char since[TIME_TEXT_SIZE];

    for (size_t i = 0; i < listing->tokens.count; i++) {
        untold += criteria_cannot_tell(&listing->criteria, &listing->usage,
                                       &listing->tokens.records[i].token);
    }
    if (untold > 0) {
        time_format(listing->usage.since, since);
        output_say("token_manager: %zu token%s older than the record of uses, which begins at "
                   "%s, and not shown: whether %s used before is not known\n",
                   untold, untold == 1 ? " is" : "s are", since,
                   untold == 1 ? "it was" : "they were");
    }
}

/* Last uses are a service: without them the list is still right, unless it asks for them. */
static enum status load_usage(struct listing *listing, struct error *error)
{
    char *path = NULL;
    enum status status = manager_load_usage(listing->manager, &listing->usage, &path, error);

    if (status != STATUS_OK && !criteria_ask_for_use(&listing->criteria)) {
        output_say("token_manager: last uses are not known: %s\n", error->text);
        status = STATUS_OK;
    } else if (status == STATUS_OK) {
        status = criteria_check_usage(&listing->criteria, &listing->usage, path, error);
    }
    if (status == STATUS_OK) {
        warn_of_untold(listing);
    }
    free(path);
    return status;
}

static enum status load_tokens(struct listing *listing, struct error *error)
{
    const struct settings *settings = &listing->manager->settings;
    struct manager_call call;
    const char *command = manager_call(listing->manager, &call);
    enum status status = manager_load(listing->manager, &listing->tokens, error);

    if (status == STATUS_NOT_FOUND && settings->path_source == SETTINGS_UNSET) {
        output_say("%s does not exist yet; `%s create NAME` makes it.\n", settings->path, command);
        return STATUS_OK;
    }
    if (status == STATUS_NOT_FOUND) {
        return error_set(error, STATUS_STORE, "%s does not exist; `%s create NAME` makes it",
                         settings->path, command);
    }
    if (status == STATUS_OK && (!listing->selectors || criteria_ask_for_use(&listing->criteria))) {
        status = load_usage(listing, error);
    }
    return status;
}

static enum status read_selectors(struct listing *listing, const struct cli_arguments *arguments,
                                  struct error *error)
{
    listing->selectors = cli_has(arguments, "selectors");
    return listing->selectors && listing->manager->json
               ? error_set(error, STATUS_USAGE, "--selectors and --json exclude each other")
               : STATUS_OK;
}

enum status list_run(const struct cli_arguments *arguments, struct error *error)
{
    struct manager manager;
    struct listing listing = {.manager = &manager,
                              .terminal = terminal_look(STDOUT_FILENO, arguments->colour)};
    enum status status = manager_init(&manager, arguments, error);

    usage_init(&listing.usage);
    if (status == STATUS_OK) {
        status = read_status(&listing, cli_value(arguments, "status"), error);
    }
    if (status == STATUS_OK) {
        status = criteria_read(&listing.criteria, arguments, manager.now, error);
    }
    if (status == STATUS_OK) {
        status = read_selectors(&listing, arguments, error);
    }
    if (status == STATUS_OK) {
        status = load_tokens(&listing, error);
    }
    if (status == STATUS_OK && listing.selectors) {
        status = print_selectors(&listing, error);
    } else if (status == STATUS_OK && manager.json) {
        status = print_json(&listing, error);
    } else if (status == STATUS_OK) {
        print_for_people(&listing);
    }
    usage_clear(&listing.usage);
    token_set_clear(&listing.tokens);
    manager_clear(&manager);
    return status;
}
