#include "verify/verifier.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "store/store.h"
#include "verify/credential.h"
#include "verify/digest_index.h"
#include "verify/use_recorder.h"
#include "verify/verdict.h"

#include "base/banned.h"

#define CLOSE_FLUSH_TRIES 100
#define CLOSE_FLUSH_NAP_NS 10000000L

/* One loading of the file: what it held, or why it could not be had. */
struct snapshot {
    struct store_version version;
    enum status status; /* STATUS_NOT_FOUND: there is no file */
    struct error error;
    struct digest_index index;
};

struct token_verifier {
    struct settings settings;
    struct use_recorder recorder;
    pthread_mutex_t loading;   /* one thread loads, others wait for what it brings */
    pthread_rwlock_t lock;     /* of what follows; held for reading while a verdict is formed */
    struct snapshot *snapshot; /* never NULL once open */
    bool ever_loaded;          /* from then on a missing file is a fault */
};

static int64_t clock_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

static void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot != NULL) {
        store_version_clear(&snapshot->version);
        digest_index_clear(&snapshot->index);
        free(snapshot);
    }
}

static enum status take_token(void *context, struct token *token, size_t at, size_t size,
                              struct error *error)
{
    (void)at;
    (void)size;
    return digest_index_add(context, token, error);
}

/* NULL only without memory. */
static struct snapshot *snapshot_load(const char *path)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

    if (snapshot != NULL) {
        const struct token_json_sink sink = {take_token, &snapshot->index};

        snapshot->status = store_load(path, &sink, &snapshot->version, &snapshot->error);
        if (snapshot->status != STATUS_OK) {
            digest_index_clear(&snapshot->index); /* half a file is no file */
        }
    }
    return snapshot;
}

/* Puts a snapshot in the place of the one before. */
static void replace_snapshot(struct token_verifier *verifier, struct snapshot *snapshot)
{
    struct snapshot *old;

    (void)pthread_rwlock_wrlock(&verifier->lock);
    old = verifier->snapshot;
    verifier->snapshot = snapshot;
    verifier->ever_loaded = verifier->ever_loaded || snapshot->status == STATUS_OK;
    (void)pthread_rwlock_unlock(&verifier->lock);
    if (old != NULL) {
        use_recorder_collect(&verifier->recorder, &old->index);
    }
    snapshot_free(old);
}

/*
 * Makes sure that the snapshot is no older than this call, and returns with the lock held for
 * reading. False without the lock when there is no memory to load it.
 */
static bool lock_fresh(struct token_verifier *verifier)
{
    struct snapshot *fresh = NULL;
    bool loaded = true;

    (void)pthread_rwlock_rdlock(&verifier->lock);
    if (!store_changed(verifier->settings.path, &verifier->snapshot->version)) {
        return true;
    }
    (void)pthread_rwlock_unlock(&verifier->lock);

    (void)pthread_mutex_lock(&verifier->loading);
    /* Only the holder of `loading` replaces the snapshot, so it may look without the other lock. */
    if (store_changed(verifier->settings.path, &verifier->snapshot->version)) {
        fresh = snapshot_load(verifier->settings.path);
        loaded = fresh != NULL;
    }
    if (fresh != NULL) {
        replace_snapshot(verifier, fresh);
    }
    if (loaded) {
        (void)pthread_rwlock_rdlock(&verifier->lock);
    }
    (void)pthread_mutex_unlock(&verifier->loading);
    return loaded;
}

/* Without a file: open only if nothing speaks against it, and never once there was one. */
static enum token_verifier_mode mode_without_file(const struct token_verifier *verifier,
                                                  struct error *error)
{
    const struct settings *settings = &verifier->settings;

