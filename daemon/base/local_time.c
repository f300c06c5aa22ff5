#include "base/local_time.h"

#include <stdbool.h>
#include <time.h>

/* Of a time that occurs twice, the one with daylight saving time is the earlier. */
time_ms local_time_to_instant(const struct local_time *local)
{
    time_t earliest = 0;
    bool found = false;

    for (int daylight = -1; daylight <= 1; daylight++) {
        struct tm fields = {.tm_year = local->year - 1900,
                            .tm_mon = local->month - 1,
                            .tm_mday = local->day,
                            .tm_hour = local->hour,
                            .tm_min = local->minute,
                            .tm_sec = local->second,
                            .tm_isdst = daylight};
        const time_t at = mktime(&fields);
        const bool shown = fields.tm_hour == local->hour && fields.tm_min == local->minute;

        if (at == (time_t)-1 || (!shown && daylight >= 0))
            continue;
        if (!found || at < earliest)
            earliest = at;
        found = true;
    }
    return (time_ms)earliest * MS_SECOND;
}
