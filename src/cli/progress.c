#include "cli/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

#define LOOK_EVERY 512 /* steps between two looks at the clock */
#define QUIET_MS 1000
#define BETWEEN_MS 100 /* two lines; more often nobody can read it */
#define LINE_SIZE 80

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

/* A line that is wider than the terminal could not be written over. Where none is told, 80. */
static bool has_room(size_t width)
{
    size_t columns = 80;
#ifdef TIOCGWINSZ
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        columns = size.ws_col;
    }
#endif
    return width < columns;
}

void progress_step(struct progress *progress, size_t done)
{
    char line[LINE_SIZE];
    int64_t now;
    int width;

    if (done % LOOK_EVERY != 0 || isatty(STDERR_FILENO) != 1) {
        return;
    }
    now = now_ms();
    if (now - progress->started <= QUIET_MS || now < progress->next) {
        return;
    }
    width = snprintf(line, sizeof(line), "%zu of %zu %s", done, progress->total, progress->what);
    progress->next = now + BETWEEN_MS;
    if (width > 0 && has_room((size_t)width)) {
        (void)fprintf(stderr, "\r%s", line);
        progress->width = width;
    }
}

void progress_end(struct progress *progress)
{
    if (progress->width > 0) {
        (void)fprintf(stderr, "\r%*s\r", progress->width, ""); /* as dumb terminals know it */
    }
}
