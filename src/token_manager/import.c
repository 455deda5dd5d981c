#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json_write.h"
#include "cli/input.h"
#include "cli/output.h"
#include "store/usage.h"
#include "token/token_text.h"
#include "token_manager/commands.h"
#include "token_manager/foreign_format.h"
#include "token_manager/import_batch.h"
#include "token_manager/manager.h"

#include "base/banned.h"

#define INPUT_LIMIT ((size_t)256 * 1024 * 1024)

/* An import while it is made. */
struct import {
    struct manager *manager;
    struct store *store;
    enum foreign_format format;
    bool is_input; /* the source is standard input, which cannot be removed */
    bool in_place; /* the source is the token file itself */
    struct import_batch batch;
};

/* Last uses go where verifiers write theirs. Without them the tokens are just as good. */
static void record_uses(struct import *import)
{
    const struct settings *settings = &import->manager->settings;
    struct error ignored;
    char *path = NULL;
    struct usage_append append = {.entries = import->batch.uses,
                                  .count = import->batch.use_count,
                                  .size_limit =
                                      usage_size_limit(store_tokens(import->store)->count),
                                  .now = import->manager->now};

    if (settings->usage == NULL && usage_path(settings->path, &path, &ignored) != STATUS_OK) {
        return;
    }
    append.path = path != NULL ? path : settings->usage;
    if (import->batch.use_count > 0 && usage_append_patiently(&append) != USAGE_APPENDED) {
        buffer_appendf(&import->batch.notes, "The last uses could not be written to %s.\n",
                       append.path);
    }
    free(path);
}

static enum status report_json(const struct import *import, struct error *error)
{
    const struct token_set *tokens = store_tokens(import->store);
    struct buffer out = {0};

    buffer_append_text(&out, "{");
    json_write_count(&out, "imported", tokens->count - import->batch.first);
    json_write_count(&out, "skipped", import->batch.skipped);
    json_write_name(&out, "tokens");
    for (size_t i = import->batch.first; i < tokens->count; i++) {
        const struct token *token = &tokens->records[i].token;

        buffer_append_text(&out, i == import->batch.first ? "[\n  {" : ",\n  {");
        json_write_text(&out, "id", token->id);
        json_write_text(&out, "name", token->name);
        json_write_text(&out, "prefix", token->secret.prefix);
        json_write_text(&out, "status",
                        token_status_text(token_status(token, import->manager->now)));
        buffer_append_text(&out, "}");
    }
    buffer_append_text(&out, tokens->count == import->batch.first ? "[]}\n" : "\n]}\n");
    return output_print(&out, error);
}

static void report(struct import *import)
{
    const struct token_set *tokens = store_tokens(import->store);
    const size_t imported = tokens->count - import->batch.first;
    struct buffer *notes = &import->batch.notes;
    size_t revoked = 0;

    for (size_t i = import->batch.first; i < tokens->count; i++) {
        revoked += tokens->records[i].token.revoked_at != TIME_NONE;
    }
    buffer_appendf(
        notes, "Imported %zu key%s into %s (revoked: %zu; skipped, already there: %zu)\n", imported,
        imported == 1 ? "" : "s", store_path(import->store), revoked, import->batch.skipped);
    if (import->in_place) {
        buffer_append_text(notes,
                           "The file holds digests now. Copies and backups of the plain-text "
                           "file are still secrets:\nremove them, or guard them as such.\n");
    } else if (!import->is_input) {
        buffer_appendf(notes,
                       "%s still holds the keys in plain text, as do its copies and backups:\n"
                       "remove them, or guard them as secrets.\n",
                       import->batch.source);
    }
    output_talk(notes->size > 0 ? notes->bytes : "", notes->size);
}

static enum status commit(struct import *import, struct error *error)
{
    const struct token_set *tokens = store_tokens(import->store);
    bool written = false;
    enum status status = STATUS_OK;

