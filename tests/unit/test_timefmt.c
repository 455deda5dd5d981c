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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_and_written_alike),
        cmocka_unit_test(every_third_day_of_ten_thousand_years_survives),
        cmocka_unit_test(other_spellings_are_refused),
        cmocka_unit_test(times_outside_the_calendar_are_clamped),
        cmocka_unit_test(distances_are_told_in_the_largest_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
