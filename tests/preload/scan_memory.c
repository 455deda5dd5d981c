/*
 * Looks for secrets that a program leaves in its memory:
 *
 *     LD_PRELOAD=…/scan_memory.so SCAN_SECRETS=FILE SCAN_FOUND=FILE PROGRAM …
 *
 * SCAN_SECRETS holds a secret a line, in hex, so that to read it leaves no copy of one. Any eight bytes
 * in a row of a secret count as it. Each block of the heap is looked at when it is given back, and all
 * memory that can be written, stacks and what is dead of them too, when the program ends, and whenever
 * it gets a SIGUSR2. What is found goes to SCAN_FOUND:
 *
 *     free PROGRAM+0x1234      a block was given back with a secret in it, by a call from there
 *     end [heap]               at the end, or "signal" for "end", in that mapping
 *     end environment          among the variables that it was started with
 *     end arguments            in its command line
 *     signal connection        in what libmicrohttpd reserved for a connection
 *     end done                 all of it was looked at
 */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
#define _GNU_SOURCE /* for RTLD_NEXT, process_vm_readv */
#include <dlfcn.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define WINDOW 8
#define WINDOWS_LIMIT 8192
#define SIEVE_BITS 20
#define CONNECTIONS_LIMIT 8192
#define MAPS_SIZE ((size_t)1024 * 1024)
#define PIECE ((size_t)64 * 1024)

/*
 * All that this library keeps, in one place that it does not look at. Of each eight bytes of a secret
 * only a number is kept that they are not to be seen in.
 */
static struct {
    uint64_t windows[WINDOWS_LIMIT];
    size_t count;
    unsigned char sieve[1 << SIEVE_BITS];
    void (*free)(void *block);
    void *(*realloc)(void *block, size_t size);
    const char *found;
    uintptr_t arguments;
    uintptr_t arguments_end;
    struct {
        _Atomic uintptr_t start;
        size_t size;
    } connections[CONNECTIONS_LIMIT];
    char maps[MAPS_SIZE];
    unsigned char piece[PIECE];
    unsigned char signal_stack[PIECE];
} own;

