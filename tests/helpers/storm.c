/*
 * Twelve readers that check tokens without end while the token file changes: four threads that share
 * a verifier of the library, four `token_verifier stream`, and four connections to the token_authd
 * that listens on authd.sock, if there is one.
 *
 *     storm PROGRAMS PLAY ROUNDS REST
 *
 * PROGRAMS is the folder of the programs; the name of a play is in the table at the end. Run in a
 * folder with an api_tokens.json of two live tokens, "victim" and "steady", whose secrets are in the
 * files victim and steady. All use the default path, so that a missing file could mean an open door.
 *
 * What is right to answer is a row of moments. A reader notes which moment it is before it asks, and
 * looks again after the answer: if it is the same, the moment was the same all along. The writer
 * begins a moment "dead" only when its command has exited with 0, and waits in each moment until every
 * reader has asked in it; it begins one in which either is right before it runs the next command.
 *
 * Prints what was counted, and the first wrong answer.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "command.h"
#include "verify/token_verifier.h"

#define EACH 4 /* readers of a kind */
#define SECRET_SIZE 128
#define ANSWER_SIZE 4096
#define PATH_SIZE 4096
#define FLIPS 20 /* of a file that comes and goes, a round */
#define ROUNDS_MOST 1000000
#define MOMENTS_A_ROUND 8 /* at most */
#define TEXT_SIZE 4096    /* of a token file, at most */
#define TOKEN_FILE "api_tokens.json"
#define AUTHD_SOCKET "authd.sock"
#define STRANGER "sk-padxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx390008N8U"

enum kind {
    LIBRARY,
    STREAM,
    AUTHD,
    KINDS
};

static const char *const kind_names[KINDS] = {"library", "stream", "authd"};

/* An answer, and a set of them. */
enum {
    ACCEPTED = 1, /* as a token of the file */
    REFUSED = 2,
    UNAVAILABLE = 4,
    OPEN = 8,    /* accepted as nobody: never right here */
    STRANGE = 16 /* neither is this */
};

/* What is right from now on, until the next moment. */
struct moment {
    bool still;      /* nobody may ask */
    size_t row;      /* of the victim's secrets: those before it are dead for ever */
    unsigned victim; /* the answers that are right for the victim … */
    unsigned steady; /* … and for the token that nobody changes */
};

struct reader {
    enum kind kind;
    pthread_t thread;
    pid_t child;
    int to;
    int from;
    size_t random;
    char answer[ANSWER_SIZE];
    atomic_size_t seen; /* the latest moment in which it has asked for all */
    unsigned long checks;
    unsigned long accepted;    /* the victim, while it was live */
    unsigned long refused;     /* a secret that was dead */
    unsigned long unavailable; /* the victim, while nobody could know */
};

static struct moment *moments;
static size_t moment_limit;
static atomic_size_t now;
static char (*secrets)[SECRET_SIZE]; /* of the victim, one after the other */
static size_t row;
static char steady[SECRET_SIZE];
static atomic_bool stop;
static atomic_uint wrong;
static struct reader readers[KINDS * EACH];
static size_t reader_count;
static struct token_verifier *verifier;
static char manager[PATH_SIZE];
/* The file as it was, and with the victim revoked: of one size, and blank lines behind it. */
static char live_text[TEXT_SIZE];
static char dead_text[TEXT_SIZE];
static size_t text_size;
static long rest;            /* microseconds between the questions of a reader that is not behind */
static unsigned long deaths; /* how often a secret of the victim was to die */

static void nap(long microseconds)
{
    const struct timespec time = {0, microseconds * 1000};

    (void)nanosleep(&time, NULL);
}

static unsigned ask_library(const char *credential)
{
    const struct token_verifier_request request = {.credential = credential,
                                                   .credential_size = strlen(credential)};
    struct token_verifier_result result;

    if (token_verifier_check(verifier, &request, &result) == TOKEN_VERIFIER_ACCEPTED) {
        return strncmp(result.id, "tok_", 4) == 0 ? ACCEPTED : OPEN;
    }
    return result.reason == TOKEN_VERIFIER_REVOKED       ? REFUSED
           : result.reason == TOKEN_VERIFIER_UNKNOWN     ? REFUSED
           : result.reason == TOKEN_VERIFIER_UNAVAILABLE ? UNAVAILABLE
                                                         : STRANGE;
}