    /* A file in the old format is rewritten even if there is nothing in it. */
    if (tokens->count > import->batch.first || import->in_place) {
        status = manager_commit(import->manager, import->store, "import", &written, error);
    }
    if (written) {
        record_uses(import);
    }
    if (status == STATUS_OK || written) {
        report(import);
    }
    if (status == STATUS_OK && import->manager->json) {
        status = report_json(import, error);
        status = written ? output_of_change(status, error) : status;
    }
    return status;
}

/* Whether both lead to one place, where perhaps nothing is. */
static bool is_same_place(const char *a, const char *b)
{
    struct error ignored;
    char *first = NULL;
    char *second = NULL;
    const bool same = file_resolve(a, &first, &ignored) == STATUS_OK &&
                      file_resolve(b, &second, &ignored) == STATUS_OK && strcmp(first, second) == 0;

    free(first);
    free(second);
    return same;
}

/* Whether the file to import is the token file itself. Of a file that is there, not for want of memory. */
static bool is_store(const struct manager *manager, const char *path)
{
    struct stat source;
    struct stat store;

    if (stat(path, &source) == 0 && stat(manager->settings.path, &store) == 0) {
        return source.st_dev == store.st_dev && source.st_ino == store.st_ino;
    }
    return is_same_place(path, manager->settings.path);
}

/* Imports from a text into the store, which is open. */
static enum status import_text(struct import *import, const struct buffer *text,
                               struct error *error)
{
    const struct foreign_source source = {.name = import->batch.source,
                                          .text = text->size > 0 ? text->bytes : "",
                                          .size = text->size,
                                          .format = import->format};
    struct foreign_keys keys = {0};
    enum status status = foreign_format_read_keys(&keys, &source, error);

    if (status == STATUS_OK && keys.count == 0 && !import->in_place) {
        status = error_set(error, STATUS_FAILED, "%s holds no key", import->batch.source);
    }
    if (status == STATUS_OK) {
        import->batch.tokens = store_tokens(import->store);
        import->batch.now = import->manager->now;
        status = import_batch_add(&import->batch, &keys, error);
    }
    if (status == STATUS_OK) {
        status = commit(import, error);
    }
    foreign_keys_clear(&keys);
    return status;
}

/* Only one format can stand where the token file is. */
static enum status check_in_place(struct import *import, struct error *error)
{
    if (import->format != FOREIGN_BY_LOOKING && import->format != FOREIGN_PREDECESSOR) {
        return error_set(
            error, STATUS_USAGE,
            "%s is the token file itself, and can only be converted from the format of "
            "token_manager.py",
            import->batch.source);
    }
    import->format = FOREIGN_PREDECESSOR;
    return STATUS_OK;
}

static enum status import_source(struct import *import, struct error *error)
{
    struct buffer text = {.secret = true};
    enum status status;

    if (import->in_place) {
        status = check_in_place(import, error);
        if (status == STATUS_OK) {
            status = manager_begin_foreign(import->manager, &import->store, &text, error);
        }
    } else {
        status = input_read_from(&text, import->is_input ? "-" : import->batch.source, INPUT_LIMIT,
                                 error);
        if (status == STATUS_OK) {
            status = manager_begin(import->manager, true, &import->store, error);
        }
    }
    if (status == STATUS_OK) {
        status = import_text(import, &text, error);
    }
    buffer_clear(&text);
    return status;
}

enum status import_run(const struct cli_arguments *arguments, struct error *error)
{
    const char *path = arguments->operands[0];
    struct manager manager;
    struct import import = {
        .manager = &manager, .is_input = strcmp(path, "-") == 0, .batch = IMPORT_BATCH_INIT};
    enum status status = manager_init(&manager, arguments, error);

    if (status == STATUS_OK) {
        status = foreign_format_read(cli_value(arguments, "format"), &import.format, error);
    }
    if (status == STATUS_OK) {
        import.in_place = !import.is_input && !token_text_looks_like_one(path, strlen(path)) &&
                          is_store(&manager, path);
        import.batch.allow_weak = cli_has(arguments, "allow-weak");
        import.batch.source = import.is_input ? "standard input" : path;
        status = import_source(&import, error);
    }
    import_batch_clear(&import.batch);
    store_abort(import.store);
    manager_clear(&manager);
    return status;
}
