/*
 * Sends requests of every shape, and sees that each gets the answers that it should:
 *
 *     http_shapes PORT GOOD BAD STRIDE <TABLE
 *
 * GOOD is a token that is let in, BAD one that is not. The server has one thread. For the table, see
 * http_table.h; in it,
 *
 * ANSWERS are what comes back until nothing more does, in their order:
 *
 *     key        the verdict on {KEY}: 200, or 401
 *     next       the verdict on {NEXT}
 *     401 …      that status
 *     close      the connection is closed; where this is not said, it is open
 *     refused    alone: 4xx or 5xx and close, or just that
 *     waits      alone: nothing, and it is open
 *     … or …     either of these
 *
 * Each line is sent with either of the tokens as {KEY}: whole, in two pieces cut at every STRIDE-th byte,
 * and byte by byte. Long ones are cut near their ends only. At the end it says how much that was.
 *
 * With 0 for STRIDE each is sent whole, each half closed behind it, to whatever listens there, and what
 * comes back is for others to judge.
 */
#include <poll.h>

#include "http_table.h"
#include "http_wire.h"

#define BATCH 450       /* connections at a time … */
#define PROXY_BATCH 100 /* … where each takes three of them */
#define LIMIT_MS 5000   /* for an answer that nobody judges */

/* One way to send a row. */
struct attempt {
    const struct row *row;
    struct buffer bytes;
    bool with_good;
};

static unsigned port;
static int health;
static struct attempt attempts[BATCH];
static struct exchange exchanges[BATCH];
static size_t attempt_count;
static unsigned long sent_count;
static unsigned long wrong_count;

/* Writes what came back as ANSWERS are written, but with statuses alone. */
static void describe(const struct exchange *exchange, char *text, size_t size)
{
    size_t at = 0;
    struct answer answer = {0};
    bool any = false;

    *text = '\0';
    while (at < exchange->got.size && !answer.closes) {
        const size_t length =
            next_answer(exchange->got.bytes + at, exchange->got.size - at, false, &answer);

        if (length == 0) {
            break;
        }
        at += length;
        any = true;
        (void)snprintf(text + strlen(text), size - strlen(text), "%u%s ", answer.status,
                       (answer.status == 200) == (answer.id[0] != '\0') ? "" : "?");
    }
    /* It repeats itself behind some of its refusals, but nobody is let in there. */
    if (at < exchange->got.size && (!answer.closes || answer.status == 200 ||
                                    strstr(exchange->got.bytes + at, "X-Token-Id") != NULL)) {
        (void)snprintf(text + strlen(text), size - strlen(text), "more ");
    }
    (void)snprintf(text + strlen(text), size - strlen(text), "%s",
                   exchange->is_over ? "close"
                   : any             ? ""
                                     : "waits");
    if (text[0] != '\0' && text[strlen(text) - 1] == ' ') {
        text[strlen(text) - 1] = '\0';
    }
}

/* ANSWERS, or one of several, in the same way. Returns where the next begin; NULL behind the last. */
static const char *describe_wanted(const char *answers, bool good, char *text, size_t size)
{
    *text = '\0';
    while (*answers != '\0') {
        const size_t length = strcspn(answers, " ");
        const bool is_key = strncmp(answers, "key", length) == 0;
        const bool is_next = strncmp(answers, "next", length) == 0;
        const char *word = is_key == good ? "200" : "401";

        if (strncmp(answers, "or ", 3) == 0) {
            return answers + 3;
        }
        (void)snprintf(text + strlen(text), size - strlen(text), "%s%.*s", *text != '\0' ? " " : "",
                       is_key || is_next ? 3 : (int)length, is_key || is_next ? word : answers);
        answers += length;
        answers += strspn(answers, " ");
    }
    return NULL;
}

static bool is_refusal(const char *got)
{
    return strcmp(got, "close") == 0 ||
           ((got[0] == '4' || got[0] == '5') && strlen(got) == strlen("400 close") &&
            strcmp(got + 3, " close") == 0);
}

static void judge(const struct attempt *attempt, const struct exchange *exchange)
{
    const char *answers = attempt->row->answers;
    char got[1024];
    bool right = false;

    describe(exchange, got, sizeof(got));
    while (answers != NULL && !right) {
        char wanted[1024];

        answers = describe_wanted(answers, attempt->with_good, wanted, sizeof(wanted));
        right = strcmp(wanted, "refused") == 0 ? is_refusal(got) : strcmp(got, wanted) == 0;
    }
    sent_count++;
    if (!right) {
        wrong_count++;
        (void)printf("wrong: %s, with the %s token, %zu bytes first and %zu at a time: got '%s' "
                     "instead of '%s'\n",
                     attempt->row->name, attempt->with_good ? "good" : "bad", exchange->first,
                     exchange->step, got, attempt->row->answers);
    }
}

