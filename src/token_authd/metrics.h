/*
 * Numbers for Prometheus, in its text format:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#ifndef TOKEN_AUTHD_METRICS_H
#define TOKEN_AUTHD_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buffer.h"
#include "verify/verifier.h"

#define METRICS_REASONS (TOKEN_VERIFIER_UNKNOWN + 1)

/* Zero-initialise. Counts since the start. */
struct metrics {
    _Atomic uint64_t verdicts[METRICS_REASONS]; /* TOKEN_VERIFIER_NO_REASON: accepted */
};

/* Counts a verdict. From any thread; cost: one atomic addition. */
void metrics_count(struct metrics *metrics, enum token_verifier_reason reason);

/* `log_dropped`: lines that the log lost. */
void metrics_print(struct metrics *metrics, const struct verifier_report *report,
                   uint64_t log_dropped, struct buffer *out);

#endif
