#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

#define READ_TRIES 5
#define RESOLVE_TRIES 5

#ifdef __APPLE__
#define MTIME(s) ((s)->st_mtimespec)
#define CTIME(s) ((s)->st_ctimespec)
#else
#define MTIME(s) ((s)->st_mtim)
#define CTIME(s) ((s)->st_ctim)
#endif

static enum status not_regular(const char *path, mode_t mode, struct error *error)
{
    return error_set(error, STATUS_STORE, "%s is %s, not a file", path,
                     S_ISDIR(mode) ? "a folder" : "a device, pipe or socket");
}

enum status file_open(const char *path, int *fd, struct error *error)
{
    struct stat now;

    do {
        /* Without O_NONBLOCK, opening a pipe would wait for a writer. */
        *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    } while (*fd < 0 && errno == EINTR);
    if (*fd < 0) {
        const int cause = errno;

        if (cause == ENXIO) {
            return not_regular(path, S_IFIFO, error);
        }
        return error_set_errno(error, cause == ENOENT ? STATUS_NOT_FOUND : STATUS_STORE, cause,
                               "cannot open %s", path);
    }
    if (fstat(*fd, &now) != 0) {
        const int cause = errno;

        (void)close(*fd);
        *fd = -1;
        return error_set_errno(error, STATUS_STORE, cause, "cannot examine %s", path);
    }
    if (!S_ISREG(now.st_mode)) {
        (void)close(*fd);
        *fd = -1;
        return not_regular(path, now.st_mode, error);
    }
    return STATUS_OK;
}

