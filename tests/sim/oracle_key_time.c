/*
 * What Azure tells of when keys were made is shown, and plans a first rotation: every step is made
 * once more without it, and has to come to the same, but for these two.
 *
 * The engine's calls of rotation_step() come here (the linker's --wrap).
 */
#include <string.h>

#include "core/record_table.h"
#include "core/rotation.h"
#include "oracle_parts.h"

/* Named by the linker. */
/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void __real_rotation_step(const struct rotation_context *context, struct record *record,
                          const struct event *event, struct effects *effects);
void __wrap_rotation_step(const struct rotation_context *context, struct record *record,
                          const struct event *event, struct effects *effects);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* A process plays one world at a time. */
static struct world *played;

void key_time_watch(struct world *world)
{
    played = world;
}

static bool tells(const struct record *record, const struct event *event)
{
    const struct look *look = event->look;

    return record->made[SLOT_PRIMARY] != 0 || record->made[SLOT_SECONDARY] != 0 ||
           record->unconfirmed.made[SLOT_PRIMARY] != 0 ||
           record->unconfirmed.made[SLOT_SECONDARY] != 0 ||
           (look && (look->made[SLOT_PRIMARY] != 0 || look->made[SLOT_SECONDARY] != 0));
}

/* What a rotation is planned by may differ, and what Azure tells. */
static bool may_differ(const struct record_member *member)
{
    static const size_t offsets[] = {offsetof(struct record, made[SLOT_PRIMARY]),
                                     offsetof(struct record, made[SLOT_SECONDARY]),
                                     offsetof(struct record, unconfirmed.made[SLOT_PRIMARY]),
                                     offsetof(struct record, unconfirmed.made[SLOT_SECONDARY]),
                                     offsetof(struct record, planned_at),
                                     offsetof(struct record, due_at),
                                     offsetof(struct record, catching_up)};

    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
        if (member->offset == offsets[i])
            return true;
    return false;
}

static bool same_targets(const struct record *record, const struct record *blind)
{
    const struct record_table *table = &record_target_table;

    if (record->target_count != blind->target_count)
        return false;
    for (size_t target = 0; target < record->target_count; target++)
        for (size_t i = 0; i < table->count; i++)
            if (!member_equal(&table->members[i], &record->targets[target],
                              &blind->targets[target]))
                return false;
    return true;
}

static bool same_record(const struct record *record, const struct record *blind)
{
    for (size_t i = 0; i < record_table.count; i++)
        if (!may_differ(&record_table.members[i]) &&
            !member_equal(&record_table.members[i], record, blind))
            return false;
    return same_targets(record, blind);
}

static bool same_action(const struct action *action, const struct action *blind)
{
    return action->kind == blind->kind && action->slot == blind->slot &&
           action->describe == blind->describe && action->urgent == blind->urgent &&
           fingerprint_equal(&action->key, &blind->key) &&
           target_id_equal(&action->target, &blind->target);
}

static bool same_notes(const struct effects *effects, const struct effects *blind)
{
    if (effects->note_count != blind->note_count)
        return false;
    for (size_t i = 0; i < effects->note_count; i++)
        if (effects->notes[i].kind != blind->notes[i].kind ||
            effects->notes[i].reason != blind->notes[i].reason ||
            effects->notes[i].drift != blind->notes[i].drift)
            return false;
    return true;
}

static bool same_effects(const struct effects *effects, const struct effects *blind)
{
    return same_action(&effects->action, &blind->action) &&
           effects->move_count == blind->move_count &&
           memcmp(effects->moves, blind->moves, sizeof(effects->moves)) == 0 &&
           effects->wait == blind->wait && effects->outcome == blind->outcome &&
           effects->forget_keys == blind->forget_keys && same_notes(effects, blind);
}

/* Where the clock was set back, what the journal has of the past lies ahead: born, too. */
static bool is_of_future(const struct record *record, enum slot slot, time_ms now)
{
    return record->made[slot] > now && record->made[slot] > record->born[slot];
}

static void compare(const struct record *record, const struct effects *effects,
                    const struct record *blind, const struct effects *without, time_ms now)
{
    const char *wrong = NULL;

    /* A plan that is made anew, for another policy, may be due at once, or overdue. */
    if (record->planned_at != blind->planned_at && record->planned_at <= now)
        return;
    if (!same_record(record, blind))
        wrong = "what the journal has of an account depends on when Azure says that keys were made";
    else if (!same_effects(effects, without))
        wrong = "what is done depends on when Azure says that keys were made";
    else if (record->planned_at > blind->planned_at)
        wrong = "a rotation is planned later because of when Azure says that keys were made";
    else if (is_of_future(record, SLOT_PRIMARY, now) || is_of_future(record, SLOT_SECONDARY, now))
        wrong = "a key is said to have been made in the future";
    if (wrong)
        oracle_convict(played, ORACLE_AGES_ONLY, NULL, "%s", wrong);
}

/* The step without what Azure tells. */
static void step_blind(const struct rotation_context *context, struct record *blind,
                       const struct event *event, struct effects *effects)
{
    struct event without = *event;
    struct look look;

    memset(blind->made, 0, sizeof(blind->made));
    memset(blind->unconfirmed.made, 0, sizeof(blind->unconfirmed.made));
    if (event->look) {
        look = *event->look;
        memset(look.made, 0, sizeof(look.made));
        without.look = &look;
    }
    __real_rotation_step(context, blind, &without, effects);
}

static void step_twice(const struct rotation_context *context, struct record *record,
                       const struct event *event, struct effects *effects)
{
    struct record blind = *record;
    struct effects expected;

    __real_rotation_step(context, record, event, effects);
    if (effects->fault)
        return;
    step_blind(context, &blind, event, &expected);
    compare(record, effects, &blind, &expected, event->now);
}

void __wrap_rotation_step(const struct rotation_context *context, struct record *record,
                          const struct event *event, struct effects *effects)
{
    if (tells(record, event))
        step_twice(context, record, event, effects);
    else
        __real_rotation_step(context, record, event, effects);
}
