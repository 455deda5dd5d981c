#include "token_manager/secret_output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

#include "base/banned.h"

static sigset_t mask_before;

void secret_output_hold_signals(void)
{
    static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
        (void)sigaddset(&set, held[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &set, &mask_before);
}

void secret_output_release_signals(void)
{
    (void)sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

enum status secret_output_check(struct error *error)
{
    const int flags = fcntl(STDOUT_FILENO, F_GETFL);

    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
        return error_set(error, STATUS_FAILED,
                         "standard output is closed, and the token would be lost; nothing was "
                         "changed");
    }
    return STATUS_OK;
}

bool secret_output_write(const struct buffer *text)
{
    if (text->failed) {
        errno = ENOMEM;
        return false;
    }
    return fflush(stdout) == 0 && file_write_all(STDOUT_FILENO, text->bytes, text->size);
}
