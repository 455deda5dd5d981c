/*
 * Files, as far as several rooms need them: open and read with bounds, write all of it, tell whether
 * a file is still the one that was read. Interrupted calls (EINTR) are repeated.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/status.h"

/*
 * Opens for reading; only a regular file, and without waiting on what is none. `*fd` is the
 * caller's. When nothing is there, the status is STATUS_NOT_FOUND; any other failure STATUS_STORE.
 */
MUST_CHECK enum status file_open(const char *path, int *fd, struct error *error);

/*
 * Appends the whole file to `out`, read from its beginning, and tells in `*seen` which file and
 * version it was. Refuses more than `limit` bytes, and a file that keeps changing meanwhile.
 * `path` is for messages.
 */
MUST_CHECK enum status file_read(int fd, const char *path, size_t limit, struct buffer *out,
                                 struct stat *seen, struct error *error);

/* fchmod, and fchown to the owner and group of another; false with errno set. */
bool file_set_mode(int fd, mode_t mode);
bool file_set_owner(int fd, const struct stat *like);

/* Gives the file the owner and group of another, where we may. */
void file_try_chown(int fd, const struct stat *like);

/*
 * Opens a file that stands beside another, in the folder, making it (0600) if it is missing. A link
 * is not followed, and a pipe not waited for. With `like`, a new one gets that owner and group, if we
 * may. -1 with errno set.
 */
int file_open_companion(int folder_fd, const char *name, int flags, const struct stat *like);

/* False with errno set when not every byte was written. */
bool file_write_all(int fd, const void *bytes, size_t size);

/* fsync; false with errno set. */
bool file_sync(int fd);

/* False with errno set. */
bool file_truncate(int fd, off_t size);

/* Whether both are the same version of the same file, as far as a stat can tell. */
bool file_same(const struct stat *a, const struct stat *b);

/*
 * The absolute path with every symbolic link followed, in `*out` (the caller frees). A last component
 * that does not exist is allowed, a missing folder or a dangling link is not.
 */
MUST_CHECK enum status file_resolve(const char *path, char **out, struct error *error);

/*
 * The absolute path with symbolic links as they are, in `*out` (the caller frees): what stays right
 * when a link is pointed elsewhere.
 */
MUST_CHECK enum status file_absolute(const char *path, char **out, struct error *error);

/* A new string of the two in a row, or NULL without memory; the caller frees. */
char *file_name_join(const char *a, const char *b);

#endif
