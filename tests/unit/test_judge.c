#include "core/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rotation_world.h"

/* Keys are numbers: 1 and 2 are recorded (primary, active, and secondary), 7 and 8 were replaced.
 */
enum { TARGETS = 3, UNSEEN = -1, EMPTY = 0, FOREIGN = -2, BOTH = -3 };

static void make_record(struct record *record)
{
    record_init(record);
    record->adopted = true;
    record->cycle = 5;
    record->live[SLOT_PRIMARY] = world_fingerprint(1);
    record->live[SLOT_SECONDARY] = world_fingerprint(2);
    record->replaced[0] = world_fingerprint(8);
    record->replaced[1] = world_fingerprint(7);
    record->target_count = TARGETS;
    for (size_t i = 0; i < TARGETS; i++)
        record->targets[i] = (struct target_record){.id = world_target_id(i),
                                                    .required = i < 2,
                                                    .acknowledged = true,
                                                    .fingerprint = world_fingerprint(1)};
}

static void make_look(struct look *look, unsigned primary, unsigned secondary,
                      const int holds[TARGETS])
{
    *look = (struct look){.live = {world_fingerprint(primary), world_fingerprint(secondary)}};
    for (size_t i = 0; i < TARGETS; i++) {
        struct sighting *sighting = &look->targets[look->target_count];

        if (holds[i] == UNSEEN)
            continue;
        *sighting = (struct sighting){.target = world_target_id(i), .kind = SIGHTING_KEYS};
        if (holds[i] == EMPTY)
            sighting->kind = SIGHTING_EMPTY;
        else if (holds[i] == FOREIGN)
            sighting->kind = SIGHTING_FOREIGN;
        else
            sighting->keys[sighting->key_count++] =
                world_fingerprint(holds[i] == BOTH ? primary : (unsigned)holds[i]);
        if (holds[i] == BOTH)
            sighting->keys[sighting->key_count++] = world_fingerprint(secondary);
        look->target_count++;
    }
}

static void test_holding(void **state)
{
    static const struct {
        int holds;
        enum holding holding;
    } cases[] = {
        {UNSEEN, HOLDING_UNSEEN}, {EMPTY, HOLDING_EMPTY}, {FOREIGN, HOLDING_FOREIGN},
        {1, HOLDING_PRIMARY},     {2, HOLDING_SECONDARY}, {BOTH, HOLDING_BOTH},
        {9, HOLDING_DEAD_KEY},
    };
    struct target_id id = world_target_id(1);
    struct look look;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        make_look(&look, 1, 2, (const int[TARGETS]){1, cases[i].holds, 1});
        assert_int_equal(judge_holding(&look, &id), cases[i].holding);
    }
    assert_true(judge_holds(HOLDING_BOTH, SLOT_SECONDARY));
    assert_true(judge_holds(HOLDING_PRIMARY, SLOT_PRIMARY));
    assert_false(judge_holds(HOLDING_PRIMARY, SLOT_SECONDARY));
    assert_false(judge_holds(HOLDING_DEAD_KEY, SLOT_PRIMARY));
}

