#include "rotation_scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* One rotation: without faults, with each thing that can fail, and interrupted at each position. */

static void test_happy_path(void **state)
{
    static struct world world;
    struct fingerprint replaced;
    time_ms began;

    (void)state;
    begin_due(&world);
    began = world.now;
    replaced = world.record.live[SLOT_SECONDARY];
    world_run(&world, 2 * MS_MINUTE);
    assert_lawful(&world);
    assert_true(fingerprint_equal(&world.record.replaced[0], &replaced));
    assert_int_equal(world.record.replaced_slot[0], SLOT_SECONDARY);
    assert_int_equal(world.record.replaced_at[0], world.record.born[SLOT_SECONDARY]);
    assert_in_range(world.record.replaced_at[0], began, world.now);
    assert_string_equal(
        world.trace,
        "preflight rotate_look intent regenerate verify offer deliver offer deliver "
        "offer deliver idle check_look idle");
    assert_active(&world, SLOT_SECONDARY);
    assert_int_equal(world.record.cycle, 1);
    assert_int_equal(world.notes[NOTE_ROTATION_STARTED], 1);
    assert_int_equal(world.notes[NOTE_KEY_REGENERATED], 1);
    assert_int_equal(world.notes[NOTE_KEY_VERIFIED], 1);
    assert_int_equal(world.notes[NOTE_KEY_DELIVERED], 3);
    assert_int_equal(world.notes[NOTE_ROTATION_COMPLETED], 1);
    assert_int_equal(view_of(&world).state, STATE_OK);
}

static void test_years(void **state)
{
    static struct world world;

    (void)state;
    begin_adopted(&world);
    world_run(&world, 400 * MS_DAY);
    assert_lawful(&world);
    assert_in_range(world.completed, 9, 10);
    assert_int_equal(world.actions[ACTION_REGENERATE], world.completed);
    assert_int_equal(world.notes[NOTE_ROTATION_OVERDUE], 0);
}

