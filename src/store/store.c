#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/text.h"
#include "store/usage.h"

#include "base/banned.h"

#define LOAD_TRIES 10        /* at a file that changes places under our hands … */
#define LOAD_NAP_NS 1000000L /* … with a rest between them */

struct store {
    struct atomic_file file;
    char *path; /* outlives the file, which the commit closes */
    bool is_new;
    struct buffer text;
    struct token_json json;
    struct token_set tokens;
};

static enum status refuse_missing(const char *path, struct error *error)
{
    struct text_shell word;

    return error_set(
        error, STATUS_STORE,
        "%s does not exist; make it with `token_manager --file %s create NAME`, or name "
        "another with --file",
        path, text_shell(&word, path));
}

/* Our own files beside a token file cannot be token files: one would be taken for the other. */
static enum status check_name(const char *path, struct error *error)
{
    static const char *const suffixes[] = {".lock", ".tmp", ".usage", ".audit"};
    const size_t size = strlen(path);

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        const size_t length = strlen(suffixes[i]);

        if (size >= length && strcmp(path + size - length, suffixes[i]) == 0) {
            return error_set(
                error, STATUS_STORE,
                "%s cannot be a token file: the ending %s belongs to a file beside one", path,
                suffixes[i]);
        }
    }
    return STATUS_OK;
}

/* A change of a file that is not there needs no lock to be refused, and leaves none behind. */
static enum status check_place(const struct store_options *options, struct error *error)
{
    struct stat entry;
    const enum status status = check_name(options->path, error);

    if (status == STATUS_OK && !options->may_create && lstat(options->path, &entry) != 0 &&
        errno == ENOENT) {
        return refuse_missing(options->path, error);
    }
    return status;
}

/* Puts the text of the old format aside, and begins with an empty store. */
static enum status take_foreign(struct store *store, struct buffer *foreign, struct error *error)
{
    const struct token_json old = {.file = store->path,
                                   .text = store->text.size > 0 ? store->text.bytes : "",
                                   .size = store->text.size};

    if (!token_json_is_predecessor(&old)) {
        return error_set(error, STATUS_STORE,
                         "%s is not in the format of the Python token_manager.py, and needs no "
                         "converting",
                         store->path);
    }
    *foreign = store->text;
    store->text = (struct buffer){.secret = true};
    buffer_append_text(&store->text, token_json_empty);
    return STATUS_OK;
}

/* Reads the version that stands, or starts with an empty one. */
static enum status read_current(struct store *store, const struct store_options *options,
                                struct error *error)
{
    enum status status;

