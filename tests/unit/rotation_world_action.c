#include "rotation_world_action.h"

#include <stdio.h>

enum { ACTION_TAKES_MS = 200, LATE_LOOK_MS = 20 * 1000 };

void world_replace_key(struct world *world, enum slot slot)
{
    memmove(&world->past[1], &world->past[0], (WORLD_PAST_MAX - 1) * sizeof(world->past[0]));
    world->past[0].until = world->now;
    memcpy(world->past[0].live, world->live, sizeof(world->live));
    world->live[slot] = ++world->keys_made;
    for (size_t i = 0; i < world->target_count; i++)
        world->targets[i].left_at[slot] = 0;
}

void world_set_target(struct world *world, size_t index, unsigned key)
{
    struct world_target *target = &world->targets[index];

    for (int slot = 0; slot < SLOT_COUNT; slot++)
        if (target->holds != key && target->holds == world->live[slot])
            target->left_at[slot] = world->now;
    target->holds = key;
}

static void our_regenerate(struct world *world, enum slot slot)
{
    oracle_key_dies(world, slot);
    world_replace_key(world, slot);
}

static size_t find_target(const struct world *world, const struct target_id *id)
{
    for (size_t i = 0; i < world->target_count; i++)
        if (target_id_equal(&world->targets[i].configured.id, id))
            return i;
    return WORLD_TARGETS_MAX;
}

static unsigned key_number(const struct fingerprint *fingerprint)
{
    unsigned key;

    memcpy(&key, fingerprint->bytes, sizeof(key));
    return key;
}

/* True: it held something else. */
static bool our_delivery(struct world *world, size_t index, unsigned key)
{
    struct world_target *target = &world->targets[index];
    bool changed = target->holds != key;

    world_set_target(world, index, key);
    target->cycle = world->record.cycle;
    if (changed)
        target->told_at = world->now;
    return changed || !target->configured.readable;
}

/* --- starting --- */

static enum outcome chance_of(struct world *world, enum action_kind kind)
{
    for (int outcome = OUTCOME_FAILS; outcome <= OUTCOME_UNREAD_TARGET; outcome++) {
        bool looks_only = outcome == OUTCOME_LATE_LOOK || outcome == OUTCOME_UNREAD_TARGET;
        bool effects_only = outcome == OUTCOME_LOST_AFTER || outcome == OUTCOME_LOST_LATE;
        bool has_effect = kind == ACTION_REGENERATE || kind == ACTION_DELIVER;

        if ((looks_only && kind != ACTION_LOOK) || (effects_only && !has_effect))
            continue;
        if (world->chance[outcome] > 0 && world_random(world, 1000) < world->chance[outcome])
            return (enum outcome)outcome;
    }
    return OUTCOME_OK;
}

static enum outcome choose_outcome(struct world *world, const struct action *action)
{
    if (world->script[action->kind].times == 0)
        return chance_of(world, action->kind);
    world->script[action->kind].times--;
    return world->script[action->kind].outcome;
}

void world_act(struct world *world, const struct action *action)
{
    struct action actual = *action;

    if (world->sabotage == SABOTAGE_REGENERATE_ACTIVE && actual.kind == ACTION_REGENERATE)
        actual.slot = slot_other(actual.slot);
    oracle_action(world, &actual);
    world->actions[actual.kind]++;
    world->acting = true;
    world->action = actual;
    world->action_outcome = choose_outcome(world, &actual);
    world->action_done_at = world->now + ACTION_TAKES_MS;
    /* The outcome is unknown once the client has stopped waiting. */
    if (world->action_outcome == OUTCOME_LOST_AFTER && actual.kind == ACTION_REGENERATE)
        our_regenerate(world, actual.slot);
}

/* --- looking --- */

static void show_keys(const struct world *world, struct look *look, time_ms as_of)
{
    const unsigned *live = world->live;

    for (size_t i = 0; i < WORLD_PAST_MAX && world->past[i].until > as_of; i++)
        live = world->past[i].live;
    look->live[SLOT_PRIMARY] = world_fingerprint(live[SLOT_PRIMARY]);
    look->live[SLOT_SECONDARY] = world_fingerprint(live[SLOT_SECONDARY]);
}

