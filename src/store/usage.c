#include "store/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/file.h"

#include "base/banned.h"

#define SINCE "since "
#define SINCE_SIZE (sizeof(SINCE) - 1)
#define TIME_LENGTH (TIME_TEXT_SIZE - 1)
#define ID_LENGTH (TOKEN_ID_SIZE - 1)
#define LINE_LENGTH ((size_t)(ID_LENGTH + 1 + TIME_LENGTH)) /* without the line end */
#define FILE_LIMIT ((size_t)256 * 1024 * 1024)
#define SIZE_LIMIT_LEAST ((size_t)64 * 1024)
#define SHARED_LOCK_TRIES 20
#define PATIENT_TRIES 20
#define PATIENT_NAP_NS 10000000L

static enum status put(struct usage *usage, const char *id, int64_t time)
{
    size_t number;
    const enum key_set_result result = key_set_add(&usage->ids, TOKEN_ID_KEY(id), &number);

    if (result == KEY_SET_NO_MEMORY) {
        return STATUS_STORE;
    }
    if (number >= usage->capacity) {
        int64_t *times = array_grow(usage->times, &usage->capacity, sizeof(*times));

        if (times == NULL) {
            return STATUS_STORE;
        }
        usage->times = times;
    }
    if (result == KEY_SET_ADDED || time > usage->times[number]) {
        usage->times[number] = time;
    }
    return STATUS_OK;
}

/* One line without its end. */
static enum status put_line(struct usage *usage, const char *line, size_t size)
{
    int64_t time;

    if (size == SINCE_SIZE + TIME_LENGTH && memcmp(line, SINCE, SINCE_SIZE) == 0 &&
        time_parse(line + SINCE_SIZE, TIME_LENGTH, &time)) {
        /* The latest: what came before another beginning has a gap. */
        usage->since = usage->since == TIME_NONE || time > usage->since ? time : usage->since;
    } else if (size == LINE_LENGTH && token_is_id(line, ID_LENGTH) && line[ID_LENGTH] == ' ' &&
               time_parse(line + ID_LENGTH + 1, TIME_LENGTH, &time)) {
        return put(usage, line, time);
    }
    return STATUS_OK;
}

static enum status parse(struct usage *usage, const struct buffer *text)
{
    const char *at = text->bytes;
    size_t left = text->size;
    enum status status = STATUS_OK;

    while (left > 0 && status == STATUS_OK) {
        const char *end = memchr(at, '\n', left);
        const size_t size = end != NULL ? (size_t)(end - at) : left;

        if (end != NULL) { /* a last line without an end is torn */
            status = put_line(usage, at, size);
        }
        at += end != NULL ? size + 1 : size;
        left -= end != NULL ? size + 1 : size;
    }
    return status;
}

void usage_init(struct usage *usage)
{
    *usage = (struct usage){.since = TIME_NONE, .ids = {.key_size = TOKEN_ID_KEY_SIZE}};
}

/* Reads while others may append: shared, but not at the mercy of one who never lets go. */
static void lock_shared(int fd)
{
    const struct timespec nap = {0, 5000000};

    for (int i = 0; i < SHARED_LOCK_TRIES && flock(fd, LOCK_SH | LOCK_NB) != 0; i++) {
        (void)nanosleep(&nap, NULL);
    }
}

enum status usage_load(struct usage *usage, const char *path, struct error *error)
{
    struct buffer text = {0};
    struct stat seen;
    int fd = -1;
    enum status status;

    usage_init(usage);
    status = file_open(path, &fd, error);
    if (status == STATUS_NOT_FOUND) {
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        return status;
    }
    lock_shared(fd);
    status = file_read(fd, path, FILE_LIMIT, &text, &seen, error);
    if (status == STATUS_OK && parse(usage, &text) != STATUS_OK) {
        usage_clear(usage); /* the times may not have kept up with the ids */
        status = error_no_memory(error);
    }
    (void)close(fd);
    buffer_clear(&text);
    return status;
}