/* Asks through a descriptor, and reads on until the answer has come to this end. */
static void converse(struct reader *reader, const char *question, const char *end)
{
    const size_t size = strlen(question);
    size_t used = 0;

    if (write(reader->to, question, size) != (ssize_t)size) {
        give_up("ask");
    }
    do {
        const ssize_t got = read(reader->from, reader->answer + used, ANSWER_SIZE - 1 - used);

        if (got <= 0) {
            give_up("read an answer");
        }
        used += (size_t)got;
        reader->answer[used] = '\0';
    } while (strstr(reader->answer, end) == NULL);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static unsigned ask_stream(struct reader *reader, const char *credential)
{
    char line[SECRET_SIZE + 1];

    (void)snprintf(line, sizeof(line), "%s\n", credential);
    converse(reader, line, "\n");
    return begins(reader->answer, "OK tok_")           ? ACCEPTED
           : begins(reader->answer, "OK ")             ? OPEN
           : begins(reader->answer, "ERR revoked")     ? REFUSED
           : begins(reader->answer, "ERR unknown")     ? REFUSED
           : begins(reader->answer, "ERR unavailable") ? UNAVAILABLE
                                                       : STRANGE;
}

static unsigned ask_authd(struct reader *reader, const char *credential)
{
    char request[SECRET_SIZE * 2];

    /* HEAD, so that an answer is over with its head. */
    (void)snprintf(request, sizeof(request),
                   "HEAD /verify HTTP/1.1\r\nHost: x\r\nX-Api-Key: %s\r\n\r\n", credential);
    converse(reader, request, "\r\n\r\n");
    if (begins(reader->answer, "HTTP/1.1 200")) {
        return strstr(reader->answer, "\r\nX-Token-Id: tok_") != NULL ? ACCEPTED : OPEN;
    }
    return begins(reader->answer, "HTTP/1.1 401")   ? REFUSED
           : begins(reader->answer, "HTTP/1.1 503") ? UNAVAILABLE
                                                    : STRANGE;
}

/* Asks, in that moment, where `right` are right while it lasts, and `always` whatever comes next. */
static unsigned expect(struct reader *reader, size_t moment, const char *credential, unsigned right,
                       unsigned always)
{
    const unsigned answer = reader->kind == LIBRARY  ? ask_library(credential)
                            : reader->kind == STREAM ? ask_stream(reader, credential)
                                                     : ask_authd(reader, credential);
    const unsigned allowed = atomic_load(&now) == moment ? right & always : always;

    reader->checks++;
    if ((answer & allowed) == 0 && atomic_fetch_add(&wrong, 1) == 0) {
        (void)printf("%s: %s: answer %u in moment %zu, and not one of %u\n",
                     kind_names[reader->kind], credential, answer, moment, allowed);
    }
    return answer;
}

static void ask_all(struct reader *reader, size_t number)
{
    const struct moment *moment = &moments[number];
    const unsigned never = REFUSED | UNAVAILABLE;
    const unsigned refusal =
        (moment->steady & UNAVAILABLE) | ((moment->steady & ACCEPTED) != 0 ? REFUSED : 0);
    const unsigned answer =
        expect(reader, number, secrets[moment->row], moment->victim, never | ACCEPTED);

    reader->accepted += answer == ACCEPTED && moment->victim == ACCEPTED;
    reader->refused += answer == REFUSED && moment->victim == REFUSED;
    reader->unavailable += answer == UNAVAILABLE && moment->victim == UNAVAILABLE;
    (void)expect(reader, number, steady, moment->steady, never | ACCEPTED);
    (void)expect(reader, number, STRANGER, refusal, never);
    if (moment->row > 0) {
        /* The one that died last, and any. */
        const size_t any = (reader->random >> 16) % moment->row;

        reader->refused +=
            expect(reader, number, secrets[moment->row - 1], refusal, never) == REFUSED;
        reader->refused += expect(reader, number, secrets[any], refusal, never) == REFUSED;
        reader->random = reader->random * 1103515245 + 12345;
    }
}

static void *read_on(void *of)
{
    struct reader *reader = of;

    while (!atomic_load(&stop)) {
        const size_t number = atomic_load(&now);

        if (moments[number].still) {
            nap(50);
        } else {
            ask_all(reader, number);
        }
        if (atomic_load(&reader->seen) == number) {
            nap(rest); /* so that the others, and the writer, come to it too */
        }
        atomic_store(&reader->seen, number);
    }
    return NULL;
}

static void start_stream(struct reader *reader, const char *programs)
{
    char program[PATH_SIZE];
    const char *const arguments[] = {program, "stream", NULL};
    int questions[2];
    int answers[2];

    (void)snprintf(program, sizeof(program), "%s/token_verifier", programs);
    open_pipe(questions);
    open_pipe(answers);
    reader->child = command_start(arguments, questions[0], answers[1]);
    (void)close(questions[0]);
    (void)close(answers[1]);
    reader->to = questions[1];
    reader->from = answers[0];
}

static void dial_authd(struct reader *reader)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = AUTHD_SOCKET};

    reader->to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    reader->from = reader->to;
    if (reader->to < 0 ||
        connect(reader->to, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        give_up("dial token_authd");
    }
}

