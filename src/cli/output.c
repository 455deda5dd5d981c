#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"

#include "base/banned.h"

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

void output_talk(const char *text, size_t size)
{
    size_t told = 0;

    /* In pieces as long as can be: standard error is not buffered, and each is a write. */
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];

        if ((c < 0x20 && c != '\n') || c == 0x7f) {
            (void)fwrite(text + told, 1, i - told, stderr);
            (void)fprintf(stderr, "\\x%02x", c);
            told = i + 1;
        }
    }
    (void)fwrite(text + told, 1, size - told, stderr);
}
