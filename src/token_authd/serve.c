#include "token_authd/serve.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <time.h>

#include "base/version.h"
#include "store/usage.h"
#include "token_authd/authd.h"
#include "token_authd/http.h"
#include "token_authd/listen_socket.h"
#include "token_authd/log.h"
#include "token_authd/options.h"
#include "token_authd/routes.h"
#include "token_authd/sandbox.h"

#include "base/banned.h"

#define TICK_MS 1000
#define FINISH_LOOK_MS 10
#define DESCRIPTORS_KEPT 64 /* for the token file, the usage file, the threads */

struct serve {
    struct options options;
    struct authd authd;
    struct listen_socket listener;
    struct sandbox sandbox;
    struct http_server *http;
    uint64_t loads_seen;
};

static volatile sig_atomic_t ends_asked; /* how often */
static volatile sig_atomic_t reread_asked;

static void note_signal(int number)
{
    if (number == SIGHUP) {
        reread_asked = 1;
    } else {
        ends_asked++;
    }
}

/* They are held back but where pselect waits, in this thread alone: those that answer inherit that. */
static void catch_signals(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t held;

    (void)sigfillset(&action.sa_mask);
    (void)sigemptyset(&held);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)sigaddset(&held, numbers[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &held, NULL);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)sigaction(numbers[i], &action, NULL);
    }
}

/* Waits for a signal, at most so many milliseconds. */
static void wait_for_signal(long wait_ms)
{
    const struct timespec limit = {wait_ms / 1000, wait_ms % 1000 * 1000000};
    sigset_t none;

    (void)sigemptyset(&none);
    (void)pselect(0, NULL, NULL, NULL, &limit, &none);
}

/* Seconds of a clock that nobody sets. */
static time_t steady_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* Lets the process have a descriptor for every connection and some more. */
static enum status raise_descriptor_limit(const struct options *options, struct error *error)
{
    const rlim_t wanted = options->connections + DESCRIPTORS_KEPT + 4 * (rlim_t)options->threads;
    struct rlimit limit;
    rlim_t before;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return error_set_errno(error, STATUS_FAILED, errno,
                               "cannot read the limit of file descriptors");
    }
    if (limit.rlim_cur >= wanted) {
        return STATUS_OK;
    }
    before = limit.rlim_cur;
    limit.rlim_cur = wanted;
    if ((limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted) ||
        setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return error_set(
            error, STATUS_FAILED,
            "%zu connections need %llu file descriptors, and the limit is %llu; raise "
            "it (ulimit -n, LimitNOFILE=), or give a smaller --max-connections",
            options->connections, (unsigned long long)wanted,
            (unsigned long long)(limit.rlim_max != RLIM_INFINITY ? limit.rlim_max : before));
    }
    return STATUS_OK;
}

static void log_state(struct serve *serve, const char *event)
{
    serve->loads_seen =
        authd_log_state(&serve->authd, event, serve->listener.text, &serve->sandbox);
}

static void log_plain(enum log_level level, const char *event, const char *key, const char *text)
{
    struct log_line line;

    log_begin(&line, level, time(NULL), event);
    log_text(&line, key, text);
    log_end(&line);
}

static void log_complaint(void *context, const char *what, size_t count)
{
    struct log_line line;

    (void)context;
    log_begin(&line, LOG_LEVEL_WARN, time(NULL), "http");
    log_count(&line, "count", count);
    log_foreign(&line, "last", what, strlen(what)); /* it may have the path in it */
    log_end(&line);
}

static void reread(struct serve *serve)
{
    struct log_line line;
    struct error error;

    if (verifier_reread(serve->authd.verifier, &serve->options.verifier, &error) == STATUS_OK) {
        log_state(serve, "reread");
    } else {
        log_begin(&line, LOG_LEVEL_ERROR, time(NULL), "reread-failed");
        log_text(&line, "reason", error.text);
        authd_log_sandbox(&serve->authd, &line);
        log_end(&line);
    }
}

/* About once a second: what else would wait for a request that may not come. */
static void tick(struct serve *serve)
{
    char why[TOKEN_VERIFIER_MESSAGE_SIZE];
    struct token_verifier *verifier = serve->authd.verifier;
    enum token_verifier_mode mode;

    http_tick(serve->http, steady_now());
    (void)token_verifier_flush(verifier);
    mode = token_verifier_current_mode(verifier, why, sizeof(why));
    authd_note_mode(&serve->authd, mode, why);
    if (mode != TOKEN_VERIFIER_MODE_UNAVAILABLE &&
        verifier_loads(verifier).count != serve->loads_seen) {
        log_state(serve, "reloaded");
    }
}

static void serve_until_asked(struct serve *serve)
{
    while (ends_asked == 0) {
        wait_for_signal(TICK_MS);
        if (reread_asked) {
            reread_asked = 0;
            reread(serve);
        }
        tick(serve);
    }
}

