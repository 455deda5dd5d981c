#include "base/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/file_attributes.h"
#include "base/text.h"

#include "base/banned.h"

#define NAP_MS 5        /* between two tries for the lock */
#define RELOCK_TRIES 10 /* how often the name may turn out to mean another file */

void atomic_file_init(struct atomic_file *file)
{
    *file = (struct atomic_file){.folder_fd = -1, .lock_fd = -1, .old_fd = -1};
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

/* Opens a file in the folder; -1 with errno set. Links are not followed: ours are plain files. */
static int open_at(int folder_fd, const char *name, int flags, mode_t mode)
{
    int fd;

    do {
        fd = openat(folder_fd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static int open_folder(const char *path)
{
    int fd;

    do {
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* NAME and a suffix; the caller frees. */
static enum status companion(const struct atomic_file *file, const char *suffix, char **name,
                             struct error *error)
{
    *name = file_name_join(file->name, suffix);
    return *name != NULL ? STATUS_OK : error_no_memory(error);
}

/* Finds the folder that `path` leads to now. */
static enum status locate(struct atomic_file *file, const char *path, struct error *error)
{
    enum status status = file_resolve(path, &file->path, error);
    char *folder;

    if (status != STATUS_OK) {
        return status;
    }
    file->name = strrchr(file->path, '/') + 1;
    status = companion(file, ".tmp", &file->tmp_name, error);
    if (status != STATUS_OK) {
        return status;
    }
    folder = strndup(file->path, (size_t)(file->name - file->path));
    if (folder == NULL) {
        return error_no_memory(error);
    }
    file->folder_fd = open_folder(folder);
    if (file->folder_fd < 0) {
        status = error_set_errno(error, STATUS_STORE, errno, "cannot open the folder %s", folder);
    }
    free(folder);
    return status;
}

static enum status not_a_file(const struct atomic_file *file, mode_t mode, struct error *error)
{
    return error_set(error, STATUS_STORE, "%s is %s, not a file", file->path,
                     S_ISDIR(mode) ? "a folder" : "a device, pipe or socket");
}

/* Opens the lock file. What cannot be a token file gets none beside it. */
static enum status open_lock(struct atomic_file *file, const char *name, struct error *error)
{
    struct stat old;
    const bool exists = fstatat(file->folder_fd, file->name, &old, AT_SYMLINK_NOFOLLOW) == 0;

    if (exists && !S_ISREG(old.st_mode)) {
        return not_a_file(file, old.st_mode, error);
    }
    file->lock_fd = file_open_companion(file->folder_fd, name, O_RDWR, exists ? &old : NULL);
    if (file->lock_fd < 0) {
        return error_set_errno(
            error, STATUS_STORE, errno,
            "cannot open %s.lock, which every change needs (is it yours, and its "
            "folder writable for you?)",
            file->path);
    }
    return STATUS_OK;
}

static enum status refuse_locked(const struct atomic_file *file, unsigned seconds,
                                 struct error *error)
{
    struct text_shell word;
    char *lock = file_name_join(file->path, ".lock");

    if (lock == NULL) {
        return error_no_memory(error);
    }
    (void)error_set(
        error, STATUS_STORE,
        "%s is being changed by others: %s.lock was taken for %u second%s; try again, or "
        "see who holds it with `fuser -v %s`",
        file->path, file->name, seconds, seconds == 1 ? "" : "s", text_shell(&word, lock));
    free(lock);
    return STATUS_STORE;
}

static enum status wait_for_lock(struct atomic_file *file, unsigned wait_ms, struct error *error)
{
    const struct timespec nap = {0, NAP_MS * 1000000L};

    for (unsigned waited = 0;; waited += NAP_MS) {
        if (flock(file->lock_fd, LOCK_EX | LOCK_NB) == 0) {
            return STATUS_OK;
        }
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return error_set_errno(error, STATUS_STORE, errno, "cannot lock %s.lock", file->path);
        }
        if (waited >= wait_ms) {
            return refuse_locked(file, wait_ms / 1000, error);
        }
        (void)nanosleep(&nap, NULL);
    }
}

/* Whether the lock that we hold is the one that others would take now. */
static bool lock_still_counts(const struct atomic_file *file, const char *lock_name,
                              const char *path)
{
    struct stat held;
    struct stat named;
    struct error ignored;
    char *path_now = NULL;
    const bool counts = fstat(file->lock_fd, &held) == 0 &&
                        fstatat(file->folder_fd, lock_name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
                        held.st_dev == named.st_dev && held.st_ino == named.st_ino &&
                        file_resolve(path, &path_now, &ignored) == STATUS_OK &&
                        strcmp(path_now, file->path) == 0;

    free(path_now);
    return counts;
}

static enum status refuse_links(const struct atomic_file *file, struct error *error)
{
    struct text_shell word;

    return error_set(
        error, STATUS_STORE,
        "%s has %lu names (hard links), and a change would not reach the others; remove "
        "or copy those that `find / -xdev -samefile %s` shows",
        file->path, (unsigned long)file->seen.st_nlink, text_shell(&word, file->path));
}

/* Opens the version that stands, under the lock. */
static enum status open_old(struct atomic_file *file, struct error *error)
{
    file->old_fd = open_at(file->folder_fd, file->name, O_RDONLY, 0);
    if (file->old_fd < 0) {
        if (errno == ENOENT) {
            return STATUS_OK;
        }
        return error_set_errno(error, STATUS_STORE, errno, "cannot open %s", file->path);
    }
    if (fstat(file->old_fd, &file->seen) != 0) {
        return error_set_errno(error, STATUS_STORE, errno, "cannot examine %s", file->path);
    }
    if (!S_ISREG(file->seen.st_mode)) {
        return not_a_file(file, file->seen.st_mode, error);
    }
    if (file->seen.st_nlink > 1) {
        return refuse_links(file, error);
    }
    file->exists = true;
    return STATUS_OK;
}

/* One try. `*stale` tells that the name came to mean another file while we waited. */
static enum status lock_once(struct atomic_file *file, const char *path, unsigned wait_ms,
                             bool *stale, struct error *error)
{
    char *lock_name = NULL;
    enum status status = locate(file, path, error);

    *stale = false;
    if (status != STATUS_OK) {
        return status;
    }
    status = companion(file, ".lock", &lock_name, error);
    if (status != STATUS_OK) {
        return status;
    }
    status = open_lock(file, lock_name, error);
    if (status == STATUS_OK) {
        status = wait_for_lock(file, wait_ms, error);
    }
    if (status != STATUS_OK) {
        goto out;
    }
    *stale = !lock_still_counts(file, lock_name, path);
    if (!*stale) {
        status = open_old(file, error);
    }
out:
    free(lock_name);
    return status;
}

enum status atomic_file_lock(struct atomic_file *file, const char *path, unsigned wait_ms,
                             struct error *error)
{
    for (int i = 0; i < RELOCK_TRIES; i++) {
        bool stale;
        const enum status status = lock_once(file, path, wait_ms, &stale, error);

        if (status != STATUS_OK || !stale) {
            return status;
        }
        atomic_file_close(file);
    }
    return error_set(error, STATUS_STORE, "%s keeps changing its place; try again", path);
}

enum status atomic_file_read(struct atomic_file *file, size_t limit, struct buffer *out,
                             struct error *error)
{
    if (!file->exists) {
        return STATUS_OK;
    }
    return file_read(file->old_fd, file->path, limit, out, &file->seen, error);
}

/* A new file is its owner's alone, and readable for the group where the folder hands its group on. */
static enum status set_new_mode(const struct atomic_file *file, int fd, struct error *error)
{
    struct stat folder;

    if (fstat(file->folder_fd, &folder) != 0 ||
        !file_set_mode(fd, (folder.st_mode & S_ISGID) != 0 ? 0640 : 0600)) {
        return error_set_errno(error, STATUS_STORE, errno, "cannot set the mode of %s.tmp",
                               file->path);
    }
    return STATUS_OK;
}

static enum status set_attributes(struct atomic_file *file, int fd, struct error *error)
{
    const char *what;

    if (!file->exists) {
        return set_new_mode(file, fd, error);
    }
    if (!file_attributes_copy(file->old_fd, &file->seen, fd, &what)) {
        return error_set_errno(error, STATUS_STORE, errno,
                               "cannot keep the %s of %s (run this as its owner, or as root)", what,
                               file->path);
    }
    return STATUS_OK;
}

/* Writes the next version down to the disk. */
static enum status write_next(struct atomic_file *file, int fd, const void *bytes, size_t size,
                              struct error *error)
{
    enum status status;

    if (!file_write_all(fd, bytes, size)) {
        return error_set_errno(error, STATUS_STORE, errno, "cannot write %s.tmp", file->path);
    }
    status = set_attributes(file, fd, error);
    if (status == STATUS_OK && !file_sync(fd)) {
        status = error_set_errno(error, STATUS_STORE, errno, "cannot write %s.tmp to the disk",
                                 file->path);
    }
    return status;
}

bool atomic_file_is_untouched(const struct atomic_file *file)
{
    struct stat now;

    if (fstatat(file->folder_fd, file->name, &now, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT && !file->exists;
    }
    return file->exists && file_same(&now, &file->seen);
}

/* An editor takes no lock: what it saved since we read must not be lost. */
static enum status check_untouched(const struct atomic_file *file, struct error *error)
{
    errno = 0;
    if (atomic_file_is_untouched(file)) {
        return STATUS_OK;
    }
    if (errno != 0 && errno != ENOENT) {
        return error_set_errno(error, STATUS_STORE, errno, "cannot examine %s", file->path);
    }
    return error_set(error, STATUS_STORE,
                     "%s was changed by another program meanwhile (an editor?); try again",
                     file->path);
}

enum status atomic_file_stage(struct atomic_file *file, const void *bytes, size_t size,
                              struct error *error)
{
    enum status status;
    int fd;

    /* What a crash left. It is never written to: it might be linked elsewhere. */
    if (unlinkat(file->folder_fd, file->tmp_name, 0) != 0 && errno != ENOENT) {
        return error_set_errno(error, STATUS_STORE, errno, "cannot remove the old %s.tmp",
                               file->path);
    }
    fd = open_at(file->folder_fd, file->tmp_name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0) {
        return error_set_errno(error, STATUS_STORE, errno, "cannot create %s.tmp", file->path);
    }
    file->staged = true;
    status = write_next(file, fd, bytes, size, error);
    if (close(fd) != 0 && errno != EINTR && status == STATUS_OK) {
        status = error_set_errno(error, STATUS_STORE, errno, "cannot write %s.tmp", file->path);
    }
    return status == STATUS_OK ? check_untouched(file, error) : status;
}

enum status atomic_file_publish(struct atomic_file *file, struct error *error)
{
    /* Once more, because what happened since it was staged may have taken its time. */
    const enum status status = check_untouched(file, error);

    if (status != STATUS_OK) {
        return status;
    }
    if (renameat(file->folder_fd, file->tmp_name, file->folder_fd, file->name) != 0) {
        const int cause = errno;

        return error_set_errno(error, STATUS_STORE, cause, "cannot replace %s%s", file->path,
                               cause == EBUSY ? " (it is a mount of a single file, which cannot "
                                                "be replaced: mount its folder instead)"
                                              : "");
    }
    file->published = true;
    /* Some network file systems do not know how to sync a folder, and say EINVAL. */
    if (!file_sync(file->folder_fd) && errno != EINVAL) {
        return error_set_errno(error, STATUS_STORE, errno,
                               "%s is written, but may not survive a power cut: its folder cannot "
                               "be synced",
                               file->path);
    }
    return STATUS_OK;
}

void atomic_file_close(struct atomic_file *file)
{
    if (file->staged && !file->published) {
        (void)unlinkat(file->folder_fd, file->tmp_name, 0);
    }
    close_fd(&file->old_fd);
    close_fd(&file->folder_fd);
    close_fd(&file->lock_fd); /* last: this lets the next writer in */
    free(file->path);
    free(file->tmp_name);
    atomic_file_init(file);
}
