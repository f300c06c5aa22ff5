#include "admission_fixture.h"

static void test_limits_in_flight(void **state)
{
    (void)state;
    start(10, 4);
    enter(0, 20, "a", "ops", ADMISSION_READ);
    assert_int_equal(admitted_count, 0);
    fake_loop_run(0);
    assert_int_equal(admitted_count, 4);
    enter(20, 40, "b", "ops", ADMISSION_READ);
    enter(40, 60, "c", "ops", ADMISSION_READ);
    fake_loop_run(0);
    assert_int_equal(admitted_count, 10);
    admission_leave(&requests[order[0]]);
    fake_loop_run(0);
    assert_int_equal(admitted_count, 11);
    admission_set_limits(admission, 12, 8);
    fake_loop_run(0);
    assert_int_equal(admitted_count, 13);
    stop();
}

static void test_subscriptions_take_turns(void **state)
{
    (void)state;
    start(1, 1);
    enter(0, 10, "a", "ops", ADMISSION_READ);
    enter(10, 12, "b", "ops", ADMISSION_READ);
    enter(12, 14, "C", "ops", ADMISSION_READ);
    for (size_t i = 0; i < 14; i++) {
        fake_loop_run(0);
        assert_int_equal(admitted_count, i + 1);
        admission_leave(&requests[order[i]]);
    }
    assert_int_equal(order[0], 0);
    assert_int_equal(order[1], 10);
    assert_int_equal(order[2], 12);
    assert_int_equal(order[3], 1);
    assert_int_equal(order[4], 11);
    assert_int_equal(order[5], 13);
    assert_int_equal(order[6], 2);
    stop();
}

static void test_reads_pass_waiting_writes(void **state)
{
    (void)state;
    start(1000, 1000);
    enter(0, 210, "a", "ops", ADMISSION_WRITE);
    enter(210, 220, "A", "ops", ADMISSION_READ);
    enter(220, 230, "a", "ops", ADMISSION_DATA);
    fake_loop_run(0);
    assert_int_equal(admitted_count, 220); /* 200 writes, and all that are no writes */
    fake_loop_run(550);
    assert_int_equal(admitted_count, 225);
    fake_loop_run(MS_SECOND);
    assert_int_equal(admitted_count, 230);
    stop();
}

static void test_buckets_are_per_identity(void **state)
{
    (void)state;
    start(1000, 1000);
    enter(0, 250, "a", "ops", ADMISSION_WRITE);
    enter(250, 500, "a", "dev", ADMISSION_WRITE);
    fake_loop_run(0);
    assert_int_equal(admitted_count, 400);
    stop();
}

