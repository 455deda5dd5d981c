/*
 * The audit trail: `api_tokens.json.audit`, one JSON object a line for each change of a token: when,
 * what was done, to which one, what is different now, and who did it.
 *
 *     {"time": "…", "action": "revoke", "id": "tok_…", "name": "…", "changed": {"revoked_at": "…"},
 *      "uid": 0, "login": "root", "sudo_user": "alice", "host": "…"}
 *
 * A line is on the disk before the change that it tells of is made: a crash may leave a line for a
 * change that was not made, never a change without its line. No secret and no digest is in it.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/status.h"
#include "token/token_set.h"

/* Who makes a change. Strings are borrowed; NULL where unknown. */
struct audit_actor {
    unsigned long uid;
    const char *login;
    const char *sudo_user; /* who called sudo */
    const char *host;
};

struct audit_event {
    int64_t time;
    const char *action; /* the subcommand's name */
    const struct audit_actor *actor;
};

/* Appends one line about a record that was changed or removed. */
void audit_write_line(const struct audit_event *event, const struct token_record *record,
                      struct buffer *out);

/* Where the trail is. */
struct audit_file {
    int folder_fd;
    const char *path;        /* absolute, in that folder */
    const struct stat *like; /* whose owner and group a new file gets; NULL for our own */
    off_t size_before;       /* set by audit_append, for audit_undo */
};

/*
 * Appends whole lines to the file, made if missing (0600), and syncs it. A line that an earlier crash
 * left unfinished is closed off. The caller holds the store's lock. On failure the file is as it
 * was, if that can be had.
 */
MUST_CHECK enum status audit_append(struct audit_file *file, const struct buffer *lines,
                                    struct error *error);

/* Takes the lines back, for a change that was certainly not made. */
void audit_undo(const struct audit_file *file);

#endif
