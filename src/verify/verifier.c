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
    struct settings settings;
    struct use_recorder recorder;
    pthread_mutex_t loading;   /* one thread loads, others wait for what it brings */
    pthread_rwlock_t lock;     /* of what follows; held for reading while a verdict is formed */
    struct snapshot *snapshot; /* never NULL once open */
    bool ever_there;           /* there was a file, if a bad one: now a missing one is a fault */
};

static int64_t clock_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

/* Puts a snapshot in the place of the one before. */
static void replace_snapshot(struct token_verifier *verifier, struct snapshot *snapshot)
{
    struct snapshot *old;

    (void)pthread_rwlock_wrlock(&verifier->lock);
    old = verifier->snapshot;
    verifier->snapshot = snapshot;
    verifier->ever_there = verifier->ever_there || snapshot->status != STATUS_NOT_FOUND;
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
        return error_no_memory(error);
    }
    use_recorder_init(&verifier->recorder);
    (void)pthread_mutex_init(&verifier->loading, NULL);
    (void)pthread_rwlock_init(&verifier->lock, NULL);
    status = settings_load(&verifier->settings, options != NULL ? options : &defaults, error);
    if (status == STATUS_OK) {
        struct snapshot *snapshot = snapshot_load(verifier->settings.path);

        if (snapshot == NULL) {
            status = error_no_memory(error);
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

/* Appends what was noted to where it belongs. */
static enum usage_result flush(struct token_verifier *verifier)
{
    const struct settings *settings = &verifier->settings;
    struct usage_append append = {.create = settings->usage != NULL, .now = clock_now()};
    struct error ignored;
    char *path = NULL;
    enum usage_result result;

    if (settings->usage == NULL && usage_path(settings->path, &path, &ignored) != STATUS_OK) {
        return USAGE_UNWRITABLE;
    }
    append.path = settings->usage != NULL ? settings->usage : path;
    (void)pthread_rwlock_rdlock(&verifier->lock);
    append.size_limit = usage_size_limit(verifier->snapshot->index.token_count);
    (void)pthread_rwlock_unlock(&verifier->lock);
    result = use_recorder_flush(&verifier->recorder, append);
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
    memset(result->reserved, 0, sizeof(result->reserved));
}

enum token_verifier_verdict verifier_check_at(struct token_verifier *verifier,
                                              const struct token_verifier_request *request,
                                              int64_t now, struct token_verifier_result *result)
{
    const struct verdict_question question = make_question(request);
    struct verdict_situation situation = {.key = verifier->settings.key, .now = now};
    struct verdict_answer answer;
    struct error why;

    init_result(result);
    if (!lock_fresh(verifier)) {
        write_message(result->message, sizeof(result->message), "out of memory");
        return result->verdict;
    }
    situation.mode =
        mode_decide(&verifier->settings, verifier->snapshot, verifier->ever_there, &why);
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
        mode = mode_decide(&verifier->settings, verifier->snapshot, verifier->ever_there, &why);
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

void verifier_report(struct token_verifier *verifier, int64_t now, struct verifier_report *report)
{
    *report = (struct verifier_report){
        .settings = &verifier->settings, .error = {"out of memory"}, .newest = TIME_NONE};
    if (!lock_fresh(verifier)) {
        return;
    }
    report->mode =
        mode_decide(&verifier->settings, verifier->snapshot, verifier->ever_there, &report->error);
    report->is_readable = verifier->snapshot->status == STATUS_OK;
    report->has_stat = verifier->snapshot->version.kind == STORE_VERSION_FILE;
    report->file = verifier->snapshot->version.seen;
    report_tokens(verifier->snapshot, verifier->settings.key, now, report);
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
        for (int i = 0; i < CLOSE_FLUSH_TRIES && flush(verifier) == USAGE_BUSY; i++) {
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
