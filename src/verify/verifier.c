#include "verify/verifier.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/usage.h"
#include "verify/credential.h"
#include "verify/mode.h"
#include "verify/snapshot.h"
#include "verify/use_recorder.h"
#include "verify/verdict.h"

#include "base/banned.h"

#define CLOSE_FLUSH_TRIES 20
#define CLOSE_FLUSH_NAP_NS 10000000L

struct token_verifier {
    struct use_recorder recorder;
    pthread_mutex_t loading;   /* one thread loads, others wait for what it brings */
    pthread_rwlock_t lock;     /* of what follows; held for reading while a verdict is formed */
    struct settings *settings; /* neither is NULL once open, and only the holder of `loading` … */
    struct snapshot *snapshot; /* … puts others there, so it may look at them without the lock */
    struct verifier_loads loads;
    struct mode_past past;
};

static int64_t clock_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
    return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

static void settings_free(struct settings *settings)
{
    if (settings != NULL) {
        settings_clear(settings);
        free(settings);
    }
}

/* Loads what stands at the path, and says in `loads`, which the caller copied, how that went. */
static struct snapshot *load(const char *path, bool ever_there, struct verifier_loads *loads)
{
    struct timespec begun;
    struct timespec ended;
    struct snapshot *snapshot;

    (void)clock_gettime(CLOCK_MONOTONIC, &begun);
    snapshot = snapshot_load(path);
    (void)clock_gettime(CLOCK_MONOTONIC, &ended);
    loads->count++;
    loads->last_seconds = seconds_between(&begun, &ended);
    loads->failures += snapshot == NULL || (snapshot->status != STATUS_OK &&
                                            (snapshot->status != STATUS_NOT_FOUND || ever_there));
    return snapshot;
}

/* Of a load that brought nothing, for want of memory. `loading` is held. */
static void note_loads(struct token_verifier *verifier, const struct verifier_loads *loads)
{
    (void)pthread_rwlock_wrlock(&verifier->lock);
    verifier->loads = *loads;
    (void)pthread_rwlock_unlock(&verifier->lock);
}

/*
 * Puts what was loaded in the place of what was there: the snapshot, and with it the settings unless
 * they are NULL and stay. `loading` is held.
 */
static void replace(struct token_verifier *verifier, struct settings *settings,
                    struct snapshot *snapshot, const struct verifier_loads *loads)
{
    struct settings *old_settings = settings != NULL ? verifier->settings : NULL;
    struct snapshot *old = verifier->snapshot;

    (void)pthread_rwlock_wrlock(&verifier->lock);
    verifier->settings = settings != NULL ? settings : verifier->settings;
    verifier->snapshot = snapshot;
    verifier->loads = *loads;
    /* STATUS_FAILED is a lack of memory, which says nothing about the file. */
    verifier->past.ever_there =
        verifier->past.ever_there ||
        (snapshot->status != STATUS_NOT_FOUND && snapshot->status != STATUS_FAILED);
    (void)pthread_rwlock_unlock(&verifier->lock);
    if (old != NULL) {
        use_recorder_collect(&verifier->recorder, &old->index);
    }
    snapshot_free(old);
    settings_free(old_settings);
}

/*
 * Makes sure that the snapshot is no older than this call, and returns with the lock held for
 * reading. False without the lock when there is no memory to load it.
 */
static bool lock_fresh(struct token_verifier *verifier)
{
    struct verifier_loads loads;
    struct snapshot *fresh = NULL;
    bool loaded = true;

    (void)pthread_rwlock_rdlock(&verifier->lock);
    if (!store_changed(verifier->settings->path, &verifier->snapshot->version)) {
        return true;
    }
    (void)pthread_rwlock_unlock(&verifier->lock);

    (void)pthread_mutex_lock(&verifier->loading);
    if (store_changed(verifier->settings->path, &verifier->snapshot->version)) {
        loads = verifier->loads;
        fresh = load(verifier->settings->path, verifier->past.ever_there, &loads);
        loaded = fresh != NULL;
    }
    if (fresh != NULL) {
        replace(verifier, NULL, fresh, &loads);
    } else if (!loaded) {
        note_loads(verifier, &loads);
    }
    if (loaded) {
        (void)pthread_rwlock_rdlock(&verifier->lock);
    }
    (void)pthread_mutex_unlock(&verifier->loading);
    return loaded;
}

