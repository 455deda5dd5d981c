/*
 * Writers at once: threads that run one token_manager after another on the same file, on tokens of
 * their own and on some that all of them want, and kill some of them.
 *
 *     writers PROGRAMS WRITERS CHANGES SEED
 *
 * PROGRAMS is the folder of the programs; the token file is made in the current folder. After every
 * command the writer looks whether what it was told is so. Tokens of a command that was killed may be
 * in either state, and are left alone from then on. Writes what it knows to the file `ledger`, with
 * tabs between:
 *
 *     done    NAME    ACTION            the command exited with 0, and had something to do
 *     killed  NAME    ACTION            it was killed
 *     final   STATE[,STATE]  NAME ...   so these tokens are in the end, all in the same state
 *
 * Prints what was counted, and the first thing that was wrong.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "command.h"
#include "verify/token_verifier.h"

#define WRITERS_MOST 256
#define GROUPS 4     /* of tokens, of each writer; the last one is made and changed as a batch */
#define GROUP_SIZE 3 /* tokens in that one */
#define SHARED 3     /* names that all want */
#define NAME_SIZE 32
#define SECRET_SIZE 128
#define OUTPUT_SIZE 4096
#define PATH_SIZE 4096
#define KILLED 137

enum state {
    ABSENT,
    ACTIVE,
    REVOKED
};

static const char *const state_names[] = {"absent", "active", "revoked"};

/* A secret that was printed, and whether it is to be accepted. */
struct claim {
    char secret[SECRET_SIZE];
    enum {
        GOOD,
        BAD,
        EITHER
    } is;
};

/* Tokens that are always in the same state. */
struct group {
    enum state state;
    size_t size;
    char names[GROUP_SIZE][NAME_SIZE];
    struct claim *claims[GROUP_SIZE]; /* of their secrets, unless absent */
    unsigned generation;
};

struct writer {
    size_t number;
    pthread_t thread;
    uint64_t random;
    struct group groups[GROUPS];
    struct claim *claims;
    size_t claim_count;
};

static const struct action {
    const char *name;
    enum state from;
    enum state to;
    const char *option;
    const char *value;
} actions[] = {
    {"create", ABSENT, ACTIVE, NULL, NULL},       {"revoke", ACTIVE, REVOKED, "--json", NULL},
    {"rotate", ACTIVE, ACTIVE, "--grace", "0"},   {"delete", ACTIVE, ABSENT, "--yes", "--json"},
    {"restore", REVOKED, ACTIVE, "--json", NULL}, {"delete", REVOKED, ABSENT, "--yes", "--json"},
};

#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static char manager[PATH_SIZE];
static size_t changes;
static struct token_verifier *verifier;
static FILE *ledger;
static pthread_mutex_t ledger_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint wrong;
static atomic_ulong done;
static atomic_ulong refused;
static atomic_ulong killed;
static atomic_ulong killed_with_lock;

static uint64_t pick(struct writer *writer, uint64_t below)
{
    writer->random = writer->random * 6364136223846793005U + 1442695040888963407U;
    return (writer->random >> 33) % below;
}

static void nap(uint64_t microseconds)
{
    const struct timespec time = {(time_t)(microseconds / 1000000),
                                  (long)(microseconds % 1000000) * 1000};

    (void)nanosleep(&time, NULL);
}

static void complain(const char *what, const char *about, int number)
{
    if (atomic_fetch_add(&wrong, 1) == 0) {
        (void)printf("%s: %s (%d)\n", about, what, number);
    }
}

static void note(const char *what, const char *first, const char *second)
{
    (void)pthread_mutex_lock(&ledger_lock);
    (void)fprintf(ledger, "%s\t%s\t%s\n", what, first, second);
    (void)pthread_mutex_unlock(&ledger_lock);
}

