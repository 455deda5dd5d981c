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

uint64_t authd_log_state(struct authd *authd, const char *event, const char *listen,
                         const struct sandbox *sandbox)
{
    const int64_t now = time(NULL);
    struct verifier_report report;
    struct log_line line;
    enum log_level level = LOG_LEVEL_INFO;
    bool is_open;

    verifier_report(authd->verifier, now, &report);
    is_open = report.mode == TOKEN_VERIFIER_MODE_OPEN;
    atomic_store(&authd->mode_said, (int)report.mode);
    if (report.mode == TOKEN_VERIFIER_MODE_UNAVAILABLE) {
        level = LOG_LEVEL_ERROR;
    } else if (is_open) {
        level = LOG_LEVEL_WARN;
    }
    log_begin(&line, level, now, event);
    log_text(&line, "listen", listen);
    log_text(&line, "mode", is_open ? "OPEN" : token_verifier_mode_text(report.mode));
    log_text(&line, "file", report.settings->path);
    log_count(&line, "active", report.active);
    log_count(&line, "revoked", report.revoked);
    log_count(&line, "expired", report.expired);
    log_seconds(&line, "load_seconds", report.loads.last_seconds);
    if (report.mode == TOKEN_VERIFIER_MODE_UNAVAILABLE) {
        log_text(&line, "reason", report.error.text);
    }
    log_text(&line, "sandbox", sandbox->text);
    if (!sandbox->is_on) {
        log_text(&line, "sandbox_reason", sandbox->reason);
    }
    if (is_open) {
        log_text(&line, "warning", "AUTHENTICATION IS OFF: EVERYBODY IS ACCEPTED");
    }
    log_end(&line);
    return report.loads.count;
}
