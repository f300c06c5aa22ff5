#include "rotation_scenario.h"

#include "base/tz.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Commands in each position, and what time and clocks do to an account that waits. */

static void test_commands_everywhere(void **state)
{
    static struct world world;

    (void)state;
    for (size_t i = 0; i < STATION_COUNT; i++)
        for (int kind = COMMAND_ROTATE; kind <= COMMAND_CONFIRM; kind++)
            for (int durable = 0; durable < 2; durable++) {
                begin_at(&world, &stations[i], durable);
                give_command(&world, (enum command_kind)kind);
                world_run(&world, MS_DAY);
                assert_lawful(&world);
                assert_active(&world, world.record.active);
                assert_int_equal(world.record.position, POSITION_IDLE);
                assert_int_not_equal(world.answered, COMMAND_NOT_ASKED);
                assert_true(world.answer[0] != '\0');
                world_run(&world, 50 * MS_DAY);
                assert_lawful(&world);
                assert_in_range(world.completed, 1, 3);
            }
}

/* The slot whose key is not being delivered. */
static void test_adopt_the_other_everywhere(void **state)
{
    static struct world world;

    (void)state;
    for (size_t i = 0; i < STATION_COUNT; i++)
        for (int slot = 0; slot < SLOT_COUNT; slot++) {
            begin_at(&world, &stations[i], true);
            give_adopt(&world, (enum slot)slot);
            world_script(&world, ACTION_LOOK, OUTCOME_FAILS, REASON_NETWORK, 2);
            world_run(&world, 4 * MS_HOUR);
            assert_lawful(&world);
            assert_active(&world, (enum slot)slot);
            assert_false(world.record.adopt_asked);
            world_run(&world, 60 * MS_DAY);
            assert_lawful(&world);
        }
}

static void assert_interlock_says(const struct world *world, const char *words)
{
    struct rotation_context context;
    struct interlock interlock;

    world_context(world, &context);
    interlock_ask(&context, &world->record, world_wall(world), &interlock);
    assert_false(interlock.open);
    assert_non_null(strstr(interlock.text, words));
}

static void test_rotate_now(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    assert_interlock_says(&world, "changing over to the key that was adopted");
    give_command(&world, COMMAND_ROTATE);
    assert_int_equal(world.answered, COMMAND_REFUSED);
    assert_true(world.answered_until > world_wall(&world) + 9 * MS_DAY);
    world_run(&world, world.answered_until - world_wall(&world));
    give_command(&world, COMMAND_ROTATE);
    assert_int_equal(world.answered, COMMAND_ACCEPTED);
    assert_int_equal(view_of(&world).next_at, world_wall(&world));
    world_run(&world, MS_MINUTE);
    assert_lawful(&world);
    assert_active(&world, SLOT_SECONDARY);
    assert_interlock_says(&world, "the replaced key");
    /* Right after a start it has to wait. */
    world_run(&world, world.policy.overlap);
    world_crash(&world, MS_SECOND);
    world_run(&world, 2 * MS_SECOND);
    give_command(&world, COMMAND_ROTATE);
    assert_int_equal(world.answered, COMMAND_REFUSED);
    assert_true(world.answered_until <= world_wall(&world) + world.timing.unknown_wait);
}

/* None of our rotations replaced a key: the text names the cause of the overlap. */
static void test_overlap_has_its_own_words(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    world.targets[1].configured.required = false;
    world_configure(&world);
    world_foreign_regenerate(&world, SLOT_SECONDARY);
    world_run(&world, world.policy.check_every + MS_HOUR);
    assert_interlock_says(&world, "a key that somebody else regenerated");
    world_foreign_regenerate(&world, SLOT_PRIMARY);
    world_run(&world, world.policy.check_every + MS_HOUR);
    give_command(&world, COMMAND_UNBLOCK);
    world_run(&world, MS_HOUR);
    assert_interlock_says(&world, "changing over to the key that was adopted or delivered");
}

/* A refusal names the reason or hold, and where the remedy is found. */
static void test_refusals_lead_on(void **state)
{
    static struct world world;

    (void)state;
    begin_due(&world);
    world_hold(&world, MS_DAY);
    snprintf(world.hold.reason, sizeof(world.hold.reason), "release week");
    world_run(&world, MS_MINUTE);
    give_command(&world, COMMAND_ROTATE);
    assert_int_equal(world.answered, COMMAND_REFUSED);
    assert_string_equal(world.answer, "the account is held by hold 1: release week");

    begin_adopted(&world);
    for (int i = 0; i < 2; i++) {
        world_foreign_regenerate(&world, SLOT_SECONDARY);
        world_run(&world, world.policy.check_every + MS_HOUR);
    }
    give_command(&world, COMMAND_ROTATE);
    assert_int_equal(world.answered, COMMAND_REFUSED);
    assert_string_equal(world.answer,
                        "the account is blocked (another_rotator); `keyrotatectl "
                        "status {account}` says what to do");
}

