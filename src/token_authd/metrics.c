#include "token_authd/metrics.h"

#include <inttypes.h>

#include "base/version.h"

#include "base/banned.h"

void metrics_count(struct metrics *metrics, enum token_verifier_reason reason)
{
    atomic_fetch_add_explicit(&metrics->verdicts[reason], 1, memory_order_relaxed);
}

static void describe(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_appendf(out, "# HELP token_authd_%s %s\n# TYPE token_authd_%s %s\n", name, help, name,
                   type);
}

static void print_verdicts(struct metrics *metrics, struct buffer *out)
{
    describe(out, "requests_total", "counter", "Requests for a verdict, by how it turned out.");
    for (enum token_verifier_reason r = 0; r < METRICS_REASONS; r++) {
        buffer_appendf(out,
                       "token_authd_requests_total{verdict=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
                       r == TOKEN_VERIFIER_NO_REASON ? "accepted" : "refused",
                       r == TOKEN_VERIFIER_NO_REASON ? "none" : token_verifier_reason_text(r),
                       atomic_load_explicit(&metrics->verdicts[r], memory_order_relaxed));
    }
}

static void print_tokens(const struct verifier_report *report, struct buffer *out)
{
    const struct {
        enum token_status status;
        size_t count;
    } rows[] = {{TOKEN_ACTIVE, report->active},
                {TOKEN_REVOKED, report->revoked},
                {TOKEN_EXPIRED, report->expired}};

    describe(out, "tokens", "gauge", "Tokens in the file; none while it cannot be read.");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        buffer_appendf(out, "token_authd_tokens{status=\"%s\"} %zu\n",
                       token_status_text(rows[i].status), rows[i].count);
    }
}

static void print_modes(enum token_verifier_mode now, struct buffer *out)
{
    describe(out, "mode", "gauge", "1 for the mode in force, 0 for the others.");
    for (enum token_verifier_mode m = 0; m <= TOKEN_VERIFIER_MODE_FILE_AND_ENVIRONMENT; m++) {
        buffer_appendf(out, "token_authd_mode{mode=\"%s\"} %d\n", token_verifier_mode_text(m),
                       m == now ? 1 : 0);
    }
}

static void print_loads(const struct verifier_loads *loads, struct buffer *out)
{
    describe(out, "reloads_total", "counter", "Loads of the token file after the first.");
    buffer_appendf(out, "token_authd_reloads_total %" PRIu64 "\n",
                   loads->count > 0 ? loads->count - 1 : 0);
    describe(out, "reload_failures_total", "counter", "Loads of the token file that failed.");
    buffer_appendf(out, "token_authd_reload_failures_total %" PRIu64 "\n", loads->failures);
    describe(out, "last_load_duration_seconds", "gauge", "How long the last load took.");
    buffer_appendf(out, "token_authd_last_load_duration_seconds %.9f\n", loads->last_seconds);
}

void metrics_print(struct metrics *metrics, const struct verifier_report *report,
                   uint64_t log_dropped, struct buffer *out)
{
    print_verdicts(metrics, out);
    print_tokens(report, out);
    print_modes(report->mode, out);
    print_loads(&report->loads, out);
    describe(out, "log_lines_dropped_total", "counter",
             "Log lines lost because nobody read standard error in time.");
    buffer_appendf(out, "token_authd_log_lines_dropped_total %" PRIu64 "\n", log_dropped);
    describe(out, "build_info", "gauge", "1, with the version as a label.");
    buffer_appendf(out, "token_authd_build_info{version=\"%s\"} 1\n", TOKEN_MANAGER_VERSION);
}
