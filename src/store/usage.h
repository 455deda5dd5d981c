/*
 * When tokens were last used: `api_tokens.json.usage`, appended to by verifiers.
 *
 *     since 2026-11-20T10:30:00Z
 *     tok_…16… 2026-11-26T11:45:23Z
 *
 * The manager makes it, writable for whoever may read the token file. Whoever appends locks the file
 * itself, never waiting; whoever reads shares that lock. It is compacted in place, because who may
 * create files in its folder could also replace the tokens. Lines that are not of this form are
 * skipped. Losing all of it loses nothing but "last used".
 */
#ifndef STORE_USAGE_H
#define STORE_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/key_set.h"
#include "base/status.h"
#include "token/token.h"
#include "token/token_set.h"

/*
 * By so many seconds a use may be later than the one that is recorded: verifiers write each token once a
 * minute at most, and a moment later.
 */
#define USAGE_SLACK 65

/* The latest use of each token. */
struct usage {
    int64_t since; /* from when on uses were recorded; TIME_NONE if the file does not say */
    struct key_set ids;
    int64_t *times; /* by the ids' numbers; owned */
    size_t capacity;
};

struct usage_entry {
    char id[TOKEN_ID_SIZE];
    int64_t time;
};

/* An empty one, before it is loaded. */
void usage_init(struct usage *usage);

/* Reads the file. A file that is not there is an empty one. `usage` is always safe to clear. */
MUST_CHECK enum status usage_load(struct usage *usage, const char *path, struct error *error);

/* TIME_NONE when no use is known. */
int64_t usage_last(const struct usage *usage, const char *id);

void usage_clear(struct usage *usage);

/* The usage file of a token file, `.usage` behind its resolved name; the caller frees `*path`. */
MUST_CHECK enum status usage_path(const char *token_file, char **path, struct error *error);

/*
 * Makes the file in the folder if it is not there, as `token_file` is owned and readable. Failing is
 * no harm worth telling.
 */
void usage_create(int folder_fd, const char *name, const struct stat *token_file, int64_t now);

/* What to append, and to which file. */
struct usage_append {
    const char *path;
    const struct usage_entry *entries;
    size_t count;
    size_t size_limit; /* past so many bytes the file is compacted as well */
    bool create;       /* if it is missing, 0600 */
    int64_t now;       /* since when a new file records */
};

enum usage_result {
    USAGE_APPENDED,
    USAGE_BUSY,       /* another has it locked: try again */
    USAGE_UNWRITABLE, /* it is missing, not ours to write, or no usage file at all */
};

enum usage_result usage_append(const struct usage_append *append);

/* The same, waiting a fifth of a second at most for others to let go of the file. */
enum usage_result usage_append_patiently(const struct usage_append *append);

/* A size that a file for so many tokens reaches only by repetition. */
size_t usage_size_limit(size_t tokens);

/* Keeps only the last use of each token that is in `known`, if the file is larger than its limit. */
void usage_compact_known(const char *path, const struct token_set *known);

#endif