static void start_readers(const char *programs)
{
    const size_t kinds = access(AUTHD_SOCKET, F_OK) == 0 ? KINDS : AUTHD;
    char message[TOKEN_VERIFIER_MESSAGE_SIZE];

    if (!token_verifier_open(&verifier, NULL, message, sizeof(message))) {
        give_up(message);
    }
    for (; reader_count < kinds * EACH; reader_count++) {
        struct reader *reader = &readers[reader_count];

        reader->kind = (enum kind)(reader_count / EACH);
        reader->random = reader_count;
        if (reader->kind == STREAM) {
            start_stream(reader, programs);
        } else if (reader->kind == AUTHD) {
            dial_authd(reader);
        }
        if (pthread_create(&reader->thread, NULL, read_on, reader) != 0) {
            give_up("start a thread");
        }
    }
}

static void stop_readers(void)
{
    int ended = 0;

    atomic_store(&stop, true);
    for (size_t i = 0; i < reader_count; i++) {
        (void)pthread_join(readers[i].thread, NULL);
        if (readers[i].kind != LIBRARY) {
            (void)close(readers[i].to);
        }
        if (readers[i].kind == STREAM) {
            (void)close(readers[i].from);
            if (waitpid(readers[i].child, &ended, 0) != readers[i].child || !WIFEXITED(ended)) {
                give_up("end a stream in peace");
            }
        }
    }
    token_verifier_close(verifier);
}

static void report(void)
{
    for (size_t i = 0; i < reader_count; i += EACH) {
        unsigned long sums[4] = {0};

        for (size_t j = i; j < i + EACH; j++) {
            sums[0] += readers[j].checks;
            sums[1] += readers[j].accepted;
            sums[2] += readers[j].refused;
            sums[3] += readers[j].unavailable;
        }
        (void)printf("%s %lu checks, %lu accepted while live, %lu refused while dead, "
                     "%lu unavailable while gone\n",
                     kind_names[readers[i].kind], sums[0], sums[1], sums[2], sums[3]);
    }
    (void)printf("%lu deaths, %u wrong\n", deaths, atomic_load(&wrong));
}

static void begin(struct moment moment)
{
    const size_t next = atomic_load(&now) + 1;

    if (next == moment_limit) {
        give_up("count so many moments");
    }
    moment.row = row;
    moments[next] = moment;
    atomic_store(&now, next);
}

/* A moment in which every reader has asked, or is still. */
static void spend(struct moment moment)
{
    begin(moment);
    for (size_t i = 0; i < reader_count; i++) {
        while (atomic_load(&readers[i].seen) != atomic_load(&now) && atomic_load(&wrong) == 0) {
            nap(50);
        }
    }
}

static void be_live(void)
{
    spend((struct moment){.victim = ACCEPTED, .steady = ACCEPTED});
}

static void be_dead(void)
{
    deaths++;
    spend((struct moment){.victim = REFUSED, .steady = ACCEPTED});
}

static void be_gone(void)
{
    spend((struct moment){.victim = UNAVAILABLE, .steady = UNAVAILABLE});
}

static void be_still(void)
{
    spend((struct moment){.still = true});
}

/* While a version takes the place of another. */
static void turn(void)
{
    begin((struct moment){.victim = ACCEPTED | REFUSED, .steady = ACCEPTED});
}

/* While there may be no file. */
static void shake(void)
{
    begin((struct moment){.victim = ACCEPTED | REFUSED | UNAVAILABLE,
                          .steady = ACCEPTED | UNAVAILABLE});
}

/* What it prints goes to `out`, if there is one. */
static void manage_file(const char *file, const char *command, const char *option,
                        const char *value, char *out)
{
    const char *const arguments[] = {manager, "--lock-timeout", "600",  "--file", file,
                                     command, "victim",         option, value,    NULL};
    char ignored[SECRET_SIZE] = "";

    if (command_run(arguments, out != NULL ? out : ignored, SECRET_SIZE) != 0) {
        give_up(command);
    }
}

