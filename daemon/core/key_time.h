/*
 * When a key was made, as Azure tells it for resources of some types.
 *
 * What Azure tells is shown as the age of a key that the journal did not make, and as evidence of
 * who rotated; and a first rotation is planned earlier for it. It says nothing of which key is
 * live, in use or ours: the interlock, drift and doubt are settled without it, so that a wrong time
 * can do no harm.
 */
#ifndef KEYROTATED_CORE_KEY_TIME_H
#define KEYROTATED_CORE_KEY_TIME_H

#include "core/policy.h"
#include "core/record.h"

/* Nothing of Azure is older: 2010-01-01. What says so has an empty time ("0001-01-01T00:00:00Z").
 */
#define KEY_TIME_FIRST (INT64_C(1262304000) * MS_SECOND)
/* A time that is ahead of `now` by no more than the clocks may differ is `now`. */
#define KEY_TIME_AHEAD (5 * MS_MINUTE)

/* The time that Azure tells, as far as it can be true at `now`; 0: it tells none. */
time_ms key_time_told(time_ms told, time_ms now);

/* Records when the keys were made that the journal found at the adoption, as far as the look tells
 * it and shows the same keys. Times of keys that came later do not change. */
void key_time_note(struct record *record, const struct look *look, time_ms now);

/* Keeps what the look tells beside the keys of `unconfirmed`, which it shows: a second look is in a
 * hurry, and may not be told. */
void key_time_keep(struct record *record, const struct look *look, time_ms now);

/* Records when the live key of that slot was made, which somebody else made: the journal has it
 * from this look. */
void key_time_take(struct record *record, enum slot slot, const struct look *look, time_ms now);

/* When the youngest of the keys was made that the look shows and the journal does not know as live,
 * as Azure tells; 0: it does not tell, or there is none. Leaves out the slot of an open intent,
 * whose key may be ours. NULL: no look. */
time_ms key_time_of_news(const struct record *record, const struct look *look, time_ms now);

/* When the live key of that slot was made: as Azure tells where somebody else made it; otherwise
 * since when the journal knows it. *ret_older: it is older than that. 0: not known. */
time_ms key_time_born(const struct record *record, enum slot slot, bool *ret_older);

/* When the first rotation has to begin at the latest, so that neither key that was found grows
 * older than two rotations of the policy: the standby is replaced by the first one, the active key
 * by the second. TIME_NEVER where Azure does not tell their age. */
time_ms key_time_first_by(const struct record *record, const struct policy *policy);

#endif
