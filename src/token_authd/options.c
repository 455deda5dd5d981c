#include "token_authd/options.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/verifier_options.h"

#include "base/banned.h"

#define LISTEN_DEFAULT "127.0.0.1:8008"
#define REALM_DEFAULT "api"
#define REALM_LIMIT 100
#define THREADS_DEFAULT_LIMIT 4
#define CONNECTIONS_DEFAULT 4096
#define TIMEOUT_DEFAULT 10

static unsigned long threads_default(void)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (processors < 1) {
        return 1;
    }
    return processors < THREADS_DEFAULT_LIMIT ? (unsigned long)processors : THREADS_DEFAULT_LIMIT;
}

static enum status read_realm(struct options *options, const struct cli_arguments *arguments,
                              struct error *error)
{
    const char *realm = cli_value(arguments, "realm");
    struct text_quoted quoted;

    options->realm = realm != NULL ? realm : REALM_DEFAULT;
    for (const char *c = options->realm; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\' || c - options->realm >= REALM_LIMIT) {
            return error_set(error, STATUS_USAGE,
                             "--realm %s: visible ASCII characters and blanks are wanted, without "
                             "\" and \\, at most %d",
                             text_quote(&quoted, realm, strlen(realm)), REALM_LIMIT);
        }
    }
    return STATUS_OK;
}

static enum status read_numbers(struct options *options, const struct cli_arguments *arguments,
                                struct error *error)
{
    unsigned long threads = threads_default();
    unsigned long connections = CONNECTIONS_DEFAULT;
    unsigned long timeout = TIMEOUT_DEFAULT;
    const struct {
        const char *option;
        struct cli_range range;
        unsigned long *number;
    } rows[] = {{"threads", {1, 256, ""}, &threads},
                {"max-connections", {16, 1000000, ""}, &connections},
                {"timeout", {1, 3600, " of seconds"}, &timeout}};
    enum status status = STATUS_OK;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && status == STATUS_OK; i++) {
        status = cli_number(arguments, rows[i].option, &rows[i].range, rows[i].number, error);
    }
    options->threads = (unsigned)threads;
    options->connections = connections;
    options->timeout = (unsigned)timeout;
    return status;
}

static enum status read_sandbox(struct options *options, const struct cli_arguments *arguments,
                                struct error *error)
{
    const char *wish = cli_value(arguments, "sandbox");
    struct text_quoted quoted;

    options->sandbox = SANDBOX_IF_THERE;
    if (wish == cli_no_value) {
        options->sandbox = SANDBOX_REQUIRED;
    } else if (wish != NULL && strcmp(wish, "off") == 0) {
        options->sandbox = SANDBOX_OFF;
    } else if (wish != NULL) {
        return error_set(error, STATUS_USAGE,
                         "--sandbox=%s: write --sandbox to insist on it, or --sandbox=off",
                         text_quote(&quoted, wish, strlen(wish)));
    }
    return STATUS_OK;
}

enum status options_read(struct options *options, const struct cli_arguments *arguments,
                         struct error *error)
{
    const char *address = cli_value(arguments, "listen");
    enum status status = read_realm(options, arguments, error);

    options->verifier = verifier_options(arguments);
    options->listen.address = address != NULL ? address : LISTEN_DEFAULT;
    options->listen.is_public = cli_has(arguments, "listen-public");
    if (status == STATUS_OK) {
        status = read_sandbox(options, arguments, error);
    }
    return status == STATUS_OK ? read_numbers(options, arguments, error) : status;
}
