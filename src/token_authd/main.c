/*
 * token_authd: says over HTTP whether a credential is good, to the server in front that asks.
 */
#include "cli/cli.h"
#include "token_authd/serve.h"

#include "base/banned.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct cli_command commands[] = {
    {.name = "",
     .operands = "",
     .input = "clients send credentials in headers",
     .summary = "Answers at /verify whether a request's credential is good: 200, 401, 403, 503.",
     .details = "Also /healthz, /metrics. SIGHUP: read .env anew. SIGTERM: finish and end.",
     .example = "token_authd --listen unix:/run/token_authd.sock:660 --file api_tokens.json",
     .run = serve_run},
};

static const struct cli_option options[] = {
    {"listen", "ADDRESS", "HOST:PORT or unix:PATH[:MODE] (127.0.0.1:8008)", false},
    {"listen-public", NULL, "allow an address that other machines can reach", false},
    {"file", "FILE", "the token file (API_TOKENS_FILE, ./api_tokens.json)", false},
    {"realm", "NAME", "what WWW-Authenticate calls the API (api)", false},
    {"threads", "N", "threads that answer (one per CPU, at most 4)", false},
    {"max-connections", "N", "how many clients at once (4096)", false},
    {"timeout", "SECONDS", "how long a client may be silent, or take to ask (10)", false},
    {"env-file", "FILE", "read variables from here instead of ./.env", false},
    {"no-env-file", NULL, "read no .env file", false},
    {"usage", "FILE", "record last uses here instead of FILE.usage", false},
    {"sandbox", "[=off]", "insist on the Landlock sandbox, or go without it", false},
    {"allow-open", NULL, "authentication may be off though the file was named", false},
    {"require-auth", NULL, "authentication may never be off", false},
    {"help", NULL, "show this help", true},
    {"version", NULL, "show the version", false},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        .name = "token_authd",
        .summary = "Says over HTTP whether a credential is good.",
        .commands = commands,
        .command_count = COUNT(commands),
        .options = options,
        .option_count = COUNT(options),
    };

    return cli_main(&program, argc, argv);
}
