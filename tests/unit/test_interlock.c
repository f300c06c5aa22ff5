#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/rotation.h"
#include "rotation_world.h"

enum { NOW_MS = 1000 * 1000 * 1000, OVERLAP_MS = 1000 * 1000, UNKNOWN_WAIT_MS = 90 * 1000 };

struct fixture {
    struct policy policy;
    struct timing timing;
    struct rotation_context context;
    struct record record;
};

/* Everything is in place. */
static void prepare(struct fixture *f)
{
    *f = (struct fixture){
        .policy = {.overlap = OVERLAP_MS, .rotate = true},
        .timing = {.unknown_wait = UNKNOWN_WAIT_MS},
    };
    f->context = (struct rotation_context){
        .account_id = "a", .policy = &f->policy, .timing = &f->timing, .daemon_started_at = 1};
    record_init(&f->record);
    f->record.adopted = true;
    f->record.live[0] = world_fingerprint(1);
    f->record.live[1] = world_fingerprint(2);
    f->record.overlap_from = NOW_MS - OVERLAP_MS;
    f->record.target_count = 2;
    for (size_t i = 0; i < 2; i++)
        f->record.targets[i] = (struct target_record){.id = world_target_id(i),
                                                      .required = i == 0,
                                                      .acknowledged = i == 0,
                                                      .fingerprint = world_fingerprint(1)};
}

static void not_adopted(struct fixture *f)
{
    f->record.adopted = false;
}
static void blocked(struct fixture *f)
{
    f->record.blocked = REASON_ANOTHER_ROTATOR;
}
static void presumed(struct fixture *f)
{
    f->record.presumed = true;
}
static void rotate_false(struct fixture *f)
{
    f->policy.rotate = false;
}
static void held(struct fixture *f)
{
    static const struct hold hold = {.id = 1, .until = NOW_MS + 7};

    f->context.hold = &hold;
}
static void adoption_told(struct fixture *f)
{
    f->record.adopt_asked = true;
}
static void delivering(struct fixture *f)
{
    f->record.delivering = SLOT_SECONDARY;
    f->record.targets[0].fingerprint = world_fingerprint(2);
}
static void owed(struct fixture *f)
{
    f->record.targets[0].acknowledged = false;
}
static void acknowledged_another_key(struct fixture *f)
{
    f->record.targets[0].fingerprint = world_fingerprint(2);
}
static void without_targets(struct fixture *f)
{
    f->record.target_count = 0;
}
static void surprised(struct fixture *f)
{
    f->record.unconfirmed.pending = true;
}
static void told_too_late(struct fixture *f)
{
    f->record.overlap_from++;
}
static void just_started(struct fixture *f)
{
    f->context.daemon_started_at = NOW_MS - UNKNOWN_WAIT_MS + 5;
}
static void just_started_of_late_lists(struct fixture *f)
{
    f->context.daemon_started_at = NOW_MS - UNKNOWN_WAIT_MS;
    f->context.list_delay = 5;
}

static void paused(struct fixture *f)
{
    f->record.regenerate_after = NOW_MS + 9;
}

/* The intent is closed: the account was adopted meanwhile. */
static void may_still_regenerate(struct fixture *f)
{
    f->record.intent.settles_at = NOW_MS + 13;
}

static void pair_busy(struct fixture *f)
{
    f->context.pair_busy = "another pair";
    f->context.pair_busy_until = TIME_NEVER;
}

static void pair_forgotten(struct fixture *f)
{
    f->context.pair_busy = "another pair";
    f->context.pair_busy_until = NOW_MS + 11;
}

static void changed_lately(struct fixture *f)
{
    f->context.writes_whole = true;
    f->context.whole_is_known_at = NOW_MS + 17;
}

