/*
 * Deliveries: which target is owed the key of the delivering slot, whose turn it is, and what is
 * known to have arrived.
 */
#ifndef KEYROTATED_CORE_DELIVERY_H
#define KEYROTATED_CORE_DELIVERY_H

#include "core/machine.h"

/* When may a delivery to this target be tried? TIME_NEVER: none is owed, or it has to wait for
 * another target. */
time_ms delivery_turn_at(const struct record *record, const struct target_record *target);
/* When a delivery can be tried next; TIME_NEVER: none is owed. */
time_ms delivery_next_at(const struct record *record);
/* The same, but not before the account's retry_at. */
time_ms delivery_retry_at(const struct record *record);

/* Under on_drift: alert, what somebody else's change of the active key broke is not repaired from
 * here until a person asks for it. */
bool delivery_repair_waits_for_human(const struct rotation_context *context,
                                     const struct record *record);
/* Is no delivery to be made outside a rotation until a person has spoken? Under on_drift: alert,
 * and while required targets contradict each other. */
bool delivery_waits_for_human(const struct rotation_context *context, const struct record *record);
/* With another rotator, we do not fight over a target: one that was given the standby's live key
 * over ours is left to whoever did it. */
bool delivery_is_left_to_other_rotator(const struct record *record,
                                       const struct target_record *target, enum holding holding);

void delivery_acknowledge(struct machine *machine, struct target_record *target);
/* Every readable target that was seen to hold the key under delivery has acknowledged it, unless an
 * earlier delivery to it may still land. */
void delivery_acknowledge_seen(struct machine *machine, const struct look *look);
/* A target was seen to hold something else than it was given: nothing is known of it any more, and
 * it is owed the key. At once, unless it has not kept an earlier delivery either. */
void delivery_void(struct machine *machine, struct target_record *target);
/* Every target is owed the key. */
void delivery_void_all(struct record *record);

#endif
