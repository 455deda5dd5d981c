#include "token_manager/selector_lines.h"

#include <stdlib.h>
#include <string.h>

#include "token/token_text.h"

#include "base/banned.h"

/* A text that a token goes by: its name, or the stored beginning of one of its secrets. */
struct handle {
    const char *text;
    size_t index; /* of the token */
    bool yields;  /* to a token of the same name that does not */
};

struct handles {
    struct handle *items; /* sorted by text */
    size_t count;
};

/* Where token_set_select looks at every token, this tells what a selector means from a few. */
struct meanings {
    struct handles names;
    struct handles beginnings;
};

static int compare(const void *left, const void *right)
{
    const struct handle *a = left;
    const struct handle *b = right;
    const int order = strcmp(a->text, b->text);

    return order != 0 ? order : (int)a->yields - (int)b->yields;
}

/* The first that starts with these bytes, or the count. */
static size_t find(const struct handles *handles, const char *text, size_t size)
{
    size_t low = 0;
    size_t high = handles->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (strncmp(handles->items[middle].text, text, size) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool starts(const struct handles *handles, size_t at, const char *text, size_t size)
{
    return at < handles->count && strncmp(handles->items[at].text, text, size) == 0;
}

/* Whether it is the name of a token that is meant by it, and is not this one. */
static bool names_another(const struct handles *names, const char *text, size_t index)
{
    const size_t size = strlen(text) + 1; /* with its end: the whole name */
    const size_t first = find(names, text, size);
    const bool is_alone = !starts(names, first + 1, text, size) ||
                          (!names->items[first].yields && names->items[first + 1].yields);

    return starts(names, first, text, size) && (!is_alone || names->items[first].index != index);
}

/* Whether a secret that may begin so is that of a token that is not this one. */
static bool begins_another(const struct handles *beginnings, const char *text, size_t index)
{
    const size_t size = token_text_without_dots(text, strlen(text));

    for (size_t length = 1; length <= size && length < TOKEN_PREFIX_SIZE; length++) {
        size_t i = find(beginnings, text, length);

        /* Those of this very length, which sort first; in the end all that start with the text. */
        while (starts(beginnings, i, text, length) &&
               (length == size || beginnings->items[i].text[length] == '\0')) {
            const struct handle *handle = &beginnings->items[i++];

            if (!token_set_may_begin(handle->text, text, size)) {
                if (length < size) {
                    break; /* no more than the others that are equal */
                }
            } else if (handle->index != index) {
                return true;
            }
        }
    }
    return false;
}

static bool means(const struct meanings *meanings, const char *text, size_t index)
{
    return !names_another(&meanings->names, text, index) &&
           !begins_another(&meanings->beginnings, text, index);
}

/* A name that only an edited file can hold may look like an option, an id or a whole token. */
static bool may_be_offered(const char *name)
{
    struct error error;

    return name[0] != '-' && token_name_check(name, strlen(name), &error) == STATUS_OK;
}

static void add(struct handles *handles, const char *text, size_t index, bool yields)
{
    if (*text != '\0') {
        handles->items[handles->count++] = (struct handle){text, index, yields};
    }
}

static enum status meanings_init(struct meanings *meanings, const struct token_set *tokens,
                                 struct error *error)
{
    size_t secrets = 0;

    for (size_t i = 0; i < tokens->count; i++) {
        secrets += 1 + tokens->records[i].token.previous_count;
    }
    meanings->names.items = calloc(tokens->count + 1, sizeof(struct handle));
    meanings->beginnings.items = calloc(secrets + 1, sizeof(struct handle));
    if (meanings->names.items == NULL || meanings->beginnings.items == NULL) {
        return error_no_memory(error);
    }
    for (size_t i = 0; i < tokens->count; i++) {
        const struct token *token = &tokens->records[i].token;

        add(&meanings->names, token->name, i, token->revoked_at != TIME_NONE);
        add(&meanings->beginnings, token->secret.prefix, i, false);
        for (size_t j = 0; j < token->previous_count; j++) {
            add(&meanings->beginnings, token->previous[j].prefix, i, false);
        }
    }
    qsort(meanings->names.items, meanings->names.count, sizeof(struct handle), compare);
    qsort(meanings->beginnings.items, meanings->beginnings.count, sizeof(struct handle), compare);
    return STATUS_OK;
}

static void choose(struct selector_lines *lines, const struct meanings *meanings)
{
    for (size_t i = 0; i < lines->tokens->count; i++) {
        const struct token *token = &lines->tokens->records[i].token;
        const char *prefix = token->secret.prefix;

        lines->by_name[i] = may_be_offered(token->name) && means(meanings, token->name, i);
        lines->by_prefix[i] =
            prefix[0] != '-' && token_set_is_beginning(prefix) && means(meanings, prefix, i);
    }
}

enum status selector_lines_init(struct selector_lines *lines, const struct token_set *tokens,
                                struct error *error)
{
    struct meanings meanings = {0};
    enum status status = meanings_init(&meanings, tokens, error);

    *lines = (struct selector_lines){
        .tokens = tokens,
        .by_name = calloc(tokens->count + 1, sizeof(*lines->by_name)),
        .by_prefix = calloc(tokens->count + 1, sizeof(*lines->by_prefix)),
    };
    if (lines->by_name == NULL || lines->by_prefix == NULL) {
        status = error_no_memory(error);
    } else if (status == STATUS_OK) {
        choose(lines, &meanings);
    }
    free(meanings.names.items);
    free(meanings.beginnings.items);
    return status;
}

static void append_line(struct buffer *out, const char *selector, const char *status,
                        const char *other, const char *dots)
{
    buffer_append_text(out, selector);
    buffer_append_text(out, "\t");
    buffer_append_text(out, status);
    buffer_append_text(out, ", ");
    buffer_append_text(out, other);
    buffer_append_text(out, dots);
    buffer_append_text(out, "\n");
}

void selector_lines_append(const struct selector_lines *lines, size_t index, int64_t now,
                           struct buffer *out)
{
    static const char *const texts[] = {
        [TOKEN_ACTIVE] = "Active", [TOKEN_REVOKED] = "Revoked", [TOKEN_EXPIRED] = "Expired"};
    const struct token *token = &lines->tokens->records[index].token;
    const char *status = texts[token_status(token, now)];

    if (lines->by_name[index]) {
        append_line(out, token->name, status, token->secret.prefix, "...");
    }
    append_line(out, token->id, status, token->name, "");
    if (lines->by_prefix[index]) {
        append_line(out, token->secret.prefix, status, token->name, "");
    }
}

void selector_lines_clear(struct selector_lines *lines)
{
    free(lines->by_name);
    free(lines->by_prefix);
    *lines = (struct selector_lines){0};
}
