/*
 * The cage that the server serves in: what it will not need is taken from it before the first client
 * can speak to it, so that a flaw in what reads requests is worth little to who finds it.
 *
 * It is made of Linux's Landlock (landlock(7), docs.kernel.org/userspace-api/landlock.html), as much as
 * the kernel has of it, and of PR_SET_NO_NEW_PRIVS (prctl(2)). All threads that start afterwards are in
 * it, nobody gets out, and in force are:
 *
 *     files to read     beneath the folder of the token file, as it was named and with links followed;
 *                       beneath the folder of a link on the way to it whose target is beneath that
 *                       same folder, as such links are made to be pointed elsewhere (..data -> ..2026);
 *                       the same for the variables file, but never all beneath the root folder
 *     files to write    the usage file
 *     all other files   not to be read, listed, written, cut, made, linked, removed, moved, executed
 *     TCP               no port is bound or connected to (from Landlock 4 on)
 *     processes         none outside is traced or, from Landlock 6 on, sent a signal or spoken to at an
 *                       abstract Unix socket
 *     privileges        none are gained by executing a program
 *
 * What is open stays open: the socket that listens, the log. Landlock knows nothing of chmod, chown,
 * times and extended attributes, of UDP and Unix sockets that have names, nor of prlimit and the like on
 * other processes of the same user: so the server should be a user of its own, who owns nothing else.
 */
#ifndef TOKEN_AUTHD_SANDBOX_H
#define TOKEN_AUTHD_SANDBOX_H

#include <stdbool.h>

#include "base/status.h"

enum sandbox_wish {
    SANDBOX_IF_THERE = 0, /* where the system has it */
    SANDBOX_REQUIRED,
    SANDBOX_OFF
};

/* What will be needed, by absolute paths, links as they are. What is not there now never will be. */
struct sandbox_needs {
    const char *token_file;
    const char *variables_file; /* or NULL */
    const char *usage_file;     /* or NULL; no link */
};

#define SANDBOX_TEXT_SIZE 32
#define SANDBOX_REASON_SIZE 160

/* What is in force. */
struct sandbox {
    bool is_on;
    char text[SANDBOX_TEXT_SIZE];     /* "landlock-7", the version that is used; or "off" */
    char reason[SANDBOX_REASON_SIZE]; /* why it is off, or "" */
    bool reads_all; /* the token file is in the root folder: nothing is kept from it */
    bool has_usage_file;
};

/*
 * Puts the calling thread, and all that it starts, into the sandbox. STATUS_FAILED when it is required
 * and the system has none; also when it has one that cannot be entered, whatever the wish.
 */
MUST_CHECK enum status sandbox_enter(struct sandbox *sandbox, enum sandbox_wish wish,
                                     const struct sandbox_needs *needs, struct error *error);

#endif
