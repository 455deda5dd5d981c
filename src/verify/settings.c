#include "verify/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/env_file.h"
#include "base/file.h"
#include "base/text.h"
#include "token/token_text.h"

#include "base/banned.h"

/* A variable's value and where it comes from; NULL when it is not set. */
static enum status look_up(const struct env_file *env, const char *name, const char **value,
                           enum settings_source *source, struct error *error)
{
    enum status status = STATUS_OK;

    *source = SETTINGS_ENVIRONMENT;
    *value = getenv(name);
    if (*value == NULL) {
        *source = SETTINGS_ENV_FILE;
        status = env_file_get(env, name, value, error);
    }
    if (*value == NULL) {
        *source = SETTINGS_UNSET;
    }
    return status;
}

/* A token where a file should be named would be told by every message about that file. */
static enum status check_is_no_token(const char *path, struct error *error)
{
    return token_text_has_whole(path, strlen(path))
               ? error_set(error, STATUS_USAGE, "a token was given in the place of a file's name")
               : STATUS_OK;
}

static enum status load_env_file(struct settings *settings, struct env_file *env,
                                 const struct token_verifier_options *options, struct error *error)
{
    const char *path = options->env_file != NULL ? options->env_file : SETTINGS_DEFAULT_ENV_FILE;
    struct stat entry;
    /* A link that leads nowhere is a .env that is missing, and what cannot be told is no absence. */
    const int fault = lstat(path, &entry) == 0 ? 0 : errno;
    enum status status = check_is_no_token(path, error);

    if (status != STATUS_OK) {
        return status;
    }
    if (options->no_env_file && options->env_file != NULL) {
        return error_set(
            error, STATUS_USAGE,
            "a variables file is named and is not to be read; give --env-file or --no-env-file, "
            "not both");
    }
    if (options->no_env_file) {
        settings->env_file_ignored = fault != ENOENT;
        return STATUS_OK;
    }
    if (options->env_file == NULL && fault == ENOENT) {
        return STATUS_OK;
    }
    if (fault != 0 && fault != ENOENT) {
        return error_set_errno(error, STATUS_STORE, fault, "cannot examine %s", path);
    }
    status = env_file_load(env, path, error);
    if (status == STATUS_OK) {
        status = file_absolute(path, &settings->env_file, error);
    }
    return status == STATUS_NOT_FOUND ? STATUS_STORE : status;
}

static enum status load_path(struct settings *settings, const struct env_file *env,
                             const struct token_verifier_options *options, struct error *error)
{
    const char *path = options->file;
    enum status status = STATUS_OK;

    settings->path_source = SETTINGS_OPTION;
    if (path == NULL) {
        status = look_up(env, "API_TOKENS_FILE", &path, &settings->path_source, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (path != NULL && *path == '\0') {
        return error_set(error,
                         settings->path_source == SETTINGS_OPTION ? STATUS_USAGE : STATUS_STORE,
                         "%s; name a file, or leave it out",
                         settings->path_source == SETTINGS_OPTION ? "the name of the token file is "
                                                                    "empty"
                                                                  : "API_TOKENS_FILE is set to "
                                                                    "nothing");
    }
    path = path != NULL ? path : SETTINGS_DEFAULT_FILE;
    status = check_is_no_token(path, error);
    return status == STATUS_OK ? file_absolute(path, &settings->path, error) : status;
}

static void read_key(struct settings_key *key, const char *value)
{
    key->is_set = value != NULL;
    if (value != NULL) {
        key->length = strlen(value);
        text_trim(&value, &key->length);
        key->usable = key->length > 0 && key->length <= CREDENTIAL_LIMIT &&
                      text_is_visible_ascii(value, key->length);
        secret_digest(key->digest, value, key->length);
    }
}

static enum status load_keys(struct settings *settings, const struct env_file *env,
                             struct error *error)
{
    static const char *const variables[] = {"FREEGPT_API_KEY", "OPENAI_API_KEY"};

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        struct settings_key *own = &settings->keys[2 * i];
        struct settings_key *file = own + 1;
        const char *value;
        enum status status;

        *own = (struct settings_key){.variable = variables[i], .source = SETTINGS_ENVIRONMENT};
        *file = (struct settings_key){.variable = variables[i], .source = SETTINGS_ENV_FILE};
        read_key(own, getenv(variables[i]));
        status = env_file_get(env, variables[i], &value, error);
        if (status != STATUS_OK && !own->is_set) {
            return status;
        }
        read_key(file, status == STATUS_OK ? value : NULL);
        file->is_shadowed = own->is_set;
    }
    for (size_t i = SETTINGS_KEY_COUNT; i > 0; i--) {
        const struct settings_key *key = &settings->keys[i - 1];

        if (key->is_set && !key->is_shadowed && key->length > 0) {
            settings->key = key;
        }
    }
    return STATUS_OK;
}

static enum status load_require_auth(struct settings *settings, const struct env_file *env,
                                     const struct token_verifier_options *options,
                                     struct error *error)
{
    static const char name[] = "TOKEN_VERIFIER_REQUIRE_AUTH";
    struct text_quoted quoted;
    enum settings_source source;
    const char *value;
    const enum status status = look_up(env, name, &value, &source, error);

    if (status != STATUS_OK) {
        return status;
    }
    if (value != NULL && *value != '\0' && strcmp(value, "0") != 0 && strcmp(value, "1") != 0) {
        return error_set(error, STATUS_STORE, "%s must be 1 or 0, not %s", name,
                         text_quote(&quoted, value, strlen(value)));
    }
    settings->require_auth = options->require_auth || (value != NULL && strcmp(value, "1") == 0);
    return STATUS_OK;
}

/* Uses are never written into a file that says something else. */
static enum status load_usage(struct settings *settings,
                              const struct token_verifier_options *options, struct error *error)
{
    enum status status = STATUS_OK;

    if (options->usage != NULL) {
        status = check_is_no_token(options->usage, error);
    }
    if (options->usage != NULL && status == STATUS_OK) {
        status = file_absolute(options->usage, &settings->usage, error);
    }
    if (settings->usage != NULL && strcmp(settings->usage, settings->path) == 0) {
        return error_set(error, STATUS_STORE, "%s is the token file and cannot be the usage file",
                         settings->usage);
    }
    return status;
}

enum status settings_load(struct settings *settings, const struct token_verifier_options *options,
                          struct error *error)
{
    struct env_file env = {0};
    enum status status;

    *settings = (struct settings){.allow_open = options->allow_open};
    status = load_env_file(settings, &env, options, error);
    if (status == STATUS_OK) {
        status = load_path(settings, &env, options, error);
    }
    if (status == STATUS_OK) {
        status = load_keys(settings, &env, error);
    }
    if (status == STATUS_OK) {
        status = load_require_auth(settings, &env, options, error);
    }
    if (status == STATUS_OK) {
        status = load_usage(settings, options, error);
    }
    env_file_clear(&env);
    return status;
}

bool settings_has_key_variable(const struct settings *settings)
{
    for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++) {
        if (settings->keys[i].is_set) {
            return true;
        }
    }
    return false;
}

const struct settings_key *settings_find_token(const struct settings *settings,
                                               const struct token *token)
{
    for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++) {
        const struct settings_key *key = &settings->keys[i];

        if (key->is_set && token_has_digest(token, key->digest)) {
            return key;
        }
    }
    return NULL;
}

void settings_clear(struct settings *settings)
{
    if (settings != NULL) {
        free(settings->path);
        free(settings->env_file);
        free(settings->usage);
        secret_wipe(settings, sizeof(*settings));
    }
}
