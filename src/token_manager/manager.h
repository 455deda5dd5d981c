/*
 * What every command of token_manager needs to know: where the tokens are, what the environment
 * says, what time it is, and who is asking.
 */
#ifndef TOKEN_MANAGER_MANAGER_H
#define TOKEN_MANAGER_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "cli/cli.h"
#include "store/audit.h"
#include "store/store.h"
#include "store/usage.h"
#include "verify/settings.h"

#define MANAGER_HOST_SIZE 256
#define MANAGER_LOGIN_SIZE 256

struct manager {
    struct settings settings;
    int64_t now;
    unsigned lock_wait_ms;
    bool json; /* data is to be printed as JSON */
    struct audit_actor actor;
    char host[MANAGER_HOST_SIZE];
    char login[MANAGER_LOGIN_SIZE];
};

/* Reads options, environment and clock. The caller clears `manager` in any case; never copy it. */
MUST_CHECK enum status manager_init(struct manager *manager, const struct cli_arguments *arguments,
                                    struct error *error);

void manager_clear(struct manager *manager);

/*
 * Reads the tokens without a lock, to be looked at; the caller clears them in any case.
 * STATUS_NOT_FOUND when there is no file.
 */
MUST_CHECK enum status manager_load(const struct manager *manager, struct token_set *tokens,
                                    struct error *error);

/*
 * Reads when tokens were last used; `*path` is that file's, and the caller's to free, in any case. So is
 * `usage`, initialised before, to clear.
 */
MUST_CHECK enum status manager_load_usage(const struct manager *manager, struct usage *usage,
                                          char **path, struct error *error);

/* Opens a transaction on the token file. */
MUST_CHECK enum status manager_begin(struct manager *manager, bool may_create, struct store **store,
                                     struct error *error);

/*
 * The same on a file in the predecessor's format, whose text goes to `*foreign`, and which the commit
 * replaces. Any other file is STATUS_STORE.
 */
MUST_CHECK enum status manager_begin_foreign(struct manager *manager, struct store **store,
                                             struct buffer *foreign, struct error *error);

/* Commits, with `action` in the audit trail. `*written` as store_commit says. */
MUST_CHECK enum status manager_commit(struct manager *manager, struct store *store,
                                      const char *action, bool *written, struct error *error);

/*
 * STATUS_FAILED if the environment or .env holds the token as key: its secret would go on being
 * accepted from there once the file no longer knows it.
 */
MUST_CHECK enum status manager_check_not_in_environment(const struct manager *manager,
                                                        const struct token *token,
                                                        struct error *error);

#define MANAGER_CALL_SIZE (TEXT_SHELL_SIZE + 32)

struct manager_call {
    char text[MANAGER_CALL_SIZE];
};

/*
 * How a command in a message has to begin to be about the same token file: "token_manager", with
 * --file where that was given now. Returns `call->text`.
 */
const char *manager_call(const struct manager *manager, struct manager_call *call);

/*
 * To be called after a change that took `active_before` active tokens: if none is left, says what
 * that means, on standard error.
 */
void manager_warn_if_last(const struct manager *manager, struct store *store, size_t active_before);

#endif
