/*
 * Clients who take their time, all at once, and one who does not:
 *
 *     http_slow PORT PID COUNT GOOD BAD
 *
 * COUNT connections wait in one of the ways below, some of them saying another byte now and then, until the
 * server, process PID, has cut off every one and has as few descriptors as before. Meanwhile another client asks, on a connection that stays and on new ones,
 * and must get the right verdict each time. The server's --timeout tells how long this takes.
 */
#include <dirent.h>
#include <poll.h>

#include "http_wire.h"

#define COUNT_MOST 16384
#define PAUSE_MS 20      /* between two bytes */
#define ROUNDS_MOST 1500 /* of that, at least half a minute */

#define HEAD "GET /verify HTTP/1.1\r\nHost: x\r\n"
#define POST "POST /verify HTTP/1.1\r\nHost: x\r\n"

static const struct way {
    const char *name;
    const char *first; /* what is said at first */
    const char *drip;  /* the byte that is said now and then, or NULL */
    bool closes;       /* half of the connection, at once */
    bool is_deaf;      /* asks on and on, and reads no answer */
} ways[] = {
    {"says nothing", "", NULL, false, false},
    {"drips a request line", "GET /verify", "a", false, false},
    {"drips a header", HEAD "X-Foo: ", "a", false, false},
    {"drips headers", HEAD, "a:b\r\n", false, false},
    {"drips a body", POST "Content-Length: 1000000\r\n\r\n", "a", false, false},
    {"drips chunks", POST "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", false, false},
    {"drips a size", POST "Transfer-Encoding: chunked\r\n\r\n", "0", false, false},
    {"drips trailers", POST "Transfer-Encoding: chunked\r\n\r\n0\r\n", "a:b\r\n", false, false},
    {"drips empty lines", "\r\n", "\r\n", false, false},
    {"asks once, and no more", HEAD "\r\n", NULL, false, false},
    {"asks, and closes its half", HEAD "\r\n", NULL, true, false},
    {"closes its half in the head", HEAD, NULL, true, false},
    {"closes its half in the body", POST "Content-Length: 10\r\n\r\nabc", NULL, true, false},
    {"closes its half in a chunk", POST "Transfer-Encoding: chunked\r\n\r\n5\r\nabc", NULL, true,
     false},
    {"closes its half at once", "", NULL, true, false},
    {"reads no answer", "", NULL, false, true},
};

struct client {
    const struct way *way;
    int fd;
    size_t said; /* of its questions */
};

static unsigned port;
static struct client clients[COUNT_MOST];
static unsigned long verdict_count;
static unsigned long wrong_count;

