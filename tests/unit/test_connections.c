#include "test.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "token_authd/connections.h"

#define TIMEOUT 10
#define CLIENTS 400 /* in all of a test … */
#define FLOOD 120   /* … and at once: some systems allow 256 descriptors */

/* A client and its connection. */
struct client {
    struct connection *connection;
    int fd; /* the client's end */
    int server_fd;
};

static struct connections *connections;
static struct client clients[CLIENTS];
static size_t client_count;

static void begin(size_t limit)
{
    connections = connections_new(limit, TIMEOUT, 100);
    assert_non_null(connections);
    client_count = 0;
}

/* The number of the new client. */
static size_t come(void)
{
    struct client *client = &clients[client_count];
    int fds[2];

    assert_true(client_count < CLIENTS);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    client->fd = fds[0];
    client->server_fd = fds[1];
    client->connection = connections_opened(connections, fds[1]);
    assert_non_null(client->connection);
    return client_count++;
}

static void come_many(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)come();
    }
}

/* As a server does when it sees the end. */
static void go(size_t i)
{
    connections_closed(connections, clients[i].connection);
    (void)close(clients[i].server_fd);
    (void)close(clients[i].fd);
    clients[i].connection = NULL;
}

static int end(void **state)
{
    (void)state;
    for (size_t i = 0; i < client_count; i++) {
        if (clients[i].connection != NULL) {
            go(i);
        }
    }
    client_count = 0;
    connections_free(connections);
    connections = NULL;
    return 0;
}

static void ask(size_t i)
{
    connection_begun(connections, clients[i].connection);
    connection_ended(connections, clients[i].connection);
}

/* What the client sees. */
static bool is_cut(size_t i)
{
    char byte;
    const ssize_t got = recv(clients[i].fd, &byte, 1, MSG_DONTWAIT);

    assert_true(got == 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)));
    return got == 0;
}

static size_t count_cut(size_t from, size_t to)
{
    size_t count = 0;

    for (size_t i = from; i < to; i++) {
        count += is_cut(i) ? 1 : 0;
    }
    return count;
}

static void who_completes_no_request_is_cut(void **state)
{
    size_t silent;
    size_t slow;
    size_t answered;

    (void)state;
    begin(100);
    silent = come();
    slow = come();
    answered = come();
    ask(answered);
    connections_tick(connections, 105);
    connection_begun(connections, clients[slow].connection);
    connections_tick(connections, 110);
    assert_int_equal(count_cut(0, 3), 0); /* not before the time is over */
    connections_tick(connections, 111);
    assert_true(is_cut(silent));
    assert_true(is_cut(answered));
    assert_false(is_cut(slow));
    connections_tick(connections, 115);
    assert_false(is_cut(slow));
    connections_tick(connections, 116);
    assert_true(is_cut(slow));
    connections_tick(connections, 1000); /* nothing is left to be done */
}

static void who_asks_is_not_cut(void **state)
{
    size_t busy;
    size_t silent;

    (void)state;
    begin(100);
    busy = come();
    silent = come();
    for (time_t now = 100; now < 300; now += TIMEOUT) {
        connections_tick(connections, now);
        ask(busy);
        assert_false(is_cut(busy));
    }
    assert_true(is_cut(silent));
}

static void who_has_asked_for_nothing_the_longest_makes_room(void **state)
{
    (void)state;
    begin(16); /* two places are kept free */
    come_many(4);
    connections_tick(connections, 101);
    come_many(10);
    assert_int_equal(count_cut(0, client_count), 0);
    (void)come();
    assert_int_equal(count_cut(0, 4), 1);
    come_many(3);
    assert_int_equal(count_cut(0, 4), 4);
    assert_int_equal(count_cut(4, client_count), 0);
    connections_tick(connections, 102);
    ask(4);
    ask(9);
    come_many(12); /* the rest of 101 goes, but for those two */
    assert_false(is_cut(4));
    assert_false(is_cut(9));
    assert_int_equal(count_cut(5, 9) + count_cut(10, 18), 12);
    assert_int_equal(count_cut(18, client_count), 0);
}

static void those_who_ask_keep_their_places_in_a_flood(void **state)
{
    (void)state;
    begin(32);
    come_many(8);
    for (size_t i = 8; i < CLIENTS; i++) {
        for (size_t asking = 0; asking < 8; asking++) {
            ask(asking);
        }
        (void)come();
        assert_int_equal(count_cut(0, 8), 0);
        assert_false(is_cut(i)); /* who comes has a place */
        for (size_t gone = 8; gone < i; gone++) {
            if (clients[gone].connection != NULL && is_cut(gone)) {
                go(gone);
            }
        }
        if (i % 50 == 0) {
            connections_tick(connections, 100 + (time_t)i / 50);
        }
    }
}

