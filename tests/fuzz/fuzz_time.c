/*
 * Any text for a time, a date or a length of time, and any two times to tell apart. What is accepted
 * means what the C library says, and is written as it was read.
 *
 * An input is two times in binary, eight bytes each, and a text.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/timefmt.h"
#include "cli/when.h"

#define FIRST_TIME INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define SPAN_MOST (INT64_C(9999) * 365 * 86400)

static int64_t take_time(const uint8_t **data, size_t *size)
{
    int64_t time = 0;
    const size_t taken = *size < sizeof(time) ? *size : sizeof(time);

    memcpy(&time, *data, taken);
    *data += taken;
    *size -= taken;
    return time;
}

static void check_format(int64_t time)
{
    char text[TIME_TEXT_SIZE];
    char wanted[64];
    int64_t again;
    struct tm parts;
    time_t seconds;

    time_format(time, text);
    MUST(strlen(text) == TIME_TEXT_SIZE - 1);
    MUST(time_parse(text, strlen(text), &again));
    MUST(again == (time < FIRST_TIME ? FIRST_TIME : time > TIME_LAST ? TIME_LAST : time));
    seconds = (time_t)again;
    MUST(gmtime_r(&seconds, &parts) != NULL);
    (void)snprintf(wanted, sizeof(wanted), "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
                   parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    MUST(strcmp(text, wanted) == 0);
}

static void check_ago(int64_t time, int64_t now)
{
    char text[TIME_AGO_SIZE];
    const int64_t years = INT64_C(1) << 40;

    time_ago(time % years, now % years, text);
    MUST(strlen(text) > 0 && strlen(text) < sizeof(text));
    MUST((strncmp(text, "in ", 3) == 0) == (time % years > now % years));
}

static void check_texts(const char *text, size_t size)
{
    char again[TIME_TEXT_SIZE];
    int64_t time;
    int64_t date;

    if (time_parse(text, size, &time)) {
        time_format(time, again);
        MUST(size == strlen(again) && memcmp(text, again, size) == 0);
        MUST(time >= FIRST_TIME && time <= TIME_LAST);
        MUST(time_parse_date(text, size, &date) && date == time);
    } else if (time_parse_date(text, size, &date)) {
        MUST(size == 10 && date % 86400 == 0);
        time_format(date, again);
        MUST(memcmp(text, again, size) == 0);
    }
}

static void check_span(const char *text, size_t size)
{
    static const char letters[] = "smhdw";
    static const int64_t lengths[] = {1, 60, 3600, 86400, 604800};
    int64_t seconds;
    char *end;
    char copy[64];

    if (!time_parse_span(text, size, &seconds)) {
        return;
    }
    MUST(seconds >= 0 && seconds <= SPAN_MOST);
    if (size < sizeof(copy)) {
        memcpy(copy, text, size);
        copy[size] = '\0';
        const long long number = strtoll(copy, &end, 10);
        const char *letter = strchr(letters, *end);

        MUST(letter != NULL && end > copy && strspn(copy, "0123456789") == (size_t)(end - copy));
        MUST(*end == '\0' ? number == 0 && seconds == 0
                          : end[1] == '\0' && seconds == number * lengths[letter - letters]);
    }
}

/* As an option's value. */
static void check_options(const char *text, size_t size, int64_t now)
{
    static const struct cli_option option = {.name = "when", .value = "TIME"};
    struct cli_arguments arguments = {.given_count = 1};
    char *value = malloc(size + 1);
    struct error error;
    int64_t time = TIME_NONE;

    MUST(value != NULL);
    memcpy(value, text, size);
    value[size] = '\0';
    arguments.given[0].option = &option;
    arguments.given[0].value = value;
    if (when_future(&arguments, "when", now, &time, &error) == STATUS_OK) {
        MUST(strcmp(value, "never") == 0 ? time == TIME_NONE : time > now && time <= TIME_LAST);
    } else {
        MUST(fuzz_is_harmless(error.text, strlen(error.text)));
    }
    time = TIME_NONE;
    if (when_past(&arguments, "when", now, &time, &error) == STATUS_OK) {
        MUST(time != TIME_NONE && (time >= FIRST_TIME || time >= now - SPAN_MOST));
    }
    time = -1;
    if (when_span(&arguments, "when", &time, &error) == STATUS_OK) {
        MUST(time >= 0);
    }
    free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int64_t time = take_time(&data, &size);
    const int64_t now = take_time(&data, &size);
    char *text = fuzz_copy(data, size);

    check_format(time);
    check_format(now);
    check_ago(time, now);
    check_texts(text, size);
    check_span(text, size);
    check_options(text, size, now < 0 ? 0 : now > TIME_LAST ? TIME_LAST : now);
    free(text);
    return 0;
}