int64_t usage_last(const struct usage *usage, const char *id)
{
    size_t number;

    return key_set_find(&usage->ids, TOKEN_ID_KEY(id), &number) ? usage->times[number] : TIME_NONE;
}

void usage_clear(struct usage *usage)
{
    if (usage != NULL) {
        key_set_clear(&usage->ids);
        free(usage->times);
        usage_init(usage);
    }
}

static void write_since(struct buffer *out, int64_t since)
{
    char time[TIME_TEXT_SIZE];

    time_format(since, time);
    buffer_appendf(out, SINCE "%s\n", time);
}

static void write_use(struct buffer *out, const char *id, int64_t time)
{
    char text[TIME_TEXT_SIZE];

    time_format(time, text);
    buffer_appendf(out, "%.*s %s\n", (int)ID_LENGTH, id, text);
}

/* Who may read the tokens may write here. */
static mode_t mode_beside(mode_t token_file)
{
    return (token_file & 0444) | (token_file & 0444) >> 1;
}

void usage_create(int folder_fd, const char *name, const struct stat *token_file, int64_t now)
{
    struct buffer text = {0};
    const int fd = openat(folder_fd, name,
                          O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

    if (fd < 0) {
        return;
    }
    write_since(&text, now);
    if (!text.failed) {
        (void)file_write_all(fd, text.bytes, text.size);
    }
    file_try_chown(fd, token_file);
    (void)file_set_mode(fd, mode_beside(token_file->st_mode));
    (void)close(fd);
    buffer_clear(&text);
}

/*
 * Whether it is a usage file, or an empty one that may become it. Nothing else is ever written to,
 * whatever somebody named by mistake.
 */
static bool is_usage_file(int fd, const struct stat *now)
{
    char line[SINCE_SIZE + TIME_LENGTH + 1];
    int64_t since;

    return S_ISREG(now->st_mode) &&
           (now->st_size == 0 ||
            (pread(fd, line, sizeof(line), 0) == (ssize_t)sizeof(line) &&
             memcmp(line, SINCE, SINCE_SIZE) == 0 &&
             time_parse(line + SINCE_SIZE, TIME_LENGTH, &since) && line[sizeof(line) - 1] == '\n'));
}

/* Opens for appending, locked, and tells what stands there. `*fd` is -1 unless USAGE_APPENDED. */
static enum usage_result open_locked(const struct usage_append *append, int *fd, struct stat *now)
{
    const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    enum usage_result result = USAGE_UNWRITABLE;

    *fd = open(append->path, flags);
    if (*fd < 0 && errno == ENOENT && append->create) {
        *fd = open(append->path, flags | O_CREAT | O_EXCL, 0600);
    }
    if (*fd < 0) {
        return USAGE_UNWRITABLE;
    }
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        result = errno == EWOULDBLOCK || errno == EINTR ? USAGE_BUSY : USAGE_UNWRITABLE;
    } else if (fstat(*fd, now) == 0 && is_usage_file(*fd, now)) {
        return USAGE_APPENDED;
    }
    (void)close(*fd);
    *fd = -1;
    return result;
}

/* Writes at an offset, because O_APPEND and compaction in place do not go together. */
static bool write_at(int fd, const struct buffer *text, off_t offset)
{
    size_t done = 0;

    while (done < text->size) {
        const ssize_t put_now =
            pwrite(fd, text->bytes + done, text->size - done, offset + (off_t)done);

        if (put_now < 0 && errno != EINTR) {
            return false;
        }
        done += put_now > 0 ? (size_t)put_now : 0;
    }
    return true;
}

/*
 * Rewrites the file with one line an id, in the order of their first lines. So the new text never
 * runs ahead of the old one that it overwrites, and a crash in between loses no last use.
 */
