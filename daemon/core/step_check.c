#include "core/steps.h"

enum position check_look_done(struct machine *machine)
{
    const bool whole = machine_take_look(machine);
    const enum position next = drift_follow(machine, machine->event->look);

    if (next != POSITION_STAY)
        return next;
    if (!whole)
        machine->record->check_at = machine->record->retry_at;
    machine_retry_undescribed(machine);
    return POSITION_IDLE;
}

/* Asks the data plane about the key that a target holds. */
enum position check_enter_prove_target(struct machine *machine)
{
    const struct sighting *dead = drift_dead_sighting(machine->record, machine->event->look);

    machine_act(machine, ACTION_VERIFY_TARGET);
    machine->effects->action.target = dead->target;
    machine->effects->action.key = dead->keys[0];
    return POSITION_STAY;
}

enum position check_target_proved(struct machine *machine)
{
    const struct failure *failure = machine->event->failure;

    /* The target's key works, or the answer is unknown: the look may be late. */
    return failure && failure->reason == REASON_KEY_REFUSED ? POSITION_PROVE_LIVE
                                                            : POSITION_CONFIRM_WAIT;
}

/* Asks it about the key that the look showed. */
enum position check_enter_prove_live(struct machine *machine)
{
    const struct record *record = machine->record;

    machine_act(machine, ACTION_VERIFY_LIVE);
    machine->effects->action.slot = record->active;
    machine->effects->action.key = record->unconfirmed.live[record->active];
    return POSITION_STAY;
}

enum position check_live_proved(struct machine *machine)
{
    if (machine->event->failure)
        return POSITION_CONFIRM_WAIT;
    machine->record->unconfirmed.proven = true;
    return POSITION_CHECK_LOOK;
}
