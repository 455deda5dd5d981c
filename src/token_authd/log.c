#include "token_authd/log.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/timefmt.h"

#include "base/banned.h"

static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t dropped;

#define ROOM_FOR_END 2 /* a quotation mark and a line end */

static bool has_room(const struct log_line *line, size_t size)
{
    return line->size + size + ROOM_FOR_END <= sizeof(line->text);
}

/* All of it or nothing. */
static bool put(struct log_line *line, const char *bytes, size_t size)
{
    if (!has_room(line, size)) {
        return false;
    }
    memcpy(line->text + line->size, bytes, size);
    line->size += size;
    return true;
}

/* One character, escaped where it must be; its length, or 0 when there is no room for it. */
static size_t put_character(struct log_line *line, const char *text, size_t size)
{
    uint32_t point;
    const size_t length = text_utf8_next(text, size, &point);
    char escaped[5];

    if (length == 1 && (point == '"' || point == '\\')) {
        escaped[0] = '\\';
        escaped[1] = text[0];
        return put(line, escaped, 2) ? 1 : 0;
    }
    if (length == 0 || text_is_control(point)) {
        (void)snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned)(unsigned char)text[0]);
        return put(line, escaped, strlen(escaped)) ? 1 : 0;
    }
    return put(line, text, length) ? length : 0;
}

/* A value by itself where it is one plain word, else in quotation marks. */
static void put_pair(struct log_line *line, const char *key, const char *text, size_t size)
{
    const bool plain = size > 0 && text_is_visible_ascii(text, size) &&
                       memchr(text, '"', size) == NULL && memchr(text, '=', size) == NULL &&
                       memchr(text, '\\', size) == NULL;

    if (!has_room(line, strlen(key) + sizeof(" =\"") - 1)) {
        return;
    }
    (void)put(line, " ", line->size > 0 ? 1 : 0);
    (void)put(line, key, strlen(key));
    (void)put(line, "=", 1);
    if (plain && has_room(line, size)) {
        (void)put(line, text, size);
        return;
    }
    (void)put(line, "\"", 1);
    for (size_t length; size > 0; text += length, size -= length) {
        length = put_character(line, text, size);
        if (length == 0) {
            break;
        }
    }
    line->text[line->size++] = '"'; /* that room is left */
}

void log_begin(struct log_line *line, enum log_level level, int64_t now, const char *event)
{
    static const char *const levels[] = {
        [LOG_LEVEL_INFO] = "info", [LOG_LEVEL_WARN] = "warn", [LOG_LEVEL_ERROR] = "error"};
    char time[TIME_TEXT_SIZE];

    line->size = 0;
    time_format(now, time);
    log_text(line, "time", time);
    log_text(line, "level", levels[level]);
    log_text(line, "event", event);
}

void log_text(struct log_line *line, const char *key, const char *text)
{
    put_pair(line, key, text, strlen(text));
}

void log_count(struct log_line *line, const char *key, uint64_t count)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%" PRIu64, count);
    log_text(line, key, digits);
}

void log_seconds(struct log_line *line, const char *key, double seconds)
{
    char digits[32];

    (void)snprintf(digits, sizeof(digits), "%.6f", seconds);
    log_text(line, key, digits);
}

void log_foreign(struct log_line *line, const char *key, const char *text, size_t size)
{
    struct text_quoted quoted;

    (void)text_quote(&quoted, text, size);
    put_pair(line, key, quoted.text + 1, strlen(quoted.text) - 2); /* without its own marks */
}

void log_end(struct log_line *line)
{
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};

    line->text[line->size++] = '\n';
    (void)pthread_mutex_lock(&writing);
    /* What is ready takes PIPE_BUF bytes at least, and no other thread takes them from us. */
    if (poll(&ready, 1, 0) != 1 || !file_write_all(STDERR_FILENO, line->text, line->size)) {
        atomic_fetch_add(&dropped, 1);
    }
    (void)pthread_mutex_unlock(&writing);
}

uint64_t log_dropped(void)
{
    return atomic_load(&dropped);
}
