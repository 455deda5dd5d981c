#include "token_authd/http.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "token_authd/complaints.h"
#include "token_authd/connections.h"
#include "token_authd/request_head.h"

#include "base/banned.h"

/*
 * What libmicrohttpd may use for one request. It takes one half for the head, which here is more than
 * the largest head that we take: so there is always room for the head of the answer. In the other half
 * it notes each header; when that is full, it answers 431 itself.
 */
#define REQUEST_MEMORY ((size_t)40 * 1024)
#define READY_SLOTS 1024 /* answers that a thread keeps ready */
#define READY_LIMIT 1024 /* bytes of fields of such an answer */
#define STUCK_ROUNDS 250 /* in which work was left, and no request came further */
#define STUCK_WAIT_MS 10
#define ENDING_WAIT_MS 10
#define ARGUMENTS_LIMIT \
    300 /* of a query; libmicrohttpd has room for these, whatever else is sent */

struct fields {
    struct token_verifier_header *items;
    size_t count;
    size_t capacity;
    bool failed; /* for want of memory */
};

/* An answer kept ready, known by its fields. */
struct ready {
    struct MHD_Response *response;
    char *fields;
    size_t size;
};

/* A thread that answers, with clients of its own, and what it uses again for each request. */
struct worker {
    struct http_server *server;
    struct MHD_Daemon *daemon;
    int listen_fd; /* a copy of the caller's; libmicrohttpd's own until it stops accepting */
    int epoll_fd;  /* libmicrohttpd's; -1 where that has a thread and a way to wait of its own */
    pthread_t thread;
    bool has_thread;
    _Atomic bool has_quiesced; /* takes no new clients any more */
    unsigned rounds;           /* since a request came further */
    bool has_room;             /* more than before */
    struct fields headers;
    struct fields arguments;
    struct http_answer answer;
    struct ready ready[READY_SLOTS];
};

struct http_server {
    struct http_options options;
    struct worker *workers; /* options.threads of them */
    int wake_fds[2];        /* a pipe: when its second end is closed, the threads look up */
    struct connections *connections;
    struct complaints complaints;
    bool looks_for_gaps;
    _Atomic bool is_ending;
    _Atomic bool is_over;
};

static void ready_clear(struct ready *ready)
{
    if (ready->response != NULL) {
        MHD_destroy_response(ready->response);
    }
    free(ready->fields);
    *ready = (struct ready){.response = NULL};
}

static void worker_clear(struct worker *worker)
{
    for (size_t i = 0; i < READY_SLOTS; i++) {
        ready_clear(&worker->ready[i]);
    }
    free(worker->headers.items);
    free(worker->arguments.items);
    buffer_clear(&worker->answer.fields);
    buffer_clear(&worker->answer.body);
}

void http_answer_field(struct http_answer *answer, const char *name, const char *value)
{
    buffer_append(&answer->fields, name, strlen(name) + 1);
    buffer_append(&answer->fields, value, strlen(value) + 1);
}

static enum MHD_Result take_field(void *context, enum MHD_ValueKind kind, const char *name,
                                  size_t name_size, const char *value, size_t value_size)
{
    struct fields *fields = context;

    (void)kind;
    if (fields->count == fields->capacity) {
        struct token_verifier_header *items =
            array_grow(fields->items, &fields->capacity, sizeof(*items));

        if (items == NULL) {
            fields->failed = true;
            return MHD_NO;
        }
        fields->items = items;
    }
    fields->items[fields->count++] = (struct token_verifier_header){
        .name = name, .name_size = name_size, .value = value, .value_size = value_size};
    return MHD_YES;
}

static bool take_fields(struct MHD_Connection *mhd, enum MHD_ValueKind kind, struct fields *fields)
{
    fields->count = 0;
    fields->failed = false;
    (void)MHD_get_connection_values_n(mhd, kind, take_field, fields);
    return !fields->failed;
}

static struct MHD_Response *build_response(const struct http_answer *answer, bool is_last)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->body.size, answer->body.bytes, MHD_RESPMEM_MUST_COPY);
    const char *name = answer->fields.bytes;
    const char *end = name + answer->fields.size;
    bool complete = response != NULL;

    while (complete && name < end) {
        const char *value = name + strlen(name) + 1;

        complete = MHD_add_response_header(response, name, value) == MHD_YES;
        name = value + strlen(value) + 1;
    }
    if (complete && is_last) {
        complete =
            MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
    }
    if (response != NULL && !complete) {
        MHD_destroy_response(response);
        return NULL;
    }
    return response;
}

/* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash(const char *bytes, size_t size)
{
    uint64_t h = 14695981039346656037U;

    for (size_t i = 0; i < size; i++) {
        h = (h ^ (unsigned char)bytes[i]) * 1099511628211U;
    }
    return h;
}

/* The response for an answer that comes again, from those kept ready or put there. Borrowed. */
static struct MHD_Response *find_ready(struct worker *worker, const struct http_answer *answer)
{
    const struct buffer *fields = &answer->fields;
    struct ready *ready = &worker->ready[hash(fields->bytes, fields->size) % READY_SLOTS];

    if (ready->response != NULL && ready->size == fields->size &&
        memcmp(ready->fields, fields->bytes, fields->size) == 0) {
        return ready->response;
    }
    ready_clear(ready);
    ready->fields = malloc(fields->size);
    if (ready->fields == NULL) {
        return NULL;
    }
    memcpy(ready->fields, fields->bytes, fields->size);
    ready->size = fields->size;
    ready->response = build_response(answer, false);
    return ready->response;
}

static enum MHD_Result send_answer(struct MHD_Connection *mhd, struct worker *worker)
{
    struct http_server *server = worker->server;
    const struct http_answer *answer = &worker->answer;
    struct MHD_Response *response;
    enum MHD_Result result;

    if (answer->status == 0 || answer->fields.failed || answer->body.failed) {
        return MHD_NO; /* which closes the connection */
    }
    if (answer->comes_again && !answer->ends && answer->body.size == 0 &&
        answer->fields.size <= READY_LIMIT &&
        !atomic_load_explicit(&server->is_ending, memory_order_relaxed)) {
        response = find_ready(worker, answer);
        return response != NULL ? MHD_queue_response(mhd, answer->status, response) : MHD_NO;
    }
    response = build_response(answer, answer->ends || atomic_load(&server->is_ending));
    if (response == NULL) {
        return MHD_NO;
    }
    result = MHD_queue_response(mhd, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static void begin_answer(struct http_answer *answer)
{
    answer->status = 0;
    answer->comes_again = false;
    answer->ends = false;
    answer->fields.size = 0;
    answer->fields.failed = false;
    buffer_clear(&answer->body);
}

/* Whether the library that runs is one of those that request_head_has_gaps tells of. */
static bool leaves_gaps(void)
{
    const char *version = MHD_get_version();

    return strncmp(version, "0.9.", 4) == 0 && strtoul(version + 4, NULL, 10) <= 76;
}

/* Whether other servers might take it for another request, or more than one. */
static bool is_broken(const struct http_server *server, const struct request_head *head)
{
    return head->target_end == NULL || !request_head_is_word(head->method) ||
           !request_head_is_sound(head->version, head->headers, head->header_count) ||
           (server->looks_for_gaps && request_head_has_gaps(head));
}

/* What follows a chunked body is not answered: too many servers differ in where such a body ends. */
static bool is_last(const struct request_head *head)
{
    return request_head_find(head->headers, head->header_count,
                             MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
}

static enum MHD_Result answer_request(struct worker *worker, struct MHD_Connection *mhd,
                                      const struct request_head *head, bool is_broken_head)
{
    const struct http_options *options = &worker->server->options;
    const struct http_request request = {.method = head->method,
                                         .path = head->path,
                                         .head_size = head->size,
                                         .is_broken = is_broken_head,
                                         .headers = head->headers,
                                         .header_count = head->header_count,
                                         .arguments = worker->arguments.items,
                                         .argument_count = worker->arguments.count};

    begin_answer(&worker->answer);
    worker->answer.ends = is_last(head);
    options->answer(options->context, &request, &worker->answer);
    return send_answer(mhd, worker);
}

/* NULL if there was no memory for it. */
static struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

/* Who asks whether to send a body need not. */
static bool waits_for_leave(const struct request_head *head)
{
    return request_head_find(head->headers, head->header_count, MHD_HTTP_HEADER_EXPECT) != NULL;
}

/*
 * Called for the head, then for each piece of a body, and at the end. A broken head is answered at once,
 * which closes the connection behind it; at first `*progress` is what begin_request returned.
 */
static enum MHD_Result handle(void *context, struct MHD_Connection *mhd, const char *path,
                              const char *method, const char *version, const char *body,
                              size_t *body_size, void **progress)
{
    static char head_was_read;
    struct worker *worker = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct request_head head = {
        .method = method, .path = path, .target_end = *progress, .version = version};
    const bool is_first = *progress != &head_was_read;
    bool is_broken_head;

    (void)body;
    worker->rounds = 0;
    if (connection_of(mhd) == NULL || info == NULL) {
        return MHD_NO;
    }
    if (*body_size > 0) {
        *body_size = 0;
        return MHD_YES;
    }
    if (!take_fields(mhd, MHD_HEADER_KIND, &worker->headers) ||
        !take_fields(mhd, MHD_GET_ARGUMENT_KIND, &worker->arguments)) {
        return MHD_NO;
    }
    head.size = info->header_size;
    head.headers = worker->headers.items;
    head.header_count = worker->headers.count;
    is_broken_head = is_first && is_broken(worker->server, &head);
    *progress = &head_was_read;
    if (is_first && !is_broken_head && !waits_for_leave(&head)) {
        return MHD_YES;
    }
    return answer_request(worker, mhd, &head, is_broken_head);
}

/*
 * libmicrohttpd notes each argument of a query, and where it has no room for them, it queues an answer that
 * it never sends, and the client waits. So this one is sent past it.
 */
static void turn_away_long_query(struct MHD_Connection *mhd, const char *target)
{
    static const char answer[] =
        "HTTP/1.1 414 URI Too Long\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    size_t count = 0;

    for (; *target != '\0'; target++) {
        count += *target == '&';
    }
    if (count >= ARGUMENTS_LIMIT && info != NULL) {
        (void)!send(info->connect_fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)shutdown(info->connect_fd, SHUT_RDWR);
    }
}

/* The request line was read. Returns where its target ends, before that is decoded; NULL if it is none. */
static void *begin_request(void *context, const char *target, struct MHD_Connection *mhd)
{
    struct http_server *server = context;
    struct connection *connection = connection_of(mhd);

    if (connection != NULL) {
        connection_begun(server->connections, connection);
    }
    if (target != NULL) {
        turn_away_long_query(mhd, target);
    }
    return target != NULL && request_head_is_word(target) ? (void *)(target + strlen(target))
                                                          : NULL;
}

static void end_request(void *context, struct MHD_Connection *mhd, void **progress,
                        enum MHD_RequestTerminationCode code)
{
    struct http_server *server = context;
    struct connection *connection = connection_of(mhd);

    (void)progress;
    (void)code;
    if (connection != NULL) {
        connection_ended(server->connections, connection);
    }
}

static void note_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
    struct worker *worker = context;
    struct http_server *server = worker->server;

    worker->has_room = worker->has_room || code == MHD_CONNECTION_NOTIFY_CLOSED;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

        *socket_context =
            info != NULL ? connections_opened(server->connections, info->connect_fd) : NULL;
    } else if (*socket_context != NULL) {
        connections_closed(server->connections, *socket_context);
        *socket_context = NULL;
    }
}

static void quiesce(struct worker *worker)
{
    if (worker->daemon != NULL && !worker->has_quiesced) {
        worker->listen_fd = MHD_quiesce_daemon(worker->daemon);
        worker->has_quiesced = true;
    }
}

/* Looks up after the pipe was closed; from then on there is only the clock to tell of the end. */
static void look_up(struct worker *worker, struct pollfd *pipe_end)
{
    if (pipe_end->revents != 0) {
        /* By nobody else: libmicrohttpd would stop the whole process if it was just doing so itself. */
        quiesce(worker);
        pipe_end->fd = -1;
        pipe_end->revents = 0;
    }
}

/*
 * Waits and lets libmicrohttpd work, until the end. It could wait itself, but up to 1.0.1 it waits again,
 * for something else, with 128 events in hand and none of them looked at: 128 clients who ask at once, and
 * then wait for the answer, would all wait until one more comes.
 *
 * Before each wait it has to be run until nobody leaves: where all places were taken, it looks for new
 * clients from then on. And there is always work left for it with a client whose chunk has a size line
 * that is longer than its memory. While there is nothing else to do until that client is overdue, it is
 * looked at less often.
 */
static void *work(void *context)
{
    struct worker *worker = context;
    struct http_server *server = worker->server;
    struct pollfd fds[] = {{.fd = worker->epoll_fd, .events = POLLIN},
                           {.fd = server->wake_fds[0], .events = POLLIN}};

    while (!atomic_load_explicit(&server->is_over, memory_order_relaxed)) {
        MHD_UNSIGNED_LONG_LONG limit; /* 0 */

        if (worker->has_room) {
            worker->has_room = false;
        } else if (MHD_get_timeout(worker->daemon, &limit) != MHD_YES) {
            worker->rounds = 0;
            (void)poll(fds, sizeof(fds) / sizeof(fds[0]),
                       worker->has_quiesced ? ENDING_WAIT_MS : -1);
        } else if (++worker->rounds > STUCK_ROUNDS) {
            (void)poll(fds, sizeof(fds) / sizeof(fds[0]), STUCK_WAIT_MS);
        } else if (atomic_load_explicit(&server->is_ending, memory_order_relaxed)) {
            (void)poll(fds, sizeof(fds) / sizeof(fds[0]), 0);
        }
        look_up(worker, &fds[1]);
        (void)MHD_run(worker->daemon);
    }
    return NULL;
}

static struct MHD_Daemon *start_daemon(struct worker *worker, unsigned mode, int listen_fd,
                                       unsigned connections)
{
    struct http_server *server = worker->server;

    return MHD_start_daemon(
        mode | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle, worker,
        MHD_OPTION_EXTERNAL_LOGGER, complaints_note, &server->complaints, MHD_OPTION_LISTEN_SOCKET,
        listen_fd, MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        REQUEST_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_URI_LOG_CALLBACK, begin_request, server, MHD_OPTION_NOTIFY_COMPLETED,
        end_request, server, MHD_OPTION_NOTIFY_CONNECTION, note_connection, worker, MHD_OPTION_END);
}

/* With its part of the places, and a copy of the listening socket. */
static bool start_worker(struct worker *worker, unsigned number)
{
    const struct http_options *options = &worker->server->options;
    const bool waits_itself = MHD_is_feature_supported(MHD_FEATURE_EPOLL) != MHD_YES;
    const size_t places = options->connections / options->threads +
                          (number < options->connections % options->threads ? 1 : 0);
    const int listen_fd = fcntl(options->listen_fd, F_DUPFD_CLOEXEC, 0);

    worker->epoll_fd = -1;
    if (listen_fd < 0) {
        return false;
    }
    /* It closes the copy at its end, and if it cannot begin. */
    worker->daemon =
        start_daemon(worker, waits_itself ? MHD_USE_AUTO_INTERNAL_THREAD : MHD_USE_EPOLL, listen_fd,
                     (unsigned)places);
    if (worker->daemon == NULL || waits_itself) {
        return worker->daemon != NULL;
    }
    worker->epoll_fd = MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    worker->has_thread = pthread_create(&worker->thread, NULL, work, worker) == 0;
    return worker->has_thread;
}

enum status http_start(struct http_server **out, const struct http_options *options,
                       struct error *error)
{
    struct http_server *server = calloc(1, sizeof(*server));

