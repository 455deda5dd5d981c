/*
 * How a call ended, and what to say about it.
 *
 * A function that can fail returns an enum status and fills a struct error with a message for a
 * person: it names the file, line or argument, and what to do. Only main() turns a status into an
 * exit code, and only main() prints.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#define ERROR_TEXT_SIZE 4096

/* The order is the order of the exit codes, which are documented: never renumber. */
enum status {
    STATUS_OK = 0,
    STATUS_FAILED = 1,     /* refused, or failed in a way that has no code of its own */
    STATUS_USAGE = 2,      /* the command line is wrong */
    STATUS_NOT_FOUND = 3,  /* no such token */
    STATUS_AMBIGUOUS = 4,  /* a selector means several tokens */
    STATUS_NAME_TAKEN = 5, /* an unrevoked token has that name */
    STATUS_STORE = 6,      /* the store cannot be read or written, or no verdict could be reached */
};

struct error {
    char text[ERROR_TEXT_SIZE]; /* one or more lines, no final newline; "" when there is none */
};

#define MUST_CHECK __attribute__((warn_unused_result))

/*
 * Writes a printf-style message to `error` (cut at ERROR_TEXT_SIZE - 1 bytes) and returns `status`,
 * so that a failing function can end in `return error_set(...)`.
 */
enum status error_set(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a failed system call: ": " and the text of `errnum` are added at the end. */
enum status error_set_errno(struct error *error, enum status status, int errnum, const char *format,
                            ...) __attribute__((format(printf, 4, 5)));

/* STATUS_FAILED, "out of memory". It says nothing about what was worked on: trying again may do. */
enum status error_no_memory(struct error *error);

/* The exit code of a program that ends with this status. */
int status_exit_code(enum status status);

#endif