static void compact(int fd, const char *path, const struct token_set *known)
{
    struct buffer old = {0};
    struct buffer text = {0};
    struct key_set known_ids = {.key_size = TOKEN_ID_KEY_SIZE};
    struct usage usage;
    struct stat seen;
    struct error ignored;
    size_t number;
    bool complete = true;

    usage_init(&usage);
    for (size_t i = 0; known != NULL && i < known->count && complete; i++) {
        complete = known->records[i].removed ||
                   key_set_add(&known_ids, TOKEN_ID_KEY(known->records[i].token.id), NULL) !=
                       KEY_SET_NO_MEMORY;
    }
    if (!complete || file_read(fd, path, FILE_LIMIT, &old, &seen, &ignored) != STATUS_OK ||
        parse(&usage, &old) != STATUS_OK) {
        goto out;
    }
    write_since(&text, usage.since); /* which is there: open_locked has seen it */
    for (size_t i = 0; i < usage.ids.count; i++) {
        const char *key = (const char *)usage.ids.keys + i * TOKEN_ID_KEY_SIZE;
        char id[TOKEN_ID_SIZE] = "tok_";

        memcpy(TOKEN_ID_KEY(id), key, TOKEN_ID_KEY_SIZE);
        if (known == NULL || key_set_find(&known_ids, key, &number)) {
            write_use(&text, id, usage.times[i]);
        }
    }
    if (!text.failed && write_at(fd, &text, 0)) {
        (void)file_truncate(fd, (off_t)text.size);
    }
out:
    key_set_clear(&known_ids);
    usage_clear(&usage);
    buffer_clear(&old);
    buffer_clear(&text);
}

size_t usage_size_limit(size_t tokens)
{
    return SIZE_LIMIT_LEAST + 2 * (LINE_LENGTH + 1) * tokens;
}

/* The text to append to a file of this size, with what it needs before. */
static void write_entries(const struct usage_append *append, int fd, off_t size,
                          struct buffer *text)
{
    char last = '\n';

    if (size == 0) {
        write_since(text, append->now);
    } else if (pread(fd, &last, 1, size - 1) == 1 && last != '\n') {
        buffer_append(text, "\n", 1); /* closes off what a crash left */
    }
    for (size_t i = 0; i < append->count; i++) {
        write_use(text, append->entries[i].id, append->entries[i].time);
    }
}

enum usage_result usage_append(const struct usage_append *append)
{
    struct buffer text = {0};
    struct stat now;
    int fd;
    enum usage_result result = open_locked(append, &fd, &now);

    if (result != USAGE_APPENDED) {
        return result;
    }
    if ((uintmax_t)now.st_size > FILE_LIMIT && file_truncate(fd, 0)) {
        now.st_size = 0; /* past all bounds and never read again: begin anew */
    }
    write_entries(append, fd, now.st_size, &text);
    if (text.failed || !write_at(fd, &text, now.st_size)) {
        result = USAGE_UNWRITABLE;
    } else if ((uintmax_t)now.st_size + text.size > append->size_limit) {
        compact(fd, append->path, NULL);
    }
    (void)close(fd);
    buffer_clear(&text);
    return result;
}

enum usage_result usage_append_patiently(const struct usage_append *append)
{
    const struct timespec nap = {0, PATIENT_NAP_NS};
    enum usage_result result = usage_append(append);

    for (int i = 0; i < PATIENT_TRIES && result == USAGE_BUSY; i++) {
        (void)nanosleep(&nap, NULL);
        result = usage_append(append);
    }
    return result;
}

void usage_compact_known(const char *path, const struct token_set *known)
{
    const struct usage_append none = {.path = path};
    struct stat now;
    int fd;

    if (open_locked(&none, &fd, &now) == USAGE_APPENDED) {
        if ((uintmax_t)now.st_size > usage_size_limit(known->count)) {
            compact(fd, path, known);
        }
        (void)close(fd);
    }
}

enum status usage_path(const char *token_file, char **path, struct error *error)
{
    char *resolved = NULL;
    const enum status status = file_resolve(token_file, &resolved, error);

    *path = NULL;
    if (status != STATUS_OK) {
        return status;
    }
    *path = file_name_join(resolved, ".usage");
    free(resolved);
    return *path != NULL ? STATUS_OK : error_no_memory(error);
}
