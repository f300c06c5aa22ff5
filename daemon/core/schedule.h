/*
 * When the next rotation is planned: pure functions of a policy, an account and instants.
 *
 * Planned times count from planned times, so a late rotation does not push the following ones back;
 * but never sooner than `overlap` after the last completion. The splay of an account is a hash of
 * its name: the same after every restart, spread evenly over the fleet.
 *
 * A start lies inside a window and outside all freezes. What a policy promises (the longest wait,
 * the age of a key, the instant at which a rotation is overdue) leaves freezes out of account:
 * schedule_without_freezes().
 */
#ifndef KEYROTATED_CORE_SCHEDULE_H
#define KEYROTATED_CORE_SCHEDULE_H

#include "core/policy.h"

/* The earliest instant >= `at` inside one of the policy's windows (at any time without windows) and
 * outside its freezes. TIME_NEVER if no window opens within 400 days, which the configuration's
 * check rules out. */
time_ms schedule_next_open(const struct policy *policy, time_ms at);

/* May a rotation start at `at`, as far as windows and freezes go? */
bool schedule_is_open(const struct policy *policy, time_ms at);

/* When the window that is open at `at` closes, or a freeze begins; TIME_NEVER where neither will;
 * `at` if it is not open. */
time_ms schedule_close(const struct policy *policy, time_ms at);

/* Of the freezes in force at `at`, the one that ends last; NULL: none is. */
const struct freeze *schedule_freeze(const struct policy *policy, time_ms at);

/* The next instant after `at` at which a freeze begins or ends; TIME_NEVER: there is none. */
time_ms schedule_freeze_changes_at(const struct policy *policy, time_ms at);

/* The policy as it is without its freezes. */
struct policy schedule_without_freezes(const struct policy *policy);

/* The longest time a rotation may have to wait for a window to open (0 without windows), over a
 * year of the zone's calendar from `from` on, both clock changes included. */
duration_ms schedule_longest_wait(const struct policy *policy, time_ms from);

/* The longest time a rotation may have to wait because of a freeze that begins at `from`: until
 * all freezes that follow it without a pause are over and a window is open, counted from when the
 * last window before it closed. TIME_NEVER: no window opens after it. */
duration_ms schedule_wait_for_freeze(const struct policy *policy, time_ms from);

/* A number in [0, below), the same for the same account and purpose. FNV-1a and a finaliser. */
uint64_t schedule_hash(const char *account_id, const char *purpose, uint64_t below);

/*
 * The start of the first rotation of an account adopted at `adopted_at`: by hash of the account
 * between overlap and rotate_every after it, then moved into a window and splayed inside it.
 * Freezes are left out of account. `by`: it is to start then at the latest, because its keys are
 * old; TIME_NEVER: their age is not known. It is never later for it, nor sooner than overlap; where
 * `by` has passed, or will soon, it is spread over the splay or a tenth of rotate_every, whichever
 * is longer, from there on: the keys of a fleet that is adopted at once are all old.
 */
time_ms schedule_first(const struct policy *policy, const char *account_id, time_ms adopted_at,
                       time_ms by);

/*
 * Rotation `planned` (the slot on the time line, without window and splay) was completed at
 * `completed_at`. Returns the next one: the last planned + n * rotate_every that lies not more than
 * rotate_every after `completed_at`, or overlap after `completed_at` where that is later. (Waiting
 * for the slot after it instead would double the interval whenever overlap is close to
 * rotate_every.) A rotation before its planned time, by command, takes the place of the planned
 * one where that keeps the promise about the age of keys; many of them do not put the next one off
 * for ever.
 */
time_ms schedule_next_planned(const struct policy *policy, time_ms planned, time_ms completed_at);

/*
 * When the rotation planned for `planned` starts: its window opening plus the account's splay, cut
 * so that it stays inside the window. A time in the past at `now` was missed (the daemon was off):
 * it is caught up once, within `spread` (the splay, at most) from `now` on, inside the window.
 */
time_ms schedule_start(const struct policy *policy, const char *account_id, time_ms planned);
time_ms schedule_catch_up(const struct policy *policy, const char *account_id, time_ms now,
                          duration_ms spread);

/* rotate_every for a wanted max_key_age: a key lives for two rotations, the rest is reserve: 4/9.
 */
duration_ms schedule_rotate_every_for(duration_ms max_key_age);

/* How old a key may get at worst: 2 * rotate_every + longest wait for a window + splay. */
duration_ms schedule_worst_key_age(const struct policy *policy, time_ms from);

#endif