static void test_each_condition(void **state)
{
    static const struct {
        void (*spoil)(struct fixture *f);
        enum reason reason;
        time_ms until;
    } cases[] = {
        {not_adopted, REASON_NONE, TIME_NEVER},
        {blocked, REASON_ANOTHER_ROTATOR, TIME_NEVER},
        {presumed, REASON_ADOPTION_UNCONFIRMED, TIME_NEVER},
        {rotate_false, REASON_CONFIG, TIME_NEVER},
        {held, REASON_OPERATOR, NOW_MS + 7},
        {adoption_told, REASON_NONE, TIME_NEVER},
        {delivering, REASON_NONE, TIME_NEVER},
        {owed, REASON_NONE, TIME_NEVER},
        {acknowledged_another_key, REASON_NONE, TIME_NEVER},
        {without_targets, REASON_NONE, TIME_NEVER},
        {surprised, REASON_NONE, TIME_NEVER},
        {told_too_late, REASON_NONE, NOW_MS + 1},
        {just_started, REASON_NONE, NOW_MS + 5},
        {just_started_of_late_lists, REASON_NONE, NOW_MS + 5},
        {paused, REASON_THROTTLED, NOW_MS + 9},
        {may_still_regenerate, REASON_NONE, NOW_MS + 13},
        {changed_lately, REASON_NONE, NOW_MS + 17},
        {pair_busy, REASON_NONE, TIME_NEVER},
        {pair_forgotten, REASON_NONE, NOW_MS + 11},
    };
    struct interlock interlock;
    struct fixture f;

    (void)state;
    prepare(&f);
    interlock_ask(&f.context, &f.record, NOW_MS, &interlock);
    assert_true(interlock.open);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        prepare(&f);
        cases[i].spoil(&f);
        interlock_ask(&f.context, &f.record, NOW_MS, &interlock);
        assert_false(interlock.open);
        assert_int_equal(interlock.reason, cases[i].reason);
        assert_int_equal(interlock.until, cases[i].until);
        assert_int_equal(interlock.for_pair,
                         cases[i].spoil == pair_busy || cases[i].spoil == pair_forgotten);
        assert_true(interlock.text[0] != '\0');
        if (cases[i].until == TIME_NEVER || cases[i].spoil == held ||
            cases[i].spoil == pair_forgotten)
            continue;
        interlock_ask(&f.context, &f.record, cases[i].until, &interlock);
        assert_true(interlock.open);
    }
}

/* The longest wait is reported. */
static void test_both_waits(void **state)
{
    struct interlock interlock;
    struct fixture f;

    (void)state;
    prepare(&f);
    f.record.overlap_from = NOW_MS;
    f.context.daemon_started_at = NOW_MS;
    interlock_ask(&f.context, &f.record, NOW_MS, &interlock);
    assert_int_equal(interlock.until, NOW_MS + OVERLAP_MS);
    f.policy.overlap = 1;
    interlock_ask(&f.context, &f.record, NOW_MS, &interlock);
    assert_int_equal(interlock.until, NOW_MS + UNKNOWN_WAIT_MS);
}

/* --- pairs of keys of one resource --- */

/* The secondary key is to be regenerated. */
static void intend(struct fixture *f, struct rotation_target targets[2], enum position position)
{
    prepare(f);
    targets[0] = (struct rotation_target){.id = world_target_id(0), .required = true};
    targets[1] = (struct rotation_target){.id = world_target_id(1)};
    f->policy.rotate_every = f->policy.check_every = MS_DAY;
    f->timing.retry_max = MS_HOUR;
    f->context.targets = targets;
    f->context.target_count = 2;
    f->record.position = position;
    f->record.targets[1].acknowledged = true;
    f->record.cycle = 1;
    f->record.due_at = f->record.planned_at = NOW_MS;
    f->record.planned_with = MS_DAY;
    f->record.check_at = NOW_MS + MS_DAY;
    f->record.looked_at = NOW_MS;
    f->record.started_at = NOW_MS;
    f->record.intent = (struct intent){.open = true,
                                       .slot = SLOT_SECONDARY,
                                       .before = {world_fingerprint(1), world_fingerprint(2)},
                                       .written_at = NOW_MS,
                                       .attempts = 1};
}

/* The intent became durable: a regenerate follows, unless another pair is busy. */
static void test_intent_beside_another(void **state)
{
    const struct event event = {.kind = EVENT_PERSISTED, .now = NOW_MS};

    (void)state;
    for (int busy = 0; busy < 2; busy++) {
        struct rotation_target targets[2];
        struct effects effects;
        struct fixture f;

        intend(&f, targets, POSITION_INTENT);
        if (busy)
            pair_busy(&f);
        rotation_step(&f.context, &f.record, &event, &effects);
        assert_null(effects.fault);
        assert_int_equal(effects.action.kind, busy ? ACTION_NONE : ACTION_REGENERATE);
        assert_int_equal(f.record.intent.open, !busy);
        assert_int_equal(f.record.position, busy ? POSITION_IDLE : POSITION_REGENERATE);
        assert_int_equal(f.record.cycle, busy ? 0 : 1);
    }
}

