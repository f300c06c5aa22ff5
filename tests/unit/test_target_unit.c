/* Which calls are made for units that accounts share, with a bus that the test answers for, and
 * virtual time. */
#include "io/target/unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_loop.h"

#include "conf/target_unit.h"
#include "io/target/target_list.h"
#include "io/target/target_queue.h"
#include "io/target/unit_bus.h"
#include "proto/failure.h"

enum { CALLS_MAX = 16, ASKERS_MAX = 8 };

/* --- the bus --- */

struct unit_bus {
    char unit[32];
    bool looks_only, canceled, ended;
    duration_ms at;
    unit_bus_done *done;
    void *context;
};

static struct unit_bus calls[CALLS_MAX];
static size_t call_count;

struct unit_bus *unit_bus_start(struct loop *loop, const char *unit, bool looks_only,
                                unit_bus_done *done, void *context)
{
    struct unit_bus *call = &calls[call_count++];

    assert_true(call_count <= CALLS_MAX);
    *call = (struct unit_bus){
        .looks_only = looks_only, .at = loop->now, .done = done, .context = context};
    (void)snprintf(call->unit, sizeof(call->unit), "%s", unit);
    return call;
}

void unit_bus_cancel(struct unit_bus *call)
{
    assert_false(call->ended);
    call->canceled = call->ended = true;
}

static void end_call(size_t number, const struct failure *failure)
{
    struct unit_bus *call = &calls[number];

    assert_true(number < call_count);
    assert_false(call->ended);
    call->ended = true;
    call->done(call->context, failure);
    fake_loop_run(0);
}

/* --- who asks --- */

static struct answer {
    unsigned count;
    bool failed, canceled, unknown;
    struct failure failure;
} answers[ASKERS_MAX];
static struct target_world world;

static void on_done(void *context, struct target_result *result)
{
    struct answer *answer = context;

    answer->count++;
    answer->failed = !!result->failure;
    answer->canceled = result->canceled;
    if (result->failure) {
        answer->failure = *result->failure;
        answer->unknown = result->failure->outcome_unknown;
    } else {
        assert_true(result->changed || result->sighting.key_count == 0);
    }
}

static void ask(size_t account, const char *unit, enum target_action action)
{
    const struct destination destination = {.name = unit, .place = unit, .type = &target_unit_type};
    char id[32];
    const struct account subject = {.name = id, .id = id};
    const struct delivery delivery = {.account = &subject};

    (void)snprintf(id, sizeof(id), "account %zu", account);
    target_unit_operations.start(&world,
                                 &(struct target_request){
                                     .action = action,
                                     .destination = &destination,
                                     .delivery = action == TARGET_ACTION_DELIVER ? &delivery : NULL,
                                     .done = on_done,
                                     .context = &answers[account],
                                 });
}

static void tell(size_t account, const char *unit)
{
    ask(account, unit, TARGET_ACTION_DELIVER);
}

static void expect_answers(const char *counts)
{
    for (size_t i = 0; counts[i]; i++)
        if (answers[i].count != (unsigned)(counts[i] - '0'))
            fail_msg("account %zu was answered %u times, not %c", i, answers[i].count, counts[i]);
}

static int set_up(void **state)
{
    (void)state;
    fake_loop_reset();
    memset(answers, 0, sizeof(answers));
    call_count = 0;
    world = (struct target_world){.loop = &fake_loop};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_false(target_is_busy(&world));
    unit_forget_all(&world);
    target_queue_done(&world.queue);
    fake_loop_run(1);
    assert_true(list_empty(&fake_loop.timers));
    return 0;
}

/* --- the tests --- */

static void one_call_serves_all_who_ask_within_a_moment(void **state)
{
    (void)state;
    tell(0, "a.service");
    fake_loop_run(500);
    tell(1, "a.service");
    tell(2, "a.service");
    tell(3, "b.service");
    fake_loop_run(499);
    assert_int_equal(call_count, 0);
    fake_loop_run(1);
    assert_int_equal(call_count, 1);
    assert_string_equal(calls[0].unit, "a.service");
    assert_false(calls[0].looks_only);
    fake_loop_run(500);
    assert_int_equal(call_count, 2);
    assert_string_equal(calls[1].unit, "b.service");
    end_call(0, NULL);
    expect_answers("1110");
    end_call(1, NULL);
    expect_answers("1111");
    assert_false(answers[0].failed);
}