    store->is_new = !store->file.exists;
    if (store->is_new && !options->may_create) {
        return refuse_missing(store->path, error);
    }
    if (store->is_new) {
        buffer_append_text(&store->text, token_json_empty);
    }
    status = atomic_file_read(&store->file, STORE_SIZE_LIMIT, &store->text, error);
    if (status == STATUS_OK && options->foreign != NULL) {
        status = take_foreign(store, options->foreign, error);
    }
    if (status == STATUS_OK && store->text.failed) {
        status = error_no_memory(error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    store->json = (struct token_json){.file = store->path,
                                      .text = store->text.size > 0 ? store->text.bytes : "",
                                      .size = store->text.size};
    return token_json_read_set(&store->json, &store->tokens, error);
}

enum status store_begin(struct store **out, const struct store_options *options,
                        struct error *error)
{
    enum status status = check_place(options, error);
    struct store *store;

    *out = NULL;
    if (status != STATUS_OK) {
        return status;
    }
    store = calloc(1, sizeof(*store));
    if (store == NULL) {
        return error_no_memory(error);
    }
    store->text.secret = true; /* the predecessor's file may stand there, with its secrets */
    atomic_file_init(&store->file);
    status = atomic_file_lock(&store->file, options->path, options->lock_wait_ms, error);
    if (status == STATUS_OK) {
        store->path = strdup(store->file.path);
        status = store->path != NULL ? read_current(store, options, error) : error_no_memory(error);
    }
    if (status != STATUS_OK) {
        store_abort(store);
        return status;
    }
    *out = store;
    return STATUS_OK;
}

struct token_set *store_tokens(struct store *store)
{
    return &store->tokens;
}

const char *store_path(const struct store *store)
{
    return store->path;
}

bool store_is_new(const struct store *store)
{
    return store->is_new;
}

static enum status write_audit(const struct store *store, const struct audit_event *event,
                               struct audit_file *file, struct error *error)
{
    struct buffer lines = {0};
    enum status status;

    for (size_t i = 0; i < store->tokens.count; i++) {
        const struct token_record *record = &store->tokens.records[i];

        if (record->changed != 0 || record->removed) {
            audit_write_line(event, record, &lines);
        }
    }
    status = lines.failed ? error_no_memory(error) : audit_append(file, &lines, error);
    buffer_clear(&lines);
    return status;
}

/* The change proper, with its line in the audit trail before it. */
static enum status publish(struct store *store, const struct audit_event *event,
                           struct error *error)
{
    char *path = file_name_join(store->path, ".audit");
    struct audit_file trail = {.folder_fd = store->file.folder_fd,
                               .path = path,
                               .like = store->is_new ? NULL : &store->file.seen};
    enum status status =
        path == NULL ? error_no_memory(error) : write_audit(store, event, &trail, error);

    if (status == STATUS_OK) {
        status = atomic_file_publish(&store->file, error);
        /* After a failure that leaves doubts the line stays: no change without its line. */
        if (!store->file.published && atomic_file_is_untouched(&store->file)) {
            audit_undo(&trail);
        }
    }
    free(path);
    return status;
}

/* Keeps the usage file there and bounded. Nothing of this can fail a change that is made. */
static void tend_usage(struct store *store, int64_t now)
{
    char *name = file_name_join(store->file.name, ".usage");
    char *path = file_name_join(store->path, ".usage");
    struct stat token_file;

    if (name != NULL && path != NULL && stat(store->path, &token_file) == 0) {
        usage_create(store->file.folder_fd, name, &token_file, now);
        usage_compact_known(path, &store->tokens);
    }
    free(name);
    free(path);
}

enum status store_commit(struct store *store, const struct audit_event *event, bool *written,
                         struct error *error)
{
    struct buffer next = {0};
    enum status status = token_json_write(&store->json, &store->tokens, &next, error);

    *written = false;
    if (status == STATUS_OK && next.size > STORE_SIZE_LIMIT) {
        status = error_set(error, STATUS_STORE,
                           "%s would grow to %zu bytes, and more than %zu are not read",
                           store->path, next.size, STORE_SIZE_LIMIT);
    }
    if (status == STATUS_OK) {
        status = atomic_file_stage(&store->file, next.bytes, next.size, error);
    }
    if (status == STATUS_OK) {
        status = publish(store, event, error);
        *written = store->file.published;
    }
    if (*written) {
        tend_usage(store, event->time);
    } else {
        const struct error reason = *error;

        (void)error_set(error, status, "%s (nothing was changed)", reason.text);
    }
    atomic_file_close(&store->file);
    buffer_clear(&next);
    return status;
}

void store_abort(struct store *store)
{
    if (store != NULL) {
        atomic_file_close(&store->file);
        token_set_clear(&store->tokens);
        buffer_clear(&store->text);
        free(store->path);
        free(store);
    }
}

void store_version_clear(struct store_version *version)
{
    if (version->kind == STORE_VERSION_FILE) {
        (void)close(version->fd);
    }
    *version = (struct store_version){.kind = STORE_VERSION_NONE, .fd = -1};
}

/* What it means that opening found nothing. `*again`: it came back meanwhile. */
static enum status explain_missing(const char *path, bool *again, struct error *error)
{
    struct stat entry;
    char *resolved = NULL;
    /* A missing folder and a dangling link are faults and not a missing file. */
    const enum status status = file_resolve(path, &resolved, error);

    *again = status == STATUS_OK && (lstat(resolved, &entry) == 0 || errno != ENOENT);
    free(resolved);
    if (status != STATUS_OK) {
        return status;
    }
    return *again ? error_set(error, STATUS_STORE, "%s comes and goes; try again", path)
                  : error_set(error, STATUS_NOT_FOUND, "%s does not exist", path);
}

/*
 * A file without a name was replaced just now, or is the stale source of a bind mount, which would
 * never show a change again. Only time tells them apart: while a rename is under way, its path still
 * leads to the old version, whose last link is gone already.
 */
static enum status explain_nameless(const char *path, const struct stat *opened, bool *again,
                                    struct error *error)
{
    struct stat named;

    *again = true;
    if (stat(path, &named) == 0 && named.st_ino == opened->st_ino &&
        named.st_dev == opened->st_dev) {
        return error_set(error, STATUS_STORE,
                         "%s is a mount of a single file that has been replaced since; mount its "
                         "folder instead",
                         path);
    }
    return error_set(error, STATUS_STORE, "%s keeps being replaced; try again", path);
}

/* Opens the file and says which it is; `*again` when it changed places under our hands. */
static enum status open_version(const char *path, struct store_version *version, bool *again,
                                struct error *error)
{
    int fd;
    enum status status = file_open(path, &fd, error);

    *again = false;
    if (status == STATUS_NOT_FOUND) {
        status = explain_missing(path, again, error);
        version->kind = status == STATUS_NOT_FOUND ? STORE_VERSION_MISSING : STORE_VERSION_NONE;
        return status;
    }
    if (status != STATUS_OK) {
        return status;
    }
    *version = (struct store_version){.kind = STORE_VERSION_FILE, .fd = fd};
    if (fstat(fd, &version->seen) != 0) {
        status = error_set_errno(error, STATUS_STORE, errno, "cannot examine %s", path);
    } else if (version->seen.st_nlink == 0) {
        status = explain_nameless(path, &version->seen, again, error);
    }
    if (status != STATUS_OK) {
        store_version_clear(version);
    }
    return status;
}

enum status store_load(const char *path, const struct token_json_sink *sink,
                       struct store_version *version, struct error *error)
{
    struct buffer text = {.secret = true}; /* the predecessor's file may stand there */
    struct token_json json = {.file = path};
    const struct timespec nap = {0, LOAD_NAP_NS};
    bool again = true;
    enum status status = STATUS_OK;

    store_version_clear(version);
    for (int i = 0; i < LOAD_TRIES && again; i++) {
        if (i > 0) {
            (void)nanosleep(&nap, NULL);
        }
        status = open_version(path, version, &again, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = file_read(version->fd, path, STORE_SIZE_LIMIT, &text, &version->seen, error);
    if (status != STATUS_OK) {
        store_version_clear(version); /* a failed read says nothing about the next one */
    } else {
        json.text = text.size > 0 ? text.bytes : "";
        json.size = text.size;
        status = token_json_read(&json, sink, error);
    }
    if (status == STATUS_FAILED) {
        store_version_clear(version); /* nor does a lack of memory */
        status = STATUS_STORE;
    }
    buffer_clear(&text);
    return status;
}

bool store_changed(const char *path, const struct store_version *version)
{
    struct stat now;

    if (stat(path, &now) == 0) {
        /* A file that lost its name was replaced, even if no time tells: see explain_nameless. */
        return version->kind != STORE_VERSION_FILE || now.st_nlink == 0 ||
               !file_same(&now, &version->seen);
    }
    /* Of a missing file there is nothing more to know only if its name is free. */
    return version->kind != STORE_VERSION_MISSING || errno != ENOENT || lstat(path, &now) == 0;
}
