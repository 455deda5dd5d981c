/*
 * Any bytes for an audit trail. A line that is read is JSON, does a terminal no harm, and says the same
 * when it is written again.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "reference.h"
#include "store/audit.h"
#include "store/audit_entry.h"

#define DEPTH_LIMIT 513 /* 512 in a value of the object */

static void must_be_text(const char *text, size_t capacity)
{
    const char *end = memchr(text, '\0', capacity);

    MUST(end != NULL && fuzz_is_harmless(text, (size_t)(end - text)));
}

/* The line that the manager would write for the same. */
static void check_written(const struct audit_entry *entry)
{
    const struct audit_actor actor = {.uid = 1000,
                                      .login = entry->login,
                                      .sudo_user =
                                          entry->sudo_user[0] != '\0' ? entry->sudo_user : NULL,
                                      .host = entry->host};
    const struct audit_event event = {entry->time, entry->action, &actor};
    struct token_record record = {.removed = true};
    struct buffer line = {0};
    struct audit_entry again;

    token_init(&record.token);
    memcpy(record.token.id, entry->id, sizeof(record.token.id));
    record.token.name = fuzz_copy(entry->name, strlen(entry->name) + 1);
    audit_write_line(&event, &record, &line);
    MUST(line.size > 0 && line.bytes[line.size - 1] == '\n');
    MUST(memchr(line.bytes, '\n', line.size) == line.bytes + line.size - 1);
    MUST(audit_entry_read(&again, line.bytes, line.size - 1));
    MUST(again.time == entry->time && strcmp(again.action, entry->action) == 0);
    MUST(strcmp(again.id, entry->id) == 0 && strcmp(again.name, entry->name) == 0);
    MUST(strcmp(again.login, entry->login) == 0 && strcmp(again.host, entry->host) == 0);
    MUST(strcmp(again.sudo_user, entry->sudo_user) == 0);
    token_clear(&record.token);
    buffer_clear(&line);
}

static void check_line(const char *line, size_t size)
{
    struct reference reference = {.text = line, .size = size, .depth_limit = DEPTH_LIMIT};
    struct audit_entry entry;

    if (!audit_entry_read(&entry, line, size)) {
        return;
    }
    MUST(reference_accepts(&reference) && fuzz_is_harmless(line, size));
    MUST(token_is_id(entry.id, strlen(entry.id)));
    must_be_text(entry.action, sizeof(entry.action));
    must_be_text(entry.name, sizeof(entry.name));
    must_be_text(entry.login, sizeof(entry.login));
    must_be_text(entry.sudo_user, sizeof(entry.sudo_user));
    must_be_text(entry.host, sizeof(entry.host));
    if (entry.changed.size > 0) {
        MUST(entry.changed.at >= line && entry.changed.at + entry.changed.size <= line + size);
        MUST(entry.changed.at[0] == '{' && entry.changed.at[entry.changed.size - 1] == '}');
    }
    check_written(&entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data;
    const char *end = at + size;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const size_t length = (size_t)((newline != NULL ? newline : end) - at);
        char *line = fuzz_copy(at, length);

        check_line(line, length);
        free(line);
        at += newline != NULL ? length + 1 : length;
    }
    return 0;
}