/* A rotation that was held past its window starts in the next one, at the instant that was
 * announced. */
static void test_next_start_lies_in_a_window(void **state)
{
    struct window nights = {.tz = tz_load("UTC"), .days = 0x7f, .to_minute = 120};
    static struct world world;
    time_ms until, next_at;

    (void)state;
    begin_due(&world);
    world.policy.windows = &nights;
    world.policy.window_count = 1;
    world.policy.splay = MS_HOUR;
    world_configure(&world);
    until = world_wall(&world) - world_wall(&world) % MS_DAY + 5 * MS_DAY + 12 * MS_HOUR;
    world_hold(&world, until - world_wall(&world));
    world_run(&world, MS_MINUTE);
    next_at = view_of(&world).next_at;
    assert_true(next_at >= until + 12 * MS_HOUR && next_at < until + 14 * MS_HOUR);
    world_run(&world, next_at - world_wall(&world) - MS_SECOND);
    assert_int_equal(world.notes[NOTE_ROTATION_STARTED], 0);
    world_run(&world, MS_MINUTE);
    assert_lawful(&world);
    assert_int_equal(world.notes[NOTE_ROTATION_STARTED], 1);
    tz_free(nights.tz);
}

static void test_dry_run(void **state)
{
    static struct world world;
    struct command command = {.kind = COMMAND_ROTATE, .dry_run = true, .actor = "uid 0"};

    (void)state;
    begin_due(&world);
    world_command(&world, &command);
    assert_int_equal(world.answered, COMMAND_DONE);
    assert_string_equal(world.trace, "");
    assert_false(world.record.requested);
}

static void test_hold(void **state)
{
    static struct world world;

    (void)state;
    begin_due(&world);
    world_hold(&world, 5 * MS_DAY);
    world_run(&world, 5 * MS_DAY - MS_MINUTE);
    assert_lawful(&world);
    assert_int_equal(view_of(&world).state, STATE_HELD);
    assert_int_equal(world.actions[ACTION_REGENERATE], 0);
    /* A fleet that was held together does not start together. */
    world_run(&world, 2 * MS_MINUTE);
    assert_int_equal(world.notes[NOTE_RELEASED], 1);
    assert_int_equal(world.completed, 0);
    world_run(&world, world.policy.splay + MS_HOUR);
    assert_lawful(&world);
    assert_int_equal(world.completed, 1);
}

/* Held and released are told once each, also where a restart comes between. */
static void test_hold_is_told_once(void **state)
{
    static struct world world;

    (void)state;
    begin_due(&world);
    world_hold(&world, MS_DAY);
    world_run(&world, MS_HOUR);
    world_crash(&world, MS_SECOND);
    world_run(&world, MS_HOUR);
    assert_int_equal(world.notes[NOTE_HELD], 1);
    world_crash(&world, 2 * MS_DAY);
    world_run(&world, MS_MINUTE);
    assert_int_equal(world.notes[NOTE_RELEASED], 1);
    world_hold(&world, MS_DAY);
    world_run(&world, MS_MINUTE);
    world_hold(&world, 2 * MS_DAY);
    world_run(&world, MS_MINUTE);
    world_resume(&world);
    world_run(&world, MS_DAY);
    assert_lawful(&world);
    assert_int_equal(world.notes[NOTE_HELD], 3);
    assert_int_equal(world.notes[NOTE_RELEASED], 2);
}

