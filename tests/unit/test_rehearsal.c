#include "core/rehearsal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/date.h"
#include "rotation_scenario.h"

/* What a rehearsal foretells is what the machine does in a world in which everything works. */

/* The world takes some seconds for what the rehearsal does in no time. */
#define DIFFERENCE_MAX (10 * MS_SECOND)
enum { ROTATIONS_MAX = 64, ACCOUNTS = 1000, ACCOUNT_MAX = 64, WEEKDAYS = 1 << 5 | 1 << 6 };

struct account_plan {
    struct rehearsed rotations[ROTATIONS_MAX];
    size_t count;
};

/* The world with another policy, adopted an hour ago. */
static void begin(struct world *world, const struct policy *policy, const char *account_id)
{
    world_init(world, 1);
    world->account_id = account_id;
    world->policy = *policy;
    world_configure(world);
    world_start(world);
    world_run(world, MS_HOUR);
    assert_lawful(world);
    assert_active(world, SLOT_PRIMARY);
}

static struct policy monthly(void)
{
    return (struct policy){.rotate_every = 40 * MS_DAY,
                           .overlap = 10 * MS_DAY,
                           .splay = 4 * MS_DAY,
                           .check_every = 10 * MS_DAY,
                           .overdue_after = 4 * MS_DAY,
                           .rotate = true};
}

static void foretell(const struct world *world, duration_ms duration, struct account_plan *plan)
{
    struct rotation_context context;
    struct rehearsal *rehearsal = malloc(sizeof(*rehearsal));
    struct rehearsed rotation;

    assert_non_null(rehearsal);
    world_context(world, &context);
    plan->count = 0;
    rehearsal_begin(rehearsal, &context, &world->record, world->now, world->now + 4 * duration);
    while (plan->count < ROTATIONS_MAX && rehearsal_next(rehearsal, &rotation) &&
           rotation.at < world->now + duration)
        plan->rotations[plan->count++] = rotation;
    free(rehearsal);
}

static void assert_near(time_ms actual, time_ms foretold)
{
    char texts[2][DATE_TEXT_MAX];

    if (llabs(actual - foretold) > DIFFERENCE_MAX)
        fail_msg("it starts at %s, and not at %s", date_to_rfc3339(actual, texts[0]),
                 date_to_rfc3339(foretold, texts[1]));
}

/* Plays the world, and compares what begins with the plan. */
static void assert_kept(struct world *world, duration_ms duration, const struct account_plan *plan)
{
    const time_ms until = world->now + duration;
    const unsigned begun = world->notes[NOTE_ROTATION_STARTED];
    unsigned seen = 0;

    while (world_next(world, until)) {
        if (world->notes[NOTE_ROTATION_STARTED] == begun + seen)
            continue;
        assert_in_range(seen, 0, plan->count - 1);
        assert_near(world->record.started_at, plan->rotations[seen].at);
        assert_int_equal(world->record.intent.slot, plan->rotations[seen].slot);
        if (seen > 0)
            assert_near(world->record.started_at, plan->rotations[seen - 1].replaced_dies);
        assert_int_equal(plan->rotations[seen].replaced_born,
                         seen > 1 ? plan->rotations[seen - 1].at
                                  : plan->rotations[seen].replaced_born);
        seen++;
    }
    assert_lawful(world);
    assert_int_equal(seen, plan->count);
}

static void assert_why(const struct account_plan *plan, size_t index, enum rehearsal_why why)
{
    assert_in_range(index, 0, plan->count - 1);
    assert_string_equal(rehearsal_why_name(plan->rotations[index].why), rehearsal_why_name(why));
}

static void test_interval_and_splay(void **state)
{
    static struct world world;
    static struct account_plan plan;
    struct policy policy = monthly();

    (void)state;
    begin(&world, &policy, "/a/one");
    foretell(&world, 200 * MS_DAY, &plan);
    assert_in_range(plan.count, 4, 6);
    assert_why(&plan, 0, WHY_FIRST);
    assert_why(&plan, 1, WHY_SPLAY);
    assert_kept(&world, 200 * MS_DAY, &plan);
    policy.splay = 0;
    begin(&world, &policy, "/a/one");
    foretell(&world, 200 * MS_DAY, &plan);
    assert_why(&plan, 2, WHY_INTERVAL);
    assert_kept(&world, 200 * MS_DAY, &plan);
}

