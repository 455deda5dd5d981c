#include "base/timefmt.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

#define DAY INT64_C(86400)
#define HOUR INT64_C(3600)
#define MINUTE INT64_C(60)
#define SPAN_LIMIT (INT64_C(9999) * 365 * DAY)
#define DATE_LENGTH 10            /* 2026-11-26 */
#define FIRST_TIME (-62167219200) /* 0000-01-01T00:00:00Z */

struct date {
    int64_t year;
    int64_t month; /* 1 to 12 */
    int64_t day;   /* 1 to 31 */
};

/*
 * Days since 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so that
 * the leap day is the last of its year and a month's first day is a linear function of the month;
 * and from 400 years (146097 days) early, so that no division sees a negative number.
 */
static int64_t days_from_date(struct date date)
{
    const int64_t year = date.year + 400 - (date.month <= 2);
    const int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;

    return year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + date.day - 1 -
           719468 - 146097;
}

static struct date date_from_days(int64_t days)
{
    /* The mean year gives the year to within one; the loops make it exact. */
    struct date date = {.year = (days + 719468) * 400 / 146097, .month = 12, .day = 1};

    while (days_from_date((struct date){date.year + 1, 1, 1}) <= days) {
        date.year++;
    }
    while (days_from_date((struct date){date.year, 1, 1}) > days) {
        date.year--;
    }
    while (days_from_date(date) > days) {
        date.month--;
    }
    date.day = days - days_from_date(date) + 1;
    return date;
}

static int64_t days_in_month(struct date date)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);

    return date.month == 2 && leap ? 29 : days[date.month - 1];
}

bool time_parse(const char *text, size_t size, int64_t *out)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
    int64_t field[6] = {0};
    size_t n = 0;

    if (size != sizeof(shape) - 1) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (shape[i] != 'd') {
            if (text[i] != shape[i]) {
                return false;
            }
            n++;
        } else if (text[i] < '0' || text[i] > '9') {
            return false;
        } else {
            field[n] = field[n] * 10 + (text[i] - '0');
        }
    }
    const struct date date = {field[0], field[1], field[2]};
    if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > days_in_month(date) ||
        field[3] > 23 || field[4] > 59 || field[5] > 59) {
        return false;
    }
    *out = days_from_date(date) * DAY + field[3] * HOUR + field[4] * MINUTE + field[5];
    return true;
}

bool time_parse_date(const char *text, size_t size, int64_t *out)
{
    static const char midnight[] = "T00:00:00Z";
    char whole[TIME_TEXT_SIZE];

    if (size != DATE_LENGTH) {
        return time_parse(text, size, out);
    }
    memcpy(whole, text, size);
    memcpy(whole + size, midnight, sizeof(midnight));
    return time_parse(whole, TIME_TEXT_SIZE - 1, out);
}

bool time_parse_span(const char *text, size_t size, int64_t *seconds)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', MINUTE}, {'h', HOUR}, {'d', DAY}, {'w', 7 * DAY}};
    int64_t number = 0;
    size_t digits = 0;

    while (digits < size && text[digits] >= '0' && text[digits] <= '9' && number <= SPAN_LIMIT) {
        number = number * 10 + (text[digits] - '0');
        digits++;
    }
    if (digits > 0 && digits == size && number == 0) {
        *seconds = 0;
        return true;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && digits + 1 == size; i++) {
        if (digits > 0 && text[digits] == units[i].letter &&
            number <= SPAN_LIMIT / units[i].seconds) {
            *seconds = number * units[i].seconds;
            return true;
        }
    }
    return false;
}

void time_format(int64_t time, char text[static TIME_TEXT_SIZE])
{
    if (time < FIRST_TIME) {
        time = FIRST_TIME;
    }
    if (time > TIME_LAST) {
        time = TIME_LAST;
    }
    const int64_t days = time >= 0 ? time / DAY : -((-time + DAY - 1) / DAY);
    const struct date date = date_from_days(days);
    const int64_t second = time - days * DAY;
    char wide[64];

    (void)snprintf(wide, sizeof(wide), "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)date.year,
                   (int)date.month, (int)date.day, (int)(second / 3600), (int)(second / 60 % 60),
                   (int)(second % 60));
    memcpy(text, wide, TIME_TEXT_SIZE - 1);
    text[TIME_TEXT_SIZE - 1] = '\0';
}

void time_ago(int64_t time, int64_t now, char text[static TIME_AGO_SIZE])
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {
        {365 * DAY, "year"}, {30 * DAY, "month"}, {DAY, "day"},
        {3600, "hour"},      {60, "minute"},      {1, "second"},
    };
    const int64_t distance = time > now ? time - now : now - time;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (distance >= units[i].seconds) {
            const long long count = distance / units[i].seconds;

            (void)snprintf(text, TIME_AGO_SIZE, "%s%lld %s%s%s", time > now ? "in " : "", count,
                           units[i].name, count == 1 ? "" : "s", time > now ? "" : " ago");
            return;
        }
    }
    (void)snprintf(text, TIME_AGO_SIZE, "just now");
}
