/*
 * The steps: what the rows of the flow table (flow.c) do when their position is entered, when what
 * it awaits has come, and when its timer is due. They return where the account goes next.
 */
#ifndef KEYROTATED_CORE_STEPS_H
#define KEYROTATED_CORE_STEPS_H

#include "core/machine.h"

enum position adopt_look_done(struct machine *machine);
time_ms adopt_wake_at(const struct machine *machine);

/* What is next when nothing is under way. */
enum position idle_next(struct machine *machine);
time_ms idle_wake_at(const struct machine *machine);

enum position check_look_done(struct machine *machine);
enum position check_enter_prove_target(struct machine *machine);
enum position check_target_proved(struct machine *machine);
enum position check_enter_prove_live(struct machine *machine);
enum position check_live_proved(struct machine *machine);
time_ms check_confirm_at(const struct machine *machine);

enum position rotate_enter_preflight(struct machine *machine);
enum position rotate_look_done(struct machine *machine);
enum position rotate_intent_durable(struct machine *machine);
enum position rotate_enter_regenerate(struct machine *machine);
enum position rotate_regenerated(struct machine *machine);
enum position rotate_doubt_look_done(struct machine *machine);

/* VERIFY, or DELIVER_INTENT where no proof is needed. */
enum position verify_gate(struct machine *machine);
enum position verify_enter(struct machine *machine);
enum position verify_look_done(struct machine *machine);
enum position verify_done(struct machine *machine);

/* Goes on with the next target that is owed the key, with the keys of a fresh look; or with what
 * comes after the last one. */
enum position deliver_gate(struct machine *machine);
/* DELIVER_WAIT, or IDLE where only optional targets are owed: they keep nothing else waiting. */
enum position deliver_wait_gate(struct machine *machine);
enum position deliver_enter(struct machine *machine);
enum position deliver_look_done(struct machine *machine);
enum position deliver_intent_durable(struct machine *machine);
enum position deliver_done(struct machine *machine);
/* Leaves DELIVER_WAIT if it is time to: for another attempt, or because nothing is owed any more
 * (the target that was waited for is gone from the configuration, or optional now). */
enum position deliver_resume(struct machine *machine);
time_ms deliver_resume_at(const struct machine *machine);

#endif
