#include "rotation_scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Changes of keys and targets by others, and adoption with all that it can find. */

enum { OLD_PRIMARY = 1, OLD_SECONDARY = 2, NEW_KEY = 3, NEWER_KEY = 4, STRANGE_KEY = 99 };

struct drift_case {
    const char *name;
    bool primary_changed, secondary_changed; /* primary is the active slot */
    unsigned holds;                          /* what targets 0 and, if `all`, 1 hold then */
    bool all;
    enum drift_kind drift;
    enum slot active;
    enum reason blocked;
    bool foreign; /* it counts as a foreign change of a key */
};

/* Waits until drift has been seen, judged and dealt with. */
static void let_it_be_found(struct world *world)
{
    world_run(world, world->policy.check_every + MS_HOUR);
    assert_lawful(world);
}

static void test_drift_table(void **state)
{
    static const struct drift_case cases[] = {
        {"as recorded", false, false, OLD_PRIMARY, true, DRIFT_NONE, SLOT_PRIMARY, REASON_NONE,
         false},
        {"target holds something else", false, false, STRANGE_KEY, false, DRIFT_TARGET_CHANGED,
         SLOT_PRIMARY, REASON_NONE, false},
        {"target is empty", false, false, 0, false, DRIFT_TARGET_CHANGED, SLOT_PRIMARY, REASON_NONE,
         false},
        {"target holds the standby key", false, false, OLD_SECONDARY, false, DRIFT_TARGET_CHANGED,
         SLOT_PRIMARY, REASON_NONE, true},
        {"standby changed", false, true, OLD_PRIMARY, true, DRIFT_STANDBY_CHANGED, SLOT_PRIMARY,
         REASON_NONE, true},
        {"rotated elsewhere", false, true, NEW_KEY, true, DRIFT_ROTATED_ELSEWHERE, SLOT_SECONDARY,
         REASON_NONE, true},
        {"active changed, targets hold the dead key", true, false, OLD_PRIMARY, true,
         DRIFT_ACTIVE_CHANGED, SLOT_PRIMARY, REASON_NONE, true},
        {"active changed, targets have the new one", true, false, NEW_KEY, true,
         DRIFT_ACTIVE_CHANGED, SLOT_PRIMARY, REASON_NONE, true},
        {"active changed, target holds the standby key", true, false, OLD_SECONDARY, true,
         DRIFT_TARGETS_DISAGREE, SLOT_PRIMARY, REASON_TARGETS_DISAGREE, false},
    };
    static struct world world;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct drift_case *c = &cases[i];

        begin_adopted(&world);
        world_run(&world, 2 * MS_DAY);
        forget_trace(&world);
        if (c->primary_changed)
            world_foreign_regenerate(&world, SLOT_PRIMARY);
        if (c->secondary_changed)
            world_foreign_regenerate(&world, SLOT_SECONDARY);
        world_write_target(&world, 0, c->holds);
        if (c->all)
            world_write_target(&world, 1, c->holds);
        let_it_be_found(&world);
        if (world.last_drift != c->drift || world.record.active != c->active)
            fprintf(stderr, "%s: drift %s\n", c->name, drift_name(world.last_drift));
        assert_int_equal(world.last_drift, c->drift);
        assert_int_equal(world.record.active, c->active);
        assert_int_equal(world.record.blocked, c->blocked);
        assert_int_equal(world.record.foreign_change_at != 0, c->foreign);
        assert_int_equal(world.actions[ACTION_REGENERATE], 0);
        if (c->blocked == REASON_NONE) {
            assert_active(&world, c->active);
            assert_false(world.record.consumers_at_risk);
        }
        /* Users of the other key have an overlap to change over. */
        if (c->drift != DRIFT_NONE && c->blocked == REASON_NONE)
            assert_true(world_wall(&world) - world.record.overlap_from < MS_DAY);
    }
}

/* Contradictory targets: both can be read here. */
static void test_targets_disagree(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    world.targets[1].configured.readable = true;
    world_configure(&world);
    world_foreign_regenerate(&world, SLOT_SECONDARY);
    world_write_target(&world, 0, NEW_KEY);
    let_it_be_found(&world);
    assert_int_equal(world.record.blocked, REASON_TARGETS_DISAGREE);
    assert_int_equal(view_of(&world).state, STATE_BLOCKED);
    world_run(&world, 60 * MS_DAY);
    assert_int_equal(world.actions[ACTION_REGENERATE], 0);
    assert_true(world.notes[NOTE_BLOCKED] > 50);
    give_adopt(&world, SLOT_SECONDARY);
    world_run(&world, MS_HOUR);
    assert_lawful(&world);
    assert_active(&world, SLOT_SECONDARY);
    assert_int_equal(world.record.blocked, REASON_NONE);
}

