/*
 * Time zones: from an instant to the wall clock of a place, and back.
 *
 * Loading a zone reads the system's time zone database once (GLib does the reading); the
 * conversions are then pure. Zones are immutable and reference-counted.
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

/* A zone by its tz database name ("Europe/Berlin", "UTC"). NULL, and errno is ENOENT or ENOMEM: the
 * system knows none of that name, or memory is out. */
struct tz *tz_load(const char *name);
struct tz *tz_ref(struct tz *tz);
void tz_unref(struct tz *tz);
const char *tz_name(const struct tz *tz);

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
