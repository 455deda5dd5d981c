/*
 * The socket that clients connect to: TCP, by default on loopback only; a Unix socket; or the one that
 * systemd opened and hands over (sd_listen_fds(3)).
 */
#ifndef TOKEN_AUTHD_LISTEN_SOCKET_H
#define TOKEN_AUTHD_LISTEN_SOCKET_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/status.h"

#define LISTEN_SOCKET_TEXT_SIZE 160

struct listen_socket {
    int fd;
    char text[LISTEN_SOCKET_TEXT_SIZE]; /* where it is, the port that was chosen for 0 included */
    bool is_inherited;
    char *path;  /* of a Unix socket that we made, else NULL */
    int lock_fd; /* held for as long as we serve it, else -1 */
    struct stat made;
};

struct listen_socket_options {
    const char *address; /* HOST:PORT, [HOST]:PORT, or unix:PATH[:MODE] (MODE octal, 660) */
    bool is_public;      /* an address that other machines can reach is allowed */
};

/*
 * Opens it, ready to accept, without waiting, not inherited by programs that are started. A Unix
 * socket that a dead process left is replaced, that of a living one is not; of several that start at
 * once one gets it, by a lock on PATH.lock, which stays. What systemd hands over
 * goes before the address; then LISTEN_FDS and LISTEN_PID are taken out of the environment. On failure
 * there is nothing to close.
 */
MUST_CHECK enum status listen_socket_open(struct listen_socket *listener,
                                          const struct listen_socket_options *options,
                                          struct error *error);

/*
 * From now on clients are turned away at once, while what was accepted goes on; a Unix socket that we
 * made is removed, if it is still that one. (In a sandbox it stays where it is, turns clients away there,
 * and is replaced at the next start: who may remove one file of a folder may remove all.) What systemd
 * handed over goes on to collect clients for whom it starts next.
 */
void listen_socket_refuse(struct listen_socket *listener);

/* The same, and closes it. */
void listen_socket_close(struct listen_socket *listener);

#endif
