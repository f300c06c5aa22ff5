#include "core/rehearsal.h"

#include "core/key_time.h"
#include "core/schedule.h"
#include "core/steps.h"

/* Without a rotation in so many steps, its wait has no end that is known: all that happens are the
 * daily reports. */
enum { STEPS_MAX = 1000 };
/* Looks for drift find nothing in a rehearsal, and would be most of its steps. */
#define NO_CHECKS (100 * 365 * MS_DAY)

static const struct {
    const char *name, *words;
} whys[WHY_COUNT] = {
    [WHY_UNDER_WAY] = {"under_way", "it has begun"},
    [WHY_COMMAND] = {"command", "an operator has asked for it"},
    [WHY_FIRST] = {"first", "the first one, spread over the interval"},
    [WHY_INTERVAL] = {"interval", "one interval after the one before"},
    [WHY_SPLAY] = {"splay", "the interval, and the account's part of the splay"},
    [WHY_WINDOW] = {"window", "the first window after the interval"},
    [WHY_FREEZE] = {"freeze", "a change freeze covers its time"},
    [WHY_CATCH_UP] = {"catch_up", "its time was missed, and is made up for in turn"},
    [WHY_OVERLAP] = {"overlap", "the replaced key has to stay for its overlap"},
    [WHY_HOLD] = {"hold", "an operator's hold ends"},
    [WHY_PAUSE] = {"pause", "what keeps it from starting now has ended"},
};

const char *rehearsal_why_name(enum rehearsal_why why)
{
    return whys[why].name;
}

const char *rehearsal_why_words(enum rehearsal_why why)
{
    return whys[why].words;
}

/* --- the world in which everything works --- */

static struct fingerprint make_key(struct rehearsal *rehearsal)
{
    struct fingerprint key = {{0}};

    rehearsal->keys_made++;
    memcpy(key.bytes, &rehearsal->keys_made, sizeof(rehearsal->keys_made));
    key.bytes[FINGERPRINT_LENGTH - 1] = 1;
    return key;
}

static void show_targets(const struct rehearsal *rehearsal, struct look *look)
{
    for (size_t i = 0; i < rehearsal->context.target_count; i++) {
        const struct rotation_target *target = &rehearsal->context.targets[i];
        struct sighting *sighting;

        if (!target->readable)
            continue;
        sighting = &look->targets[look->target_count++];
        *sighting = (struct sighting){.target = target->id, .kind = SIGHTING_EMPTY};
        if (fingerprint_is_none(&rehearsal->holds[i]))
            continue;
        sighting->kind = SIGHTING_KEYS;
        sighting->keys[0] = rehearsal->holds[i];
        sighting->key_count = 1;
    }
}

static void regenerate(struct rehearsal *rehearsal, enum slot slot, struct event *event)
{
    rehearsal->live[slot] = make_key(rehearsal);
    memcpy(event->live, rehearsal->live, sizeof(event->live));
    event->shown[SLOT_PRIMARY] = event->shown[SLOT_SECONDARY] = true;
}

/* The operation that was under way at the beginning ends, and has made a key. */
static void end_operation(struct rehearsal *rehearsal, struct event *event)
{
    const struct intent *intent = &rehearsal->record.intent;

    if (fingerprint_equal(&rehearsal->live[intent->slot], &intent->before[intent->slot]))
        rehearsal->live[intent->slot] = make_key(rehearsal);
    event->operation_state = OPERATION_SUCCEEDED;
}

static void deliver(struct rehearsal *rehearsal, const struct action *action)
{
    for (size_t i = 0; i < rehearsal->context.target_count; i++)
        if (target_id_equal(&rehearsal->context.targets[i].id, &action->target))
            rehearsal->holds[i] = action->key;
}

