#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
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
    enum foreign_format format;
    bool is_input; /* the source is standard input, which cannot be removed */
    bool in_place; /* the source is the token file itself */
    bool allow_weak;
    struct key_set digests; /* of the secrets that are there */
    size_t *owners;         /* by the digests' numbers: the record of each */
    size_t owner_capacity;
    struct import_names names;
    struct usage_entry *uses;
    size_t use_count;
    size_t first; /* the number of the first imported record */
    size_t skipped;
    struct buffer notes; /* what people should know, once it is done */
};

/* Notes a secret as a record's. `*owner` is the record that has it, this one or another. */
static enum key_set_result take_digest(struct import *import,
                                       const uint8_t digest[static DIGEST_SIZE], size_t record,
                                       size_t *owner)
{
    size_t number;
    const enum key_set_result result = key_set_add(&import->digests, digest, &number);

    if (result == KEY_SET_ADDED && number >= import->owner_capacity) {
        size_t *owners =
            array_grow(import->owners, &import->owner_capacity, sizeof(*import->owners));

        if (owners == NULL) {
            return KEY_SET_NO_MEMORY;
        }
        import->owners = owners;
    }
    if (result == KEY_SET_ADDED) {
        import->owners[number] = record;
    }
    *owner = result == KEY_SET_NO_MEMORY ? record : import->owners[number];
    return result;
}

/* Whether a name is one of the secrets that are there or come. */
static bool is_secret(const struct import *import, const char *name)
{
    uint8_t digest[DIGEST_SIZE];
    size_t number;

    secret_digest(digest, name, strlen(name));
    return key_set_find(&import->digests, digest, &number);
}

/* Word of a name that is another than it was. */
static void note_name(struct import *import, const struct foreign_key *key, const char *name)
{
    struct text_quoted quoted;

    if (key->is_named && is_secret(import, key->name)) {
        buffer_appendf(&import->notes, "%s:%zu: the name is a key itself; it became \"%s\"\n",
                       import->source, key->line, name);
    } else if (key->is_named && key->name[0] == '\0') {
        buffer_appendf(&import->notes,
                       "%s:%zu: the name is none that can be kept; it became \"%s\"\n",
                       import->source, key->line, name);
    } else if (key->is_named && strcmp(key->name, name) != 0) {
        buffer_appendf(&import->notes, "%s:%zu: the name %s became \"%s\"\n", import->source,
                       key->line, text_quote(&quoted, key->name, strlen(key->name)), name);
    }
}

