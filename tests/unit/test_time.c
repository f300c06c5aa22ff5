/* Instants and durations: calendar edges, RFC 3339, HTTP dates, and durations in text. */
#include "base/date.h"
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static void clocks_run(void **state)
{
    (void)state;
    duration_ms before = time_boot();

    assert_true(time_wall() > 1600000000 * MS_SECOND);
    assert_true(time_boot() >= before);
}

static void addition_stays_in_range(void **state)
{
    (void)state;
    assert_int_equal(time_add(1000, 500), 1500);
    assert_int_equal(time_add(1000, -1500), -500);
    assert_true(time_add(TIME_NEVER, -MS_DAY) == TIME_NEVER);
    assert_true(time_add(TIME_NEVER - 10, MS_DAY) == TIME_NEVER);
    assert_true(time_add(0, INT64_MAX) == TIME_NEVER);
    assert_true(time_add(INT64_MIN + 10, -MS_DAY) == INT64_MIN);

    assert_int_equal(time_between(1000, 1500), 500);
    assert_int_equal(time_between(1500, 1000), -500);
    assert_true(time_between(-MS_DAY, INT64_MAX) == INT64_MAX);
    assert_true(time_between(MS_DAY, INT64_MIN) == INT64_MIN);
}

static void days_and_dates(void **state)
{
    (void)state;
    static const struct {
        int64_t days;
        struct date date;
    } cases[] = {
        {0, {1970, 1, 1, 3}},       {-1, {1969, 12, 31, 2}},      {-719468, {0, 3, 1, 2}},
        {-719469, {0, 2, 29, 1}},   {-719528, {0, 1, 1, 5}},      {-719529, {-1, 12, 31, 4}},
        {-25509, {1900, 2, 28, 2}}, {-25508, {1900, 3, 1, 3}}, /* no leap day in 1900 */
        {11016, {2000, 2, 29, 1}},  {11017, {2000, 3, 1, 2}},     {19782, {2024, 2, 29, 3}},
        {20779, {2026, 11, 22, 6}}, {24855, {2038, 1, 19, 1}},    {47540, {2100, 2, 28, 6}},
        {47541, {2100, 3, 1, 0}},   {2932896, {9999, 12, 31, 4}},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct date date = date_from_days(cases[i].days);
        assert_int_equal(date.year, cases[i].date.year);
        assert_int_equal(date.month, cases[i].date.month);
        assert_int_equal(date.day, cases[i].date.day);
        assert_int_equal(date.weekday, cases[i].date.weekday);
        assert_int_equal(date_to_days(date.year, date.month, date.day), cases[i].days);
    }
}

/* Eight centuries, one day after the other, against a calendar that only counts. */
static void the_calendar_has_no_gaps(void **state)
{
    (void)state;
    static const int month_lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = date_to_days(1600, 1, 1);

    for (int year = 1600; year < 2400; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            int length = month_lengths[month - 1] + (month == 2 && leap);
            for (int day = 1; day <= length; day++, days++) {
                struct date date = date_from_days(days);
                assert_true(date.year == year && date.month == month && date.day == day);
                assert_int_equal(date_to_days(year, month, day), days);
            }
        }
    }
}