/* The configuration clears it as well: the target that disagreed is gone. */
static void test_disagreement_cleared_by_reload(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    world.targets[1].configured.readable = true;
    world_configure(&world);
    world_foreign_regenerate(&world, SLOT_SECONDARY);
    world_write_target(&world, 0, NEW_KEY);
    let_it_be_found(&world);
    assert_int_equal(world.record.blocked, REASON_TARGETS_DISAGREE);
    world.targets[0].in_configuration = false;
    world_configure(&world);
    world_run(&world, MS_HOUR);
    assert_lawful(&world);
    assert_int_equal(world.record.blocked, REASON_NONE);
    assert_active(&world, SLOT_PRIMARY);
}

/* A second look, unknown_wait later, has to show the same, and one that comes later still where
 * lists lag behind for longer; unless the data plane proves it. */
static void test_surprises_are_confirmed(void **state)
{
    static struct world world;
    time_ms found;

    (void)state;
    for (int i = 0; i < 4; i++) {
        const bool proven = i % 2 == 1;

        begin_adopted(&world);
        world.list_delay = i < 2 ? 0 : 5 * MS_MINUTE;
        world.policy.verify = proven ? VERIFY_AUTO : VERIFY_OFF;
        world_configure(&world);
        world_foreign_regenerate(&world, SLOT_PRIMARY);
        world_run(&world, 0);
        while (world.actions[ACTION_LOOK] == 0)
            assert_true(world_next(&world, world.now + MS_DAY));
        found = world.now;
        while (world.notes[NOTE_DRIFT_REPAIRED] == 0)
            assert_true(world_next(&world, found + MS_DAY));
        assert_lawful(&world);
        if (proven)
            assert_true(world.now - found < 10 * MS_SECOND);
        else
            assert_true(world.now - found >= (i < 2 ? world.timing.unknown_wait : 5 * MS_MINUTE));
        assert_active(&world, SLOT_PRIMARY);
    }
}

/* A suspected change is reported once, as being_confirmed, with the time of the look that decides;
 * then the target is owed the key until it has it. */
static void test_suspicion_is_told(void **state)
{
    static struct world world;
    struct rotation_view view;

    (void)state;
    begin_adopted(&world);
    world_write_target(&world, 0, 0);
    give_command(&world, COMMAND_CHECK);
    world_run(&world, MS_MINUTE);
    view = view_of(&world);
    assert_int_equal(view.state, STATE_RETRYING);
    assert_int_equal(view.reason, REASON_BEING_CONFIRMED);
    assert_int_equal(view.retry_at, view.since + world.timing.unknown_wait);
    assert_int_equal(world.notes[NOTE_DRIFT_SUSPECTED], 1);
    assert_int_equal(world.notes[NOTE_DRIFT_DETECTED], 0);
    world_run(&world, MS_HOUR);
    assert_lawful(&world);
    assert_active(&world, SLOT_PRIMARY);
    assert_int_equal(world.notes[NOTE_DRIFT_SUSPECTED], 1);
    assert_int_equal(world.notes[NOTE_DRIFT_DETECTED], 1);
    assert_int_equal(view_of(&world).state, STATE_OK);
}

/* A target that loses each delivery waits for the next one: it is not "ok". */
static void test_owed_is_not_well(void **state)
{
    static struct world world;
    struct rotation_view view;

    (void)state;
    begin_adopted(&world);
    for (int minute = 0; minute < 600; minute++) {
        if (world.targets[0].holds != 0) {
            world_write_target(&world, 0, 0);
            give_command(&world, COMMAND_CHECK);
        }
        world_run(&world, 10 * MS_SECOND);
        view = view_of(&world);
        assert_true(view.state != STATE_OK || record_owed_required(&world.record) == 0);
        if (view.reason == REASON_DELIVERY_PENDING && view.retry_at != TIME_NEVER)
            return;
    }
    fail_msg("the account never waited for its next delivery");
}

/* An account is adopted when its targets have the key. */
static void test_first_delivery_is_adopting(void **state)
{
    static struct world world;

    (void)state;
    world_init(&world, 1);
    world.policy.rotate = false;
    world_start(&world);
    while (!world.record.adopted)
        world_run(&world, MS_SECOND / 10);
    while (record_owed_required(&world.record) > 0) {
        assert_int_equal(view_of(&world).state, STATE_ADOPTING);
        world_run(&world, MS_SECOND / 10);
    }
    assert_int_not_equal(view_of(&world).state, STATE_ADOPTING);
    assert_int_equal(view_of(&world).reason, REASON_CONFIG);
}

