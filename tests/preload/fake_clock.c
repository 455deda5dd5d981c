/*
 * Shows a program another time of day, which a test may change while it runs:
 *
 *     LD_PRELOAD=…/fake_clock.so FAKE_CLOCK=FILE PROGRAM …
 *
 * FILE holds by how many seconds the clock is ahead, or with a minus behind; or with a = before it, the
 * second at which it stands still. Without FILE the clock is right. The clock that nobody sets (CLOCK_MONOTONIC) is left alone.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* On 32-bit machines, the one that knows times after 2038. */
#ifdef SYS_clock_gettime64
#define SYS_GETTIME SYS_clock_gettime64
#else
#define SYS_GETTIME SYS_clock_gettime
#endif

static void falsify(struct timespec *now)
{
    const char *path = getenv("FAKE_CLOCK");
    char text[32] = "";
    const int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd >= 0) {
        (void)!read(fd, text, sizeof(text) - 1);
        (void)close(fd);
    }
    if (text[0] == '=') {
        *now = (struct timespec){.tv_sec = strtoll(text + 1, NULL, 10)};
    } else {
        now->tv_sec += strtoll(text, NULL, 10);
    }
}

/* The names of glibc's own parameters are reserved. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    const long result = syscall(SYS_GETTIME, clock, now);

    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        falsify(now);
    }
    return (int)result;
}

time_t time(time_t *out)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
