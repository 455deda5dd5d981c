#include "token_authd/connections.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/banned.h"

#define ROOM_PART 8   /* when fewer than one in so many places are free, room is made … */
#define ROOM_BATCH 64 /* … at once for one client, and one more for so many places */

enum state {
    STATE_NEW,  /* has not asked yet */
    STATE_BUSY, /* is asking, or being answered */
    STATE_IDLE, /* may ask again */
};

struct connection {
    struct connection *next;
    struct connection *previous;
    int fd;
    bool is_cut; /* guarded by the lock, as the list is */
    _Atomic unsigned char state;
    _Atomic time_t since; /* when it came, began to ask, or was answered */
};

struct connections {
    pthread_mutex_t lock;
    struct connection *first; /* in the order in which they came */
    struct connection *last;
    size_t count; /* without those that are cut */
    size_t limit;
    unsigned timeout;
    _Atomic time_t now; /* of the last tick */
};

struct connections *connections_new(size_t limit, unsigned timeout, time_t now)
{
    struct connections *connections = calloc(1, sizeof(*connections));

    if (connections != NULL) {
        (void)pthread_mutex_init(&connections->lock, NULL);
        connections->limit = limit;
        connections->timeout = timeout;
        connections->now = now;
    }
    return connections;
}

void connections_free(struct connections *connections)
{
    if (connections != NULL) {
        (void)pthread_mutex_destroy(&connections->lock);
        free(connections);
    }
}

static time_t age(struct connections *connections, struct connection *connection)
{
    const time_t since = atomic_load_explicit(&connection->since, memory_order_relaxed);
    const time_t now = atomic_load_explicit(&connections->now, memory_order_relaxed);

    return now > since ? now - since : 0; /* a tick may have come in between */
}

static enum state state_of(struct connection *connection)
{
    return (enum state)atomic_load_explicit(&connection->state, memory_order_relaxed);
}

static void enter(struct connections *connections, struct connection *connection, enum state state)
{
    atomic_store_explicit(&connection->since,
                          atomic_load_explicit(&connections->now, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(&connection->state, (unsigned char)state, memory_order_relaxed);
}

static void cut(struct connections *connections, struct connection *connection)
{
    (void)shutdown(connection->fd, SHUT_RDWR);
    connection->is_cut = true;
    connections->count--;
}

/*
 * How dispensable a client is: the more the longer he has asked for nothing; of those of the same
 * second he who has said nothing yet more than he who is asking, and least who was answered.
 */
static unsigned long rank(struct connections *connections, struct connection *connection)
{
    static const unsigned long ranks[] = {[STATE_NEW] = 2, [STATE_BUSY] = 1, [STATE_IDLE] = 0};

    return 3 * (unsigned long)age(connections, connection) + ranks[state_of(connection)];
}

static void make_room(struct connections *connections)
{
    unsigned long highest = 0;
    size_t left = 1 + connections->limit / ROOM_BATCH;

    for (struct connection *c = connections->first; c != NULL; c = c->next) {
        if (!c->is_cut && rank(connections, c) > highest) {
            highest = rank(connections, c);
        }
    }
    for (struct connection *c = connections->first; c != NULL && left > 0; c = c->next) {
        if (!c->is_cut && rank(connections, c) >= highest) {
            cut(connections, c);
            left--;
        }
    }
}

struct connection *connections_opened(struct connections *connections, int fd)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL) {
        return NULL;
    }
    connection->fd = fd;
    enter(connections, connection, STATE_NEW);
    (void)pthread_mutex_lock(&connections->lock);
    if (connections->count >= connections->limit - connections->limit / ROOM_PART) {
        make_room(connections);
    }
    connection->previous = connections->last;
    *(connections->last != NULL ? &connections->last->next : &connections->first) = connection;
    connections->last = connection;
    connections->count++;
    (void)pthread_mutex_unlock(&connections->lock);
    return connection;
}

void connections_closed(struct connections *connections, struct connection *connection)
{
    struct connection *next;
    struct connection *previous;

    (void)pthread_mutex_lock(&connections->lock);
    next = connection->next;
    previous = connection->previous;
    *(previous != NULL ? &previous->next : &connections->first) = next;
    *(next != NULL ? &next->previous : &connections->last) = previous;
    connections->count -= connection->is_cut ? 0 : 1;
    (void)pthread_mutex_unlock(&connections->lock);
    free(connection);
}

void connection_begun(struct connections *connections, struct connection *connection)
{
    enter(connections, connection, STATE_BUSY);
}

void connection_ended(struct connections *connections, struct connection *connection)
{
    enter(connections, connection, STATE_IDLE);
}

void connections_tick(struct connections *connections, time_t now)
{
    atomic_store_explicit(&connections->now, now, memory_order_relaxed);
    (void)pthread_mutex_lock(&connections->lock);
    for (struct connection *c = connections->first; c != NULL; c = c->next) {
        if (!c->is_cut && age(connections, c) > (time_t)connections->timeout) {
            cut(connections, c);
        }
    }
    (void)pthread_mutex_unlock(&connections->lock);
}

bool connections_are_busy(struct connections *connections)
{
    bool busy = false;

    (void)pthread_mutex_lock(&connections->lock);
    for (struct connection *c = connections->first; c != NULL && !busy; c = c->next) {
        busy = !c->is_cut && (state_of(c) == STATE_BUSY ||
                              (state_of(c) == STATE_NEW && age(connections, c) <= 1));
    }
    (void)pthread_mutex_unlock(&connections->lock);
    return busy;
}
