/*
 * Cuts reads and writes short: none moves more than SHORT_IO bytes, as on nearly full disks, after
 * signals, and on network file systems. For Linux on 64-bit machines.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __linux__

static size_t cut(size_t size)
{
    const char *limit = getenv("SHORT_IO");
    const size_t most = limit != NULL ? strtoul(limit, NULL, 10) : size;

    return size < most ? size : most;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library reserves its own */
ssize_t read(int fd, void *bytes, size_t size)
{
    return syscall(SYS_read, fd, bytes, cut(size));
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    return syscall(SYS_write, fd, bytes, cut(size));
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    return syscall(SYS_pread64, fd, bytes, cut(size), offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return syscall(SYS_pwrite64, fd, bytes, cut(size), offset);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

#endif