/*
 * Reads the settings and the file that they name, and takes both. On failure nothing has changed.
 * `loading` is held, or nobody else knows the verifier yet.
 */
static enum status take_settings(struct token_verifier *verifier,
                                 const struct token_verifier_options *options, struct error *error)
{
    static const struct token_verifier_options defaults = {0};
    struct verifier_loads loads = verifier->loads;
    struct settings *settings = calloc(1, sizeof(*settings));
    struct snapshot *snapshot = NULL;
    enum status status;

    if (settings == NULL) {
        return error_no_memory(error);
    }
    status = settings_load(settings, options != NULL ? options : &defaults, error);
    if (status == STATUS_OK) {
        snapshot = load(settings->path, verifier->past.ever_there, &loads);
    }
    if (snapshot != NULL) {
        replace(verifier, settings, snapshot, &loads);
        return STATUS_OK;
    }
    settings_free(settings);
    return status == STATUS_OK ? error_no_memory(error) : status;
}

enum status verifier_open(struct token_verifier **out, const struct token_verifier_options *options,
                          struct error *error)
{
    struct token_verifier *verifier;
    enum status status = secret_init(error);

    *out = NULL;
    if (status != STATUS_OK) {
        return status;
    }
    verifier = calloc(1, sizeof(*verifier));
    if (verifier == NULL) {
        return error_no_memory(error);
    }
    use_recorder_init(&verifier->recorder);
    (void)pthread_mutex_init(&verifier->loading, NULL);
    (void)pthread_rwlock_init(&verifier->lock, NULL);
    status = take_settings(verifier, options, error);
    if (status != STATUS_OK) {
        token_verifier_close(verifier);
        return status;
    }
    *out = verifier;
    return STATUS_OK;
}

/* Copies a message, cut to what there is room for. */
static void write_message(char *message, size_t size, const char *text)
{
    if (size > 0) {
        const size_t length = strlen(text) < size ? strlen(text) : size - 1;

        memcpy(message, text, length);
        message[length] = '\0';
    }
}

bool token_verifier_open(struct token_verifier **verifier,
                         const struct token_verifier_options *options, char *message,
                         size_t message_size)
{
    struct error error = {""};
    const enum status status = verifier_open(verifier, options, &error);

    write_message(message, message_size, error.text);
    return status == STATUS_OK;
}

/* The token's scopes with blanks between; without any, what stands there stays. */
static void write_scopes(const struct digest_index *index, const struct index_token *token,
                         char scopes[static TOKEN_VERIFIER_SCOPES_SIZE])
{
    const char *scope = index->texts.bytes + token->scopes;
    size_t used = 0;

    for (uint32_t i = 0; i < token->scope_count; i++, scope += strlen(scope) + 1) {
        used += (size_t)snprintf(scopes + used, TOKEN_VERIFIER_SCOPES_SIZE - used, "%s%s",
                                 i > 0 ? " " : "", scope);
    }
}

static void write_identity(struct token_verifier_result *result, const char *id, const char *name)
{
    write_message(result->id, sizeof(result->id), id);
    write_message(result->name, sizeof(result->name), name);
}

/* Puts an answer into the public form. The lock is held. */
static void write_result(const struct token_verifier *verifier, const struct verdict_answer *answer,
                         struct token_verifier_result *result)
{
    const struct digest_index *index = &verifier->snapshot->index;
    char id[TOKEN_VERIFIER_ID_SIZE];

