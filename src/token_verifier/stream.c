#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/verifier_options.h"
#include "token_verifier/commands.h"
#include "cli/scopes.h"
#include "verify/credential.h"
#include "verify/verifier.h"

#include "base/banned.h"

#define LINE_LIMIT 65536 /* bytes of a line, its end among them */
#define PIECE 4096       /* bytes written at once: PIPE_BUF of Linux, at most */
#define IDLE_MS 1000     /* without input for so long, uses are written down */

static volatile sig_atomic_t asked_to_stop;

static void stop(int signal_number)
{
    (void)signal_number;
    asked_to_stop = 1;
}

/* What was read and not yet answered, and what was answered and not yet written. */
struct stream {
    struct token_verifier *verifier;
    struct scopes scopes;
    char input[LINE_LIMIT];
    size_t size;
    bool skipping; /* the rest of a line that was too long, and was answered */
    struct buffer output;
    bool said_unavailable; /* the reason was told since it last was available */
};

static void answer_refused(struct stream *stream, enum token_verifier_reason reason)
{
    const char *text = token_verifier_reason_text(reason);

    buffer_append(&stream->output, "ERR ", 4);
    buffer_append(&stream->output, text, strlen(text));
    buffer_append(&stream->output, "\n", 1);
}

/* The answer says only that there is no verdict; why is for the operator, and told once. */
static void tell_unavailable(struct stream *stream, const struct token_verifier_result *result)
{
    const bool unavailable = result->reason == TOKEN_VERIFIER_UNAVAILABLE;

    if (unavailable && !stream->said_unavailable) {
        output_talk(result->message, strlen(result->message));
        output_talk("\n", 1);
    }
    stream->said_unavailable = unavailable;
}

static void answer_line(struct stream *stream, const char *line, size_t size)
{
    struct token_verifier_request request = {.scopes = stream->scopes.texts,
                                             .scope_count = stream->scopes.count};
    struct token_verifier_result result;
    struct credential credential;

    (void)credential_from_line(line, size, &credential);
    request.credential = credential.text;
    request.credential_size = credential.size;
    if (token_verifier_check(stream->verifier, &request, &result) != TOKEN_VERIFIER_ACCEPTED) {
        tell_unavailable(stream, &result);
        answer_refused(stream, result.reason);
        return;
    }
    stream->said_unavailable = false;
    buffer_append(&stream->output, "OK ", 3);
    buffer_append(&stream->output, result.id, strlen(result.id));
    buffer_append(&stream->output, " ", 1);
    text_percent_encode(&stream->output, result.name, strlen(result.name));
    buffer_append(&stream->output, "\n", 1);
}

/* Answers every line that is complete, and keeps the beginning of the next. */
static void answer_lines(struct stream *stream)
{
    const char *at = stream->input;
    const char *end = stream->input + stream->size;
    const char *newline;

    while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if (!stream->skipping) {
            answer_line(stream, at, (size_t)(newline - at));
        }
        stream->skipping = false;
        at = newline + 1;
    }
    stream->size = (size_t)(end - at);
    memmove(stream->input, at, stream->size);
    secret_wipe(stream->input + stream->size, (size_t)(at - stream->input));
    if (stream->skipping) {
        stream->size = 0;
    } else if (stream->size == sizeof(stream->input)) {
        answer_refused(stream, TOKEN_VERIFIER_MALFORMED);
        stream->skipping = true;
        stream->size = 0;
    }
}

/*
 * Waits until one of these is ready, at most `wait_ms` unless that is negative. Only here do the ending
 * signals get through, so that none comes between a look at the flag and the wait. Whether one is ready.
 */
static bool wait_for(fd_set *input, fd_set *output, long wait_ms)
{
    const struct timespec limit = {wait_ms / 1000, wait_ms % 1000 * 1000000};
    sigset_t none;

    (void)sigemptyset(&none);
    return pselect(STDOUT_FILENO + 1, input, output, NULL, wait_ms < 0 ? NULL : &limit, &none) > 0;
}

static bool wait_for_input(long wait_ms)
{
    fd_set input;

    FD_ZERO(&input);
    FD_SET(STDIN_FILENO, &input);
    return wait_for(&input, NULL, wait_ms);
}