/* on_drift: alert. It stays so, over many checks, until a person acts. */
static void test_alert(void **state)
{
    static struct world world;

    (void)state;
    for (int by_hand = 0; by_hand < 2; by_hand++) {
        begin_adopted(&world);
        world.policy.on_drift = DRIFT_ALERT;
        world.targets[1].configured.required = false;
        world_configure(&world);
        world_foreign_regenerate(&world, SLOT_PRIMARY);
        let_it_be_found(&world);
        for (int day = 0; day < 3; day++) {
            world_run(&world, MS_DAY);
            assert_int_equal(world.targets[0].holds, OLD_PRIMARY);
            assert_true(view_of(&world).consumers_at_risk);
            assert_int_equal(view_of(&world).state, STATE_BLOCKED);
            assert_int_equal(view_of(&world).reason, REASON_REDELIVER_AWAITED);
            assert_true(view_of(&world).since > 0);
            assert_int_equal(world.actions[ACTION_DELIVER], 0);
        }
        give_command(&world, COMMAND_UNBLOCK);
        assert_int_equal(world.answered, COMMAND_REFUSED);
        assert_non_null(strstr(world.answer, "keyrotatectl redeliver"));
        world_crash(&world, MS_MINUTE);
        world_run(&world, MS_DAY);
        assert_int_equal(world.actions[ACTION_DELIVER], 0);
        assert_true(view_of(&world).consumers_at_risk);
        if (by_hand)
            world_write_target(&world, 0, NEW_KEY);
        else
            give_command(&world, COMMAND_REDELIVER);
        world_run(&world, MS_DAY);
        assert_lawful(&world);
        assert_active(&world, SLOT_PRIMARY);
        assert_false(view_of(&world).consumers_at_risk);
        world_run(&world, 60 * MS_DAY);
        assert_lawful(&world);
        assert_true(world.completed > 0);
    }
}

/* Twice within rotate_every: another rotator, whatever else goes wrong, until a person resumes. */
static void test_another_rotator(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    world_foreign_regenerate(&world, SLOT_SECONDARY);
    let_it_be_found(&world);
    assert_int_equal(world.record.blocked, REASON_NONE);
    world_foreign_regenerate(&world, SLOT_SECONDARY);
    let_it_be_found(&world);
    assert_int_equal(world.record.blocked, REASON_ANOTHER_ROTATOR);
    world_script(&world, ACTION_LOOK, OUTCOME_FAILS, REASON_ACCOUNT_NOT_FOUND, 3);
    world_run(&world, 2 * MS_DAY);
    assert_int_equal(world.record.blocked, REASON_ANOTHER_ROTATOR);
    /* Both keys are new: the journal no longer fits. Evidence settles which key is used, but not
     * who else rotates. */
    world_foreign_regenerate(&world, SLOT_PRIMARY);
    world_foreign_regenerate(&world, SLOT_SECONDARY);
    world_write_target(&world, 0, world.live[SLOT_SECONDARY]);
    let_it_be_found(&world);
    assert_active(&world, SLOT_SECONDARY);
    assert_int_equal(world.record.blocked, REASON_ANOTHER_ROTATOR);
    world_run(&world, 50 * MS_DAY);
    assert_int_equal(world.actions[ACTION_REGENERATE], 0);
    give_command(&world, COMMAND_UNBLOCK);
    world_run(&world, 50 * MS_DAY);
    assert_lawful(&world);
    assert_true(world.completed > 0);
}

/* unblock ends the count of foreign changes: it begins anew. */
static void test_unblock_forgives(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    for (int change = 0; change < 2; change++) {
        world_foreign_regenerate(&world, SLOT_SECONDARY);
        let_it_be_found(&world);
    }
    assert_int_equal(world.record.blocked, REASON_ANOTHER_ROTATOR);
    give_command(&world, COMMAND_UNBLOCK);
    world_foreign_regenerate(&world, SLOT_SECONDARY);
    let_it_be_found(&world);
    assert_int_equal(world.record.blocked, REASON_NONE);
}

/* A foreign change of either slot at each position of a rotation. */
static void test_foreign_change_everywhere(void **state)
{
    static struct world world;

    (void)state;
    for (size_t i = 0; i < STATION_COUNT; i++)
        for (int slot = 0; slot < SLOT_COUNT; slot++)
            for (int durable = 0; durable < 2; durable++) {
                begin_at(&world, &stations[i], durable);
                world_foreign_regenerate(&world, (enum slot)slot);
                world_run(&world, 2 * MS_DAY);
                assert_lawful(&world);
                assert_active(&world, world.record.active);
                assert_false(world.record.consumers_at_risk);
                give_command(&world, COMMAND_UNBLOCK);
                world_run(&world, 60 * MS_DAY);
                assert_lawful(&world);
                assert_true(world.completed > 0);
            }
}

