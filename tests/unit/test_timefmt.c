#include "test.h"

#include <string.h>

#include "base/timefmt.h"

static void times_are_read_and_written_alike(void **state)
{
    static const struct {
        const char *text;
        int64_t time;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59Z", -1},
        {"2000-02-29T12:00:00Z", 951825600},
        {"2026-11-26T11:45:23Z", 1795693523},
        {"0000-01-01T00:00:00Z", -62167219200},
        {"0000-02-29T00:00:00Z", -62162121600},
        {"1900-02-28T23:59:59Z", -2203891201},
        {"9999-12-31T23:59:59Z", 253402300799},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[TIME_TEXT_SIZE];
        int64_t time;

        CHECK_ROW(i, time_parse(rows[i].text, strlen(rows[i].text), &time));
        CHECK_ROW(i, time == rows[i].time);
        time_format(rows[i].time, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void every_third_day_of_ten_thousand_years_survives(void **state)
{
    (void)state;
    for (int64_t time = -62167219200; time <= 253402300799; time += INT64_C(271345)) {
        char text[TIME_TEXT_SIZE];
        int64_t again;

        time_format(time, text);
        assert_true(time_parse(text, TIME_TEXT_SIZE - 1, &again));
        assert_true(again == time);
    }
}

static void other_spellings_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "2026-11-26",
        "2026-11-26T11:45:23",
        "2026-11-26T11:45:23z",
        "2026-11-26t11:45:23Z",
        "2026-11-26 11:45:23Z",
        "2026-11-26T11:45:23+00:00",
        "2026-11-26T11:45:23.5Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-1-01T00:00:00ZZ",
        "+026-01-01T00:00:00Z",
        "2026-01-01T00:00:00ZZ",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t time;

        CHECK_ROW(i, !time_parse(rows[i], strlen(rows[i]), &time));
    }
}

static void times_outside_the_calendar_are_clamped(void **state)
{
    char text[TIME_TEXT_SIZE];

    (void)state;
    time_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    time_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00Z");
}

static void distances_are_told_in_the_largest_unit(void **state)
{
    static const struct {
        int64_t distance; /* into the future */
        const char *text;
    } rows[] = {
        {0, "just now"},
        {-1, "1 second ago"},
        {-59, "59 seconds ago"},
        {-60, "1 minute ago"},
        {-3599, "59 minutes ago"},
        {-7200, "2 hours ago"},
        {-86400, "1 day ago"},
        {-29 * INT64_C(86400), "29 days ago"},
        {-30 * INT64_C(86400), "1 month ago"},
        {-365 * INT64_C(86400), "1 year ago"},
        {-800 * INT64_C(86400), "2 years ago"},
        {1, "in 1 second"},
        {12 * INT64_C(86400), "in 12 days"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[TIME_AGO_SIZE];

        time_ago(1000000 + rows[i].distance, 1000000, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void lengths_of_time_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"0", 0},         {"00", 0},       {"0s", 0},        {"0w", 0},
        {"1s", 1},        {"45s", 45},     {"30m", 1800},    {"12h", 43200},
        {"90d", 7776000}, {"2w", 1209600}, {"007d", 604800},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t seconds = -1;

        CHECK_ROW(i, time_parse_span(rows[i].text, strlen(rows[i].text), &seconds));
        CHECK_ROW(i, seconds == rows[i].seconds);
    }
}

static void other_lengths_of_time_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "1",
        "d",
        "90",
        "d90",
        "-1d",
        "+1d",
        " 1d",
        "1d ",
        "1 d",
        "1.5h",
        "1,5h",
        "1D",
        "1H",
        "1y",
        "1M",
        "1ms",
        "1dd",
        "1d12h",
        "0x1d",
        "1e3s",
        "1d\n",
        "never",
        "0 ",
        "-0",
        "P1D",
        "٣d",
        "½d",
        "1\xff",
        "0d0",
        "9223372036854775807s",
        /* 2^64 and 2^64 + 1: what would wrap to 0 and 1 */
        "18446744073709551616s",
        "18446744073709551617s",
        "18446744073709551616",
        "99999999999999999999999999999999w",
        /* A product that would wrap. */
        "30500568904944w",
        "9223372036854775807w",
        "213503982334602d",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t seconds;

        CHECK_ROW(i, !time_parse_span(rows[i], strlen(rows[i]), &seconds));
    }
}

static void a_length_of_time_ends_at_its_size(void **state)
{
    int64_t seconds;

    (void)state;
    assert_true(time_parse_span("12h30m", 3, &seconds));
    assert_int_equal(seconds, 43200);
    assert_false(time_parse_span("12h", 2, &seconds));
    assert_false(time_parse_span("12h", 0, &seconds));
    assert_false(time_parse_span("1d\0", 3, &seconds));
}

/* So that the time now, and such a length more or less, is a number still. */
static void the_longest_length_of_time_is_some_thousand_years(void **state)
{
    int64_t seconds;

    (void)state;
    assert_true(time_parse_span("3649635d", 8, &seconds)); /* 9999 years of 365 days */
    assert_true(seconds == INT64_C(3649635) * 86400);
    assert_false(time_parse_span("3660000d", 8, &seconds));
    assert_false(time_parse_span("400000000000s", 13, &seconds));
    assert_false(time_parse_span("600000w", 7, &seconds));
}

static void a_date_alone_means_its_beginning(void **state)
{
    static const struct {
        const char *text;
        int64_t time;
    } rows[] = {
        {"1970-01-01", 0},
        {"2026-11-26", 1795651200},
        {"2026-11-26T00:00:00Z", 1795651200},
        {"2026-11-26T11:45:23Z", 1795693523},
        {"2000-02-29", 951782400},
        {"9999-12-31", 253402214400},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t time;

        CHECK_ROW(i, time_parse_date(rows[i].text, strlen(rows[i].text), &time));
        CHECK_ROW(i, time == rows[i].time);
    }
}

static void other_dates_are_refused(void **state)
{
    static const char *const rows[] = {
        "",           "2026-11-2",         "2026-11-266",         "2026/11/26",
        "26-11-2026", "2026-13-01",        "2026-02-29",          "1900-02-29",
        "2026-00-01", "2026-01-00",        "10000-01-1",          "10000-01-01",
        "-026-01-01", " 2026-01-01",       "2026-11-26Z",         "2026-11-26T",
        "20261126",   "2026-11-26T12:00Z", "2026-11-26T11:45:23", "2026-11-26T11:45:23+00:00",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t time;

        CHECK_ROW(i, !time_parse_date(rows[i], strlen(rows[i]), &time));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_and_written_alike),
        cmocka_unit_test(every_third_day_of_ten_thousand_years_survives),
        cmocka_unit_test(other_spellings_are_refused),
        cmocka_unit_test(times_outside_the_calendar_are_clamped),
        cmocka_unit_test(distances_are_told_in_the_largest_unit),
        cmocka_unit_test(lengths_of_time_are_read),
        cmocka_unit_test(other_lengths_of_time_are_refused),
        cmocka_unit_test(a_length_of_time_ends_at_its_size),
        cmocka_unit_test(the_longest_length_of_time_is_some_thousand_years),
        cmocka_unit_test(a_date_alone_means_its_beginning),
        cmocka_unit_test(other_dates_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
