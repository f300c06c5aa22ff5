/*
 * Instants and durations.
 *
 * One unit everywhere: milliseconds in an int64_t. Instants count from the Unix epoch (UTC, without
 * leap seconds). Reading a clock happens here and is done by the io and app layers only; everything
 * below takes "now" as an argument.
 */
#ifndef KEYROTATED_BASE_TIME_H
#define KEYROTATED_BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t time_ms;     /* an instant; TIME_NEVER: not at all */
typedef int64_t duration_ms; /* a length of time */

#define TIME_NEVER INT64_MAX

#define MS_SECOND ((duration_ms)1000)
#define MS_MINUTE (60 * MS_SECOND)
#define MS_HOUR   (60 * MS_MINUTE)
#define MS_DAY    (24 * MS_HOUR)
#define MS_WEEK   (7 * MS_DAY)

enum { TIME_TEXT_MAX = 40, DURATION_TEXT_MAX = 40 };

/* The wall clock, and a clock that never jumps but counts suspend (CLOCK_BOOTTIME). */
time_ms time_wall(void);
duration_ms time_boot(void);

static inline time_ms time_min(time_ms a, time_ms b)
{
    return a < b ? a : b;
}

static inline time_ms time_max(time_ms a, time_ms b)
{
    return a > b ? a : b;
}

/* at + by, kept inside the range: what lies beyond its end is TIME_NEVER. TIME_NEVER absorbs. */
time_ms time_add(time_ms at, duration_ms by);

/* How long it is from one instant to another, negative where that is earlier; kept inside the
 * range. */
duration_ms time_between(time_ms from, time_ms to);

/* A day of the (proleptic) Gregorian calendar. */
struct time_date {
    int64_t year;
    int month, day; /* 1-12, 1-31 */
    int weekday;    /* 0 = Monday … 6 = Sunday */
};

/* Days since 1970-01-01. Months and days out of range are carried over. */
int64_t time_days_from_date(int64_t year, int64_t month, int64_t day);
struct time_date time_date_from_days(int64_t days);

/* "2026-11-22T12:00:00Z" (RFC 3339; with ".123" where milliseconds are not 0). Out-of-range and
 * TIME_NEVER give "never". `out` has TIME_TEXT_MAX bytes. Returns out. */
char *time_to_rfc3339(time_ms at, char *out);
/* The same always with milliseconds, so that lines which begin with one sort by time. */
char *time_to_stamp(time_ms at, char *out);
/* Any offset, any number of decimals (cut to milliseconds), and leap seconds. Returns false on
 * anything else. */
bool time_from_rfc3339(const char *text, time_ms *ret_at);

/* "Sun, 22 Nov 2026 12:00:00 GMT" (RFC 9110, section 5.6.7), independent of the locale. */
char *time_to_http_date(time_ms at, char *out);
/* All three forms that RFC 9110 obliges recipients to accept. The one with a two-digit year is read
 * relative to the wall clock. */
bool time_from_http_date(const char *text, time_ms *ret_at);

/* "1h30m", "90s", "500ms", "30d", "2w": numbers with units in falling order, each unit once.
 * Returns false on anything else, or when it exceeds 1000 years. */
bool duration_parse(const char *text, duration_ms *ret_duration);

/* The exact form, which duration_parse() reads: days and smaller units without zero parts ("90d",
 * "1h30m", "0s"). Both writers fill DURATION_TEXT_MAX bytes, put "-" before what is negative, and
 * return out. */
char *duration_to_text(duration_ms duration, char *out);

/* For people: the largest unit and the next, rounded ("2h 3m", "41d", "5s"). */
char *duration_to_words(duration_ms duration, char *out);

#endif
