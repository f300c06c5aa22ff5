/*
 * Instants as people write them: by the clock of a place, or with an offset.
 */
#ifndef KEYROTATED_CONF_MOMENT_H
#define KEYROTATED_CONF_MOMENT_H

#include <stdbool.h>

#include "base/time.h"
#include "base/tz.h"

/* A day means its beginning, or its end (the beginning of the day after). */
enum moment_day { MOMENT_DAY_BEGINS, MOMENT_DAY_ENDS };

/*
 * "2026-12-20", "2026-12-20 18:00", "2026-12-20T18:00:00": what the clocks of `tz` show; one that
 * occurs twice or never is taken as tz_from_civil() has it. "2026-12-20T18:00:00Z" and "…+01:00"
 * (RFC 3339) mean the same in every zone. Returns false on anything else, also on days that no
 * calendar has.
 */
bool moment_parse(const char *text, const struct tz *tz, enum moment_day day, time_ms *ret_at);

/* The same, without an instant: is it one of these forms? */
bool moment_is(const char *text);

#endif
