#include "base/tz.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

enum { KNOWN_INTERVALS = 251 };                         /* a prime, so that weeks do not collide */
#define FULL_MINUTES_SINCE INT64_C(63072000 + 31622400) /* 1973-01-01 */

struct tz {
    unsigned references;
    GTimeZone *zone;
    struct known_interval {
        int64_t minute; /* since 1970; 0: none */
        gint interval;
    } known[KNOWN_INTERVALS];
    char name[];
};

/* No clock is or was further from UTC than this, the jumps across the date line included. */
enum { OFFSET_MAX_SECONDS = 26 * 3600 };

/* GLib would also take POSIX rules, in which "UTC+3" lies west of Greenwich, and paths out of the
 * database. A database name has neither. */
static bool is_database_name(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-_/";
    size_t length = strlen(name);

    return length > 0 && strspn(name, allowed) == length && name[0] != '/';
}

/* Is there a compiled zone of that name? GLib complains on stderr about any other file it finds. */
static bool database_has(const char *name)
{
    const char *directory = getenv("TZDIR"); /* GLib looks there as well */
    char magic[4];
    char path[PATH_MAX];

    int length = snprintf(path, sizeof path, "%s/%s",
                          directory != NULL ? directory : "/usr/share/zoneinfo", name);
    if (length < 0 || (size_t)length >= sizeof path)
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool compiled =
        read(fd, magic, sizeof magic) == sizeof magic && memcmp(magic, "TZif", sizeof magic) == 0;
    close(fd);
    return compiled;
}

struct tz *tz_load(const char *name)
{
    /* UTC is known to GLib itself, so that it works where no database is installed. */
    if (!str_equal(name, "UTC") && !(is_database_name(name) && database_has(name))) {
        errno = ENOENT;
        return NULL;
    }

    GTimeZone *zone = g_time_zone_new_identifier(name);
    if (zone == NULL) {
        errno = ENOENT;
        return NULL;
    }
    size_t name_size = strlen(name) + 1;
    struct tz *tz = calloc(1, sizeof *tz + name_size);
    if (tz == NULL) {
        g_time_zone_unref(zone);
        errno = ENOMEM;
        return NULL;
    }
    tz->references = 1;
    tz->zone = zone;
    memcpy(tz->name, name, name_size);
    return tz;
}

struct tz *tz_ref(struct tz *tz)
{
    if (tz != NULL)
        tz->references++;
    return tz;
}

void tz_unref(struct tz *tz)
{
    if (tz == NULL || --tz->references > 0)
        return;
    g_time_zone_unref(tz->zone);
    free(tz);
}

const char *tz_name(const struct tz *tz)
{
    return tz->name;
}

/*
 * GLib numbers the stretches of time between two changes of the clocks, and finds one by walking
 * through all of them. A schedule asks about the same few minutes again and again: those are
 * remembered, which changes nothing that anybody can see of the zone. Since 1972 clocks have been
 * changed at full minutes only.
 */
static gint interval_at(const struct tz *tz, int64_t utc_seconds)
{
    struct known_interval *known;
    int64_t minute = utc_seconds / 60;

    if (utc_seconds < FULL_MINUTES_SINCE)
        return g_time_zone_find_interval(tz->zone, G_TIME_TYPE_UNIVERSAL, utc_seconds);
    known = &((struct tz *)(uintptr_t)tz)->known[minute % KNOWN_INTERVALS];
    if (known->minute != minute) {
        known->interval = g_time_zone_find_interval(tz->zone, G_TIME_TYPE_UNIVERSAL, utc_seconds);
        known->minute = minute;
    }
    return known->interval;
}

static int64_t seconds_of(time_ms at)
{
    return at / MS_SECOND - (at % MS_SECOND < 0);
}

struct civil_time tz_to_civil(const struct tz *tz, time_ms at)
{
    int64_t utc_seconds = seconds_of(at);
    int64_t shown = utc_seconds + g_time_zone_get_offset(tz->zone, interval_at(tz, utc_seconds));
    int64_t days = shown / 86400 - (shown % 86400 < 0);
    int64_t second_of_day = shown - days * 86400;
    struct time_date date = time_date_from_days(days);

    return (struct civil_time){
        .year = (int)date.year,
        .month = date.month,
        .day = date.day,
        .hour = (int)(second_of_day / 3600),
        .minute = (int)(second_of_day / 60 % 60),
        .second = (int)(second_of_day % 60),
        .weekday = date.weekday,
    };
}

/* The first second of an interval that starts after `low` and not after `high`. */
static int64_t interval_start(const struct tz *tz, gint interval, int64_t low, int64_t high)
{
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (interval_at(tz, middle) >= interval)
            high = middle;
        else
            low = middle;
    }
    return high;
}

/*
 * What the clocks show runs along with time, except where it jumps forward or back. The instant we
 * want is the first at which they show `shown` or more: where a time occurs twice that is the
 * earlier one, and where it is skipped it is the moment of the jump.
 */
static int64_t first_second_showing(const struct tz *tz, int64_t shown)
{
    int64_t too_early = shown - OFFSET_MAX_SECONDS;
    int64_t late_enough = shown + OFFSET_MAX_SECONDS;
    gint interval = interval_at(tz, too_early);
    gint last_interval = interval_at(tz, late_enough);
    int64_t start = too_early;

    while (interval < last_interval) {
        int64_t end = interval_start(tz, interval + 1, start, late_enough);
        int64_t reached = shown - g_time_zone_get_offset(tz->zone, interval);
        if (reached < end)
            return reached > start ? reached : start;
        start = end;
        interval++;
    }
    int64_t reached = shown - g_time_zone_get_offset(tz->zone, interval);
    return reached > start ? reached : start;
}

time_ms tz_from_civil(const struct tz *tz, int year, int month, int day, int hour, int minute)
{
    int64_t days = time_days_from_date(year, month, day);
    int64_t shown = days * 86400 + (int64_t)hour * 3600 + (int64_t)minute * 60;
    time_ms at;

    if (__builtin_mul_overflow(first_second_showing(tz, shown), MS_SECOND, &at))
        return shown > 0 ? TIME_NEVER : INT64_MIN;
    return at;
}
