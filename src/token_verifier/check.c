#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json_write.h"
#include "base/secret.h"
#include "base/timefmt.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/verifier_options.h"
#include "token_verifier/commands.h"
#include "token_verifier/scopes.h"
#include "verify/credential.h"
#include "verify/verifier.h"

#include "base/banned.h"

#define LINE_LIMIT 16384 /* more than any credential: what is longer is refused as too long */

/* Reads up to the end of a line; -1 with errno set. */
static ssize_t read_line(char *line, size_t capacity)
{
    const char *newline = NULL;
    size_t size = 0;

    while (size < capacity && newline == NULL) {
        const ssize_t got = read(STDIN_FILENO, line + size, capacity - size);

        if (got < 0 && errno != EINTR) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        size += got > 0 ? (size_t)got : 0;
        newline = memchr(line, '\n', size);
    }
    /* What came along behind the line is not looked at, however the pipe cut it. */
    return newline != NULL ? newline - line : (ssize_t)size;
}

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
    return output_print(&out, error);
}

/* Prints the verdict and turns it into a status. */
static enum status report(const struct token_verifier_result *result, bool json,
                          struct error *error)
{
    const bool accepted = result->verdict == TOKEN_VERIFIER_ACCEPTED;
    enum status status = STATUS_OK;

    if (json) {
        status = print_json(result, error);
    } else if (accepted) {
        (void)printf("%s %s\n", result->id, result->name);
    }
    if (accepted && result->mode == TOKEN_VERIFIER_MODE_OPEN) {
        (void)fprintf(stderr, "AUTHENTICATION IS OFF: EVERYBODY IS ACCEPTED "
                              "(there is no token file and no environment key)\n");
    }
    if (accepted || status != STATUS_OK) {
        return status;
    }
    return error_set(
        error, result->reason == TOKEN_VERIFIER_UNAVAILABLE ? STATUS_STORE : STATUS_FAILED,
        "refused (%s): %s", token_verifier_reason_text(result->reason), result->message);
}

static enum status check_line(struct token_verifier *verifier, const struct scopes *scopes,
                              bool json, struct error *error)
{
    struct token_verifier_request request = {.scopes = scopes->texts, .scope_count = scopes->count};
    struct token_verifier_result result;
    struct credential credential;
    char line[LINE_LIMIT];
    const ssize_t size = isatty(STDIN_FILENO) == 1
                             ? terminal_read_unseen("Token (not shown): ", line, sizeof(line))
                             : read_line(line, sizeof(line));

    if (size < 0) {
        return error_set_errno(error, STATUS_STORE, errno, "cannot read standard input");
    }
    (void)credential_from_line(line, (size_t)size, &credential);
    request.credential = credential.text;
    request.credential_size = credential.size;
    (void)token_verifier_check(verifier, &request, &result);
    secret_wipe(line, sizeof(line));
    return report(&result, json, error);
}

enum status check_run(const struct cli_arguments *arguments, struct error *error)
{
    const struct token_verifier_options options = verifier_options(arguments);
    struct token_verifier *verifier = NULL;
    struct scopes scopes;
    enum status status = scopes_read(&scopes, arguments, error);

    if (status == STATUS_OK) {
        status = verifier_open(&verifier, &options, error);
    }
    if (status == STATUS_OK) {
        status = check_line(verifier, &scopes, cli_has(arguments, "json"), error);
    }
    token_verifier_close(verifier);
    return status;
}
