#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_write.h"
#include "base/key_set.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "store/usage.h"
#include "token/token_text.h"
#include "token_manager/commands.h"
#include "token_manager/foreign_keys.h"
#include "token_manager/import_names.h"
#include "token_manager/manager.h"

#include "base/banned.h"

#define INPUT_LIMIT ((size_t)256 * 1024 * 1024)
#define WEAK_LENGTH 20 /* below this a key may be guessed from its digest */

/* An import while it is made. */
struct import {
    struct manager *manager;
    struct store *store;
    const char *source; /* for messages */
    bool is_input;      /* standard input, which cannot be removed */
    bool allow_weak;
    struct key_set digests; /* of the tokens that are there */
    struct import_names names;
    struct usage_entry *uses;
    size_t use_count;
    size_t first; /* the number of the first imported record */
    size_t skipped;
};

/* Word of a name that is another than it was. */
static void tell_new_name(const struct import *import, const struct foreign_key *key,
                          const char *name)
{
    struct text_quoted quoted;

    if (key->name[0] == '\0') {
        (void)fprintf(stderr, "%s:%zu: the key without a name became \"%s\"\n", import->source,
                      key->line, name);
    } else if (strcmp(key->name, name) != 0) {
        (void)fprintf(stderr, "%s:%zu: the name %s became \"%s\"\n", import->source, key->line,
                      text_quote(&quoted, key->name, strlen(key->name)), name);
    }
}

static enum status check_strength(const struct import *import, const struct foreign_key *key,
                                  struct error *error)
{
    if (strlen(key->text) >= WEAK_LENGTH || import->allow_weak) {
        return STATUS_OK;
    }
    return error_set(error, STATUS_FAILED,
                     "%s:%zu: the key has only %zu characters, and a fast digest does not protect "
                     "what can be guessed; replace it with a new token, or give --allow-weak",
                     import->source, key->line, strlen(key->text));
}

static enum status import_key(struct import *import, const struct foreign_key *key, size_t position,
                              struct error *error)
{
    const int64_t now = import->manager->now;
    const size_t size = strlen(key->text);
    char name[TOKEN_NAME_SIZE];
    struct token token;
    enum key_set_result known;
    enum status status = check_strength(import, key, error);

    if (status != STATUS_OK) {
        return status;
    }
    token_init(&token);
    secret_digest(token.secret.digest, key->text, size);
    known = key_set_add(&import->digests, token.secret.digest, NULL);
    if (known == KEY_SET_PRESENT) {
        import->skipped++;
        return STATUS_OK;
    }
    status = known == KEY_SET_ADDED
                 ? import_names_choose(&import->names, key->name, position, name, error)
                 : error_no_memory(error);
    if (status != STATUS_OK) {
        return status;
    }
    tell_new_name(import, key, name);
    token_make_id(token.id);
    token_text_prefix(key->text, size, token.secret.prefix);
    token.created_at = key->created_at != TIME_NONE ? key->created_at : now;
    token.revoked_at = key->active ? TIME_NONE : now;
    token.name = strdup(name);
    if (key->last_used != TIME_NONE) {
        struct usage_entry *use = &import->uses[import->use_count++];

        memcpy(use->id, token.id, sizeof(use->id));
        use->time = key->last_used;
    }
    status = token.name != NULL ? token_set_add(store_tokens(import->store), &token, NULL, error)
                                : error_no_memory(error);
    token_clear(&token);
    return status;
}

/* What is in the store already, so that nothing comes twice. */
static enum status note_present(struct import *import, struct error *error)
{
    const struct token_set *tokens = store_tokens(import->store);
    enum status status = STATUS_OK;

    for (size_t i = 0; i < tokens->count && status == STATUS_OK; i++) {
        const struct token *token = &tokens->records[i].token;

        if (key_set_add(&import->digests, token->secret.digest, NULL) == KEY_SET_NO_MEMORY) {
            status = error_no_memory(error);
        }
        for (size_t p = 0; p < token->previous_count && status == STATUS_OK; p++) {
            if (key_set_add(&import->digests, token->previous[p].digest, NULL) ==
                KEY_SET_NO_MEMORY) {
                status = error_no_memory(error);
            }
        }
        if (status == STATUS_OK && token->revoked_at == TIME_NONE) {
            status = import_names_take(&import->names, token->name, error);
        }
    }
    return status;
}

static enum status import_keys(struct import *import, const struct foreign_keys *keys,
                               struct error *error)
{
    struct progress progress;
    enum status status = note_present(import, error);

    import->uses = calloc(keys->count + 1, sizeof(*import->uses));
    if (import->uses == NULL) {
        return error_no_memory(error);
    }
    import->first = store_tokens(import->store)->count;
    progress_begin(&progress, "keys", keys->count);
    for (size_t i = 0; i < keys->count && status == STATUS_OK; i++) {
        status = import_key(import, &keys->items[i], i + 1, error);
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    return status;
}

/* Last uses go where verifiers write theirs. Without them the tokens are just as good. */
static void record_uses(const struct import *import)
{
    const struct settings *settings = &import->manager->settings;
    struct error ignored;
    char *path = NULL;
    struct usage_append append = {.entries = import->uses,
                                  .count = import->use_count,
                                  .size_limit =
                                      usage_size_limit(store_tokens(import->store)->count),
                                  .now = import->manager->now};

    if (settings->usage == NULL && usage_path(settings->path, &path, &ignored) != STATUS_OK) {
        return;
    }
    append.path = path != NULL ? path : settings->usage;
    if (import->use_count > 0 && usage_append(&append) != USAGE_APPENDED) {
        (void)fprintf(stderr, "The last uses could not be written to %s.\n", append.path);
    }
    free(path);
}

static enum status report_json(const struct import *import, struct error *error)
{
    const struct token_set *tokens = store_tokens(import->store);
    struct buffer out = {0};

