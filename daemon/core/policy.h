/*
 * The policy of an account, in checked and final numbers with all defaults filled in.
 */
#ifndef KEYROTATED_CORE_POLICY_H
#define KEYROTATED_CORE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "base/tz.h"

enum verify_mode { VERIFY_AUTO, VERIFY_REQUIRED, VERIFY_OFF };
enum drift_mode { DRIFT_REDELIVER, DRIFT_ALERT };

/* One stretch of the week in which rotations may start, by the wall clock of a place. */
struct window {
    uint8_t days;    /* bit 0 = Monday … bit 6 = Sunday: the days on which it opens */
    int from_minute; /* of the day, 0-1439 */
    int to_minute;   /* of the day, 0-1439; not after from_minute: it closes on the next day */
    struct tz *tz;   /* borrowed from the configuration, never NULL */
};

/* A stretch of time in which nothing is started, [from, to). */
struct freeze {
    time_ms from;
    time_ms to;         /* after `from` */
    const char *reason; /* as configured; NULL: none was given */
};

struct policy {
    duration_ms max_key_age;   /* as asked for; 0 where rotate_every was given instead */
    duration_ms rotate_every;  /* from one rotation of the account to the next */
    duration_ms overlap;       /* the least time for which a replaced key stays untouched */
    duration_ms splay;         /* rotations are spread over this duration after their planned
                                * time */
    duration_ms check_every;   /* between two looks for drift */
    duration_ms overdue_after; /* a rotation that is later than this is overdue */
    enum verify_mode verify;
    enum drift_mode on_drift;
    bool rotate; /* false: adopt, deliver and watch, never regenerate */
    const struct window *windows;
    size_t window_count;          /* 0: any time */
    const struct freeze *freezes; /* those that apply to it, in any order; they may overlap */
    size_t freeze_count;
};

/* The waits of the machinery, the same for all accounts. */
struct timing {
    duration_ms retry_initial;
    duration_ms retry_max;
    duration_ms unknown_wait;   /* how long a request whose answer was lost may still take effect */
    duration_ms verify_timeout; /* how long a new key may take until the data plane accepts it */
    duration_ms settle;         /* from a completed rotation to the look that confirms it */
    duration_ms repair_turn;    /* how long a required target may take in a repair, at least, while
                                 * something else waits for the end of its delivery */
};

#endif
