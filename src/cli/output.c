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
