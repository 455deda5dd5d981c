/*
 * Runs a command and kills it (SIGKILL) after some microseconds, unless it has ended by then:
 *
 *     kill_after MICROSECONDS COMMAND [ARGUMENT ...]
 *
 * Ends as the command did; with 137 if it was killed.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILLED 137
#define CANNOT_RUN 127

int main(int argc, char **argv)
{
    const long microseconds = argc > 2 ? strtol(argv[1], NULL, 10) : -1;
    const struct timespec delay = {microseconds / 1000000, microseconds % 1000000 * 1000};
    int ended;

    if (microseconds < 0) {
        (void)fprintf(stderr, "usage: kill_after MICROSECONDS COMMAND [ARGUMENT ...]\n");
        return CANNOT_RUN;
    }
    const pid_t child = fork();
    if (child == 0) {
        (void)execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(CANNOT_RUN);
    }
    (void)nanosleep(&delay, NULL);
    /* Until it is waited for, its number is its own, even when it has ended. */
    if (child < 0 || kill(child, SIGKILL) != 0 || waitpid(child, &ended, 0) != child) {
        perror("kill_after");
        return CANNOT_RUN;
    }
    return WIFSIGNALED(ended) ? KILLED : WEXITSTATUS(ended);
}