static void test_drift(void **state)
{
    static const struct {
        unsigned primary, secondary;
        int holds[TARGETS];
        enum verdict_kind kind;
        enum drift_kind drift;
        bool accept, standby_in_use;
    } cases[] = {
        {1, 2, {1, 1, 1}, VERDICT_AS_RECORDED, DRIFT_NONE, false, false},
        {1, 2, {1, UNSEEN, UNSEEN}, VERDICT_AS_RECORDED, DRIFT_NONE, false, false},
        {1, 2, {UNSEEN, UNSEEN, UNSEEN}, VERDICT_AS_RECORDED, DRIFT_NONE, false, false},
        {1, 2, {EMPTY, 1, 1}, VERDICT_DRIFT, DRIFT_TARGET_CHANGED, false, false},
        {1, 2, {FOREIGN, 1, 1}, VERDICT_DRIFT, DRIFT_TARGET_CHANGED, false, false},
        {1, 2, {9, 1, 1}, VERDICT_DRIFT, DRIFT_TARGET_CHANGED, false, false},
        {1, 2, {1, 2, 1}, VERDICT_DRIFT, DRIFT_TARGET_CHANGED, false, true},
        {1, 2, {1, BOTH, 1}, VERDICT_DRIFT, DRIFT_TARGET_CHANGED, false, true},
        {1, 2, {1, 1, 9}, VERDICT_DRIFT, DRIFT_TARGET_CHANGED, false, false},
        {1, 3, {1, 1, 1}, VERDICT_DRIFT, DRIFT_STANDBY_CHANGED, false, false},
        {1, 3, {1, EMPTY, 1}, VERDICT_DRIFT, DRIFT_STANDBY_CHANGED, false, false},
        {1, 3, {3, 3, 1}, VERDICT_DRIFT, DRIFT_ROTATED_ELSEWHERE, false, true},
        {1, 3, {3, UNSEEN, 1}, VERDICT_DRIFT, DRIFT_ROTATED_ELSEWHERE, false, true},
        {1, 3, {3, 1, 1}, VERDICT_DRIFT, DRIFT_TARGETS_DISAGREE, false, true},
        {3, 2, {1, 1, 1}, VERDICT_DRIFT, DRIFT_ACTIVE_CHANGED, false, false},
        {3, 2, {3, 3, 1}, VERDICT_DRIFT, DRIFT_ACTIVE_CHANGED, true, false},
        {3, 2, {3, 1, 1}, VERDICT_DRIFT, DRIFT_ACTIVE_CHANGED, false, false},
        {3, 2, {UNSEEN, UNSEEN, 3}, VERDICT_DRIFT, DRIFT_ACTIVE_CHANGED, false, false},
        {3, 2, {2, 1, 1}, VERDICT_DRIFT, DRIFT_TARGETS_DISAGREE, false, true},
        {3, 4, {1, 1, 1}, VERDICT_DRIFT, DRIFT_JOURNAL_UNFIT, false, false},
        {7, 2, {1, 1, 1}, VERDICT_LATE, DRIFT_NONE, false, false},
        {1, 8, {1, 1, 1}, VERDICT_LATE, DRIFT_NONE, false, false},
        {7, 3, {1, 1, 1}, VERDICT_LATE, DRIFT_NONE, false, false},
    };
    struct record record;
    struct look look;

    (void)state;
    make_record(&record);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verdict verdict;

        make_look(&look, cases[i].primary, cases[i].secondary, cases[i].holds);
        verdict = judge_drift(&record, &look);
        if (verdict.drift != cases[i].drift)
            fprintf(stderr, "case %zu: %s\n", i, drift_name(verdict.drift));
        assert_int_equal(verdict.kind, cases[i].kind);
        assert_int_equal(verdict.drift, cases[i].drift);
        assert_int_equal(verdict.accept, cases[i].accept);
        assert_int_equal(verdict.standby_in_use, cases[i].standby_in_use);
    }
    /* An optional target that was never given the key owes nothing. */
    record.targets[2].acknowledged = false;
    make_look(&look, 1, 2, (const int[TARGETS]){1, 1, 9});
    assert_int_equal(judge_drift(&record, &look).kind, VERDICT_AS_RECORDED);
}

static void test_later_cycle(void **state)
{
    struct record record;
    struct look look;

    (void)state;
    make_record(&record);
    make_look(&look, 1, 2, (const int[TARGETS]){1, 1, 1});
    look.targets[1].cycle = 5;
    assert_int_equal(judge_drift(&record, &look).kind, VERDICT_AS_RECORDED);
    look.targets[1].cycle = 6;
    assert_int_equal(judge_drift(&record, &look).drift, DRIFT_JOURNAL_UNFIT);
    assert_int_equal(judge_delivery(&record, &look).drift, DRIFT_JOURNAL_UNFIT);
}

