#include "base/env_file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#include "base/banned.h"

struct env_entry {
    size_t name; /* offsets into the text */
    size_t value;
    size_t line;
    bool refers; /* the value has a $ that other readers would expand */
};

struct parser {
    struct env_file *env;
    struct error *error;
    const char *at;
    const char *end;
    size_t line;
};

static enum status fail(const struct parser *p, size_t line, const char *reason)
{
    return error_set(p->error, STATUS_STORE, "%s:%zu: %s", p->env->path, line, reason);
}

static bool at_end(const struct parser *p)
{
    return p->at == p->end;
}

static bool at_line_end(const struct parser *p)
{
    return at_end(p) || *p->at == '\n' || *p->at == '\r';
}

static void skip_blanks(struct parser *p)
{
    while (!at_end(p) && (*p->at == ' ' || *p->at == '\t')) {
        p->at++;
    }
}

static void skip_line(struct parser *p)
{
    while (!at_end(p) && *p->at != '\n') {
        p->at++;
    }
    if (!at_end(p)) {
        p->at++;
    }
    p->line++;
}

bool env_file_is_name_char(char c, bool first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (!first && ((c >= '0' && c <= '9') || c == '.' || c == '-'));
}

/* Appends a name and a NUL to the text. */
static enum status parse_name(struct parser *p)
{
    const char *start = p->at;

    while (!at_end(p) && env_file_is_name_char(*p->at, p->at == start)) {
        p->at++;
    }
    if (p->at == start) {
        return fail(p, p->line, "not a NAME=value line (comments begin with #)");
    }
    buffer_append(&p->env->text, start, (size_t)(p->at - start));
    buffer_append(&p->env->text, "", 1);
    return STATUS_OK;
}

/* Literal up to the next single quote. */
static enum status parse_single_quoted(struct parser *p)
{
    const size_t line = p->line;
    const char *start = ++p->at;

    for (; !at_end(p) && *p->at != '\''; p->at++) {
        p->line += *p->at == '\n';
    }
    if (at_end(p)) {
        return fail(p, line, "the quote ' is not closed");
    }
    buffer_append(&p->env->text, start, (size_t)(p->at - start));
    p->at++;
    return STATUS_OK;
}

/* Up to the next double quote, with the escapes that shells and dotenv libraries agree on. */
static enum status parse_double_quoted(struct parser *p, bool *refers)
{
    const size_t line = p->line;

    for (p->at++; !at_end(p) && *p->at != '"'; p->at++) {
        char c = *p->at;

        if (c == '\\' && p->at + 1 < p->end && strchr("\"\\$`nrt", p->at[1]) != NULL) {
            static const char names[] = "nrt";
            static const char meanings[] = "\n\r\t";
            const char *named = strchr(names, *++p->at);

            c = named != NULL ? meanings[named - names] : *p->at;
        } else if (c == '$') {
            *refers = true;
        }
        p->line += *p->at == '\n';
        buffer_append(&p->env->text, &c, 1);
    }
    if (at_end(p)) {
        return fail(p, line, "the quote \" is not closed");
    }
    p->at++;
    return STATUS_OK;
}

/* Up to the end of the line or a # after a blank. */
static void parse_unquoted(struct parser *p, bool *refers)
{
    const char *start = p->at;
    size_t size;

    while (!at_line_end(p) && !(*p->at == '#' && (p->at[-1] == ' ' || p->at[-1] == '\t'))) {
        *refers = *refers || *p->at == '$';
        p->at++;
    }
    size = (size_t)(p->at - start);
    text_trim(&start, &size);
    buffer_append(&p->env->text, start, size);
}

static enum status parse_value(struct parser *p, bool *refers)
{
    enum status status = STATUS_OK;

    if (!at_end(p) && *p->at == '\'') {
        status = parse_single_quoted(p);
    } else if (!at_end(p) && *p->at == '"') {
        status = parse_double_quoted(p, refers);
    } else {
        parse_unquoted(p, refers);
    }
    buffer_append(&p->env->text, "", 1);
    if (status != STATUS_OK) {
        return status;
    }
    skip_blanks(p);
    if (!at_line_end(p) && *p->at != '#') {
        return fail(p, p->line, "text after the closing quote");
    }
    return STATUS_OK;
}

/* `export ` before a name. */
static void skip_export(struct parser *p)
{
    static const char word[] = "export";
    const size_t size = sizeof(word) - 1;

    if ((size_t)(p->end - p->at) > size && memcmp(p->at, word, size) == 0 &&
        (p->at[size] == ' ' || p->at[size] == '\t')) {
        p->at += size;
        skip_blanks(p);
    }
}

