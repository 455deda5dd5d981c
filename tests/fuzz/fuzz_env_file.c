/*
 * Any text for a `.env` file. Refused, it is with file, line and reason. Accepted, its variables are in
 * the order of their lines, the last of a name counts, and they read back when they are written out.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/env_file.h"

#define NAME "e.env"

static bool is_name(const char *name)
{
    bool good = name[0] != '\0';

    for (size_t i = 0; name[i] != '\0' && good; i++) {
        good = env_file_is_name_char(name[i], i == 0);
    }
    return good;
}

/* NAME="value", with everything escaped that may be. */
static void write_variable(struct buffer *out, const struct env_variable *variable)
{
    buffer_appendf(out, "export %s=\"", variable->name);
    for (const char *at = variable->value; *at != '\0'; at++) {
        if (strchr("\"\\$`", *at) != NULL) {
            buffer_append(out, "\\", 1);
        }
        if (*at == '\r') {
            buffer_append(out, "\\r", 2);
        } else {
            buffer_append(out, at, 1);
        }
    }
    buffer_append_text(out, "\" # read again\n");
}

static void check_last(const struct env_file *env, const char *name)
{
    struct env_variable last = {.value = NULL};
    struct error error;
    const char *value;
    bool refers = false;

    for (size_t i = 0; i < env->count; i++) {
        struct env_variable variable;
        const enum status status = env_file_variable(env, i, &variable, &error);

        if (strcmp(variable.name, name) == 0) {
            last = variable;
            refers = status != STATUS_OK;
        }
    }
    MUST((env_file_get(env, name, &value, &error) == STATUS_OK) == !refers);
    MUST(value == (refers ? NULL : last.value));
}

/* Those that do not refer to others. */
static void check_written(const struct env_file *env, const struct buffer *written)
{
    char *text = fuzz_copy(written->bytes, written->size);
    struct env_file again;
    struct error error;
    size_t number = 0;

    MUST(env_file_parse(&again, NAME, text, written->size, &error) == STATUS_OK);
    for (size_t i = 0; i < env->count; i++) {
        struct env_variable before;
        struct env_variable after;

        if (env_file_variable(env, i, &before, &error) == STATUS_OK) {
            MUST(number < again.count);
            MUST(env_file_variable(&again, number++, &after, &error) == STATUS_OK);
            MUST(strcmp(before.name, after.name) == 0 && strcmp(before.value, after.value) == 0);
        }
    }
    MUST(number == again.count);
    env_file_clear(&again);
    free(text);
}

static void check_variables(const struct env_file *env, const char *text, size_t size)
{
    struct buffer written = {0};
    struct error error;
    size_t line = 0;

    for (size_t i = 0; i < env->count; i++) {
        struct env_variable variable;
        const enum status status = env_file_variable(env, i, &variable, &error);

        MUST(is_name(variable.name));
        MUST(variable.line > line);
        line = variable.line;
        check_last(env, variable.name);
        if (status == STATUS_OK) {
            write_variable(&written, &variable);
        } else {
            MUST(status == STATUS_STORE && strchr(variable.value, '$') != NULL);
            MUST(fuzz_line_of(error.text, NAME, text, size) == line);
        }
    }
    check_written(env, &written);
    buffer_clear(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    struct env_file env;
    struct error error;
    const enum status status = env_file_parse(&env, NAME, text, size, &error);
    const char *value;

    if (status == STATUS_OK) {
        check_variables(&env, text, size);
    } else {
        MUST(status == STATUS_STORE);
        (void)fuzz_line_of(error.text, NAME, text, size);
    }
    MUST(env_file_get(&env, "no name", &value, &error) == STATUS_OK && value == NULL);
    env_file_clear(&env);
    free(text);
    return 0;
}
