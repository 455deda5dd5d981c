/*
 * For the helpers that speak to a server byte by byte: connections to a port of 127.0.0.1, what came
 * back on them, and requests that are sent piece by piece, many at once.
 *
 * Nothing here waits for time to pass. A server of one thread has seen all that was sent before a
 * question, and done what it will do, when it has answered that question some times without anything
 * else coming from it. That question is /healthz, on a connection of its own.
 */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/text.h"

#define QUIET_ROUNDS 3  /* the read, the verdict, and the answer … */
#define LONG_ROUNDS 500 /* … but what is too large is read by libmicrohttpd in small pieces */
#define LONG 1500
#define ID_SIZE 64

/* One answer. */
struct answer {
    unsigned status;
    bool closes;
    char id[ID_SIZE]; /* of the token that was let in */
};

/* Something to be sent on a connection of its own, and what came back. */
struct exchange {
    const char *bytes;
    size_t size;
    size_t first; /* bytes sent at first; 0 for all … */
    size_t step;  /* … and at a time after that; 0 for all */
    size_t sent;
    int fd;
    struct buffer got;
    bool is_over; /* the server closed it */
};

static inline _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

/* Forgets a connection at once: a port that waits would be missed after many thousands. */
static inline void drop(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    (void)close(fd);
}

/* A connection that waits for nothing once it is made; what is written goes out at once. */
static inline int dial(unsigned port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int yes = 1;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        die("cannot connect");
    }
    return fd;
}

/* The value of a header of an answer's head, up to its line's end; NULL if there is none. */
static inline const char *answer_header(const char *head, size_t size, const char *name)
{
    const size_t length = strlen(name);

    for (const char *line = memchr(head, '\n', size); line != NULL;
         line = memchr(line, '\n', size - (size_t)(line - head))) {
        line++;
        if (size - (size_t)(line - head) > length && text_equal_nocase(line, name, length) &&
            line[length] == ':') {
            line += length + 1;
            return line + strspn(line, " ");
        }
    }
    return NULL;
}

/* Takes the first answer off `bytes`, behind which is a NUL: its size, or 0 if it is none, or cut. */
static inline size_t next_answer(const char *bytes, size_t size, bool without_body,
                                 struct answer *answer)
{
    static const char begin[] = "HTTP/1.1 ";
    const char *end = size > 0 ? strstr(bytes, "\r\n\r\n") : NULL;
    const char *value;
    size_t head_size;
    unsigned long length;

    *answer = (struct answer){0};
    if (end == NULL || strncmp(bytes, begin, strlen(begin)) != 0) {
        return 0;
    }
    head_size = (size_t)(end - bytes) + 4;
    answer->status = (unsigned)strtoul(bytes + strlen(begin), NULL, 10);
    value = answer_header(bytes, head_size, "Connection");
    answer->closes = value != NULL && text_equal_nocase(value, "close", strlen("close"));
    value = answer_header(bytes, head_size, "X-Token-Id");
    if (value != NULL) {
        (void)snprintf(answer->id, sizeof(answer->id), "%.*s", (int)strcspn(value, "\r"), value);
    }
    value = answer_header(bytes, head_size, "Content-Length");
    length = value != NULL && !without_body ? strtoul(value, NULL, 10) : 0;
    return length <= size - head_size ? head_size + length : 0;
}

/* Reads what there is. Whether anything came, the end included. */
static inline bool hear(int fd, struct buffer *got, bool *is_over)
{
    bool any = false;

    while (!*is_over) {
        ssize_t count;

        if (!buffer_reserve(got, 16384)) {
            die("no memory");
        }
        count = recv(fd, got->bytes + got->size, 16383, 0);
        if (count > 0) {
            got->size += (size_t)count;
        } else if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
            break;
        } else {
            *is_over =
                true; /* a reset, too, for the server need not read what it will not answer */
        }
        any = true;
    }
    if (got->bytes != NULL) {
        got->bytes[got->size] = '\0'; /* so that it can be searched */
    }
    return any;
}