    result->reason = answer->reason;
    if (answer->reason != TOKEN_VERIFIER_NO_REASON) {
        write_message(result->message, sizeof(result->message), answer->help);
        if (answer->token != NULL) {
            write_message(result->refused_id, sizeof(result->refused_id), answer->token->id);
        }
        return;
    }
    result->verdict = TOKEN_VERIFIER_ACCEPTED;
    result->expires_at = answer->expires_at;
    memcpy(result->scopes, "*", 2);
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

/* Where the uses go: the caller frees. NULL where that cannot be told. */
static char *copy_usage_path(const struct settings *settings)
{
    struct error ignored;
    char *path = NULL;

    if (settings->usage != NULL) {
        return strdup(settings->usage);
    }
    return usage_path(settings->path, &path, &ignored) == STATUS_OK ? path : NULL;
}

/* Appends what was noted to where it belongs. */
static enum usage_result flush(struct token_verifier *verifier)
{
    struct usage_append append = {.now = clock_now()};
    enum usage_result result = USAGE_UNWRITABLE;
    char *path;

    (void)pthread_rwlock_rdlock(&verifier->lock);
    path = copy_usage_path(verifier->settings);
    append.create = verifier->settings->usage != NULL;
    append.size_limit = usage_size_limit(verifier->snapshot->index.token_count);
    (void)pthread_rwlock_unlock(&verifier->lock);
    append.path = path;
    if (path != NULL) {
        result = use_recorder_flush(&verifier->recorder, append);
    }
    free(path);
    return result;
}

bool token_verifier_flush(struct token_verifier *verifier)
{
    return flush(verifier) == USAGE_APPENDED;
}

/* Nobody is accepted; the large arrays are left as they are, but for their ends. */
static void init_result(struct token_verifier_result *result)
{
    result->verdict = TOKEN_VERIFIER_REFUSED;
    result->reason = TOKEN_VERIFIER_UNAVAILABLE;
    result->mode = TOKEN_VERIFIER_MODE_UNAVAILABLE;
    result->expires_at = TOKEN_VERIFIER_NEVER;
    result->id[0] = '\0';
    result->name[0] = '\0';
    result->scopes[0] = '\0';
    result->message[0] = '\0';
    result->refused_id[0] = '\0';
    memset(result->reserved, 0, sizeof(result->reserved));
}

enum token_verifier_verdict verifier_check_at(struct token_verifier *verifier,
                                              const struct token_verifier_request *request,
                                              int64_t now, struct token_verifier_result *result)
{
    const struct verdict_question question = make_question(request);
    struct verdict_situation situation = {.now = now};
    struct verdict_answer answer;
    struct error why;

    init_result(result);
    if (!lock_fresh(verifier)) {
        write_message(result->message, sizeof(result->message), "out of memory");
        return result->verdict;
    }
    situation.mode = mode_decide(verifier->settings, verifier->snapshot, &verifier->past, &why);
    situation.key = verifier->settings->key;
    situation.index = &verifier->snapshot->index;
    answer = verdict_decide(&situation, &question);
    result->mode = situation.mode;
    write_result(verifier, &answer, result);
    if (result->reason == TOKEN_VERIFIER_UNAVAILABLE) {
        write_message(result->message, sizeof(result->message), why.text);
    }
    if (result->verdict == TOKEN_VERIFIER_ACCEPTED && answer.token != NULL) {
        use_recorder_note(&verifier->recorder, answer.token, now);
    }
    (void)pthread_rwlock_unlock(&verifier->lock);
    if (use_recorder_is_due(&verifier->recorder, now)) {
        (void)flush(verifier);
    }
    return result->verdict;
}

enum token_verifier_verdict token_verifier_check(struct token_verifier *verifier,
                                                 const struct token_verifier_request *request,
                                                 struct token_verifier_result *result)
{
    return verifier_check_at(verifier, request, clock_now(), result);
}

enum token_verifier_mode token_verifier_current_mode(struct token_verifier *verifier, char *message,
                                                     size_t message_size)
{
    enum token_verifier_mode mode = TOKEN_VERIFIER_MODE_UNAVAILABLE;
    struct error why = {"out of memory"};

    if (lock_fresh(verifier)) {
        mode = mode_decide(verifier->settings, verifier->snapshot, &verifier->past, &why);
        (void)pthread_rwlock_unlock(&verifier->lock);
    }
    write_message(message, message_size, why.text);
    return mode;
}

static enum token_status index_token_status(const struct index_token *token, int64_t now)
{
    if (token->revoked) {
        return TOKEN_REVOKED;
    }
    return token->expires_at != TIME_NONE && token->expires_at <= now ? TOKEN_EXPIRED
                                                                      : TOKEN_ACTIVE;
}

static void report_tokens(const struct snapshot *snapshot, const struct settings_key *key,
                          int64_t now, struct verifier_report *report)
{
    const struct digest_index *index = &snapshot->index;
    size_t *const counts[] = {[TOKEN_ACTIVE] = &report->active,
                              [TOKEN_REVOKED] = &report->revoked,
                              [TOKEN_EXPIRED] = &report->expired};
    struct index_match match;

    for (size_t i = 0; i < index->token_count; i++) {
        ++*counts[index_token_status(&index->tokens[i], now)];
    }
    report->newest = index->token_count > 0 ? index->newest : TIME_NONE;
    report->key_is_known = key != NULL && digest_index_find(index, key->digest, &match);
    if (report->key_is_known) {
        report->key_status = index_token_status(match.token, now);
    }
}

struct verifier_loads verifier_loads(struct token_verifier *verifier)
{
    struct verifier_loads loads;

