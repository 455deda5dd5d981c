/*
 * Asks without end, many at once, and sees that every answer is the right one for its request:
 *
 *     http_load PORT REQUESTS CONNECTIONS SEED ONE ONE_ID TWO TWO_ID NARROW BAD
 *
 * ONE and TWO are tokens that are let in, NARROW one that has a scope but not "other", BAD is none. Each
 * connection sends some requests in one piece, good and bad ones mixed, takes the answers, and goes on;
 * in between it ends in one of the ways that clients have: asked to, in the middle of a head or a body,
 * without having read the answers, or with something malformed. Then a new one takes its place.
 */
#include <poll.h>

#include "http_wire.h"

#define CONNECTIONS 512
#define DEPTH 48   /* requests in one piece */
#define ENDS_OF 16 /* one piece in so many is the last of its connection */

enum token {
    NONE,
    ONE,
    TWO,
    NARROW,
    BAD,
    TOKENS
};

/* How a connection goes on when its piece is answered. */
enum end {
    END_NOT,
    END_ASKED,   /* the last request asks for it */
    END_REFUSED, /* something malformed comes behind the last */
    END_LEFT,    /* we hang up in the middle of another request */
    END_UNREAD,  /* or before we have read an answer */
    ENDS,
};

static const struct kind {
    enum token token;
    unsigned status;
    bool is_head;
    const char *before; /* the header with the token … */
    const char *after;  /* … and behind it */
} kinds[] = {
    {ONE, 200, false, "GET /verify HTTP/1.1\r\nHost: x\r\n", "\r\n"},
    {TWO, 200, false, "POST /verify/a HTTP/1.1\r\nHost: x\r\n", "Content-Length: 4\r\n\r\nbody"},
    {BAD, 401, false, "GET /verify HTTP/1.1\r\nHost: x\r\n", "\r\n"},
    {NONE, 401, false, "GET /verify/b HTTP/1.1\r\nHost: x\r\n", "\r\n"},
    {ONE, 200, true, "HEAD /verify HTTP/1.1\r\nHost: x\r\n", "\r\n"},
    {BAD, 401, true, "HEAD /verify HTTP/1.1\r\nHost: x\r\n", "\r\n"},
    {NARROW, 403, false, "GET /verify?scope=other HTTP/1.1\r\nHost: x\r\n", "\r\n"},
    {NARROW, 403, false, "GET /verify HTTP/1.1\r\nHost: x\r\n", "X-Required-Scope: other\r\n\r\n"},
    {TWO, 200, false, "PUT /verify HTTP/1.1\r\nHost: x\r\n",
     "Content-Length: 98\r\n\r\n"
     "GET /verify HTTP/1.1\r\nHost: x\r\nX-Api-Key: sk-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm\r\n\r\n"},
    {ONE, 404, false, "GET /nothing HTTP/1.1\r\nHost: x\r\n", "\r\n"},
};

static const char *const malformed[] = {
    "GET /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "GET /verify HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "GET /verify HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    "GET /verify HTTP/1.1\r\nHost: x\r\nX-Foo\r\n\r\n",
    "GET /verify HTTP/1.1\r\nHost: x\r\nX-Foo: a\r\n b\r\n\r\n",
    "GET /verify HTTP/9.9\r\n\r\n",
    "\x16\x03\x01\r\n\r\n",
};

struct connection {
    int fd;
    struct buffer out;
    size_t sent;
    struct buffer in;
    const struct kind *asked[DEPTH];
    size_t asked_count;
    size_t answered_count;
    enum end end;
    bool is_over;
};

static unsigned port;
static uint64_t state;
static const char *tokens[TOKENS];
static const char *ids[TOKENS];
static struct connection connections[CONNECTIONS];
static unsigned long asked_count;
static unsigned long answered_count;
static unsigned long connection_count;
static unsigned long wrong_count;

static void complain(const struct connection *connection, const char *what)
{
    wrong_count++;
    (void)printf("wrong: %s, at answer %zu of %zu: %.300s\n", what, connection->answered_count,
                 connection->asked_count, connection->in.bytes != NULL ? connection->in.bytes : "");
}

static void ask(struct connection *connection, const struct kind *kind, bool is_last)
{
    buffer_append_text(&connection->out, kind->before);
    if (tokens[kind->token] != NULL) {
        buffer_appendf(&connection->out, "X-Api-Key: %s\r\n", tokens[kind->token]);
    }
    if (is_last) {
        buffer_append_text(&connection->out, "Connection: close\r\n");
    }
    buffer_append_text(&connection->out, kind->after);
    connection->asked[connection->asked_count++] = kind;
}

/* The next piece of this connection. */
static void prepare(struct connection *connection)
{
    const size_t count = 1 + next_random(&state) % DEPTH;

    connection->end =
        next_random(&state) % ENDS_OF == 0 ? (enum end)(next_random(&state) % ENDS) : END_NOT;
    connection->out.size = 0;
    connection->sent = 0;
    connection->asked_count = 0;
    connection->answered_count = 0;
    for (size_t i = 0; i < count; i++) {
        ask(connection, &kinds[next_random(&state) % (sizeof(kinds) / sizeof(kinds[0]))],
            connection->end == END_ASKED && i + 1 == count);
    }
    if (connection->end == END_REFUSED) {
        buffer_append_text(
            &connection->out,
            malformed[next_random(&state) % (sizeof(malformed) / sizeof(malformed[0]))]);
    }
    if (connection->end == END_LEFT) {
        const char *begin = kinds[next_random(&state) % 3].before;

        buffer_append(&connection->out, begin, next_random(&state) % strlen(begin));
    }
    if (connection->out.failed) {
        die("no memory");
    }
}