static void test_failures(void **state)
{
#define BEGIN "preflight rotate_look intent regenerate "
#define REST  "verify offer deliver offer deliver offer deliver idle"
    static const struct {
        enum action_kind kind;
        enum outcome outcome;
        enum reason reason;
        unsigned regenerates;
        duration_ms at_least;
        const char *trace;
    } cases[] = {
        {ACTION_PREFLIGHT, OUTCOME_FAILS, REASON_TARGET_DENIED, 1, 0, "preflight idle " BEGIN REST},
        {ACTION_LOOK, OUTCOME_FAILS, REASON_NETWORK, 1, 0,
         "preflight rotate_look idle " BEGIN REST},
        {ACTION_LOOK, OUTCOME_FAILS, REASON_ACCOUNT_NOT_FOUND, 1, MS_HOUR,
         "preflight rotate_look idle check_look idle " BEGIN REST},
        {ACTION_REGENERATE, OUTCOME_FAILS, REASON_AZURE_ERROR, 2, 0,
         BEGIN "doubt_wait doubt_look intent regenerate " REST},
        {ACTION_REGENERATE, OUTCOME_FAILS, REASON_ACCOUNT_NOT_FOUND, 2, MS_HOUR,
         BEGIN "doubt_wait doubt_look intent regenerate " REST},
        {ACTION_REGENERATE, OUTCOME_FAILS, REASON_PERMISSION_DENIED, 2, MS_HOUR,
         BEGIN "doubt_wait doubt_look intent regenerate " REST},
        {ACTION_REGENERATE, OUTCOME_LOST_BEFORE, REASON_NETWORK, 2, 90 * MS_SECOND,
         BEGIN "doubt_wait doubt_look intent regenerate " REST},
        {ACTION_REGENERATE, OUTCOME_LOST_AFTER, REASON_NETWORK, 1, 90 * MS_SECOND,
         BEGIN "doubt_wait doubt_look " REST},
        {ACTION_REGENERATE, OUTCOME_LOST_LATE, REASON_NETWORK, 1, 90 * MS_SECOND,
         BEGIN "doubt_wait doubt_look " REST},
        {ACTION_VERIFY_LIVE, OUTCOME_FAILS, REASON_NETWORK, 1, 0,
         BEGIN "verify verify_wait verify_look " REST},
        {ACTION_VERIFY_LIVE, OUTCOME_FAILS, REASON_KEY_REFUSED, 1, 0,
         BEGIN "verify verify_wait verify_look " REST},
        {ACTION_VERIFY_LIVE, OUTCOME_FAILS, REASON_SHARED_KEY_DISABLED, 1, MS_HOUR,
         BEGIN "verify verify_wait verify_look " REST},
        {ACTION_DELIVER, OUTCOME_FAILS, REASON_TARGET_DENIED, 1, 0,
         BEGIN "verify offer deliver deliver_wait deliver_look offer deliver offer deliver "
               "offer deliver idle"},
        {ACTION_DELIVER, OUTCOME_FAILS, REASON_ACCOUNT_NOT_FOUND, 1, 0,
         BEGIN "verify offer deliver deliver_wait deliver_look offer deliver offer deliver "
               "offer deliver idle"},
        {ACTION_DELIVER, OUTCOME_FAILS, REASON_NOT_YET, 1, MS_HOUR,
         BEGIN "verify offer deliver deliver_wait deliver_look offer deliver offer deliver "
               "offer deliver idle"},
        {ACTION_DELIVER, OUTCOME_LOST_LATE, REASON_TARGET_FAILED, 1, 90 * MS_SECOND,
         BEGIN "verify offer deliver deliver_wait deliver_look offer deliver offer deliver "
               "offer deliver idle"},
    };
#undef BEGIN
#undef REST
    static struct world world;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        time_ms began;

        begin_due(&world);
        began = world.now;
        world_script(&world, cases[i].kind, cases[i].outcome, cases[i].reason, 1);
        while (world.completed == 0)
            assert_true(world_next(&world, began + MS_DAY));
        assert_lawful(&world);
        assert_string_equal(world.trace, cases[i].trace);
        assert_int_equal(world.actions[ACTION_REGENERATE], cases[i].regenerates);
        assert_true(world.now - began >= cases[i].at_least);
        assert_true(world.now - began < cases[i].at_least + 5 * MS_MINUTE);
        world_run(&world, MS_HOUR);
        assert_active(&world, SLOT_SECONDARY);
        assert_int_equal(view_of(&world).state, STATE_OK);
    }
}

/* A crash in each position, before and after the journal has it. */
static void test_restart_everywhere(void **state)
{
    static struct world world;

    (void)state;
    for (size_t i = 0; i < STATION_COUNT; i++)
        for (int durable = 0; durable < 2; durable++)
            for (duration_ms downtime = 0; downtime <= MS_DAY; downtime += MS_DAY) {
                begin_at(&world, &stations[i], durable);
                world_crash(&world, downtime);
                /* A rotation that was missed is caught up within its splay. */
                world_run(&world, world.policy.splay + 2 * MS_DAY);
                assert_lawful(&world);
                assert_int_equal(world.completed, 1);
                assert_active(&world, SLOT_SECONDARY);
                assert_in_range(world.actions[ACTION_REGENERATE], 1, 2);
            }
}

/* Crashes one after the other, at every single step of a rotation. */
static void test_crash_after_crash(void **state)
{
    static struct world world;

    (void)state;
    for (unsigned every = 1; every <= 12; every++) {
        begin_due(&world);
        for (unsigned crashes = 0; crashes < 30; crashes++) {
            for (unsigned steps = 0; steps < every; steps++)
                (void)world_next(&world, world.now + MS_HOUR);
            world_crash(&world, MS_SECOND);
        }
        world_run(&world, 10 * MS_DAY);
        assert_lawful(&world);
        assert_active(&world, SLOT_SECONDARY);
        assert_int_equal(world.record.cycle, 1);
    }
}