    (void)pthread_rwlock_rdlock(&verifier->lock);
    loads = verifier->loads;
    (void)pthread_rwlock_unlock(&verifier->lock);
    return loads;
}

void verifier_report(struct token_verifier *verifier, int64_t now, struct verifier_report *report)
{
    const bool fresh = lock_fresh(verifier);

    *report = (struct verifier_report){.error = {"out of memory"}, .newest = TIME_NONE};
    if (!fresh) {
        (void)pthread_rwlock_rdlock(&verifier->lock);
    }
    report->settings = verifier->settings;
    report->loads = verifier->loads;
    if (fresh) {
        report->mode =
            mode_decide(verifier->settings, verifier->snapshot, &verifier->past, &report->error);
        report->is_readable = verifier->snapshot->status == STATUS_OK;
        report->has_stat = verifier->snapshot->version.kind == STORE_VERSION_FILE;
        report->file = verifier->snapshot->version.seen;
        report_tokens(verifier->snapshot, verifier->settings->key, now, report);
    }
    (void)pthread_rwlock_unlock(&verifier->lock);
}

char *verifier_usage_path(struct token_verifier *verifier)
{
    char *path;

    (void)pthread_rwlock_rdlock(&verifier->lock);
    path = copy_usage_path(verifier->settings);
    (void)pthread_rwlock_unlock(&verifier->lock);
    return path;
}

enum status verifier_reread(struct token_verifier *verifier,
                            const struct token_verifier_options *options, struct error *error)
{
    struct error ignored;
    enum status status;
    bool on;

    (void)flush(verifier); /* to where it belongs, before that may become another place */
    (void)pthread_mutex_lock(&verifier->loading);
    /* What was on stays on: a variable that is gone opens the door no more than a file that is. */
    on = mode_decide(verifier->settings, verifier->snapshot, &verifier->past, &ignored) !=
         TOKEN_VERIFIER_MODE_OPEN;
    (void)pthread_rwlock_wrlock(&verifier->lock);
    verifier->past.ever_on = verifier->past.ever_on || on;
    (void)pthread_rwlock_unlock(&verifier->lock);
    status = take_settings(verifier, options, error);
    (void)pthread_mutex_unlock(&verifier->loading);
    return status;
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
        for (int i = 0; i < CLOSE_FLUSH_TRIES && flush(verifier) == USAGE_BUSY; i++) {
            (void)nanosleep(&nap, NULL);
        }
    }
    snapshot_free(verifier->snapshot);
    use_recorder_clear(&verifier->recorder);
    settings_free(verifier->settings);
    (void)pthread_mutex_destroy(&verifier->loading);
    (void)pthread_rwlock_destroy(&verifier->lock);
    free(verifier);
}