    buffer_append_text(&out, "{");
    json_write_count(&out, "imported", tokens->count - import->first);
    json_write_count(&out, "skipped", import->skipped);
    json_write_name(&out, "tokens");
    for (size_t i = import->first; i < tokens->count; i++) {
        const struct token *token = &tokens->records[i].token;

        buffer_append_text(&out, i == import->first ? "[\n  {" : ",\n  {");
        json_write_text(&out, "id", token->id);
        json_write_text(&out, "name", token->name);
        json_write_text(&out, "prefix", token->secret.prefix);
        json_write_text(&out, "status",
                        token_status_text(token_status(token, import->manager->now)));
        buffer_append_text(&out, "}");
    }
    buffer_append_text(&out, tokens->count == import->first ? "[]}\n" : "\n]}\n");
    return output_print(&out, error);
}

static void report(const struct import *import, bool in_place)
{
    const struct token_set *tokens = store_tokens(import->store);
    const size_t imported = tokens->count - import->first;
    size_t revoked = 0;

    for (size_t i = import->first; i < tokens->count; i++) {
        revoked += tokens->records[i].token.revoked_at != TIME_NONE;
    }
    (void)fprintf(
        stderr, "Imported %zu key%s into %s (revoked: %zu; skipped, already there: %zu)\n",
        imported, imported == 1 ? "" : "s", store_path(import->store), revoked, import->skipped);
    if (in_place) {
        (void)fprintf(stderr, "The file holds digests now. Copies and backups of the plain-text "
                              "file are still secrets:\nremove them, or guard them as such.\n");
    } else if (!import->is_input) {
        (void)fprintf(stderr,
                      "%s still holds the keys in plain text, as do its copies and backups:\n"
                      "remove them, or guard them as secrets.\n",
                      import->source);
    }
}

static enum status commit(struct import *import, bool in_place, struct error *error)
{
    const struct token_set *tokens = store_tokens(import->store);
    bool written = false;
    enum status status = STATUS_OK;

    /* A file in the old format is rewritten even if there is nothing in it. */
    if (tokens->count > import->first || in_place) {
        status = manager_commit(import->manager, import->store, "import", &written, error);
    }
    if (written) {
        record_uses(import);
    }
    if (status == STATUS_OK || written) {
        report(import, in_place);
    }
    if (status == STATUS_OK && import->manager->json) {
        status = report_json(import, error);
    }
    return status;
}

/* Whether the file to import is the token file itself. */
static bool is_store(const struct manager *manager, const char *path)
{
    struct error ignored;
    char *source = NULL;
    char *store = NULL;
    const bool same = file_resolve(path, &source, &ignored) == STATUS_OK &&
                      file_resolve(manager->settings.path, &store, &ignored) == STATUS_OK &&
                      strcmp(source, store) == 0;

    free(source);
    free(store);
    return same;
}

static enum status read_source(const char *path, struct buffer *text, struct error *error)
{
    struct stat seen;
    int fd = -1;
    enum status status;

    if (strcmp(path, "-") == 0) {
        return input_read_all(text, INPUT_LIMIT, error);
    }
    status = file_open(path, &fd, error);
    if (status == STATUS_OK) {
        status = file_read(fd, path, INPUT_LIMIT, text, &seen, error);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return status == STATUS_OK ? STATUS_OK : STATUS_FAILED;
}

/* Imports from a text into a store that is open. */
static enum status import_text(struct import *import, const struct buffer *text,
                               enum foreign_format format, bool in_place, struct error *error)
{
    const struct foreign_source source = {.name = import->source,
                                          .text = text->size > 0 ? text->bytes : "",
                                          .size = text->size,
                                          .format = format};
    struct foreign_keys keys = {0};
    enum status status = foreign_keys_read(&keys, &source, error);

    if (status == STATUS_OK) {
        status = import_keys(import, &keys, error);
    }
    if (status == STATUS_OK) {
        status = commit(import, in_place, error);
    }
    foreign_keys_clear(&keys);
    return status;
}

static enum status import_file(struct import *import, const char *path, enum foreign_format format,
                               struct error *error)
{
    struct buffer text = {.secret = true};
    const bool in_place = strcmp(path, "-") != 0 && is_store(import->manager, path);
    enum status status = in_place ? STATUS_OK : read_source(path, &text, error);

    if (status == STATUS_OK && in_place) {
        status = manager_begin_foreign(import->manager, &import->store, &text, error);
        format = FOREIGN_PREDECESSOR;
    } else if (status == STATUS_OK) {
        status = manager_begin(import->manager, true, &import->store, error);
    }
    if (status == STATUS_OK) {
        status = import_text(import, &text, format, in_place, error);
    }
    buffer_clear(&text);
    return status;
}

enum status import_run(const struct cli_arguments *arguments, struct error *error)
{
    const char *path = arguments->operands[0];
    struct manager manager;
    struct import import = {.manager = &manager,
                            .source = strcmp(path, "-") == 0 ? "standard input" : path,
                            .is_input = strcmp(path, "-") == 0,
                            .allow_weak = cli_has(arguments, "allow-weak"),
                            .digests = {.key_size = DIGEST_SIZE},
                            .names = IMPORT_NAMES_INIT};
    enum foreign_format format;
    enum status status = manager_init(&manager, arguments, error);

    if (status == STATUS_OK) {
        status = foreign_format_read(cli_value(arguments, "format"), &format, error);
    }
    if (status == STATUS_OK) {
        status = import_file(&import, path, format, error);
    }
    key_set_clear(&import.digests);
    import_names_clear(&import.names);
    free(import.uses);
    store_abort(import.store);
    manager_clear(&manager);
    return status;
}
