/*
 * The interlock: every path to a regenerate asks here, and nowhere else.
 */
#ifndef KEYROTATED_CORE_INTERLOCK_H
#define KEYROTATED_CORE_INTERLOCK_H

#include "core/event.h"

/* May the standby slot be regenerated now? The one function that decides it. */
struct interlock {
    bool open;
    enum reason reason; /* why not, where there is a word for it */
    time_ms until;      /* when it would be, if nothing else happens; TIME_NEVER: unknown */
    const char *text;   /* why not, in words: a static sentence */
    bool for_pair;      /* nothing but another pair of the same resource is in the way */
};
void interlock_ask(const struct rotation_context *context, const struct record *record, time_ms now,
                   struct interlock *interlock);

/* A list that is read so long after a change of the resource shows what it is like since, whatever
 * became of the request that has changed it. */
duration_ms interlock_list_age(const struct timing *timing, duration_ms list_delay);

/* Until when Azure may regenerate a key for that record, as far as time alone tells; until then no
 * other pair of keys of the same resource is regenerated. 0: its last regenerate has ended. */
time_ms interlock_busy_until(const struct record *record, const struct timing *timing,
                             duration_ms regenerate_takes);

#endif
