#include "token_manager/selector_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* A text that a token goes by, its name or its prefix. */
struct handle {
    const char *text;
    size_t index; /* of the token */
    bool yields;  /* to a token of the same name that does not */
};

static int compare(const void *left, const void *right)
{
    const struct handle *a = left;
    const struct handle *b = right;
    const int order = strcmp(a->text, b->text);

    return order != 0 ? order : (int)a->yields - (int)b->yields;
}

/* Marks the tokens that their handle means, which is to be the rule of token_set_select. */
static void mark_meant(struct handle *handles, size_t count, bool *meant)
{
    size_t end;

    qsort(handles, count, sizeof(*handles), compare);
    for (size_t i = 0; i < count; i = end) {
        for (end = i + 1; end < count && strcmp(handles[i].text, handles[end].text) == 0; end++) {
        }
        meant[handles[i].index] = end == i + 1 || (!handles[i].yields && handles[i + 1].yields);
    }
}

static bool begins(const struct selector_lines *lines, const char *text)
{
    return strncmp(text, lines->beginning, strlen(lines->beginning)) == 0;
}

/* A name that only an edited file can hold may look like an option, an id or a whole token. */
static bool may_be_offered(const char *name)
{
    struct error error;

    return name[0] != '-' && token_name_check(name, strlen(name), &error) == STATUS_OK;
}

static void find_names(struct selector_lines *lines, struct handle *handles)
{
    size_t count = 0;

    for (size_t i = 0; i < lines->tokens->count; i++) {
        const struct token *token = &lines->tokens->records[i].token;

        if (begins(lines, token->name) && may_be_offered(token->name)) {
            handles[count++] = (struct handle){token->name, i, token->revoked_at != TIME_NONE};
        }
    }
    mark_meant(handles, count, lines->by_name);
}

static void find_prefixes(struct selector_lines *lines, struct handle *handles)
{
    size_t count = 0;

    for (size_t i = 0; i < lines->tokens->count; i++) {
        const char *prefix = lines->tokens->records[i].token.secret.prefix;

        if (begins(lines, prefix) && prefix[0] != '-' && token_set_is_beginning(prefix)) {
            handles[count++] = (struct handle){prefix, i, false};
        }
    }
    mark_meant(handles, count, lines->by_prefix);
}

enum status selector_lines_init(struct selector_lines *lines, const struct token_set *tokens,
                                const char *beginning, struct error *error)
{
    struct handle *handles = calloc(tokens->count + 1, sizeof(*handles));
    enum status status = STATUS_OK;

    *lines = (struct selector_lines){
        .tokens = tokens,
        .beginning = beginning,
        .by_name = calloc(tokens->count + 1, sizeof(*lines->by_name)),
        .by_prefix = calloc(tokens->count + 1, sizeof(*lines->by_prefix)),
    };
    if (handles == NULL || lines->by_name == NULL || lines->by_prefix == NULL) {
        status = error_no_memory(error);
    } else {
        find_names(lines, handles);
        find_prefixes(lines, handles);
    }
    free(handles);
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
    if (begins(lines, token->id)) {
        append_line(out, token->id, status, token->name, "");
    }
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
