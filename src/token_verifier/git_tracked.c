#include "token_verifier/git_tracked.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/banned.h"

extern char **environ;

/* Runs git with its output thrown away; whether it exits 0. */
static bool run_quietly(char *const *arguments)
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    int result = -1;
    bool spawned;

    if (posix_spawn_file_actions_init(&actions) != 0) {
        return false;
    }
    for (int fd = 0; fd <= 2; fd++) {
        (void)posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    }
    spawned = posix_spawnp(&child, "git", &actions, NULL, arguments, environ) == 0;
    (void)posix_spawn_file_actions_destroy(&actions);
    while (spawned && waitpid(child, &result, 0) < 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return spawned && WIFEXITED(result) && WEXITSTATUS(result) == 0;
}

bool git_tracks(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash != NULL ? strndup(path, (size_t)(slash - path) + 1) : NULL;
    char *name = slash != NULL ? strdup(slash + 1) : NULL;
    /* A repository's own configuration must not make git run anything here. */
    char *arguments[] = {
        "git",      "--literal-pathspecs", "-C", folder, "-c", "core.fsmonitor=false",
        "ls-files", "--error-unmatch",     "--", name,   NULL};
    const bool tracked = folder != NULL && name != NULL && run_quietly(arguments);

    free(folder);
    free(name);
    return tracked;
}
