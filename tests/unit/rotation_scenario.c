#include "rotation_scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

const struct station stations[STATION_COUNT] = {
    {POSITION_IDLE, ACTION_NONE, OUTCOME_OK, REASON_NONE},
    {POSITION_PREFLIGHT, ACTION_NONE, OUTCOME_OK, REASON_NONE},
    {POSITION_ROTATE_LOOK, ACTION_NONE, OUTCOME_OK, REASON_NONE},
    {POSITION_INTENT, ACTION_NONE, OUTCOME_OK, REASON_NONE},
    {POSITION_REGENERATE, ACTION_NONE, OUTCOME_OK, REASON_NONE},
    {POSITION_DOUBT_WAIT, ACTION_REGENERATE, OUTCOME_LOST_BEFORE, REASON_NETWORK},
    {POSITION_DOUBT_WAIT, ACTION_REGENERATE, OUTCOME_LOST_LATE, REASON_NETWORK},
    {POSITION_DOUBT_LOOK, ACTION_REGENERATE, OUTCOME_LOST_AFTER, REASON_NETWORK},
    {POSITION_DOUBT_LOOK, ACTION_REGENERATE, OUTCOME_FAILS, REASON_PERMISSION_DENIED},
    {POSITION_VERIFY, ACTION_NONE, OUTCOME_OK, REASON_NONE},
    {POSITION_VERIFY_WAIT, ACTION_VERIFY_LIVE, OUTCOME_FAILS, REASON_KEY_REFUSED},
    {POSITION_VERIFY_LOOK, ACTION_VERIFY_LIVE, OUTCOME_FAILS, REASON_SHARED_KEY_DISABLED},
    {POSITION_DELIVER_INTENT, ACTION_NONE, OUTCOME_OK, REASON_NONE},
    {POSITION_DELIVER, ACTION_NONE, OUTCOME_OK, REASON_NONE},
    {POSITION_DELIVER_WAIT, ACTION_DELIVER, OUTCOME_FAILS, REASON_NOT_YET},
    {POSITION_DELIVER_LOOK, ACTION_DELIVER, OUTCOME_LOST_LATE, REASON_TARGET_FAILED},
};

void assert_lawful(const struct world *world)
{
    if (world->violation[0] != '\0')
        fprintf(stderr, "%s\n%s\n", world->violation, world->trace);
    assert_string_equal(world->violation, "");
}

void forget_trace(struct world *world)
{
    world->trace[0] = '\0';
    memset(world->notes, 0, sizeof(world->notes));
    memset(world->actions, 0, sizeof(world->actions));
    world->completed = 0;
    world->last_drift = DRIFT_NONE;
}

void begin_adopted(struct world *world)
{
    world_init(world, 1);
    world_configure(world);
    world_start(world);
    world_run(world, MS_HOUR);
    assert_lawful(world);
    assert_int_equal(world->record.position, POSITION_IDLE);
    assert_active(world, SLOT_PRIMARY);
    forget_trace(world);
}

void begin_due(struct world *world)
{
    begin_adopted(world);
    world_run(world, world->record.due_at - world->now - MS_SECOND);
    assert_lawful(world);
    forget_trace(world);
}

void begin_at(struct world *world, const struct station *station, bool durable)
{
    /* The machine leaves these two when the journal has them. */
    bool passes =
        station->position == POSITION_INTENT || station->position == POSITION_DELIVER_INTENT;
    time_ms until;

    begin_due(world);
    until = world->now + MS_DAY;
    if (station->outcome != OUTCOME_OK)
        world_script(world, station->kind, station->outcome, station->reason, 1);
    while (world->record.position != station->position || (durable && !passes && world->saving))
        assert_true(world_next(world, until));
    assert_lawful(world);
}

void give_command(struct world *world, enum command_kind kind)
{
    struct command command = {.kind = kind, .actor = "uid 0 (root)"};

    command.slot = world->record.delivering;
    world_command(world, &command);
}

void give_adopt(struct world *world, enum slot slot)
{
    struct command command = {.kind = COMMAND_ADOPT, .actor = "uid 0 (root)", .slot = slot};

    world_command(world, &command);
}

void assert_active(const struct world *world, enum slot slot)
{
    assert_true(world->record.adopted);
    assert_int_equal(world->record.active, slot);
    for (size_t i = 0; i < world->target_count; i++)
        if (world_required(world, i))
            assert_int_equal(world->targets[i].holds, world->live[slot]);
}

struct rotation_view view_of(const struct world *world)
{
    struct rotation_context context;
    struct rotation_view view;

    world_context(world, &context);
    rotation_view(&context, &world->record, world_wall(world), &view);
    return view;
}

time_ms due_since_of(const struct world *world)
{
    struct rotation_context context;

    world_context(world, &context);
    return rotation_due_since(&context, &world->record, world_wall(world));
}
