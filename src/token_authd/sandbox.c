#ifdef __linux__
#define _GNU_SOURCE /* NOLINT: for O_PATH */
#endif

#include "token_authd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__) && __has_include(<linux/landlock.h>)
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#ifdef SYS_landlock_create_ruleset
#define HAS_LANDLOCK
#endif
#endif

#include "base/banned.h"

static void note_off(struct sandbox *sandbox, const char *reason)
{
    (void)snprintf(sandbox->text, sizeof(sandbox->text), "off");
    (void)snprintf(sandbox->reason, sizeof(sandbox->reason), "%s", reason);
}

static enum status refuse_without(const struct sandbox *sandbox, struct error *error)
{
    return error_set(error, STATUS_FAILED,
                     "--sandbox: %s; leave the option out to serve without a sandbox",
                     sandbox->reason);
}

#ifdef HAS_LANDLOCK

/* The system's headers may be older than its kernel, and than this file. */
#define RIGHT_REFER (UINT64_C(1) << 13)
#define RIGHT_TRUNCATE (UINT64_C(1) << 14)
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15)
#define RIGHT_BIND_TCP (UINT64_C(1) << 0)
#define RIGHT_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

#define MAY_READ ((uint64_t)LANDLOCK_ACCESS_FS_READ_FILE)
#define MAY_WRITE ((uint64_t)LANDLOCK_ACCESS_FS_WRITE_FILE)
#define FILES_OF_FIRST (((uint64_t)LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) /* each right up to it */

/* What is forbidden unless a rule allows it, in the form of struct landlock_ruleset_attr. */
struct handled {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
};

/* What each version of Landlock brought, and how much of the struct it knows. */
static const struct version {
    size_t size;
    struct handled brought;
} versions[] = {
    {8, {.files = FILES_OF_FIRST}},
    {8, {.files = RIGHT_REFER}},
    {8, {.files = RIGHT_TRUNCATE}},
    {16, {.network = RIGHT_BIND_TCP | RIGHT_CONNECT_TCP}},
    {16, {.files = RIGHT_IOCTL_DEV}},
    {24, {.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL}},
    {24, {.files = 0}}, /* brought what the kernel's audit log tells */
};

#define VERSION_COUNT (sizeof(versions) / sizeof(versions[0]))

/* A sandbox while it is built. */
struct plan {
    int rules; /* the descriptor of the rules */
    struct handled handled;
    bool reads_all;
};

/* The version of Landlock, no later than we know; 0 with errno set when there is none to be had. */
static size_t find_version(void)
{
    const long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    if (version < 1) {
        return 0;
    }
    return (size_t)version < VERSION_COUNT ? (size_t)version : VERSION_COUNT;
}

static const char *explain_absence(int cause)
{
    if (cause == ENOSYS) {
        return "this kernel has no Landlock";
    }
    if (cause == EOPNOTSUPP) {
        return "Landlock is not switched on in this kernel";
    }
    return "this process is kept from using Landlock";
}

static enum status begin(struct plan *plan, size_t version, struct error *error)
{
    for (size_t i = 0; i < version; i++) {
        plan->handled.files |= versions[i].brought.files;
        plan->handled.network |= versions[i].brought.network;
        plan->handled.scoped |= versions[i].brought.scoped;
    }
    plan->rules =
        (int)syscall(SYS_landlock_create_ruleset, &plan->handled, versions[version - 1].size, 0);
    return plan->rules >= 0 ? STATUS_OK
                            : error_set_errno(error, STATUS_FAILED, errno, "cannot make a sandbox");
}

/* Allows something to what the descriptor stands for, and closes that. */
static enum status allow(const struct plan *plan, int fd, uint64_t rights, struct error *error)
{
    const struct landlock_path_beneath_attr rule = {.allowed_access = rights & plan->handled.files,
                                                    .parent_fd = fd};
    const long result =
        syscall(SYS_landlock_add_rule, plan->rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    const int cause = errno;

    (void)close(fd);
    return result == 0 ? STATUS_OK
                       : error_set_errno(error, STATUS_FAILED, cause, "cannot make a sandbox");
}

static bool is_root(int fd)
{
    struct stat folder;
    struct stat root;

    return fstat(fd, &folder) == 0 && stat("/", &root) == 0 && folder.st_dev == root.st_dev &&
           folder.st_ino == root.st_ino;
}

/* The folder that these first bytes of a path lead to, nothing for the root; -1 without one. */
static int open_folder(const char *path, size_t size)
{
    char *folder = size > 0 ? strndup(path, size) : strdup("/");
    const int fd = folder != NULL ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

    free(folder);
    return fd;
}

static size_t folder_size(const char *path)
{
    return (size_t)(strrchr(path, '/') - path);
}

/* Lets what is beneath that folder be read; the root folder only where it is said to be meant. */
static enum status allow_beneath(struct plan *plan, const char *path, size_t size,
                                 bool root_is_meant, struct error *error)
{
    const int fd = open_folder(path, size);

    if (fd < 0) {
        return STATUS_OK; /* what is not there, or out of reach, is not read either */
    }
    if (is_root(fd)) {
        if (!root_is_meant) {
            (void)close(fd);
            return STATUS_OK;
        }
        plan->reads_all = true;
    }
    return allow(plan, fd, MAY_READ, error);
}

/* Whether a path is a link to something beneath the folder that it is in. */
static bool leads_beneath(const char *path)
{
    char target[4] = ""; /* enough to tell a way up, and what begins at the root */
    const ssize_t size = readlink(path, target, sizeof(target) - 1);

    return size > 0 && target[0] != '/' && strcmp(target, "..") != 0 &&
           strncmp(target, "../", 3) != 0;
}

/* Where links among the folders of a path may be pointed to later: to their neighbours. */
static enum status allow_neighbours(struct plan *plan, const char *path, struct error *error)
{
    enum status status = STATUS_OK;

