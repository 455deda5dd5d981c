/*
 * A line of the audit trail, read back.
 */
#ifndef STORE_AUDIT_ENTRY_H
#define STORE_AUDIT_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "token/token.h"

#define AUDIT_WORD_SIZE 256 /* an action, a login, a host, with the final NUL */

struct audit_entry {
    int64_t time;
    char action[AUDIT_WORD_SIZE];
    char id[TOKEN_ID_SIZE];
    char name[TOKEN_NAME_SIZE];
    char login[AUDIT_WORD_SIZE]; /* "" where unknown, as the next two */
    char sudo_user[AUDIT_WORD_SIZE];
    char host[AUDIT_WORD_SIZE];
    struct json_slice changed; /* an object, as it is written; size 0 in older lines */
    bool no_memory;            /* was there to tell whether it is one */
};

/*
 * Reads a line without its end. False for one that is none, as a crash may leave, or that holds what
 * would not do a terminal good. Fields that are not known are passed over.
 */
bool audit_entry_read(struct audit_entry *entry, const char *line, size_t size);

#endif
