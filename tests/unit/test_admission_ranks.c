#include "admission_fixture.h"

static void test_ranks_go_before_turns(void **state)
{
    (void)state;
    start(1, 1);
    rank(8, 10, ADMISSION_SOON);
    rank(10, 11, ADMISSION_FIRST);
    rank(12, 13, ADMISSION_FIRST);
    enter(0, 10, "a", "ops", ADMISSION_WRITE);
    enter(10, 11, "a", "ops", ADMISSION_READ); /* of another lane */
    enter(11, 13, "b", "ops", ADMISSION_READ); /* of another subscription */
    for (size_t i = 0; i < 13; i++) {
        fake_loop_run(0);
        assert_int_equal(admitted_count, i + 1);
        admission_leave(&requests[order[i]]);
    }
    assert_true((order[0] == 10 && order[1] == 12) || (order[0] == 12 && order[1] == 10));
    assert_int_equal(order[2], 8);
    assert_int_equal(order[3], 9);
    assert_int_equal(order[12], 7);
    stop();
}

/* Repairs may want all that there is for as long as their target is gone: the others go on slowly.
 */
static void test_no_rank_starves(void **state)
{
    (void)state;
    start(1, 1);
    rank(0, 40, ADMISSION_FIRST);
    rank(42, 43, ADMISSION_SOON);
    enter(0, 43, "a", "ops", ADMISSION_WRITE);
    for (size_t i = 0; i < 20; i++) {
        fake_loop_run(0);
        assert_int_equal(admitted_count, i + 1);
        admission_leave(&requests[order[i]]);
    }
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(order[i], i);
    assert_int_equal(order[7], 40);
    assert_int_equal(order[8], 42);
    for (size_t i = 9; i < 15; i++)
        assert_int_equal(order[i], i - 2);
    assert_int_equal(order[15], 41);
    assert_int_equal(order[16], 13);
    stop();
}

/* One that cannot go, because its provider is closed, keeps nobody waiting. */
static void test_no_rank_waits_for_a_closed_lane(void **state)
{
    (void)state;
    start(1, 1);
    requests[41].provider = "Microsoft.Storage/storageAccounts";
    enter(41, 42, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(0);
    admission_server_refused(&requests[41], ADMISSION_OF_PROVIDER, 30 * MS_SECOND);
    admission_leave(&requests[41]);
    rank(0, 20, ADMISSION_FIRST);
    enter(0, 20, "a", "ops", ADMISSION_WRITE);
    enter(41, 42, "a", "ops", ADMISSION_WRITE);
    for (size_t i = 1; i < 21; i++) {
        fake_loop_run(0);
        assert_int_equal(admitted_count, i + 1);
        assert_int_equal(order[i], i - 1);
        admission_leave(&requests[order[i]]);
    }
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks_go_before_turns),
        cmocka_unit_test(test_no_rank_starves),
        cmocka_unit_test(test_no_rank_waits_for_a_closed_lane),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