static void test_server_remaining(void **state)
{
    (void)state;
    start(1000, 1000);
    enter(0, 1, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(0);
    admission_server_remaining(&requests[0], ADMISSION_OF_MANAGER, 3);
    leave(0, 1);
    enter(1, 11, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(0);
    assert_int_equal(admitted_count, 4);
    stop();
}

static void test_server_refused(void **state)
{
    duration_ms wait = -1;

    (void)state;
    start(1000, 1000);
    enter(0, 2, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(0);
    enter(2, 5, "a", "ops", ADMISSION_WRITE);
    enter(5, 6, "a", "ops", ADMISSION_READ);
    enter(6, 7, "b", "ops", ADMISSION_WRITE);
    assert_false(admission_waits_for_server(&requests[2], &wait));
    admission_server_refused(&requests[0], ADMISSION_OF_MANAGER, 10 * MS_SECOND);
    admission_server_refused(&requests[1], ADMISSION_OF_MANAGER, 10 * MS_SECOND);
    leave(0, 2);
    assert_int_equal(warnings, 1);
    assert_non_null(strstr(last_message, "none for 10s, 3 waiting"));
    fake_loop_run(4 * MS_SECOND);
    assert_int_equal(admitted_count, 4); /* only requests of that lane wait */
    assert_true(admission_waits_for_server(&requests[2], &wait));
    assert_int_equal(wait, 6 * MS_SECOND);
    assert_false(admission_waits_for_server(&requests[5], &wait));
    fake_loop_run(6 * MS_SECOND);
    assert_int_equal(admitted_count, 4);
    stop();
}

/* After a pause one request finds out whether Azure answers again. */
static void test_one_goes_first_after_a_refusal(void **state)
{
    duration_ms wait = -1;

    (void)state;
    start(1000, 1000);
    enter(0, 1, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(0);
    enter(1, 6, "a", "ops", ADMISSION_WRITE);
    rank(6, 7, ADMISSION_FIRST);
    enter(6, 7, "a", "ops", ADMISSION_WRITE);
    admission_server_refused(&requests[0], ADMISSION_OF_MANAGER,
                             MS_DAY); /* for a minute, whatever it asks for */
    leave(0, 1);
    fake_loop_run(MS_MINUTE + MS_SECOND);
    assert_int_equal(admitted_count, 2);
    assert_int_equal(order[1], 6);
    assert_true(admission_waits_for_server(&requests[1], &wait));
    assert_int_equal(wait, 0);
    admission_server_refused(&requests[6], ADMISSION_OF_MANAGER, 0);
    leave(6, 7);
    fake_loop_run(4 * MS_SECOND);
    assert_int_equal(admitted_count, 2);
    fake_loop_run(2 * MS_SECOND);
    assert_int_equal(admitted_count, 3);
    assert_int_equal(order[2], 1);
    leave(1, 2); /* it has learned nothing: the next one tries */
    fake_loop_run(MS_MINUTE);
    assert_int_equal(admitted_count, 4);
    assert_int_equal(order[3], 2);
    admission_server_remaining(&requests[2], ADMISSION_OF_MANAGER, -1);
    leave(2, 3);
    fake_loop_run(MS_SECOND);
    assert_int_equal(admitted_count, 7);
    assert_int_equal(warnings, 1);
    assert_int_equal(ends, 0);
    (void)log_troubles_due(troubles, TIME_NEVER - 1, true);
    assert_int_equal(ends, 1);
    stop();
}

/* An answer to what was sent before the refusal opens nothing. */
static void test_late_answers_open_no_lane(void **state)
{
    (void)state;
    start(1000, 1000);
    enter(0, 2, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(0);
    admission_server_refused(&requests[0], ADMISSION_OF_MANAGER, 10 * MS_SECOND);
    admission_server_remaining(&requests[1], ADMISSION_OF_MANAGER, 50);
    leave(0, 2);
    enter(2, 6, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(MS_MINUTE);
    assert_int_equal(admitted_count, 3);
    stop();
}

static void test_leaving_the_queue(void **state)
{
    (void)state;
    start(1, 1);
    enter(0, 3, "a", "ops", ADMISSION_READ);
    fake_loop_run(0);
    admission_leave(&requests[1]);
    admission_leave(&requests[1]);
    admission_leave(&requests[0]);
    fake_loop_run(0);
    assert_int_equal(admitted_count, 2);
    assert_int_equal(order[1], 2);
    /* A request that has left may be entered again. */
    leave(2, 3);
    enter(1, 2, "a", "ops", ADMISSION_READ);
    fake_loop_run(0);
    assert_int_equal(admitted_count, 3);
    stop();
}

/* A long time and many requests: the pace is exactly what Azure grants. */
static void test_pace(void **state)
{
    (void)state;
    start(1000, 1000);
    enter(0, 1000, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(0);
    fake_loop_run(40 * MS_SECOND);
    assert_int_equal(admitted_count, 600);
    fake_loop_run(40 * MS_SECOND);
    assert_int_equal(admitted_count, 1000);
    stop();
}

/* A request that is silent for too long moves to a slow place; its own place goes to one that
 * waits. */
static void test_silent_requests_move_to_the_slow_pool(void **state)
{
    (void)state;
    start(4, 4);
    enter(0, 4, "a", "ops", ADMISSION_READ);
    enter(4, 8, "b", "ops", ADMISSION_READ);
    fake_loop_run(ADMISSION_PATIENCE - 1);
    assert_int_equal(admitted_count, 4);
    assert_false(servers[order[0]].silent);
    fake_loop_run(1);
    assert_int_equal(admitted_count, 6); /* the slow pool is half as large */
    for (size_t i = 0; i < 4; i++)
        assert_true(servers[order[i]].silent);
    leave(order[0], order[0] + 1); /* a slow place is free: one more moves there */
    fake_loop_run(0);
    assert_int_equal(admitted_count, 7);
    stop();
}

/* Each subscription has its own slow places: one that hangs takes none of another's. */
static void test_slow_places_of_one_subscription(void **state)
{
    (void)state;
    start(100, 4);
    enter(0, 20, "a", "ops", ADMISSION_READ);
    fake_loop_run(ADMISSION_PATIENCE);
    assert_int_equal(admitted_count, 6);
    fake_loop_run(MS_MINUTE);
    assert_int_equal(admitted_count, 6);
    stop();
}

/* When the slow pool is full, a silent request is taken back if others wait for its place. A
 * request that cannot be repeated stays, and so does one whose place nobody needs. */
static void test_requests_are_taken_back(void **state)
{
    (void)state;
    start(4, 4);
    requests[3].take_back = NULL;
    enter(0, 4, "a", "ops", ADMISSION_READ);
    fake_loop_run(MS_MINUTE);
    assert_int_equal(taken_back, 0);
    enter(4, 5, "b", "ops", ADMISSION_READ);
    enter(5, 6, "c", "ops", ADMISSION_READ);
    fake_loop_run(MS_SECOND);
    assert_int_equal(admitted_count, 6); /* in the places of 0 and 1, which are slow by now */
    enter(6, 7, "d", "ops", ADMISSION_READ);
    fake_loop_run(MS_SECOND);
    assert_int_equal(taken_back, 1);
    fake_loop_run(ADMISSION_PATIENCE);
    assert_int_equal(taken_back, 3); /* 2, 4, 5; once each */
    leave(2, 3);
    enter(2, 3, "a", "ops", ADMISSION_READ);
    fake_loop_run(0);
    assert_int_equal(order[admitted_count - 1], 6); /* 2 waits for a slow place */
    leave(0, 1);
    fake_loop_run(0);
    assert_int_equal(admitted_count, 7); /* 3 was before it */
    leave(1, 2);
    fake_loop_run(0);
    leave(3, 6);
    fake_loop_run(0);
    assert_int_equal(order[admitted_count - 1], 2);
    stop();
}

/* 500 servers of 500 subscriptions are silent: once that is known, requests to servers that answer
 * are admitted at once, and requests that serve a repair are the first among the slow ones, too. */
static void test_punctual_among_silent_servers(void **state)
{
    char id[16];

    (void)state;
    start(64, 8);
    for (size_t i = 0; i < 500; i++) {
        servers[i].silent = true;
        (void)snprintf(id, sizeof(id), "hung%zu", i);
        enter(i, i + 1, id, "ops", ADMISSION_READ);
    }
    rank(500, 501, ADMISSION_FIRST);
    servers[500].silent = true;
    enter(500, 501, "repair", "ops", ADMISSION_READ);
    fake_loop_run(MS_MINUTE);
    assert_int_equal(admitted_count, 32);
    assert_int_equal(order[0], 500);
    for (size_t i = 501; i < 600; i++) {
        enter(i, i + 1, "well", "ops", ADMISSION_READ);
        fake_loop_run(0);
        assert_int_equal(order[admitted_count - 1], i);
        admission_answered(&requests[i]);
        leave(i, i + 1);
    }
    /* One of the silent servers answers: its next request counts as prompt. */
    admission_answered(&requests[order[1]]);
    assert_false(servers[order[1]].silent);
    stop();
}

/* Nobody waits for the lane of an account that a reload took away: nothing is logged about it. */
static void test_lanes_of_removed_accounts(void **state)
{
    static const struct identity ops = {.name = "ops"};
    static const struct account kept = {
        .id = "/subscriptions/B/resourceGroups/g/providers/Microsoft.Batch/batchAccounts/a",
        .subscription_id = "B",
        .identity = &ops};
    static const struct config config = {.accounts = &kept, .account_count = 1};

    (void)state;
    start(1000, 1000);
    enter(0, 2, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(0);
    admission_server_refused(&requests[0], ADMISSION_OF_MANAGER, 10 * MS_SECOND);
    assert_int_equal(warnings, 1);
    leave(0, 1);
    admission_keep_used(admission, &config);
    admission_server_refused(&requests[1], ADMISSION_OF_MANAGER,
                             10 * MS_SECOND); /* under way since before the reload */
    leave(1, 2);
    (void)log_troubles_due(troubles, loop_now(&fake_loop) + 2 * MS_DAY, false);
    assert_int_equal(warnings, 1);
    assert_int_equal(ends, 0);

    enter(2, 3, "b", "ops", ADMISSION_WRITE);
    fake_loop_run(0);
    admission_server_refused(&requests[2], ADMISSION_OF_MANAGER, 10 * MS_SECOND);
    leave(2, 3);
    assert_int_equal(warnings, 2);
    admission_keep_used(admission, &config);
    (void)log_troubles_due(troubles, loop_now(&fake_loop) + 2 * MS_DAY, false);
    assert_int_equal(warnings, 3);
    assert_non_null(strstr(last_message, "in subscription b"));
    /* A request can be entered again after a reload. */
    enter(0, 1, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(0);
    assert_int_equal(order[admitted_count - 1], 0);
    stop();
}

static void provide(size_t from, size_t to, const char *provider)
{
    for (size_t i = from; i < to; i++)
        requests[i].provider = provider;
}

/* Resource Manager counts what goes to all providers together. */
static void test_providers_share_what_the_manager_grants(void **state)
{
    (void)state;
    start(1000, 1000);
    provide(200, 400, "Microsoft.Storage/storageAccounts");
    provide(400, 410, NULL);
    enter(0, 410, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(0);
    assert_int_equal(admitted_count, 200);
    fake_loop_run(MS_SECOND);
    assert_int_equal(admitted_count, 210);
    stop();
}

/* A provider that refuses stops what is for it, of that kind; Resource Manager stops all. */
static void test_refusals_of_one_provider(void **state)
{
    enum admission_scope scope;
    duration_ms wait;

    (void)state;
    start(1000, 1000);
    provide(0, 2, "Microsoft.Storage/storageAccounts");
    provide(3, 4, "microsoft.storage");
    enter(0, 1, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(0);
    admission_server_refused(&requests[0], ADMISSION_OF_PROVIDER, 10 * MS_SECOND);
    assert_non_null(strstr(last_message, "writes of Microsoft.Storage in subscription a: none"));
    leave(0, 1);
    enter(1, 3, "a", "ops", ADMISSION_WRITE);
    enter(3, 4, "a", "ops", ADMISSION_READ);
    fake_loop_run(4 * MS_SECOND);
    assert_int_equal(admitted_count, 3); /* 2 is for Batch, 3 a read */
    assert_true(admission_waits_for_server(&requests[1], &wait));
    assert_int_equal(wait, 6 * MS_SECOND);
    assert_true(admission_is_closed(admission, "A", "ops", "Microsoft.Storage/x", &wait, &scope));
    assert_true(wait == 6 * MS_SECOND && scope == ADMISSION_OF_PROVIDER);
    assert_false(admission_is_closed(admission, "a", "ops", "Microsoft.Batch/x", &wait, &scope));
    assert_false(admission_is_closed(admission, "a", "ops", NULL, &wait, &scope));
    assert_false(admission_is_closed(admission, "a", "dev", "Microsoft.Storage/x", &wait, &scope));
    fake_loop_run(7 * MS_SECOND);
    assert_int_equal(admitted_count, 4);
    admission_server_refused(&requests[1], ADMISSION_OF_MANAGER, 20 * MS_SECOND);
    leave(1, 2);
    assert_true(admission_is_closed(admission, "a", "ops", "Microsoft.Batch/x", &wait, &scope));
    assert_true(admission_is_closed(admission, "a", "ops", "Microsoft.Search/x", &wait, &scope));
    assert_true(wait == 20 * MS_SECOND && scope == ADMISSION_OF_MANAGER);
    assert_int_equal(warnings, 2);
    stop();
}

/* Whoever goes first is asked once for both, and opens what has answered. */
static void test_a_provider_opens_again(void **state)
{
    (void)state;
    start(1000, 1000);
    enter(0, 1, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(0);
    enter(1, 6, "a", "ops", ADMISSION_WRITE);
    admission_server_refused(&requests[0], ADMISSION_OF_PROVIDER, 5 * MS_SECOND);
    admission_server_refused(&requests[0], ADMISSION_OF_MANAGER, MS_SECOND);
    leave(0, 1);
    provide(6, 8, "Microsoft.Search/searchServices");
    enter(6, 8, "a", "ops", ADMISSION_WRITE);
    fake_loop_run(2 * MS_SECOND);
    assert_int_equal(admitted_count, 2);
    assert_int_equal(order[1], 6); /* Batch waits for its own pause */
    admission_server_remaining(&requests[6], ADMISSION_OF_MANAGER, -1);
    admission_server_remaining(&requests[6], ADMISSION_OF_PROVIDER, -1);
    fake_loop_run(0);
    leave(6, 7);
    fake_loop_run(MS_SECOND);
    assert_int_equal(order[2], 7);
    assert_int_equal(admitted_count, 3);
    fake_loop_run(5 * MS_SECOND);
    assert_int_equal(admitted_count, 4);
    admission_server_remaining(&requests[1], ADMISSION_OF_MANAGER, -1);
    admission_server_remaining(&requests[1], ADMISSION_OF_PROVIDER, 2);
    leave(1, 2);
    fake_loop_run(0);
    assert_int_equal(admitted_count, 4 + 2); /* as many as the provider has left */
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits_in_flight),
        cmocka_unit_test(test_subscriptions_take_turns),
        cmocka_unit_test(test_reads_pass_waiting_writes),
        cmocka_unit_test(test_buckets_are_per_identity),
        cmocka_unit_test(test_server_remaining),
        cmocka_unit_test(test_server_refused),
        cmocka_unit_test(test_one_goes_first_after_a_refusal),
        cmocka_unit_test(test_late_answers_open_no_lane),
        cmocka_unit_test(test_leaving_the_queue),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_silent_requests_move_to_the_slow_pool),
        cmocka_unit_test(test_slow_places_of_one_subscription),
        cmocka_unit_test(test_requests_are_taken_back),
        cmocka_unit_test(test_punctual_among_silent_servers),
        cmocka_unit_test(test_lanes_of_removed_accounts),
        cmocka_unit_test(test_providers_share_what_the_manager_grants),
        cmocka_unit_test(test_refusals_of_one_provider),
        cmocka_unit_test(test_a_provider_opens_again),
    };

    return cmocka_run_group_tests_name("admission", tests, NULL, NULL);
}