/* The secondary key (2) is under delivery. */
static void test_delivery(void **state)
{
    static const struct {
        unsigned primary, secondary;
        enum verdict_kind kind;
        enum drift_kind drift;
        bool other_changed;
    } cases[] = {
        {1, 2, VERDICT_AS_RECORDED, DRIFT_NONE, false},
        {3, 2, VERDICT_AS_RECORDED, DRIFT_NONE, true},
        {1, 3, VERDICT_DRIFT, DRIFT_ACTIVE_CHANGED, false},
        {3, 4, VERDICT_DRIFT, DRIFT_ACTIVE_CHANGED, true},
        {1, 8, VERDICT_LATE, DRIFT_NONE, false},
        {7, 2, VERDICT_LATE, DRIFT_NONE, false},
    };
    struct record record;
    struct look look;

    (void)state;
    make_record(&record);
    record.delivering = SLOT_SECONDARY;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verdict verdict;

        make_look(&look, cases[i].primary, cases[i].secondary, (const int[TARGETS]){1, 1, 1});
        verdict = judge_delivery(&record, &look);
        assert_int_equal(verdict.kind, cases[i].kind);
        assert_int_equal(verdict.drift, cases[i].drift);
        assert_int_equal(verdict.other_changed, cases[i].other_changed);
    }
}

static void test_adoption(void **state)
{
    static const struct {
        int holds[TARGETS];
        int hint; /* -1: none */
        bool settled;
        enum slot slot;
        enum reason reason;
        int against; /* -1: no target in particular */
    } cases[] = {
        {{1, 1, 1}, -1, true, SLOT_PRIMARY, REASON_NONE, -1},
        {{2, UNSEEN, 1}, -1, true, SLOT_SECONDARY, REASON_NONE, -1},
        {{EMPTY, 2, 1}, -1, true, SLOT_SECONDARY, REASON_NONE, -1},
        {{EMPTY, UNSEEN, 1}, -1, false, SLOT_PRIMARY, REASON_ACTIVE_KEY_UNKNOWN, -1},
        {{EMPTY, EMPTY, 1}, 1, true, SLOT_SECONDARY, REASON_NONE, -1},
        {{2, 2, 1}, 1, true, SLOT_SECONDARY, REASON_NONE, -1},
        {{2, 2, 1}, 0, false, SLOT_PRIMARY, REASON_TARGETS_DISAGREE, -1},
        {{1, 2, 1}, -1, false, SLOT_PRIMARY, REASON_TARGETS_DISAGREE, 1},
        {{1, BOTH, 1}, -1, false, SLOT_PRIMARY, REASON_TARGETS_DISAGREE, 1},
        {{9, 1, 1}, 0, false, SLOT_PRIMARY, REASON_TARGET_HOLDS_UNKNOWN_KEY, 0},
        {{1, FOREIGN, 1}, 0, false, SLOT_PRIMARY, REASON_TARGET_HOLDS_UNKNOWN_KEY, 1},
        {{1, 1, 9}, -1, true, SLOT_PRIMARY, REASON_NONE, -1},
    };
    struct record record;
    struct look look;

    (void)state;
    make_record(&record);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct adoption_hint hint = {.has_active = cases[i].hint >= 0,
                                     .active = cases[i].hint == 1 ? SLOT_SECONDARY : SLOT_PRIMARY};
        struct adoption adoption;

        make_look(&look, 1, 2, cases[i].holds);
        adoption = judge_adoption(&record, &look, &hint);
        assert_int_equal(adoption.settled, cases[i].settled);
        assert_int_equal(adoption.reason, cases[i].reason);
        if (cases[i].settled)
            assert_int_equal(adoption.slot, cases[i].slot);
        assert_int_equal(adoption.has_target, cases[i].against >= 0);
        if (cases[i].against >= 0)
            assert_int_equal(adoption.target.bytes[0], cases[i].against + 1);
        /* An operator's decision settles everything. */
        hint.asked = true;
        hint.asked_slot = SLOT_SECONDARY;
        adoption = judge_adoption(&record, &look, &hint);
        assert_true(adoption.settled);
        assert_int_equal(adoption.slot, SLOT_SECONDARY);
    }
}

