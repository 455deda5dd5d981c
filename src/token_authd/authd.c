#include "token_authd/authd.h"

#include <time.h>

#include "base/banned.h"

void authd_log_sandbox(const struct authd *authd, struct log_line *line)
{
    if (authd->sandbox != NULL) {
        log_text(line, "sandbox", authd->sandbox);
    }
}

void authd_note_mode(struct authd *authd, enum token_verifier_mode mode, const char *message)
{
    struct log_line line;

    if (atomic_load_explicit(&authd->mode_said, memory_order_relaxed) == (int)mode ||
        atomic_exchange(&authd->mode_said, (int)mode) == (int)mode) {
        return;
    }
    log_begin(&line, mode == TOKEN_VERIFIER_MODE_UNAVAILABLE ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
              time(NULL), "mode");
    log_text(&line, "mode",
             mode == TOKEN_VERIFIER_MODE_OPEN ? "OPEN" : token_verifier_mode_text(mode));
    if (mode == TOKEN_VERIFIER_MODE_UNAVAILABLE) {
        log_text(&line, "reason", message);
        authd_log_sandbox(authd, &line);
    }
    log_end(&line);
}
