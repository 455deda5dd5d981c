/*
 * token_verifier: says whether a credential is good, and what decides that.
 */
#include "cli/cli.h"
#include "token_verifier/commands.h"

#include "base/banned.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct cli_option check_options[] = {
    {"scope", "SCOPE", "demand this scope; may be repeated", true},
};

static const struct cli_command commands[] = {
    {.name = "check",
     .operands = "",
     .input = "give the credential on standard input, where ps does not show it",
     .summary = "Give the verdict on one credential.",
     .details = "It is read from standard input: a token, or a whole header such as\n"
                "    Authorization: Bearer sk-...\n"
                "Exit status: 0 accepted, 1 refused, 6 no verdict was possible.",
     .example = "printf %s \"$TOKEN\" | token_verifier check",
     .options = check_options,
     .option_count = COUNT(check_options),
     .run = check_run},
    {.name = "stream",
     .operands = "",
     .input = "give the credential on standard input, where ps does not show it",
     .summary = "Give a verdict on each line of standard input.",
     .details = "A line is a token or a header, as for check. The answers are\n"
                "    OK ID NAME    with the name percent-encoded\n"
                "    ERR REASON    such as ERR revoked\n"
                "A change of the token file counts from the next line on.",
     .example = "printf '%s\\n' \"$TOKEN\" nonsense | token_verifier stream",
     .options = check_options,
     .option_count = COUNT(check_options),
     .run = stream_run},
    {.name = "status",
     .operands = "",
     .summary = "Say which mode is in force, and what is unwise.",
     .details = "Exit status: 0 all is well, 1 there are warnings, 6 no verdict is possible.",
     .example = "token_verifier status",
     .run = status_run},
};

static const struct cli_option common_options[] = {
    {"file", "FILE", "the token file (API_TOKENS_FILE, ./api_tokens.json)", false},
    {"json", NULL, "print JSON", false},
    {"env-file", "FILE", "read variables from here instead of ./.env", false},
    {"no-env-file", NULL, "read no .env file", false},
    {"usage", "FILE", "record last uses here instead of FILE.usage", false},
    {"allow-open", NULL, "authentication may be off though the file was named", false},
    {"require-auth", NULL, "authentication may never be off", false},
    {"color", "WHEN", "when to colour: auto, always or never (auto)", false},
    {"help", NULL, "show this help", true},
    {"version", NULL, "show the version", false},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        .name = "token_verifier",
        .summary = "Says whether a credential is good, and what decides that.",
        .example = "printf %s \"$TOKEN\" | token_verifier check",
        .commands = commands,
        .command_count = COUNT(commands),
        .options = common_options,
        .option_count = COUNT(common_options),
    };

    return cli_main(&program, argc, argv);
}
