/*
 * Eight threads that check tokens without end, while another process creates and revokes them:
 *
 *     hammer MANAGER FILE STEADY ROUNDS
 *
 * FILE holds the token STEADY, which nobody touches. Each round creates a token, revokes it,
 * restores it and revokes it again, and waits after each step until it was checked often enough.
 * Nobody may find a token refused that is live, or accepted after its revoke has returned.
 */
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "verify/token_verifier.h"

#define THREADS 8
#define ROUNDS_MOST 100
#define CHECKS_EACH 100 /* of the newest token, after each step */
#define SECRET_SIZE 128

extern char **environ;

/* What may be said of a token. Its number only grows, so the same before and after means all along. */
enum step {
    NOT_YET,
    LIVE,
    REVOKING,
    DEAD,
    RESTORING,
    LIVE_AGAIN,
    REVOKING_AGAIN,
    DEAD_AGAIN,
    STEPS,
};

struct subject {
    char secret[SECRET_SIZE]; /* written before the step is LIVE, and never after */
    _Atomic enum step step;
    atomic_uint checks[STEPS];
};

static struct subject subjects[ROUNDS_MOST];
static atomic_size_t subject_count;
static atomic_bool stop;
static atomic_uint wrong;
static const char *manager;
static const char *file;
static const char *steady;
static struct token_verifier *verifier;

static void complain(const char *what, const struct token_verifier_result *result)
{
    if (atomic_fetch_add(&wrong, 1) == 0) {
        (void)printf("%s: %s (%s)\n", what, token_verifier_reason_text(result->reason),
                     result->message);
    }
}

static enum token_verifier_verdict ask(const char *secret, struct token_verifier_result *result)
{
    const struct token_verifier_request request = {.credential = secret,
                                                   .credential_size = strlen(secret)};

    return token_verifier_check(verifier, &request, result);
}

/* The same by a header, which takes another way. */
static enum token_verifier_verdict ask_by_header(const char *secret,
                                                 struct token_verifier_result *result)
{
    const struct token_verifier_header header = {"X-Api-Key", 9, secret, strlen(secret)};
    const struct token_verifier_request request = {.headers = &header, .header_count = 1};

    return token_verifier_check(verifier, &request, result);
}

static void check_subject(struct subject *subject)
{
    struct token_verifier_result result;
    const enum step before = atomic_load(&subject->step);

    if (before == NOT_YET) {
        return;
    }
    const enum token_verifier_verdict verdict = ask(subject->secret, &result);
    if (atomic_load(&subject->step) != before) {
        return; /* either is right */
    }
    if ((before == LIVE || before == LIVE_AGAIN) && verdict != TOKEN_VERIFIER_ACCEPTED) {
        complain("a live token was refused", &result);
    } else if ((before == DEAD || before == DEAD_AGAIN) && verdict != TOKEN_VERIFIER_REFUSED) {
        complain("a revoked token was accepted", &result);
    } else if ((before == DEAD || before == DEAD_AGAIN) &&
               result.reason != TOKEN_VERIFIER_REVOKED) {
        complain("a revoked token was refused for another reason", &result);
    }
    atomic_fetch_add(&subject->checks[before], 1);
}

static void *hammer(void *number_of)
{
    const size_t number = *(const size_t *)number_of;
    struct token_verifier_result result;

    for (size_t i = number; !atomic_load(&stop); i++) {
        const size_t count = atomic_load(&subject_count);

        if (count > 0) {
            check_subject(&subjects[count - 1]);
            check_subject(&subjects[i % count]);
        }
        if (ask_by_header(steady, &result) != TOKEN_VERIFIER_ACCEPTED) {
            complain("the token that nobody touches was refused", &result);
        } else if (strcmp(result.name, "steady") != 0 || strcmp(result.scopes, "*") != 0) {
            complain("the token that nobody touches is another", &result);
        }
        if (ask("nobody-has-this-key", &result) != TOKEN_VERIFIER_REFUSED ||
            result.reason != TOKEN_VERIFIER_UNKNOWN) {
            complain("a stranger", &result);
        }
        if (token_verifier_current_mode(verifier, NULL, 0) != TOKEN_VERIFIER_MODE_FILE) {
            complain("the mode", &result);
        }
        if (i % THREADS == 0) {
            (void)token_verifier_flush(verifier);
        }
    }
    return NULL;
}

