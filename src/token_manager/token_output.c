#include "token_manager/token_output.h"

#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "cli/output.h"
#include "token/token_text.h"

#include "base/banned.h"

#define DEFAULT_VARIABLE "FREEGPT_API_KEY"

static bool is_variable(const char *text)
{
    const size_t rest =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    return *text != '\0' && text[rest] == '\0' && (*text < '0' || *text > '9');
}

enum status token_output_read_variable(const struct cli_arguments *arguments, const char **variable,
                                       struct error *error)
{
    *variable = cli_value(arguments, "env");
    if (*variable == NULL) {
        return STATUS_OK;
    }
    if (cli_has(arguments, "json")) {
        return error_set(error, STATUS_USAGE, "--env and --json exclude each other");
    }
    if (*variable == cli_no_value) {
        *variable = DEFAULT_VARIABLE;
    }
    if (!is_variable(*variable) || token_text_looks_like_one(*variable, strlen(*variable))) {
        return error_set(error, STATUS_USAGE,
                         "--env=VAR needs the name of a variable: letters, digits and _");
    }
    return STATUS_OK;
}

void token_output_plain(struct buffer *out, const char *variable, const char *secret)
{
    if (variable != NULL) {
        buffer_append_text(out, variable);
        buffer_append_text(out, "=");
    }
    buffer_append_text(out, secret);
    buffer_append_text(out, "\n");
}

void token_output_json_scopes(struct buffer *out, const struct token *token)
{
    if (token->scope_count > 0) {
        json_write_list(out, "scopes", (const char *const *)token->scopes, token->scope_count);
    } else {
        json_write_text(out, "scopes", NULL);
    }
}

void token_output_json(struct buffer *out, const struct token *token, const char *secret)
{
    buffer_append_text(out, "{");
    json_write_text(out, "id", token->id);
    json_write_text(out, "name", token->name);
    if (secret != NULL) {
        json_write_text(out, "token", secret);
    }
    json_write_text(out, "prefix", token->secret.prefix);
    json_write_time(out, "created_at", token->created_at);
    json_write_time(out, "expires_at", token->expires_at);
    token_output_json_scopes(out, token);
    json_write_text(out, "note", token->note);
}

void token_output_json_previous(struct buffer *out, const struct token *token, int64_t now)
{
    bool any = false;

    json_write_name(out, "previous");
    buffer_append_text(out, "[");
    for (size_t i = 0; i < token->previous_count; i++) {
        const int64_t end = token_previous_end(token, &token->previous[i], now);

        if (end != TIME_NONE) {
            buffer_append_text(out, any ? ", {" : "{");
            json_write_text(out, "prefix", token->previous[i].prefix);
            json_write_time(out, "expires_at", end);
            buffer_append_text(out, "}");
            any = true;
        }
    }
    buffer_append_text(out, "]");
}

void token_output_explain(size_t made, const char *variable)
{
    output_say("Save the token%s now: only %s kept, and %s not shown again.\n"
               "  in a .env file:  %s=TOKEN\n"
               "  in a request:    Authorization: Bearer TOKEN\n",
               made == 1 ? "" : "s", made == 1 ? "its digest is" : "their digests are",
               made == 1 ? "it is" : "they are", variable != NULL ? variable : DEFAULT_VARIABLE);
}
