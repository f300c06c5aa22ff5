/* Jobs of targets that work on the loop: order, width of a lane, deadlines, and how they end. */
#include "io/target/target_queue.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/str.h"
#include "proto/failure.h"

struct fixture {
    struct loop *loop;
    struct target_world world;
    struct call *last; /* the one that began last */
    char order[64];    /* last letters of the places in the order in which they began */
};

struct answer {
    int count;
    bool failed, canceled, changed;
    struct failure failure;
};

/* A call that ends when the test says so, or within begin(). */
struct call {
    struct target_job base;
    struct fixture *fixture;
    bool reads;           /* instead of delivering */
    bool acts;            /* it has sent something that changes the target */
    bool ends_at_once;    /* begin() ends it */
    bool ends_with_abort; /* abort() ends it; otherwise the test does */
    int aborted;
};

static void note(void *context, struct target_result *result)
{
    struct answer *answer = context;

    answer->count++;
    answer->failed = !!result->failure;
    if (result->failure)
        answer->failure = *result->failure;
    answer->canceled = result->canceled;
    answer->changed = result->changed;
}

static struct call *call_of(struct target_job *job)
{
    return container_of(job, struct call, base);
}

static void begin(struct target_job *job)
{
    struct call *call = call_of(job);
    struct fixture *f = call->fixture;

    (void)snprintf(f->order + strlen(f->order), sizeof(f->order) - strlen(f->order), "%s",
                   job->place + strlen(job->place) - 1);
    f->last = call;
    job->may_have_acted = call->acts;
    job->outcome.changed = true;
    if (call->ends_at_once)
        target_job_end(job);
}

static void abort_call(struct target_job *job)
{
    struct call *call = call_of(job);

    call->aborted++;
    if (call->ends_with_abort)
        target_job_end(job);
}

static void explain(const struct target_job *job, enum target_end end, const char *timeout,
                    struct failure *failure)
{
    static const char *const words[] = {
        [TARGET_END_CANCELED] = "canceled",
        [TARGET_END_HANGS] = "hangs",
        [TARGET_END_NOT_TRIED] = "not tried",
        [TARGET_END_GIVEN_UP] = "given up",
    };

    failure_set_text(failure, "%s: %s after %s", job->place, words[end], timeout);
    failure_set_remedy(failure, "wait");
}

static void free_call(struct target_job *job)
{
    free(job->place);
    free(call_of(job));
}

/* The lane is the place without its last letter. */
static struct call *start(struct fixture *f, const char *place, struct answer *answer,
                          const struct call *how)
{
    const struct target_request request = {.action = how->reads ? TARGET_ACTION_READ
                                                                : TARGET_ACTION_DELIVER,
                                           .done = note,
                                           .context = answer};
    struct call *call = must_alloc(sizeof(*call));

    *call = *how;
    call->fixture = f;
    call->base.place = must_dup(place);
    call->base.lane_length = strlen(place) - 1;
    call->base.begin = begin;
    call->base.abort = abort_call;
    call->base.explain = explain;
    call->base.free = free_call;
    target_queue_start(&f->world, &call->base, &request);
    return call;
}

static bool time_is_over;

static void on_timer_closed(struct timer *timer)
{
    (void)timer;
    time_is_over = true;
}

static void on_time(struct timer *timer)
{
    loop_stop(timer->loop);
    timer_close(timer, on_timer_closed);
}

/* Lets the loop work for so long, whatever waits for the test. */
static void run_for(struct fixture *f, duration_ms duration)
{
    struct timer timer;

    timer_init(f->loop, &timer, on_time);
    timer_set_delay(&timer, duration);
    for (time_is_over = false; !time_is_over;)
        loop_run(f->loop);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->loop = loop_new(NULL);
    assert_non_null(f->loop);
    f->world.loop = f->loop;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    assert_false(target_is_busy(&f->world));
    assert_int_equal(f->world.queue.lane_count, 0);
    assert_true(loop_free(f->loop));
    free(f);
    return 0;
}

static void assert_given_up(const struct answer *answer, const char *word, bool outcome_unknown)
{
    assert_int_equal(answer->count, 1);
    assert_true(answer->failed);
    assert_int_equal(answer->failure.reason, REASON_TARGET_FAILED);
    assert_non_null(strstr(answer->failure.text, word));
    assert_int_equal(answer->failure.outcome_unknown, outcome_unknown);
}

