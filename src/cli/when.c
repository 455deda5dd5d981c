#include "cli/when.h"

#include <string.h>

#include "base/text.h"
#include "base/timefmt.h"

#include "base/banned.h"

static enum status refuse(const char *name, const char *value, const char *wanted,
                          struct error *error)
{
    struct text_quoted quoted;

    return error_set(error, STATUS_USAGE, "--%s %s: %s", name,
                     text_quote(&quoted, value, strlen(value)), wanted);
}

enum status when_span(const struct cli_arguments *arguments, const char *name, int64_t *seconds,
                      struct error *error)
{
    const char *value = cli_value(arguments, name);

    if (value == NULL || time_parse_span(value, strlen(value), seconds)) {
        return STATUS_OK;
    }
    return refuse(name, value, "write a number and s, m, h, d or w, as 12h or 90d", error);
}

enum status when_future(const struct cli_arguments *arguments, const char *name, int64_t now,
                        int64_t *time, struct error *error)
{
    const char *value = cli_value(arguments, name);
    int64_t seconds;
    int64_t found;

    if (value == NULL) {
        return STATUS_OK;
    }
    if (strcmp(value, "never") == 0) {
        *time = TIME_NONE;
        return STATUS_OK;
    }
    if (time_parse_span(value, strlen(value), &seconds)) {
        found = now + seconds;
    } else if (!time_parse_date(value, strlen(value), &found)) {
        return refuse(name, value,
                      "write a length of time as 90d or 12h, a date as 2027-01-31, a time as "
                      "2027-01-31T12:00:00Z (UTC), or never",
                      error);
    }
    if (found <= now) {
        return refuse(name, value, "that is not in the future", error);
    }
    if (found > TIME_LAST) {
        return refuse(name, value, "that is after the year 9999; write never", error);
    }
    *time = found;
    return STATUS_OK;
}

enum status when_past(const struct cli_arguments *arguments, const char *name, int64_t now,
                      int64_t *time, struct error *error)
{
    const char *value = cli_value(arguments, name);
    int64_t seconds;

    if (value == NULL || time_parse_date(value, strlen(value), time)) {
        return STATUS_OK;
    }
    if (!time_parse_span(value, strlen(value), &seconds)) {
        return refuse(name, value,
                      "write a length of time as 7d or 12h, a date as 2026-01-31, or a time as "
                      "2026-01-31T12:00:00Z (UTC)",
                      error);
    }
    *time = now - seconds;
    return STATUS_OK;
}