static uint64_t mixed(uint64_t window)
{
    return (window ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
}

static bool is_kept(uint64_t mark)
{
    for (size_t i = 0; i < own.count; i++) {
        if (own.windows[i] == mark) {
            return true;
        }
    }
    return false;
}

/* The first place of a secret from `from` on, or `size`. */
static size_t find_secret(const unsigned char *bytes, size_t size, size_t from)
{
    for (size_t i = from; size >= WINDOW && i <= size - WINDOW; i++) {
        uint64_t mark;

        memcpy(&mark, bytes + i, WINDOW);
        mark = mixed(le64toh(mark));
        if (own.sieve[mark >> (64 - SIEVE_BITS)] != 0 && is_kept(mark)) {
            return i;
        }
    }
    return size;
}

/* A line for the file of what was found. */
static void tell(const char *when, const char *where, size_t offset)
{
    const int fd = own.found != NULL
                       ? open(own.found, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                       : STDERR_FILENO;
    char line[256];
    const int size = offset == SIZE_MAX
                         ? snprintf(line, sizeof(line), "%s %s\n", when, where)
                         : snprintf(line, sizeof(line), "%s %s+0x%zx\n", when, where, offset);

    if (fd < 0 || write(fd, line, (size_t)size) != size) {
        abort();
    }
    if (fd != STDERR_FILENO) {
        (void)close(fd);
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static void look_at_block(void *block, const void *caller)
{
    const size_t size = block != NULL && own.count > 0 ? malloc_usable_size(block) : 0;
    Dl_info info;

    if (size == 0 || find_secret(block, size, 0) == size) {
        return;
    }
    if (dladdr(caller, &info) != 0) {
        tell("free", base_name(info.dli_fname),
             (size_t)((uintptr_t)caller - (uintptr_t)info.dli_fbase));
    } else {
        tell("free", "?", SIZE_MAX);
    }
}

/* The names of glibc's own parameters are reserved. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
void free(void *block)
{
    const int saved = errno;

    look_at_block(block, __builtin_return_address(0));
    if (own.free != NULL) {
        own.free(block);
    }
    errno = saved;
}

/* It may move: then the old block is given back. */
void *realloc(void *block, size_t size)
{
    look_at_block(block, __builtin_return_address(0));
    if (own.realloc == NULL) {
        *(void **)&own.realloc = dlsym(RTLD_NEXT, "realloc");
    }
    return own.realloc(block, size);
}

/* The old call of a 32-bit machine has all in a struct; the other takes the offset in pages. */
#ifdef SYS_mmap2
#define MMAP(address, size, protection, flags, fd, offset) \
    syscall(SYS_mmap2, address, size, protection, flags, fd, (long)((offset) >> 12))
#else
#define MMAP(...) syscall(SYS_mmap, __VA_ARGS__)
#endif

/* libmicrohttpd's own: what it reads from a connection cannot be wiped by others. */
void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    void *got = (void *)MMAP(address, size, protection, flags, fd, offset);
    Dl_info info;

    if (got != MAP_FAILED && dladdr(__builtin_return_address(0), &info) != 0 &&
        strstr(info.dli_fname, "libmicrohttpd") != NULL) {
        for (size_t i = 0; i < CONNECTIONS_LIMIT; i++) {
            uintptr_t none = 0;

            if (atomic_compare_exchange_strong(&own.connections[i].start, &none, (uintptr_t)got)) {
                own.connections[i].size = size;
                break;
            }
        }
    }
    return got;
}

int munmap(void *address, size_t size)
{
    for (size_t i = 0; i < CONNECTIONS_LIMIT; i++) {
        uintptr_t start = (uintptr_t)address;

        if (atomic_compare_exchange_strong(&own.connections[i].start, &start, 0)) {
            break;
        }
    }
    return (int)syscall(SYS_munmap, address, size);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

/* Whether it is in the strings of the environment, which are the user's and read again and again. */
static bool is_in_environment(uintptr_t at)
{
    for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
        if (at >= (uintptr_t)*variable && at < (uintptr_t)*variable + strlen(*variable)) {
            return true;
        }
    }
    return false;
}

static bool is_in_connection(uintptr_t at)
{
    for (size_t i = 0; i < CONNECTIONS_LIMIT; i++) {
        const uintptr_t start = atomic_load(&own.connections[i].start);

        if (start != 0 && at >= start && at < start + own.connections[i].size) {
            return true;
        }
    }
    return false;
}

static void tell_place(const char *when, const char *mapping, uintptr_t start, uintptr_t at)
{
    if (is_in_environment(at)) {
        tell(when, "environment", SIZE_MAX);
    } else if (at >= own.arguments && at < own.arguments_end) {
        tell(when, "arguments", SIZE_MAX);
    } else if (is_in_connection(at)) {
        tell(when, "connection", SIZE_MAX);
    } else {
        tell(when, *mapping != '\0' ? base_name(mapping) : "anonymous", at - start);
    }
}

/* What is unmapped meanwhile by another thread cannot be read, and is no fault. */
static void look_at_mapping(const char *when, const char *name, uintptr_t start, uintptr_t end)
{
    for (uintptr_t at = start; at < end; at += PIECE - (WINDOW - 1)) {
        const size_t size = end - at < PIECE ? end - at : PIECE;
        const struct iovec to = {own.piece, size};
        const struct iovec from = {(void *)at, size}; /* NOLINT(performance-no-int-to-ptr) */
        const ssize_t got = process_vm_readv(getpid(), &to, 1, &from, 1, 0);

        if (got < 0 && errno != EFAULT) {
            tell(when, "cannot be read", SIZE_MAX);
            return;
        }
        for (size_t i = 0, left = got > 0 ? (size_t)got : 0;
             (i = find_secret(own.piece, left, i)) < left; i += WINDOW) {
            tell_place(when, name, start, at + i);
        }
        memset(own.piece, 0, size);
    }
}

static void read_maps(void)
{
    const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t size = 0;
    ssize_t got = fd >= 0 ? 1 : 0;

    while (got > 0 && size < MAPS_SIZE - 1) {
        got = read(fd, own.maps + size, MAPS_SIZE - 1 - size);
        size += got > 0 ? (size_t)got : 0;
    }
    own.maps[size] = '\0';
    (void)close(fd);
}

/* Each line of the maps: START-END rw-p OFFSET DEVICE INODE NAME */
static void look_everywhere(const char *when)
{
    const uintptr_t mine = (uintptr_t)&own;
    char *line = own.maps;

    read_maps();
    while (*line != '\0') {
        char *next = strchr(line, '\n');
        char *at;
        const char *name;
        uintptr_t start;
        uintptr_t end;

        *next = '\0';
        start = strtoul(line, &at, 16);
        end = strtoul(at + 1, &at, 16);
        name = strpbrk(at, "/[");
        /* What this library keeps is cut out: it has been in its hands. */
        if (at[2] == 'w' && mine >= start && mine < end) {
            look_at_mapping(when, name != NULL ? name : "", start, mine);
            start = mine + sizeof(own) < end ? mine + sizeof(own) : end;
        } else if (at[2] == 'w' && start > mine && start < mine + sizeof(own)) {
            start = mine + sizeof(own) < end ? mine + sizeof(own) : end;
        }
        if (at[2] == 'w') {
            look_at_mapping(when, name != NULL ? name : "", start, end);
        }
        line = next + 1;
    }
    tell(when, "done", SIZE_MAX);
}

static void note_signal(int number)
{
    const int saved = errno;

    (void)number;
    look_everywhere("signal");
    errno = saved;
}

static void keep(uint64_t window)
{
    if (own.count == WINDOWS_LIMIT) {
        abort();
    }
    own.windows[own.count++] = mixed(window);
    own.sieve[mixed(window) >> (64 - SIEVE_BITS)] = 1;
}

/* The bytes come one by one, and eight of them are never in one place but a register. */
static void read_secrets(const char *path)
{
    static const char digits[] = "0123456789abcdef";
    const int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    uint64_t window = 0;
    size_t length = 0; /* in digits, of this secret */
    char c;

    while (fd >= 0 && read(fd, &c, 1) == 1) {
        const char *digit = strchr(digits, c);

        if (c == '\n') {
            length = 0;
        } else if (digit != NULL) {
            /* The first byte is the lowest. */
            window = length % 2 == 0 ? window >> 8 | (uint64_t)(digit - digits) << 60
                                     : window | (uint64_t)(digit - digits) << 56;
            length++;
            if (length % 2 == 0 && length >= 2 * (size_t)WINDOW) {
                keep(window);
            }
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

/* glibc gives what main is given to the constructors of libraries as well. */
static void __attribute__((constructor)) begin(int count, char **arguments)
{
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
    const stack_t stack = {.ss_sp = own.signal_stack, .ss_size = sizeof(own.signal_stack)};

    *(void **)&own.free = dlsym(RTLD_NEXT, "free");
    own.found = getenv("SCAN_FOUND");
    own.arguments = (uintptr_t)arguments[0];
    own.arguments_end = (uintptr_t)arguments[count - 1] + strlen(arguments[count - 1]) + 1;
    read_secrets(getenv("SCAN_SECRETS"));
    /* The kernel puts the registers, which may hold anything, on the stack of the handler. */
    (void)sigaltstack(&stack, NULL);
    (void)sigfillset(&action.sa_mask);
    (void)sigaction(SIGUSR2, &action, NULL);
}

static void __attribute__((destructor)) end(void)
{
    look_everywhere("end");
}