static void test_unanimous(void **state)
{
    struct record record;
    struct look look;

    (void)state;
    make_record(&record);
    make_look(&look, 1, 2, (const int[TARGETS]){1, UNSEEN, 9});
    assert_true(judge_unanimous(&record, &look, SLOT_PRIMARY));
    assert_false(judge_unanimous(&record, &look, SLOT_SECONDARY));
    make_look(&look, 1, 2, (const int[TARGETS]){1, 2, 1});
    assert_false(judge_unanimous(&record, &look, SLOT_PRIMARY));
    make_look(&look, 1, 2, (const int[TARGETS]){UNSEEN, UNSEEN, 1});
    assert_false(judge_unanimous(&record, &look, SLOT_PRIMARY));
}

static void test_digest(void **state)
{
    static const int shows[][TARGETS] = {{1, 1, 1},     {1, 1, 2},       {1, 1, UNSEEN},
                                         {1, 1, EMPTY}, {1, 1, FOREIGN}, {1, 1, BOTH},
                                         {1, UNSEEN, 1}};
    enum { COUNT = sizeof(shows) / sizeof(shows[0]) };
    struct fingerprint digests[COUNT];
    struct look look;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        make_look(&look, 1, 2, shows[i]);
        digests[i] = judge_digest(&look);
        for (size_t other = 0; other < i; other++)
            assert_false(fingerprint_equal(&digests[i], &digests[other]));
    }
    make_look(&look, 1, 2, shows[0]);
    look.taken_at = 5;
    look.clock_skew = 7;
    digests[1] = judge_digest(&look);
    assert_true(fingerprint_equal(&digests[0], &digests[1]));
}

static void test_replaced_keys(void **state)
{
    struct record record;
    struct fingerprint none = world_fingerprint(0);

    (void)state;
    record_init(&record);
    for (unsigned key = 1; key <= REPLACED_MAX + 2; key++) {
        record.live[SLOT_PRIMARY] = none;
        record.live[SLOT_SECONDARY] = world_fingerprint(key);
        record_add_replaced(&record, SLOT_SECONDARY, key);
        record_add_replaced(&record, SLOT_SECONDARY, key + 1);
        record_add_replaced(&record, SLOT_PRIMARY, key);
    }
    for (unsigned i = 0; i < REPLACED_MAX; i++) {
        assert_int_equal(record.replaced_slot[i], SLOT_SECONDARY);
        assert_int_equal(record.replaced_at[i], REPLACED_MAX + 2 - i);
    }
    for (unsigned key = 1; key <= REPLACED_MAX + 2; key++) {
        struct fingerprint fingerprint = world_fingerprint(key);

        assert_int_equal(record_is_replaced(&record, &fingerprint), key > 2);
        record_remove_replaced(&record, &fingerprint);
        assert_false(record_is_replaced(&record, &fingerprint));
    }
    for (unsigned i = 0; i < REPLACED_MAX; i++) {
        assert_int_equal(record.replaced_slot[i], SLOT_PRIMARY);
        assert_int_equal(record.replaced_at[i], 0);
    }
    assert_false(record_is_replaced(&record, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holding),     cmocka_unit_test(test_drift),
        cmocka_unit_test(test_later_cycle), cmocka_unit_test(test_delivery),
        cmocka_unit_test(test_adoption),    cmocka_unit_test(test_unanimous),
        cmocka_unit_test(test_digest),      cmocka_unit_test(test_replaced_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