static void days_and_months_are_carried_over(void **state)
{
    (void)state;
    static const struct {
        int year, month, day;
        int same_year, same_month, same_day;
    } cases[] = {
        {2026, 3, 0, 2026, 2, 28},  {2024, 3, 0, 2024, 2, 29},  {2026, 13, 1, 2027, 1, 1},
        {2026, 0, 1, 2025, 12, 1},  {2026, -11, 1, 2025, 1, 1}, {2026, -12, 1, 2024, 12, 1},
        {2026, 1, 366, 2027, 1, 1}, {2026, 25, 1, 2028, 1, 1},  {2026, 1, -364, 2025, 1, 1},
        {2026, 2, 29, 2026, 3, 1},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(date_to_days(cases[i].year, cases[i].month, cases[i].day),
                         date_to_days(cases[i].same_year, cases[i].same_month, cases[i].same_day));
}

static void rfc3339_writing(void **state)
{
    (void)state;
    static const struct {
        time_ms at;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000, "1969-12-31T23:59:59Z"},
        {1795348800000, "2026-11-22T12:00:00Z"},
        {1795348800120, "2026-11-22T12:00:00.120Z"},
        {2147483648000, "2038-01-19T03:14:08Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {253402300800000, "never"},
        {-62167219200000, "0000-01-01T00:00:00Z"},
        {-62167219200001, "never"},
        {TIME_NEVER, "never"},
        {TIME_NEVER - 1, "never"},
        {INT64_MIN, "never"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[DATE_TEXT_MAX];
        assert_ptr_equal(date_to_rfc3339(cases[i].at, text), text);
        assert_string_equal(text, cases[i].text);
    }
}

static void rfc3339_reading(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        time_ms at;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01t00:00:00z", 0},
        {"2026-11-22T12:00:00Z", 1795348800000},
        {"2026-11-22T13:30:00+01:30", 1795348800000},
        {"2026-11-22T00:15:00-11:45", 1795348800000},
        {"2026-11-22T12:00:00-00:00", 1795348800000},
        {"2026-11-22T12:00:00.5Z", 1795348800500},
        {"2026-11-22T12:00:00.1239999Z", 1795348800123}, /* seven digits, as Azure writes them */
        {"2026-11-22T12:00:00.000999999999Z", 1795348800000},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"2016-12-31T23:59:60Z", 1483228800000}, /* a leap second */
        {"2017-01-01T00:59:60+01:00", 1483228800000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
        {"0000-01-01T00:00:00Z", -62167219200000},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        time_ms at = 42;
        assert_true(date_from_rfc3339(cases[i].text, &at));
        assert_int_equal(at, cases[i].at);
    }
}

static void rfc3339_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "never",
        "2026-11-22",
        "2026-11-22T12:00:00", /* which zone? */
        "2026-11-22 12:00:00Z",
        "2026-11-22T12:00Z",
        "2026-11-22T12:00:00ZZ",
        "2026-11-22T12:00:00Z ",
        " 2026-11-22T12:00:00Z",
        "2026-11-22T12:00:00.Z",
        "2026-11-22T12:00:00,5Z",
        "2026-11-22T12:00:00+1:00",
        "2026-11-22T12:00:00+0100",
        "2026-11-22T12:00:00+24:00",
        "2026-11-22T12:00:00+01:60",
        "2026-11-22T24:00:00Z",
        "2026-11-22T12:60:00Z",
        "2026-11-22T12:00:61Z",
        "2026-11-22T12:00:60Z", /* leap seconds come at midnight only */
        "2016-12-31T23:59:60+01:00",
        "2026-00-22T12:00:00Z",
        "2026-13-22T12:00:00Z",
        "2026-11-00T12:00:00Z",
        "2026-11-31T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2100-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "+2026-11-22T12:00:00Z",
        "-026-11-22T12:00:00Z",
        "10000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-00:01", /* would be in the year 10000 */
        "9999-12-31T23:59:60Z",
        "0000-01-01T00:00:00+00:01",
    };

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        time_ms at = 42;
        assert_false(date_from_rfc3339(wrong[i], &at));
        assert_int_equal(at, 42);
    }
}

static void http_date_writing(void **state)
{
    (void)state;
    static const struct {
        time_ms at;
        const char *text;
    } cases[] = {
        {784111777000, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* the example of RFC 9110 */
        {784111777999, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
        {1795348800000, "Sun, 22 Nov 2026 12:00:00 GMT"},
        {TIME_NEVER, "never"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[DATE_TEXT_MAX];
        assert_string_equal(date_to_http(cases[i].at, text), cases[i].text);
    }
}

static void http_date_reading(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        time_ms at;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777000},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777000},
        {"Sun Nov  6 08:49:37 1994", 784111777000},
        {"Wed Nov 16 08:49:37 1994", 784975777000},
        {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777000}, /* the weekday carries no information */
        {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800000},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800000},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        time_ms at = 42;
        assert_true(date_from_http(cases[i].text, &at));
        assert_int_equal(at, cases[i].at);
    }
}

static void http_date_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "Sun",
        "0",
        "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt",
        "So, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Now 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Thu, 29 Feb 2026 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov   6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sunday Nov  6 08:49:37 1994",
    };

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        time_ms at = 42;
        assert_false(date_from_http(wrong[i], &at));
        assert_int_equal(at, 42);
    }
}

/* RFC 9110, section 5.6.7: never more than 50 years ahead. */
static void two_digit_years_lie_around_today(void **state)
{
    (void)state;
    int64_t this_year = date_from_days(time_wall() / MS_DAY).year;

    for (int64_t year = this_year - 49; year <= this_year + 50; year++) {
        char text[64];
        time_ms at;
        snprintf(text, sizeof(text), "Sunday, 01-Mar-%02d 00:00:00 GMT", (int)(year % 100));
        assert_true(date_from_http(text, &at));
        assert_int_equal(at, date_to_days(year, 3, 1) * MS_DAY);
    }
}

static void durations_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        duration_ms duration;
    } cases[] = {
        {"0s", 0},
        {"500ms", 500},
        {"90s", 90 * MS_SECOND},
        {"15m", 15 * MS_MINUTE},
        {"12h", 12 * MS_HOUR},
        {"30d", 30 * MS_DAY},
        {"2w", 14 * MS_DAY},
        {"1h30m", 90 * MS_MINUTE},
        {"1w2d3h4m5s6ms", 9 * MS_DAY + 3 * MS_HOUR + 4 * MS_MINUTE + 5 * MS_SECOND + 6},
        {"1m1ms", MS_MINUTE + 1},
        {"1h90m", 150 * MS_MINUTE},
        {"365250d", 365250 * MS_DAY},
        {"31557600000000ms", 365250 * MS_DAY},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        duration_ms duration = -1;
        assert_true(duration_parse(cases[i].text, &duration));
        assert_int_equal(duration, cases[i].duration);
    }
}

