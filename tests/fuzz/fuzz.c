#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void fuzz_fail(const char *file, int line, const char *condition)
{
    (void)fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

char *fuzz_copy(const void *bytes, size_t size)
{
    char *copy = malloc(size);

    MUST(copy != NULL || size == 0);
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

bool fuzz_is_harmless(const char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        uint32_t point;
        const size_t length = text_utf8_next(text + i, size - i, &point);

        if (length == 0 || text_is_control(point)) {
            return false;
        }
        i += length;
    }
    return true;
}

size_t fuzz_line_of(const char *message, const char *name, const char *text, size_t size)
{
    const size_t length = strlen(name);
    size_t lines = 1;
    char *end;
    unsigned long line;

    for (size_t i = 0; i < size; i++) {
        lines += text[i] == '\n';
    }
    MUST(strncmp(message, name, length) == 0 && message[length] == ':');
    line = strtoul(message + length + 1, &end, 10);
    MUST(line >= 1 && line <= lines);
    MUST(strncmp(end, ": ", 2) == 0 && end[2] != '\0');
    MUST(fuzz_is_harmless(message, strlen(message)));
    return line;
}

static bool same_secret(const struct token_secret *a, const struct token_secret *b)
{
    return memcmp(a->digest, b->digest, DIGEST_SIZE) == 0 && strcmp(a->prefix, b->prefix) == 0 &&
           a->expires_at == b->expires_at;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool fuzz_same_token(const struct token *a, const struct token *b)
{
    bool same = strcmp(a->id, b->id) == 0 && same_text(a->name, b->name) &&
                same_text(a->note, b->note) && same_secret(&a->secret, &b->secret) &&
                a->created_at == b->created_at && a->expires_at == b->expires_at &&
                a->revoked_at == b->revoked_at && a->scope_count == b->scope_count &&
                a->previous_count == b->previous_count;

    for (size_t i = 0; same && i < a->scope_count; i++) {
        same = same_text(a->scopes[i], b->scopes[i]);
    }
    for (size_t i = 0; same && i < a->previous_count; i++) {
        same = same_secret(&a->previous[i], &b->previous[i]);
    }
    return same;
}
