/*
 * Options that name a time or a length of time.
 */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include <stdint.h>

#include "cli/cli.h"

/* The next two leave what they would set as it is when the option was not given. */

/* A length of time, as 90d or 12h: see time_parse_span. */
MUST_CHECK enum status when_span(const struct cli_arguments *arguments, const char *name,
                                 int64_t *seconds, struct error *error);

/*
 * A time to come: 90d from now on, a date or time in UTC (2027-01-31, 2027-01-31T12:00:00Z), or never,
 * which is TIME_NONE. What is past already is refused.
 */
MUST_CHECK enum status when_future(const struct cli_arguments *arguments, const char *name,
                                   int64_t now, int64_t *time, struct error *error);

/* A time that is past: 7d ago, or a date or time in UTC. */
MUST_CHECK enum status when_past(const struct cli_arguments *arguments, const char *name,
                                 int64_t now, int64_t *time, struct error *error);

#endif
