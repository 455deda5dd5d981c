/*
 * What libmicrohttpd complains of: only how often, and the last, so that clients cannot fill the log.
 */
#ifndef TOKEN_AUTHD_COMPLAINTS_H
#define TOKEN_AUTHD_COMPLAINTS_H

#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>

#define COMPLAINT_SIZE 512

struct complaints {
    pthread_mutex_t lock;
    size_t count;              /* since they were taken last … */
    char last[COMPLAINT_SIZE]; /* … and the last of them */
};

void complaints_init(struct complaints *complaints);
void complaints_clear(struct complaints *complaints);

/* Notes one, without the page that was sent. `context` is a struct complaints. From any thread. */
void complaints_note(void *context, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* How many there were since this was called last; `last` becomes the last of them. */
size_t complaints_take(struct complaints *complaints, char last[static COMPLAINT_SIZE]);

#endif
