#include "token_manager/selection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"

#include "base/banned.h"

#define LINE_SIZE 1024 /* of a selector from standard input */

static enum status add(struct selectors *selectors, const char *text, size_t size,
                       struct error *error)
{
    char *copy = strndup(text, size);

    if (selectors->count == selectors->capacity && copy != NULL) {
        const size_t capacity = selectors->capacity == 0 ? 16 : 2 * selectors->capacity;
        char **texts = realloc(selectors->texts, capacity * sizeof(*texts));

        if (texts == NULL) {
            free(copy);
            copy = NULL;
        } else {
            selectors->texts = texts;
            selectors->capacity = capacity;
        }
    }
    if (copy == NULL) {
        return error_set(error, STATUS_FAILED, "out of memory");
    }
    selectors->texts[selectors->count++] = copy;
    return STATUS_OK;
}

/* One selector a line; blank lines do not count. */
static enum status read_lines(struct selectors *selectors, struct error *error)
{
    char line[LINE_SIZE];
    enum status status = STATUS_OK;

    for (size_t number = 1; status == STATUS_OK && fgets(line, sizeof(line), stdin) != NULL;
         number++) {
        const char *text = line;
        size_t size = strlen(line);

        if (size == sizeof(line) - 1 && line[size - 1] != '\n') {
            status =
                error_set(error, STATUS_USAGE, "standard input:%zu: the line is too long", number);
            break;
        }
        text_trim(&text, &size);
        if (size > 0) {
            status = add(selectors, text, size, error);
        }
    }
    secret_wipe(line, sizeof(line));
    if (status == STATUS_OK && ferror(stdin)) {
        status = error_set_errno(error, STATUS_FAILED, errno, "cannot read standard input");
    }
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
        return error_set(error, STATUS_FAILED, "out of memory");
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