/* A journal that was restored from a backup of the time before a rotation. */
static void test_restored_journal(void **state)
{
    static struct world world;
    static struct record old;

    (void)state;
    for (unsigned rotations = 1; rotations <= 3; rotations++) {
        begin_adopted(&world);
        old = world.journal;
        while (world.completed < rotations)
            assert_true(world_next(&world, world.now + 50 * MS_DAY));
        world_run(&world, MS_HOUR);
        world.journal = old;
        world.foreign_at = world.now; /* to the journal, everything since is somebody else's */
        world_crash(&world, MS_MINUTE);
        world_run(&world, MS_DAY);
        assert_lawful(&world);
        assert_int_equal(world.record.blocked, REASON_NONE);
        assert_active(&world, rotations % 2 ? SLOT_SECONDARY : SLOT_PRIMARY);
        assert_int_equal(world.actions[ACTION_REGENERATE], rotations);
    }
}

static void test_adoption_table(void **state)
{
    static const struct {
        unsigned holds, other_holds;
        bool has_hint;
        enum slot hint;
        enum reason blocked;
        enum slot active;
    } cases[] = {
        {0, 0, false, SLOT_PRIMARY, REASON_ACTIVE_KEY_UNKNOWN, SLOT_PRIMARY},
        {0, 0, true, SLOT_PRIMARY, REASON_NONE, SLOT_PRIMARY},
        {0, 0, true, SLOT_SECONDARY, REASON_NONE, SLOT_SECONDARY},
        {OLD_PRIMARY, 0, false, SLOT_PRIMARY, REASON_NONE, SLOT_PRIMARY},
        {OLD_SECONDARY, 0, false, SLOT_PRIMARY, REASON_NONE, SLOT_SECONDARY},
        {OLD_SECONDARY, OLD_SECONDARY, true, SLOT_SECONDARY, REASON_NONE, SLOT_SECONDARY},
        {OLD_SECONDARY, 0, true, SLOT_PRIMARY, REASON_TARGETS_DISAGREE, SLOT_PRIMARY},
        {OLD_PRIMARY, OLD_SECONDARY, true, SLOT_PRIMARY, REASON_TARGETS_DISAGREE, SLOT_PRIMARY},
        {OLD_PRIMARY, OLD_SECONDARY, false, SLOT_PRIMARY, REASON_TARGETS_DISAGREE, SLOT_PRIMARY},
        {STRANGE_KEY, 0, true, SLOT_PRIMARY, REASON_TARGET_HOLDS_UNKNOWN_KEY, SLOT_PRIMARY},
        {OLD_PRIMARY, STRANGE_KEY, false, SLOT_PRIMARY, REASON_TARGET_HOLDS_UNKNOWN_KEY,
         SLOT_PRIMARY},
    };
    static struct world world;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world_init(&world, 1);
        world.targets[1].configured.readable = true;
        world.targets[0].holds = cases[i].holds;
        world.targets[1].holds = cases[i].other_holds;
        world.has_adopt_active = cases[i].has_hint;
        world.adopt_active = cases[i].hint;
        world_configure(&world);
        world_start(&world);
        world_run(&world, MS_DAY);
        assert_lawful(&world);
        assert_int_equal(world.record.blocked, cases[i].blocked);
        assert_int_equal(world.actions[ACTION_REGENERATE], 0);
        if (cases[i].blocked != REASON_NONE) {
            assert_int_equal(world.actions[ACTION_DELIVER], 0);
            /* The decision of a person counts, even where the next look fails at first. */
            world_script(&world, ACTION_LOOK, OUTCOME_FAILS, REASON_NETWORK, 3);
            give_adopt(&world, cases[i].active);
            world_run(&world, MS_HOUR);
        }
        assert_lawful(&world);
        assert_active(&world, cases[i].active);
        assert_int_equal(view_of(&world).state, STATE_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drift_table),
        cmocka_unit_test(test_targets_disagree),
        cmocka_unit_test(test_disagreement_cleared_by_reload),
        cmocka_unit_test(test_surprises_are_confirmed),
        cmocka_unit_test(test_suspicion_is_told),
        cmocka_unit_test(test_owed_is_not_well),
        cmocka_unit_test(test_first_delivery_is_adopting),
        cmocka_unit_test(test_alert),
        cmocka_unit_test(test_another_rotator),
        cmocka_unit_test(test_unblock_forgives),
        cmocka_unit_test(test_foreign_change_everywhere),
        cmocka_unit_test(test_restored_journal),
        cmocka_unit_test(test_adoption_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
