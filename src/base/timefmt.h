/*
 * Times: seconds since 1970-01-01T00:00:00Z, and their one spelling, RFC 3339 in UTC with whole
 * seconds: 2026-11-26T11:45:23Z. Nothing here reads a clock.
 */
#ifndef BASE_TIMEFMT_H
#define BASE_TIMEFMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIME_NONE INT64_MIN
#define TIME_LAST INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define TIME_TEXT_SIZE 21               /* "2026-11-26T11:45:23Z" and its NUL */
#define TIME_AGO_SIZE 32                /* "2 minutes ago" and its NUL */

/*
 * Reads exactly the spelling above, years 0000 to 9999, no leap second 60 (RFC 3339, section 5.6,
 * narrowed). False for anything else.
 */
bool time_parse(const char *text, size_t size, int64_t *out);

/* The same, or a date alone, which means its beginning: 2026-11-26. */
bool time_parse_date(const char *text, size_t size, int64_t *out);

/*
 * Reads a length of time: a whole number and s, m, h, d or w, for seconds, minutes, hours, days or
 * weeks: 90d. 0 may stand alone. False for anything else, and for more than 9999 years.
 */
bool time_parse_span(const char *text, size_t size, int64_t *seconds);

/* Writes the spelling above. Times outside the years 0000 to 9999 are clamped to them. */
void time_format(int64_t time, char text[static TIME_TEXT_SIZE]);

/* "just now", "2 minutes ago", "in 12 days": the largest unit that fits, rounded down. */
void time_ago(int64_t time, int64_t now, char text[static TIME_AGO_SIZE]);

#endif
