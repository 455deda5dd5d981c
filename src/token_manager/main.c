/*
 * token_manager: creates, lists, revokes and deletes API tokens in one flat file.
 */
#include "cli/cli.h"
#include "token_manager/commands.h"

#include "base/banned.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ANY_NUMBER 100000

static const struct cli_option create_options[] = {
    {"prefix", "PREFIX", "begin the token with this instead of sk-", false},
    {"env", "[=VAR]", "print VAR=token for a .env file (FREEGPT_API_KEY)", false},
    {"if-not-exists", NULL, "do nothing if the name exists", false},
    {"expires", "WHEN", "90d, 12h, 2027-01-31, 2027-01-31T12:00:00Z or never", false},
    {"scope", "SCOPE", "what it is good for; may be repeated (everything)", true},
    {"note", "TEXT", "a remark that list shows", false},
    {"batch", "FILE", "make one for each name, a line of FILE; - is stdin", false},
};

static const struct cli_option list_options[] = {
    {"status", "STATUS", "only active, revoked or expired ones", false},
    {"unused", NULL, "only those never used", false},
    {"unused-for", "TIME", "only those not used for this long: 90d", false},
    {"expiring-within", "TIME", "only those that expire within this time: 14d", false},
    {"usage", "FILE", "read last uses from here", false},
    {"selectors", NULL, "for completion: print SELECTOR<TAB>description lines", false},
};

static const struct cli_option rotate_options[] = {
    {"grace", "TIME", "how long the old secret stays good: 12h, 7d, 0 (24h)", false},
    {"expires", "WHEN", "90d, 12h, 2027-01-31, 2027-01-31T12:00:00Z or never", false},
    {"prefix", "PREFIX", "begin it with this, not with the old one's prefix", false},
    {"env", "[=VAR]", "print VAR=token for a .env file (FREEGPT_API_KEY)", false},
};

static const struct cli_option audit_options[] = {
    {"since", "WHEN", "only changes since then: 7d (ago), 2026-01-31", false},
    {"trail", "FILE", "read this, not FILE.audit; - is stdin; repeatable", true},
};

static const struct cli_option import_options[] = {
    {"format", "FORMAT", "token_manager.py, list or env; else told by looking", false},
    {"allow-weak", NULL, "take keys under 20 characters, which can be guessed", false},
};

static const struct cli_option revoke_options[] = {
    {"unused-for", "TIME", "instead of SELECTOR: all not used for this long: 90d", false},
    {"dry-run", NULL, "only say what would be done", false},
    {"usage", "FILE", "read last uses from here", false},
};

static const struct cli_option delete_options[] = {
    {"revoked-for", "TIME", "instead of SELECTOR: all revoked for this long: 30d", false},
    {"dry-run", NULL, "only say what would be done", false},
    {"yes", NULL, "do not ask", false},
};

static const struct cli_command commands[] = {
    {.name = "create",
     .operands = "NAME",
     .summary = "Make a token and print it, once.",
     .details = "It goes to standard output. --batch makes all or none: NAME<TAB>TOKEN lines.",
     .example = "TOKEN=$(token_manager create my-application)",
     .options = create_options,
     .option_count = COUNT(create_options),
     .operands_most = 1,
     .run = create_run},
    {.name = "list",
     .operands = "",
     .summary = "Show the tokens, without their secrets.",
     .example = "token_manager list --status active",
     .options = list_options,
     .option_count = COUNT(list_options),
     .run = list_run},
    {.name = "revoke",
     .operands = "SELECTOR...",
     .summary = "Refuse tokens from now on, but keep their records.",
     .details = "A SELECTOR is a name, an id, a token, or its beginning as `list` shows it;\n"
                "- reads selectors from standard input. All are revoked, or none.",
     .example = "token_manager revoke sk-a1b2c3d4e5f",
     .options = revoke_options,
     .option_count = COUNT(revoke_options),
     .operands_most = ANY_NUMBER,
     .run = revoke_run},
    {.name = "rotate",
     .operands = "SELECTOR",
     .summary = "Give a token a new secret and print it, once.",
     .details = "Id and name stay. The old secret is good until the grace ends, so that clients\n"
                "can change over; --grace 0 ends every earlier one at once.",
     .example = "TOKEN=$(token_manager rotate my-application --grace 48h)",
     .options = rotate_options,
     .option_count = COUNT(rotate_options),
     .operands_least = 1,
     .operands_most = 1,
     .run = rotate_run},
    {.name = "restore",
     .operands = "SELECTOR...",
     .summary = "Accept revoked tokens again.",
     .example = "token_manager restore my-application",
     .operands_least = 1,
     .operands_most = ANY_NUMBER,
     .run = restore_run},
    {.name = "delete",
     .operands = "SELECTOR...",
     .summary = "Remove tokens from the file for good.",
     .details = "Asks first when a person is at the terminal.",
     .example = "token_manager delete old-ci",
     .options = delete_options,
     .option_count = COUNT(delete_options),
     .operands_most = ANY_NUMBER,
     .run = delete_run},
    {.name = "import",
     .operands = "FILE",
     .summary = "Take over keys from elsewhere; they keep working.",
     .details = "FILE is the Python token_manager.py's file, a list of keys, a key a line, or a\n"
                "list of NAME=key lines; - is standard input. The token file itself, if it is in\n"
                "the old format, is converted in place. All keys are taken over, or none.",
     .example = "token_manager import api_tokens.json",
     .options = import_options,
     .option_count = COUNT(import_options),
     .operands_least = 1,
     .operands_most = 1,
     .run = import_run},
    {.name = "audit",
     .operands = "[SELECTOR]",
     .summary = "Show who changed what and when.",
     .details = "A deleted token is found by its id or its name. Each change is a line in\n"
                "FILE.audit; --trail reads others, such as old ones that were moved away.",
     .example = "token_manager audit --since 7d",
     .options = audit_options,
     .option_count = COUNT(audit_options),
     .operands_most = 1,
     .run = audit_run},
};

static const struct cli_option common_options[] = {
    {"file", "FILE", "the token file (API_TOKENS_FILE, ./api_tokens.json)", false},
    {"json", NULL, "print JSON", false},
    {"env-file", "FILE", "read variables from here instead of ./.env", false},
    {"no-env-file", NULL, "read no .env file", false},
    {"lock-timeout", "SECONDS", "how long to wait for another change (10)", false},
    {"color", "WHEN", "when to colour: auto, always or never (auto)", false},
    {"help", NULL, "show this help", true},
    {"version", NULL, "show the version", false},
};

int main(int argc, char **argv)
{
    static const struct cli_program program = {
        .name = "token_manager",
        .summary = "Creates, lists, revokes and deletes API tokens in one flat file.",
        .example = "TOKEN=$(token_manager create my-application)",
        .commands = commands,
        .command_count = COUNT(commands),
        .options = common_options,
        .option_count = COUNT(common_options),
    };

    return cli_main(&program, argc, argv);
}
