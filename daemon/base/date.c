#include "base/date.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"

/* Division that rounds towards minus infinity, so that instants before 1970 work. */
static int64_t floor_divide(int64_t dividend, int64_t divisor)
{
    return dividend / divisor - (dividend % divisor < 0);
}

/*
 * Both conversions count in years that start in March: the leap day is then the last of its year,
 * and the days before a month follow a straight line, (153 * month + 2) / 5. Four centuries always
 * have 146097 days; 719468 of them lie between 0000-03-01 and 1970-01-01.
 */
int64_t date_to_days(int64_t year, int64_t month, int64_t day)
{
    int64_t months_from_march = month - 3;
    int64_t march_year = year + floor_divide(months_from_march, 12);
    int64_t march_month = months_from_march - 12 * floor_divide(months_from_march, 12);
    int64_t leap_days =
        floor_divide(march_year, 4) - floor_divide(march_year, 100) + floor_divide(march_year, 400);

    return 365 * march_year + leap_days + (153 * march_month + 2) / 5 + day - 1 - 719468;
}

struct date date_from_days(int64_t days)
{
    int64_t from_march_0000 = days + 719468;
    int64_t era = floor_divide(from_march_0000, 146097);
    int64_t day_of_era = from_march_0000 - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    bool next_january = march_month >= 10;

    return (struct date){
        .year = era * 400 + year_of_era + next_january,
        .month = (int)(march_month + (next_january ? -9 : 3)),
        .day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1),
        .weekday = (int)(days + 3 - 7 * floor_divide(days + 3, 7)), /* day 0 was a Thursday */
    };
}

static int64_t days_in_month(int64_t year, int month)
{
    return date_to_days(year, month + 1, 1) - date_to_days(year, month, 1);
}

/* An instant in UTC, taken apart. A leap second has the number 60. */
struct utc {
    struct date date;
    int hour, minute, second, millisecond;
};

/* False where RFC 3339 has no way to write the year. */
static bool utc_from_instant(time_ms at, struct utc *ret_utc)
{
    int64_t days = floor_divide(at, MS_DAY);
    int64_t rest = at % MS_DAY + (at % MS_DAY < 0 ? MS_DAY : 0);

    *ret_utc = (struct utc){
        .date = date_from_days(days),
        .hour = (int)(rest / MS_HOUR),
        .minute = (int)(rest / MS_MINUTE % 60),
        .second = (int)(rest / MS_SECOND % 60),
        .millisecond = (int)(rest % MS_SECOND),
    };
    return ret_utc->date.year >= 0 && ret_utc->date.year <= 9999;
}

/* False when a part is out of its range. A leap second is the first moment of the next minute, as
 * in POSIX time. */
static bool instant_from_utc(const struct utc *utc, time_ms *ret_at)
{
    int year = (int)utc->date.year;

    if (utc->date.month < 1 || utc->date.month > 12 || utc->date.day < 1 ||
        utc->date.day > days_in_month(year, utc->date.month))
        return false;
    if (utc->hour > 23 || utc->minute > 59 || utc->second > 60)
        return false;
    *ret_at = date_to_days(year, utc->date.month, utc->date.day) * MS_DAY + utc->hour * MS_HOUR +
              utc->minute * MS_MINUTE + utc->second * MS_SECOND + utc->millisecond;
    return true;
}

static char *write_rfc3339(time_ms at, bool always_milliseconds, char *out)
{
    struct utc utc;

    if (!utc_from_instant(at, &utc)) {
        str_copy(out, DATE_TEXT_MAX, "never");
        return out;
    }
    int length =
        snprintf(out, DATE_TEXT_MAX, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", utc.date.year,
                 utc.date.month, utc.date.day, utc.hour, utc.minute, utc.second);
    size_t used = (size_t)length;
    if (always_milliseconds || utc.millisecond != 0)
        snprintf(out + used, DATE_TEXT_MAX - used, ".%03dZ", utc.millisecond);
    else
        snprintf(out + used, DATE_TEXT_MAX - used, "Z");
    return out;
}

char *date_to_rfc3339(time_ms at, char *out)
{
    return write_rfc3339(at, false, out);
}

char *date_to_stamp(time_ms at, char *out)
{
    return write_rfc3339(at, true, out);
}

/* The readers below take what they expect from the front of *text and move it on. */

static bool take_char(const char **text, char expected)
{
    if (**text != expected)
        return false;
    ++*text;
    return true;
}

static bool take_digits(const char **text, int count, int *ret_value)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *text += count;
    *ret_value = value;
    return true;
}

static bool take_year(const char **text, struct utc *utc)
{
    int year;

    if (!take_digits(text, 4, &year))
        return false;
    utc->date.year = year;
    return true;
}

