#include "rotation_scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Late looks, lost answers, stale keys, and others who act in the worst moment. */

static void reach(struct world *world, enum position position)
{
    time_ms until = world->now + MS_DAY;

    while (world->record.position != position)
        assert_true(world_next(world, until));
}

/* While our request was in doubt, somebody rotated and told the targets: the journal is behind. */
static void test_both_changed_in_doubt(void **state)
{
    static struct world world;

    (void)state;
    begin_at(&world, &stations[5], true);
    world_foreign_regenerate(&world, SLOT_SECONDARY);
    world_foreign_regenerate(&world, SLOT_PRIMARY);
    world_write_target(&world, 0, world.live[SLOT_PRIMARY]);
    world_run(&world, MS_HOUR);
    assert_lawful(&world);
    assert_int_equal(world.completed, 0);
    assert_int_equal(world.notes[NOTE_ADOPTED], 1);
    assert_active(&world, SLOT_PRIMARY);
}

/* The answer to a regenerate is judged like a look: both slots. */
static void test_answer_shows_foreign_change(void **state)
{
    static struct world world;

    (void)state;
    begin_at(&world, &stations[4], false);
    world_foreign_regenerate(&world, SLOT_PRIMARY);
    reach(&world, POSITION_VERIFY);
    assert_int_equal(world.last_drift, DRIFT_ACTIVE_CHANGED);
    assert_true(world.record.foreign_change_at != 0);
    assert_true(view_of(&world).consumers_at_risk);
    world_run(&world, MS_HOUR);
    assert_lawful(&world);
    assert_active(&world, SLOT_SECONDARY);
    assert_false(view_of(&world).consumers_at_risk);
}

/* In doubt, a look into the past decides nothing. */
static void test_late_look_in_doubt(void **state)
{
    static struct world world;

    (void)state;
    begin_at(&world, &stations[7], true);
    assert_int_equal(world.record.position, POSITION_DOUBT_LOOK);
    world.record.replaced[7] = world_fingerprint(world.live[SLOT_SECONDARY]);
    world_run(&world, 10 * MS_MINUTE);
    assert_true(world.record.intent.open);
    assert_int_equal(world.record.retry_reason, REASON_OUTCOME_UNKNOWN);
    memset(&world.record.replaced[7], 0, sizeof(world.record.replaced[7]));
    world_run(&world, MS_HOUR);
    assert_lawful(&world);
    assert_active(&world, SLOT_SECONDARY);
    assert_int_equal(world.actions[ACTION_REGENERATE], 1);
}

/* Outside of it neither; and the looks are not repeated for ever. */
static void test_late_look_after_rotation(void **state)
{
    static struct world world;

    (void)state;
    begin_due(&world);
    world_run(&world, 4 * MS_SECOND);
    assert_int_equal(world.completed, 1);
    world_script(&world, ACTION_LOOK, OUTCOME_LATE_LOOK, REASON_NONE, 1);
    world_crash(&world, MS_SECOND);
    world_run(&world, MS_SECOND);
    assert_int_equal(world.record.retry_reason, REASON_OUTCOME_UNKNOWN);
    assert_false(world.record.unconfirmed.pending);
    world_run(&world, MS_HOUR);
    assert_lawful(&world);
    assert_int_equal(view_of(&world).state, STATE_OK);

    forget_trace(&world);
    world.record.replaced[0] = world_fingerprint(world.live[SLOT_PRIMARY]);
    world.record.live[SLOT_PRIMARY] = world_fingerprint(77);
    world_run(&world, 12 * MS_HOUR);
    assert_in_range(world.actions[ACTION_LOOK], 5, 25);
    /* A person can correct a journal that takes a live key for a dead one. */
    give_adopt(&world, SLOT_PRIMARY);
    world_run(&world, MS_HOUR);
    assert_active(&world, SLOT_PRIMARY);
    forget_trace(&world);
    world_run(&world, 100 * MS_DAY);
    assert_lawful(&world);
    assert_true(world.completed > 0);
    assert_int_equal(world.notes[NOTE_ROTATION_RETRYING], 0);
}

/* The journal stalls for an hour before a delivery, and the key dies meanwhile. */
static void test_stale_key_is_not_delivered(void **state)
{
    static struct world world;

    (void)state;
    begin_due(&world);
    reach(&world, POSITION_DELIVER_INTENT);
    world.saved_at += MS_HOUR;
    world_run(&world, MS_MINUTE);
    assert_int_equal(world.record.position, POSITION_DELIVER_INTENT);
    world_foreign_regenerate(&world, SLOT_SECONDARY);
    while (world.actions[ACTION_DELIVER] == 0)
        assert_true(world_next(&world, world.now + 2 * MS_HOUR));
    assert_int_equal(world.notes[NOTE_DRIFT_DETECTED], 1);
    world_run(&world, MS_HOUR);
    assert_lawful(&world);
    assert_active(&world, SLOT_SECONDARY);
}

/* The same before a regenerate: the account is looked at again. */
static void test_stale_intent_is_not_acted_on(void **state)
{
    static struct world world;

    (void)state;
    begin_due(&world);
    reach(&world, POSITION_INTENT);
    world.saved_at += MS_HOUR;
    world_run(&world, MS_MINUTE);
    world_foreign_regenerate(&world, SLOT_SECONDARY);
    world_write_target(&world, 0, world.live[SLOT_SECONDARY]);
    world_run(&world, 2 * MS_HOUR);
    assert_lawful(&world);
    assert_int_equal(world.actions[ACTION_REGENERATE], 0);
}

