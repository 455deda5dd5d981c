#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json_write.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/when.h"
#include "store/audit_entry.h"
#include "token_manager/commands.h"
#include "token_manager/manager.h"
#include "token_manager/selection.h"

#include "base/banned.h"

#define INPUT_LIMIT ((size_t)1024 * 1024 * 1024)

/* What is looked for, and what was found. */
struct reading {
    struct manager *manager;
    const char *selector;   /* or NULL */
    char id[TOKEN_ID_SIZE]; /* of the token that it means now; "" where none is known, and … */
    enum status unresolved; /* … why */
    struct error why;
    bool is_known; /* the selector: some line is about such a token */
    int64_t since;
    struct buffer output;
    size_t shown;
    size_t unreadable; /* lines */
};

/*
 * The token may be gone, and its name another's now: what the store cannot tell is looked for in the
 * trail, by id and name, and is an error only if it is not found there.
 */
static void resolve(struct reading *reading)
{
    struct token_set tokens = {0};
    struct token_record *record = NULL;

    reading->unresolved = manager_load(reading->manager, &tokens, &reading->why);
    if (reading->unresolved == STATUS_OK) {
        reading->unresolved = token_set_select(&tokens, reading->selector, &record, &reading->why);
    }
    if (reading->unresolved == STATUS_OK) {
        memcpy(reading->id, record->token.id, sizeof(reading->id));
    }
    token_set_clear(&tokens);
}

static bool is_meant(const struct reading *reading, const struct audit_entry *entry)
{
    return reading->selector == NULL || strcmp(entry->id, reading->id) == 0 ||
           strcmp(entry->id, reading->selector) == 0 || strcmp(entry->name, reading->selector) == 0;
}

/* "2026-…Z  revoke   tok_…  "name"  alice as root@host  {…}" */
static void show(struct reading *reading, const struct audit_entry *entry)
{
    struct buffer *out = &reading->output;
    char time[TIME_TEXT_SIZE];

    time_format(entry->time, time);
    buffer_appendf(out, "%s  %-7s  %s  \"%s\"  %s%s%s%s%s", time, entry->action, entry->id,
                   entry->name, entry->sudo_user, entry->sudo_user[0] != '\0' ? " as " : "",
                   entry->login[0] != '\0' ? entry->login : "?", entry->host[0] != '\0' ? "@" : "",
                   entry->host);
    if (entry->changed.size > 0) {
        buffer_append_text(out, "  ");
        buffer_append(out, entry->changed.at, entry->changed.size);
    }
    buffer_append_text(out, "\n");
}

static void read_line(struct reading *reading, const char *line, size_t size)
{
    struct audit_entry entry;

    if (size == 0) {
        return;
    }
    if (!audit_entry_read(&entry, line, size)) {
        if (entry.no_memory) {
            reading->output.failed = true;
        } else {
            reading->unreadable++;
        }
        return;
    }
    if (!is_meant(reading, &entry)) {
        return;
    }
    reading->is_known = true;
    if (reading->since != TIME_NONE && entry.time < reading->since) {
        return;
    }
    if (reading->manager->json) {
        buffer_append_text(&reading->output, reading->shown > 0 ? ",\n  " : "[\n  ");
        buffer_append(&reading->output, line, size);
    } else {
        show(reading, &entry);
    }
    reading->shown++;
}

static enum status read_trail(struct reading *reading, const char *path, struct error *error)
{
    struct buffer text = {0};
    const enum status status = input_read_from(&text, path, INPUT_LIMIT, error);
    size_t at = 0;

    while (status == STATUS_OK && text.bytes != NULL && at < text.size) {
        const char *line = text.bytes + at;
        const char *newline = memchr(line, '\n', text.size - at);
        const size_t size = newline != NULL ? (size_t)(newline - line) : text.size - at;

        read_line(reading, line, size);
        at += size + 1;
    }
    buffer_clear(&text);
    return status == STATUS_OK ? STATUS_OK : STATUS_STORE;
}