static enum status parse_line(struct parser *p)
{
    struct env_entry entry = {.name = p->env->text.size, .line = p->line};
    struct env_entry *entries;
    enum status status;

    skip_blanks(p);
    if (at_line_end(p) || *p->at == '#') {
        return STATUS_OK;
    }
    skip_export(p);
    status = parse_name(p);
    if (status != STATUS_OK) {
        return status;
    }
    skip_blanks(p);
    if (at_end(p) || *p->at != '=') {
        return fail(p, p->line, "not a NAME=value line: there is no = after the name");
    }
    p->at++;
    skip_blanks(p);
    entry.value = p->env->text.size;
    status = parse_value(p, &entry.refers);
    if (status != STATUS_OK) {
        return status;
    }
    entries = realloc(p->env->entries, (p->env->count + 1) * sizeof(*entries));
    if (entries == NULL) {
        return error_no_memory(p->error);
    }
    p->env->entries = entries;
    entries[p->env->count++] = entry;
    return p->env->text.failed ? error_no_memory(p->error) : STATUS_OK;
}

/*
 * Bytes that would make a line mean something else than people see: NUL, and a CR without LF, after
 * which other readers begin a new line.
 */
static enum status check_bytes(const struct parser *p)
{
    size_t line = 1;

    for (const char *at = p->at; at < p->end; at++) {
        if (*at == '\0') {
            return fail(p, line, "a NUL byte: this is not a text file");
        }
        if (*at == '\r' && at + 1 < p->end && at[1] != '\n') {
            return fail(p, line,
                        "a carriage return without a line feed; save the file with the "
                        "line ends of Unix or Windows");
        }
        line += *at == '\n';
    }
    return STATUS_OK;
}

enum status env_file_parse(struct env_file *env, const char *path, const char *text, size_t size,
                           struct error *error)
{
    struct parser p = {.env = env, .error = error, .at = text, .end = text + size, .line = 1};
    enum status status;

    *env = (struct env_file){.path = strdup(path), .text = {.secret = true}};
    if (env->path == NULL) {
        return error_no_memory(error);
    }
    status = check_bytes(&p);
    if (status != STATUS_OK) {
        return status;
    }
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        p.at += 3;
    }
    while (!at_end(&p) && status == STATUS_OK) {
        status = parse_line(&p);
        skip_line(&p);
    }
    return status;
}

enum status env_file_load(struct env_file *env, const char *path, struct error *error)
{
    struct buffer text = {.secret = true};
    struct stat seen;
    int fd = -1;
    enum status status = file_open(path, &fd, error);

    *env = (struct env_file){.text = {.secret = true}};
    if (status == STATUS_OK) {
        status = file_read(fd, path, ENV_FILE_LIMIT, &text, &seen, error);
    }
    if (status == STATUS_OK) {
        status = env_file_parse(env, path, text.size > 0 ? text.bytes : "", text.size, error);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    buffer_clear(&text);
    return status;
}

enum status env_file_variable(const struct env_file *env, size_t number,
                              struct env_variable *variable, struct error *error)
{
    const struct env_entry *entry = &env->entries[number];
    struct text_quoted quoted;

    *variable = (struct env_variable){.name = env->text.bytes + entry->name,
                                      .value = env->text.bytes + entry->value,
                                      .line = entry->line};
    if (entry->refers) {
        return error_set(
            error, STATUS_STORE,
            "%s:%zu: %s refers to another variable with $, which is not expanded here; "
            "write the value itself, in single quotes if the $ belongs to it",
            env->path, entry->line, text_quote(&quoted, variable->name, strlen(variable->name)));
    }
    return STATUS_OK;
}

enum status env_file_get(const struct env_file *env, const char *name, const char **value,
                         struct error *error)
{
    *value = NULL;
    for (size_t i = env->count; i > 0; i--) {
        if (strcmp(env->text.bytes + env->entries[i - 1].name, name) == 0) {
            struct env_variable variable;
            const enum status status = env_file_variable(env, i - 1, &variable, error);

            *value = status == STATUS_OK ? variable.value : NULL;
            return status;
        }
    }
    return STATUS_OK;
}

void env_file_clear(struct env_file *env)
{
    if (env != NULL) {
        free(env->path);
        free(env->entries);
        buffer_clear(&env->text);
        *env = (struct env_file){.text = {.secret = true}};
    }
}