/* Sends what goes out without waiting, of so many bytes. Whether any did. */
static inline bool say(struct exchange *exchange, size_t size)
{
    ssize_t count = 0;

    if (!exchange->is_over && exchange->sent < size) {
        count = send(exchange->fd, exchange->bytes + exchange->sent, size - exchange->sent,
                     MSG_NOSIGNAL);
        exchange->sent += count > 0 ? (size_t)count : 0;
        if (count < 0 && errno != EAGAIN && errno != EINTR) {
            exchange->sent =
                exchange->size; /* it is not read any more, but an answer may be there */
        }
    }
    return count > 0;
}

/* Asks whether the server is there, and waits for the answer: on a connection that waits. */
static inline void ask_health(int fd)
{
    static const char question[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    char got[1024];
    size_t size = 0;
    struct answer answer;

    if (send(fd, question, strlen(question), MSG_NOSIGNAL) != (ssize_t)strlen(question)) {
        die("the server does not read");
    }
    do {
        const ssize_t count = recv(fd, got + size, sizeof(got) - 1 - size, 0);

        if (count <= 0) {
            die("the server does not answer");
        }
        size += (size_t)count;
        got[size] = '\0';
    } while (next_answer(got, size, false, &answer) == 0);
    if (answer.status != 200) {
        die("the server is not well");
    }
}

static inline int dial_health(unsigned port)
{
    const int fd = dial(port);

    if (fcntl(fd, F_SETFL, 0) != 0) {
        die("fcntl");
    }
    return fd;
}

/* How much of it is to be sent by that step. */
static inline size_t piece_end(const struct exchange *exchange, size_t step)
{
    if (step == 0 && exchange->first > 0) {
        return exchange->first;
    }
    if (exchange->step > 0 && step < exchange->size &&
        exchange->first + step * exchange->step < exchange->size) {
        return exchange->first + step * exchange->step;
    }
    return exchange->size;
}

/* Sends what is due, and takes what came. Whether anything did. */
static inline bool exchange_some(int health, struct exchange *exchanges, size_t count, size_t step)
{
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        any = say(&exchanges[i], piece_end(&exchanges[i], step)) || any;
    }
    ask_health(health);
    for (size_t i = 0; i < count; i++) {
        any = hear(exchanges[i].fd, &exchanges[i].got, &exchanges[i].is_over) || any;
    }
    return any;
}

/* For how many questions nothing is to come until nothing more will. */
static inline int rounds_left(const struct exchange *exchanges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (exchanges[i].size > LONG && exchanges[i].got.size == 0 && !exchanges[i].is_over) {
            return LONG_ROUNDS;
        }
    }
    return QUIET_ROUNDS;
}

/* Sends all of them, each on a connection of its own, and takes what comes back. */
static inline void exchange_all(unsigned port, int health, struct exchange *exchanges, size_t count)
{
    bool all_sent = false;

    for (size_t i = 0; i < count; i++) {
        exchanges[i].fd = dial(port);
        exchanges[i].sent = 0;
        exchanges[i].is_over = false;
        exchanges[i].got.size = 0;
    }
    for (size_t step = 0; !all_sent; step++) {
        all_sent = true;
        for (size_t i = 0; i < count; i++) {
            all_sent = piece_end(&exchanges[i], step) == exchanges[i].size && all_sent;
        }
        (void)exchange_some(health, exchanges, count, step);
    }
    for (int quiet = 0; quiet < rounds_left(exchanges, count); quiet++) {
        if (exchange_some(health, exchanges, count, SIZE_MAX)) {
            quiet = -1;
        }
    }
    for (size_t i = 0; i < count; i++) {
        drop(exchanges[i].fd);
    }
}

/* The next pseudo-random number (xorshift64*). The state is never 0. */
static inline uint32_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * 2685821657736338717U >> 32);
}

#endif
