#include "token_authd/listen_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "token/token_text.h"

#include "base/banned.h"

#define FIRST_INHERITED 3 /* SD_LISTEN_FDS_START */
#define UNIX_PREFIX "unix:"
#define UNIX_MODE 0660
#define MODE_DIGITS 4
#define HOST_SIZE 256
#define PORT_SIZE 16

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage storage;
};

static bool set_up(int fd)
{
    const int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static bool is_loopback(const union address *address)
{
    if (address->any.sa_family == AF_UNIX) {
        return true;
    }
    if (address->any.sa_family == AF_INET) {
        return ntohl(address->in.sin_addr.s_addr) >> 24 == 127;
    }
    if (address->any.sa_family == AF_INET6) {
        const struct in6_addr *a = &address->in6.sin6_addr;

        return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
    }
    return false;
}

static void describe(struct listen_socket *listener, const union address *address, socklen_t size)
{
    char host[HOST_SIZE] = "?";
    char port[PORT_SIZE] = "?";
    const bool in6 = address->any.sa_family == AF_INET6;

    if (address->any.sa_family == AF_UNIX) {
        (void)snprintf(listener->text, sizeof(listener->text), UNIX_PREFIX "%s",
                       address->un.sun_path);
        return;
    }
    (void)getnameinfo(&address->any, size, host, sizeof(host), port, sizeof(port),
                      NI_NUMERICHOST | NI_NUMERICSERV);
    (void)snprintf(listener->text, sizeof(listener->text), "%s%.100s%s:%s", in6 ? "[" : "", host,
                   in6 ? "]" : "", port);
}

/* Whether clients may be let in at that address. */
static enum status check_reach(struct listen_socket *listener, const union address *address,
                               socklen_t size, bool is_public, struct error *error)
{
    describe(listener, address, size);
    if (is_public || is_loopback(address)) {
        return STATUS_OK;
    }
    return error_set(error, STATUS_USAGE,
                     "%s can be reached from other machines, and credentials would cross the "
                     "network in the clear; listen on 127.0.0.1 or a Unix socket, beside the "
                     "server that asks, or give --listen-public if you trust the network",
                     listener->text);
}

/* Where the socket is bound. */
static bool look_up(const struct listen_socket *listener, union address *address, socklen_t *size)
{
    memset(address, 0, sizeof(*address));
    *size = sizeof(*address) - 1; /* which leaves a NUL behind a path */
    return getsockname(listener->fd, &address->any, size) == 0;
}

/* How many sockets systemd hands over; 0 also when they are meant for another process. */
static unsigned long count_inherited(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    const bool ours = pid != NULL && count != NULL && strtol(pid, NULL, 10) == (long)getpid();
    const unsigned long number = ours ? strtoul(count, NULL, 10) : 0;

    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return number;
}

static enum status inherit(struct listen_socket *listener, unsigned long count, bool is_public,
                           struct error *error)
{
    int listening = 0;
    socklen_t size = sizeof(listening);
    union address address;

    if (count != 1) {
        return error_set(error, STATUS_USAGE,
                         "systemd hands over %lu sockets, and one can be served; leave one "
                         "ListenStream= in the socket unit",
                         count);
    }
    listener->fd = FIRST_INHERITED;
    listener->is_inherited = true;
    if (getsockopt(listener->fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 ||
        listening == 0 || !set_up(listener->fd) || !look_up(listener, &address, &size)) {
        return error_set(error, STATUS_USAGE,
                         "what systemd hands over is no socket that listens; it takes "
                         "ListenStream= in the socket unit, and Accept=no");
    }
    return check_reach(listener, &address, size, is_public, error);
}

/* Opens a socket at the address and listens. -1 with errno set. */
static int listen_at(const union address *address, socklen_t size)
{
    const int on = 1;
    const int fd = socket(address->any.sa_family, SOCK_STREAM, 0);

    if (fd < 0) {
        return -1;
    }
    if (!set_up(fd) ||
        (address->any.sa_family != AF_UNIX &&
         setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) ||
        bind(fd, &address->any, size) != 0 || listen(fd, SOMAXCONN) != 0) {
        const int cause = errno;

        (void)close(fd);
        errno = cause;
        return -1;
    }
    return fd;
}

/* Takes HOST:PORT apart; false if it is none. */
static bool split(const char *text, char host[static HOST_SIZE], char port[static PORT_SIZE])
{
    const char *colon = strrchr(text, ':');
    size_t size = colon != NULL ? (size_t)(colon - text) : 0;

    if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) >= PORT_SIZE || size >= HOST_SIZE ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strtoul(colon + 1, NULL, 10) > UINT16_MAX) {
        return false;
    }
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    } else if (memchr(text, ':', size) != NULL) {
        return false; /* as ::1:8008 could mean several things */
    }
    memcpy(host, text, size);
    host[size] = '\0';
    return true;
}