/* A target that takes a week: nothing is rotated again meanwhile, and no key dies. */
static void test_delivery_takes_a_week(void **state)
{
    static struct world world;

    (void)state;
    begin_due(&world);
    world_script(&world, ACTION_DELIVER, OUTCOME_FAILS, REASON_NOT_YET, 7 * 24);
    for (int day = 0; day < 6; day++) {
        world_run(&world, MS_DAY);
        assert_int_equal(world.record.position, POSITION_DELIVER_WAIT);
        assert_int_equal(view_of(&world).state, STATE_RETRYING);
        assert_int_equal(view_of(&world).reason, REASON_NOT_YET);
        assert_true(view_of(&world).retry_at > world_wall(&world));
        world_crash(&world, MS_MINUTE);
    }
    world_run(&world, 3 * MS_DAY);
    assert_lawful(&world);
    assert_int_equal(world.actions[ACTION_REGENERATE], 1);
    assert_active(&world, SLOT_SECONDARY);
}

/* The target that is waited for goes away, or becomes optional. */
static void test_released_by_reload(void **state)
{
    static struct world world;

    (void)state;
    for (int removed = 0; removed < 2; removed++) {
        begin_due(&world);
        world.policy.verify = VERIFY_OFF;
        world_configure(&world);
        world_script(&world, ACTION_DELIVER, OUTCOME_FAILS, REASON_TARGET_FAILED, 1000);
        world_run(&world, MS_HOUR);
        assert_int_equal(world.record.position, POSITION_DELIVER_WAIT);
        world.targets[0].in_configuration = !removed;
        world.targets[0].configured.required = false;
        world.script[ACTION_DELIVER].times = 0;
        world_configure(&world);
        world_run(&world, MS_HOUR);
        assert_lawful(&world);
        assert_int_equal(world.completed, 1);
        assert_active(&world, SLOT_SECONDARY);
    }
}

/* The machine's word on the delivery under way, which has lasted for so long, after a reload.
 * `effects` as of that step. */
static const char *word_on_delivery(const struct world *world,
                                    const struct rotation_target *targets, size_t target_count,
                                    duration_ms lasts, struct effects *effects)
{
    const struct target_id *id = &world->action.target;
    struct record record = world->record;
    struct event event = {.kind = EVENT_CONFIGURED, .now = world_wall(world) + lasts};
    struct rotation_context context;

    world_context(world, &context);
    context.under_way = (struct delivery_under_way){
        .target = *id,
        .required = record_target(&record, id)->required,
        .began_at = world_wall(world),
    };
    context.targets = targets;
    context.target_count = target_count;
    rotation_step(&context, &record, &event, effects);
    assert_null(effects->fault);
    return effects->give_up ? effects->give_up : "";
}

/* Runs until a delivery to that target is under way. */
static void begin_delivery(struct world *world, size_t index)
{
    const struct target_id id = world_target_id(index);

    begin_due(world);
    while (!world->acting || world->action.kind != ACTION_DELIVER ||
           !target_id_equal(&world->action.target, &id))
        assert_true(world_next(world, world->now + MS_DAY));
}

/* In a rotation a required delivery goes on, however long; where a reload removes its target, or
 * makes it optional, it is given up at once. */
static void test_delivery_given_up_by_reload(void **state)
{
    static struct world world;
    struct rotation_target targets[3];
    struct effects effects;

    (void)state;
    begin_delivery(&world, 0);
    for (size_t i = 0; i < 3; i++)
        targets[i] = world.targets[i].configured;
    assert_string_equal(word_on_delivery(&world, targets, 3, MS_DAY, &effects), "");
    targets[0].required = false;
    assert_string_equal(word_on_delivery(&world, targets, 3, 0, &effects),
                        "the target is optional now");
    assert_string_equal(word_on_delivery(&world, targets + 1, 2, 0, &effects),
                        "the target is no longer in the configuration");
}

/* A delivery to an optional target keeps the end of the rotation for five minutes; a required
 * target that is owed its key does not wait for it at all. */
