#include "token_manager/selection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/secret.h"
#include "base/text.h"

#include "base/banned.h"

#define READ_SIZE ((size_t)65536)
#define INPUT_LIMIT ((size_t)64 * 1024 * 1024)

static enum status add(struct selectors *selectors, const char *text, size_t size,
                       struct error *error)
{
    if (selectors->count == selectors->capacity) {
        char **texts = array_grow(selectors->texts, &selectors->capacity, sizeof(char *));

        if (texts == NULL) {
            return error_no_memory(error);
        }
        selectors->texts = texts;
    }
    selectors->texts[selectors->count] = strndup(text, size);
    if (selectors->texts[selectors->count] == NULL) {
        return error_no_memory(error);
    }
    selectors->count++;
    return STATUS_OK;
}

/* All of standard input. Not through stdio, whose buffer would keep what may be tokens. */
static enum status read_input(struct buffer *input, struct error *error)
{
    ssize_t got = 1;

    while (got != 0) {
        if (input->size > INPUT_LIMIT || !buffer_reserve(input, READ_SIZE)) {
            return error_set(error, STATUS_FAILED, "standard input is too long");
        }
        got = read(STDIN_FILENO, input->bytes + input->size, READ_SIZE);
        if (got < 0 && errno != EINTR) {
            return error_set_errno(error, STATUS_FAILED, errno, "cannot read standard input");
        }
        input->size += got > 0 ? (size_t)got : 0;
    }
    return STATUS_OK;
}

/* One selector a line; blank lines do not count. */
static enum status add_lines(struct selectors *selectors, const struct buffer *input,
                             struct error *error)
{
    const char *at = input->bytes;
    const char *end = at + input->size;
    enum status status = STATUS_OK;

    while (at < end && status == STATUS_OK) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line = at;
        size_t size = (size_t)((newline != NULL ? newline : end) - at);

        at += newline != NULL ? size + 1 : size;
        text_trim(&line, &size);
        if (size > 0) {
            status = add(selectors, line, size, error);
        }
    }
    return status;
}

static enum status read_lines(struct selectors *selectors, struct error *error)
{
    struct buffer input = {.secret = true};
    enum status status = read_input(&input, error);

    if (status == STATUS_OK && input.size > 0 && memchr(input.bytes, '\0', input.size) != NULL) {
        status = error_set(error, STATUS_USAGE,
                           "standard input contains a NUL; write one selector a line");
    }
    if (status == STATUS_OK && input.size > 0) {
        status = add_lines(selectors, &input, error);
    }
    buffer_clear(&input);
    return status;
}

enum status selectors_read(struct selectors *selectors, const struct cli_arguments *arguments,
                           struct error *error)
{
    enum status status = STATUS_OK;
    bool from_input = false;

    *selectors = (struct selectors){0};
    for (size_t i = 0; i < arguments->operand_count && status == STATUS_OK; i++) {
        const char *operand = arguments->operands[i];

        if (strcmp(operand, "-") != 0) {
            status = add(selectors, operand, strlen(operand), error);
        } else if (!from_input) {
            from_input = true;
            status = read_lines(selectors, error);
        }
    }
    if (status == STATUS_OK && selectors->count == 0) {
        status = error_set(error, STATUS_USAGE, "standard input names no token");
    }
    return status;
}

void selectors_clear(struct selectors *selectors)
{
    for (size_t i = 0; i < selectors->count; i++) {
        secret_wipe(selectors->texts[i], strlen(selectors->texts[i]));
        free(selectors->texts[i]);
    }
    free(selectors->texts);
    *selectors = (struct selectors){0};
}

static bool has(const struct selection *selection, const struct token_record *record)
{
    for (size_t i = 0; i < selection->count; i++) {
        if (selection->items[i].record == record) {
            return true;
        }
    }
    return false;
}

enum status selection_make(struct selection *selection, const struct token_set *tokens,
                           const struct selectors *selectors, struct error *error)
{
    *selection = (struct selection){.items = calloc(selectors->count, sizeof(*selection->items))};
    if (selection->items == NULL) {
        return error_no_memory(error);
    }
    for (size_t i = 0; i < selectors->count; i++) {
        struct token_record *record;
        const enum status status = token_set_select(tokens, selectors->texts[i], &record, error);

        if (status != STATUS_OK) {
            return status;
        }
        if (!has(selection, record)) {
            selection->items[selection->count++] =
                (struct selected){.record = record, .selector = selectors->texts[i]};
        }
    }
    return STATUS_OK;
}

void selection_clear(struct selection *selection)
{
    free(selection->items);
    *selection = (struct selection){0};
}

enum status selectors_become_ids(struct selectors *selectors, const struct selection *selection,
                                 struct error *error)
{
    enum status status = STATUS_OK;

    selectors_clear(selectors);
    for (size_t i = 0; i < selection->count && status == STATUS_OK; i++) {
        const char *id = selection->items[i].record->token.id;

        status = add(selectors, id, strlen(id), error);
    }
    return status;
}
