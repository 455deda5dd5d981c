/*
 * The log: a line for each event on standard error, in logfmt.
 *
 *     time=2026-11-26T11:45:23Z level=warn event=refused reason=revoked status=401 …
 *
 * A line is written at once, whole, or not at all: when whoever reads standard error is behind, lines
 * are dropped and counted rather than waited for, because a verdict must not depend on a log. Nothing
 * that a client sent goes into a line but by log_foreign.
 */
#ifndef TOKEN_AUTHD_LOG_H
#define TOKEN_AUTHD_LOG_H

#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_SIZE 4096 /* no more, so that lines of several threads do not mix in a pipe */

struct log_line {
    size_t size;
    char text[LOG_LINE_SIZE];
};

enum log_level {
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR
};

/* Begins a line. `now` is Unix time; `event` is one word. */
void log_begin(struct log_line *line, enum log_level level, int64_t now, const char *event);

/* What does not fit is cut off. Control characters are escaped. */
void log_text(struct log_line *line, const char *key, const char *text);
void log_count(struct log_line *line, const char *key, uint64_t count);
void log_seconds(struct log_line *line, const char *key, double seconds);

/* The same for text from outside: of what may be a secret only the beginning, as text_quote does. */
void log_foreign(struct log_line *line, const char *key, const char *text, size_t size);

/* Writes the line. From any thread. */
void log_end(struct log_line *line);

/* How many lines were dropped since the start. */
uint64_t log_dropped(void);

#endif