    error->text[0] = '\0';
    if (verifier->ever_loaded) {
        (void)error_set(error, STATUS_STORE,
                        "%s is gone; a running verifier does not take that for \"off\": restore "
                        "it, or restart the verifier",
                        settings->path);
    } else if (settings->path_source != SETTINGS_UNSET && !settings->allow_open) {
        (void)error_set(error, STATUS_STORE,
                        "%s does not exist, but was named by %s; create it with: token_manager "
                        "--file %s create NAME",
                        settings->path,
                        settings->path_source == SETTINGS_OPTION ? "an option" : "API_TOKENS_FILE",
                        settings->path);
    } else if (settings_has_key_variable(settings)) {
        return TOKEN_VERIFIER_MODE_ENVIRONMENT;
    } else if (settings->require_auth) {
        (void)error_set(error, STATUS_STORE,
                        "there is neither %s nor an environment key, so authentication would be "
                        "off, and it is required",
                        settings->path);
    } else {
        return TOKEN_VERIFIER_MODE_OPEN;
    }
    return TOKEN_VERIFIER_MODE_UNAVAILABLE;
}

/* What decides now, and why if nothing can. The lock is held. */
static enum token_verifier_mode current_mode(const struct token_verifier *verifier,
                                             struct error *error)
{
    const struct snapshot *snapshot = verifier->snapshot;

    error->text[0] = '\0';
    if (snapshot->status == STATUS_OK) {
        return verifier->settings.key != NULL ? TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT
                                              : TOKEN_VERIFIER_MODE_FILE;
    }
    if (snapshot->status == STATUS_NOT_FOUND) {
        return mode_without_file(verifier, error);
    }
    *error = snapshot->error;
    return TOKEN_VERIFIER_MODE_UNAVAILABLE;
}

enum status verifier_open(struct token_verifier **out, const struct token_verifier_options *options,
                          struct error *error)
{
    static const struct token_verifier_options defaults = {0};
    struct token_verifier *verifier;
    enum status status = secret_init(error);

    *out = NULL;
    if (status != STATUS_OK) {
        return status;
    }
    verifier = calloc(1, sizeof(*verifier));
    if (verifier == NULL) {
        return error_set(error, STATUS_STORE, "out of memory");
    }
    use_recorder_init(&verifier->recorder);
    (void)pthread_mutex_init(&verifier->loading, NULL);
    (void)pthread_rwlock_init(&verifier->lock, NULL);
    status = settings_load(&verifier->settings, options != NULL ? options : &defaults, error);
    if (status == STATUS_OK) {
        struct snapshot *snapshot = snapshot_load(verifier->settings.path);

        if (snapshot == NULL) {
            status = error_set(error, STATUS_STORE, "out of memory");
        } else {
            replace_snapshot(verifier, snapshot);
        }
    }
    if (status != STATUS_OK) {
        token_verifier_close(verifier);
        return status;
    }
    *out = verifier;
    return STATUS_OK;
}

bool token_verifier_open(struct token_verifier **verifier,
                         const struct token_verifier_options *options, char *message)
{
    struct error error = {""};
    const enum status status = verifier_open(verifier, options, &error);

    (void)snprintf(message, TOKEN_VERIFIER_MESSAGE_SIZE, "%.*s", TOKEN_VERIFIER_MESSAGE_SIZE - 1,
                   error.text);
    return status == STATUS_OK;
}

/* The token's scopes with blanks between, "*" for none. */
static void write_scopes(const struct digest_index *index, const struct index_token *token,
                         char scopes[static TOKEN_VERIFIER_SCOPES_SIZE])
{
    const char *scope = index->texts.bytes + token->scopes;
    size_t used = 0;

    if (token->scope_count == 0) {
        memcpy(scopes, "*", 2);
    }
    for (uint32_t i = 0; i < token->scope_count; i++, scope += strlen(scope) + 1) {
        used += (size_t)snprintf(scopes + used, TOKEN_VERIFIER_SCOPES_SIZE - used, "%s%s",
                                 i > 0 ? " " : "", scope);
    }
}

static void write_identity(struct token_verifier_result *result, const char *id, const char *name)
{
    (void)snprintf(result->id, sizeof(result->id), "%s", id);
    (void)snprintf(result->name, sizeof(result->name), "%s", name);
    memcpy(result->scopes, "*", 2);
}

/* Puts an answer into the public form. The lock is held. */
static void write_result(const struct token_verifier *verifier, const struct verdict_answer *answer,
                         struct token_verifier_result *result)
{
    const struct digest_index *index = &verifier->snapshot->index;
    char id[TOKEN_VERIFIER_ID_SIZE];