    for (const char *slash = strchr(path + 1, '/'); slash != NULL && status == STATUS_OK;
         slash = strchr(slash + 1, '/')) {
        char *link = strndup(path, (size_t)(slash - path));

        if (link == NULL) {
            return error_no_memory(error);
        }
        if (leads_beneath(link)) {
            status = allow_beneath(plan, path, folder_size(link), false, error);
        }
        free(link);
    }
    return status;
}

/* A file that others replace by another, of which we know its folder at most. */
static enum status allow_reading(struct plan *plan, const char *path, bool root_is_meant,
                                 struct error *error)
{
    char *resolved = realpath(path, NULL);
    enum status status = allow_beneath(plan, path, folder_size(path), root_is_meant, error);

    if (status == STATUS_OK) {
        status = allow_neighbours(plan, path, error);
    }
    if (status == STATUS_OK && resolved != NULL) {
        status = allow_beneath(plan, resolved, folder_size(resolved), root_is_meant, error);
    }
    free(resolved);
    return status;
}

static enum status allow_variables(struct plan *plan, const char *path, struct error *error)
{
    const int fd = open(path, O_PATH | O_CLOEXEC);
    enum status status = fd >= 0 ? allow(plan, fd, MAY_READ, error) : STATUS_OK;

    return status == STATUS_OK ? allow_reading(plan, path, false, error) : status;
}

/* The file alone, as it is: one that takes its place is another. */
static enum status allow_usage(const struct plan *plan, const char *path, bool *is_there,
                               struct error *error)
{
    const int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat now;

    *is_there = fd >= 0 && fstat(fd, &now) == 0 && S_ISREG(now.st_mode);
    if (*is_there) {
        return allow(plan, fd, MAY_READ | MAY_WRITE | RIGHT_TRUNCATE, error);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return STATUS_OK;
}

static enum status close_door(const struct plan *plan, struct error *error)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_landlock_restrict_self, plan->rules, 0) != 0) {
        return error_set_errno(error, STATUS_FAILED, errno,
                               "cannot enter the sandbox (--sandbox=off goes without)");
    }
    return STATUS_OK;
}

static enum status enter(struct sandbox *sandbox, size_t version, const struct sandbox_needs *needs,
                         struct error *error)
{
    struct plan plan = {.rules = -1};
    enum status status = begin(&plan, version, error);

    if (status == STATUS_OK) {
        status = allow_reading(&plan, needs->token_file, true, error);
    }
    if (status == STATUS_OK && needs->variables_file != NULL) {
        status = allow_variables(&plan, needs->variables_file, error);
    }
    if (status == STATUS_OK && needs->usage_file != NULL) {
        status = allow_usage(&plan, needs->usage_file, &sandbox->has_usage_file, error);
    }
    if (status == STATUS_OK) {
        status = close_door(&plan, error);
    }
    if (plan.rules >= 0) {
        (void)close(plan.rules);
    }
    sandbox->is_on = status == STATUS_OK;
    sandbox->reads_all = plan.reads_all;
    (void)snprintf(sandbox->text, sizeof(sandbox->text), "landlock-%zu", version);
    return status;
}

enum status sandbox_enter(struct sandbox *sandbox, enum sandbox_wish wish,
                          const struct sandbox_needs *needs, struct error *error)
{
    size_t version = 0;

    *sandbox = (struct sandbox){.is_on = false};
    if (wish == SANDBOX_OFF) {
        note_off(sandbox, "it was not wanted");
        return STATUS_OK;
    }
#ifdef TOKEN_SANITIZE
    if (wish == SANDBOX_IF_THERE) {
        note_off(sandbox, "the sanitizers in this build need files of their own");
        return STATUS_OK;
    }
#endif
    version = find_version();
    if (version == 0) {
        note_off(sandbox, explain_absence(errno));
        return wish == SANDBOX_REQUIRED ? refuse_without(sandbox, error) : STATUS_OK;
    }
    return enter(sandbox, version, needs, error);
}

#else

enum status sandbox_enter(struct sandbox *sandbox, enum sandbox_wish wish,
                          const struct sandbox_needs *needs, struct error *error)
{
    (void)needs;
    *sandbox = (struct sandbox){.is_on = false};
    note_off(sandbox, wish == SANDBOX_OFF ? "it was not wanted" : "this system has none");
    return wish == SANDBOX_REQUIRED ? refuse_without(sandbox, error) : STATUS_OK;
}

#endif