static void test_one_call_per_place_and_a_width_per_lane(void **state)
{
    struct fixture *f = *state;
    const struct call how = {.base = {.lane_width = 2}};
    struct answer answers[4] = {{.count = 0}};
    struct call *first = start(f, "/s/1", &answers[0], &how);
    struct call *third;

    start(f, "/s/1", &answers[1], &how);
    third = start(f, "/s/3", &answers[2], &how);
    start(f, "/s/4", &answers[3], &how);
    /* The second waits for its place, the fourth for its lane. */
    assert_string_equal(f->order, "13");
    target_job_end(&third->base);
    assert_int_equal(answers[2].count, 0); /* reported from the loop, never from inside */
    run_for(f, 1);
    assert_int_equal(answers[2].count, 1);
    assert_true(answers[2].changed);
    assert_string_equal(f->order, "134");
    target_job_end(&f->last->base);
    target_job_end(&first->base);
    run_for(f, 1);
    assert_string_equal(f->order, "1341");
    target_job_end(&f->last->base);
    run_for(f, 1);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(answers[i].count, 1);
        assert_false(answers[i].failed);
    }
}

static void test_call_that_ends_in_its_beginning(void **state)
{
    struct fixture *f = *state;
    const struct call how = {.ends_at_once = true};
    struct answer answers[2] = {{.count = 0}};

    start(f, "/s/1", &answers[0], &how);
    start(f, "/s/1", &answers[1], &how);
    assert_int_equal(answers[0].count, 0);
    run_for(f, 5);
    assert_int_equal(answers[0].count + answers[1].count, 2);
    assert_string_equal(f->order, "11");
}

static void test_call_that_cannot_begin(void **state)
{
    struct fixture *f = *state;
    struct call how = {.base = {.outcome = {.failed = true}}};
    struct answer answer = {.count = 0};

    failure_init(&how.base.outcome.failure, REASON_TARGET_DENIED);
    start(f, "/s/1", &answer, &how);
    run_for(f, 1);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.failure.reason, REASON_TARGET_DENIED);
    assert_string_equal(f->order, "");
}

/* The time of a call counts from its beginning. Only where it has sent a change is its outcome
 * unknown. It keeps its place until it has ended. */
static void test_deadlines(void **state)
{
    struct fixture *f = *state;
    const struct call stuck = {.base = {.timeout = 20}, .acts = true};
    const struct call reading = {.base = {.timeout = 20}, .ends_with_abort = true};
    struct answer answers[3] = {{.count = 0}};
    struct call *first = start(f, "/s/1", &answers[0], &stuck);

    start(f, "/s/1", &answers[1], &reading);
    start(f, "/t/2", &answers[2], &reading);
    run_for(f, 60);
    assert_given_up(&answers[0], "hangs after 20ms", true);
    assert_given_up(&answers[2], "hangs after 20ms", false);
    assert_int_equal(first->aborted, 1);
    assert_int_equal(answers[1].count, 0);
    assert_true(target_is_busy(&f->world));
    assert_string_equal(f->order, "12");

    target_job_end(&first->base);
    run_for(f, 60);
    assert_string_equal(f->order, "121");
    assert_given_up(&answers[1], "hangs after 20ms", false);
    assert_int_equal(answers[0].count, 1); /* not again */
}

/* Programs may hang while others of them work: those that are slow make room, but not for ever. */
static void test_slow_calls_make_room(void **state)
{
    struct fixture *f = *state;
    const struct call slow = {.base = {.lane_width = 1, .turn = 10, .timeout = MS_HOUR},
                              .ends_with_abort = true};
    struct answer answers[TARGET_SLOW_PER_LANE + 3] = {{.count = 0}};
    struct call *calls[TARGET_SLOW_PER_LANE + 3];

    for (size_t i = 0; i < TARGET_SLOW_PER_LANE + 3; i++) {
        char place[] = "/s/a";

        place[3] = (char)('a' + i);
        calls[i] = start(f, place, &answers[i], &slow);
    }
    assert_string_equal(f->order, "a");
    while (strlen(f->order) < TARGET_SLOW_PER_LANE + 1)
        run_for(f, 10);
    run_for(f, 30); /* the last one keeps its turn */
    assert_int_equal(strlen(f->order), TARGET_SLOW_PER_LANE + 1);
    for (size_t i = 0; i <= TARGET_SLOW_PER_LANE; i++)
        assert_int_equal(answers[i].count, 0);
    target_job_end(&calls[TARGET_SLOW_PER_LANE]->base); /* who has a turn */
    run_for(f, 1);
    assert_int_equal(strlen(f->order), TARGET_SLOW_PER_LANE + 2);
    target_job_end(&calls[0]->base); /* who has none */
    run_for(f, 1);
    assert_int_equal(answers[0].count, 1);
    target_cancel_all(&f->world);
    run_for(f, 20);
    for (size_t i = 0; i < TARGET_SLOW_PER_LANE + 3; i++)
        assert_int_equal(answers[i].count, 1);
}