/* 1,000 accounts, 90 days over each change of the clocks in Berlin and in New York. */
static void test_windows_over_clock_changes(void **state)
{
    static const struct {
        const char *zone, *begins;
    } rows[] = {{"Europe/Berlin", "2026-02-20T00:00:00Z"},
                {"Europe/Berlin", "2026-09-10T00:00:00Z"},
                {"America/New_York", "2026-02-01T00:00:00Z"},
                {"America/New_York", "2026-09-10T00:00:00Z"}};
    static struct world world;
    static struct account_plan plan;

    (void)state;
    for (size_t i = 0; i < ACCOUNTS; i++) {
        const char *zone = rows[i % 4].zone;
        const struct window window = {.days = WEEKDAYS,
                                      .from_minute = 90,
                                      .to_minute = 165 + (int)(i % 60),
                                      .tz = tz_load(zone)};
        struct policy policy = monthly();
        char account_id[ACCOUNT_MAX];
        time_ms begins;

        assert_non_null(window.tz);
        policy.windows = &window;
        policy.window_count = 1;
        policy.rotate_every = 19 * MS_DAY;
        policy.overlap = 5 * MS_DAY;
        policy.check_every = 60 * MS_DAY;
        snprintf(account_id, sizeof(account_id), "/accounts/number-%zu", i);
        assert_true(date_from_rfc3339(rows[i % 4].begins, &begins));
        world_init(&world, i);
        world.now = begins;
        world.account_id = account_id;
        world.policy = policy;
        world_configure(&world);
        world_start(&world);
        world_run(&world, MS_HOUR);
        foretell(&world, 90 * MS_DAY, &plan);
        assert_in_range(plan.count, 2, 6);
        assert_why(&plan, 1, WHY_WINDOW);
        assert_kept(&world, 90 * MS_DAY, &plan);
        tz_free(window.tz);
    }
}

static void test_freeze(void **state)
{
    static struct world world;
    static struct account_plan plan;
    struct policy policy = monthly();
    struct freeze freeze;

    (void)state;
    begin(&world, &policy, "/a/one");
    foretell(&world, 100 * MS_DAY, &plan);
    freeze = (struct freeze){.from = plan.rotations[1].at - 5 * MS_DAY,
                             .to = plan.rotations[1].at + 3 * MS_DAY};
    world.policy.freezes = &freeze;
    world.policy.freeze_count = 1;
    world_configure(&world);
    foretell(&world, 100 * MS_DAY, &plan);
    assert_why(&plan, 1, WHY_FREEZE);
    assert_in_range(plan.rotations[1].at, freeze.to, freeze.to + world.policy.splay);
    assert_kept(&world, 100 * MS_DAY, &plan);
}

static void test_hold(void **state)
{
    static struct world world;
    static struct account_plan plan;
    struct policy policy = monthly();

    (void)state;
    begin(&world, &policy, "/a/one");
    world_hold(&world, 60 * MS_DAY);
    foretell(&world, 150 * MS_DAY, &plan);
    assert_why(&plan, 0, WHY_HOLD);
    assert_in_range(plan.rotations[0].at, world.hold.until, world.hold.until + policy.splay);
    assert_kept(&world, 150 * MS_DAY, &plan);
}

/* A hold without an end, rotate: false, and an account that waits for a person. */
static void test_nothing_is_foretold(void **state)
{
    static struct world world;
    static struct account_plan plan;
    struct policy policy = monthly();

    (void)state;
    begin(&world, &policy, "/a/one");
    world_hold(&world, 100 * 365 * MS_DAY);
    foretell(&world, 150 * MS_DAY, &plan);
    assert_int_equal(plan.count, 0);
    world_resume(&world);
    world.policy.rotate = false;
    world_configure(&world);
    foretell(&world, 150 * MS_DAY, &plan);
    assert_int_equal(plan.count, 0);
    world.policy.rotate = true;
    world_configure(&world);
    world.record.presumed = true;
    foretell(&world, 150 * MS_DAY, &plan);
    assert_int_equal(plan.count, 0);
}

static void test_overlap(void **state)
{
    static struct world world;
    static struct account_plan plan;
    struct policy policy = monthly();

    (void)state;
    begin(&world, &policy, "/a/one");
    world_run(&world, 12 * MS_DAY);
    give_command(&world, COMMAND_REDELIVER);
    world_run(&world, MS_MINUTE);
    world.record.planned_at = world.record.due_at = world.now + MS_DAY;
    foretell(&world, 150 * MS_DAY, &plan);
    assert_why(&plan, 0, WHY_OVERLAP);
    assert_kept(&world, 150 * MS_DAY, &plan);
}