/* The first address that HOST:PORT means. */
static enum status resolve(const char *text, union address *address, socklen_t *size,
                           struct error *error)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    struct text_quoted quoted;
    char host[HOST_SIZE];
    char port[PORT_SIZE];
    int cause;

    (void)text_quote(&quoted, text, strlen(text));
    if (!split(text, host, port)) {
        return error_set(error, STATUS_USAGE,
                         "--listen %s is no address; write 127.0.0.1:8008, [::1]:8008, or "
                         "unix:/run/token_authd.sock",
                         quoted.text);
    }
    cause =
        getaddrinfo(host[0] != '\0' && strcmp(host, "*") != 0 ? host : NULL, port, &hints, &found);
    if (cause != 0) {
        return error_set(error, STATUS_USAGE, "--listen %s: %s", quoted.text, gai_strerror(cause));
    }
    *size = found->ai_addrlen;
    memcpy(address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return STATUS_OK;
}

static enum status open_tcp(struct listen_socket *listener,
                            const struct listen_socket_options *options, struct error *error)
{
    union address address = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t size = 0;
    enum status status = resolve(options->address, &address, &size, error);

    if (status == STATUS_OK) {
        status = check_reach(listener, &address, size, options->is_public, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    listener->fd = listen_at(&address, size);
    if (listener->fd < 0 || !look_up(listener, &address, &size)) {
        return error_set_errno(error, STATUS_FAILED, errno, "cannot listen on %s", listener->text);
    }
    describe(listener, &address, size); /* with the port, if any would do */
    return STATUS_OK;
}

/* Octal digits, with or without a 0 in front, and no more than permissions. */
static bool read_mode(const char *text, mode_t *mode)
{
    const size_t digits = strlen(text);

    *mode = (mode_t)strtoul(text, NULL, 8);
    return digits >= 3 && digits <= MODE_DIGITS && strspn(text, "01234567") == digits &&
           *mode <= 0777;
}

/* PATH or PATH:MODE, `text` being what follows unix: */
static enum status parse_path(const char *text, struct sockaddr_un *un, mode_t *mode,
                              struct error *error)
{
    const char *colon = strrchr(text, ':');
    size_t size = strlen(text);
    struct text_quoted quoted;

    *mode = UNIX_MODE;
    if (token_text_has_whole(text, size)) {
        return error_set(error, STATUS_USAGE,
                         "--listen: a token was given in the place of a socket's path");
    }
    if (colon != NULL && colon[1] != '\0' && strspn(colon + 1, "0123456789") == strlen(colon + 1)) {
        if (!read_mode(colon + 1, mode)) {
            return error_set(error, STATUS_USAGE,
                             "--listen unix:%s: the part behind the colon is no mode; write three "
                             "octal digits, as 660",
                             text_quote(&quoted, text, strlen(text)));
        }
        size = (size_t)(colon - text);
    }
    if (size == 0 || size >= sizeof(un->sun_path)) {
        return error_set(error, STATUS_USAGE,
                         "--listen unix:%s: a path of 1 to %zu characters is wanted",
                         text_quote(&quoted, text, strlen(text)), sizeof(un->sun_path) - 1);
    }
    memcpy(un->sun_path, text, size);
    un->sun_path[size] = '\0';
    return STATUS_OK;
}

static enum status refuse_used(const char *path, struct error *error)
{
    return error_set(error, STATUS_FAILED,
                     "%s is in use: another process listens there; stop that one first", path);
}

/* Makes this process the only one of its kind at that path. */
static enum status lock_path(struct listen_socket *listener, const char *path, struct error *error)
{
    char *name = file_name_join(path, ".lock");

    if (name == NULL) {
        return error_no_memory(error);
    }
    listener->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(name);
    if (listener->lock_fd < 0) {
        return error_set_errno(error, STATUS_FAILED, errno, "cannot listen on unix:%s", path);
    }
    return flock(listener->lock_fd, LOCK_EX | LOCK_NB) == 0 ? STATUS_OK : refuse_used(path, error);
}

/* Removes what a process left that listens no more. */
static enum status clear_path(const union address *address, struct error *error)
{
    const char *path = address->un.sun_path;
    struct stat there;
    int fd;
    bool answers;

    if (lstat(path, &there) != 0) {
        return STATUS_OK; /* or it shows when we bind */
    }
    if (!S_ISSOCK(there.st_mode)) {
        return error_set(error, STATUS_FAILED,
                         "%s is there already and is no socket; name another path, or remove it",
                         path);
    }
    /* Another program than this one takes no lock. */
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    answers = fd < 0 || !set_up(fd) || connect(fd, &address->any, sizeof(address->un)) == 0 ||
              errno != ECONNREFUSED;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (answers) {
        return refuse_used(path, error);
    }
    if (unlink(path) != 0) {
        return error_set_errno(error, STATUS_FAILED, errno,
                               "cannot remove %s, which a process left there", path);
    }
    return STATUS_OK;
}

static enum status open_unix(struct listen_socket *listener, const char *text, struct error *error)
{
    union address address = {.un = {.sun_family = AF_UNIX}};
    mode_t mode;
    mode_t mask;
    enum status status = parse_path(text, &address.un, &mode, error);

    if (status == STATUS_OK) {
        status = lock_path(listener, address.un.sun_path, error);
    }
    if (status == STATUS_OK) {
        status = clear_path(&address, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    describe(listener, &address, sizeof(address.un));
    mask = umask(~mode & 0777); /* so that it never is open to more */
    listener->fd = listen_at(&address, sizeof(address.un));
    (void)umask(mask);
    if (listener->fd < 0) {
        return error_set_errno(error, STATUS_FAILED, errno, "cannot listen on %s", listener->text);
    }
    listener->path = strdup(address.un.sun_path);
    if (listener->path == NULL || lstat(listener->path, &listener->made) != 0) {
        return error_no_memory(error);
    }
    return STATUS_OK;
}

enum status listen_socket_open(struct listen_socket *listener,
                               const struct listen_socket_options *options, struct error *error)
{
    const size_t prefix = strlen(UNIX_PREFIX);
    const unsigned long inherited = count_inherited();
    enum status status;

    *listener = (struct listen_socket){.fd = -1, .lock_fd = -1};
    if (inherited > 0) {
        status = inherit(listener, inherited, options->is_public, error);
    } else if (strncmp(options->address, UNIX_PREFIX, prefix) == 0) {
        status = open_unix(listener, options->address + prefix, error);
    } else {
        status = open_tcp(listener, options, error);
    }
    if (status != STATUS_OK) {
        listen_socket_close(listener);
    }
    return status;
}

void listen_socket_refuse(struct listen_socket *listener)
{
    struct stat now;

    if (listener->path != NULL && lstat(listener->path, &now) == 0 &&
        now.st_dev == listener->made.st_dev && now.st_ino == listener->made.st_ino) {
        (void)unlink(listener->path);
    }
    if (listener->fd >= 0 && !listener->is_inherited) {
        (void)shutdown(listener->fd, SHUT_RDWR);
    }
}

void listen_socket_close(struct listen_socket *listener)
{
    listen_socket_refuse(listener);
    if (listener->fd >= 0) {
        (void)close(listener->fd);
    }
    if (listener->lock_fd >= 0) {
        (void)close(listener->lock_fd);
    }
    free(listener->path);
    *listener = (struct listen_socket){.fd = -1, .lock_fd = -1};
}
