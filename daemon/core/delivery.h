/*
 * Deliveries: which targets lack the key of the delivering slot, which one is next, and which have
 * acknowledged it.
 */
#ifndef KEYROTATED_CORE_DELIVERY_H
#define KEYROTATED_CORE_DELIVERY_H

#include "core/machine.h"

/* Is the target to be given a key because the one that it holds is not the active one, or is dead?
 * Then its delivery waits for no other target; in a rotation the old key works until its turn. */
bool delivery_is_repair(const struct record *record, const struct target_record *target);
/* When may a delivery to this target be tried? TIME_NEVER: none is owed, or it has to wait for
 * another target. */
time_ms delivery_turn_at(const struct rotation_context *context, const struct record *record,
                         const struct target_record *target);
/* When a delivery can be tried next; TIME_NEVER: none is owed. */
time_ms delivery_next_at(const struct rotation_context *context, const struct record *record);
/* The same, but not before the account's retry_at. */
time_ms delivery_retry_at(const struct rotation_context *context, const struct record *record);

/* Under on_drift: alert, does the repair after somebody else's change of the active key wait for a
 * person? */
bool delivery_repair_waits_for_human(const struct rotation_context *context,
                                     const struct record *record);
/* Does every delivery outside a rotation wait for a person? It does under on_drift: alert, and
 * while required targets contradict each other. */
bool delivery_waits_for_human(const struct rotation_context *context, const struct record *record);
/* Is the target left to another rotator, which replaced our key there by the standby's live key? */
bool delivery_is_left_to_other_rotator(const struct record *record,
                                       const struct target_record *target, enum holding holding);

/* It was seen to hold the standby's live key, and is left to whoever did it. */
void delivery_leave(const struct record *record, struct target_record *target);

/* Does the journal know that the target holds the key under delivery, and since when? */
bool delivery_is_known(const struct record *record, const struct target_record *target);
void delivery_acknowledge(struct machine *machine, struct target_record *target);
/* The target got the key anew: its hooks are owed it again, at once. */
void delivery_tell_again(struct machine *machine, const struct target_record *target);
/* Every readable target that was seen to hold the key under delivery has acknowledged it, unless an
 * earlier delivery to it may still land. */
void delivery_acknowledge_seen(struct machine *machine, const struct look *look);
/* A look showed that a target holds the key which it has acknowledged: this counts as its time, so
 * that an older look which showed something else is no reason for doubt. */
void delivery_confirm_seen(struct machine *machine, const struct look *look);
/* A look showed that the target does not hold the key delivered to it: it needs a new delivery, at
 * once unless it has lost an earlier one, too. */
void delivery_void(struct machine *machine, struct target_record *target);
/* Every target is owed the key. */
void delivery_void_all(struct record *record);

#endif