/* At every station of a rotation that is under way, durable or not. */
static void test_under_way(void **state)
{
    static struct world world;
    static struct account_plan plan;

    (void)state;
    for (size_t i = 0; i < STATION_COUNT; i++) {
        begin_at(&world, &stations[i], true);
        foretell(&world, 150 * MS_DAY, &plan);
        if (world.record.intent.open || world.record.delivering != world.record.active) {
            assert_why(&plan, 0, WHY_UNDER_WAY);
            assert_int_equal(plan.rotations[0].at, world.record.started_at);
            assert_int_equal(plan.rotations[0].slot, SLOT_SECONDARY);
            assert_why(&plan, 1, WHY_SPLAY);
        } else {
            assert_true(plan.count > 0);
        }
    }
}

/* A hold comes while the request is out: the rotation is foretold once, as it ends. */
static void test_held_while_a_request_is_out(void **state)
{
    static struct world world;
    static struct account_plan plan;
    struct policy policy = monthly();

    (void)state;
    begin(&world, &policy, "/a/one");
    world_run(&world, 12 * MS_DAY);
    give_command(&world, COMMAND_ROTATE);
    assert_true(world_reach(&world, POSITION_REGENERATE, MS_MINUTE));
    world_hold(&world, 20 * MS_DAY);
    foretell(&world, 150 * MS_DAY, &plan);
    assert_why(&plan, 0, WHY_UNDER_WAY);
    for (size_t i = 1; i < plan.count; i++)
        assert_int_not_equal(plan.rotations[i].slot, plan.rotations[i - 1].slot);
    plan.count--;
    for (size_t i = 0; i < plan.count; i++)
        plan.rotations[i] = plan.rotations[i + 1];
    assert_kept(&world, 150 * MS_DAY, &plan);
}

static void test_asked_for(void **state)
{
    static struct world world;
    static struct account_plan plan;
    struct policy policy = monthly();

    (void)state;
    begin(&world, &policy, "/a/one");
    world_run(&world, 12 * MS_DAY);
    world_script(&world, ACTION_PREFLIGHT, OUTCOME_FAILS, REASON_TARGET_FAILED, 1);
    give_command(&world, COMMAND_ROTATE);
    world_run(&world, MS_SECOND);
    assert_true(world.record.requested);
    foretell(&world, 100 * MS_DAY, &plan);
    assert_why(&plan, 0, WHY_COMMAND);
    assert_near(plan.rotations[0].at, world.record.retry_at);
    assert_kept(&world, 100 * MS_DAY, &plan);
}

/* The daemon was off when it was due. */
static void test_catch_up(void **state)
{
    static struct world world;
    static struct account_plan plan;

    (void)state;
    begin_adopted(&world);
    world_crash(&world, 60 * MS_DAY);
    world_run(&world, MS_MINUTE);
    foretell(&world, 100 * MS_DAY, &plan);
    assert_why(&plan, 0, WHY_CATCH_UP);
    assert_kept(&world, 100 * MS_DAY, &plan);
}

/* A resource that is written back whole was changed lately, and the rotation is due before its
 * lists can be relied upon. */
static void test_whole_is_waited_for(void **state)
{
    static struct world world;
    struct rotation_context context;
    struct policy policy = monthly();
    struct rehearsed rotation;
    struct rehearsal *rehearsal = malloc(sizeof(*rehearsal));

    (void)state;
    assert_non_null(rehearsal);
    begin(&world, &policy, "/a/one");
    world_context(&world, &context);
    context.writes_whole = true;
    context.whole_is_known_at = world.now + 60 * MS_DAY;
    rehearsal_begin(rehearsal, &context, &world.record, world.now, world.now + 150 * MS_DAY);
    assert_true(rehearsal_next(rehearsal, &rotation));
    assert_near(rotation.at, context.whole_is_known_at);
    assert_string_equal(rehearsal_why_name(rotation.why), rehearsal_why_name(WHY_PAUSE));
    free(rehearsal);
}

static void test_every_why_has_words(void **state)
{
    (void)state;
    for (int why = 0; why < WHY_COUNT; why++) {
        assert_true(rehearsal_why_name((enum rehearsal_why)why)[0] != '\0');
        assert_true(rehearsal_why_words((enum rehearsal_why)why)[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interval_and_splay),
        cmocka_unit_test(test_windows_over_clock_changes),
        cmocka_unit_test(test_freeze),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_nothing_is_foretold),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_under_way),
        cmocka_unit_test(test_held_while_a_request_is_out),
        cmocka_unit_test(test_asked_for),
        cmocka_unit_test(test_catch_up),
        cmocka_unit_test(test_whole_is_waited_for),
        cmocka_unit_test(test_every_why_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
