#include "conf/moment.h"

#include "base/date.h"
#include "base/str.h"

/* '0': a digit; '_': a blank or a 'T'. */
static bool looks_like(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, text++) {
        if (*pattern == '0'   ? !char_is_digit(*text)
            : *pattern == '_' ? *text != ' ' && *text != 'T'
                              : *text != *pattern)
            return false;
    }
    return *text == '\0';
}

static int number_at(const char *text, int digits)
{
    int number = 0;

    while (digits-- > 0)
        number = number * 10 + (*text++ - '0');
    return number;
}

/* The clock's reading; hour -1: a day alone. */
struct reading {
    int year, month, day, hour, minute, second;
};

static bool day_exists(const struct reading *reading)
{
    const struct date date =
        date_from_days(date_to_days(reading->year, reading->month, reading->day));

    return date.year == reading->year && date.month == reading->month && date.day == reading->day;
}

static bool read_clock(const char *text, struct reading *reading)
{
    const bool with_seconds = looks_like(text, "0000-00-00_00:00:00");
    const bool with_time = with_seconds || looks_like(text, "0000-00-00_00:00");

    if (!with_time && !looks_like(text, "0000-00-00"))
        return false;
    *reading = (struct reading){
        .year = number_at(text, 4),
        .month = number_at(text + 5, 2),
        .day = number_at(text + 8, 2),
        .hour = with_time ? number_at(text + 11, 2) : -1,
        .minute = with_time ? number_at(text + 14, 2) : 0,
        .second = with_seconds ? number_at(text + 17, 2) : 0,
    };
    return day_exists(reading) && reading->year >= 1970 && reading->hour <= 23 &&
           reading->minute <= 59 && reading->second <= 59;
}

bool moment_parse(const char *text, const struct tz *tz, enum moment_day day, time_ms *ret_at)
{
    struct reading reading;
    int days = 0;

    if (!read_clock(text, &reading))
        return date_from_rfc3339(text, ret_at);
    if (reading.hour < 0) {
        reading.hour = 0;
        days = day == MOMENT_DAY_ENDS;
    }
    *ret_at = tz_from_civil(tz, reading.year, reading.month, reading.day + days, reading.hour,
                            reading.minute) +
              reading.second * MS_SECOND;
    return true;
}

bool moment_is(const char *text)
{
    struct reading reading;
    time_ms at;

    return read_clock(text, &reading) || date_from_rfc3339(text, &at);
}