/* The account that waits goes on by the event that says so, with its preflight. */
static void test_goes_on_by_the_event(void **state)
{
    const struct event event = {.kind = EVENT_WAKE, .now = NOW_MS};
    struct rotation_target targets[2];
    struct effects effects;
    struct fixture f;

    (void)state;
    intend(&f, targets, POSITION_IDLE);
    f.record.intent = (struct intent){0};
    pair_busy(&f);
    rotation_step(&f.context, &f.record, &event, &effects);
    assert_int_equal(f.record.position, POSITION_IDLE);
    assert_int_equal(effects.wake_at, f.record.check_at);
    f.context.pair_busy = NULL;
    rotation_step(&f.context, &f.record, &event, &effects);
    assert_int_equal(f.record.position, POSITION_PREFLIGHT);
}

/* A person is told which pair has its turn, until when about, and what to do. */
static void test_rotate_beside_another(void **state)
{
    const struct command command = {.kind = COMMAND_ROTATE};
    const struct event event = {.kind = EVENT_COMMAND, .now = NOW_MS, .command = &command};
    const time_ms abouts[] = {NOW_MS + 7, NOW_MS - 7};

    (void)state;
    for (size_t i = 0; i < sizeof(abouts) / sizeof(abouts[0]); i++) {
        struct rotation_target targets[2];
        struct effects effects;
        struct fixture f;

        intend(&f, targets, POSITION_IDLE);
        f.record.intent = (struct intent){0};
        pair_busy(&f);
        f.context.pair_busy_about = abouts[i];
        rotation_step(&f.context, &f.record, &event, &effects);
        assert_int_equal(effects.outcome, COMMAND_REFUSED);
        assert_int_equal(effects.refused_until, i == 0 ? NOW_MS + 7 : TIME_NEVER);
        assert_string_equal(effects.answer,
                            "another pair; `keyrotatectl status {account}` shows when that has "
                            "ended, then run `keyrotatectl rotate {account}` again");
    }
}

/* A resource that is written back whole was changed while the intent was made durable, or before
 * the look: that is waited for, and the intent is as if it had never been. */
static void test_whole_was_changed(void **state)
{
    const struct event event = {.kind = EVENT_PERSISTED, .now = NOW_MS};
    const struct event wake = {.kind = EVENT_WAKE, .now = NOW_MS + 17};
    struct rotation_target targets[2];
    struct rotation_view view;
    struct effects effects;
    struct fixture f;

    (void)state;
    intend(&f, targets, POSITION_INTENT);
    changed_lately(&f);
    rotation_step(&f.context, &f.record, &event, &effects);
    assert_null(effects.fault);
    assert_int_equal(effects.action.kind, ACTION_NONE);
    assert_false(f.record.intent.open);
    assert_int_equal(f.record.position, POSITION_IDLE);
    assert_int_equal(f.record.retry_reason, REASON_NONE);
    assert_int_equal(effects.wake_at, NOW_MS + 17);
    rotation_view(&f.context, &f.record, NOW_MS, &view);
    assert_int_equal(view.state, STATE_OK);
    assert_int_equal(view.next_at, NOW_MS + 17);
    assert_non_null(strstr(view.waits, "lists may still show"));
    rotation_step(&f.context, &f.record, &wake, &effects);
    assert_int_equal(f.record.position, POSITION_PREFLIGHT);
}

/* After a renewal nobody writes the resource until lists show it for sure. */
static void test_whole_is_kept_after_a_renewal(void **state)
{
    (void)state;
    for (int whole = 0; whole < 2; whole++) {
        const struct event event = {.kind = EVENT_REGENERATED,
                                    .now = NOW_MS,
                                    .live = {world_fingerprint(1), world_fingerprint(3)},
                                    .shown = {true, true}};
        const time_ms until = whole ? NOW_MS + UNKNOWN_WAIT_MS + 1000 : 0;
        struct rotation_target targets[2];
        struct effects effects;
        struct fixture f;

        intend(&f, targets, POSITION_REGENERATE);
        f.context.writes_whole = whole > 0;
        f.context.list_delay = 1000;
        rotation_step(&f.context, &f.record, &event, &effects);
        assert_null(effects.fault);
        assert_false(f.record.intent.open);
        assert_int_equal(interlock_busy_until(&f.record, &f.timing, MS_HOUR), until);
    }
}

