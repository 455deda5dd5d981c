/*
 * Put between token_authd and its C library, does what somebody would do who has taken it over: tries,
 * once in the thread that waits for signals and once in one that answers, to read, write, make, remove
 * and reach what it should not. A line for each goes to the file that TRIES names:
 *
 *     1 main write tokens/api_tokens.json EACCES
 *
 * The number is the version of Landlock that knows of it; "done" in the place of an error says that it
 * went well. What was done is undone.
 */
#ifdef __linux__
#define _GNU_SOURCE /* NOLINT: for RTLD_NEXT and process_vm_readv */

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISCARD_PORT 9

static int said = -1;
static int listening = -1; /* at the abstract address */
static struct sockaddr_un abstract = {.sun_family = AF_UNIX};
static pthread_mutex_t trying = PTHREAD_MUTEX_INITIALIZER;

/* Each returns whether it went well, with errno set if not. */

static bool closed(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

static bool try_read(const char *path)
{
    return closed(open(path, O_RDONLY | O_CLOEXEC));
}

static bool try_list(const char *path)
{
    return closed(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static bool try_write(const char *path)
{
    return closed(open(path, O_RDWR | O_CLOEXEC));
}

static bool try_truncate(const char *path)
{
    struct stat now;

    return stat(path, &now) == 0 && truncate(path, now.st_size) == 0;
}

static bool try_chmod(const char *path)
{
    struct stat now;

    return stat(path, &now) == 0 && chmod(path, now.st_mode & 07777) == 0;
}

static bool try_make(const char *path)
{
    return closed(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) && unlink(path) == 0;
}

static bool try_folder(const char *path)
{
    return mkdir(path, 0700) == 0 && rmdir(path) == 0;
}

static bool try_symlink(const char *path)
{
    return symlink("elsewhere", path) == 0 && unlink(path) == 0;
}

static bool try_link(const char *path)
{
    return link("tokens/victim", path) == 0 && unlink(path) == 0;
}

static bool try_pipe(const char *path)
{
    return mkfifo(path, 0600) == 0 && unlink(path) == 0;
}

static bool try_socket(const char *path)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    bool done;
    int cause;

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    done = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && unlink(path) == 0;
    cause = errno;
    (void)close(fd);
    errno = cause;
    return done;
}

static bool try_remove(const char *path)
{
    return unlink(path) == 0 && closed(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static bool try_remove_folder(const char *path)
{
    return rmdir(path) == 0 && mkdir(path, 0700) == 0;
}

static bool try_rename(const char *path)
{
    return rename(path, "tokens/moved") == 0 && rename("tokens/moved", path) == 0;
}

static bool try_execute(const char *path)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        /* Without variables: this library is for programs of one C library. */
        (void)execle(path, path, (char *)NULL, (char *[]){NULL});
        _exit(errno);
    }
    errno = ECHILD;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        return false;
    }
    errno = WEXITSTATUS(status);
    return errno == 0;
}

static bool try_tcp(bool binds)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = binds ? 0 : htons(DISCARD_PORT),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct sockaddr *any = (struct sockaddr *)&address;
    bool done;
    int cause;

    if (binds) {
        done = bind(fd, any, sizeof(address)) == 0;
    } else {
        done = connect(fd, any, sizeof(address)) == 0 || errno == ECONNREFUSED; /* it was asked */
    }
    cause = errno;
    (void)close(fd);
    errno = cause;
    return done;
}

static bool try_bind(const char *unused)
{
    (void)unused;
    return try_tcp(true);
}

static bool try_connect(const char *unused)
{
    (void)unused;
    return try_tcp(false);
}

static bool try_abstract(const char *unused)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool done;
    int cause;

    (void)unused;
    done = connect(fd, (struct sockaddr *)&abstract, sizeof(abstract)) == 0;
    cause = errno;
    (void)close(fd);
    errno = cause;
    return done;
}

static bool try_signal(const char *unused)
{
    (void)unused;
    return kill(getppid(), 0) == 0;
}

/* To look at what is at address 0 gives EFAULT where looking is allowed at all. */
static bool try_trace(const char *unused)
{
    char byte;
    const struct iovec here = {&byte, 1};
    const struct iovec there = {NULL, 1};

    (void)unused;
    return process_vm_readv(getppid(), &here, 1, &there, 1, 0) >= 0 || errno == EFAULT;
}

