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

static const char *const key_variables[SETTINGS_KEY_COUNT] = {"FREEGPT_API_KEY", "OPENAI_API_KEY"};

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

/* Whether there is nothing of that name: a link that leads nowhere is a .env that is missing. */
static bool is_absent(const char *path)
{
    struct stat entry;

    return lstat(path, &entry) != 0 && errno == ENOENT;
}

static enum status load_env_file(struct settings *settings, struct env_file *env,
                                 const struct token_verifier_options *options, struct error *error)
{
    const bool is_default = options->env_file == NULL;
    const char *path = is_default ? SETTINGS_DEFAULT_ENV_FILE : options->env_file;
    struct error reason;
    enum status status;

    if (options->no_env_file || (is_default && is_absent(path))) {
        return STATUS_OK;
    }
    status = env_file_load(env, path, &reason);
    if (status != STATUS_OK) {
        return error_set(error, STATUS_STORE, "%s%s", reason.text,
                         is_default ? " (mend it, or give --no-env-file)" : "");
    }
    return file_absolute(path, &settings->env_file, error);
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
        return error_set(error, STATUS_STORE, "%s is set to nothing; name a file, or %s",
                         settings->path_source == SETTINGS_OPTION ? "--file" : "API_TOKENS_FILE",
                         settings->path_source == SETTINGS_OPTION ? "leave it out" : "unset it");
    }
    return file_absolute(path != NULL ? path : SETTINGS_DEFAULT_FILE, &settings->path, error);
}

static enum status load_keys(struct settings *settings, const struct env_file *env,
                             struct error *error)
{
    for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++) {
        struct settings_key *key = &settings->keys[i];
        const char *value;
        enum status status;

        key->variable = key_variables[i];
        status = look_up(env, key->variable, &value, &key->source, error);
        if (status != STATUS_OK) {
            return status;
        }
        if (value == NULL) {
            continue;
        }
        key->length = strlen(value);
        text_trim(&value, &key->length);
        key->usable = key->length > 0 && key->length <= CREDENTIAL_LIMIT &&
                      text_is_visible_ascii(value, key->length);
        secret_digest(key->digest, value, key->length);
        if (settings->key == NULL && key->length > 0) {
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
    enum settings_source source;
    const char *value;
    const enum status status = look_up(env, name, &value, &source, error);

    if (status != STATUS_OK) {
        return status;
    }
    if (value != NULL && *value != '\0' && strcmp(value, "0") != 0 && strcmp(value, "1") != 0) {
        return error_set(error, STATUS_STORE, "%s must be 1 or 0", name);
    }
    settings->require_auth = options->require_auth || (value != NULL && strcmp(value, "1") == 0);
    return STATUS_OK;
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
    if (status == STATUS_OK && options->usage != NULL) {
        status = file_absolute(options->usage, &settings->usage, error);
    }
    env_file_clear(&env);
    return status;
}

bool settings_has_key_variable(const struct settings *settings)
{
    return settings->keys[0].source != SETTINGS_UNSET || settings->keys[1].source != SETTINGS_UNSET;
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
