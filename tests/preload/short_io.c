/*
 * Cuts reads and writes short: none moves more than SHORT_IO bytes, as on nearly full disks, after
 * signals, and on network file systems. For Linux.
 */
#undef _FORTIFY_SOURCE /* with it, read and the rest are inline functions already */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
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

/* How pread64 takes an offset differs among 32-bit machines. These take its lower and upper half. */
static ssize_t move_at(long call, int fd, const struct iovec *part, off_t offset)
{
    return syscall(call, fd, part, 1L, (long)offset, (long)((int64_t)offset >> 32));
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    return move_at(SYS_preadv, fd, &(struct iovec){bytes, cut(size)}, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    struct iovec part = {.iov_len = cut(size)};

    memcpy(&part.iov_base, &bytes, sizeof(bytes)); /* it takes no const, for readers fill it in */
    return move_at(SYS_pwritev, fd, &part, offset);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

#endif
