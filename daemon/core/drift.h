/*
 * Drift: the reaction to a look that differs from the journal. Such a look may show an earlier
 * state, so it counts only when a second one, unknown_wait later, shows the same. It counts at once
 * when the data plane refuses the key in a target and accepts the key of the look, because
 * consumers are failing then.
 */
#ifndef KEYROTATED_CORE_DRIFT_H
#define KEYROTATED_CORE_DRIFT_H

#include "core/machine.h"

/* Compares a look with the journal and acts on drift. POSITION_STAY: both agree, and nothing was
 * done. */
enum position drift_follow(struct machine *machine, const struct look *look);
/* The first required target whose keys are all dead; or NULL. */
const struct sighting *drift_dead_sighting(const struct record *record, const struct look *look);
/* The key of a slot was changed by somebody else while a rotation was under way. */
void drift_take_change(struct machine *machine, enum slot slot, const struct fingerprint *key);
/* The delivering slot was seen to hold another key: it is proven and delivered from the start. */
void drift_restart_delivery(struct machine *machine, const struct look *look);

#endif