static bool wait_for_room(void)
{
    fd_set output;

    FD_ZERO(&output);
    FD_SET(STDOUT_FILENO, &output);
    return wait_for(NULL, &output, -1);
}

/* Before waiting for more, everything that was asked is answered. */
static enum status write_output(struct stream *stream, struct error *error)
{
    size_t done = 0;

    if (stream->output.failed) {
        return error_no_memory(error);
    }
    while (done < stream->output.size && !asked_to_stop) {
        const size_t left = stream->output.size - done;
        ssize_t put;

        if (!wait_for_room()) {
            continue;
        }
        /* What fits into any pipe that is ready: a signal must not find us stuck in a write. */
        put = write(STDOUT_FILENO, stream->output.bytes + done, left < PIECE ? left : PIECE);
        if (put < 0 && errno != EINTR && errno != EAGAIN) {
            return error_set_errno(error, STATUS_FAILED, errno, "cannot write to standard output");
        }
        done += put > 0 ? (size_t)put : 0;
    }
    stream->output.size = 0;
    return STATUS_OK;
}

/* Waits for input and reads it; `*got` is 0 at its end. */
static enum status read_more(struct stream *stream, ssize_t *got, struct error *error)
{
    bool flushed = false;

    *got = 0;
    while (!asked_to_stop && !wait_for_input(flushed ? -1 : IDLE_MS)) {
        flushed = flushed || token_verifier_flush(stream->verifier);
    }
    if (asked_to_stop) {
        return STATUS_OK;
    }
    do {
        *got =
            read(STDIN_FILENO, stream->input + stream->size, sizeof(stream->input) - stream->size);
    } while (*got < 0 && (errno == EINTR || errno == EAGAIN));
    if (*got < 0) {
        return error_set_errno(error, STATUS_FAILED, errno, "cannot read standard input");
    }
    return STATUS_OK;
}

static enum status answer_all(struct stream *stream, struct error *error)
{
    ssize_t got = 1;
    enum status status = STATUS_OK;

    while (status == STATUS_OK && got > 0) {
        status = read_more(stream, &got, error);
        if (status == STATUS_OK && got > 0) {
            stream->size += (size_t)got;
            answer_lines(stream);
            status = write_output(stream, error);
        }
    }
    if (status == STATUS_OK && stream->size > 0 && !asked_to_stop) {
        answer_line(stream, stream->input, stream->size); /* a last line without its end */
        status = write_output(stream, error);
    }
    return status;
}

/* Said once, before the first answer; the answers say "anonymous". */
static void warn_if_open(struct token_verifier *verifier)
{
    if (token_verifier_current_mode(verifier, NULL, 0) == TOKEN_VERIFIER_MODE_OPEN) {
        (void)fprintf(stderr, "AUTHENTICATION IS OFF: EVERYBODY IS ACCEPTED "
                              "(there is no token file and no environment key)\n");
    }
}

/* A signal to end is taken for the end of input, so that uses are not lost. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = stop};
    sigset_t held;

    (void)sigemptyset(&action.sa_mask);
    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGTERM);
    (void)sigaddset(&held, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &held, NULL); /* but in wait_for */
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

enum status stream_run(const struct cli_arguments *arguments, struct error *error)
{
    const struct token_verifier_options options = verifier_options(arguments);
    struct stream *stream;
    enum status status;

    if (cli_has(arguments, "json")) {
        return error_set(error, STATUS_USAGE, "stream answers in lines, and not in JSON");
    }
    stream = calloc(1, sizeof(*stream));

    if (stream == NULL) {
        return error_no_memory(error);
    }
    status = scopes_read(&stream->scopes, arguments, error);
    if (status == STATUS_OK) {
        status = verifier_open(&stream->verifier, &options, error);
    }
    if (status == STATUS_OK) {
        warn_if_open(stream->verifier);
        catch_signals();
        status = answer_all(stream, error);
    }
    if (status == STATUS_OK && stream->said_unavailable) {
        error->text[0] = '\0'; /* it was said */
        status = STATUS_STORE;
    }
    token_verifier_close(stream->verifier);
    buffer_clear(&stream->output);
    secret_wipe(stream->input, sizeof(stream->input));
    free(stream);
    return status;
}