/* A block that only a named slot can settle is not cleared. */
static void test_what_unblock_clears(void **state)
{
    static const struct {
        enum reason blocked;
        bool adopted, another_rotator;
        enum command_outcome outcome;
        bool clears;
    } cases[] = {
        {REASON_NONE, true, false, COMMAND_DONE, true},
        {REASON_ANOTHER_ROTATOR, true, true, COMMAND_DONE, true},
        {REASON_TARGETS_DISAGREE, true, false, COMMAND_DONE, true},
        {REASON_TARGETS_DISAGREE, true, true, COMMAND_DONE, true},
        {REASON_TARGETS_DISAGREE, false, false, COMMAND_REFUSED, false},
        {REASON_ACTIVE_KEY_UNKNOWN, false, false, COMMAND_REFUSED, false},
        {REASON_TARGET_HOLDS_UNKNOWN_KEY, false, false, COMMAND_REFUSED, false},
        {REASON_JOURNAL_BEHIND, false, false, COMMAND_REFUSED, false},
        {REASON_JOURNAL_BEHIND, true, false, COMMAND_REFUSED, false},
        {REASON_KEY_REFUSED, true, false, COMMAND_REFUSED, false},
        {REASON_KEY_REFUSED, true, true, COMMAND_DONE, false},
    };
    static const struct command unblock = {.kind = COMMAND_UNBLOCK, .actor = "uid 0"};
    static struct world world;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event event = {.kind = EVENT_COMMAND, .command = &unblock};
        struct rotation_context context;
        struct effects effects;

        begin_adopted(&world);
        world_context(&world, &context);
        event.now = world_wall(&world);
        world.record.blocked = cases[i].blocked;
        world.record.another_rotator = cases[i].another_rotator;
        world.record.adopted = cases[i].adopted;
        if (!cases[i].adopted)
            world.record.position = POSITION_ADOPT_WAIT;
        rotation_step(&context, &world.record, &event, &effects);
        assert_int_equal(effects.outcome, cases[i].outcome);
        assert_int_equal(world.record.blocked, cases[i].clears ? REASON_NONE : cases[i].blocked);
        assert_int_equal(world.record.another_rotator,
                         cases[i].outcome == COMMAND_REFUSED && cases[i].another_rotator);
        assert_int_equal(!!strstr(effects.answer, "adopt {account}"),
                         cases[i].outcome == COMMAND_REFUSED &&
                             cases[i].blocked != REASON_KEY_REFUSED);
    }
}

/* A hold stops a regenerate up to the moment in which the request leaves. */
static void test_hold_at_the_last_moment(void **state)
{
    static const enum position stops[] = {POSITION_PREFLIGHT, POSITION_ROTATE_LOOK,
                                          POSITION_DOUBT_WAIT};
    static struct world world;

    (void)state;
    for (size_t i = 0; i < STATION_COUNT; i++) {
        bool stopped =
            stations[i].position == stops[0] || stations[i].position == stops[1] ||
            (stations[i].position == stops[2] && stations[i].outcome == OUTCOME_LOST_BEFORE);

        if (!stopped)
            continue;
        begin_at(&world, &stations[i], true);
        forget_trace(&world);
        world_hold(&world, MS_HOUR);
        world_run(&world, MS_HOUR - MS_MINUTE);
        assert_lawful(&world);
        assert_int_equal(world.actions[ACTION_REGENERATE], 0);
        assert_int_equal(world.record.position, POSITION_IDLE);
        assert_false(world.record.intent.open);
        assert_int_equal(world.record.cycle, 0);
    }
}

/* A look has shown another standby key, and no second one yet: a hook alone is told anew after a
 * look that shows the key in its target. */
static void test_redeliver_hook_in_doubt(void **state)
{
    static struct world world;
    struct command command = {.kind = COMMAND_REDELIVER, .target_count = 1, .actor = "uid 0"};
    time_ms told_at;

    (void)state;
    begin_adopted(&world);
    world.targets[1].configured.readable = false;
    world.targets[1].configured.follows = 1;
    world_configure(&world);
    world_foreign_regenerate(&world, slot_other(world.record.active));
    give_command(&world, COMMAND_CHECK);
    world_run(&world, 10 * MS_SECOND);
    assert_true(world.record.unconfirmed.pending);
    command.targets[0] = world_target_id(1);
    told_at = world.now;
    world_command(&world, &command);
    world_run(&world, 5 * MS_SECOND);
    assert_true(record_target(&world.record, &command.targets[0])->acknowledged_at >= told_at);
    assert_lawful(&world);
}

static void test_redeliver(void **state)
{
    static struct world world;
    struct command command = {.kind = COMMAND_REDELIVER, .target_count = 1, .actor = "uid 0"};

    (void)state;
    begin_adopted(&world);
    world_write_target(&world, 1, 99);
    command.targets[0] = world_target_id(1);
    world_command(&world, &command);
    world_run(&world, MS_MINUTE);
    assert_lawful(&world);
    assert_int_equal(world.actions[ACTION_DELIVER], 1);
    assert_active(&world, SLOT_PRIMARY);
    command.targets[1] = world_target_id(0);
    command.target_count = 2;
    world_command(&world, &command);
    world_run(&world, MS_MINUTE);
    assert_lawful(&world);
    assert_int_equal(world.actions[ACTION_DELIVER], 3);
    command.targets[0] = world_target_id(5);
    command.target_count = 1;
    world_command(&world, &command);
    assert_int_equal(world.answered, COMMAND_REFUSED);
}

