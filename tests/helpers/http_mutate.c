/*
 * Sends requests that were changed at random, and sees that nobody is let in who should not be:
 *
 *     http_mutate PORT GOOD BAD SEED COUNT <TABLE
 *
 * The table is that of http_shapes, whose ANSWERS are not looked at. What may be answered to the changed
 * bytes, a second reading of them tells, which is written from RFC 9112 and knows nothing of the server:
 * strict, but for what the table says is harmless. The n-th answer may let somebody in only if the n-th
 * request by that reading has the good credential, and has to if that request has nothing unusual. So
 * wherever something malformed comes, what is behind it must not be let in.
 */
#include "http_table.h"
#include "http_wire.h"

#define BATCH 450
#define REQUESTS 16 /* of one exchange, that are looked at */
#define CHANGES 4
#define PLAIN_HEAD ((size_t)4096) /* bytes, of a head without anything unusual */

/* One line, without its end. */
struct line {
    const char *text;
    size_t size;
    bool is_bare; /* ended by a line feed alone */
    bool is_odd;  /* or with NUL for the carriage return */
};

/* A request as it is read here. */
struct reading {
    bool is_good;  /* it has the good credential */
    bool is_plain; /* and nothing that the server may refuse or answer in another way */
    bool is_head;  /* HEAD */
};

struct readings {
    struct reading items[REQUESTS];
    size_t count;
};

/* What is known of a head while its headers are read. */
struct head {
    struct reading reading;
    struct line credentials[4]; /* of each source; text NULL if there is none */
    unsigned hosts;
    unsigned lengths;
    unsigned codings;
    uint64_t length;
    bool is_old; /* HTTP/1.0 */
    bool is_last;
    bool ends_in_nul; /* its last value so far, with one NUL that was not looked at */
};

static const char *const sources[] = {"Authorization", "X-Api-Key", "X-Auth-Token", "Api-Key"};

static unsigned port;
static int health;
static struct exchange exchanges[BATCH];
static struct buffer changed[BATCH];
static unsigned long let_in_count;
static unsigned long answer_count;
static unsigned long wrong_count;

static bool take_line(const char **at, const char *end, struct line *line)
{
    const char *feed = memchr(*at, '\n', (size_t)(end - *at));

    if (feed == NULL) {
        return false;
    }
    line->text = *at;
    line->size = (size_t)(feed - *at);
    line->is_bare = line->size == 0 || line->text[line->size - 1] != '\r';
    line->is_odd = line->is_bare && line->size > 0 && line->text[line->size - 1] == '\0';
    line->is_bare = line->is_bare && !line->is_odd;
    line->size -= line->is_bare ? 0 : 1;
    *at = feed + 1;
    return true;
}

static bool is_text(const struct line *line, const char *text)
{
    return line->size == strlen(text) && text_equal_nocase(line->text, text, line->size);
}

/* Nothing but visible characters, and bytes above. */
static bool is_word(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f) {
            return false;
        }
    }
    return size > 0;
}

static bool read_request_line(struct head *head, const struct line *line)
{
    static const char version[] = "HTTP/1.";
    const char *end = line->text + line->size;
    const char *target = memchr(line->text, ' ', line->size);
    const char *last = target != NULL ? memchr(target + 1, ' ', (size_t)(end - target - 1)) : NULL;

    if (last == NULL || !is_word(line->text, (size_t)(target - line->text)) ||
        !is_word(target + 1, (size_t)(last - target - 1)) ||
        (size_t)(end - last - 1) != strlen(version) + 1 ||
        strncmp(last + 1, version, strlen(version)) != 0 || end[-1] < '0' || end[-1] > '9') {
        return false;
    }
    head->is_old = end[-1] == '0';
    head->reading.is_head = strncmp(line->text, "HEAD ", 5) == 0;
    head->reading.is_plain = end[-1] == '1' && (size_t)(last - target - 1) == strlen("/verify") &&
                             strncmp(target + 1, "/verify", strlen("/verify")) == 0;
    return true;
}

static bool is_name(const struct line *name)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < name->size; i++) {
        const char c = name->text[i];
        const char small = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;

        if ((small < 'a' || small > 'z') && (c < '0' || c > '9') &&
            (c == '\0' || strchr(others, c) == NULL)) {
            return false;
        }
    }
    return name->size > 0;
}

