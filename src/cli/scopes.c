#include "cli/scopes.h"

#include <string.h>

#include "base/text.h"
#include "token/token.h"

#include "base/banned.h"

enum status scopes_read(struct scopes *scopes, const struct cli_arguments *arguments,
                        struct error *error)
{
    struct text_quoted quoted;

    scopes->count = 0;
    for (size_t i = 0; i < arguments->given_count; i++) {
        const char *scope = arguments->given[i].value;

        if (strcmp(arguments->given[i].option->name, "scope") != 0) {
            continue;
        }
        if (!token_is_scope(scope, strlen(scope))) {
            return error_set(
                error, STATUS_USAGE,
                "--scope %s: a scope is 1 to 64 visible ASCII characters without \" and \\, "
                "and not * alone",
                text_quote(&quoted, scope, strlen(scope)));
        }
        scopes->texts[scopes->count++] = scope;
    }
    return STATUS_OK;
}
