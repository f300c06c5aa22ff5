#include "rotation_scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* An active key that only a rule names: delivered, and regenerated once a person has confirmed it.
 * And targets that rules give to several accounts. */

static void begin_presumed(struct world *world)
{
    world_init(world, 1);
    world->presumes_active = true;
    world_configure(world);
    world_start(world);
    world_run(world, MS_HOUR);
    assert_lawful(world);
    assert_active(world, SLOT_PRIMARY);
    assert_true(world->record.presumed);
}

static void assert_waits(struct world *world, duration_ms duration)
{
    const unsigned regenerated = world->actions[ACTION_REGENERATE];

    world_run(world, duration);
    assert_lawful(world);
    assert_int_equal(world->actions[ACTION_REGENERATE], regenerated);
    assert_int_equal(view_of(world).state, STATE_BLOCKED);
    assert_int_equal(view_of(world).reason, REASON_ADOPTION_UNCONFIRMED);
}

/* It is delivered and repaired, told every day, and overdue in the end. */
static void test_waits_for_a_person(void **state)
{
    static struct world world;

    (void)state;
    begin_presumed(&world);
    assert_int_equal(world.targets[0].holds, world.live[SLOT_PRIMARY]);
    assert_int_equal(view_of(&world).since, world.record.adopted_at);
    assert_int_equal(world.notes[NOTE_BLOCKED], 1);
    assert_waits(&world, 100 * MS_DAY);
    assert_in_range(world.notes[NOTE_BLOCKED], 99, 102);
    assert_true(view_of(&world).overdue);
    assert_true(view_of(&world).stuck);
    world_write_target(&world, 0, 0);
    assert_waits(&world, MS_DAY);
    assert_int_equal(world.targets[0].holds, world.live[SLOT_PRIMARY]);
}

static void test_confirmed(void **state)
{
    static struct world world;

    (void)state;
    begin_presumed(&world);
    give_command(&world, COMMAND_ROTATE);
    assert_int_equal(world.answered, COMMAND_REFUSED);
    assert_non_null(strstr(world.answer, "confirm"));
    assert_waits(&world, 100 * MS_DAY);
    give_command(&world, COMMAND_CONFIRM);
    assert_int_equal(world.answered, COMMAND_DONE);
    assert_int_equal(world.notes[NOTE_UNBLOCKED], 1);
    world_run(&world, 20 * MS_DAY);
    assert_lawful(&world);
    assert_in_range(world.completed, 1, 2);
    assert_int_equal(view_of(&world).reason, REASON_NONE);
    give_command(&world, COMMAND_CONFIRM);
    assert_int_equal(world.answered, COMMAND_DONE);
    assert_non_null(strstr(world.answer, "nothing waits"));
}

/* The journal keeps it, whatever the configuration says later. */
static void test_is_durable(void **state)
{
    static struct world world;

    (void)state;
    begin_presumed(&world);
    world_crash(&world, MS_MINUTE);
    assert_waits(&world, 50 * MS_DAY);
    world.presumes_active = false;
    world_configure(&world);
    assert_waits(&world, 50 * MS_DAY);
    world.policy.rotate = false;
    world_configure(&world);
    world_run(&world, MS_HOUR);
    assert_int_equal(view_of(&world).state, STATE_HELD);
}

/* A person who names the slot has confirmed it, whichever it is. */
static void test_adopt_confirms(void **state)
{
    static struct world world;

    (void)state;
    begin_presumed(&world);
    give_adopt(&world, SLOT_SECONDARY);
    world_run(&world, MS_HOUR);
    assert_lawful(&world);
    assert_active(&world, SLOT_SECONDARY);
    assert_false(world.record.presumed);
    world_run(&world, 60 * MS_DAY);
    assert_lawful(&world);
    assert_in_range(world.completed, 1, 2);
}

/* Targets that hold a live key are evidence, which needs no confirmation. */
static void test_evidence_is_enough(void **state)
{
    static struct world world;

    (void)state;
    world_init(&world, 1);
    world.presumes_active = true;
    world_write_target(&world, 0, world.live[SLOT_PRIMARY]);
    world_configure(&world);
    world_start(&world);
    world_run(&world, 60 * MS_DAY);
    assert_lawful(&world);
    assert_false(world.record.presumed);
    assert_in_range(world.completed, 1, 2);
}

static void test_not_adopted(void **state)
{
    static struct world world;

    (void)state;
    world_init(&world, 1);
    world.has_adopt_active = false;
    world_configure(&world);
    world_start(&world);
    world_run(&world, MS_HOUR);
    give_command(&world, COMMAND_CONFIRM);
    assert_int_equal(world.answered, COMMAND_REFUSED);
}

/* A reload that gives the targets to another account as well is told at once, and so is its end. */
static void test_refused(void **state)
{
    static struct world world;

    (void)state;
    world_init(&world, 1);
    world_configure(&world);
    world_start(&world);
    world_run(&world, MS_DAY);
    assert_int_equal(view_of(&world).state, STATE_OK);
    world.refused = true;
    world_script(&world, ACTION_LOOK, OUTCOME_FAILS, REASON_DESTINATION_REFUSED, 1000);
    world_configure(&world);
    world_run(&world, MS_SECOND);
    assert_int_equal(view_of(&world).state, STATE_BLOCKED);
    assert_int_equal(view_of(&world).reason, REASON_DESTINATION_REFUSED);
    world_run(&world, 2 * MS_DAY);
    world.refused = false;
    world_script(&world, ACTION_LOOK, OUTCOME_OK, REASON_NONE, 0);
    world_configure(&world);
    world_run(&world, MS_SECOND);
    assert_lawful(&world);
    assert_int_equal(view_of(&world).state, STATE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_for_a_person),
        cmocka_unit_test(test_confirmed),
        cmocka_unit_test(test_is_durable),
        cmocka_unit_test(test_adopt_confirms),
        cmocka_unit_test(test_evidence_is_enough),
        cmocka_unit_test(test_not_adopted),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