static void test_optional_delivery_given_up(void **state)
{
    static struct world world;
    struct rotation_target targets[3];
    struct effects effects;

    (void)state;
    begin_delivery(&world, 2);
    for (size_t i = 0; i < 3; i++)
        targets[i] = world.targets[i].configured;
    assert_string_equal(word_on_delivery(&world, targets, 3, 5 * MS_MINUTE - 1, &effects), "");
    assert_true(effects.wake_at == world_wall(&world) + 5 * MS_MINUTE);
    assert_string_equal(word_on_delivery(&world, targets, 3, 5 * MS_MINUTE, &effects),
                        "the account has something else to do");
    world.record.targets[1].acknowledged = false;
    assert_string_equal(word_on_delivery(&world, targets, 3, 0, &effects),
                        "a required target waits for its key");
    world.record.targets[1].retry_at = world_wall(&world) + MS_MINUTE;
    assert_string_equal(word_on_delivery(&world, targets, 3, 0, &effects), "");
    assert_true(effects.wake_at == world_wall(&world) + MS_MINUTE);
}

/* Outside a rotation it goes on until something is due, and for five minutes at least. */
static void test_optional_delivery_when_idle(void **state)
{
    static struct world world;
    struct rotation_target targets[3];
    struct effects effects;

    (void)state;
    begin_delivery(&world, 2);
    for (size_t i = 0; i < 3; i++)
        targets[i] = world.targets[i].configured;
    world.record.active = world.record.delivering;
    world.record.check_at = world_wall(&world) + MS_HOUR;
    world.record.due_at = world_wall(&world) + MS_DAY;
    assert_string_equal(word_on_delivery(&world, targets, 3, MS_HOUR - 1, &effects), "");
    assert_true(effects.wake_at == world_wall(&world) + MS_HOUR);
    assert_string_equal(word_on_delivery(&world, targets, 3, MS_HOUR, &effects),
                        "the account has something else to do");
    world.record.check_at = world_wall(&world);
    assert_string_equal(word_on_delivery(&world, targets, 3, 0, &effects), "");
}

/* Outside a rotation a required target keeps another one, or a command, for repair_turn; or for as
 * long as both have been failing. */
static void test_required_delivery_in_repair(void **state)
{
    static struct world world;
    struct target_record *first = &world.record.targets[0];
    struct target_record *second = &world.record.targets[1];
    struct rotation_target targets[3];
    struct effects effects;
    time_ms began;

    (void)state;
    begin_delivery(&world, 0);
    began = world_wall(&world);
    for (size_t i = 0; i < 3; i++)
        targets[i] = world.targets[i].configured;
    world.record.active = world.record.delivering;
    world.record.check_at = began + MS_DAY;
    assert_string_equal(word_on_delivery(&world, targets, 3, MS_MINUTE - 1, &effects), "");
    assert_true(effects.wake_at == began + MS_MINUTE);
    assert_string_equal(word_on_delivery(&world, targets, 3, MS_MINUTE, &effects),
                        "another required target waits for its key");
    first->failing_since = began - 2 * MS_HOUR;
    assert_string_equal(word_on_delivery(&world, targets, 3, MS_MINUTE, &effects),
                        "another required target waits for its key");
    second->failing_since = began - MS_HOUR;
    assert_string_equal(word_on_delivery(&world, targets, 3, MS_HOUR - 1, &effects), "");
    assert_true(effects.wake_at == began + MS_HOUR);
    second->retry_at = began + 2 * MS_HOUR;
    assert_string_equal(word_on_delivery(&world, targets, 3, MS_HOUR, &effects), "");
    assert_true(effects.wake_at == began + 2 * MS_HOUR);
    world.record.adopt_asked = true;
    assert_string_equal(word_on_delivery(&world, targets, 3, MS_MINUTE - 1, &effects), "");
    assert_string_equal(word_on_delivery(&world, targets, 3, MS_MINUTE, &effects),
                        "the account has something else to do");
}

/* In a rotation it waits, unless another target holds a dead key. */
static void test_required_delivery_in_rotation(void **state)
{
    static struct world world;
    struct rotation_target targets[3];
    struct effects effects;

    (void)state;
    begin_delivery(&world, 0);
    for (size_t i = 0; i < 3; i++)
        targets[i] = world.targets[i].configured;
    world.record.adopt_asked = true;
    world.record.check_at = world_wall(&world);
    assert_string_equal(word_on_delivery(&world, targets, 3, MS_DAY, &effects), "");
    world.record.targets[1].dead_since = world_wall(&world);
    assert_string_equal(word_on_delivery(&world, targets, 3, MS_MINUTE - 1, &effects), "");
    assert_string_equal(word_on_delivery(&world, targets, 3, MS_MINUTE, &effects),
                        "another required target waits for its key");
}

