#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json_write.h"
#include "base/timefmt.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/verifier_options.h"
#include "token_verifier/commands.h"
#include "cli/scopes.h"
#include "verify/credential.h"
#include "verify/verifier.h"

#include "base/banned.h"

#define INPUT_LIMIT ((size_t)1024 * 1024) /* far more than any credential */
#define TYPED_LIMIT 4096                  /* what a terminal hands over as one line */

static void write_scopes(struct buffer *out, const struct token_verifier_result *result)
{
    const char *scope = result->scopes;

    if (*scope == '\0' || strcmp(scope, "*") == 0) {
        json_write_text(out, "scopes", NULL);
        return;
    }
    json_write_name(out, "scopes");
    buffer_append_text(out, "[");
    while (*scope != '\0') {
        const size_t size = strcspn(scope, " ");

        json_write_string(out, scope, size);
        scope += size + (scope[size] == ' ');
        buffer_append_text(out, *scope != '\0' ? ", " : "");
    }
    buffer_append_text(out, "]");
}

/* A verdict that cannot be told for want of memory is none. */
static enum status print(struct buffer *out, struct error *error)
{
    if (out->failed) {
        buffer_clear(out);
        (void)error_no_memory(error);
        return STATUS_STORE;
    }
    return output_print(out, error);
}

static enum status print_json(const struct token_verifier_result *result, struct error *error)
{
    const bool accepted = result->verdict == TOKEN_VERIFIER_ACCEPTED;
    const bool expires = result->expires_at != TOKEN_VERIFIER_NEVER;
    char time[TIME_TEXT_SIZE];
    struct buffer out = {0};

    if (expires) {
        time_format(result->expires_at, time);
    }
    buffer_append_text(&out, "{");
    json_write_flag(&out, "accepted", accepted);
    json_write_text(&out, "reason", accepted ? NULL : token_verifier_reason_text(result->reason));
    json_write_text(&out, "message", accepted ? NULL : result->message);
    json_write_text(&out, "mode", token_verifier_mode_text(result->mode));
    json_write_text(&out, "id", accepted ? result->id : NULL);
    json_write_text(&out, "name", accepted ? result->name : NULL);
    write_scopes(&out, result);
    json_write_text(&out, "expires_at", expires ? time : NULL);
    buffer_append_text(&out, "}\n");
    return print(&out, error);
}

/* "tok_… my-application": plain but at a terminal. That everybody is accepted is no good news. */
static enum status print_accepted(const struct token_verifier_result *result,
                                  enum cli_colour colour, struct error *error)
{
    const struct terminal terminal = terminal_look(STDOUT_FILENO, colour);
    const bool is_open = result->mode == TOKEN_VERIFIER_MODE_OPEN;
    struct buffer out = {0};

    buffer_appendf(&out, "%s%s%s %s%s\n",
                   terminal_begin(&terminal, is_open ? TERMINAL_RED : TERMINAL_GREEN),
                   terminal.marks && !is_open ? TERMINAL_CHECK : "", result->id, result->name,
                   terminal_end(&terminal));
    return print(&out, error);
}

/* Prints the verdict and turns it into a status. */
static enum status report(const struct token_verifier_result *result,
                          const struct cli_arguments *arguments, struct error *error)
{
    const bool accepted = result->verdict == TOKEN_VERIFIER_ACCEPTED;
    enum status status = STATUS_OK;

    if (cli_has(arguments, "json")) {
        status = print_json(result, error);
    } else if (accepted) {
        status = print_accepted(result, arguments->colour, error);
    }
    if (accepted && result->mode == TOKEN_VERIFIER_MODE_OPEN) {
        (void)fprintf(stderr, "AUTHENTICATION IS OFF: EVERYBODY IS ACCEPTED "
                              "(there is no token file and no environment key)\n");
    }
    if (accepted || status != STATUS_OK) {
        return status;
    }
    return error_set(error,
                     result->reason == TOKEN_VERIFIER_UNAVAILABLE ? STATUS_STORE : STATUS_FAILED,
                     "%srefused (%s): %s",
                     terminal_look(STDERR_FILENO, arguments->colour).marks ? TERMINAL_CROSS : "",
                     token_verifier_reason_text(result->reason), result->message);
}

/* What a person types, or all that a program sends: several lines are no credential. */
static enum status read_credential(struct buffer *input, struct error *error)
{
    ssize_t size;

    if (isatty(STDIN_FILENO) != 1) {
        return input_read_all(input, INPUT_LIMIT, error);
    }
    if (!buffer_reserve(input, TYPED_LIMIT)) {
        return error_no_memory(error);
    }
    size = terminal_read_unseen("Token (not shown): ", input->bytes, TYPED_LIMIT);
    if (size < 0) {
        return error_set_errno(error, STATUS_FAILED, errno, "cannot read from the terminal");
    }
    input->size = (size_t)size;
    return STATUS_OK;
}

static enum status check_input(struct token_verifier *verifier, const struct scopes *scopes,
                               const struct cli_arguments *arguments, struct error *error)
{
    struct token_verifier_request request = {.scopes = scopes->texts, .scope_count = scopes->count};
    struct token_verifier_result result;
    struct credential credential;
    struct buffer input = {.secret = true};
    enum status status = read_credential(&input, error);

    if (status == STATUS_OK) {
        (void)credential_from_line(input.bytes, input.size, &credential);
        request.credential = credential.text;
        request.credential_size = credential.size;
        (void)token_verifier_check(verifier, &request, &result);
        status = report(&result, arguments, error);
    } else {
        status = STATUS_STORE; /* no verdict */
    }
    buffer_clear(&input);
    return status;
}

enum status check_run(const struct cli_arguments *arguments, struct error *error)
{
    const struct token_verifier_options options = verifier_options(arguments);
    struct token_verifier *verifier = NULL;
    struct scopes scopes;
    enum status status = scopes_read(&scopes, arguments, error);

    if (status == STATUS_OK) {
        status = verifier_open(&verifier, &options, error);
        if (status == STATUS_FAILED) {
            status = STATUS_STORE; /* no verdict: nobody was refused */
        }
    }
    if (status == STATUS_OK) {
        status = check_input(verifier, &scopes, arguments, error);
    }
    token_verifier_close(verifier);
    return status;
}
