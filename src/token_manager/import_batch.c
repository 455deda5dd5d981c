#include "token_manager/import_batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/progress.h"
#include "token/token_text.h"

#include "base/banned.h"

#define WEAK_LENGTH 20 /* below this a key may be guessed from its digest */

/* Notes a secret as a record's. `*owner` is the record that has it, this one or another. */
static enum key_set_result take_digest(struct import_batch *batch,
                                       const uint8_t digest[static DIGEST_SIZE], size_t record,
                                       size_t *owner)
{
    size_t number;
    const enum key_set_result result = key_set_add(&batch->digests, digest, &number);

    if (result == KEY_SET_ADDED && number >= batch->owner_capacity) {
        size_t *owners = array_grow(batch->owners, &batch->owner_capacity, sizeof(*batch->owners));

        if (owners == NULL) {
            return KEY_SET_NO_MEMORY;
        }
        batch->owners = owners;
    }
    if (result == KEY_SET_ADDED) {
        batch->owners[number] = record;
    }
    *owner = result == KEY_SET_NO_MEMORY ? record : batch->owners[number];
    return result;
}

/* Whether a name is one of the secrets that are there or come. */
static bool is_secret(const struct import_batch *batch, const char *name)
{
    uint8_t digest[DIGEST_SIZE];
    size_t number;

    secret_digest(digest, name, strlen(name));
    return key_set_find(&batch->digests, digest, &number);
}

/* Word of a name that is another than it was. */
static void note_name(struct import_batch *batch, const struct foreign_key *key, const char *name)
{
    struct text_quoted quoted;

    if (key->is_named && is_secret(batch, key->name)) {
        buffer_appendf(&batch->notes, "%s:%zu: the name is a key itself; it became \"%s\"\n",
                       batch->source, key->line, name);
    } else if (key->is_named && key->name[0] == '\0') {
        buffer_appendf(&batch->notes,
                       "%s:%zu: the name cannot be kept as it is; it became \"%s\"\n",
                       batch->source, key->line, name);
    } else if (key->is_named && strcmp(key->name, name) != 0) {
        buffer_appendf(&batch->notes, "%s:%zu: the name %s became \"%s\"\n", batch->source,
                       key->line, text_quote(&quoted, key->name, strlen(key->name)), name);
    }
}

/* A key that is there already keeps what is said of it there; where that is another thing, say so. */
static void note_skipped(struct import_batch *batch, const struct foreign_key *key, size_t owner)
{
    const struct token *token = &batch->tokens->records[owner].token;
    const enum token_status status = token_status(token, batch->now);

    batch->skipped++;
    if (key->active != (status == TOKEN_ACTIVE)) {
        buffer_appendf(&batch->notes,
                       "%s:%zu: this key is %s; in the store it is \"%s\" (%s), which is %s and "
                       "stays so\n",
                       batch->source, key->line, key->active ? "active" : "not active", token->name,
                       token->id, token_status_text(status));
    }
}

static enum status check_strength(const struct import_batch *batch, const struct foreign_key *key,
                                  struct error *error)
{
    if (strlen(key->text) >= WEAK_LENGTH || batch->allow_weak) {
        return STATUS_OK;
    }
    return error_set(error, STATUS_FAILED,
                     "%s:%zu: the key has only %zu characters, and a fast digest does not protect "
                     "what can be guessed; replace it with a new token, or give --allow-weak",
                     batch->source, key->line, strlen(key->text));
}

/* The name to give: none that is itself a secret of this import. */
static enum status choose_name(struct import_batch *batch, const struct foreign_key *key,
                               size_t position, char name[static TOKEN_NAME_SIZE],
                               struct error *error)
{
    return import_names_choose(&batch->names, is_secret(batch, key->name) ? "" : key->name,
                               position, name, error);
}

static enum status fill_token(struct import_batch *batch, const struct foreign_key *key,
                              const char *name, struct token *token, struct error *error)
{
    const int64_t now = batch->now;

    token_make_id(token->id);
    token_text_prefix(key->text, strlen(key->text), token->secret.prefix);
    token->created_at = key->created_at != TIME_NONE ? key->created_at : now;
    token->revoked_at = key->active ? TIME_NONE : now;
    token->name = strdup(name);
    if (key->last_used != TIME_NONE) {
        struct usage_entry *use = &batch->uses[batch->use_count++];

        memcpy(use->id, token->id, sizeof(use->id));
        use->time = key->last_used;
    }
    return token->name != NULL ? STATUS_OK : error_no_memory(error);
}

static enum status import_key(struct import_batch *batch, const struct foreign_key *key,
                              size_t position, struct error *error)
{
    struct token_set *tokens = batch->tokens;
    char name[TOKEN_NAME_SIZE];
    struct token token;
    enum key_set_result known;
    size_t owner;
    enum status status = check_strength(batch, key, error);

    if (status != STATUS_OK) {
        return status;
    }
    token_init(&token);
    secret_digest(token.secret.digest, key->text, strlen(key->text));
    known = take_digest(batch, token.secret.digest, tokens->count, &owner);
    if (known == KEY_SET_PRESENT) {
        note_skipped(batch, key, owner);
        return STATUS_OK;
    }
    status = known == KEY_SET_ADDED ? choose_name(batch, key, position, name, error)
                                    : error_no_memory(error);
    if (status == STATUS_OK) {
        note_name(batch, key, name);
        status = fill_token(batch, key, name, &token, error);
    }
    if (status == STATUS_OK) {
        status = token_set_add(tokens, &token, NULL, error);
    }
    token_clear(&token);
    return status;
}

/* What is in the store already, so that nothing comes twice. */
static enum status note_present(struct import_batch *batch, struct error *error)
{
    const struct token_set *tokens = batch->tokens;
    enum status status = STATUS_OK;
    size_t owner;

    for (size_t i = 0; i < tokens->count && status == STATUS_OK; i++) {
        const struct token *token = &tokens->records[i].token;
        bool noted = take_digest(batch, token->secret.digest, i, &owner) != KEY_SET_NO_MEMORY;

        for (size_t p = 0; p < token->previous_count && noted; p++) {
            noted = take_digest(batch, token->previous[p].digest, i, &owner) != KEY_SET_NO_MEMORY;
        }
        status = noted ? STATUS_OK : error_no_memory(error);
        if (status == STATUS_OK && token->revoked_at == TIME_NONE) {
            status = import_names_take(&batch->names, token->name, error);
        }
    }
    return status;
}

enum status import_batch_add(struct import_batch *batch, const struct foreign_keys *keys,
                             struct error *error)
{
    struct progress progress;
    enum status status;

    batch->first = batch->tokens->count;
    batch->uses = calloc(keys->count + 1, sizeof(*batch->uses));
    status = batch->uses != NULL ? note_present(batch, error) : error_no_memory(error);
    progress_begin(&progress, "keys", keys->count);
    for (size_t i = 0; i < keys->count && status == STATUS_OK; i++) {
        status = import_key(batch, &keys->items[i], i + 1, error);
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    return status;
}

void import_batch_clear(struct import_batch *batch)
{
    key_set_clear(&batch->digests);
    import_names_clear(&batch->names);
    buffer_clear(&batch->notes);
    free(batch->owners);
    free(batch->uses);
}