static void test_a_slow_call_is_given_up_in_time(void **state)
{
    struct fixture *f = *state;
    const struct call slow = {.base = {.turn = 10, .timeout = 60}, .ends_with_abort = true};
    struct answer answer = {.count = 0};

    start(f, "/s/1", &answer, &slow);
    while (answer.count == 0)
        run_for(f, 10);
    assert_given_up(&answer, "hangs after 60ms", false);
}

/* An account that is looked at waits for all its reads, and what it sees must not be old by then.
 * So a read waits for half of its time for its turn, whatever keeps it waiting. */
static void test_reads_do_not_wait_for_long(void **state)
{
    struct fixture *f = *state;
    const struct call stuck = {.base = {.timeout = MS_HOUR}, .acts = true};
    const struct call reading = {.base = {.timeout = 60}, .reads = true, .ends_with_abort = true};
    const struct call patient = {.base = {.timeout = MS_HOUR}, .reads = true};
    struct answer answers[4] = {{.count = 0}};
    struct call *first = start(f, "/s/1", &answers[0], &stuck);
    struct call *last;

    start(f, "/s/1", &answers[1], &reading);
    start(f, "/t/2", &answers[2], &reading);
    last = start(f, "/s/1", &answers[3], &patient);
    run_for(f, 200);
    assert_given_up(&answers[1], "not tried after 30ms", false);
    assert_given_up(&answers[2], "hangs after 60ms", false);
    assert_string_equal(f->order, "12");
    /* Longer ones end in time, too. */
    assert_int_equal(answers[3].count, 0);
    timer_set_delay(&last->base.deadline, 1);
    run_for(f, 20);
    assert_given_up(&answers[3], "not tried after 30s", false);
    target_job_end(&first->base);
    run_for(f, 1);
}

/* During a pause nobody starts; the lane is kept for those who come meanwhile. */
static void test_pause(void **state)
{
    struct fixture *f = *state;
    const struct call how = {.base = {.lane_width = 1}};
    struct answer answers[4] = {{.count = 0}};
    struct call *first = start(f, "/s/1", &answers[0], &how);

    start(f, "/s/2", &answers[1], &how);
    target_job_pause_lane(&first->base, MS_HOUR); /* which is cut to a minute, and replaced: */
    target_job_pause_lane(&first->base, 60);
    target_job_end(&first->base);
    run_for(f, 10);
    assert_int_equal(answers[0].count, 1);
    start(f, "/t/3", &answers[2], &how); /* of another lane */
    assert_string_equal(f->order, "13");
    target_job_end(&f->last->base);
    run_for(f, 100);
    assert_string_equal(f->order, "132");
    target_job_pause_lane(&f->last->base, 60);
    target_job_end(&f->last->base);
    run_for(f, 10);
    start(f, "/s/4", &answers[3], &how);
    assert_string_equal(f->order, "132");
    run_for(f, 100);
    assert_string_equal(f->order, "1324");
    target_job_end(&f->last->base);
    run_for(f, 1);
}

static void test_end_within_a_pause(void **state)
{
    struct fixture *f = *state;
    const struct call how = {.ends_with_abort = true};
    struct answer waiting = {.count = 0}, running = {.count = 0};
    struct call *first = start(f, "/s/1", &running, &how);

    start(f, "/s/1", &waiting, &how);
    target_job_pause_lane(&first->base, 0);
    target_job_end(&first->base);
    run_for(f, 1);
    assert_int_equal(running.count, 1);
    target_cancel_all(&f->world);
    run_for(f, 5);
    assert_given_up(&waiting, "canceled", false);
    assert_int_equal(f->world.queue.lane_count, 1);
    target_world_done(&f->world);
    run_for(f, 1);
}

