#include "cli/terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "base/banned.h"

struct terminal terminal_look(int fd, enum cli_colour wish)
{
    const char *term = getenv("TERM");
    const char *no_color = getenv("NO_COLOR");
    const bool is_terminal = isatty(fd) == 1;
    const bool has_colour = is_terminal && term != NULL && *term != '\0' &&
                            strcmp(term, "dumb") != 0 && (no_color == NULL || *no_color == '\0');

    return (struct terminal){
        .marks = is_terminal && strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .colour = wish == CLI_COLOUR_ALWAYS || (wish == CLI_COLOUR_AUTO && has_colour),
    };
}

const char *terminal_begin(const struct terminal *terminal, const char *colour)
{
    return terminal->colour ? colour : "";
}

const char *terminal_end(const struct terminal *terminal)
{
    return terminal->colour ? "\x1b[0m" : "";
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

/* How the terminal was before, for a signal that comes while it shows nothing. */
static struct termios shown;

static void restore_and_go(int signal_number)
{
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &shown);
    (void)signal(signal_number, SIG_DFL);
    (void)raise(signal_number);
}

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

#define ENDING_COUNT (sizeof(ending_signals) / sizeof(ending_signals[0]))

static void catch_signals(struct sigaction before[static ENDING_COUNT])
{
    struct sigaction action = {.sa_handler = restore_and_go};

    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ENDING_COUNT; i++) {
        (void)sigaction(ending_signals[i], &action, &before[i]);
    }
}

static void release_signals(const struct sigaction before[static ENDING_COUNT])
{
    for (size_t i = 0; i < ENDING_COUNT; i++) {
        (void)sigaction(ending_signals[i], &before[i], NULL);
    }
}

ssize_t terminal_read_unseen(const char *question, char *line, size_t capacity)
{
    struct sigaction before[ENDING_COUNT];
    struct termios hidden;
    ssize_t size = -1;
    int cause;

    if (tcgetattr(STDIN_FILENO, &shown) != 0) {
        return -1;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    catch_signals(before);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0) {
        (void)fprintf(stderr, "%s", question);
        do {
            size = read(STDIN_FILENO, line, capacity);
        } while (size < 0 && errno == EINTR);
    }
    cause = errno;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    release_signals(before);
    (void)fprintf(stderr, "\n");
    errno = cause;
    return size;
}