/* The end of an intent is durable before another pair may have one. */
static void test_end_of_intent(void **state)
{
    (void)state;
    for (int shares = 0; shares < 2; shares++) {
        struct rotation_target targets[2];
        struct effects effects;
        struct fixture f;
        const struct event event = {.kind = EVENT_REGENERATED,
                                    .now = NOW_MS,
                                    .live = {world_fingerprint(1), world_fingerprint(3)},
                                    .shown = {true, true}};

        intend(&f, targets, POSITION_REGENERATE);
        f.context.shares_resource = shares > 0;
        rotation_step(&f.context, &f.record, &event, &effects);
        assert_null(effects.fault);
        assert_false(f.record.intent.open);
        assert_int_equal(effects.action.kind, ACTION_VERIFY_LIVE);
        assert_true(effects.persist);
        assert_int_equal(effects.wait, shares);
    }
}

/* The clock was set before the start: what waits count from is durable before it goes on. */
static void test_start_with_shifted_times(void **state)
{
    (void)state;
    for (int shifted = 0; shifted < 2; shifted++) {
        struct rotation_target targets[2];
        struct effects effects;
        struct fixture f;
        const struct event event = {.kind = EVENT_START, .now = NOW_MS, .shifted = shifted > 0};

        intend(&f, targets, POSITION_IDLE);
        f.record.intent = (struct intent){0};
        rotation_step(&f.context, &f.record, &event, &effects);
        assert_null(effects.fault);
        assert_int_equal(effects.action.kind, ACTION_LOOK);
        assert_true(effects.persist);
        assert_int_equal(effects.wait, shifted);
    }
}

/* Who is due says what it waits for; the others will not have to. */
static void test_view_beside_another(void **state)
{
    struct rotation_target targets[2];
    struct rotation_view view;
    struct fixture f;

    (void)state;
    for (int forgotten = 0; forgotten < 2; forgotten++) {
        intend(&f, targets, POSITION_IDLE);
        f.record.intent = (struct intent){0};
        if (forgotten)
            pair_forgotten(&f);
        else
            pair_busy(&f);
        rotation_view(&f.context, &f.record, NOW_MS, &view);
        assert_int_equal(view.state, STATE_OK);
        assert_string_equal(view.waits, "another pair");
        assert_false(view.stuck);
        assert_int_equal(view.next_at, NOW_MS);
        f.record.due_at = f.record.planned_at = NOW_MS + MS_HOUR;
        rotation_view(&f.context, &f.record, NOW_MS, &view);
        assert_null(view.waits);
        assert_int_equal(view.next_at, NOW_MS + MS_HOUR);
    }
}

/* Status says in words that the hub changed lately, and from when on it is renewed. */
static void test_view_of_what_changed_lately(void **state)
{
    struct rotation_target targets[2];
    struct rotation_view view;
    struct fixture f;

    (void)state;
    intend(&f, targets, POSITION_IDLE);
    f.record.intent = (struct intent){0};
    changed_lately(&f);
    rotation_view(&f.context, &f.record, NOW_MS, &view);
    assert_int_equal(view.state, STATE_OK);
    assert_non_null(view.waits);
    assert_non_null(strstr(view.waits, "was changed or seen for the first time a short while ago"));
    assert_false(view.stuck);
    assert_int_equal(view.next_at, NOW_MS + 17);
    assert_true(view.changes_at <= NOW_MS + 17);
    rotation_view(&f.context, &f.record, NOW_MS + 17, &view);
    assert_true(!view.waits || !strstr(view.waits, "was changed"));
}

static void test_busy_until(void **state)
{
    const struct timing timing = {.unknown_wait = 90};
    struct record record;

    (void)state;
    record_init(&record);
    assert_int_equal(interlock_busy_until(&record, &timing, 1000), 0);
    record.intent.settles_at = 7000; /* closed, in doubt */
    assert_int_equal(interlock_busy_until(&record, &timing, 1000), 7000);
    record.intent = (struct intent){.open = true, .written_at = 5000};
    assert_int_equal(interlock_busy_until(&record, &timing, 0), 5090);
    assert_int_equal(interlock_busy_until(&record, &timing, 1000), 6090);
    record.intent.settles_at = 7000;
    assert_int_equal(interlock_busy_until(&record, &timing, 1000), 7000);
    record.intent.ended = true; /* refused, and to be repeated */
    record.intent.settles_at = 0;
    assert_int_equal(interlock_busy_until(&record, &timing, 1000), 0);
    record.intent.settles_at = 5030; /* over, and not shown yet */
    assert_int_equal(interlock_busy_until(&record, &timing, 1000), 5030);
}