/* Trims the value, and tells whether it is one. */
static bool take_value(struct line *value)
{
    while (value->size > 0 && (*value->text == ' ' || *value->text == '\t')) {
        value->text++;
        value->size--;
    }
    for (size_t i = 0; i < value->size; i++) {
        const unsigned char c = (unsigned char)value->text[i];

        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool read_length(struct head *head, const struct line *value)
{
    head->length = 0;
    for (size_t i = 0; i < value->size; i++) {
        if (value->text[i] < '0' || value->text[i] > '9') {
            return false;
        }
        if (head->length < UINT32_MAX) {
            head->length = 10 * head->length + (uint64_t)(value->text[i] - '0');
        }
    }
    head->lengths++;
    return value->size > 0;
}

static bool read_header(struct head *head, const struct line *line)
{
    const char *colon = memchr(line->text, ':', line->size);
    const struct line name = {.text = line->text,
                              .size = colon != NULL ? (size_t)(colon - line->text) : 0};
    struct line value;

    if (colon == NULL || !is_name(&name)) {
        return false;
    }
    value = (struct line){.text = colon + 1, .size = line->size - name.size - 1};
    head->ends_in_nul = value.size > 0 && value.text[value.size - 1] == '\0';
    value.size -= head->ends_in_nul ? 1 : 0;
    if (!take_value(&value)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        if (is_text(&name, sources[i])) {
            /* Twice is refused, which a value does that cannot be good. */
            head->credentials[i] =
                head->credentials[i].text == NULL ? value : (struct line){.text = "?", .size = 1};
        }
    }
    if (is_text(&name, "Content-Length")) {
        return read_length(head, &value);
    }
    if (is_text(&name, "Transfer-Encoding")) {
        head->codings++;
        return is_text(&value, "chunked");
    }
    head->hosts += is_text(&name, "Host") ? 1 : 0;
    if (is_text(&name, "Connection") || is_text(&name, "Expect") ||
        is_text(&name, "X-Required-Scope") || is_text(&name, "Cookie")) {
        head->reading.is_plain = false;
    }
    head->is_last = head->is_last || is_text(&name, "Expect") ||
                    (is_text(&name, "Connection") && is_text(&value, "close"));
    return true;
}

/* The first source that has something decides. */
static bool is_good(const struct head *head)
{
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        struct line value = head->credentials[i];

        if (value.text == NULL) {
            continue;
        }
        if (i == 0) {
            if (value.size <= 7 || !text_equal_nocase(value.text, "Bearer", 6) ||
                (value.text[6] != ' ' && value.text[6] != '\t')) {
                if (value.size == 1 && value.text[0] == '?') {
                    return false;
                }
                continue; /* of another scheme, or empty */
            }
            value.text += 7;
            value.size -= 7;
        }
        (void)take_value(&value);
        while (value.size > 0 &&
               (value.text[value.size - 1] == ' ' || value.text[value.size - 1] == '\t')) {
            value.size--;
        }
        if (value.size > 0) {
            return value.size == strlen(tokens[true]) &&
                   strncmp(value.text, tokens[true], value.size) == 0;
        }
    }
    return false;
}

/*
 * What is malformed and does not show with old versions of libmicrohttpd, next to a bare line feed: see
 * http.c. To them NUL may stand for a carriage return, a line of one colon or NUL for the end of the head,
 * and one NUL at the end of the last value is none.
 */
static bool hides_the_rest(const struct line *line, bool last_was_bare)
{
    return line->size == 1 && line->is_bare != last_was_bare &&
           (line->text[0] == ':' || line->text[0] == '\0');
}

/* Reads a head. False if there is none, or it is no HTTP. */
static bool read_head(const char **at, const char *end, struct head *head)
{
    struct line line = {0};
    const char *begin;
    bool was_bare;

    *head = (struct head){0};
    do {
        begin = *at;
        if (!take_line(at, end, &line)) {
            return false;
        }
    } while (line.size == 0 || line.text[0] == '\0');
    if (!read_request_line(head, &line)) {
        return false;
    }
    head->reading.is_plain = head->reading.is_plain && !line.is_bare && !line.is_odd;
    was_bare = line.is_bare;
    while (take_line(at, end, &line)) {
        head->reading.is_plain = head->reading.is_plain && !line.is_bare && !line.is_odd;
        if (hides_the_rest(&line, was_bare)) {
            line.size = 0;
        }
        if (head->ends_in_nul && (line.size > 0 || line.is_bare == was_bare)) {
            return false;
        }
        was_bare = line.is_bare;
        if (line.size == 0) {
            if ((size_t)(*at - begin) > PLAIN_HEAD) {
                head->reading.is_plain = false;
            }
            return head->hosts <= 1 && (head->hosts == 1 || head->is_old) && head->lengths <= 1 &&
                   head->codings <= 1 && head->lengths + head->codings <= 1 &&
                   (head->codings == 0 || !head->is_old);
        }
        if (!read_header(head, &line)) {
            return false;
        }
    }
    return false;
}

static void read_all(const struct exchange *exchange, struct readings *readings)
{
    const char *at = exchange->bytes;
    const char *end = at + exchange->size;
    struct head head = {0};

    readings->count = 0;
    while (!head.is_last && readings->count < REQUESTS && read_head(&at, end, &head)) {
        head.reading.is_good = is_good(&head);
        if (head.codings > 0 || head.length > (uint64_t)(end - at)) {
            /* Chunks are not looked at here, and nothing may follow; the end of the other never comes. */
            head.reading.is_plain = false;
            head.is_last = true;
        } else {
            at += head.length;
        }
        readings->items[readings->count++] = head.reading;
    }
}

static void complain(const struct exchange *exchange, const char *what, size_t number)
{
    wrong_count++;
    (void)printf("wrong: %s %zu, %zu bytes first: ", what, number, exchange->first);
    for (size_t i = 0; i < exchange->size; i++) {
        const unsigned char c = (unsigned char)exchange->bytes[i];

        if (c < ' ' || c >= 0x7f || c == '\\') {
            (void)printf("\\x%02x", c);
        } else {
            (void)putchar(c);
        }
    }
    (void)printf("\n");
}

static size_t count_let_in(const char *text)
{
    size_t count = 0;

    for (; text != NULL && (text = strstr(text, "X-Token-Id:")) != NULL; text++) {
        count++;
    }
    return count;
}

static void judge(const struct exchange *exchange)
{
    struct readings readings;
    struct answer answer = {0};
    size_t at = 0;
    size_t let_in = 0;
    bool is_plain = true;

    read_all(exchange, &readings);
    for (size_t i = 0; at < exchange->got.size && !answer.closes; i++) {
        const bool is_read = i < readings.count;
        const size_t size = next_answer(exchange->got.bytes + at, exchange->got.size - at,
                                        is_read && readings.items[i].is_head, &answer);

        if (size == 0) {
            break;
        }
        at += size;
        answer_count++;
        let_in += answer.id[0] != '\0' ? 1 : 0;
        is_plain = is_plain && is_read && readings.items[i].is_plain;
        if (answer.id[0] != '\0' && (!is_read || !readings.items[i].is_good)) {
            complain(exchange, "let in without a good credential, by answer", i);
            return;
        }
        if (is_plain && answer.status != (readings.items[i].is_good ? 200 : 401)) {
            complain(exchange, "another verdict than there should be, by answer", i);
            return;
        }
        if (is_plain && answer.closes) {
            complain(exchange, "closed without need, by answer", i);
            return;
        }
    }
    let_in_count += let_in;
    if (exchange->got.size > 0 && count_let_in(exchange->got.bytes) != let_in) {
        complain(exchange, "let in where no answer was expected, behind byte", at);
    }
}

/* Changes some of the bytes: where, and by what, the numbers tell. */
static void change(struct buffer *bytes, const struct buffer *other, uint64_t *state)
{
    static const char *const pieces[] = {
        "\r",
        "\n",
        "\r\n",
        "\r\n\r\n",
        " ",
        "\t",
        ":",
        ";",
        ",",
        "0",
        "0\r\n\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 0\r\n",
        "Transfer-Encoding: chunked\r\n",
        "X-Api-Key: ",
        "Authorization: Bearer ",
        "Host: y\r\n",
        "Expect: 100-continue\r\n",
        "Connection: close\r\n",
        "Connection: keep-alive\r\n",
        "GET /verify HTTP/1.1\r\nHost: x\r\n",
        "HEAD ",
        " HTTP/1.0\r\n",
        "?scope=",
    };
    const size_t at = next_random(state) % (bytes->size + 1);
    const size_t left = bytes->size - at;
    const size_t length = 1 + next_random(state) % (next_random(state) % 4 == 0 ? 60 : 3);
    const char *text = pieces[next_random(state) % (sizeof(pieces) / sizeof(pieces[0]))];
    const size_t begin = other->size > 0 ? next_random(state) % other->size : 0;
    struct buffer tail = {0};
    char byte = (char)next_random(state);

    buffer_append(&tail, bytes->bytes + at, left);
    switch (next_random(state) % 8) {
    case 0: /* a bit */
        if (left > 0) {
            bytes->bytes[at] = (char)(bytes->bytes[at] ^ (1 << next_random(state) % 8));
        }
        break;
    case 1: /* a byte */
        if (left > 0) {
            bytes->bytes[at] = byte;
        }
        break;
    case 2: /* one more */
        byte = next_random(state) % 2 == 0 ? '\0' : byte;
        bytes->size = at;
        buffer_append(bytes, &byte, 1);
        buffer_append(bytes, tail.bytes, tail.size);
        break;
    case 3: /* some less */
        bytes->size = at;
        buffer_append(bytes, tail.bytes + (length < left ? length : left),
                      left - (length < left ? length : left));
        break;
    case 4: /* some of them twice */
        bytes->size = at;
        buffer_append(bytes, tail.bytes, length < left ? length : left);
        buffer_append(bytes, tail.bytes, tail.size);
        break;
    case 5: /* some of another request's */
        bytes->size = at;
        buffer_append(bytes, other->bytes + begin,
                      length < other->size - begin ? length : other->size - begin);
        buffer_append(bytes, tail.bytes, tail.size);
        break;
    case 6: /* the end of another request */
        bytes->size = at;
        buffer_append(bytes, other->bytes + begin, other->size - begin);
        break;
    default: /* something that means something */
        bytes->size = at;
        buffer_append(bytes, text, strlen(text));
        buffer_append(bytes, tail.bytes, tail.size);
        break;
    }
    if (bytes->failed || tail.failed) {
        die("no memory");
    }
    buffer_clear(&tail);
}

/* One of the table's, with a token of either kind, that is not long. */
static void choose(struct buffer *bytes, const struct row *rows, size_t count, uint64_t *state)
{
    do {
        const struct row *row = &rows[count > 0 ? next_random(state) % count : 0];

        expand(bytes, row->bytes, next_random(state) % 2 == 0);
    } while (bytes->size > LONG);
}

static void run_batch(size_t count, const struct row *rows, size_t row_count, uint64_t *state)
{
    struct buffer other = {0};

    for (size_t i = 0; i < count; i++) {
        choose(&changed[i], rows, row_count, state);
        for (size_t left = next_random(state) % (CHANGES + 1); left > 0; left--) {
            choose(&other, rows, row_count, state);
            change(&changed[i], &other, state);
        }
        exchanges[i].bytes = changed[i].bytes;
        exchanges[i].size = changed[i].size;
        exchanges[i].first = next_random(state) % 3 == 0 && changed[i].size > 0
                                 ? next_random(state) % changed[i].size
                                 : 0;
    }
    exchange_all(port, health, exchanges, count);
    for (size_t i = 0; i < count; i++) {
        judge(&exchanges[i]);
    }
    buffer_clear(&other);
}

int main(int argc, char **argv)
{
    static struct row rows[ROWS];
    uint64_t state = argc == 6 ? strtoull(argv[4], NULL, 10) : 0;
    unsigned long left = argc == 6 ? strtoul(argv[5], NULL, 10) : 0;
    const unsigned long count = left;
    size_t row_count;

    if (state == 0 || left == 0) {
        (void)fprintf(stderr, "usage: http_mutate PORT GOOD BAD SEED COUNT <TABLE\n");
        return 2;
    }
    (void)printf("seed %llu\n", (unsigned long long)state);
    port = (unsigned)strtoul(argv[1], NULL, 10);
    tokens[true] = argv[2];
    tokens[false] = argv[3];
    health = dial_health(port);
    row_count = read_rows(rows);
    if (row_count == 0) {
        die("there is no table");
    }
    while (left > 0) {
        const size_t batch = left < BATCH ? left : BATCH;

        run_batch(batch, rows, row_count, &state);
        left -= batch;
    }
    (void)printf("%lu changed requests, %lu answers, %lu of them let somebody in, %lu wrong\n",
                 count, answer_count, let_in_count, wrong_count);
    for (size_t i = 0; i < BATCH; i++) {
        buffer_clear(&changed[i]);
        buffer_clear(&exchanges[i].got);
    }
    for (size_t i = 0; i < row_count; i++) {
        free(rows[i].answers);
    }
    return wrong_count == 0 ? 0 : 1;
}
