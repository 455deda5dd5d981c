#include "cli/verifier_options.h"

#include "base/banned.h"

struct token_verifier_options verifier_options(const struct cli_arguments *arguments)
{
    return (struct token_verifier_options){
        .file = cli_value(arguments, "file"),
        .env_file = cli_value(arguments, "env-file"),
        .usage = cli_value(arguments, "usage"),
        .no_env_file = cli_has(arguments, "no-env-file"),
        .allow_open = cli_has(arguments, "allow-open"),
        .require_auth = cli_has(arguments, "require-auth"),
    };
}