/* Finishes what is under way, unless asked once more, or it takes longer than a client may. */
static void finish(struct serve *serve)
{
    const time_t begun = steady_now();
    const time_t limit = begun + (time_t)serve->options.timeout;
    time_t ticked = begun;

    log_plain(LOG_LEVEL_INFO, "ending", "listen", serve->listener.text);
    http_stop_accepting(serve->http);
    listen_socket_refuse(&serve->listener);
    while (http_is_busy(serve->http) && ends_asked < 2 && steady_now() <= limit) {
        wait_for_signal(FINISH_LOOK_MS);
        if (steady_now() != ticked) {
            ticked = steady_now();
            http_tick(serve->http, ticked);
        }
    }
}

/* A file that is not there yet cannot be made from within, nor anything be recorded in it. */
static void make_usage_file(const struct serve *serve, const char *path)
{
    const struct usage_append nothing = {
        .path = path, .create = true, .now = time(NULL), .size_limit = SIZE_MAX};

    if (serve->options.verifier.usage != NULL && serve->options.sandbox != SANDBOX_OFF) {
        (void)usage_append(&nothing);
    }
}

/* Once all is open that stays open, and before there is another thread. */
static enum status enter_sandbox(struct serve *serve, struct error *error)
{
    struct verifier_report report;
    struct sandbox_needs needs;
    char *usage = verifier_usage_path(serve->authd.verifier);
    enum status status;

    if (usage != NULL) {
        make_usage_file(serve, usage);
    }
    verifier_report(serve->authd.verifier, time(NULL), &report);
    needs = (struct sandbox_needs){.token_file = report.settings->path,
                                   .variables_file = report.settings->env_file,
                                   .usage_file = usage};
    status = sandbox_enter(&serve->sandbox, serve->options.sandbox, &needs, error);
    serve->authd.sandbox = serve->sandbox.is_on ? serve->sandbox.text : NULL;
    free(usage);
    return status;
}

static void warn_of_sandbox(const struct serve *serve)
{
    if (serve->sandbox.is_on && !serve->sandbox.has_usage_file) {
        log_plain(
            LOG_LEVEL_WARN, "sandbox", "warning",
            "there is no usage file, so last uses are not recorded: when there is one, restart");
    }
    if (serve->sandbox.reads_all) {
        log_plain(LOG_LEVEL_WARN, "sandbox", "warning",
                  "the token file is in the root folder, so the sandbox lets every file be read: "
                  "give it a folder of its own");
    }
}

static enum status start_http(struct serve *serve, struct error *error)
{
    const struct http_options options = {
        .listen_fd = serve->listener.fd,
        .threads = serve->options.threads,
        .connections = serve->options.connections,
        .timeout = serve->options.timeout,
        .now = steady_now(),
        .answer = routes_answer,
        .complain = log_complaint,
        .context = &serve->authd,
    };

    return http_start(&serve->http, &options, error);
}

static enum status start(struct serve *serve, struct error *error)
{
    char why[TOKEN_VERIFIER_MESSAGE_SIZE];
    enum token_verifier_mode mode;
    enum status status;

    catch_signals(); /* loading may take seconds, and a signal then is for what comes after */
    status = verifier_open(&serve->authd.verifier, &serve->options.verifier, error);
    if (status != STATUS_OK) {
        return status;
    }
    mode = token_verifier_current_mode(serve->authd.verifier, why, sizeof(why));
    if (mode == TOKEN_VERIFIER_MODE_UNAVAILABLE) {
        return error_set(error, STATUS_STORE, "%s", why);
    }
    atomic_store(&serve->authd.mode_said, (int)mode); /* the ready line says it */
    status = raise_descriptor_limit(&serve->options, error);
    if (status == STATUS_OK) {
        status = listen_socket_open(&serve->listener, &serve->options.listen, error);
    }
    if (status == STATUS_OK) {
        status = enter_sandbox(serve, error);
    }
    if (status == STATUS_OK) {
        status = start_http(serve, error);
    }
    return status;
}

enum status serve_run(const struct cli_arguments *arguments, struct error *error)
{
    struct serve serve = {.listener = {.fd = -1, .lock_fd = -1}};
    enum status status = options_read(&serve.options, arguments, error);

    serve.authd.realm = serve.options.realm;
    if (status == STATUS_OK) {
        status = start(&serve, error);
    }
    if (status == STATUS_OK) {
        log_state(&serve, "ready");
        warn_of_sandbox(&serve);
        serve_until_asked(&serve);
        finish(&serve);
    }
    http_stop(serve.http);
    listen_socket_close(&serve.listener);
    token_verifier_close(serve.authd.verifier);
    if (status == STATUS_OK) {
        log_plain(LOG_LEVEL_INFO, "ended", "version", TOKEN_MANAGER_VERSION);
    }
    return status;
}
