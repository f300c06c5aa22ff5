#include "core/position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < POSITION_COUNT; i++) {
        for (int other = 0; other < i; other++)
            assert_string_not_equal(position_name((enum position)i),
                                    position_name((enum position)other));
    }
    assert_string_equal(position_name(POSITION_COUNT), "?");
}

/* Only a durable intent leads to a regenerate, and only a look leads to an intent. */
static void test_ways_that_matter(void **state)
{
    (void)state;
    for (int from = 0; from < POSITION_COUNT; from++) {
        enum position position = (enum position)from;

        assert_int_equal(position_move_allowed(position, POSITION_REGENERATE),
                         position == POSITION_INTENT);
        assert_int_equal(position_move_allowed(position, POSITION_INTENT),
                         position == POSITION_ROTATE_LOOK || position == POSITION_DOUBT_LOOK);
        assert_int_equal(position_move_allowed(position, POSITION_ROTATE_LOOK),
                         position == POSITION_PREFLIGHT);
        assert_int_equal(position_move_allowed(position, POSITION_PREFLIGHT),
                         position == POSITION_IDLE);
        assert_int_equal(position_move_allowed(position, POSITION_DELIVER),
                         position == POSITION_DELIVER_INTENT);
        assert_false(position_move_allowed(position, position));
    }
    assert_false(position_move_allowed(POSITION_COUNT, POSITION_IDLE));
    assert_false(position_move_allowed(POSITION_IDLE, POSITION_COUNT));
}

/* After a request has left, every way leads through a check of its outcome. */
static void test_doubt_is_not_left_unresolved(void **state)
{
    (void)state;
    assert_false(position_move_allowed(POSITION_DOUBT_WAIT, POSITION_IDLE));
    assert_false(position_move_allowed(POSITION_DOUBT_WAIT, POSITION_INTENT));
    assert_false(position_move_allowed(POSITION_DOUBT_WAIT, POSITION_ADOPT_LOOK));
    assert_false(position_move_allowed(POSITION_REGENERATE, POSITION_INTENT));
    assert_false(position_move_allowed(POSITION_REGENERATE, POSITION_ADOPT_LOOK));
    assert_false(position_move_allowed(POSITION_VERIFY_WAIT, POSITION_IDLE));
    assert_false(position_move_allowed(POSITION_REGENERATE, POSITION_POLL));
    assert_false(position_move_allowed(POSITION_OPERATION, POSITION_POLL));
    assert_false(position_move_allowed(POSITION_POLL_WAIT, POSITION_IDLE));
    assert_false(position_move_allowed(POSITION_POLL_WAIT, POSITION_INTENT));
    assert_false(position_move_allowed(POSITION_POLL, POSITION_IDLE));
}

static void test_everything_can_be_left_and_reached(void **state)
{
    (void)state;
    for (int i = 0; i < POSITION_COUNT; i++) {
        unsigned in = 0, out = 0;

        for (int other = 0; other < POSITION_COUNT; other++) {
            in += position_move_allowed((enum position)other, (enum position)i);
            out += position_move_allowed((enum position)i, (enum position)other);
        }
        assert_true(in > 0);
        assert_true(out > 0);
    }
}

static void test_kinds(void **state)
{
    static const struct {
        enum position position;
        bool needs_keys, awaits_time;
    } cases[] = {
        {POSITION_ADOPT_WAIT, false, true},     {POSITION_ADOPT_LOOK, true, false},
        {POSITION_IDLE, false, true},           {POSITION_CHECK_LOOK, true, false},
        {POSITION_PROVE_TARGET, true, false},   {POSITION_PROVE_LIVE, true, false},
        {POSITION_CONFIRM_WAIT, false, true},   {POSITION_PREFLIGHT, false, false},
        {POSITION_ROTATE_LOOK, true, false},    {POSITION_INTENT, true, false},
        {POSITION_REGENERATE, true, false},     {POSITION_OPERATION, true, false},
        {POSITION_POLL_WAIT, false, true},      {POSITION_POLL, false, false},
        {POSITION_DOUBT_WAIT, false, true},     {POSITION_DOUBT_LOOK, true, false},
        {POSITION_VERIFY_LOOK, true, false},    {POSITION_VERIFY, true, false},
        {POSITION_VERIFY_WAIT, false, true},    {POSITION_DELIVER_LOOK, true, false},
        {POSITION_DELIVER_INTENT, true, false}, {POSITION_DELIVER, true, false},
        {POSITION_DELIVER_WAIT, false, true},
    };

    (void)state;
    assert_int_equal(sizeof(cases) / sizeof(cases[0]), POSITION_COUNT);
    for (size_t i = 0; i < POSITION_COUNT; i++) {
        assert_int_equal(position_needs_keys(cases[i].position), cases[i].needs_keys);
        assert_int_equal(position_awaits_time(cases[i].position), cases[i].awaits_time);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_ways_that_matter),
        cmocka_unit_test(test_doubt_is_not_left_unresolved),
        cmocka_unit_test(test_everything_can_be_left_and_reached),
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