/* Carries out the action, and makes its completion. `look` is the memory for what a look shows. */
static void complete(struct rehearsal *rehearsal, struct event *event, struct look *look)
{
    static const enum event_kind completions[] = {
        [ACTION_PREFLIGHT] = EVENT_PREFLIGHT_DONE, [ACTION_LOOK] = EVENT_LOOKED,
        [ACTION_REGENERATE] = EVENT_REGENERATED,   [ACTION_POLL] = EVENT_POLLED,
        [ACTION_VERIFY_LIVE] = EVENT_VERIFIED,     [ACTION_VERIFY_TARGET] = EVENT_VERIFIED,
        [ACTION_DELIVER] = EVENT_DELIVERED,
    };
    const struct action action = rehearsal->action;

    rehearsal->action = (struct action){.kind = ACTION_NONE};
    event->kind = completions[action.kind];
    event->target = action.target;
    if (action.kind == ACTION_LOOK) {
        memcpy(look->live, rehearsal->live, sizeof(look->live));
        look->described = true;
        show_targets(rehearsal, look);
        event->look = look;
    } else if (action.kind == ACTION_REGENERATE) {
        regenerate(rehearsal, action.slot, event);
    } else if (action.kind == ACTION_POLL) {
        end_operation(rehearsal, event);
    } else if (action.kind == ACTION_DELIVER) {
        deliver(rehearsal, &action);
        event->changed = true;
    }
}

/* --- the engine --- */

/* Orders and locks of others end by time. */
static void follow_others(struct rehearsal *rehearsal)
{
    struct rotation_context *context = &rehearsal->context;

    if (context->hold && !hold_is_on(context->hold, rehearsal->now))
        context->hold = NULL;
    if (context->pair_busy && context->pair_busy_until <= rehearsal->now)
        context->pair_busy = NULL;
}

static void step(struct rehearsal *rehearsal, struct event *event)
{
    struct effects *effects = &rehearsal->effects;

    event->now = rehearsal->now;
    follow_others(rehearsal);
    rotation_step(&rehearsal->context, &rehearsal->record, event, effects);
    if (effects->action.kind != ACTION_NONE)
        rehearsal->action = effects->action;
    rehearsal->ended = !!effects->fault || ++rehearsal->steps > STEPS_MAX;
}

/* Why a due rotation cannot start at `at`. */
static enum rehearsal_why obstacle_at(const struct rehearsal *rehearsal, time_ms at)
{
    const struct record *record = &rehearsal->record;
    struct interlock interlock;

    interlock_ask(&rehearsal->context, record, at, &interlock);
    if (interlock.open)
        return WHY_PAUSE;
    if (interlock.reason == REASON_OPERATOR)
        return WHY_HOLD;
    return interlock.until == time_add(record->overlap_from, rehearsal->policy.overlap)
               ? WHY_OVERLAP
               : WHY_PAUSE;
}

static bool is_rotating(const struct record *record)
{
    return record->intent.open || record->delivering != record->active;
}

/* Lets the time pass until the account wakes up. */
static void wait(struct rehearsal *rehearsal)
{
    const struct record *record = &rehearsal->record;
    const time_ms wake_at = rehearsal->effects.wake_at;
    const time_ms due_at = time_max(rehearsal->now, record->due_at);

    if (wake_at == TIME_NEVER || wake_at > rehearsal->horizon) {
        rehearsal->ended = true;
        return;
    }
    if (rehearsal->obstacle == WHY_COUNT && record->due_at != 0 && due_at < wake_at &&
        !is_rotating(record))
        rehearsal->obstacle = obstacle_at(rehearsal, due_at);
    rehearsal->now = time_max(rehearsal->now, wake_at);
}

/* One event: what the account waits for. */
static void play(struct rehearsal *rehearsal)
{
    struct event event = {.kind = EVENT_WAKE};
    struct look look = {.target_count = 0};

    if (rehearsal->effects.wait)
        event.kind = EVENT_PERSISTED;
    else if (rehearsal->action.kind != ACTION_NONE)
        complete(rehearsal, &event, &look);
    else
        wait(rehearsal);
    if (!rehearsal->ended)
        step(rehearsal, &event);
}

/* --- rotations --- */

/* Why the rotation that begins now begins now. `record`: before it began. */
static enum rehearsal_why why_now(const struct rehearsal *rehearsal, const struct record *record)
{
    const struct policy *policy = &rehearsal->policy;
    const time_ms planned_at = record->planned_at;

