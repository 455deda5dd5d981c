/*
 * All times of all files are the same, as within one tick of a coarse clock: then only its device,
 * inode number, size and links tell one version of a file from another.
 */
#define _GNU_SOURCE /* NOLINT: for RTLD_NEXT */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

/* As the C library calls it where stat is told of times after 2038 only on demand. */
#if defined(__GLIBC__) && defined(__TIMESIZE) && __TIMESIZE == 32
#define REAL_FSTATAT "__fstatat64_time64"
#else
#define REAL_FSTATAT "fstatat"
#endif

/* The C library's names for parameters are its own. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

int fstatat(int folder, const char *path, struct stat *found, int flags)
{
    const struct timespec tick = {.tv_sec = 1700000000};
    int (*real)(int, const char *, struct stat *, int);
    int result;

    *(void **)&real = dlsym(RTLD_NEXT, REAL_FSTATAT);
    if (real == NULL) {
        abort();
    }
    result = real(folder, path, found, flags);
    if (result == 0) {
        found->st_mtim = tick;
        found->st_ctim = tick;
    }
    return result;
}

int stat(const char *path, struct stat *found)
{
    return fstatat(AT_FDCWD, path, found, 0);
}

int lstat(const char *path, struct stat *found)
{
    return fstatat(AT_FDCWD, path, found, AT_SYMLINK_NOFOLLOW);
}

int fstat(int fd, struct stat *found)
{
    return fstatat(fd, "", found, AT_EMPTY_PATH);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