/* An optional target fails for weeks: its delivery is retried, and nothing waits for it. */
static void test_optional_target_fails(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    world.targets[3].in_configuration = true;
    world.targets[3].configured.required = false;
    world.target_count = 4;
    world_script(&world, ACTION_DELIVER, OUTCOME_FAILS, REASON_TARGET_DENIED, 3);
    world_configure(&world);
    /* Meanwhile Azure shows the past. */
    world.record.live[SLOT_SECONDARY] = world_fingerprint(77);
    world.record.replaced[0] = world_fingerprint(2);
    world_run(&world, 5 * MS_HOUR);
    assert_lawful(&world);
    assert_in_range(world.actions[ACTION_LOOK], 5, 40);
    world.record.live[SLOT_SECONDARY] = world_fingerprint(2);
    memset(&world.record.replaced[0], 0, sizeof(world.record.replaced[0]));
    world_run(&world, 50 * MS_DAY);
    assert_lawful(&world);
    assert_int_equal(world.completed, 1);
    assert_int_equal(world.targets[3].holds, world.live[world.record.active]);
}

/* A delivery changed the target, and the crash came before the journal had it. The target's readers
 * got the key at that time, though the second delivery finds nothing to change. */
static void test_lost_acknowledgement_starts_overlap(void **state)
{
    static struct world world;
    time_ms told_at;

    (void)state;
    begin_adopted(&world);
    world_run(&world, 12 * MS_DAY);
    world_write_target(&world, 0, world.live[SLOT_SECONDARY]);
    while (world.record.position != POSITION_DELIVER)
        assert_true(world_next(&world, world.now + MS_DAY));
    world.save_takes = MS_HOUR;
    world_run(&world, MS_SECOND);
    assert_int_equal(world.targets[0].holds, world.live[SLOT_PRIMARY]);
    told_at = world_wall(&world);
    world.save_takes = 5;
    world.journal.overlap_from = 1; /* without the overlap that a look has begun */
    world_crash(&world, MS_MINUTE);
    world_run(&world, MS_HOUR);
    assert_active(&world, SLOT_PRIMARY);
    assert_true(world.record.overlap_from >= told_at);
    world_run(&world, 50 * MS_DAY);
    assert_lawful(&world);
}

/* Overdue is reported daily until the plan changes. */
static void test_overdue(void **state)
{
    static struct world world;

    (void)state;
    begin_due(&world);
    world_script(&world, ACTION_PREFLIGHT, OUTCOME_FAILS, REASON_TARGET_DENIED, 100000);
    world_run(&world, 20 * MS_DAY);
    assert_lawful(&world);
    assert_true(view_of(&world).overdue);
    assert_true(due_since_of(&world) < world_wall(&world));
    assert_non_null(view_of(&world).waits);
    assert_true(view_of(&world).stuck);
    assert_in_range(world.notes[NOTE_ROTATION_OVERDUE], 9, 17);
    world.policy.rotate_every = 400 * MS_DAY;
    world_configure(&world);
    forget_trace(&world);
    world_run(&world, 3 * MS_DAY);
    assert_lawful(&world);
    assert_false(view_of(&world).overdue);
    assert_int_equal(due_since_of(&world), TIME_NEVER);
    assert_null(view_of(&world).waits);
    assert_int_equal(world.record.overdue_reported_at, 0);
    assert_int_equal(world.notes[NOTE_ROTATION_OVERDUE], 0);
}