/* They begin ten seconds apart, however short they are, and one serves all who came meanwhile. */
static void later_ones_share_the_next_call(void **state)
{
    (void)state;
    tell(0, "a.service");
    fake_loop_run(1000);
    tell(1, "a.service");
    end_call(0, NULL);
    tell(2, "a.service");
    expect_answers("100");
    fake_loop_run(9999);
    tell(3, "a.service");
    assert_int_equal(call_count, 1);
    fake_loop_run(2000);
    assert_int_equal(call_count, 2);
    assert_true(calls[1].at - calls[0].at >= 10000);
    end_call(1, NULL);
    expect_answers("1111");
    fake_loop_run(60000);
    assert_int_equal(call_count, 2);
}

/* Who asked while a call was under way may have a newer key than it has told of. */
static void the_call_under_way_does_not_serve_who_comes_later(void **state)
{
    struct failure failure;

    (void)state;
    failure_init(&failure, REASON_TARGET_FAILED);
    tell(0, "a.service");
    fake_loop_run(30000);
    tell(0, "a.service"); /* of the same account: it waits for its place */
    tell(1, "a.service");
    fake_loop_run(30000);
    assert_int_equal(call_count, 1);
    end_call(0, &failure);
    assert_true(answers[0].failed);
    expect_answers("10");
    fake_loop_run(1000);
    assert_int_equal(call_count, 2);
    end_call(1, NULL);
    expect_answers("21");
    assert_false(answers[0].failed);
}

/* Each call has its whole time: who waited behind one that hangs is not given up with it. */
static void a_call_that_hangs_costs_only_those_it_serves(void **state)
{
    (void)state;
    tell(0, "a.service");
    fake_loop_run(1000);
    tell(1, "a.service");
    fake_loop_run(3 * MS_MINUTE - 1);
    expect_answers("00");
    fake_loop_run(1);
    expect_answers("10");
    assert_true(calls[0].canceled);
    assert_true(answers[0].failed);
    assert_false(answers[0].unknown);
    assert_string_equal(
        answers[0].failure.text,
        "unit a.service: it was told, but has neither started nor failed within 3m");
    assert_non_null(strstr(answers[0].failure.remedy, "`systemctl status a.service`"));
    fake_loop_run(1000);
    assert_int_equal(call_count, 2);
    fake_loop_run(3 * MS_MINUTE - 1);
    expect_answers("10");
    end_call(1, NULL);
    expect_answers("11");
    assert_false(answers[1].failed);
}

/* A configuration may name other units after each reload. */
static void units_are_forgotten(void **state)
{
    char unit[32];

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        (void)snprintf(unit, sizeof(unit), "u%u.service", i);
        tell(i, unit);
    }
    fake_loop_run(1000);
    assert_int_equal(call_count, 5);
    for (size_t i = 0; i < 4; i++)
        end_call(i, NULL);
    assert_non_null(world.units);
    fake_loop_run(20000);
    expect_answers("11110");
    end_call(4, NULL);
    expect_answers("11111");
    fake_loop_run(20000);
    assert_null(world.units);
    assert_true(list_empty(&fake_loop.timers));
}

/* The daemon stops: all are answered at once, and the call that nobody waits for is left alone. */
static void a_stop_ends_all(void **state)
{
    (void)state;
    tell(0, "a.service");
    fake_loop_run(1000);
    tell(1, "a.service");
    tell(2, "b.service");
    target_cancel_all(&world);
    fake_loop_run(10);
    expect_answers("111");
    for (size_t i = 0; i < 3; i++)
        assert_true(answers[i].canceled);
    assert_int_equal(call_count, 1);
    assert_true(calls[0].canceled);
}

/* Preflight asks at once, about each, and disturbs nobody. */
static void a_look_is_no_call(void **state)
{
    (void)state;
    tell(0, "a.service");
    ask(1, "a.service", TARGET_ACTION_PROBE);
    fake_loop_run(0);
    assert_int_equal(call_count, 1);
    assert_true(calls[0].looks_only);
    end_call(0, NULL);
    expect_answers("01");
    ask(2, "a.service", TARGET_ACTION_PROBE);
    fake_loop_run(TARGET_TIMEOUT);
    expect_answers("011");
    assert_string_equal(answers[2].failure.text,
                        "unit a.service: systemd did not say how it is within 1m");
    assert_true(calls[1].looks_only && calls[1].canceled);
    end_call(2, NULL);
    expect_answers("111");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_call_serves_all_who_ask_within_a_moment),
        TEST(later_ones_share_the_next_call),
        TEST(the_call_under_way_does_not_serve_who_comes_later),
        TEST(a_call_that_hangs_costs_only_those_it_serves),
        TEST(units_are_forgotten),
        TEST(a_stop_ends_all),
        TEST(a_look_is_no_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