/* A look that serves a repair is urgent, and needs the keys alone; after a failure it asks for the
 * description too, which may tell why. */
static void test_looks_for_a_repair(void **state)
{
    static const struct {
        time_ms dead_since;
        bool surprised, owed;
        uint32_t attempts;
        bool urgent, describe;
    } cases[] = {
        {0, false, false, 0, false, true}, {5, false, false, 0, true, false},
        {0, true, false, 0, true, false},  {0, false, true, 0, true, false},
        {5, false, false, 1, true, true},
    };
    struct rotation_target targets[2] = {{.id = world_target_id(0), .required = true},
                                         {.id = world_target_id(1)}};
    const struct event event = {.kind = EVENT_WAKE, .now = NOW_MS};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct effects effects;
        struct fixture f;

        prepare(&f);
        f.context.targets = targets;
        f.context.target_count = 2;
        f.record.position = POSITION_IDLE;
        f.record.check_at = NOW_MS;
        f.record.targets[1].dead_since = cases[i].dead_since;
        f.record.unconfirmed.pending = cases[i].surprised;
        f.record.targets[0].acknowledged = !cases[i].owed;
        f.record.attempts = cases[i].attempts;
        rotation_step(&f.context, &f.record, &event, &effects);
        assert_int_equal(effects.action.kind, ACTION_LOOK);
        assert_int_equal(effects.action.urgent, cases[i].urgent);
        assert_int_equal(effects.action.describe, cases[i].describe);
    }
}

/* What rotation_check() calls broken. */
static void test_invariant(void **state)
{
    struct rotation_target targets[2] = {{.id = world_target_id(0)}, {.id = world_target_id(1)}};
    struct fixture f;

    (void)state;
#define BROKEN(change)                                                                             \
    do {                                                                                           \
        prepare(&f);                                                                               \
        f.context.targets = targets;                                                               \
        f.context.target_count = 2;                                                                \
        f.record.position = POSITION_IDLE;                                                         \
        assert_null(rotation_check(&f.context, &f.record));                                        \
        change;                                                                                    \
        assert_non_null(rotation_check(&f.context, &f.record));                                    \
    } while (0)
    BROKEN(f.record.position = POSITION_COUNT);
    BROKEN(f.record.active = (enum slot)SLOT_COUNT);
    BROKEN(f.record.target_count = 1);
    BROKEN(f.record.adopted = false);
    BROKEN(f.record.intent.open = true);
    BROKEN(f.record.position = POSITION_INTENT);
    BROKEN(f.record.delivering = SLOT_SECONDARY);
    BROKEN(f.record.live[1] = f.record.live[0]);
    BROKEN(f.record.live[0] = world_fingerprint(0));
    BROKEN(f.record.blocked = REASON_NETWORK);
    BROKEN(f.record.retry_reason = REASON_KEY_REFUSED);
    BROKEN({
        f.record.position = POSITION_REGENERATE;
        f.record.intent.open = true;
        f.record.intent.slot = f.record.active;
    });
    BROKEN({
        f.record.position = POSITION_DOUBT_WAIT;
        f.record.intent.open = true;
        f.record.intent.slot = SLOT_SECONDARY;
        f.record.delivering = SLOT_SECONDARY;
    });
#undef BROKEN
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_condition),
        cmocka_unit_test(test_both_waits),
        cmocka_unit_test(test_intent_beside_another),
        cmocka_unit_test(test_rotate_beside_another),
        cmocka_unit_test(test_goes_on_by_the_event),
        cmocka_unit_test(test_whole_was_changed),
        cmocka_unit_test(test_whole_is_kept_after_a_renewal),
        cmocka_unit_test(test_end_of_intent),
        cmocka_unit_test(test_start_with_shifted_times),
        cmocka_unit_test(test_view_beside_another),
        cmocka_unit_test(test_view_of_what_changed_lately),
        cmocka_unit_test(test_busy_until),
        cmocka_unit_test(test_looks_for_a_repair),
        cmocka_unit_test(test_invariant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