static void run_batch(void)
{
    for (size_t i = 0; i < attempt_count; i++) {
        exchanges[i].bytes = attempts[i].bytes.bytes;
        exchanges[i].size = attempts[i].bytes.size;
    }
    exchange_all(port, health, exchanges, attempt_count);
    for (size_t i = 0; i < attempt_count; i++) {
        judge(&attempts[i], &exchanges[i]);
    }
    attempt_count = 0;
}

/* Sends what is to be sent and reads until all are over, or the limit is reached. */
static void send_batch(void)
{
    struct pollfd fds[BATCH];
    size_t left = attempt_count;

    for (size_t i = 0; i < attempt_count; i++) {
        exchanges[i].bytes = attempts[i].bytes.bytes;
        exchanges[i].size = attempts[i].bytes.size;
        exchanges[i].sent = 0;
        exchanges[i].got.size = 0;
        exchanges[i].is_over = false;
        exchanges[i].fd = dial(port);
        fds[i] = (struct pollfd){.fd = exchanges[i].fd, .events = POLLIN | POLLOUT};
    }
    while (left > 0 && poll(fds, attempt_count, LIMIT_MS) > 0) {
        left = 0;
        for (size_t i = 0; i < attempt_count; i++) {
            struct exchange *exchange = &exchanges[i];

            (void)say(exchange, exchange->size);
            if (exchange->sent == exchange->size && (fds[i].events & POLLOUT) != 0) {
                (void)shutdown(exchange->fd, SHUT_WR);
                fds[i].events = POLLIN;
            }
            (void)hear(exchange->fd, &exchange->got, &exchange->is_over);
            fds[i].fd = exchange->is_over ? -1 : exchange->fd;
            left += exchange->is_over ? 0 : 1;
        }
    }
    for (size_t i = 0; i < attempt_count; i++) {
        drop(exchanges[i].fd);
    }
    sent_count += attempt_count;
    attempt_count = 0;
}

static void add_attempt(const struct row *row, bool good, size_t first, size_t step)
{
    struct attempt *attempt = &attempts[attempt_count];

    attempt->row = row;
    attempt->with_good = good;
    expand(&attempt->bytes, row->bytes, good);
    exchanges[attempt_count].first = first;
    exchanges[attempt_count].step = step;
    if (++attempt_count == BATCH) {
        run_batch();
    }
}

/* The sizes of the first piece start elsewhere with each row, so that rows are cut everywhere. */
static void add_cuts(const struct row *row, bool good, size_t size, size_t begin, size_t stride)
{
    for (size_t cut = 1 + begin % stride; cut < size; cut += stride) {
        if (size <= LONG || cut < LONG / 4 || size - cut < LONG / 4) {
            add_attempt(row, good, cut, 0);
        }
    }
}

static size_t size_of(const struct row *row, bool good)
{
    struct buffer bytes = {0};
    size_t size;

    expand(&bytes, row->bytes, good);
    size = bytes.size;
    buffer_clear(&bytes);
    return size;
}

static void send_in_all_ways(const struct row *rows, size_t count, size_t stride)
{
    health = dial_health(port);
    for (size_t i = 0; i < 2 * count; i++) {
        add_attempt(&rows[i / 2], i % 2 == 0, 0, 0);
    }
    run_batch();
    for (size_t i = 0; i < 2 * count; i++) {
        if (size_of(&rows[i / 2], i % 2 == 0) <= LONG) {
            add_attempt(&rows[i / 2], i % 2 == 0, 1, 1);
        }
    }
    run_batch();
    for (size_t i = 0; i < 4 * count; i++) {
        const bool wants_long = i >= 2 * count; /* apart, for they take more time */
        const struct row *row = &rows[i % (2 * count) / 2];
        const size_t size = size_of(row, i % 2 == 0);

        if ((size > LONG) == wants_long) {
            add_cuts(row, i % 2 == 0, size, i, stride);
        }
    }
    run_batch();
}

static void send_only(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < 2 * count; i++) {
        add_attempt(&rows[i / 2], i % 2 == 0, 0, 0);
        if (attempt_count == PROXY_BATCH) {
            send_batch();
        }
    }
    send_batch();
}

int main(int argc, char **argv)
{
    static struct row rows[ROWS];
    const size_t stride = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    size_t count;

    if (argc != 5) {
        (void)fprintf(stderr, "usage: http_shapes PORT GOOD BAD STRIDE <TABLE\n");
        return 2;
    }
    port = (unsigned)strtoul(argv[1], NULL, 10);
    tokens[true] = argv[2];
    tokens[false] = argv[3];
    count = read_rows(rows);
    if (stride > 0) {
        send_in_all_ways(rows, count, stride);
    } else {
        send_only(rows, count);
    }
    (void)printf("%zu shapes sent %lu times, %lu wrong answers\n", count, sent_count, wrong_count);
    for (size_t i = 0; i < BATCH; i++) {
        buffer_clear(&attempts[i].bytes);
        buffer_clear(&exchanges[i].got);
    }
    for (size_t i = 0; i < count; i++) {
        free(rows[i].answers);
    }
    return wrong_count == 0 ? 0 : 1;
}
