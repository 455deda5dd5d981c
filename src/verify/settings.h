/*
 * Where the tokens are and what the environment says: options, environment variables and the .env
 * file, by one rule for every program.
 *
 *     the token file    --file, else API_TOKENS_FILE, else ./api_tokens.json
 *     a variable        the environment's, else the .env file's
 *     environment key   FREEGPT_API_KEY, else (unset or empty) OPENAI_API_KEY
 */
#ifndef VERIFY_SETTINGS_H
#define VERIFY_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "base/status.h"
#include "token/token.h"
#include "verify/token_verifier.h"

#define SETTINGS_DEFAULT_FILE "api_tokens.json"
#define SETTINGS_DEFAULT_ENV_FILE ".env"

enum settings_source {
    SETTINGS_UNSET,
    SETTINGS_OPTION,
    SETTINGS_ENVIRONMENT,
    SETTINGS_ENV_FILE
};

/* What one source says of one of the key variables. The key itself is not kept. */
struct settings_key {
    const char *variable;
    enum settings_source source;
    bool is_set;
    bool is_shadowed; /* by the same variable in the environment */
    bool usable;      /* could be sent as a credential at all */
    size_t length;    /* without blanks around it; 0: set to nothing, which is no key */
    uint8_t digest[DIGEST_SIZE];
};

#define SETTINGS_KEY_COUNT 4 /* two variables, each in the environment and in .env */

struct settings {
    char *path;                                   /* of the token file, absolute */
    enum settings_source path_source;             /* SETTINGS_UNSET: it is the default path */
    char *env_file;                               /* absolute, or NULL when none was read */
    bool env_file_ignored;                        /* there is a ./.env, and it was not to be read */
    char *usage;                                  /* or NULL for the one beside the token file */
    struct settings_key keys[SETTINGS_KEY_COUNT]; /* the first that counts and is no empty one … */
    const struct settings_key *key; /* … is the environment key; NULL: there is none */
    bool allow_open;
    bool require_auth;
};

/*
 * STATUS_STORE with file, line or variable in the message when something cannot be understood. The
 * caller clears `settings` in any case, and must not copy it.
 */
MUST_CHECK enum status settings_load(struct settings *settings,
                                     const struct token_verifier_options *options,
                                     struct error *error);

/* Whether a key variable is set, if only to nothing: authentication is then not off. */
bool settings_has_key_variable(const struct settings *settings);

/* A variable that holds this token, in force or not; NULL if none does. */
const struct settings_key *settings_find_token(const struct settings *settings,
                                               const struct token *token);

void settings_clear(struct settings *settings);

#endif
