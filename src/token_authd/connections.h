/*
 * The clients that are connected, and how long each may keep its place.
 *
 * A place is for those who ask. Who says nothing for `timeout` seconds, or takes so long from the
 * beginning of a request to its end, as who sends it drop by drop, is cut off. When seven of eight
 * places are taken, those are cut off first who have asked for nothing the longest, so that a flood of
 * them leaves room for others.
 *
 * Cutting off is a shutdown(2) of the socket: its owner sees its end and closes it.
 */
#ifndef TOKEN_AUTHD_CONNECTIONS_H
#define TOKEN_AUTHD_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct connections;
struct connection;

/*
 * `limit` is the number of places, `timeout` is in seconds, and so is `now`, of a clock that nobody
 * sets: nothing here reads one. NULL without memory.
 */
struct connections *connections_new(size_t limit, unsigned timeout, time_t now);

/* When all have closed. NULL is allowed. */
void connections_free(struct connections *connections);

/* The following may be called from several threads; those of one connection from one at a time. */

/* NULL without memory. The socket stays the caller's, open until connections_closed. */
struct connection *connections_opened(struct connections *connections, int fd);
void connections_closed(struct connections *connections, struct connection *connection);

/* A request begins to come in, and is answered or given up. Cost: no lock, no system call. */
void connection_begun(struct connections *connections, struct connection *connection);
void connection_ended(struct connections *connections, struct connection *connection);

/* To be called about once a second, with the same clock. Cuts off who is overdue. */
void connections_tick(struct connections *connections, time_t now);

/* Whether requests are under way, or clients came within the last second that have yet to ask. */
bool connections_are_busy(struct connections *connections);

#endif
