#include "cli/output.h"

#include <stdio.h>

#include "base/banned.h"

enum status output_print(struct buffer *text, struct error *error)
{
    const enum status status = text->failed ? error_no_memory(error) : STATUS_OK;

    if (status == STATUS_OK && text->size > 0) {
        (void)fwrite(text->bytes, 1, text->size, stdout);
    }
    buffer_clear(text);
    return status;
}

void output_talk(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];

        if ((c < 0x20 && c != '\n') || c == 0x7f) {
            (void)fprintf(stderr, "\\x%02x", c);
        } else {
            (void)fputc(c, stderr);
        }
    }
}
