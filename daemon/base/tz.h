/*
 * Time zones: from an instant to the wall clock of a place, and back.
 *
 * Each load reads the zone's file in the system's time zone database ($TZDIR, or
 * /usr/share/zoneinfo); a zone keeps the rules with which it was loaded. The conversions are pure.
 * Zones are immutable.
 */
#ifndef KEYROTATED_BASE_TZ_H
#define KEYROTATED_BASE_TZ_H

#include "base/time.h"

struct tz;

struct civil_time {
    int year, month, day;     /* 2026, 1-12, 1-31 */
    int hour, minute, second; /* 0-23, 0-59, 0-59 */
    int weekday;              /* 0 = Monday … 6 = Sunday */
};

/* A zone by its tz database name ("Europe/Berlin", "UTC"; the latter needs no database). NULL, and
 * errno is ENOENT (the system knows none of that name), EBADMSG (its file is unusable: see
 * tzif_parse()) or ENOMEM. */
struct tz *tz_load(const char *name);
void tz_free(struct tz *tz);
const char *tz_name(const struct tz *tz);

/*
 * Returns the current name for the former name `name` ("America/Los_Angeles" for "US/Pacific"), to
 * be freed by the caller; NULL with errno ENOENT (none is known) or ENOMEM. Source: tzdata.zi,
 * which also lists the names in the package tzdata-legacy, installed or not.
 */
char *tz_current_name(const char *name);

/* What the clocks of the zone show at an instant. */
struct civil_time tz_to_civil(const struct tz *tz, time_ms at);

/*
 * The instant at which the clocks of the zone show y-m-d h:min:00. Days and months out of range
 * are carried over (day 0 is the last of the month before). A time that occurs twice (clocks set
 * back) gives the earlier instant, one that is skipped (clocks set forward) the instant at which
 * the clocks jump over it.
 */
time_ms tz_from_civil(const struct tz *tz, int year, int month, int day, int hour, int minute);

#endif
