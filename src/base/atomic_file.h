/*
 * Replacing a file as a whole, one writer at a time.
 *
 * Beside NAME stand NAME.lock, on which writers take turns (flock: a crash releases it, and the file
 * itself is never removed), and while a writer works NAME.tmp, the next version. A transaction goes
 *
 *     atomic_file_lock      follow links, take the lock, follow links again, open the old version
 *     atomic_file_read      the old version's bytes
 *     atomic_file_stage     NAME.tmp: bytes, owner, mode, ACL, label; fsync; close; and a look
 *                           whether NAME is still the version that was read
 *     atomic_file_publish   that look again; rename NAME.tmp to NAME; fsync the folder
 *     atomic_file_close     drop what was staged but not published; unlock
 *
 * and can be closed at any point. Until the rename the old version is untouched; after it the new
 * one is complete. A crash leaves at most a NAME.tmp, which the next writer replaces. There is one
 * fixed name for it, so that crashes do not pile up files.
 *
 * Readers take no lock. They open NAME and hold one version or the other.
 *
 * Nothing here knows what is in the file.
 */
#ifndef BASE_ATOMIC_FILE_H
#define BASE_ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/status.h"

struct atomic_file {
    char *path;       /* absolute, links followed; owned */
    const char *name; /* the last component, within `path` */
    char *tmp_name;   /* made first, so that it can be removed without memory; owned */
    int folder_fd;
    int lock_fd;
    int old_fd;       /* the version that stands, or -1 when there is none */
    struct stat seen; /* that version, as it was read */
    bool exists;
    bool staged;
    bool published;
};

/* Before the first call, so that atomic_file_close is always safe. */
void atomic_file_init(struct atomic_file *file);

/* Waits for the lock at most `wait_ms` milliseconds. */
MUST_CHECK enum status atomic_file_lock(struct atomic_file *file, const char *path,
                                        unsigned wait_ms, struct error *error);

/* Appends the old version to `out`; nothing, if there is none (then `exists` is false). */
MUST_CHECK enum status atomic_file_read(struct atomic_file *file, size_t limit, struct buffer *out,
                                        struct error *error);

MUST_CHECK enum status atomic_file_stage(struct atomic_file *file, const void *bytes, size_t size,
                                         struct error *error);

/*
 * A failure after `published` was set means: the new version stands, but a power cut may bring the
 * old one back.
 */
MUST_CHECK enum status atomic_file_publish(struct atomic_file *file, struct error *error);

/* Whether the name still stands for the version that was read, or for nothing as it did. */
bool atomic_file_is_untouched(const struct atomic_file *file);

void atomic_file_close(struct atomic_file *file);

#endif
