/*
 * Makes an allocation fail: with FAIL_MALLOC_AT=N the N-th of the process from its start on, with
 * FAIL_MALLOC_ON=1 all later ones too. When the process ends by itself, FAIL_MALLOC_REPORT is made
 * to say how many allocations there were, and how many of them failed. For Linux.
 *
 * What getpwuid_r allocates is spared: glibc 2.36 itself crashes when memory ends there (a NULL is
 * followed, or an assertion fails, in nss_database.c). No program that names the user can help that.
 */
#define _GNU_SOURCE /* NOLINT: for RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__

#include <malloc.h>

#ifdef __GLIBC__
/* What stands behind malloc and the rest in glibc, for those who take their place. */
void *real_malloc(size_t size) __asm__("__libc_malloc");
void *real_calloc(size_t items, size_t size) __asm__("__libc_calloc");
void *real_realloc(void *old, size_t size) __asm__("__libc_realloc");
void *real_memalign(size_t alignment, size_t size) __asm__("__libc_memalign");
#else
/* Elsewhere the loader finds it, and allocates nothing for that. */
#define REAL(function, parameters, arguments)          \
    static void *real_##function parameters            \
    {                                                  \
        void *(*real)parameters;                       \
                                                       \
        *(void **)&real = dlsym(RTLD_NEXT, #function); \
        return real arguments;                         \
    }

REAL(malloc, (size_t size), (size))
REAL(calloc, (size_t items, size_t size), (items, size))
REAL(realloc, (void *old, size_t size), (old, size))
REAL(memalign, (size_t alignment, size_t size), (alignment, size))
#endif

typedef int find_user(uid_t uid, struct passwd *entry, char *bytes, size_t size,
                      struct passwd **found);

static bool counting; /* not before the libraries are loaded, which nothing can go on without */
static _Thread_local bool spared;
static bool and_on;
static unsigned long fail_at;
static atomic_ulong count;
static atomic_ulong failed;

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("FAIL_MALLOC_AT");

    fail_at = at != NULL ? strtoul(at, NULL, 10) : 0;
    and_on = getenv("FAIL_MALLOC_ON") != NULL;
    counting = true;
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("FAIL_MALLOC_REPORT");
    char text[64];

    counting = false;
    if (path != NULL) {
        const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const int size =
            snprintf(text, sizeof(text), "%lu %lu\n", atomic_load(&count), atomic_load(&failed));

        if (fd < 0 || write(fd, text, (size_t)size) != (ssize_t)size) {
            abort();
        }
        (void)close(fd);
    }
}

static bool must_fail(void)
{
    unsigned long number;

    if (!counting || spared) {
        return false;
    }
    number = atomic_fetch_add(&count, 1) + 1;
    if (fail_at == 0 || number < fail_at || (number > fail_at && !and_on)) {
        return false;
    }
    (void)atomic_fetch_add(&failed, 1);
    errno = ENOMEM;
    return true;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library reserves its own */
void *malloc(size_t size)
{
    return must_fail() ? NULL : real_malloc(size);
}

void *calloc(size_t items, size_t size)
{
    return must_fail() ? NULL : real_calloc(items, size);
}

void *realloc(void *old, size_t size)
{
    return must_fail() ? NULL : real_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
    return must_fail() ? NULL : real_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = memalign(alignment, size);
    return *out != NULL ? 0 : ENOMEM;
}

int getpwuid_r(uid_t uid, struct passwd *entry, char *bytes, size_t size, struct passwd **found)
{
    void *next = dlsym(RTLD_NEXT, "getpwuid_r");
    find_user *real;
    int result;

    memcpy(&real, &next, sizeof(real)); /* the standard knows no way from one to the other */
    spared = true;
    result = real(uid, entry, bytes, size, found);
    spared = false;
    return result;
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

#endif