static void manage(const char *command)
{
    manage_file(TOKEN_FILE, command, NULL, NULL, NULL);
}

static void play_revoke(size_t round)
{
    (void)round;
    turn();
    manage("revoke");
    be_dead();
    turn();
    manage("restore");
    be_live();
}

static void play_rotate(size_t round)
{
    (void)round;
    turn();
    manage_file(TOKEN_FILE, "rotate", "--grace", "0", secrets[row + 1]);
    row++;
    deaths++;
    be_live();
}

static void play_delete(size_t round)
{
    (void)round;
    turn();
    manage_file(TOKEN_FILE, "delete", "--yes", NULL, NULL);
    be_dead();
    manage_file(TOKEN_FILE, "create", NULL, NULL, secrets[row + 1]);
    row++;
    be_live();
}

/* Makes a file of that version. */
static void write_version(const char *path, const char *text, size_t size)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, text, size) != (ssize_t)size || close(fd) != 0) {
        give_up("write a version");
    }
}

static void move(const char *from, const char *to)
{
    if (rename(from, to) != 0) {
        give_up("rename");
    }
}

static void replace(const char *text)
{
    write_version("next", text, text_size);
    move("next", TOKEN_FILE);
}

/* One version in the place of another, of the same size. */
static void play_replace(size_t round)
{
    (void)round;
    turn();
    replace(dead_text);
    be_dead();
    turn();
    replace(live_text);
    be_live();
}

static ino_t inode(void)
{
    struct stat found;

    if (stat(TOKEN_FILE, &found) != 0) {
        give_up("examine the token file");
    }
    return found.st_ino;
}

/* Two versions while nobody looks: the second could have the inode number that readers know. */
static void replace_twice(const char *first, const char *second)
{
    ino_t known;

    be_still();
    known = inode();
    replace(first);
    replace(second);
    if (inode() == known && atomic_fetch_add(&wrong, 1) == 0) {
        (void)printf("the inode number came back while readers relied on it\n");
    }
}

static void play_twice(size_t round)
{
    (void)round;
    replace_twice(live_text, dead_text);
    be_dead();
    replace_twice(dead_text, live_text);
    be_live();
}

/* Until a change gets another time than the last one. */
static void wait_for_tick(void)
{
    struct stat found;
    struct timespec clock;

    do {
        if (stat(TOKEN_FILE, &found) != 0 || clock_gettime(CLOCK_REALTIME_COARSE, &clock) != 0) {
            give_up("examine the token file");
        }
        nap(100);
    } while (clock.tv_sec < found.st_ctim.tv_sec ||
             (clock.tv_sec == found.st_ctim.tv_sec && clock.tv_nsec <= found.st_ctim.tv_nsec));
}

static void edit(const char *text, size_t size)
{
    int fd;

    be_still();
    wait_for_tick();
    fd = open(TOKEN_FILE, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || pwrite(fd, text, size, 0) != (ssize_t)size || ftruncate(fd, (off_t)size) != 0 ||
        close(fd) != 0) {
        give_up("edit the token file");
    }
}

/* As by a person whose editor writes into the file, with a change of size in every other round. */
static void play_edit(size_t round)
{
    edit(dead_text, text_size + round % 2);
    be_dead();
    edit(live_text, text_size);
    be_live();
}

static void play_away(size_t round)
{
    (void)round;
    shake();
    for (size_t i = 0; i < FLIPS; i++) {
        move(TOKEN_FILE, "away");
        move("away", TOKEN_FILE);
    }
    move(TOKEN_FILE, "away");
    be_gone();
    shake();
    move("away", TOKEN_FILE);
    be_live();
}

/* As Kubernetes mounts a secret: the file is a link through ..data to a folder of this version. */
static void make_folder(size_t number, const char *text)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "..%zu", number);
    if (mkdir(path, 0700) != 0 || symlink(path, "..data_tmp") != 0) {
        give_up("make a folder");
    }
    (void)snprintf(path, sizeof(path), "..%zu/" TOKEN_FILE, number);
    write_version(path, text, text_size);
    move("..data_tmp", "..data");
}

static void remove_folder(size_t number)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "..%zu/" TOKEN_FILE, number);
    if (unlink(path) != 0) {
        give_up("remove a version");
    }
    (void)snprintf(path, sizeof(path), "..%zu", number);
    if (rmdir(path) != 0) {
        give_up("remove a folder");
    }
}