static void who_is_busy_is_cut_after_those_who_have_said_nothing(void **state)
{
    size_t busy;

    (void)state;
    begin(80);
    busy = come();
    connection_begun(connections, clients[busy].connection);
    come_many(69); /* all in the same second */
    assert_int_equal(count_cut(0, client_count), 0);
    (void)come();
    assert_int_equal(count_cut(0, client_count), 2);
    come_many(40);
    assert_false(is_cut(busy));
}

/* Those that are cut count no more, though it may take a while until their owners close them. */
static void never_are_there_more_than_the_limit(void **state)
{
    (void)state;
    begin(64);
    for (size_t i = 0; i < FLOOD; i++) {
        (void)come();
        assert_true(client_count - count_cut(0, client_count) <= 64);
    }
    for (size_t i = 0; i < FLOOD; i++) {
        go(i);
    }
    /* All places are free again, each once. */
    client_count = 0;
    come_many(56);
    assert_int_equal(count_cut(0, 56), 0);
    (void)come();
    assert_true(count_cut(0, 57) > 0);
}

/* So that not every newcomer has to look at all the others; the more places there are, the more. */
static void room_is_made_for_several_at_once(void **state)
{
    (void)state;
    begin(80);
    come_many(70);
    assert_int_equal(count_cut(0, client_count), 0);
    (void)come();
    assert_int_equal(count_cut(0, 2), 2); /* those who came first */
    assert_int_equal(count_cut(2, client_count), 0);
    (void)come();
    assert_int_equal(count_cut(2, client_count), 0); /* that room is used first */
    (void)come();
    assert_int_equal(count_cut(2, 4), 2);
    assert_int_equal(count_cut(4, client_count), 0);
}

static void places_are_given_back_in_any_order(void **state)
{
    static const size_t orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 2, 0, 3},
                                       {2, 1, 3, 0}, {0, 3, 1, 2}, {3, 0, 2, 1}};

    (void)state;
    begin(16);
    for (size_t o = 0; o < COUNT(orders); o++) {
        client_count = 0;
        come_many(4);
        for (size_t i = 0; i < 4; i++) {
            go(orders[o][i]);
            connections_tick(connections, 100);
            CHECK_ROW(o, connections_are_busy(connections) == (i < 3));
        }
    }
    client_count = 0;
    come_many(14);
    assert_int_equal(count_cut(0, 14), 0);
    (void)come();
    assert_true(count_cut(0, 15) > 0);
}

static void who_is_busy_is_seen(void **state)
{
    size_t first;
    size_t second;

    (void)state;
    begin(16);
    assert_false(connections_are_busy(connections));
    first = come();
    assert_true(connections_are_busy(connections)); /* may ask any moment */
    connections_tick(connections, 101);
    assert_true(connections_are_busy(connections));
    connections_tick(connections, 102);
    assert_false(connections_are_busy(connections));
    connection_begun(connections, clients[first].connection);
    assert_true(connections_are_busy(connections));
    connections_tick(connections, 110);
    assert_true(connections_are_busy(connections)); /* as long as it takes */
    connection_ended(connections, clients[first].connection);
    assert_false(connections_are_busy(connections));
    second = come();
    connection_begun(connections, clients[first].connection);
    connection_ended(connections, clients[first].connection);
    assert_true(connections_are_busy(connections));
    connection_begun(connections, clients[second].connection);
    connections_tick(connections, 121);
    assert_true(is_cut(second));
    assert_false(connections_are_busy(connections)); /* who is cut is waited for no more */
    go(second);
    assert_false(connections_are_busy(connections));
}

static void nothing_is_freed_without_harm(void **state)
{
    (void)state;
    connections_free(NULL);
    begin(1);
    assert_false(connections_are_busy(connections));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(who_completes_no_request_is_cut, end),
        cmocka_unit_test_teardown(who_asks_is_not_cut, end),
        cmocka_unit_test_teardown(who_has_asked_for_nothing_the_longest_makes_room, end),
        cmocka_unit_test_teardown(those_who_ask_keep_their_places_in_a_flood, end),
        cmocka_unit_test_teardown(who_is_busy_is_cut_after_those_who_have_said_nothing, end),
        cmocka_unit_test_teardown(never_are_there_more_than_the_limit, end),
        cmocka_unit_test_teardown(room_is_made_for_several_at_once, end),
        cmocka_unit_test_teardown(places_are_given_back_in_any_order, end),
        cmocka_unit_test_teardown(who_is_busy_is_seen, end),
        cmocka_unit_test_teardown(nothing_is_freed_without_harm, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