/* Targets come and go while the journal stalls: what happens meanwhile waits its turn. */
static void test_reload_while_saving(void **state)
{
    static struct world world;

    (void)state;
    for (size_t i = 0; i < STATION_COUNT; i++) {
        begin_at(&world, &stations[i], false);
        world.targets[3].in_configuration = true;
        world.targets[3].configured.required = true;
        world.targets[2].in_configuration = false;
        world.target_count = 4;
        world_configure(&world);
        world_run(&world, 12 * MS_DAY);
        assert_lawful(&world);
        assert_int_equal(world.completed, 1);
        assert_active(&world, SLOT_SECONDARY);
    }
}

/* The journal stalls for an hour at each position: nothing stale is acted on. */
static void test_stalled_journal(void **state)
{
    static struct world world;

    (void)state;
    for (size_t i = 0; i < STATION_COUNT; i++) {
        begin_at(&world, &stations[i], true);
        world.save_takes = MS_HOUR;
        give_command(&world, COMMAND_CHECK);
        world_run(&world, MS_SECOND);
        world.save_takes = 5;
        world_run(&world, MS_DAY);
        assert_lawful(&world);
        assert_int_equal(world.completed, 1);
        assert_active(&world, SLOT_SECONDARY);
    }
}

static void test_verify_modes(void **state)
{
    static const struct {
        enum verify_mode mode;
        bool unreachable;
        bool completes;
        unsigned unverified;
        enum account_state state;
        enum reason reason;
    } cases[] = {
        {VERIFY_AUTO, true, true, 1, STATE_OK, REASON_NONE},
        {VERIFY_REQUIRED, true, false, 0, STATE_RETRYING, REASON_NETWORK},
        {VERIFY_OFF, true, true, 0, STATE_OK, REASON_NONE},
        {VERIFY_AUTO, false, false, 0, STATE_BLOCKED, REASON_KEY_REFUSED},
        {VERIFY_REQUIRED, false, false, 0, STATE_BLOCKED, REASON_KEY_REFUSED},
        {VERIFY_OFF, false, true, 0, STATE_OK, REASON_NONE},
    };
    static struct world world;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin_due(&world);
        world.policy.verify = cases[i].mode;
        world_configure(&world);
        world.data_plane_down = cases[i].unreachable;
        world.refuses_new_keys = !cases[i].unreachable;
        world_run(&world, 2 * MS_HOUR);
        assert_lawful(&world);
        assert_int_equal(world.completed, cases[i].completes);
        assert_int_equal(world.notes[NOTE_KEY_UNVERIFIED], cases[i].unverified);
        assert_int_equal(view_of(&world).state, cases[i].state);
        assert_int_equal(view_of(&world).reason, cases[i].reason);
        /* A data plane that cannot be reached after a refusal proves nothing. */
        world.data_plane_down = true;
        world_run(&world, 3 * MS_HOUR);
        assert_int_equal(world.completed, cases[i].completes);
        world.data_plane_down = false;
        world.refuses_new_keys = false;
        world_run(&world, 3 * MS_HOUR);
        assert_lawful(&world);
        assert_int_equal(world.completed, 1);
        assert_int_equal(view_of(&world).state, STATE_OK);
    }
}

/* A pause that a server asks for is kept: Retry-After. */
static void test_retry_after(void **state)
{
    static const enum action_kind kinds[] = {ACTION_LOOK, ACTION_REGENERATE, ACTION_DELIVER};
    static struct world world;

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        begin_due(&world);
        world.retry_after = 3 * MS_HOUR;
        world_script(&world, kinds[i], OUTCOME_FAILS, REASON_THROTTLED, 1);
        world_run(&world, 3 * MS_HOUR);
        assert_int_equal(world.completed, 0);
        world_run(&world, 10 * MS_MINUTE);
        assert_lawful(&world);
        assert_int_equal(world.completed, 1);
    }
}