    *out = NULL;
    if (server == NULL) {
        return error_no_memory(error);
    }
    server->options = *options;
    server->wake_fds[0] = server->wake_fds[1] = -1;
    server->looks_for_gaps = leaves_gaps();
    complaints_init(&server->complaints);
    server->connections = connections_new(options->connections, options->timeout, options->now);
    server->workers = calloc(options->threads, sizeof(*server->workers));
    if (server->connections == NULL || server->workers == NULL) {
        http_stop(server);
        return error_no_memory(error);
    }
    if (pipe(server->wake_fds) != 0 || fcntl(server->wake_fds[0], F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(server->wake_fds[1], F_SETFD, FD_CLOEXEC) != 0) {
        const int cause = errno;

        http_stop(server);
        return error_set_errno(error, STATUS_FAILED, cause, "cannot make a pipe");
    }
    for (unsigned i = 0; i < options->threads; i++) {
        server->workers[i].server = server;
        if (!start_worker(&server->workers[i], i)) {
            http_stop(server);
            return error_set(error, STATUS_FAILED,
                             "libmicrohttpd cannot start %u threads; give a smaller --threads",
                             options->threads);
        }
    }
    *out = server;
    return STATUS_OK;
}

void http_tick(struct http_server *server, time_t now)
{
    char complaint[COMPLAINT_SIZE];
    size_t count;

    connections_tick(server->connections, now);
    count = complaints_take(&server->complaints, complaint);
    if (count > 0) {
        server->options.complain(server->options.context, complaint, count);
    }
}

void http_stop_accepting(struct http_server *server)
{
    const struct timespec nap = {0, 1000000};

    if (atomic_exchange(&server->is_ending, true)) {
        return;
    }
    for (unsigned i = 0; i < server->options.threads; i++) {
        if (!server->workers[i].has_thread) {
            quiesce(&server->workers[i]);
        }
    }
    (void)close(server->wake_fds[1]); /* the others do it themselves … */
    for (unsigned i = 0; i < server->options.threads; i++) {
        while (!server->workers[i].has_quiesced && server->workers[i].has_thread) {
            (void)nanosleep(&nap, NULL); /* … before the caller may touch the socket */
        }
    }
}

bool http_is_busy(struct http_server *server)
{
    return connections_are_busy(server->connections);
}

static void stop_worker(struct worker *worker)
{
    if (worker->has_thread) {
        (void)pthread_join(worker->thread, NULL);
    }
    if (worker->daemon != NULL) {
        quiesce(worker); /* if it did not come to that */
        MHD_stop_daemon(worker->daemon);
        (void)close(worker->listen_fd);
    }
    worker_clear(worker);
}

void http_stop(struct http_server *server)
{
    if (server == NULL) {
        return;
    }
    if (server->workers != NULL) {
        http_stop_accepting(server);
        atomic_store(&server->is_over, true);
        for (unsigned i = 0; i < server->options.threads; i++) {
            stop_worker(&server->workers[i]);
        }
        (void)close(server->wake_fds[0]);
        free(server->workers);
    }
    connections_free(server->connections);
    complaints_clear(&server->complaints);
    free(server);
}