static void say_text(int fd, const char *text)
{
    (void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void begin(struct client *client, const struct way *way)
{
    const int little = 65536;

    client->way = way;
    client->fd = dial(port);
    if (way->is_deaf) {
        (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
    }
    say_text(client->fd, way->first);
    if (way->closes) {
        (void)shutdown(client->fd, SHUT_WR);
    }
}

/* Asks many times, as much as fits between it and the server, and goes on there the next time. */
static void ask_on(struct client *client)
{
    static char questions[500 * (sizeof(HEAD "\r\n") - 1)];
    ssize_t count;

    if (questions[0] == '\0') {
        for (size_t i = 0; i < sizeof(questions); i += strlen(HEAD "\r\n")) {
            memcpy(questions + i, HEAD "\r\n", strlen(HEAD "\r\n"));
        }
    }
    count =
        send(client->fd, questions + client->said, sizeof(questions) - client->said, MSG_NOSIGNAL);
    client->said = (client->said + (count > 0 ? (size_t)count : 0)) % sizeof(questions);
}

/* Has the server ended it? Of one who does not read, only the server can tell. */
static bool is_over(const struct client *client, short events)
{
    char bytes[4096];
    ssize_t count;

    if (client->way->is_deaf || (events & (POLLIN | POLLHUP | POLLERR)) == 0) {
        return false;
    }
    do {
        count = recv(client->fd, bytes, sizeof(bytes), 0);
    } while (count > 0);
    return count == 0 || (errno != EAGAIN && errno != EINTR);
}

/* How many descriptors the server has. */
static size_t count_descriptors(const char *pid)
{
    char path[64];
    size_t count = 0;
    DIR *folder;

    (void)snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    folder = opendir(path);
    if (folder == NULL) {
        die(path);
    }
    /* cppcheck-suppress readdirCalled ; there is one thread */
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

/* One verdict, on a connection that waits. */
static void ask_verdict(int fd, const char *token, unsigned wanted)
{
    struct buffer got = {0};
    struct answer answer;
    char question[256];
    bool is_gone = false;

    (void)snprintf(question, sizeof(question), HEAD "X-Api-Key: %s\r\n\r\n", token);
    say_text(fd, question);
    do {
        struct pollfd wait = {.fd = fd, .events = POLLIN};

        if (poll(&wait, 1, 60000) <= 0) {
            die("no verdict for a minute");
        }
        (void)hear(fd, &got, &is_gone);
    } while (next_answer(got.bytes, got.size, false, &answer) == 0 && !is_gone);
    verdict_count++;
    if (answer.status != wanted) {
        wrong_count++;
        (void)printf("wrong: %u instead of %u\n", answer.status, wanted);
    }
    buffer_clear(&got);
}

static void ask_verdicts(int kept, const char *good, const char *bad)
{
    const int fd = dial(port);

    ask_verdict(kept, good, 200);
    ask_verdict(kept, bad, 401);
    ask_verdict(fd, bad, 401);
    ask_verdict(fd, good, 200);
    drop(fd);
}

/* Looks at all of them once. How many are left of those who would see their end. */
static size_t look(size_t count)
{
    static struct pollfd fds[COUNT_MOST];
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        fds[i] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
        if (clients[i].fd >= 0 && clients[i].way->is_deaf) {
            fds[i].fd = -1;
            ask_on(&clients[i]);
        } else if (clients[i].fd >= 0 && clients[i].way->drip != NULL) {
            say_text(clients[i].fd, clients[i].way->drip);
        }
    }
    if (poll(fds, count, PAUSE_MS) < 0) {
        die("poll");
    }
    for (size_t i = 0; i < count; i++) {
        if (clients[i].fd >= 0 && is_over(&clients[i], fds[i].revents)) {
            drop(clients[i].fd);
            clients[i].fd = -1;
        }
        left += clients[i].fd >= 0 && !clients[i].way->is_deaf ? 1 : 0;
    }
    return left;
}

static void complain_of_left(size_t count, size_t more)
{
    (void)printf("wrong: not cut off: %zu descriptors are left\n", more);
    for (size_t i = 0; i < count; i++) {
        if (clients[i].fd >= 0 && !clients[i].way->is_deaf) {
            (void)printf("wrong: not cut off: one who %s\n", clients[i].way->name);
        }
    }
    wrong_count++;
}

int main(int argc, char **argv)
{
    const size_t count = argc == 6 ? strtoul(argv[3], NULL, 10) : 0;
    size_t descriptors;
    size_t left;
    size_t now;
    int kept;

    if (count == 0 || count > COUNT_MOST) {
        (void)fprintf(stderr, "usage: http_slow PORT PID COUNT GOOD BAD\n");
        return 2;
    }
    port = (unsigned)strtoul(argv[1], NULL, 10);
    kept = dial(port);
    ask_verdicts(kept, argv[4], argv[5]);
    descriptors = count_descriptors(argv[2]);
    for (size_t i = 0; i < count; i++) {
        begin(&clients[i], &ways[i % (sizeof(ways) / sizeof(ways[0]))]);
        if (i % 500 == 0) {
            ask_verdicts(kept, argv[4], argv[5]);
        }
    }
    for (unsigned round = 0; round < ROUNDS_MOST; round++) {
        ask_verdicts(kept, argv[4], argv[5]);
        left = look(count);
        now = count_descriptors(argv[2]);
        if (left == 0 && now <= descriptors) {
            break;
        }
    }
    if (left > 0 || now > descriptors) {
        complain_of_left(count, now - descriptors);
    }
    ask_verdicts(kept, argv[4], argv[5]);
    (void)printf(
        "%zu slow clients in %zu ways, %zu not cut off; %lu verdicts meanwhile, %lu wrong\n", count,
        sizeof(ways) / sizeof(ways[0]), left, verdict_count, wrong_count);
    return wrong_count == 0 ? 0 : 1;
}
