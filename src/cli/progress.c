#include "cli/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

#define LOOK_EVERY 512 /* steps between two looks at the clock */
#define QUIET_MS 1000

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_begin(struct progress *progress, const char *what, size_t total)
{
    *progress = (struct progress){.what = what, .total = total, .started = now_ms()};
}

void progress_step(struct progress *progress, size_t done)
{
    if (done % LOOK_EVERY == 0 && isatty(STDERR_FILENO) == 1 &&
        now_ms() - progress->started > QUIET_MS) {
        progress->width = fprintf(stderr, "\r%zu of %zu %s", done, progress->total, progress->what);
    }
}

void progress_end(struct progress *progress)
{
    if (progress->width > 0) {
        (void)fprintf(stderr, "\r%*s\r", progress->width - 1, ""); /* as dumb terminals know it */
    }
}