/* Clocks that differ stop a rotation; the retries become rarer. */
static void test_clock_skew(void **state)
{
    static struct world world;
    unsigned looks;

    (void)state;
    begin_due(&world);
    world.clock_skew = 6 * MS_MINUTE;
    world_run(&world, 5 * MS_HOUR);
    assert_int_equal(world.actions[ACTION_REGENERATE], 0);
    assert_int_equal(view_of(&world).reason, REASON_CLOCK_SKEW);
    looks = world.actions[ACTION_LOOK];
    assert_in_range(looks, 5, 20);
    world.clock_skew = -6 * MS_MINUTE;
    world_run(&world, 3 * MS_HOUR);
    assert_int_equal(world.actions[ACTION_REGENERATE], 0);
    world.clock_skew = -4 * MS_MINUTE;
    world_run(&world, 3 * MS_HOUR);
    assert_lawful(&world);
    assert_int_equal(world.completed, 1);
}

/* A look of an account that is being adopted, with what there is to say of its description. */
static void look_at_adoption(const struct rotation_context *context, struct record *record,
                             const struct failure *undescribed, time_ms now)
{
    const struct look look = {.live = {world_fingerprint(1), world_fingerprint(2)},
                              .described = !undescribed};
    const struct event event = {
        .kind = EVENT_LOOKED, .now = now, .look = &look, .undescribed = undescribed};
    struct effects effects;

    record->position = POSITION_ADOPT_LOOK;
    rotation_step(context, record, &event, &effects);
    assert_null(effects.fault);
}

/* Keys are off, and then the description cannot be read: what it has said last counts. */
static void test_switch_that_is_not_known_any_more(void **state)
{
    const struct failure off = {.reason = REASON_SHARED_KEY_DISABLED};
    const struct failure denied = {.reason = REASON_PERMISSION_DENIED};
    static struct world world;
    struct rotation_context context;
    struct record record;

    (void)state;
    world_init(&world, 1);
    world_context(&world, &context);
    record_init(&record);
    look_at_adoption(&context, &record, &off, MS_DAY);
    assert_int_equal(record.blocked, REASON_SHARED_KEY_DISABLED);
    look_at_adoption(&context, &record, &denied, MS_DAY + MS_HOUR);
    assert_int_equal(record.position, POSITION_ADOPT_WAIT);
    assert_int_equal(record.blocked, REASON_SHARED_KEY_DISABLED);
    assert_int_equal(record.retry_reason, REASON_PERMISSION_DENIED);
    assert_true(record.retry_at > MS_DAY + MS_HOUR);
    assert_false(record.adopted || record.unconfirmed.pending);
    look_at_adoption(&context, &record, NULL, MS_DAY + 2 * MS_HOUR);
    assert_int_not_equal(record.blocked, REASON_SHARED_KEY_DISABLED);
    assert_true(record.adopted || record.unconfirmed.pending || record.blocked != REASON_NONE);
    record_init(&record); /* it was never known: nothing waits for it */
    look_at_adoption(&context, &record, &denied, MS_DAY);
    assert_int_not_equal(record.retry_reason, REASON_PERMISSION_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_happy_path),
        cmocka_unit_test(test_years),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_restart_everywhere),
        cmocka_unit_test(test_crash_after_crash),
        cmocka_unit_test(test_delivery_takes_a_week),
        cmocka_unit_test(test_released_by_reload),
        cmocka_unit_test(test_delivery_given_up_by_reload),
        cmocka_unit_test(test_optional_delivery_given_up),
        cmocka_unit_test(test_optional_delivery_when_idle),
        cmocka_unit_test(test_required_delivery_in_repair),
        cmocka_unit_test(test_required_delivery_in_rotation),
        cmocka_unit_test(test_reload_while_saving),
        cmocka_unit_test(test_stalled_journal),
        cmocka_unit_test(test_verify_modes),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_clock_skew),
        cmocka_unit_test(test_switch_that_is_not_known_any_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