static void check(const struct claim *claim, const char *name)
{
    const struct token_verifier_request request = {.credential = claim->secret,
                                                   .credential_size = strlen(claim->secret)};
    struct token_verifier_result result;
    const bool accepted =
        token_verifier_check(verifier, &request, &result) == TOKEN_VERIFIER_ACCEPTED;

    if (claim->is == GOOD && (!accepted || strcmp(result.name, name) != 0)) {
        complain("its secret is refused", name, (int)result.reason);
    } else if (claim->is == BAD && accepted) {
        complain("a secret that it has no more is accepted", name, 0);
    }
}

static bool has_ended(pid_t child)
{
    siginfo_t found = {0};

    return waitid(P_PID, (id_t)child, &found, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           found.si_pid == child;
}

/* Whether it holds a lock, as far as this system tells. */
static bool holds_lock(pid_t child)
{
    char wanted[32];
    char line[256];
    bool found = false;
    FILE *locks = fopen("/proc/locks", "re");

    (void)snprintf(wanted, sizeof(wanted), " WRITE %ld ", (long)child);
    while (locks != NULL && !found && fgets(line, sizeof(line), locks) != NULL) {
        found = strstr(line, "FLOCK") != NULL && strstr(line, wanted) != NULL;
    }
    if (locks != NULL) {
        (void)fclose(locks);
    }
    return found;
}

/* Every other one while it holds the lock, most of the others while they wait for it. */
static void kill_soon(struct writer *writer, pid_t child)
{
    bool locked = false;

    if (pick(writer, 2) == 0) {
        while (!locked && !has_ended(child)) {
            nap(200);
            locked = holds_lock(child);
        }
        nap(pick(writer, 3000));
    } else {
        nap(pick(writer, 50000));
    }
    /* Until it is waited for, its number is its own. */
    if (kill(child, SIGKILL) == 0 && locked && !has_ended(child)) {
        atomic_fetch_add(&killed_with_lock, 1);
    }
}

/* Runs the manager; its exit status, or KILLED. */
static int manage(struct writer *writer, const char *const arguments[], bool doomed,
                  const char *input, char out[static OUTPUT_SIZE])
{
    int questions[2];
    int answers[2];
    int ended;
    pid_t child;

    open_pipe(questions);
    open_pipe(answers);
    child = command_start(arguments, questions[0], answers[1]);
    (void)close(questions[0]);
    (void)close(answers[1]);
    /* It fits into the pipe, and may meet a process that is dead. */
    (void)!write(questions[1], input, strlen(input));
    (void)close(questions[1]);
    if (doomed) {
        kill_soon(writer, child);
    }
    command_hear(answers[0], out, OUTPUT_SIZE);
    if (waitpid(child, &ended, 0) != child) {
        give_up("wait for a command");
    }
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
}

/* The names of a new group. */
static void name_group(const struct writer *writer, struct group *group)
{
    const size_t number = (size_t)(group - writer->groups);

    group->state = ABSENT;
    group->size = number + 1 == GROUPS ? GROUP_SIZE : 1;
    for (size_t i = 0; i < group->size; i++) {
        (void)snprintf(group->names[i], NAME_SIZE, "w%zu-g%zu-v%u-%zu", writer->number, number,
                       group->generation, i);
    }
    group->generation++;
}

/* Runs an action on a group: `token_manager ACTION NAME ... OPTIONS`, or a batch by its input. */
static int act(struct writer *writer, const struct group *group, const struct action *action,
               bool doomed, char out[static OUTPUT_SIZE])
{
    const char *arguments[16] = {manager, "--lock-timeout", "3600", action->name};
    char input[GROUP_SIZE * (NAME_SIZE + 1)] = "";
    size_t count = 4;

    if (action->from == ABSENT && group->size > 1) {
        (void)snprintf(input, sizeof(input), "%s\n%s\n%s\n", group->names[0], group->names[1],
                       group->names[2]);
        arguments[count++] = "--batch";
        arguments[count++] = "-";
    }
    for (size_t i = 0; i < group->size && input[0] == '\0'; i++) {
        arguments[count++] = group->names[i];
    }
    arguments[count++] = action->option;
    arguments[count++] = action->option != NULL ? action->value : NULL;
    arguments[count] = NULL;
    return manage(writer, arguments, doomed, input, out);
}

/* Takes the secrets that were printed, each at the end of a line; false if one is missing. */
static bool take_secrets(struct writer *writer, struct group *group, char *out)
{
    struct claim *claims = &writer->claims[writer->claim_count];
    char *next = out;

    for (size_t i = 0; i < group->size; i++) {
        char *end = strchr(next, '\n');
        const char *secret;

        if (end == NULL) {
            return false;
        }
        *end = '\0';
        secret = strrchr(next, '\t') != NULL ? strrchr(next, '\t') + 1 : next;
        (void)snprintf(claims[i].secret, SECRET_SIZE, "%s", secret);
        claims[i].is = GOOD;
        next = end + 1;
    }
    for (size_t i = 0; i < group->size; i++) {
        if (group->state != ABSENT) {
            group->claims[i]->is = BAD;
        }
        group->claims[i] = &claims[i];
        writer->claim_count++;
    }
    return true;
}

static void note_group(const char *what, const struct group *group, const struct action *action)
{
    for (size_t i = 0; i < group->size; i++) {
        note(what, group->names[i], action->name);
    }
}

/* The names, and how all of them are in the end. */
static void note_final(const struct group *group, enum state first, enum state second)
{
    char states[32];
    char names[GROUP_SIZE * (NAME_SIZE + 1)] = "";
    size_t used = 0;

    (void)snprintf(states, sizeof(states), "%s,%s", state_names[first], state_names[second]);
    for (size_t i = 0; i < group->size; i++) {
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s ", group->names[i]);
    }
    note("final", states, names);
}

static bool makes_secret(const struct action *action)
{
    return action->to == ACTIVE && action->from != REVOKED;
}

static void succeed(struct writer *writer, struct group *group, const struct action *action,
                    char *out)
{
    atomic_fetch_add(&done, 1);
    note_group("done", group, action);
    if (makes_secret(action) && !take_secrets(writer, group, out)) {
        complain("no token was printed", group->names[0], 0);
        return;
    }
    group->state = action->to;
    for (size_t i = 0; i < group->size; i++) {
        group->claims[i]->is = action->to == ACTIVE ? GOOD : BAD;
        check(group->claims[i], group->names[i]);
    }
    for (size_t i = 0; i < writer->claim_count; i++) {
        if (writer->claims[i].is == BAD) {
            check(&writer->claims[i], group->names[0]);
        }
    }
}

/* The group is left alone from now on, and another takes its place. */
static void die(struct writer *writer, struct group *group, const struct action *action, char *out)
{
    atomic_fetch_add(&killed, 1);
    note_group("killed", group, action);
    /* What it had printed when it was killed was on the disk by then. */
    if (makes_secret(action) && take_secrets(writer, group, out)) {
        for (size_t i = 0; i < group->size; i++) {
            check(group->claims[i], group->names[i]);
        }
        note_final(group, ACTIVE, ACTIVE);
    } else {
        for (size_t i = 0; i < group->size && group->state != ABSENT; i++) {
            group->claims[i]->is = EITHER;
        }
        note_final(group, action->from, action->to);
    }
    name_group(writer, group);
}

static void change_own(struct writer *writer)
{
    struct group *group = &writer->groups[pick(writer, GROUPS)];
    const bool doomed = writer->claim_count > 0 && pick(writer, 6) == 0;
    const struct action *action;
    char out[OUTPUT_SIZE];
    int ended;

    do {
        action = &actions[pick(writer, ACTIONS)];
        /* Several are not rotated at once. */
    } while (action->from != group->state || (group->size > 1 && action->from == action->to));
    ended = act(writer, group, action, doomed, out);
    if (ended == KILLED && doomed) {
        die(writer, group, action, out);
    } else if (ended == 0) {
        succeed(writer, group, action, out);
    } else {
        complain(action->name, group->names[0], ended);
    }
}

/* Others want the same name: that may fail for what they did, but then it has changed nothing. */
static void change_shared(struct writer *writer)
{
    const struct action *action = &actions[pick(writer, ACTIONS)];
    struct group group = {.size = 1};
    char out[OUTPUT_SIZE];
    int ended;

    (void)snprintf(group.names[0], NAME_SIZE, "shared-%" PRIu64, pick(writer, SHARED));
    ended = act(writer, &group, action, false, out);
    if (ended == 0 && (makes_secret(action) || strstr(out, "\"changed\": true") != NULL)) {
        atomic_fetch_add(&done, 1);
        note_group("done", &group, action);
    } else if (ended == 0 || ended == 1 || ended == 3 || ended == 4 || ended == 5) {
        atomic_fetch_add(&refused, 1);
    } else {
        complain(action->name, group.names[0], ended);
    }
}

static void *write_on(void *of)
{
    struct writer *writer = of;

    for (size_t i = 0; i < changes && atomic_load(&wrong) == 0; i++) {
        /* The file is there once this one has made a token of its own. */
        if (writer->claim_count > 0 && pick(writer, 4) == 0) {
            change_shared(writer);
        } else {
            change_own(writer);
        }
    }
    return NULL;
}

/* In the end, every secret that was ever printed is as it should be. */
static void finish(struct writer *writer)
{
    for (size_t i = 0; i < GROUPS; i++) {
        const struct group *group = &writer->groups[i];

        note_final(group, group->state, group->state);
        for (size_t j = 0; j < group->size && group->state != ABSENT; j++) {
            check(group->claims[j], group->names[j]);
        }
    }
    for (size_t i = 0; i < writer->claim_count; i++) {
        if (writer->claims[i].is == BAD) {
            check(&writer->claims[i], "another");
        }
    }
}

static void start(struct writer *writer, size_t number, uint64_t seed)
{
    writer->number = number;
    writer->random = seed + number * 1000003;
    writer->claims = calloc((changes + 1) * GROUP_SIZE, sizeof(*writer->claims));
    if (writer->claims == NULL) {
        give_up("get memory");
    }
    for (size_t i = 0; i < GROUPS; i++) {
        name_group(writer, &writer->groups[i]);
    }
    if (pthread_create(&writer->thread, NULL, write_on, writer) != 0) {
        give_up("start a thread");
    }
}

int main(int argc, char **argv)
{
    static struct writer writers[WRITERS_MOST];
    const struct token_verifier_options options = {.file = "api_tokens.json"};
    const size_t count = argc == 5 ? strtoul(argv[2], NULL, 10) : 0;
    char message[TOKEN_VERIFIER_MESSAGE_SIZE];

    if (count == 0 || count > WRITERS_MOST) {
        (void)fprintf(stderr, "usage: writers PROGRAMS WRITERS CHANGES SEED\n");
        return EXIT_FAILURE;
    }
    (void)snprintf(manager, sizeof(manager), "%s/token_manager", argv[1]);
    changes = strtoul(argv[3], NULL, 10);
    ledger = fopen("ledger", "we");
    if (ledger == NULL || !token_verifier_open(&verifier, &options, message, sizeof(message))) {
        give_up("begin");
    }
    (void)signal(SIGPIPE, SIG_IGN); /* a command may be dead before it has read */
    for (size_t i = 0; i < count; i++) {
        start(&writers[i], i, strtoull(argv[4], NULL, 10));
    }
    for (size_t i = 0; i < count; i++) {
        (void)pthread_join(writers[i].thread, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        finish(&writers[i]);
        free(writers[i].claims);
    }
    token_verifier_close(verifier);
    if (fclose(ledger) != 0) {
        give_up("write the ledger");
    }
    (void)printf("%lu changes done, %lu refused, %lu killed, %lu of them while they held the lock, "
                 "%u wrong\n",
                 atomic_load(&done), atomic_load(&refused), atomic_load(&killed),
                 atomic_load(&killed_with_lock), atomic_load(&wrong));
    return atomic_load(&wrong) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