    result->reason = answer->reason;
    result->help = answer->help;
    if (answer->reason != TOKEN_VERIFIER_NO_REASON) {
        return;
    }
    result->verdict = TOKEN_VERIFIER_ACCEPTED;
    result->expires_at = answer->expires_at;
    if (answer->token != NULL) {
        write_identity(result, answer->token->id, digest_index_name(index, answer->token));
        write_scopes(index, answer->token, result->scopes);
    } else if (answer->key != NULL) {
        (void)snprintf(id, sizeof(id), "env:%s", answer->key->variable);
        write_identity(result, id, answer->key->variable);
    } else {
        write_identity(result, "anonymous", "anonymous");
    }
}

static struct verdict_question make_question(const struct token_verifier_request *request)
{
    struct verdict_question question = {.scopes = request->scopes,
                                        .scope_count = request->scope_count};

    if (request->credential == NULL) {
        question.found =
            credential_from_headers(request->headers, request->header_count, &question.credential);
    } else {
        question.found = credential_from_value(request->credential, request->credential_size,
                                               &question.credential);
    }
    return question;
}

/* Where uses are recorded, and how. The caller frees `append->path`. */
static bool usage_target(struct token_verifier *verifier, struct usage_append *append, char **path)
{
    const struct settings *settings = &verifier->settings;
    struct error ignored;
    char *resolved = NULL;

    *path = NULL;
    *append = (struct usage_append){.create = settings->usage != NULL, .create_time = clock_now()};
    if (settings->usage != NULL) {
        *path = strdup(settings->usage);
    } else if (file_resolve(settings->path, &resolved, &ignored) == STATUS_OK) {
        *path = file_name_join(resolved, ".usage");
    }
    free(resolved);
    (void)pthread_rwlock_rdlock(&verifier->lock);
    append->size_limit = usage_size_limit(verifier->snapshot->index.token_count);
    (void)pthread_rwlock_unlock(&verifier->lock);
    append->path = *path;
    return *path != NULL;
}

bool token_verifier_flush(struct token_verifier *verifier)
{
    struct usage_append append;
    char *path;
    bool flushed = usage_target(verifier, &append, &path);

    flushed = flushed && use_recorder_flush(&verifier->recorder, append, append.create_time);
    free(path);
    return flushed;
}

enum token_verifier_verdict verifier_check_at(struct token_verifier *verifier,
                                              const struct token_verifier_request *request,
                                              int64_t now, struct token_verifier_result *result)
{
    const struct verdict_question question = make_question(request);
    struct verdict_situation situation = {.key = verifier->settings.key, .now = now};
    struct verdict_answer answer;
    struct error ignored;

    *result = (struct token_verifier_result){.verdict = TOKEN_VERIFIER_REFUSED,
                                             .reason = TOKEN_VERIFIER_UNAVAILABLE,
                                             .expires_at = TOKEN_VERIFIER_NEVER,
                                             .help = "out of memory"};
    if (!lock_fresh(verifier)) {
        return result->verdict;
    }
    situation.mode = current_mode(verifier, &ignored);
    situation.index = &verifier->snapshot->index;
    answer = verdict_decide(&situation, &question);
    result->mode = situation.mode;
    write_result(verifier, &answer, result);
    if (result->verdict == TOKEN_VERIFIER_ACCEPTED && answer.token != NULL) {
        use_recorder_note(&verifier->recorder, answer.token, now);
    }
    (void)pthread_rwlock_unlock(&verifier->lock);
    if (use_recorder_is_due(&verifier->recorder, now)) {
        (void)token_verifier_flush(verifier);
    }
    return result->verdict;
}

enum token_verifier_verdict token_verifier_check(struct token_verifier *verifier,
                                                 const struct token_verifier_request *request,
                                                 struct token_verifier_result *result)
{
    return verifier_check_at(verifier, request, clock_now(), result);
}

enum token_verifier_mode token_verifier_mode(struct token_verifier *verifier, char *message)
{
    enum token_verifier_mode mode = TOKEN_VERIFIER_MODE_UNAVAILABLE;
    struct error error = {"out of memory"};