static void prepare_links(void)
{
    make_folder(0, live_text);
    if (unlink(TOKEN_FILE) != 0 || symlink("..data/" TOKEN_FILE, TOKEN_FILE) != 0) {
        give_up("link the token file");
    }
}

/* A check that is on its way into the old folder may find nothing there, and then says so. */
static void play_links(size_t round)
{
    shake();
    make_folder(2 * round + 1, dead_text);
    remove_folder(2 * round);
    be_dead();
    shake();
    make_folder(2 * round + 2, live_text);
    remove_folder(2 * round + 1);
    be_live();
}

static void run(const char *const arguments[])
{
    char ignored[SECRET_SIZE];

    if (command_run(arguments, ignored, sizeof(ignored)) != 0) {
        give_up(arguments[0]);
    }
}

/* A single file that is mounted, as docker can, and what it shows. */
#define SOURCE "host/" TOKEN_FILE

static void mount_source(void)
{
    run((const char *const[]){"mount", "--bind", SOURCE, TOKEN_FILE, NULL});
}

static void prepare_mount(void)
{
    if (mkdir("host", 0700) != 0) {
        give_up("make a folder");
    }
    move(TOKEN_FILE, SOURCE);
    write_version(TOKEN_FILE, "", 0);
    mount_source();
}

/* The mount shows the old version for ever: nobody may rely on it, until it is made again. */
static void change_source(const char *command)
{
    shake();
    manage_file(SOURCE, command, NULL, NULL, NULL);
    be_gone();
    shake();
    run((const char *const[]){"umount", "-l", TOKEN_FILE, NULL});
    mount_source();
}

static void play_mount(size_t round)
{
    (void)round;
    change_source("revoke");
    be_dead();
    change_source("restore");
    be_live();
}

static const struct play {
    const char *name;
    void (*prepare)(void);
    void (*round)(size_t round);
} plays[] = {
    {"revoke", NULL, play_revoke},
    {"rotate", NULL, play_rotate},
    {"delete", NULL, play_delete},
    {"replace", NULL, play_replace},
    {"twice", NULL, play_twice},
    {"edit", NULL, play_edit},
    {"away", NULL, play_away},
    {"links", prepare_links, play_links},
    {"mount", prepare_mount, play_mount},
};

static const struct play *find_play(const char *name)
{
    for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
        if (strcmp(plays[i].name, name) == 0) {
            return &plays[i];
        }
    }
    return NULL;
}

/* The bytes of a small file; how many they are. */
static size_t read_file(const char *path, char *out, size_t size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? -1 : read(fd, out, size);

    if (got < 0 || (size_t)got == size) {
        give_up("read a file");
    }
    (void)close(fd);
    return (size_t)got;
}

static void read_secret(const char *path, char secret[static SECRET_SIZE])
{
    secret[read_file(path, secret, SECRET_SIZE)] = '\0';
    secret[strcspn(secret, "\n")] = '\0';
}

/* The two versions. Blank lines at the end make them of one size, and the clock makes them differ. */
static void read_versions(void)
{
    memset(live_text, '\n', sizeof(live_text));
    memset(dead_text, '\n', sizeof(dead_text));
    (void)read_file(TOKEN_FILE, live_text, sizeof(live_text));
    manage("revoke");
    text_size = read_file(TOKEN_FILE, dead_text, sizeof(dead_text) - 1);
    manage("restore");
}

int main(int argc, char **argv)
{
    const struct play *play = argc == 5 ? find_play(argv[2]) : NULL;
    const size_t rounds = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;

    if (play == NULL || rounds == 0 || rounds > ROUNDS_MOST) {
        (void)fprintf(stderr, "usage: storm PROGRAMS PLAY ROUNDS REST\n");
        return EXIT_FAILURE;
    }
    (void)snprintf(manager, sizeof(manager), "%s/token_manager", argv[1]);
    rest = strtol(argv[4], NULL, 10);
    moment_limit = rounds * MOMENTS_A_ROUND + 2;
    moments = calloc(moment_limit, sizeof(*moments));
    secrets = calloc(rounds + 1, sizeof(*secrets));
    if (moments == NULL || secrets == NULL) {
        give_up("get memory");
    }
    read_secret("victim", secrets[0]);
    read_secret("steady", steady);
    read_versions();
    if (play->prepare != NULL) {
        play->prepare();
    }
    moments[0].still = true;
    start_readers(argv[1]);
    be_live();
    for (size_t i = 0; i < rounds && atomic_load(&wrong) == 0; i++) {
        play->round(i);
    }
    stop_readers();
    report();
    return atomic_load(&wrong) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