/* A failed delivery may have changed the target: overlap begins with the next delivery. */
static void test_failed_delivery_starts_overlap(void **state)
{
    static struct world world;

    (void)state;
    for (int known = 0; known < 2; known++) {
        begin_adopted(&world);
        world.targets[1].configured.required = false;
        world_configure(&world);
        world_run(&world, 9 * MS_DAY);
        world.sabotage = known ? SABOTAGE_UNKNOWN_IS_FAILURE : SABOTAGE_NONE;
        world_script(&world, ACTION_DELIVER, OUTCOME_LOST_AFTER, REASON_TARGET_FAILED, 1);
        give_command(&world, COMMAND_REDELIVER);
        world_run(&world, MS_HOUR);
        assert_lawful(&world);
        assert_true(world_wall(&world) - world.record.overlap_from <= MS_HOUR);
    }
}

/* All readable targets hold the active key, but somebody may use the changed standby key. */
static void test_standby_change_starts_overlap(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    world.targets[1].configured.readable = true;
    world_configure(&world);
    world_run(&world, 5 * MS_DAY);
    world_foreign_regenerate(&world, SLOT_SECONDARY);
    world_run(&world, MS_DAY);
    assert_lawful(&world);
    assert_int_equal(world.last_drift, DRIFT_STANDBY_CHANGED);
    assert_true(world_wall(&world) - world.record.overlap_from <= MS_DAY);
}

/* A target held the standby key once, and was corrected before the second look. */
static void test_glimpse_of_standby_starts_overlap(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    world_run(&world, 5 * MS_DAY);
    world_write_target(&world, 0, world.live[SLOT_SECONDARY]);
    reach(&world, POSITION_CONFIRM_WAIT);
    world_write_target(&world, 0, world.live[SLOT_PRIMARY]);
    world_run(&world, MS_HOUR);
    assert_lawful(&world);
    assert_false(world.record.unconfirmed.pending);
    assert_true(world_wall(&world) - world.record.overlap_from < MS_DAY);
}

/* adopt_active describes the first day. Later it is no evidence. */
static void test_journal_behind_stays(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    world_foreign_regenerate(&world, SLOT_PRIMARY);
    world_foreign_regenerate(&world, SLOT_SECONDARY);
    world_write_target(&world, 0, 0);
    world_run(&world, MS_DAY);
    assert_int_equal(world.record.blocked, REASON_JOURNAL_BEHIND);
    world_script(&world, ACTION_LOOK, OUTCOME_FAILS, REASON_ACCOUNT_NOT_FOUND, 1);
    give_command(&world, COMMAND_CHECK);
    world_run(&world, MS_DAY);
    assert_int_equal(world.record.blocked, REASON_JOURNAL_BEHIND);
    world_crash(&world, MS_SECOND);
    world_run(&world, MS_DAY);
    assert_int_equal(world.record.blocked, REASON_JOURNAL_BEHIND);
    assert_int_equal(world.actions[ACTION_DELIVER], 0);
    give_adopt(&world, SLOT_SECONDARY);
    world_run(&world, MS_HOUR);
    assert_lawful(&world);
    assert_active(&world, SLOT_SECONDARY);
}

/* A delivery is lost, and its target leaves the configuration and comes back at once. */
static void test_target_comes_back_at_once(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    world.targets[0].in_configuration = false;
    world.targets[3].in_configuration = true;
    world.targets[3].configured.required = true;
    world.target_count = 4;
    world_configure(&world);
    world_run(&world, MS_HOUR);
    world_script(&world, ACTION_DELIVER, OUTCOME_LOST_LATE, REASON_TARGET_FAILED, 1);
    give_command(&world, COMMAND_REDELIVER);
    reach(&world, POSITION_DELIVER_WAIT);
    world.targets[1].in_configuration = false;
    world_configure(&world);
    world_run(&world, MS_SECOND);
    world.targets[1].in_configuration = true;
    world_configure(&world);
    world_run(&world, MS_HOUR);
    assert_lawful(&world);
    assert_active(&world, SLOT_PRIMARY);
}

/* An optional target becomes required: its readers may have been told after the others'. */
static void test_optional_becomes_required(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    world_run(&world, 9 * MS_DAY + 12 * MS_HOUR);
    world_write_target(&world, 2, 99);
    world_run(&world, 8 * MS_HOUR);
    assert_int_equal(world.targets[2].holds, world.live[SLOT_PRIMARY]);
    assert_true(world_wall(&world) - world.record.overlap_from > 9 * MS_DAY);
    world.targets[2].configured.required = true;
    world_configure(&world);
    world_run(&world, MS_SECOND);
    assert_true(world_wall(&world) - world.record.overlap_from < MS_DAY);
    world_run(&world, 60 * MS_DAY);
    assert_lawful(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_changed_in_doubt),
        cmocka_unit_test(test_answer_shows_foreign_change),
        cmocka_unit_test(test_late_look_in_doubt),
        cmocka_unit_test(test_late_look_after_rotation),
        cmocka_unit_test(test_stale_key_is_not_delivered),
        cmocka_unit_test(test_stale_intent_is_not_acted_on),
        cmocka_unit_test(test_failed_delivery_starts_overlap),
        cmocka_unit_test(test_standby_change_starts_overlap),
        cmocka_unit_test(test_glimpse_of_standby_starts_overlap),
        cmocka_unit_test(test_journal_behind_stays),
        cmocka_unit_test(test_target_comes_back_at_once),
        cmocka_unit_test(test_optional_becomes_required),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
