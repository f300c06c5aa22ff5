/*
 * The clocks of this machine: the zone of $TZ, else that of /etc/localtime.
 */
#ifndef KEYROTATED_BASE_LOCAL_TIME_H
#define KEYROTATED_BASE_LOCAL_TIME_H

#include "base/time.h"

struct local_time {
    int year, month, day, hour, minute, second; /* 2026, 1-12, 1-31, 0-23, 0-59, 0-60 */
};

/* The instant at which the clocks show that time. Of one that occurs twice (clocks set back), the
 * earlier instant; one that is skipped gives an instant within an hour of the jump. */
time_ms local_time_to_instant(const struct local_time *local);

#endif
