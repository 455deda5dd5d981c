#include "token_manager/selection.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/input.h"
#include "token/token_text.h"

#include "base/banned.h"

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

/* One line of standard input, trimmed. */
static enum status add_line(struct selectors *selectors, const char *line, size_t size,
                            size_t number, struct error *error)
{
    if (memchr(line, '\0', size) != NULL) {
        return error_set(error, STATUS_USAGE,
                         "standard input:%zu: a NUL byte; write one selector a line", number);
    }
    if (size > CREDENTIAL_LIMIT) {
        return error_set(error, STATUS_USAGE,
                         "standard input:%zu: longer than any selector, at %zu bytes", number,
                         size);
    }
    return add(selectors, line, size, error);
}

/* One selector a line; blank lines do not count. */
static enum status add_lines(struct selectors *selectors, const struct buffer *input,
                             struct error *error)
{
    const char *at = input->bytes;
    const char *end = at + input->size;
    enum status status = STATUS_OK;

    for (size_t number = 1; at < end && status == STATUS_OK; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line = at;
        size_t size = (size_t)((newline != NULL ? newline : end) - at);

        at += newline != NULL ? size + 1 : size;
        text_trim(&line, &size);
        if (size > 0) {
            status = add_line(selectors, line, size, number, error);
        }
    }
    return status;
}

static enum status read_lines(struct selectors *selectors, struct error *error)
{
    struct buffer input = {.secret = true};
    enum status status = input_read_all(&input, INPUT_LIMIT, error);

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
