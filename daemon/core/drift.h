/*
 * Drift: what is done where a look does not fit the journal.
 *
 * Such a look may be late rather than true, so it counts only when a second one, unknown_wait
 * later, shows the same; or at once where the data plane refuses what a target holds and accepts
 * what the look showed, because then consumers are failing already.
 */
#ifndef KEYROTATED_CORE_DRIFT_H
#define KEYROTATED_CORE_DRIFT_H

#include "core/machine.h"

/* Holds a look against the journal and acts on drift. POSITION_STAY: it is as recorded, nothing was
 * done. */
enum position drift_follow(struct machine *machine, const struct look *look);
/* The first required target that holds something, none of it live; or NULL. */
const struct sighting *drift_dead_sighting(const struct record *record, const struct look *look);
/* The key of a slot was changed by somebody else while a rotation was under way. */
void drift_take_change(struct machine *machine, enum slot slot, const struct fingerprint *key);
/* The delivering slot was seen to hold another key: it is proven and delivered from the start. */
void drift_restart_delivery(struct machine *machine, const struct look *look);

#endif
