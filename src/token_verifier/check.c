#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "token/token.h"
#include "token_verifier/commands.h"
#include "verify/credential.h"
#include "verify/verifier.h"

#include "base/banned.h"

#define INPUT_SIZE 16384 /* a line may be longer than a credential: then it is refused as such */
#define SCOPES_LIMIT CLI_GIVEN_LIMIT

/* Reads a line, or what comes with it; -1 with errno set. */
static ssize_t read_line(char *input, size_t capacity)
{
    size_t size = 0;

    while (size < capacity && (size == 0 || memchr(input, '\n', size) == NULL)) {
        const ssize_t got = read(STDIN_FILENO, input + size, capacity - size);

        if (got < 0 && errno != EINTR) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        size += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)size;
}

/* One line typed at a terminal, which does not show it. */
static ssize_t read_unseen(char *input, size_t capacity)
{
    struct termios shown;
    struct termios hidden;
    ssize_t size;

    if (tcgetattr(STDIN_FILENO, &shown) != 0) {
        return -1;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    (void)fprintf(stderr, "Token (not shown): ");
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) != 0) {
        return -1;
    }
    do {
        size = read(STDIN_FILENO, input, capacity);
    } while (size < 0 && errno == EINTR);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    (void)fprintf(stderr, "\n");
    return size;
}

static enum status read_scopes(const struct cli_arguments *arguments,
                               const char *scopes[static SCOPES_LIMIT], size_t *count,
                               struct error *error)
{
    struct text_quoted quoted;

    *count = 0;
    for (size_t i = 0; i < arguments->given_count; i++) {
        const char *scope = arguments->given[i].value;

        if (strcmp(arguments->given[i].option->name, "scope") != 0) {
            continue;
        }
        if (!token_is_scope(scope, strlen(scope))) {
            return error_set(error, STATUS_USAGE, "--scope %s is no scope (RFC 6749, section 3.3)",
                             text_quote(&quoted, scope, strlen(scope)));
        }
        scopes[(*count)++] = scope;
    }
    return STATUS_OK;
}

static void print_json(const struct token_verifier_result *result, const char *message)
{
    const bool accepted = result->verdict == TOKEN_VERIFIER_ACCEPTED;
    const bool expires = result->expires_at != TOKEN_VERIFIER_NEVER;
    char time[TIME_TEXT_SIZE];
    struct buffer out = {0};

    if (expires) {
        time_format(result->expires_at, time);
    }
    buffer_appendf(&out, "{\"accepted\": %s, ", accepted ? "true" : "false");
    json_write_member(&out, "reason", accepted ? NULL : token_verifier_reason_text(result->reason));
    buffer_append_text(&out, ", ");
    json_write_member(&out, "message", accepted ? NULL : message);
    buffer_append_text(&out, ", ");
    json_write_member(&out, "mode", token_verifier_mode_text(result->mode));
    buffer_append_text(&out, ", ");
    json_write_member(&out, "id", accepted ? result->id : NULL);
    buffer_append_text(&out, ", ");
    json_write_member(&out, "name", accepted ? result->name : NULL);
    buffer_append_text(&out, ", ");
    json_write_member(&out, "scopes", accepted ? result->scopes : NULL);
    buffer_append_text(&out, ", ");
    json_write_member(&out, "expires_at", expires ? time : NULL);
    buffer_append_text(&out, "}\n");
    (void)fwrite(out.bytes, 1, out.size, stdout);
    buffer_clear(&out);
}

/* Prints the verdict and turns it into a status. */
static enum status report(struct token_verifier *verifier, bool json,
                          const struct token_verifier_result *result, struct error *error)
{
    char message[TOKEN_VERIFIER_MESSAGE_SIZE] = "";
    const bool unavailable = result->reason == TOKEN_VERIFIER_UNAVAILABLE;

    if (unavailable) {
        (void)token_verifier_mode(verifier, message);
    }
    if (json) {
        print_json(result, unavailable ? message : result->help);
    }
    if (result->verdict == TOKEN_VERIFIER_ACCEPTED) {
        if (!json) {
            (void)printf("%s %s\n", result->id, result->name);
        }
        if (result->mode == TOKEN_VERIFIER_MODE_OPEN) {
            (void)fprintf(stderr, "AUTHENTICATION IS OFF: EVERYBODY IS ACCEPTED "
                                  "(there is no token file and no environment key)\n");
        }
        return STATUS_OK;
    }
    return error_set(error, unavailable ? STATUS_STORE : STATUS_FAILED, "refused (%s): %s",
                     token_verifier_reason_text(result->reason),
                     unavailable ? message : result->help);
}

enum status check_run(const struct cli_arguments *arguments, struct error *error)
{
    const struct token_verifier_options options = verifier_options(arguments);
    const char *scopes[SCOPES_LIMIT];
    struct token_verifier_request request = {.scopes = scopes};
    struct token_verifier_result result;
    struct token_verifier *verifier = NULL;
    struct credential credential;
    char input[INPUT_SIZE];
    ssize_t size = -1;
    enum status status = read_scopes(arguments, scopes, &request.scope_count, error);

    if (status == STATUS_OK) {
        status = verifier_open(&verifier, &options, error);
    }
    if (status == STATUS_OK) {
        size = isatty(STDIN_FILENO) == 1 ? read_unseen(input, sizeof(input))
                                         : read_line(input, sizeof(input));
        if (size < 0) {
            status = error_set_errno(error, STATUS_STORE, errno, "cannot read standard input");
        }
    }
    if (status == STATUS_OK) {
        (void)credential_from_line(input, (size_t)size, &credential);
        request.credential = credential.text;
        request.credential_size = credential.size;
        (void)token_verifier_check(verifier, &request, &result);
        status = report(verifier, cli_has(arguments, "json"), &result, error);
    }
    secret_wipe(input, sizeof(input));
    token_verifier_close(verifier);
    return status;
}