/* Appends what can be read up to the end of the file, or `limit + 1` bytes. False with errno set. */
static bool read_to_end(int fd, size_t limit, struct buffer *out)
{
    const size_t start = out->size;

    while (out->size - start <= limit) {
        size_t room;
        ssize_t got;

        if (!buffer_reserve(out, 4096)) {
            errno = ENOMEM;
            return false;
        }
        room = out->capacity - out->size;
        got = pread(fd, out->bytes + out->size, room < INT_MAX ? room : INT_MAX,
                    (off_t)(out->size - start));
        if (got < 0 && errno != EINTR) {
            return false;
        }
        if (got == 0) {
            return true;
        }
        out->size += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static enum status refuse_size(const char *path, size_t limit, struct error *error)
{
    return error_set(error, STATUS_STORE, "%s is larger than %zu bytes", path, limit);
}

enum status file_read(int fd, const char *path, size_t limit, struct buffer *out, struct stat *seen,
                      struct error *error)
{
    const size_t start = out->size;

    for (int i = 0; i < READ_TRIES; i++) {
        struct stat after;

        out->size = start;
        if (fstat(fd, seen) != 0) {
            return error_set_errno(error, STATUS_STORE, errno, "cannot examine %s", path);
        }
        if (seen->st_size > 0 && (uintmax_t)seen->st_size > limit) {
            return refuse_size(path, limit, error);
        }
        if (seen->st_size > 0 && !buffer_reserve(out, (size_t)seen->st_size + 1)) {
            return error_no_memory(error);
        }
        if (!read_to_end(fd, limit, out) || fstat(fd, &after) != 0) {
            return error_set_errno(error, STATUS_STORE, errno, "cannot read %s", path);
        }
        if (out->size - start > limit) {
            return refuse_size(path, limit, error);
        }
        if (file_same(seen, &after) && (off_t)(out->size - start) == seen->st_size) {
            return STATUS_OK;
        }
    }
    return error_set(error, STATUS_STORE, "%s keeps changing while it is read; try again", path);
}

bool file_set_mode(int fd, mode_t mode)
{
    int result;

    do {
        result = fchmod(fd, mode);
    } while (result != 0 && errno == EINTR);
    return result == 0;
}

bool file_set_owner(int fd, const struct stat *like)
{
    int result;

    do {
        result = fchown(fd, like->st_uid, like->st_gid);
    } while (result != 0 && errno == EINTR);
    return result == 0;
}

void file_try_chown(int fd, const struct stat *like)
{
    if (!file_set_owner(fd, like)) {
        return; /* then it stays ours */
    }
}

int file_open_companion(int folder_fd, const char *name, int flags, const struct stat *like)
{
    const int plain = flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    bool created = false;
    int fd;

    do {
        fd = openat(folder_fd, name, plain);
        if (fd < 0 && errno == ENOENT) {
            fd = openat(folder_fd, name, plain | O_CREAT | O_EXCL, 0600);
            created = fd >= 0;
        }
    } while (fd < 0 && (errno == EEXIST || errno == EINTR));
    if (created) {
        /* Whatever the umask; and root must not lock out the owner of the file beside. */
        (void)file_set_mode(fd, 0600);
        if (like != NULL) {
            file_try_chown(fd, like);
        }
    }
    return fd;
}

bool file_write_all(int fd, const void *bytes, size_t size)
{
    const char *next = bytes;

    while (size > 0) {
        const ssize_t put = write(fd, next, size < INT_MAX ? size : INT_MAX);

        if (put < 0 && errno != EINTR) {
            return false;
        }
        if (put > 0) {
            next += put;
            size -= (size_t)put;
        }
    }
    return true;
}

bool file_sync(int fd)
{
    int result;

    do {
#ifdef F_FULLFSYNC
        result = fcntl(fd, F_FULLFSYNC); /* on macOS, fsync stops at the drive's cache */
#else
        result = fsync(fd);
#endif
    } while (result != 0 && errno == EINTR);
    return result == 0;
}

bool file_truncate(int fd, off_t size)
{
    int result;

    do {
        result = ftruncate(fd, size);
    } while (result != 0 && errno == EINTR);
    return result == 0;
}

bool file_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           MTIME(a).tv_sec == MTIME(b).tv_sec && MTIME(a).tv_nsec == MTIME(b).tv_nsec &&
           CTIME(a).tv_sec == CTIME(b).tv_sec && CTIME(a).tv_nsec == CTIME(b).tv_nsec;
}

char *file_name_join(const char *a, const char *b)
{
    const size_t size = strlen(a) + strlen(b) + 1;
    char *joined = malloc(size);

    if (joined != NULL) {
        (void)snprintf(joined, size, "%s%s", a, b);
    }
    return joined;
}

/* The folder of `path`, every link followed, and the name in it (borrowed from `path`). */
static enum status resolve_folder(const char *path, char **folder, const char **name,
                                  struct error *error)
{
    const char *slash = strrchr(path, '/');
    enum status status;
    char *given;

    *folder = NULL;
    *name = slash == NULL ? path : slash + 1;
    if (**name == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0) {
        return error_set(error, STATUS_STORE, "%s is a folder, not a file",
                         *path == '\0' ? "the empty path" : path);
    }
    given = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    if (given == NULL) {
        return error_no_memory(error);
    }
    *folder = realpath(given, NULL);
    if (*folder != NULL) {
        status = STATUS_OK;
    } else if (errno == ENOENT) {
        status = error_set(error, STATUS_STORE,
                           "the folder of %s does not exist; make it, or name another file", path);
    } else {
        status =
            error_set_errno(error, STATUS_STORE, errno, "the folder of %s cannot be used", path);
    }
    free(given);
    return status;
}

/* folder/name, where the folder may be the root. */
static enum status join_path(const char *folder, const char *name, char **out, struct error *error)
{
    char *slashed = strcmp(folder, "/") == 0 ? strdup("/") : file_name_join(folder, "/");

    *out = slashed != NULL ? file_name_join(slashed, name) : NULL;
    free(slashed);
    return *out != NULL ? STATUS_OK : error_no_memory(error);
}

/* Nothing can be resolved, so perhaps nothing is there: is the name free, in a folder that is? */
static enum status resolve_free_name(const char *path, char **out, struct error *error)
{
    struct stat entry;
    const char *name;
    char *folder;
    enum status status;

    if (lstat(path, &entry) == 0) {
        return error_set(error, STATUS_STORE,
                         "%s is a symbolic link to something that is not there; restore its target "
                         "or remove the link",
                         path);
    }
    if (errno != ENOENT) {
        return error_set_errno(error, STATUS_STORE, errno, "cannot examine %s", path);
    }
    status = resolve_folder(path, &folder, &name, error);
    if (folder != NULL) {
        status = join_path(folder, name, out, error);
    }
    free(folder);
    return status;
}

enum status file_resolve(const char *path, char **out, struct error *error)
{
    for (int i = 0; i < RESOLVE_TRIES; i++) {
        struct stat entry;

        *out = realpath(path, NULL);
        if (*out != NULL) {
            return STATUS_OK;
        }
        if (errno != ENOENT) {
            return error_set_errno(error, STATUS_STORE, errno, "cannot find %s", path);
        }
        /* What is no link and there came between two looks: a writer was quicker. */
        if (lstat(path, &entry) != 0 || S_ISLNK(entry.st_mode)) {
            break;
        }
    }
    return resolve_free_name(path, out, error);
}

enum status file_absolute(const char *path, char **out, struct error *error)
{
    char *folder;
    enum status status;

    *out = NULL;
    if (path[0] == '/') {
        *out = strdup(path);
        return *out != NULL ? STATUS_OK : error_no_memory(error);
    }
    folder = realpath(".", NULL);
    if (folder == NULL) {
        return error_set_errno(error, STATUS_STORE, errno,
                               "the working folder cannot be used, and %s is relative to it", path);
    }
    status = join_path(folder, strncmp(path, "./", 2) == 0 ? path + 2 : path, out, error);
    free(folder);
    return status;
}