static void begin(struct connection *connection)
{
    connection->fd = dial(port);
    connection->is_over = false;
    connection->in.size = 0;
    connection_count++;
    prepare(connection);
}

static void send_more(struct connection *connection)
{
    const ssize_t count = send(connection->fd, connection->out.bytes + connection->sent,
                               connection->out.size - connection->sent, MSG_NOSIGNAL);

    if (count > 0) {
        connection->sent += (size_t)count;
    } else if (count < 0 && errno != EAGAIN && errno != EINTR) {
        connection->sent = connection->out.size; /* what comes back tells why */
    }
}

/* Takes the answers that are there off the buffer. */
static void take_answers(struct connection *connection)
{
    size_t at = 0;

    while (connection->answered_count < connection->asked_count) {
        const struct kind *kind = connection->asked[connection->answered_count];
        struct answer answer;
        const size_t size = next_answer(connection->in.bytes + at, connection->in.size - at,
                                        kind->is_head, &answer);

        if (size == 0) {
            break;
        }
        at += size;
        if (answer.status != kind->status ||
            strcmp(answer.id, kind->status == 200 ? ids[kind->token] : "") != 0) {
            complain(connection, "another verdict");
        }
        connection->answered_count++;
        answered_count++;
    }
    if (at > 0) {
        memmove(connection->in.bytes, connection->in.bytes + at, connection->in.size - at + 1);
        connection->in.size -= at;
    }
}

/* Behind something malformed there is a refusal, or nothing. */
static bool ends_refused(const struct connection *connection)
{
    struct answer answer;

    if (connection->in.size == 0) {
        return true;
    }
    return next_answer(connection->in.bytes, connection->in.size, false, &answer) > 0 &&
           answer.status >= 400 && answer.id[0] == '\0' &&
           strstr(connection->in.bytes, "X-Token-Id") == NULL;
}

static void end(struct connection *connection)
{
    asked_count += connection->asked_count;
    drop(connection->fd);
    connection->fd = -1;
}

/* Whether the connection is at its end. */
static bool go_on(struct connection *connection)
{
    const bool all = connection->answered_count == connection->asked_count;

    if (connection->sent < connection->out.size) {
        if (!connection->is_over) {
            return false;
        }
        complain(connection, "closed before all was sent");
        return true;
    }
    if (connection->end == END_UNREAD && connection->answered_count > 0) {
        return true;
    }
    if (connection->is_over) {
        if (!all || (connection->end != END_ASKED && connection->end != END_REFUSED)) {
            complain(connection, "closed");
        } else if (connection->end == END_REFUSED ? !ends_refused(connection)
                                                  : connection->in.size > 0) {
            complain(connection, "more than was asked for");
        }
        return true;
    }
    if (all && connection->end == END_LEFT) {
        return true;
    }
    if (all && connection->end == END_NOT) {
        if (connection->in.size > 0) {
            complain(connection, "more than was asked for");
        }
        asked_count += connection->asked_count;
        prepare(connection);
    }
    return false;
}

static void run(size_t count, unsigned long wanted)
{
    struct pollfd fds[CONNECTIONS];

    for (size_t i = 0; i < count; i++) {
        begin(&connections[i]);
    }
    while (answered_count < wanted && wrong_count < 20) {
        for (size_t i = 0; i < count; i++) {
            fds[i] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
            if (connections[i].sent < connections[i].out.size) {
                fds[i].events |= POLLOUT;
            }
        }
        if (poll(fds, count, 60000) <= 0) {
            die("nothing came for a minute");
        }
        for (size_t i = 0; i < count; i++) {
            struct connection *connection = &connections[i];

            if (fds[i].revents & POLLOUT) {
                send_more(connection);
            }
            if (fds[i].revents & ~POLLOUT) {
                (void)hear(connection->fd, &connection->in, &connection->is_over);
                take_answers(connection);
            }
            if (fds[i].revents != 0 && go_on(connection)) {
                end(connection);
                begin(connection);
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        end(&connections[i]);
        buffer_clear(&connections[i].out);
        buffer_clear(&connections[i].in);
    }
}

int main(int argc, char **argv)
{
    const unsigned long requests = argc == 11 ? strtoul(argv[2], NULL, 10) : 0;
    const size_t count = argc == 11 ? strtoul(argv[3], NULL, 10) : 0;

    state = argc == 11 ? strtoull(argv[4], NULL, 10) : 0;
    if (requests == 0 || count == 0 || count > CONNECTIONS || state == 0) {
        (void)fprintf(stderr,
                      "usage: http_load PORT REQUESTS CONNECTIONS SEED ONE ONE_ID TWO TWO_ID "
                      "NARROW BAD\n");
        return 2;
    }
    port = (unsigned)strtoul(argv[1], NULL, 10);
    tokens[ONE] = argv[5];
    ids[ONE] = argv[6];
    tokens[TWO] = argv[7];
    ids[TWO] = argv[8];
    tokens[NARROW] = argv[9];
    tokens[BAD] = argv[10];
    run(count, requests);
    (void)printf("%lu requests answered of %lu, %lu connections, %lu wrong verdicts\n",
                 answered_count, asked_count, connection_count, wrong_count);
    return wrong_count == 0 ? 0 : 1;
}