    if (record->requested)
        return WHY_COMMAND;
    if (rehearsal->obstacle != WHY_COUNT)
        return rehearsal->obstacle;
    if (record->catching_up)
        return WHY_CATCH_UP;
    if (record->completed_at == 0 && record->both_changed_at == 0)
        return record->due_at == planned_at ? WHY_FIRST : WHY_FREEZE;
    if (plan_starts_at(&rehearsal->context, record) != record->due_at)
        return WHY_FREEZE;
    if (!schedule_is_open(policy, planned_at))
        return WHY_WINDOW;
    if (record->due_at > planned_at)
        return WHY_SPLAY;
    return planned_at == time_add(record->completed_at, policy->overlap) ? WHY_OVERLAP
                                                                         : WHY_INTERVAL;
}

static void take_rotation(const struct rehearsal *rehearsal, const struct record *record,
                          struct rehearsed *rotation)
{
    bool older;
    const time_ms born = key_time_born(record, record->active, &older);

    *rotation = (struct rehearsed){.at = rehearsal->now,
                                   .slot = slot_other(record->active),
                                   .why = why_now(rehearsal, record),
                                   .replaced_born = born != 0 ? born : TIME_NEVER,
                                   .replaced_older = older,
                                   .replaced_dies = TIME_NEVER};
}

static bool has_begun(const struct effects *effects)
{
    for (size_t i = 0; i < effects->note_count; i++)
        if (effects->notes[i].kind == NOTE_ROTATION_STARTED)
            return true;
    return false;
}

/* Plays until a rotation begins. */
static bool play_to_rotation(struct rehearsal *rehearsal, struct rehearsed *ret_rotation)
{
    while (!rehearsal->ended) {
        const struct record before = rehearsal->record;

        play(rehearsal);
        if (rehearsal->ended || !has_begun(&rehearsal->effects))
            continue;
        take_rotation(rehearsal, &before, ret_rotation);
        rehearsal->obstacle = WHY_COUNT;
        rehearsal->steps = 0;
        return true;
    }
    return false;
}

/* --- beginning --- */

static void take_holdings(struct rehearsal *rehearsal)
{
    const struct rotation_context *context = &rehearsal->context;

    for (size_t i = 0; i < context->target_count; i++) {
        const struct target_record *target =
            record_target_const(&rehearsal->record, &context->targets[i].id);

        if (target && target->acknowledged)
            rehearsal->holds[i] = target->fingerprint;
    }
}

/* A rotation that has begun is the first to be told. */
static void take_begun(struct rehearsal *rehearsal)
{
    const struct record *record = &rehearsal->record;

    rehearsal->has_next = is_rotating(record);
    if (!rehearsal->has_next)
        return;
    take_rotation(rehearsal, record, &rehearsal->next);
    rehearsal->next.at = record->started_at;
    rehearsal->next.why = WHY_UNDER_WAY;
}

void rehearsal_begin(struct rehearsal *rehearsal, const struct rotation_context *context,
                     const struct record *record, time_ms now, time_ms horizon)
{
    struct event event = {.kind = EVENT_WAKE};

    *rehearsal = (struct rehearsal){.context = *context,
                                    .policy = *context->policy,
                                    .record = *record,
                                    .action = {.kind = ACTION_NONE},
                                    .now = now,
                                    .horizon = horizon,
                                    .obstacle = WHY_COUNT};
    rehearsal->policy.check_every = NO_CHECKS;
    rehearsal->context.policy = &rehearsal->policy;
    rehearsal->context.under_way = (struct delivery_under_way){.began_at = 0};
    if (context->pair_busy_until == TIME_NEVER)
        rehearsal->context.pair_busy = NULL;
    memcpy(rehearsal->live, record->live, sizeof(rehearsal->live));
    take_holdings(rehearsal);
    take_begun(rehearsal);
    /* What is under way is begun anew, as after a crash; a request that is out has its effect. */
    if (!position_awaits_time(record->position))
        event.kind = EVENT_START;
    if (record->position == POSITION_REGENERATE)
        rehearsal->live[record->intent.slot] = make_key(rehearsal);
    step(rehearsal, &event);
}

bool rehearsal_next(struct rehearsal *rehearsal, struct rehearsed *ret_rotation)
{
    if (!rehearsal->has_next && !play_to_rotation(rehearsal, &rehearsal->next))
        return false;
    *ret_rotation = rehearsal->next;
    rehearsal->has_next = play_to_rotation(rehearsal, &rehearsal->next);
    if (rehearsal->has_next)
        ret_rotation->replaced_dies = rehearsal->next.at;
    return true;
}
