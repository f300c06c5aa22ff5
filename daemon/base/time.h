/*
 * Instants and durations.
 *
 * One unit everywhere: milliseconds in an int64_t. Instants count from the Unix epoch (UTC, without
 * leap seconds). Only the io and app layers read a clock, with the functions here; all other layers
 * take "now" as an argument.
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

enum { DURATION_TEXT_MAX = 40 };

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

/* at + by; past the end of the range the result is TIME_NEVER. TIME_NEVER plus anything is
 * TIME_NEVER. */
time_ms time_add(time_ms at, duration_ms by);

/* `to` - `from`, clamped to the range. */
duration_ms time_between(time_ms from, time_ms to);

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