/* A key that is there already keeps what is said of it there; where that is another thing, say so. */
static void note_skipped(struct import *import, const struct foreign_key *key, size_t owner)
{
    const struct token *token = &store_tokens(import->store)->records[owner].token;
    const enum token_status status = token_status(token, import->manager->now);

    import->skipped++;
    if (key->active != (status == TOKEN_ACTIVE)) {
        buffer_appendf(&import->notes,
                       "%s:%zu: this key is %s; in the store it is \"%s\" (%s), which is %s and "
                       "stays so\n",
                       import->source, key->line, key->active ? "active" : "not active",
                       token->name, token->id, token_status_text(status));
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

/* The name to give: none that is itself a secret of this import. */
static enum status choose_name(struct import *import, const struct foreign_key *key,
                               size_t position, char name[static TOKEN_NAME_SIZE],
                               struct error *error)
{
    return import_names_choose(&import->names, is_secret(import, key->name) ? "" : key->name,
                               position, name, error);
}

static enum status fill_token(struct import *import, const struct foreign_key *key,
                              const char *name, struct token *token, struct error *error)
{
    const int64_t now = import->manager->now;

    token_make_id(token->id);
    token_text_prefix(key->text, strlen(key->text), token->secret.prefix);
    token->created_at = key->created_at != TIME_NONE ? key->created_at : now;
    token->revoked_at = key->active ? TIME_NONE : now;
    token->name = strdup(name);
    if (key->last_used != TIME_NONE) {
        struct usage_entry *use = &import->uses[import->use_count++];

        memcpy(use->id, token->id, sizeof(use->id));
        use->time = key->last_used;
    }
    return token->name != NULL ? STATUS_OK : error_no_memory(error);
}

static enum status import_key(struct import *import, const struct foreign_key *key, size_t position,
                              struct error *error)
{
    struct token_set *tokens = store_tokens(import->store);
    char name[TOKEN_NAME_SIZE];
    struct token token;
    enum key_set_result known;
    size_t owner;
    enum status status = check_strength(import, key, error);

    if (status != STATUS_OK) {
        return status;
    }
    token_init(&token);
    secret_digest(token.secret.digest, key->text, strlen(key->text));
    known = take_digest(import, token.secret.digest, tokens->count, &owner);
    if (known == KEY_SET_PRESENT) {
        note_skipped(import, key, owner);
        return STATUS_OK;
    }
    status = known == KEY_SET_ADDED ? choose_name(import, key, position, name, error)
                                    : error_no_memory(error);
    if (status == STATUS_OK) {
        note_name(import, key, name);
        status = fill_token(import, key, name, &token, error);
    }
    if (status == STATUS_OK) {
        status = token_set_add(tokens, &token, NULL, error);
    }
    token_clear(&token);
    return status;
}

/* What is in the store already, so that nothing comes twice. */
static enum status note_present(struct import *import, struct error *error)
{
    const struct token_set *tokens = store_tokens(import->store);
    enum status status = STATUS_OK;
    size_t owner;

    for (size_t i = 0; i < tokens->count && status == STATUS_OK; i++) {
        const struct token *token = &tokens->records[i].token;
        bool noted = take_digest(import, token->secret.digest, i, &owner) != KEY_SET_NO_MEMORY;

        for (size_t p = 0; p < token->previous_count && noted; p++) {
            noted = take_digest(import, token->previous[p].digest, i, &owner) != KEY_SET_NO_MEMORY;
        }
        status = noted ? STATUS_OK : error_no_memory(error);
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
    enum status status;

    import->first = store_tokens(import->store)->count;
    import->uses = calloc(keys->count + 1, sizeof(*import->uses));
    status = import->uses != NULL ? note_present(import, error) : error_no_memory(error);
    progress_begin(&progress, "keys", keys->count);
    for (size_t i = 0; i < keys->count && status == STATUS_OK; i++) {
        status = import_key(import, &keys->items[i], i + 1, error);
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    return status;
}

/* Last uses go where verifiers write theirs. Without them the tokens are just as good. */
static void record_uses(struct import *import)
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
    if (import->use_count > 0 && usage_append_patiently(&append) != USAGE_APPENDED) {
        buffer_appendf(&import->notes, "The last uses could not be written to %s.\n", append.path);
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

static void report(struct import *import)
{
    const struct token_set *tokens = store_tokens(import->store);
    const size_t imported = tokens->count - import->first;
    struct buffer *notes = &import->notes;
    size_t revoked = 0;

    for (size_t i = import->first; i < tokens->count; i++) {
        revoked += tokens->records[i].token.revoked_at != TIME_NONE;
    }
    buffer_appendf(
        notes, "Imported %zu key%s into %s (revoked: %zu; skipped, already there: %zu)\n", imported,
        imported == 1 ? "" : "s", store_path(import->store), revoked, import->skipped);
    if (import->in_place) {
        buffer_append_text(notes,
                           "The file holds digests now. Copies and backups of the plain-text "
                           "file are still secrets:\nremove them, or guard them as such.\n");
    } else if (!import->is_input) {
        buffer_appendf(notes,
                       "%s still holds the keys in plain text, as do its copies and backups:\n"
                       "remove them, or guard them as secrets.\n",
                       import->source);
    }
    output_talk(notes->size > 0 ? notes->bytes : "", notes->size);
}

static enum status commit(struct import *import, struct error *error)
{
    const struct token_set *tokens = store_tokens(import->store);
    bool written = false;
    enum status status = STATUS_OK;

    /* A file in the old format is rewritten even if there is nothing in it. */
    if (tokens->count > import->first || import->in_place) {
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

static enum status read_source(const struct import *import, struct buffer *text,
                               struct error *error)
{
    struct stat seen;
    int fd = -1;
    enum status status;

    if (import->is_input) {
        return input_read_all(text, INPUT_LIMIT, error);
    }
    status = file_open(import->source, &fd, error);
    if (status == STATUS_OK) {
        status = file_read(fd, import->source, INPUT_LIMIT, text, &seen, error);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return status == STATUS_OK ? STATUS_OK : STATUS_FAILED;
}

/* Imports from a text into the store, which is open. */
static enum status import_text(struct import *import, const struct buffer *text,
                               struct error *error)
{
    const struct foreign_source source = {.name = import->source,
                                          .text = text->size > 0 ? text->bytes : "",
                                          .size = text->size,
                                          .format = import->format};
    struct foreign_keys keys = {0};
    enum status status = foreign_keys_read(&keys, &source, error);

    if (status == STATUS_OK && keys.count == 0 && !import->in_place) {
        status = error_set(error, STATUS_FAILED, "%s holds no key", import->source);
    }
    if (status == STATUS_OK) {
        status = import_keys(import, &keys, error);
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
            import->source);
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
        status = read_source(import, &text, error);
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
    struct import import = {.manager = &manager,
                            .source = path,
                            .is_input = strcmp(path, "-") == 0,
                            .allow_weak = cli_has(arguments, "allow-weak"),
                            .digests = {.key_size = DIGEST_SIZE},
                            .names = IMPORT_NAMES_INIT};
    enum status status = manager_init(&manager, arguments, error);

    if (status == STATUS_OK) {
        status = foreign_format_read(cli_value(arguments, "format"), &import.format, error);
    }
    if (status == STATUS_OK) {
        import.in_place = !import.is_input && is_store(&manager, path);
        import.source = import.is_input ? "standard input" : path;
        status = import_source(&import, error);
    }
    key_set_clear(&import.digests);
    import_names_clear(&import.names);
    buffer_clear(&import.notes);
    free(import.owners);
    free(import.uses);
    store_abort(import.store);
    manager_clear(&manager);
    return status;
}