static void test_cancel(void **state)
{
    struct fixture *f = *state;
    const struct call how = {.acts = true, .ends_with_abort = true};
    struct answer running = {.count = 0}, waiting = {.count = 0}, later = {.count = 0};

    start(f, "/s/1", &running, &how);
    start(f, "/s/1", &waiting, &how);
    target_cancel_all(&f->world);
    assert_int_equal(running.count + waiting.count, 0);
    start(f, "/s/9", &later, &how);
    run_for(f, 5);
    assert_given_up(&running, "canceled", true);
    assert_given_up(&waiting, "canceled", false);
    assert_given_up(&later, "canceled", false);
    assert_true(running.canceled && waiting.canceled && later.canceled);
    assert_string_equal(f->order, "1");
}

/* Who is needed no more ends at once, whatever its time: one that waits has done nothing, one that
 * has sent a change may have done it. What is about to end says how. */
static void test_give_up(void **state)
{
    struct fixture *f = *state;
    const struct call acting = {.base = {.timeout = MS_HOUR}, .acts = true};
    const struct call other = {.base = {.timeout = MS_HOUR}};
    struct answer answers[5] = {{.count = 0}};
    struct call *first = start(f, "/s/1", &answers[0], &acting);
    struct call *waiting = start(f, "/s/1", &answers[1], &other);
    struct call *next = start(f, "/s/1", &answers[2], &other);
    struct call *idle = start(f, "/t/2", &answers[3], &other);
    struct call *ended = start(f, "/t/3", &answers[4], &other);

    target_job_end(&ended->base);
    target_give_up(&first->base, "because");
    target_give_up(&first->base, "because"); /* again: nothing more */
    target_give_up(&waiting->base, "because");
    target_give_up(&idle->base, "because");
    target_give_up(&ended->base, "because");
    assert_int_equal(answers[0].count + answers[1].count + answers[3].count, 0);
    run_for(f, 20);
    assert_given_up(&answers[0], "/s/1: given up after 0s: because", true);
    assert_given_up(&answers[1], "/s/1: given up after 0s: because", false);
    assert_given_up(&answers[3], "/t/2: given up after 0s: because", false);
    assert_int_equal(answers[4].count, 1);
    assert_false(answers[4].failed);
    assert_int_equal(first->aborted, 1);
    assert_int_equal(answers[2].count, 0); /* the place is taken until the first has ended */
    target_job_end(&first->base);
    target_job_end(&idle->base);
    run_for(f, 20);
    assert_string_equal(f->order, "1231");
    assert_int_equal(answers[0].count, 1); /* the late end is not reported */
    target_job_end(&next->base);
    run_for(f, 1);
    assert_int_equal(answers[2].count, 1);
    assert_false(answers[2].failed);
}

/* One that is given up while it waits does not begin, though its turn comes before it has ended. */
static void test_give_up_before_its_turn(void **state)
{
    struct fixture *f = *state;
    const struct call how = {.base = {.timeout = MS_HOUR}, .ends_with_abort = true};
    struct answer answers[2] = {{.count = 0}};
    struct call *first = start(f, "/s/1", &answers[0], &how);
    struct call *second = start(f, "/s/1", &answers[1], &how);

    target_job_end(&first->base);
    target_give_up(&second->base, "because");
    run_for(f, 20);
    assert_int_equal(answers[0].count, 1);
    assert_false(answers[0].failed);
    assert_given_up(&answers[1], "given up", false);
}

/* --- steps on threads --- */

static struct {
    sem_t open;
    _Atomic int begun, ended;
} gate;

static void wait_at_gate(struct target_job *job)
{
    (void)job;
    gate.begun++;
    while (sem_wait(&gate.open) != 0) {
    }
}

static void pass_by(struct target_job *job)
{
    (void)job;
    gate.ended++;
}

/* What hangs on one file system leaves threads for the others. A job that was given up before its
 * turn came has no step, and ends all the same; where all that may hang hangs, the next job fails
 * at once. */