static void durations_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "0",
        "90",
        "s",
        "m5",
        "-5m",
        "+5m",
        " 5m",
        "5m ",
        "5 m",
        "1h 30m",
        "30m1h",
        "1h1h",
        "1ms1s",
        "5M",
        "5D",
        "1.5h",
        "1,5h",
        "5min",
        "5sec",
        "1y",
        "12:30",
        "1h30",
        "1msm",
        "1e3s",
        "365251d",
        "365250d1ms",
        "52179w",
        "9223372036854775807ms",
        "9223372036854775808ms",
        "99999999999999999999w",
        "15250284452472w", /* times the length of a week, this wraps around to little */
    };

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        duration_ms duration = -1;
        assert_false(duration_parse(wrong[i], &duration));
        assert_int_equal(duration, -1);
    }
}

static void durations_written_exactly(void **state)
{
    (void)state;
    static const struct {
        duration_ms duration;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {1, "1ms"},
        {999, "999ms"},
        {MS_SECOND, "1s"},
        {1500, "1s500ms"},
        {90 * MS_SECOND, "1m30s"},
        {90 * MS_MINUTE, "1h30m"},
        {36 * MS_HOUR, "1d12h"},
        {90 * MS_DAY, "90d"},
        {2 * MS_WEEK, "14d"},
        {MS_DAY + 1, "1d1ms"},
        {365250 * MS_DAY, "365250d"},
        {-90 * MS_MINUTE, "-1h30m"},
        {INT64_MAX, "106751991167d7h12m55s807ms"},
        {INT64_MIN, "-106751991167d7h12m55s808ms"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[DURATION_TEXT_MAX];
        duration_ms back = -1;
        assert_ptr_equal(duration_to_text(cases[i].duration, text), text);
        assert_string_equal(text, cases[i].text);
        if (cases[i].duration >= 0 && cases[i].duration <= 365250 * MS_DAY) {
            assert_true(duration_parse(text, &back));
            assert_int_equal(back, cases[i].duration);
        }
    }
}

static void durations_in_words(void **state)
{
    (void)state;
    static const struct {
        duration_ms duration;
        const char *words;
    } cases[] = {
        {0, "0s"},
        {499, "499ms"},
        {999, "999ms"},
        {5 * MS_SECOND + 499, "5s"},
        {5 * MS_SECOND + 500, "6s"},
        {59 * MS_SECOND + 499, "59s"},
        {59 * MS_SECOND + 500, "1m"},
        {61 * MS_SECOND, "1m 1s"},
        {59 * MS_MINUTE + 59 * MS_SECOND, "59m 59s"},
        {59 * MS_MINUTE + 59 * MS_SECOND + 700, "1h"},
        {2 * MS_HOUR + 3 * MS_MINUTE + 29 * MS_SECOND, "2h 3m"},
        {2 * MS_HOUR + 3 * MS_MINUTE + 30 * MS_SECOND, "2h 4m"},
        {23 * MS_HOUR + 59 * MS_MINUTE + 30 * MS_SECOND, "1d"},
        {MS_DAY + 29 * MS_MINUTE, "1d"},
        {MS_DAY + 30 * MS_MINUTE, "1d 1h"},
        {41 * MS_DAY, "41d"},
        {40 * MS_DAY + 23 * MS_HOUR + 45 * MS_MINUTE, "41d"},
        {400 * MS_DAY + 5 * MS_HOUR, "400d 5h"},
        {-61 * MS_SECOND, "-1m 1s"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char words[DURATION_TEXT_MAX];
        assert_string_equal(duration_to_words(cases[i].duration, words), cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_run),
        cmocka_unit_test(addition_stays_in_range),
        cmocka_unit_test(days_and_dates),
        cmocka_unit_test(the_calendar_has_no_gaps),
        cmocka_unit_test(days_and_months_are_carried_over),
        cmocka_unit_test(rfc3339_writing),
        cmocka_unit_test(rfc3339_reading),
        cmocka_unit_test(rfc3339_refused),
        cmocka_unit_test(http_date_writing),
        cmocka_unit_test(http_date_reading),
        cmocka_unit_test(http_date_refused),
        cmocka_unit_test(two_digit_years_lie_around_today),
        cmocka_unit_test(durations_read),
        cmocka_unit_test(durations_refused),
        cmocka_unit_test(durations_written_exactly),
        cmocka_unit_test(durations_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
