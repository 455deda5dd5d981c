/*
 * Commands that a test helper runs, and what they print.
 */
#ifndef HELPERS_COMMAND_H
#define HELPERS_COMMAND_H

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Ends the test where it cannot go on. */
static inline _Noreturn void give_up(const char *what)
{
    (void)printf("cannot %s\n", what);
    (void)fflush(stdout);
    _exit(EXIT_FAILURE);
}

/* Both ends are closed in whatever is started. */
static inline void open_pipe(int ends[2])
{
    if (pipe(ends) != 0 || fcntl(ends[0], F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(ends[1], F_SETFD, FD_CLOEXEC) != 0) {
        give_up("make a pipe");
    }
}

/* Starts a program with these as standard input and output; -1 leaves what there is. */
static inline pid_t command_start(const char *const arguments[], int input, int output)
{
    posix_spawn_file_actions_t actions;
    pid_t child;

    if (posix_spawn_file_actions_init(&actions) != 0 ||
        (input >= 0 && posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO) != 0) ||
        (output >= 0 && posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) != 0) ||
        posix_spawnp(&child, arguments[0], &actions, NULL, (char *const *)arguments, environ) !=
            0) {
        give_up(arguments[0]);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return child;
}

/* Takes what a program prints, up to its end, and closes the descriptor. What is too long is cut. */
static inline void command_hear(int from, char *out, size_t size)
{
    char rest[256];
    size_t used = 0;
    ssize_t got = 1;

    while (got > 0) {
        got = used + 1 < size ? read(from, out + used, size - used - 1)
                              : read(from, rest, sizeof(rest));
        used += used + 1 < size && got > 0 ? (size_t)got : 0;
    }
    out[used] = '\0';
    (void)close(from);
}

/* Runs a program to its end. What it prints goes to `out`, in one line without its end. */
static inline int command_run(const char *const arguments[], char *out, size_t size)
{
    int ends[2];
    int ended;
    pid_t child;

    open_pipe(ends);
    child = command_start(arguments, -1, ends[1]);
    (void)close(ends[1]);
    command_hear(ends[0], out, size);
    out[strcspn(out, "\n")] = '\0';
    if (waitpid(child, &ended, 0) != child) {
        give_up("wait for a command");
    }
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
}

#endif