/* Ends the test where it cannot go on. */
static void give_up(const char *what)
{
    (void)printf("cannot %s\n", what);
    (void)fflush(stdout);
    _exit(EXIT_FAILURE);
}

/* Runs the manager on the file; what it prints goes to `out`, if there is one. */
static void manage(const char *command, const char *name, char *out, size_t size)
{
    const char *const arguments[] = {manager, "--file", file, command, name, NULL};
    posix_spawn_file_actions_t actions;
    size_t used = 0;
    ssize_t got = 1;
    int ends[2];
    int ended;
    pid_t child;

    if (pipe(ends) != 0 || posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) != 0 ||
        posix_spawn_file_actions_addclose(&actions, ends[0]) != 0 ||
        posix_spawn_file_actions_addclose(&actions, ends[1]) != 0 ||
        posix_spawn(&child, manager, &actions, NULL, (char *const *)arguments, environ) != 0) {
        give_up("run the manager");
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    while (got > 0 && used < size) {
        got = read(ends[0], out + used, size - used);
        used += got > 0 ? (size_t)got : 0;
    }
    (void)close(ends[0]);
    if (waitpid(child, &ended, 0) != child || !WIFEXITED(ended) || WEXITSTATUS(ended) != 0) {
        give_up(command);
    }
    if (size > 0) {
        out[used < size ? used : size - 1] = '\0';
        out[strcspn(out, "\n")] = '\0';
    }
}

static void step(struct subject *subject, enum step to)
{
    const struct timespec nap = {0, 1000000};

    atomic_store(&subject->step, to);
    while (to != REVOKING && to != RESTORING && to != REVOKING_AGAIN &&
           atomic_load(&subject->checks[to]) < CHECKS_EACH && atomic_load(&wrong) == 0) {
        (void)nanosleep(&nap, NULL);
    }
}

static void play_round(size_t number)
{
    struct subject *subject = &subjects[number];
    char name[32];

    (void)snprintf(name, sizeof(name), "subject-%zu", number);
    manage("create", name, subject->secret, sizeof(subject->secret));
    atomic_store(&subject_count, number + 1);
    step(subject, LIVE);
    step(subject, REVOKING);
    manage("revoke", name, NULL, 0);
    step(subject, DEAD);
    step(subject, RESTORING);
    manage("restore", name, NULL, 0);
    step(subject, LIVE_AGAIN);
    step(subject, REVOKING_AGAIN);
    manage("revoke", name, NULL, 0);
    step(subject, DEAD_AGAIN);
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    size_t numbers[THREADS];
    struct token_verifier_options options = {0};
    char message[TOKEN_VERIFIER_MESSAGE_SIZE];
    const size_t rounds = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;

    if (rounds == 0 || rounds > ROUNDS_MOST) {
        (void)fprintf(stderr, "usage: hammer MANAGER FILE STEADY ROUNDS\n");
        return EXIT_FAILURE;
    }
    manager = argv[1];
    file = argv[2];
    steady = argv[3];
    options.file = file;
    if (!token_verifier_open(&verifier, &options, message, sizeof(message))) {
        (void)printf("%s\n", message);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, hammer, &numbers[i]) != 0) {
            give_up("start a thread");
        }
    }
    for (size_t i = 0; i < rounds && atomic_load(&wrong) == 0; i++) {
        play_round(i);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    token_verifier_close(verifier);
    (void)printf("%u wrong\n", atomic_load(&wrong));
    return atomic_load(&wrong) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