static void show_targets(struct world *world, struct look *look)
{
    bool unread = world->action_outcome == OUTCOME_UNREAD_TARGET;

    for (size_t i = 0; i < world->target_count; i++) {
        struct world_target *target = &world->targets[i];
        struct sighting *sighting;

        if (!target->in_configuration || !target->configured.readable)
            continue;
        if (unread) {
            unread = false;
            continue;
        }
        target->seen_at = world->now;
        sighting = &look->targets[look->target_count++];
        *sighting = (struct sighting){.target = target->configured.id, .kind = SIGHTING_EMPTY};
        if (target->holds == 0)
            continue;
        sighting->kind = SIGHTING_KEYS;
        sighting->keys[0] = world_fingerprint(target->holds);
        sighting->key_count = 1;
        sighting->cycle = target->cycle;
    }
}

static void complete_look(struct world *world, struct world_event *done)
{
    time_ms lag = world->action_outcome == OUTCOME_LATE_LOOK ? LATE_LOOK_MS : 0;

    done->event.look = &done->look;
    done->event.clock_skew = world->clock_skew;
    done->look.taken_at = world_wall(world);
    done->look.described = world->action.describe;
    if (world->sabotage == SABOTAGE_LOOK_SHOWS_JOURNAL && world->record.adopted)
        memcpy(done->look.live, world->record.live, sizeof(done->look.live));
    else
        show_keys(world, &done->look, world->now - lag);
    show_targets(world, &done->look);
    world->looked_at = world->now;
    if (world->now - world->lost_at >= WORLD_LAG_MAX_MS)
        world->lost_request = false;
}

/* --- regenerating, proving, delivering --- */

static void complete_regenerate(struct world *world, struct world_event *done)
{
    done->event.clock_skew = world->clock_skew;
    our_regenerate(world, world->action.slot);
    for (int slot = 0; slot < SLOT_COUNT; slot++)
        done->event.live[slot] = world_fingerprint(world->live[slot]);
    done->event.shown[SLOT_PRIMARY] = done->event.shown[SLOT_SECONDARY] = true;
}

static void lose_regenerate(struct world *world)
{
    world->lost_request = true;
    world->lost_at = world->now;
    if (world->action_outcome != OUTCOME_LOST_LATE)
        return;
    world->late_regenerate = true;
    world->late_slot = world->action.slot;
    world->late_at = world->now + 1 + world_random(world, WORLD_LAG_MAX_MS);
}

static bool key_is_live(const struct world *world, unsigned key)
{
    return key == world->live[SLOT_PRIMARY] || key == world->live[SLOT_SECONDARY];
}

static void fail(const struct world *world, struct world_event *done, enum reason reason,
                 bool unknown)
{
    done->failure = (struct failure){
        .reason = reason, .outcome_unknown = unknown, .retry_after = world->retry_after};
    done->event.failure = &done->failure;
}

static void complete_verify(struct world *world, struct world_event *done)
{
    if (world->data_plane_down)
        fail(world, done, REASON_NETWORK, false);
    else if (world->refuses_new_keys || !key_is_live(world, key_number(&world->action.key)))
        fail(world, done, REASON_KEY_REFUSED, false);
}

static void land_later(struct world *world, size_t index)
{
    struct world_target *target = &world->targets[index];

    target->late_pending = true;
    target->late_key = key_number(&world->action.key);
    target->late_at = world->now + 1 + world_random(world, WORLD_LAG_MAX_MS);
}

static void complete_deliver(struct world *world, struct world_event *done)
{
    size_t index = find_target(world, &world->action.target);
    unsigned key = key_number(&world->action.key);

    done->event.changed = our_delivery(world, index, key);
    if (world->sabotage == SABOTAGE_DELIVERIES_UNCHANGED)
        done->event.changed = false;
}

static void lose_delivery(struct world *world, struct world_event *done)
{
    size_t index = find_target(world, &world->action.target);

    if (world->action_outcome == OUTCOME_LOST_AFTER)
        (void)our_delivery(world, index, key_number(&world->action.key));
    else if (world->action_outcome == OUTCOME_LOST_LATE)
        land_later(world, index);
    if (world->sabotage == SABOTAGE_FAILURE_IS_SUCCESS) {
        done->event.failure = NULL;
        done->event.changed = true;
    }
}