static void test_steps_hang(void **state)
{
    enum { HANGING = WORK_LANE_MAX + 8 };
    struct fixture *f = *state;
    struct answer answers[HANGING] = {{.count = 0}}, other = {.count = 0}, late = {.count = 0};
    struct call *calls[HANGING];
    char place[32];

    assert_int_equal(sem_init(&gate.open, 0, 0), 0);
    gate.begun = gate.ended = 0;
    for (size_t i = 0; i < HANGING; i++) {
        (void)snprintf(place, sizeof(place), "lane %zu 1", i);
        calls[i] =
            start(f, place, &answers[i], &(struct call){.base = {.timeout = 10 * MS_MINUTE}});
        target_job_step(&calls[i]->base, "dead", wait_at_gate, target_job_end);
    }
    target_job_step(&start(f, "y1", &other, &(struct call){.base = {.timeout = MS_MINUTE}})->base,
                    "alive", pass_by, target_job_end);
    while (other.count == 0 || gate.begun < WORK_LANE_MAX)
        run_for(f, 20);
    for (size_t i = 0; i < HANGING; i++)
        timer_set_delay(&calls[i]->base.deadline, 1);
    while (answers[HANGING - 1].count == 0)
        run_for(f, 20);
    assert_int_equal(gate.begun, WORK_LANE_MAX);
    assert_int_equal(gate.ended, 1);
    assert_int_equal(other.count, 1);
    assert_false(other.failed);
    for (size_t i = 0; i < HANGING; i++)
        assert_given_up(&answers[i], "hangs", false);

    target_job_step(&start(f, "z1", &late, &(struct call){.base = {.timeout = MS_MINUTE}})->base,
                    "dead", pass_by, target_job_end);
    run_for(f, 20);
    assert_int_equal(late.count, 1);
    assert_true(late.failed);
    assert_non_null(strstr(late.failure.text, "24 operations on dead hang"));
    for (size_t i = 0; i < HANGING; i++)
        (void)sem_post(&gate.open);
    loop_run(f->loop);
    assert_int_equal(gate.begun, WORK_LANE_MAX);
    assert_int_equal(gate.ended, 1);
    assert_int_equal(sem_destroy(&gate.open), 0);
}

/* Its thread keeps the place, and nothing else of the lane. */
static void test_a_step_that_hangs_gives_up_its_turn(void **state)
{
    struct fixture *f = *state;
    const struct call how = {.base = {.timeout = 30, .lane_width = 1}};
    struct answer answers[3] = {{.count = 0}};
    struct call *first = start(f, "/s/1", &answers[0], &how);

    assert_int_equal(sem_init(&gate.open, 0, 0), 0);
    gate.begun = gate.ended = 0;
    target_job_step(&first->base, "dead", wait_at_gate, target_job_end);
    start(f, "/s/1", &answers[1], &how);
    start(f, "/s/2", &answers[2], &how);
    while (gate.begun == 0)
        run_for(f, 1);
    assert_string_equal(f->order, "1");
    while (answers[0].count == 0)
        run_for(f, 10);
    assert_given_up(&answers[0], "hangs after 30ms", false);
    assert_string_equal(f->order, "12");
    target_job_end(&f->last->base);
    run_for(f, 1);
    assert_int_equal(answers[2].count, 1);
    assert_string_equal(f->order, "12");

    (void)sem_post(&gate.open);
    while (strlen(f->order) < 3)
        run_for(f, 1);
    assert_string_equal(f->order, "121");
    target_job_end(&f->last->base);
    loop_run(f->loop);
    assert_int_equal(answers[1].count, 1);
    assert_int_equal(sem_destroy(&gate.open), 0);
}

int main(void)
{
#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_LOOP(test_one_call_per_place_and_a_width_per_lane),
        WITH_LOOP(test_call_that_ends_in_its_beginning),
        WITH_LOOP(test_call_that_cannot_begin),
        WITH_LOOP(test_deadlines),
        WITH_LOOP(test_slow_calls_make_room),
        WITH_LOOP(test_a_slow_call_is_given_up_in_time),
        WITH_LOOP(test_reads_do_not_wait_for_long),
        WITH_LOOP(test_pause),
        WITH_LOOP(test_end_within_a_pause),
        WITH_LOOP(test_cancel),
        WITH_LOOP(test_give_up),
        WITH_LOOP(test_give_up_before_its_turn),
        WITH_LOOP(test_steps_hang),
        WITH_LOOP(test_a_step_that_hangs_gives_up_its_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
