#include "rotation_world.h"

#include <stdarg.h>
#include <stdio.h>

enum { LOOK_FRESH_MS = 31 * 1000, IDLE_WAKES_MAX = 4 };

void oracle_convict(struct world *world, const char *format, ...)
{
    va_list arguments;

    if (world->violation[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(world->violation, sizeof(world->violation), format, arguments);
    va_end(arguments);
}

/* Somebody else acted too shortly before: no look could show it. */
static bool excused(const struct world *world)
{
    return world->foreign_at != 0 &&
           world->foreign_at > world->looked_at - world->timing.unknown_wait;
}

/* Is the target required, and was it already at the machine's last look? */
static bool counts(const struct world *world, size_t index)
{
    return world_required(world, index) && world->targets[index].required_at <= world->looked_at;
}

static void regenerate_is_prepared(struct world *world, const struct action *action)
{
    const struct intent *intent = &world->journal.intent;

    if (!intent->open || intent->slot != action->slot)
        oracle_convict(world, "a regenerate without a durable intent for that slot");
    if (world->now - world->looked_at > LOOK_FRESH_MS)
        oracle_convict(world, "a regenerate without a look right before it");
    if (world->now - world->started_at < world->timing.unknown_wait)
        oracle_convict(world, "a regenerate within unknown_wait of the start");
    if (world->lost_request)
        oracle_convict(world, "a lost regenerate is repeated without a look");
    for (size_t i = 0; i < world->target_count; i++)
        if (counts(world, i) && world->targets[i].told_at != 0 &&
            world->now - world->targets[i].told_at < world->policy.overlap)
            oracle_convict(world, "a regenerate within overlap of telling readers of target %zu",
                           i);
}

static void everybody_has_active(struct world *world, const struct action *action)
{
    if (excused(world))
        return;
    for (size_t i = 0; i < world->target_count; i++)
        if (counts(world, i) && world->targets[i].holds != world->live[slot_other(action->slot)])
            oracle_convict(world, "a regenerate while required target %zu lacks the active key", i);
}

static void delivery_is_prepared(struct world *world, const struct action *action)
{
    const struct target_record *target = record_target_const(&world->journal, &action->target);
    struct fingerprint live = world_fingerprint(world->live[action->slot]);

    if (!target || !target->delivery_intended)
        oracle_convict(world, "a delivery that the journal does not know of");
    if (action->slot != world->record.delivering)
        oracle_convict(world, "a delivery of another key than the goal's");
    if (!fingerprint_equal(&live, &action->key) && !excused(world))
        oracle_convict(world, "a delivery of a dead key");
    for (size_t i = 0; i < world->target_count; i++) {
        const struct world_target *known = &world->targets[i];

        if (known->late_pending && target_id_equal(&known->configured.id, &action->target))
            oracle_convict(world, "a delivery while an earlier one may still land");
    }
}

void oracle_action(struct world *world, const struct action *action)
{
    if (world->acting)
        oracle_convict(world, "two actions at once");
    if (action->kind == ACTION_REGENERATE) {
        regenerate_is_prepared(world, action);
        everybody_has_active(world, action);
    } else if (action->kind == ACTION_DELIVER) {
        delivery_is_prepared(world, action);
    }
}

void oracle_key_dies(struct world *world, enum slot slot)
{
    if (excused(world))
        return;
    for (size_t i = 0; i < world->target_count; i++) {
        const struct world_target *target = &world->targets[i];

        if (!counts(world, i))
            continue;
        if (target->holds == world->live[slot])
            oracle_convict(world, "target %zu holds the key that is regenerated", i);
        else if (target->left_at[slot] != 0 &&
                 world->now - target->left_at[slot] < world->policy.overlap)
            oracle_convict(world, "readers of target %zu may still hold the key that dies", i);
    }
}

/* `active` moves last: all required targets have the key then. */
static void completion_is_true(struct world *world)
{
    const struct record *record = &world->record;

    for (size_t i = 0; i < world->target_count; i++) {
        struct fingerprint held = world_fingerprint(world->targets[i].holds);

        if (counts(world, i) && !excused(world) &&
            world->targets[i].written_at <= world->targets[i].seen_at &&
            !fingerprint_equal(&held, &record->live[record->active]))
            oracle_convict(world, "completed, but required target %zu has another key", i);
    }
}

static bool has_note(const struct effects *effects, enum note_kind kind)
{
    for (size_t i = 0; i < effects->note_count; i++)
        if (effects->notes[i].kind == kind)
            return true;
    return false;
}

void oracle_step(struct world *world, const struct record *before, const struct event *event,
                 const struct effects *effects)
{
    const struct record *after = &world->record;

    if (effects->fault)
        oracle_convict(world, "fault in %s: %s", position_name(before->position), effects->fault);
    if (has_note(effects, NOTE_ROTATION_COMPLETED))
        completion_is_true(world);
    else if (after->active != before->active && before->adopted && after->adopted &&
             !has_note(effects, NOTE_ADOPTED) && world->last_drift != DRIFT_ROTATED_ELSEWHERE)
        oracle_convict(world, "active moved without a completed rotation");
    if (before->intent.open && after->intent.open && before->intent.slot != after->intent.slot)
        oracle_convict(world, "a retry of another slot");
    if (after->delivering != before->delivering && before->adopted && after->adopted &&
        before->delivering != before->active && !has_note(effects, NOTE_ADOPTED))
        oracle_convict(world, "the goal changed while it was being delivered");
    if (effects->forget_keys && position_needs_keys(after->position))
        oracle_convict(world, "keys are forgotten that are needed");
    if (effects->move_count == 0 && event->kind == EVENT_WAKE && effects->wake_at <= event->now)
        world->idle_wakes++;
    else if (effects->move_count > 0 || effects->wake_at > event->now)
        world->idle_wakes = 0;
    if (world->idle_wakes > IDLE_WAKES_MAX)
        oracle_convict(world, "woken again and again in %s, and nothing moves",
                       position_name(after->position));
}

void oracle_rest(struct world *world)
{
    const struct record *record = &world->record;
    bool waits_for_human = record->position == POSITION_ADOPT_WAIT &&
                           reason_describe(record->blocked)->clearing == CLEARED_BY_HUMAN &&
                           !record->adopt_asked;

    if (!position_awaits_time(record->position))
        oracle_convict(world, "stands in %s, and nothing is under way",
                       position_name(record->position));
    if (world->wake_at == TIME_NEVER && !waits_for_human)
        oracle_convict(world, "stands in %s for ever", position_name(record->position));
}