/* The clock is set while we run: overlap keeps its true length, whichever event comes first. */
static void test_clock_jumps(void **state)
{
    static const duration_ms jumps[] = {-30 * MS_DAY, -MS_HOUR, MS_HOUR, 30 * MS_DAY};
    static struct world world;

    (void)state;
    for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
        struct rotation_context context;
        struct interlock before, after;
        struct event wake = {.kind = EVENT_WAKE};
        struct effects effects;

        begin_adopted(&world);
        world_context(&world, &context);
        interlock_ask(&context, &world.record, world_wall(&world), &before);
        world.clock_offset += jumps[i];
        wake.now = world_wall(&world);
        /* An event that was under way already sees the new clock first. */
        if (jumps[i] < 0)
            rotation_step(&context, &world.record, &wake, &effects);
        world.clock_offset -= jumps[i];
        world_jump(&world, jumps[i]);
        world_run(&world, MS_SECOND);
        world_context(&world, &context);
        interlock_ask(&context, &world.record, world_wall(&world), &after);
        assert_false(after.open);
        assert_int_equal(after.until, before.until + jumps[i]);
        world_run(&world, 120 * MS_DAY);
        assert_lawful(&world);
        assert_true(world.completed > 0);
    }
}

/* A journal written by a clock that was years ahead. */
static void test_journal_from_the_future(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    world_jump(&world, 5000 * MS_DAY);
    world_script(&world, ACTION_DELIVER, OUTCOME_LOST_AFTER, REASON_TARGET_FAILED, 1);
    give_command(&world, COMMAND_REDELIVER);
    world_run(&world, 20 * MS_SECOND);
    assert_int_equal(world.record.position, POSITION_DELIVER_WAIT);
    world.clock_offset = 0;
    world_crash(&world, MS_MINUTE);
    world_run(&world, 2 * MS_DAY);
    assert_active(&world, SLOT_PRIMARY);
    assert_int_equal(view_of(&world).state, STATE_OK);
    world_run(&world, 60 * MS_DAY);
    assert_lawful(&world);
    assert_true(world.completed > 0);
}

/* A look that waited behind a stalled journal is taken again. */
static void test_stale_look(void **state)
{
    static struct world world;

    (void)state;
    begin_at(&world, &stations[2], true);
    assert_int_equal(world.record.position, POSITION_ROTATE_LOOK);
    world.save_takes = MS_HOUR;
    give_command(&world, COMMAND_CHECK);
    world.save_takes = 5;
    world_run(&world, 2 * MS_HOUR);
    assert_lawful(&world);
    assert_int_equal(world.completed, 1);
    assert_true(world.actions[ACTION_LOOK] >= 2);
    assert_null(strstr(world.trace, "doubt"));
}

/* A missed rotation is caught up once, even if the daemon is off again at that time. */
static void test_caught_up_once(void **state)
{
    static struct world world;

    (void)state;
    begin_due(&world);
    world_crash(&world, 3 * MS_DAY);
    world_run(&world, 2 * MS_MINUTE);
    assert_int_equal(world.completed, 0);
    world_crash(&world, world.policy.splay);
    world_run(&world, world.policy.splay + 3 * MS_MINUTE);
    assert_lawful(&world);
    assert_int_equal(world.completed, 1);
}

/* Reloads rotate nothing, and rotate: false is obeyed. */
static void test_rotate_false(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    world.policy.rotate = false;
    world_configure(&world);
    world_run(&world, 100 * MS_DAY);
    assert_lawful(&world);
    assert_int_equal(world.completed, 0);
    assert_int_equal(view_of(&world).state, STATE_HELD);
    assert_int_equal(view_of(&world).next_at, TIME_NEVER);
    world.policy.rotate = true;
    world_configure(&world);
    world_run(&world, MS_MINUTE);
    assert_int_equal(world.actions[ACTION_REGENERATE], 0);
    world_run(&world, 60 * MS_DAY);
    assert_lawful(&world);
    assert_true(world.completed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_everywhere),
        cmocka_unit_test(test_adopt_the_other_everywhere),
        cmocka_unit_test(test_rotate_now),
        cmocka_unit_test(test_overlap_has_its_own_words),
        cmocka_unit_test(test_refusals_lead_on),
        cmocka_unit_test(test_next_start_lies_in_a_window),
        cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_hold_is_told_once),
        cmocka_unit_test(test_what_unblock_clears),
        cmocka_unit_test(test_hold_at_the_last_moment),
        cmocka_unit_test(test_redeliver_hook_in_doubt),
        cmocka_unit_test(test_redeliver),
        cmocka_unit_test(test_optional_target_fails),
        cmocka_unit_test(test_lost_acknowledgement_starts_overlap),
        cmocka_unit_test(test_overdue),
        cmocka_unit_test(test_clock_jumps),
        cmocka_unit_test(test_journal_from_the_future),
        cmocka_unit_test(test_stale_look),
        cmocka_unit_test(test_caught_up_once),
        cmocka_unit_test(test_rotate_false),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
