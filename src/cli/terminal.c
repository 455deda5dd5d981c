#include "cli/terminal.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/banned.h"

struct terminal terminal_look(void)
{
    const char *term = getenv("TERM");
    const char *no_color = getenv("NO_COLOR");
    const bool is_terminal = isatty(STDOUT_FILENO) == 1;
    const char *codeset = nl_langinfo(CODESET);

    return (struct terminal){
        .marks = is_terminal && strcmp(codeset, "UTF-8") == 0,
        .colour = is_terminal && term != NULL && strcmp(term, "dumb") != 0 &&
                  (no_color == NULL || *no_color == '\0'),
    };
}

bool terminal_is_interactive(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

bool terminal_confirm(const char *question)
{
    char answer[16] = "";

    (void)fprintf(stderr, "%s [y/N] ", question);
    if (fgets(answer, sizeof(answer), stdin) == NULL) {
        (void)fprintf(stderr, "\n");
        return false;
    }
    answer[strcspn(answer, "\r\n")] = '\0';
    return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}
