#include "token_manager/foreign_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env_file.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "token_manager/foreign_predecessor.h"

#include "base/banned.h"

#define NAME_SIZE 32 /* of "imported-1" */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The next line, trimmed; false at the end. `*at` is moved past it. */
static bool next_line(const char **at, const char *end, const char **line, size_t *size)
{
    const char *newline;

    if (*at == end) {
        return false;
    }
    newline = memchr(*at, '\n', (size_t)(end - *at));
    *line = *at;
    *size = (size_t)((newline != NULL ? newline : end) - *at);
    *at = newline != NULL ? newline + 1 : end;
    text_trim(line, size);
    return true;
}

static bool is_content(const char *line, size_t size)
{
    return size > 0 && line[0] != '#';
}

static enum status read_list(struct foreign_keys *keys, const struct foreign_source *source,
                             struct error *error)
{
    const char *at = source->text;
    const char *end = at + source->size;
    struct foreign_text line;
    enum status status = STATUS_OK;

    for (size_t number = 1; status == STATUS_OK && next_line(&at, end, &line.at, &line.size);
         number++) {
        char name[NAME_SIZE];
        const struct foreign_key key = {.name = name,
                                        .line = number,
                                        .active = true,
                                        .created_at = TIME_NONE,
                                        .last_used = TIME_NONE};

        if (is_content(line.at, line.size)) {
            (void)snprintf(name, sizeof(name), "imported-%zu", keys->count + 1);
            status = foreign_keys_add(keys, source, &key, &line, error);
        }
    }
    return status;
}

/* A variable that is set to nothing is no key, and usual in such files. */
static enum status read_env(struct foreign_keys *keys, const struct foreign_source *source,
                            struct error *error)
{
    struct env_file env = {0};
    enum status status = env_file_parse(&env, source->name, source->text, source->size, error);

    for (size_t i = 0; i < env.count && status == STATUS_OK; i++) {
        struct env_variable variable;

        status = env_file_variable(&env, i, &variable, error);
        if (status == STATUS_OK && variable.value[0] != '\0') {
            char *name = strdup(variable.name);
            const struct foreign_text text = {variable.value, strlen(variable.value)};
            const struct foreign_key key = {.name = name,
                                            .is_named = true,
                                            .line = variable.line,
                                            .active = true,
                                            .created_at = TIME_NONE,
                                            .last_used = TIME_NONE};

            status = name != NULL ? foreign_keys_add(keys, source, &key, &text, error)
                                  : error_no_memory(error);
            free(name);
        }
    }
    env_file_clear(&env);
    return status == STATUS_STORE ? STATUS_FAILED : status;
}

/* What a line by itself looks like. */
enum line_kind {
    LINE_KEY,
    LINE_NAMED,
    LINE_UNCLEAR
};

/*
 * A key by itself has no = but as padding at its end, and NAME=key a name before it such as people
 * give: WEB_APP, web-app. What is neither, or could be both, is nobody's guess.
 */
static enum line_kind line_kind(const char *line, size_t size)
{
    const size_t start = size > 7 && memcmp(line, "export ", 7) == 0 ? 7 : 0;
    size_t name_end = start;
    size_t equals;
    size_t key_end = size;
    bool upper = false;
    bool lower = false;
    bool digit = false;

    while (key_end > 0 && line[key_end - 1] == '=') {
        key_end--;
    }
    for (; name_end < size && env_file_is_name_char(line[name_end], name_end == start);
         name_end++) {
        upper = upper || (line[name_end] >= 'A' && line[name_end] <= 'Z');
        lower = lower || (line[name_end] >= 'a' && line[name_end] <= 'z');
        digit = digit || (line[name_end] >= '0' && line[name_end] <= '9');
    }
    for (equals = name_end; equals < size && line[equals] == ' '; equals++) {
    }
    if (start == 0 && memchr(line, '=', key_end) == NULL && memchr(line, ':', size) == NULL) {
        /* A key with its padding has small letters; a long name set to nothing has none. */
        return name_end == key_end && key_end + 1 == size && (size < 20 || !lower) ? LINE_NAMED
                                                                                   : LINE_KEY;
    }
    return name_end > start && equals < size && line[equals] == '=' && !(upper && lower && digit)
               ? LINE_NAMED
               : LINE_UNCLEAR;
}

/* Tells the formats apart. */
static enum status look(const struct foreign_source *source, enum foreign_format *format,
                        struct error *error)
{
    static const char unclear[] = "this may be a key, or NAME=key, or something else; say which "
                                  "format it is with --format list or --format env";
    const char *at = source->text;
    const char *end = at + source->size;
    struct foreign_text line;

    *format = FOREIGN_BY_LOOKING;
    for (size_t number = 1; next_line(&at, end, &line.at, &line.size); number++) {
        enum foreign_format here;
        enum line_kind kind;

        if (!is_content(line.at, line.size)) {
            continue;
        }
        if (*format == FOREIGN_BY_LOOKING && line.at[0] == '{') {
            *format = FOREIGN_PREDECESSOR;
            return STATUS_OK;
        }
        kind = line_kind(line.at, line.size);
        here = kind == LINE_NAMED ? FOREIGN_ENV : FOREIGN_LIST;
        if (kind == LINE_UNCLEAR) {
            return foreign_fail(source, number, unclear, error);
        }
        if (*format != FOREIGN_BY_LOOKING && *format != here) {
            return foreign_fail(
                source, number,
                "some lines are NAME=key and some are not; say which format it is with "
                "--format env or --format list",
                error);
        }
        *format = here;
    }
    return STATUS_OK;
}

enum status foreign_format_read(const char *name, enum foreign_format *format, struct error *error)
{
    static const struct {
        const char *name;
        enum foreign_format format;
    } formats[] = {
        {"token_manager.py", FOREIGN_PREDECESSOR}, {"list", FOREIGN_LIST}, {"env", FOREIGN_ENV}};
    struct text_quoted quoted;

    *format = FOREIGN_BY_LOOKING;
    for (size_t i = 0; i < COUNT(formats) && name != NULL; i++) {
        if (strcmp(name, formats[i].name) == 0) {
            *format = formats[i].format;
        }
    }
    if (name != NULL && *format == FOREIGN_BY_LOOKING) {
        return error_set(error, STATUS_USAGE,
                         "--format must be token_manager.py, list or env, not %s",
                         text_quote(&quoted, name, strlen(name)));
    }
    return STATUS_OK;
}

enum status foreign_format_read_keys(struct foreign_keys *keys, const struct foreign_source *given,
                                     struct error *error)
{
    struct foreign_source source = *given;
    enum foreign_format format = source.format;
    enum status status = STATUS_OK;

    if (source.size >= 3 && memcmp(source.text, "\xef\xbb\xbf", 3) == 0) {
        source.text += 3; /* a byte order mark, as some editors leave it */
        source.size -= 3;
    }
    if (format == FOREIGN_BY_LOOKING) {
        status = look(&source, &format, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    switch (format) {
    case FOREIGN_PREDECESSOR:
        return foreign_predecessor_read(keys, &source, error);
    case FOREIGN_ENV:
        return read_env(keys, &source, error);
    default:
        return read_list(keys, &source, error);
    }
}
