#include "verify/mode.h"

#include "base/text.h"

#include "base/banned.h"

/* Without a file: open only if nothing speaks against it, and never once there was one. */
static enum token_verifier_mode mode_without_file(const struct settings *settings,
                                                  const struct mode_past *past, struct error *error)
{
    struct text_shell word;

    error->text[0] = '\0';
    if (past->ever_there) {
        (void)error_set(error, STATUS_STORE,
                        "%s is gone; a running verifier does not take that for \"authentication is "
                        "off\": restore the file, or restart the verifier",
                        settings->path);
    } else if (settings->path_source != SETTINGS_UNSET && !settings->allow_open) {
        (void)error_set(
            error, STATUS_STORE,
            "%s does not exist, but was named by %s; make it with `token_manager --file "
            "%s create NAME`",
            settings->path,
            settings->path_source == SETTINGS_OPTION ? "an option" : "API_TOKENS_FILE",
            text_shell(&word, settings->path));
    } else if (settings_has_key_variable(settings)) {
        return TOKEN_VERIFIER_MODE_ENVIRONMENT;
    } else if (settings->env_file_ignored && !settings->allow_open) {
        (void)error_set(
            error, STATUS_STORE,
            "there is a .env that may hold a key and was not to be read, so "
            "authentication is not off; read it, remove it, or allow open mode (--allow-open)");
    } else if (past->ever_on) {
        (void)error_set(error, STATUS_STORE,
                        "there is neither %s nor an environment key any more; a running verifier "
                        "does not take that for \"authentication is off\": restart it, if that is "
                        "what you want",
                        settings->path);
    } else if (settings->require_auth) {
        (void)error_set(error, STATUS_STORE,
                        "there is neither %s nor an environment key, so authentication would be "
                        "off, and it is required",
                        settings->path);
    } else {
        return TOKEN_VERIFIER_MODE_OPEN;
    }
    return TOKEN_VERIFIER_MODE_UNAVAILABLE;
}

enum token_verifier_mode mode_decide(const struct settings *settings,
                                     const struct snapshot *snapshot, const struct mode_past *past,
                                     struct error *error)
{
    error->text[0] = '\0';
    if (snapshot->status == STATUS_OK) {
        return settings->key != NULL ? TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT
                                     : TOKEN_VERIFIER_MODE_FILE;
    }
    if (snapshot->status == STATUS_NOT_FOUND) {
        return mode_without_file(settings, past, error);
    }
    *error = snapshot->error;
    return TOKEN_VERIFIER_MODE_UNAVAILABLE;
}
