/* Work on threads: what hangs in one lane leaves the others alone. The threads hang at a gate until
 * the test opens it. */
#include "io/loop/work.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/loop/loop.h"

enum { MANY = 2 * WORK_LANE_MAX };

struct task {
    struct work work;
    bool hangs;
    _Atomic bool begun;
    bool done;
    bool on_main_thread;
    bool has_signals;
    struct task *abandons; /* done() abandons this one, unless it is done */
};

static struct loop *loop;
static struct work_pool *pool;
static pthread_t main_thread;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER};

static void set_gate(bool open)
{
    pthread_mutex_lock(&gate.lock);
    gate.open = open;
    pthread_cond_broadcast(&gate.opened);
    pthread_mutex_unlock(&gate.lock);
}

static int set_up(void **state)
{
    (void)state;
    main_thread = pthread_self();
    set_gate(false);
    loop = loop_new(NULL);
    assert_non_null(loop);
    pool = loop_workers(loop);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    set_gate(true);
    loop_run(loop);
    assert_int_equal(work_hanging(pool), 0);
    assert_true(loop_free(loop));
    return 0;
}

static void run(struct work *work)
{
    struct task *task = container_of(work, struct task, work);
    sigset_t blocked;

    task->on_main_thread = pthread_equal(pthread_self(), main_thread);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    task->has_signals = !sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGCHLD);
    task->begun = true;
    if (!task->hangs)
        return;
    pthread_mutex_lock(&gate.lock);
    while (!gate.open)
        pthread_cond_wait(&gate.opened, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

static void done(struct work *work)
{
    struct task *task = container_of(work, struct task, work);

    assert_false(task->done);
    task->done = true;
    if (task->abandons && !task->abandons->done)
        assert_false(work_abandon(pool, &task->abandons->work));
}

static void start(struct task *task, const char *place)
{
    struct failure failure;

    failure_init(&failure, REASON_TARGET_FAILED);
    if (work_start(pool, &task->work, place, run, done, &failure) != 0)
        fail_msg("%s", failure.text);
}

static struct failure refusal(const char *place)
{
    struct task task = {.hangs = false};
    struct failure failure;

    failure_init(&failure, REASON_TOKEN_FAILED);
    assert_int_equal(work_start(pool, &task.work, place, run, done, &failure), -EAGAIN);
    assert_int_equal(failure.reason, REASON_TOKEN_FAILED);
    return failure;
}

/* One turn of the loop, which never waits for long. */
static void turn(void)
{
    (void)uv_run(loop_uv(loop), UV_RUN_NOWAIT);
    usleep(1000);
}

static unsigned count_begun(const struct task *tasks, unsigned count)
{
    unsigned begun = 0;

    for (unsigned i = 0; i < count; i++)
        begun += tasks[i].begun;
    return begun;
}

static void wait_for_begun(const struct task *tasks, unsigned count, unsigned wanted)
{
    while (count_begun(tasks, count) < wanted)
        turn();
}

static unsigned count_threads(void)
{
    DIR *directory = opendir("/proc/self/task");
    unsigned count = 0;

    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

/* Its work hangs on threads that their owners have left. */
static void fill_lane(const char *place, struct task *tasks)
{
    for (unsigned i = 0; i < WORK_LANE_MAX; i++) {
        tasks[i] = (struct task){.hangs = true};
        start(&tasks[i], place);
    }
    wait_for_begun(tasks, WORK_LANE_MAX, WORK_LANE_MAX);
    for (unsigned i = 0; i < WORK_LANE_MAX; i++)
        assert_false(work_abandon(pool, &tasks[i].work));
}

static void test_each_runs_once_on_a_thread(void **state)
{
    enum { COUNT = 500 };
    static struct task tasks[COUNT];
    static const char *const places[] = {"/tmp/a", "/proc/b", "a name", "another"};

    (void)state;
    for (unsigned i = 0; i < COUNT; i++)
        start(&tasks[i], places[i % 4]);
    for (unsigned i = 0; i < COUNT; i++)
        assert_false(tasks[i].done); /* never from within the call */
    loop_run(loop);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(tasks[i].begun && tasks[i].done);
        assert_false(tasks[i].on_main_thread || tasks[i].has_signals);
    }
}

static void test_a_lane_that_hangs(void **state)
{
    static struct task hanging[MANY], alive[2], again;
    unsigned abandoned = 0;
    struct failure failure;

    (void)state;
    memset(hanging, 0, sizeof(hanging));
    memset(alive, 0, sizeof(alive));
    for (unsigned i = 0; i < MANY; i++) {
        hanging[i].hangs = true;
        start(&hanging[i], "dead");
    }
    start(&alive[0], "alive");
    while (!alive[0].done)
        turn();
    wait_for_begun(hanging, MANY, WORK_LANE_MAX);
    for (unsigned i = 0; i < 300; i++)
        turn();
    assert_int_equal(count_begun(hanging, MANY), WORK_LANE_MAX);

    for (unsigned i = 0; i < MANY; i++)
        abandoned += !work_abandon(pool, &hanging[i].work);
    assert_int_equal(abandoned, WORK_LANE_MAX);
    assert_int_equal(work_hanging(pool), WORK_LANE_MAX);
    failure = refusal("dead");
    assert_string_equal(failure.text, "dead: not tried, because 24 operations on dead hang");
    assert_non_null(strstr(failure.remedy, "make dead answer"));
    start(&alive[1], "alive");
    while (!alive[1].done)
        turn();

    set_gate(true);
    loop_run(loop);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(hanging[i].done, hanging[i].begun);
    assert_int_equal(count_begun(hanging, MANY), WORK_LANE_MAX);
    memset(&again, 0, sizeof(again));
    start(&again, "dead");
    loop_run(loop);
    assert_true(again.done);
}

/* A path stands for its file system, whatever its directory. */
static void test_a_file_system_is_one_lane(void **state)
{
    static struct task tasks[WORK_LANE_MAX], other;
    struct failure failure;
    char path[64];

    (void)state;
    for (unsigned i = 0; i < WORK_LANE_MAX; i++) {
        tasks[i] = (struct task){.hangs = true};
        (void)snprintf(path, sizeof(path), "/proc/%u/key", i);
        start(&tasks[i], path);
    }
    wait_for_begun(tasks, WORK_LANE_MAX, WORK_LANE_MAX);
    for (unsigned i = 0; i < WORK_LANE_MAX; i++)
        assert_false(work_abandon(pool, &tasks[i].work));
    failure = refusal("/proc/1000/key");
    assert_string_equal(failure.text,
                        "/proc/1000/key: not tried, because 24 operations on the "
                        "file system at /proc (proc) hang");
    work_explain_hang(pool, "reading", "/proc/7/key", 30 * MS_SECOND, &failure);
    assert_string_equal(failure.text,
                        "reading /proc/7/key has not returned within 30s: the file "
                        "system at /proc (proc) does not answer");
    assert_non_null(strstr(failure.remedy, "`ls /proc/7/`"));
    memset(&other, 0, sizeof(other));
    start(&other, "/usr/key");
    while (!other.done)
        turn();
}

static void test_many_lanes_that_hang(void **state)
{
    enum { LANES = WORK_ABANDONED_MAX / WORK_LANE_MAX };
    static struct task tasks[LANES][WORK_LANE_MAX], one_more, alive;
    char name[32];

    (void)state;
    for (unsigned i = 0; i < LANES; i++) {
        (void)snprintf(name, sizeof(name), "dead %u", i);
        fill_lane(name, tasks[i]);
    }
    one_more = (struct task){.hangs = true};
    start(&one_more, "half dead"); /* nothing hangs there yet */
    wait_for_begun(&one_more, 1, 1);
    assert_false(work_abandon(pool, &one_more.work));
    assert_string_equal(refusal("half dead").text,
                        "half dead: not tried, because 97 operations "
                        "hang, on half dead and others");
    memset(&alive, 0, sizeof(alive));
    start(&alive, "alive");
    while (!alive.done)
        turn();
    assert_true(count_threads() <= 1 + WORK_THREADS_MAX);
}

static void test_abandoned_before_it_began(void **state)
{
    static struct task hanging[WORK_LANE_MAX], waiting;

    (void)state;
    for (unsigned i = 0; i < WORK_LANE_MAX; i++) {
        hanging[i] = (struct task){.hangs = true};
        start(&hanging[i], "dead");
    }
    wait_for_begun(hanging, WORK_LANE_MAX, WORK_LANE_MAX);
    memset(&waiting, 0, sizeof(waiting));
    start(&waiting, "dead");
    assert_true(work_abandon(pool, &waiting.work));
    set_gate(true);
    loop_run(loop);
    assert_false(waiting.begun || waiting.done);
    assert_true(hanging[0].done);
}

/* Both have returned when the owner of one gives up the other. */
static void test_abandoned_after_it_returned(void **state)
{
    struct task first = {.hangs = true}, second = {.hangs = true};

    (void)state;
    start(&first, "a");
    start(&second, "a");
    wait_for_begun(&first, 1, 1);
    wait_for_begun(&second, 1, 1);
    first.abandons = &second;
    second.abandons = &first;
    set_gate(true);
    usleep(20000);
    loop_run(loop);
    assert_true(first.done && second.done);
    assert_int_equal(work_hanging(pool), 0);
}

/* The pool ends although a thread hangs; that one ends by itself when it returns. */
static void test_the_end(void **state)
{
    static struct task hanging, ended;
    struct loop *other;

    (void)state;
    other = loop_new(NULL);
    assert_non_null(other);
    pool = loop_workers(other);
    hanging = (struct task){.hangs = true};
    ended = (struct task){.hangs = false};
    start(&hanging, "a");
    start(&ended, "b");
    while (!hanging.begun || !ended.done)
        (void)uv_run(loop_uv(other), UV_RUN_NOWAIT);
    assert_false(work_abandon(pool, &hanging.work));
    assert_int_equal(count_threads(), 3);
    assert_true(loop_free(other));
    pool = loop_workers(loop);
    set_gate(true);
    while (count_threads() > 1)
        usleep(1000);
    assert_false(hanging.done);
}

int main(void)
{
#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_LOOP(test_the_end),
        WITH_LOOP(test_each_runs_once_on_a_thread),
        WITH_LOOP(test_a_lane_that_hangs),
        WITH_LOOP(test_a_file_system_is_one_lane),
        WITH_LOOP(test_many_lanes_that_hang),
        WITH_LOOP(test_abandoned_before_it_began),
        WITH_LOOP(test_abandoned_after_it_returned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