static void complete_badly(struct world *world, struct world_event *done)
{
    enum action_kind kind = world->action.kind;
    enum reason reason = world->script[kind].reason;
    bool unknown = world->action_outcome != OUTCOME_FAILS;

    if (world->sabotage == SABOTAGE_UNKNOWN_IS_FAILURE)
        unknown = false;
    if (reason == REASON_NONE)
        reason = kind == ACTION_DELIVER ? REASON_TARGET_FAILED : REASON_NETWORK;
    fail(world, done, reason, unknown);
    if (kind == ACTION_REGENERATE && world->action_outcome != OUTCOME_FAILS)
        lose_regenerate(world);
    else if (kind == ACTION_DELIVER)
        lose_delivery(world, done);
    else if (kind == ACTION_PREFLIGHT)
        done->event.target = world->targets[0].configured.id;
}

void world_complete_action(struct world *world)
{
    static const enum event_kind completions[WORLD_ACTION_KINDS] = {
        [ACTION_PREFLIGHT] = EVENT_PREFLIGHT_DONE, [ACTION_LOOK] = EVENT_LOOKED,
        [ACTION_REGENERATE] = EVENT_REGENERATED,   [ACTION_VERIFY_LIVE] = EVENT_VERIFIED,
        [ACTION_VERIFY_TARGET] = EVENT_VERIFIED,   [ACTION_DELIVER] = EVENT_DELIVERED,
    };
    struct world_event *done = world_post(world, completions[world->action.kind]);
    enum outcome outcome = world->action_outcome;

    world->acting = false;
    done->event.target = world->action.target;
    if (outcome != OUTCOME_OK && outcome != OUTCOME_LATE_LOOK && outcome != OUTCOME_UNREAD_TARGET)
        complete_badly(world, done);
    else if (world->action.kind == ACTION_LOOK)
        complete_look(world, done);
    else if (world->action.kind == ACTION_REGENERATE)
        complete_regenerate(world, done);
    else if (world->action.kind == ACTION_DELIVER)
        complete_deliver(world, done);
    else if (world->action.kind != ACTION_PREFLIGHT)
        complete_verify(world, done);
}

void world_abandon_action(struct world *world)
{
    enum action_kind kind = world->action.kind;
    unsigned fate =
        world_random(world, 3); /* 0: it never left, 1: it happened, 2: it will still happen */
    size_t index;

    if (!world->acting)
        return;
    world->acting = false;
    if (kind == ACTION_REGENERATE && world->action_outcome != OUTCOME_LOST_AFTER && fate > 0) {
        if (fate == 1)
            our_regenerate(world, world->action.slot);
        world->action_outcome = fate == 2 ? OUTCOME_LOST_LATE : OUTCOME_LOST_AFTER;
        lose_regenerate(world);
    } else if (kind == ACTION_DELIVER && fate > 0) {
        index = find_target(world, &world->action.target);
        if (fate == 1 || world->targets[index].configured.settles_at_once)
            (void)our_delivery(world, index, key_number(&world->action.key));
        else
            land_later(world, index);
    }
}

/* --- what was lost on the way --- */

time_ms world_late_next(const struct world *world)
{
    time_ms next = world->late_regenerate ? world->late_at : TIME_NEVER;

    for (size_t i = 0; i < world->target_count; i++)
        if (world->targets[i].late_pending && world->targets[i].late_at < next)
            next = world->targets[i].late_at;
    return next;
}

void world_late_lands(struct world *world)
{
    if (world->late_regenerate && world->late_at <= world->now) {
        world->late_regenerate = false;
        our_regenerate(world, world->late_slot);
    }
    for (size_t i = 0; i < world->target_count; i++) {
        struct world_target *target = &world->targets[i];

        if (!target->late_pending || target->late_at > world->now)
            continue;
        target->late_pending = false;
        (void)our_delivery(world, i, target->late_key);
    }
}
