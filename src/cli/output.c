#include "cli/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#include "base/banned.h"

#define TEXT_LIMIT 16384 /* bytes of what is said at once: paths, and words around them */

enum status output_print(struct buffer *text, struct error *error)
{
    enum status status = text->failed ? error_no_memory(error) : STATUS_OK;

    /* Not by way of stdio, which gives up and forgets the text when it is interrupted. */
    if (status == STATUS_OK &&
        (fflush(stdout) != 0 || !file_write_all(STDOUT_FILENO, text->bytes, text->size))) {
        status = output_failed(error);
    }
    buffer_clear(text);
    return status;
}

enum status output_of_change(enum status status, struct error *error)
{
    if (status != STATUS_OK && error->text[0] != '\0') {
        const struct error reason = *error;

        (void)error_set(error, status, "%s (the change was made)", reason.text);
    }
    return status;
}

enum status output_failed(struct error *error)
{
    const int cause = errno;
    const enum status status =
        error_set_errno(error, STATUS_FAILED, cause, "cannot write to standard output");

    if (cause == EPIPE) {
        error->text[0] = '\0'; /* the reader has had enough, as `| head` has */
    }
    return status;
}

static void write_escaped(const char *text, size_t size, FILE *out)
{
    size_t told = 0;

    /* In pieces as long as can be: standard error is not buffered, and each is a write. */
    for (size_t i = 0; i < size;) {
        uint32_t point;
        const size_t length = text_utf8_next(text + i, size - i, &point);

        if (length == 0 || (text_is_control(point) && point != '\n')) {
            (void)fwrite(text + told, 1, i - told, out);
            for (told = i; told < i + (length > 0 ? length : 1); told++) {
                (void)fprintf(out, "\\x%02x", (unsigned)(unsigned char)text[told]);
            }
        }
        i += length > 0 ? length : 1;
    }
    (void)fwrite(text + told, 1, size - told, out);
}

void output_talk(const char *text, size_t size)
{
    write_escaped(text, size, stderr);
}

__attribute__((format(printf, 2, 0))) static void write_formatted(FILE *out, const char *format,
                                                                  va_list args)
{
    char text[TEXT_LIMIT];

    (void)vsnprintf(text, sizeof(text), format, args);
    write_escaped(text, strlen(text), out);
}

void output_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_formatted(stderr, format, args);
    va_end(args);
}

void output_show(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_formatted(stdout, format, args);
    va_end(args);
}