static bool try_gain_privileges(const char *unused)
{
    (void)unused;
    errno = EPERM;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
}

static const struct row {
    int since; /* the version of Landlock that knows it */
    const char *what;
    const char *path;
    bool (*try)(const char *path);
} rows[] = {
    {1, "read", "tokens/api_tokens.json", try_read},
    {1, "read", "beside/secret", try_read},
    {1, "read", "/etc/passwd", try_read},
    {1, "list", "tokens", try_list},
    {1, "list", "/", try_list},
    {1, "write", "tokens/api_tokens.json", try_write},
    {1, "write", "tokens/api_tokens.json.lock", try_write},
    {1, "write", "tokens/api_tokens.json.audit", try_write},
    {1, "write", "tokens/api_tokens.json.usage", try_write},
    {1, "write", "beside/victim", try_write},
    {1, "write", "/dev/null", try_write},
    {3, "truncate", "tokens/api_tokens.json", try_truncate},
    {3, "truncate", "tokens/api_tokens.json.usage", try_truncate},
    {1, "chmod", "tokens/api_tokens.json", try_chmod},
    {1, "make-file", "tokens/new", try_make},
    {1, "make-file", "beside/new", try_make},
    {1, "make-folder", "tokens/new", try_folder},
    {1, "make-symlink", "tokens/new", try_symlink},
    {1, "make-link", "tokens/new", try_link},
    {1, "make-pipe", "tokens/new", try_pipe},
    {1, "make-socket", "tokens/new", try_socket},
    {1, "remove-file", "tokens/victim", try_remove},
    {1, "remove-folder", "tokens/folder", try_remove_folder},
    {1, "rename", "tokens/victim", try_rename},
    {1, "rename", "beside/victim", try_rename},
    {1, "execute", "/bin/true", try_execute},
    {1, "trace", "parent", try_trace},
    {1, "gain", "privileges", try_gain_privileges},
    {4, "bind", "tcp", try_bind},
    {4, "connect", "tcp", try_connect},
    {6, "connect", "abstract", try_abstract},
    {6, "signal", "parent", try_signal},
};

/* The errors that a test looks for. */
static const char *name_error(int error)
{
    switch (error) {
    case EACCES:
        return "EACCES";
    case EPERM:
        return "EPERM";
    default:
        return strerror(error);
    }
}

static void run(const char *thread)
{
    (void)pthread_mutex_lock(&trying);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const bool done = rows[i].try(rows[i].path);

        (void)dprintf(said, "%d %s %s %s %s\n", rows[i].since, thread, rows[i].what, rows[i].path,
                      done ? "done" : name_error(errno));
    }
    (void)dprintf(said, "0 %s end\n", thread);
    (void)pthread_mutex_unlock(&trying);
}

/* Before the program begins, when nothing is forbidden yet. */
__attribute__((constructor)) static void prepare(void)
{
    const char *path = getenv("TRIES");

    listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(abstract.sun_path + 1, sizeof(abstract.sun_path) - 1, "token_authd tried %ld",
                   (long)getpid());
    if (path == NULL || bind(listening, (struct sockaddr *)&abstract, sizeof(abstract)) != 0 ||
        listen(listening, 1) != 0) {
        abort();
    }
    said = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout)
{
    static int (*next)(int, struct epoll_event *, int, int);
    static bool ran;

    if (!ran) {
        ran = true; /* there is one such thread */
        run("worker");
        *(void **)&next = dlsym(RTLD_NEXT, "epoll_wait");
    }
    return next(epfd, events, maxevents, timeout);
}

/* As the C library calls it where it is told of times after 2038 only on demand. */
#if defined(__GLIBC__) && defined(__TIMESIZE) && __TIMESIZE == 32
#define REAL_PSELECT "__pselect64"
#else
#define REAL_PSELECT "pselect"
#endif

int pselect(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
            const struct timespec *timeout, const sigset_t *sigmask)
{
    static int (*next)(int, fd_set *, fd_set *, fd_set *, const struct timespec *,
                       const sigset_t *);

    if (next == NULL) {
        run("main");
        *(void **)&next = dlsym(RTLD_NEXT, REAL_PSELECT);
    }
    return next(nfds, readfds, writefds, exceptfds, timeout, sigmask);
}

#endif