/* HH:MM:SS */
static bool take_clock(const char **text, struct utc *utc)
{
    return take_digits(text, 2, &utc->hour) && take_char(text, ':') &&
           take_digits(text, 2, &utc->minute) && take_char(text, ':') &&
           take_digits(text, 2, &utc->second);
}

/* An optional fraction of a second of any length, cut to milliseconds. */
static bool take_fraction(const char **text, struct utc *utc)
{
    if (!take_char(text, '.'))
        return true;

    int digit;
    int worth = 100;
    if (**text < '0' || **text > '9')
        return false;
    while (take_digits(text, 1, &digit)) {
        utc->millisecond += digit * worth;
        worth /= 10;
    }
    return true;
}

/* "Z" or "+01:00": how far the clock that wrote the text was ahead of UTC. */
static bool take_utc_offset(const char **text, duration_ms *ret_offset)
{
    int hours, minutes;

    *ret_offset = 0;
    if (take_char(text, 'Z') || take_char(text, 'z'))
        return true;

    int sign = **text == '-' ? -1 : 1;
    if (!take_char(text, '+') && !take_char(text, '-'))
        return false;
    if (!take_digits(text, 2, &hours) || !take_char(text, ':') || !take_digits(text, 2, &minutes))
        return false;
    *ret_offset = sign * (hours * MS_HOUR + minutes * MS_MINUTE);
    return hours <= 23 && minutes <= 59;
}

bool date_from_rfc3339(const char *text, time_ms *ret_at)
{
    struct utc local = {.millisecond = 0};
    struct utc check;
    duration_ms offset;
    time_ms at;

    bool well_formed = take_year(&text, &local) && take_char(&text, '-') &&
                       take_digits(&text, 2, &local.date.month) && take_char(&text, '-') &&
                       take_digits(&text, 2, &local.date.day) &&
                       (take_char(&text, 'T') || take_char(&text, 't')) &&
                       take_clock(&text, &local) && take_fraction(&text, &local) &&
                       take_utc_offset(&text, &offset) && *text == '\0';
    if (!well_formed || !instant_from_utc(&local, &at))
        return false;

    /* The offset can move the instant before year 0 or past year 9999. */
    if (!utc_from_instant(at - offset, &check))
        return false;
    /* Leap seconds are inserted at the end of a day in UTC and nowhere else. */
    if (local.second == 60 && (check.hour != 0 || check.minute != 0))
        return false;
    *ret_at = at - offset;
    return true;
}

/* The names of days and months are English, because no program calls setlocale(). */
#define HTTP_DATE "%a, %d %b %Y %H:%M:%S GMT"

char *date_to_http(time_ms at, char *out)
{
    const time_t seconds = floor_divide(at, MS_SECOND);
    struct utc utc;
    struct tm parts;

    if (!utc_from_instant(at, &utc) || !gmtime_r(&seconds, &parts) ||
        strftime(out, DATE_TEXT_MAX, HTTP_DATE, &parts) == 0)
        str_copy(out, DATE_TEXT_MAX, "never");
    return out;
}

/* RFC 9110, section 5.6.7: a year that seems to lie more than 50 years ahead is the most recent one
 * in the past with the same last two digits. */
static int64_t full_year(int two_digits, int64_t this_year)
{
    int64_t year = this_year - this_year % 100 + two_digits;

    if (year <= this_year - 50)
        year += 100;
    return year > this_year + 50 ? year - 100 : year;
}

/* Without the compiler's look at the form, which it knows only as a literal. */
static size_t (*const write_form)(char *, size_t, const char *, const struct tm *) = strftime;

bool date_from_http(const char *text, time_ms *ret_at)
{
    static const char rfc850[] = "%A, %d-%b-%y %H:%M:%S GMT";
    static const char *const forms[] = {HTTP_DATE, rfc850, "%a %b %e %H:%M:%S %Y"};
    const struct date today = date_from_days(floor_divide(time_wall(), MS_DAY));

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm parts = {0};
        char written[DATE_TEXT_MAX];
        int64_t year;

        /* strptime() takes more than the form says: blanks, single digits, names in any case. */
        if (!strptime(text, forms[i], &parts) ||
            write_form(written, sizeof(written), forms[i], &parts) == 0 ||
            !str_equal(written, text))
            continue;
        year = parts.tm_year + 1900;
        if (forms[i] == rfc850)
            year = full_year(parts.tm_year % 100, today.year);
        if (year < 1000 || parts.tm_mday > days_in_month(year, parts.tm_mon + 1))
            return false;
        parts.tm_year = (int)year - 1900;
        *ret_at = timegm(&parts) * MS_SECOND;
        return true;
    }
    return false;
}
