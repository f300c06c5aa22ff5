#include "core/commit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/record_table.h"
#include "store_fixture.h"

static struct effects decide(const struct record *before, const struct record *after)
{
    struct effects effects = {0};

    commit_decide(before, after, &effects);
    return effects;
}

/* --- a commit is made where a restart would read something else --- */

static void test_nothing_changed_nothing_is_written(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct record record;
        struct effects effects;

        record_randomize(&record, seed);
        record.position = POSITION_IDLE;
        effects = decide(&record, &record);
        assert_false(effects.persist);
        assert_false(effects.wait);
    }
}

static void test_a_change_of_any_member_is_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < record_table.count; i++) {
        const struct record_member *member = &record_table.members[i];
        struct record before, after;

        if (member->kind == MEMBER_POSITION)
            continue;
        record_init(&before);
        before.position = POSITION_IDLE;
        after = before;
        ((char *)&after)[member->offset] = 1;
        assert_true(decide(&before, &after).persist);
        assert_true(decide(&after, &before).persist);
    }
}

static bool move_is_written(enum position from, enum position to)
{
    struct record before, after;

    record_init(&before);
    before.position = from;
    after = before;
    after.position = to;
    return decide(&before, &after).persist;
}

static void test_moves_that_a_restart_undoes_are_not_written(void **state)
{
    (void)state;
    assert_false(move_is_written(POSITION_IDLE, POSITION_CHECK_LOOK));
    assert_false(move_is_written(POSITION_CHECK_LOOK, POSITION_IDLE));
    assert_false(move_is_written(POSITION_IDLE, POSITION_PREFLIGHT));
    assert_false(move_is_written(POSITION_PREFLIGHT, POSITION_ROTATE_LOOK));
    assert_false(move_is_written(POSITION_INTENT, POSITION_REGENERATE));
    assert_false(move_is_written(POSITION_DELIVER_INTENT, POSITION_DELIVER));
    assert_true(move_is_written(POSITION_ROTATE_LOOK, POSITION_INTENT));
    assert_true(move_is_written(POSITION_REGENERATE, POSITION_VERIFY));
    assert_true(move_is_written(POSITION_VERIFY, POSITION_DELIVER_INTENT));
    /* A restart waits for a delivery that may have been under way. */
    assert_true(move_is_written(POSITION_DELIVER, POSITION_DELIVER_WAIT));
}

/* --- what is waited for --- */

static void intend(struct record *record)
{
    record->position = POSITION_INTENT;
    record->intent.written_at = 2;
}

static void intend_to_deliver(struct record *record)
{
    record->position = POSITION_DELIVER_INTENT;
    record->targets[0].delivery_intended = true;
}

static void complete(struct record *record)
{
    record->completed_at = 2;
}

static void hold(struct record *record)
{
    record->hold_id = 7;
}

static void block(struct record *record)
{
    record->blocked = REASON_ACCOUNT_NOT_FOUND;
}

static void change_elsewhere(struct record *record)
{
    record->foreign_change_at = 2;
}

static void change_both_elsewhere(struct record *record)
{
    record->both_changed_at = 2;
}

static void meet_another_rotator(struct record *record)
{
    record->another_rotator = true;
}

static void void_acknowledgement(struct record *record)
{
    record->targets[0].acknowledged = false;
}

static void begin_overlap(struct record *record)
{
    record_begin_overlap(record, 2);
}

static void suspect(struct record *record)
{
    record->unconfirmed.pending = true;
}

static void ask_to_adopt(struct record *record)
{
    record->adopt_asked = true;
}

static void lose_adoption(struct record *record)
{
    record->adopted = false;
}

static void require(struct record *record)
{
    record->targets[1].required = true;
}

static void add_target(struct record *record)
{
    record->targets[record->target_count++].id.bytes[0] = 3;
}

static void ask_for_a_pause(struct record *record)
{
    record->regenerate_after = 2;
}

static void well(struct record *record)
{
    record_init(record);
    record->position = POSITION_IDLE;
    record->adopted = true;
    record->target_count = 2;
    record->targets[0].id.bytes[0] = 1;
    record->targets[0].required = record->targets[0].acknowledged = true;
    record->targets[1].id.bytes[0] = 2;
}

static void test_what_the_account_must_not_forget_is_waited_for(void **state)
{
    void (*const changes[])(struct record *) = {
        intend,        intend_to_deliver,
        complete,      hold,
        block,         change_elsewhere,
        begin_overlap, change_both_elsewhere,
        suspect,       meet_another_rotator,
        ask_to_adopt,  void_acknowledgement,
        lose_adoption, require,
        add_target,    ask_for_a_pause,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct record before, after;
        struct effects effects;

        well(&before);
        after = before;
        changes[i](&after);
        effects = decide(&before, &after);
        assert_true(effects.persist);
        assert_true(effects.wait);
    }
}

static void look(struct record *record)
{
    record->looked_at = record->check_at = 2;
}

static void meet_trouble(struct record *record)
{
    record->retry_reason = REASON_NETWORK;
    record->attempts = 1;
    record->retry_at = 2;
}

static void regenerate(struct record *record)
{
    record->position = POSITION_VERIFY;
    record->delivering = SLOT_SECONDARY;
}

static void acknowledge(struct record *record)
{
    record->targets[1].acknowledged = true;
}

static void test_the_rest_is_written_and_not_waited_for(void **state)
{
    void (*const changes[])(struct record *) = {look, meet_trouble, regenerate, acknowledge};

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct record before, after;
        struct effects effects;

        well(&before);
        after = before;
        changes[i](&after);
        effects = decide(&before, &after);
        assert_true(effects.persist);
        assert_false(effects.wait);
    }
}

static void test_a_command_waits_for_what_it_changed(void **state)
{
    struct effects effects = {.outcome = COMMAND_ACCEPTED};
    struct record before, after;

    (void)state;
    well(&before);
    after = before;
    after.requested = true;
    commit_decide(&before, &after, &effects);
    assert_true(effects.persist);
    assert_true(effects.wait);

    effects = (struct effects){.outcome = COMMAND_REFUSED};
    commit_decide(&before, &before, &effects);
    assert_false(effects.persist);
    assert_false(effects.wait);
}

/* The look must not get too old meanwhile. */
static void test_what_rests_on_a_commit_waits_for_no_other(void **state)
{
    struct effects effects = {.action = {.kind = ACTION_REGENERATE}};
    struct record before, after;

    (void)state;
    well(&before);
    after = before;
    add_target(&after);
    commit_decide(&before, &after, &effects);
    assert_true(effects.persist);
    assert_false(effects.wait);
}

static void test_history_is_written(void **state)
{
    struct effects effects = {.note_count = 1};
    struct record record;

    (void)state;
    well(&record);
    commit_decide(&record, &record, &effects);
    assert_true(effects.persist);
    assert_false(effects.wait);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_changed_nothing_is_written),
        cmocka_unit_test(test_a_change_of_any_member_is_written),
        cmocka_unit_test(test_moves_that_a_restart_undoes_are_not_written),
        cmocka_unit_test(test_what_the_account_must_not_forget_is_waited_for),
        cmocka_unit_test(test_the_rest_is_written_and_not_waited_for),
        cmocka_unit_test(test_a_command_waits_for_what_it_changed),
        cmocka_unit_test(test_what_rests_on_a_commit_waits_for_no_other),
        cmocka_unit_test(test_history_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
