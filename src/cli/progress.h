/*
 * Telling a person that long work goes on: on standard error, if that is a terminal, and only from
 * the second second on. A narrow terminal that has no room for it is spared.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

struct progress {
    const char *what; /* "tokens" */
    size_t total;
    int64_t started;
    int64_t next; /* not before then */
    int width;    /* of what is shown; 0: nothing is */
};

void progress_begin(struct progress *progress, const char *what, size_t total);

/* So many of them are done. Cheap enough for every one. */
void progress_step(struct progress *progress, size_t done);

/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
