/* Freezes: the schedule around them, and an account whose rotation one holds up. */
#include "rotation_scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "core/schedule.h"

static time_ms at(const char *text)
{
    time_ms instant = 0;

    assert_true(date_from_rfc3339(text, &instant));
    return instant;
}

static void assert_instant(time_ms actual, const char *expected)
{
    char text[DATE_TEXT_MAX];

    assert_string_equal(date_to_rfc3339(actual, text), expected);
}

/* --- the schedule --- */

static void starts_lie_outside_freezes(void **state)
{
    const struct freeze freezes[] = {
        {.from = at("2026-12-20T00:00:00Z"), .to = at("2027-01-05T00:00:00Z")},
        {.from = at("2027-01-04T00:00:00Z"), .to = at("2027-01-10T00:00:00Z")},
        {.from = at("2027-02-01T00:00:00Z"), .to = at("2027-02-02T00:00:00Z")},
    };
    const struct policy policy = {.freezes = freezes, .freeze_count = 3};
    static const struct {
        const char *at, *opens, *closes;
    } cases[] = {
        {"2026-12-19T23:59:59Z", "2026-12-19T23:59:59Z", "2026-12-20T00:00:00Z"},
        {"2026-12-20T00:00:00Z", "2027-01-10T00:00:00Z", "2027-02-01T00:00:00Z"},
        {"2027-01-04T12:00:00Z", "2027-01-10T00:00:00Z", "2027-02-01T00:00:00Z"},
        {"2027-01-09T23:59:59Z", "2027-01-10T00:00:00Z", "2027-02-01T00:00:00Z"},
        {"2027-02-02T00:00:00Z", "2027-02-02T00:00:00Z", "never"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        time_ms open = schedule_next_open(&policy, at(cases[i].at));

        assert_instant(open, cases[i].opens);
        assert_instant(schedule_close(&policy, open), cases[i].closes);
        assert_true(schedule_is_open(&policy, open));
        assert_int_equal(schedule_is_open(&policy, at(cases[i].at)), open == at(cases[i].at));
    }
    assert_instant(schedule_close(&policy, freezes[0].from), "2026-12-20T00:00:00Z");
    assert_ptr_equal(schedule_freeze(&policy, at("2027-01-04T12:00:00Z")), &freezes[1]);
    assert_null(schedule_freeze(&policy, at("2027-01-10T00:00:00Z")));
    assert_instant(schedule_freeze_changes_at(&policy, 0), "2026-12-20T00:00:00Z");
    assert_instant(schedule_freeze_changes_at(&policy, freezes[0].from), "2027-01-04T00:00:00Z");
    assert_instant(schedule_freeze_changes_at(&policy, freezes[1].from), "2027-01-05T00:00:00Z");
    assert_instant(schedule_freeze_changes_at(&policy, freezes[2].to), "never");
}

/* A freeze that takes a whole weekend makes one wait for the next. */
static void windows_and_freezes_are_one_calendar(void **state)
{
    struct tz *utc = tz_load("UTC");
    const struct window saturdays = {.days = 1 << 5, .to_minute = 0, .tz = utc};
    const struct freeze freeze = {.from = at("2026-12-19T12:00:00Z"),
                                  .to = at("2026-12-26T12:00:00Z")};
    const struct policy policy = {.windows = &saturdays,
                                  .window_count = 1,
                                  .freezes = &freeze,
                                  .freeze_count = 1,
                                  .rotate_every = 30 * MS_DAY};

    (void)state;
    assert_instant(schedule_next_open(&policy, at("2026-12-18T00:00:00Z")), "2026-12-19T00:00:00Z");
    assert_instant(schedule_close(&policy, at("2026-12-19T00:00:00Z")), "2026-12-19T12:00:00Z");
    assert_instant(schedule_next_open(&policy, at("2026-12-19T12:00:00Z")), "2026-12-26T12:00:00Z");
    assert_instant(schedule_close(&policy, at("2026-12-26T12:00:00Z")), "2026-12-27T00:00:00Z");
    /* What the policy promises is the same with and without the freeze. */
    assert_int_equal(schedule_longest_wait(&policy, freeze.from), 6 * MS_DAY);
    assert_int_equal(schedule_worst_key_age(&policy, freeze.from), 66 * MS_DAY);
    assert_int_equal(schedule_wait_for_freeze(&policy, freeze.from), 7 * MS_DAY);
    tz_free(utc);
}

/* --- one account --- */

static struct freeze freeze;

/* A freeze from `from` after now until `to` after now, in force after a reload. */
static void freeze_now(struct world *world, duration_ms from, duration_ms to)
{
    freeze = (struct freeze){.from = world_wall(world) + from, .to = world_wall(world) + to};
    world->policy.freezes = &freeze;
    world->policy.freeze_count = 1;
    world_configure(world);
}

static void thaw(struct world *world)
{
    world->policy.freeze_count = 0;
    world_configure(world);
}

static void holds_up_what_is_due(void **state)
{
    static struct world world;
    struct rotation_view view;

    (void)state;
    begin_due(&world);
    freeze_now(&world, -MS_DAY, 10 * MS_DAY);
    world_run(&world, 10 * MS_DAY - MS_MINUTE);
    assert_lawful(&world);
    assert_int_equal(world.actions[ACTION_PREFLIGHT], 0);
    assert_int_equal(world.notes[NOTE_WINDOW_MISSED], 0);
    assert_true(world.actions[ACTION_LOOK] > 0);
    view = view_of(&world);
    assert_int_equal(view.state, STATE_HELD);
    assert_int_equal(view.reason, REASON_FREEZE);
    assert_int_equal(view.since, freeze.from);
    assert_true(view.next_at >= freeze.to && view.next_at <= freeze.to + world.policy.splay);
    assert_string_equal(view.waits, "a change freeze is in force");
    assert_true(due_since_of(&world) < world_wall(&world));
    assert_int_equal(view.changes_at, freeze.to);
    assert_true(view.overdue);
    assert_true(world.notes[NOTE_ROTATION_OVERDUE] > 0);
    world_run(&world, world.policy.splay + MS_HOUR);
    assert_lawful(&world);
    assert_int_equal(world.completed, 1);
    assert_int_equal(view_of(&world).state, STATE_OK);
}

/* Before the freeze begins, the plan shows where the rotation went. */
static void the_plan_knows_it_ahead(void **state)
{
    static struct world world;
    struct rotation_view view;
    time_ms planned;

    (void)state;
    begin_adopted(&world);
    planned = view_of(&world).next_at;
    freeze_now(&world, planned - world_wall(&world) - MS_DAY,
               planned - world_wall(&world) + 3 * MS_DAY);
    view = view_of(&world);
    assert_int_equal(view.state, STATE_OK);
    assert_true(view.next_at >= freeze.to);
    assert_string_equal(view.waits, "a change freeze covers its planned time");
    assert_int_equal(due_since_of(&world), TIME_NEVER);
    thaw(&world);
    view = view_of(&world);
    assert_int_equal(view.next_at, planned);
    assert_null(view.waits);
}

/* A reload ends it: the rotation is made up for within the splay, and not at once. */
static void ends_by_a_reload(void **state)
{
    static struct world world;
    time_ms ended;

    (void)state;
    begin_due(&world);
    freeze_now(&world, 0, 30 * MS_DAY);
    world_run(&world, 2 * MS_DAY);
    assert_true(view_of(&world).next_at >= freeze.to);
    thaw(&world);
    ended = world_wall(&world);
    assert_true(view_of(&world).next_at > ended);
    assert_true(view_of(&world).next_at <= ended + world.policy.splay);
    world_run(&world, world.policy.splay + MS_HOUR);
    assert_lawful(&world);
    assert_int_equal(world.completed, 1);
}

/* People go on: `rotate` rotates, a repair repairs. */
static void binds_no_person(void **state)
{
    static struct world world;

    (void)state;
    begin_due(&world);
    freeze_now(&world, 0, 30 * MS_DAY);
    world_run(&world, MS_DAY);
    give_command(&world, COMMAND_ROTATE);
    assert_int_equal(world.answered, COMMAND_ACCEPTED);
    assert_int_equal(view_of(&world).state, STATE_ROTATING);
    world_run(&world, MS_HOUR);
    assert_lawful(&world);
    assert_int_equal(world.completed, 1);
    world_write_target(&world, 0, 0);
    world_run(&world, 2 * world.policy.check_every);
    assert_lawful(&world);
    assert_active(&world, world.record.active);
    assert_int_equal(world.completed, 1);
}

/* In each position: a rotation that has regenerated its key, or is about to, finishes. */
static void begins_in_the_middle(void **state)
{
    static struct world world;

    (void)state;
    for (size_t i = 0; i < STATION_COUNT; i++)
        for (int durable = 0; durable < 2; durable++) {
            bool started;

            begin_at(&world, &stations[i], durable);
            started = world.record.intent.open || world.record.delivering != world.record.active;
            freeze_now(&world, -MS_HOUR, 20 * MS_DAY);
            world_run(&world, 15 * MS_DAY);
            assert_lawful(&world);
            if (started)
                assert_int_equal(world.completed, 1);
            else if (world.completed == 0)
                assert_int_equal(world.actions[ACTION_REGENERATE], 0);
            assert_active(&world, world.record.active);
            world_run(&world, 30 * MS_DAY);
            assert_lawful(&world);
            assert_true(world.completed > 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_lie_outside_freezes),
        cmocka_unit_test(windows_and_freezes_are_one_calendar),
        cmocka_unit_test(holds_up_what_is_due),
        cmocka_unit_test(the_plan_knows_it_ahead),
        cmocka_unit_test(ends_by_a_reload),
        cmocka_unit_test(binds_no_person),
        cmocka_unit_test(begins_in_the_middle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