    if (lock_fresh(verifier)) {
        mode = current_mode(verifier, &error);
        (void)pthread_rwlock_unlock(&verifier->lock);
    }
    if (message != NULL) {
        (void)snprintf(message, TOKEN_VERIFIER_MESSAGE_SIZE, "%.*s",
                       TOKEN_VERIFIER_MESSAGE_SIZE - 1, error.text);
    }
    return mode;
}

/* Counts by status. */
static void count_tokens(const struct digest_index *index, int64_t now,
                         struct verifier_report *report)
{
    for (size_t i = 0; i < index->token_count; i++) {
        const struct index_token *token = &index->tokens[i];

        if (token->revoked) {
            report->revoked++;
        } else if (token->expires_at != TIME_NONE && token->expires_at <= now) {
            report->expired++;
        } else {
            report->active++;
        }
    }
}

void verifier_report(struct token_verifier *verifier, int64_t now, struct verifier_report *report)
{
    const struct settings_key *key = verifier->settings.key;
    struct index_match match;

    *report = (struct verifier_report){
        .settings = &verifier->settings, .error = {"out of memory"}, .newest = TIME_NONE};
    if (!lock_fresh(verifier)) {
        return;
    }
    const struct snapshot *snapshot = verifier->snapshot;
    report->mode = current_mode(verifier, &report->error);
    report->file_exists = snapshot->status == STATUS_OK;
    report->file = snapshot->version.seen;
    report->newest = snapshot->index.token_count > 0 ? snapshot->index.newest : TIME_NONE;
    count_tokens(&snapshot->index, now, report);
    report->key_is_revoked = key != NULL &&
                             digest_index_find(&snapshot->index, key->digest, &match) &&
                             match.token->revoked;
    (void)pthread_rwlock_unlock(&verifier->lock);
}

void token_verifier_close(struct token_verifier *verifier)
{
    const struct timespec nap = {0, CLOSE_FLUSH_NAP_NS};

    if (verifier == NULL) {
        return;
    }
    if (verifier->snapshot != NULL) {
        use_recorder_collect(&verifier->recorder, &verifier->snapshot->index);
        /* The last chance: others hold the usage file's lock for moments only. */
        for (int i = 0; i < CLOSE_FLUSH_TRIES && verifier->recorder.count > 0 &&
                        !token_verifier_flush(verifier);
             i++) {
            (void)nanosleep(&nap, NULL);
        }
    }
    snapshot_free(verifier->snapshot);
    use_recorder_clear(&verifier->recorder);
    settings_clear(&verifier->settings);
    (void)pthread_mutex_destroy(&verifier->loading);
    (void)pthread_rwlock_destroy(&verifier->lock);
    free(verifier);
}

const char *token_verifier_reason_text(enum token_verifier_reason reason)
{
    static const char *const texts[] = {
        [TOKEN_VERIFIER_NO_REASON] = "accepted",
        [TOKEN_VERIFIER_UNAVAILABLE] = "unavailable",
        [TOKEN_VERIFIER_MISSING] = "missing",
        [TOKEN_VERIFIER_REVOKED] = "revoked",
        [TOKEN_VERIFIER_EXPIRED] = "expired",
        [TOKEN_VERIFIER_SCOPE] = "scope",
        [TOKEN_VERIFIER_MALFORMED] = "malformed",
        [TOKEN_VERIFIER_ID_NOT_TOKEN] = "id_not_token",
        [TOKEN_VERIFIER_JWT_NOT_TOKEN] = "jwt_not_token",
        [TOKEN_VERIFIER_DIGEST_NOT_TOKEN] = "digest_not_token",
        [TOKEN_VERIFIER_UNKNOWN] = "unknown",
    };

    return texts[reason];
}

const char *token_verifier_mode_text(enum token_verifier_mode mode)
{
    static const char *const texts[] = {
        [TOKEN_VERIFIER_MODE_UNAVAILABLE] = "unavailable",
        [TOKEN_VERIFIER_MODE_OPEN] = "open",
        [TOKEN_VERIFIER_MODE_ENVIRONMENT] = "environment",
        [TOKEN_VERIFIER_MODE_FILE] = "file",
        [TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT] = "file+environment",
    };

    return texts[mode];
}