/* Without a token file there was no change; else somebody has taken its trail away. */
static enum status explain_missing(const struct reading *reading, const char *token_file,
                                   const char *path, struct error *error)
{
    struct stat there;

    if (lstat(token_file, &there) == 0) {
        return error_set(error, STATUS_STORE,
                         "%s is not there; if it was moved away, name it with --trail", path);
    }
    if (reading->manager->settings.path_source != SETTINGS_UNSET) {
        return error_set(error, STATUS_STORE,
                         "%s does not exist; name another token file with --file", token_file);
    }
    output_say("%s does not exist: no change was made yet.\n", token_file);
    return STATUS_OK;
}

/* The trail of the token file itself, which is not there before the first change. */
static enum status read_own_trail(struct reading *reading, struct error *error)
{
    char *resolved = NULL;
    char *path = NULL;
    struct stat there;
    enum status status = file_resolve(reading->manager->settings.path, &resolved, error);

    if (status == STATUS_OK) {
        path = file_name_join(resolved, ".audit");
        status = path != NULL ? STATUS_OK : error_no_memory(error);
    }
    if (path != NULL && lstat(path, &there) != 0 && errno == ENOENT) {
        status = explain_missing(reading, resolved, path, error);
    } else if (status == STATUS_OK) {
        status = read_trail(reading, path, error);
    }
    free(path);
    free(resolved);
    return status;
}

static enum status read_trails(struct reading *reading, const struct cli_arguments *arguments,
                               struct error *error)
{
    enum status status = STATUS_OK;

    if (!cli_has(arguments, "trail")) {
        return read_own_trail(reading, error);
    }
    for (size_t i = 0; i < arguments->given_count && status == STATUS_OK; i++) {
        if (strcmp(arguments->given[i].option->name, "trail") == 0) {
            status = read_trail(reading, arguments->given[i].value, error);
        }
    }
    return status;
}

static enum status finish(struct reading *reading, struct error *error)
{
    if (reading->unresolved != STATUS_OK && !reading->is_known) {
        *error = reading->why;
        return reading->unresolved;
    }
    if (reading->manager->json) {
        buffer_append_text(&reading->output, reading->shown > 0 ? "\n]\n" : "[]\n");
    }
    if (reading->unreadable > 0) {
        output_say(
            "token_manager: %zu line%s of the audit trail cannot be read, and %s not shown\n",
            reading->unreadable, reading->unreadable == 1 ? "" : "s",
            reading->unreadable == 1 ? "is" : "are");
    }
    if (reading->shown == 0 && !reading->manager->json) {
        output_say("No change of that kind is recorded.\n");
    }
    return output_print(&reading->output, error);
}

enum status audit_run(const struct cli_arguments *arguments, struct error *error)
{
    struct manager manager;
    struct selectors selectors = {0};
    struct reading reading = {.manager = &manager, .since = TIME_NONE};
    enum status status = manager_init(&manager, arguments, error);

    if (status == STATUS_OK && arguments->operand_count > 0) {
        status = selectors_read(&selectors, arguments, error);
    }
    if (status == STATUS_OK && selectors.count > 1) {
        status = error_set(error, STATUS_USAGE, "one token at a time");
    }
    reading.selector = selectors.count > 0 ? selectors.texts[0] : NULL;
    if (status == STATUS_OK) {
        status = when_past(arguments, "since", manager.now, &reading.since, error);
    }
    if (status == STATUS_OK && reading.selector != NULL) {
        resolve(&reading);
    }
    if (status == STATUS_OK) {
        status = read_trails(&reading, arguments, error);
    }
    if (status == STATUS_OK) {
        status = finish(&reading, error);
    }
    buffer_clear(&reading.output);
    selectors_clear(&selectors);
    manager_clear(&manager);
    return status;
}
