#include "token_manager/manager.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/output.h"
#include "cli/verifier_options.h"

#include "base/banned.h"

#define LOCK_WAIT_SECONDS 10
#define LOCK_WAIT_LIMIT 86400
#define PASSWD_BUFFER_SIZE 4096

static enum status read_lock_timeout(struct manager *manager, const struct cli_arguments *arguments,
                                     struct error *error)
{
    static const struct cli_range range = {0, LOCK_WAIT_LIMIT, " of seconds"};
    unsigned long seconds = LOCK_WAIT_SECONDS;
    const enum status status = cli_number(arguments, "lock-timeout", &range, &seconds, error);

    manager->lock_wait_ms = (unsigned)seconds * 1000;
    return status;
}

/* A variable may hold anything: what is no login is not told, but that there was something is. */
static const char *as_login(const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    return strlen(text) < MANAGER_LOGIN_SIZE && text_is_visible_ascii(text, strlen(text))
               ? text
               : "(no login name)";
}

/* Who to name in the audit trail. What cannot be found out is left out. */
static void find_actor(struct manager *manager)
{
    char buffer[PASSWD_BUFFER_SIZE];
    struct passwd entry;
    struct passwd *found = NULL;

    manager->actor = (struct audit_actor){
        .uid = getuid(), .sudo_user = getuid() == 0 ? as_login(getenv("SUDO_USER")) : NULL};
    if (getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found != NULL) {
        (void)snprintf(manager->login, sizeof(manager->login), "%s", found->pw_name);
        manager->actor.login = manager->login;
    }
    if (gethostname(manager->host, sizeof(manager->host) - 1) == 0) {
        manager->actor.host = manager->host;
    }
}

enum status manager_init(struct manager *manager, const struct cli_arguments *arguments,
                         struct error *error)
{
    const struct token_verifier_options options = verifier_options(arguments);
    enum status status;

    *manager = (struct manager){.now = (int64_t)time(NULL), .json = cli_has(arguments, "json")};
    status = read_lock_timeout(manager, arguments, error);
    if (status == STATUS_OK) {
        status = settings_load(&manager->settings, &options, error);
    }
    return status;
}

void manager_clear(struct manager *manager)
{
    settings_clear(&manager->settings);
}

enum status manager_load(const struct manager *manager, struct token_set *tokens,
                         struct error *error)
{
    const struct token_json_sink sink = {token_set_take, tokens};
    struct store_version version = {.kind = STORE_VERSION_NONE};
    const enum status status = store_load(manager->settings.path, &sink, &version, error);

    store_version_clear(&version);
    return status;
}

enum status manager_load_usage(const struct manager *manager, struct usage *usage, char **path,
                               struct error *error)
{
    const struct settings *settings = &manager->settings;
    enum status status = STATUS_OK;

    *path = NULL;
    if (settings->usage == NULL) {
        status = usage_path(settings->path, path, error);
    } else {
        *path = strdup(settings->usage);
        status = *path != NULL ? STATUS_OK : error_no_memory(error);
    }
    return status == STATUS_OK ? usage_load(usage, *path, error) : status;
}

static enum status begin(struct manager *manager, const struct store_options *options,
                         struct store **store, struct error *error)
{
    enum status status;

    find_actor(manager);
    status = store_begin(store, options, error);
    manager->now = (int64_t)time(NULL); /* waiting for others may have taken a while */
    return status;
}

enum status manager_begin(struct manager *manager, bool may_create, struct store **store,
                          struct error *error)
{
    const struct store_options options = {.path = manager->settings.path,
                                          .lock_wait_ms = manager->lock_wait_ms,
                                          .may_create = may_create};

    return begin(manager, &options, store, error);
}

enum status manager_begin_foreign(struct manager *manager, struct store **store,
                                  struct buffer *foreign, struct error *error)
{
    const struct store_options options = {
        .path = manager->settings.path, .lock_wait_ms = manager->lock_wait_ms, .foreign = foreign};

    return begin(manager, &options, store, error);
}

enum status manager_commit(struct manager *manager, struct store *store, const char *action,
                           bool *written, struct error *error)
{
    const struct audit_event event = {
        .time = manager->now, .action = action, .actor = &manager->actor};

    return store_commit(store, &event, written, error);
}

enum status manager_check_not_in_environment(const struct manager *manager,
                                             const struct token *token, struct error *error)
{
    const struct settings_key *key = settings_find_token(&manager->settings, token);

    if (key == NULL) {
        return STATUS_OK;
    }
    return error_set(error, STATUS_FAILED,
                     "\"%s\" (%s) is also the key in %s (%s), and would go on being accepted from "
                     "there once the file no longer knows it; take it out there first, or revoke "
                     "it instead",
                     token->name, token->id, key->variable,
                     key->source == SETTINGS_ENV_FILE ? manager->settings.env_file
                                                      : "the environment");
}

const char *manager_call(const struct manager *manager, struct manager_call *call)
{
    struct text_shell word;

    if (manager->settings.path_source != SETTINGS_OPTION) {
        return "token_manager";
    }
    (void)snprintf(call->text, sizeof(call->text), "token_manager --file %s",
                   text_shell(&word, manager->settings.path));
    return call->text;
}

void manager_warn_if_last(const struct manager *manager, struct store *store, size_t active_before)
{
    static const char *const how_named[] = {
        [SETTINGS_UNSET] = "",
        [SETTINGS_OPTION] = ", name no file with --file",
        [SETTINGS_ENVIRONMENT] = ", API_TOKENS_FILE too",
        [SETTINGS_ENV_FILE] = ", API_TOKENS_FILE too",
    };
    const struct settings *settings = &manager->settings;
    const struct settings_key *key = settings->key;
    struct manager_call call;

    /* What the file says of a token wins, and a key that cannot be sent helps nobody. */
    if (key != NULL &&
        (!key->usable || token_set_find_digest(store_tokens(store), key->digest) != NULL)) {
        key = NULL;
    }
    if (active_before == 0 || token_set_count_active(store_tokens(store), manager->now) > 0) {
        return;
    }
    output_say("That was the last active token: now everybody is refused%s%s.\n"
               "`%s create NAME` makes another.\n"
               "To turn authentication off instead, remove %s,\n"
               "leave FREEGPT_API_KEY and OPENAI_API_KEY unset%s, and restart the server.\n",
               key != NULL ? ", except with the key in " : "", key != NULL ? key->variable : "",
               manager_call(manager, &call), store_path(store), how_named[settings->path_source]);
}
