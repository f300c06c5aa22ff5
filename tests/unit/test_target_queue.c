/* The order and the deadlines of operations on files, with threads that the test holds up at a
 * gate. */
#include "io/target/file_job.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { OPEN_FOR = 8 /* more than any test that opens the gate starts */, ORDER_MAX = 2000 };

#define PASSES "z" /* the last letter of a path that finds the gate open */

struct fixture {
    struct loop *loop;
    struct target_world world;
    struct target_file settings;
    struct destination destination;
};

struct answer {
    int count;
    bool failed, canceled;
    struct failure failure;
};

static struct {
    sem_t open;
    _Atomic unsigned waiting; /* at the gate, or past it */
    pthread_mutex_t lock;
    char order[ORDER_MAX + 1]; /* last letters of the paths in the order in which they ran */
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note(void *context, struct target_result *result)
{
    struct answer *answer = context;

    answer->count++;
    answer->failed = !!result->failure;
    if (answer->failed)
        answer->failure = *result->failure;
    answer->canceled = result->canceled;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->loop = loop_new(NULL);
    assert_non_null(f->loop);
    f->world.loop = f->loop;
    f->settings.mode = 0640;
    f->destination =
        (struct destination){.name = "file", .type = &target_file_type, .settings = &f->settings};
    memset(gate.order, 0, sizeof(gate.order));
    gate.waiting = 0;
    assert_int_equal(sem_init(&gate.open, 0, 0), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    assert_true(loop_free(f->loop));
    assert_int_equal(sem_destroy(&gate.open), 0);
    free(f);
    return 0;
}

static void wait_at_gate(struct target_job *job)
{
    const char *letter = job->place + strlen(job->place) - 1;

    gate.waiting++;
    while (*letter != *PASSES && sem_wait(&gate.open) != 0) {
    }
    pthread_mutex_lock(&gate.lock);
    strncat(gate.order, letter, 1);
    pthread_mutex_unlock(&gate.lock);
    job->outcome.kind = SIGHTING_EMPTY;
}

static struct target_job *start_job(struct fixture *f, const char *path, enum target_action action,
                                    struct answer *answer)
{
    const struct target_request request = {
        .action = action, .destination = &f->destination, .done = note, .context = answer};
    struct file_job *job;

    f->destination.place = path;
    job = file_job_new(&request, wait_at_gate);
    assert_non_null(job);
    target_queue_start(&f->world, &job->base, &request);
    return &job->base;
}

/* One turn of the loop, which never waits for long. */
static void turn(struct fixture *f)
{
    (void)uv_run(loop_uv(f->loop), UV_RUN_NOWAIT);
    usleep(1000);
}

static void open_gate(struct timer *timer)
{
    for (int i = 0; i < OPEN_FOR; i++)
        sem_post(&gate.open);
    timer_close(timer, NULL);
}

/* Threads need no turn of the loop to begin, so that no deadline passes meanwhile. */
static void wait_until_at_gate(unsigned count)
{
    while (gate.waiting < count)
        usleep(1000);
}

/* Runs the loop until all is done. */
static void open_gate_after(struct fixture *f, duration_ms delay)
{
    struct timer opener;

    timer_init(f->loop, &opener, open_gate);
    timer_set_delay(&opener, delay);
    loop_run(f->loop);
}

static void assert_given_up(const struct answer *answer, const char *text, const char *remedy,
                            bool outcome_unknown)
{
    assert_int_equal(answer->count, 1);
    assert_true(answer->failed);
    assert_int_equal(answer->failure.reason, REASON_TARGET_FAILED);
    assert_non_null(strstr(answer->failure.text, text));
    assert_non_null(strstr(answer->failure.remedy, remedy));
    assert_int_equal(answer->failure.outcome_unknown, outcome_unknown);
}

static void test_hanging_job_is_reported_and_keeps_its_file(void **state)
{
    struct fixture *f = *state;
    struct answer hanging = {.count = 0}, next = {.count = 0}, reading = {.count = 0};

    f->world.timeout = 50;
    start_job(f, "/d/a", TARGET_ACTION_DELIVER, &hanging);
    start_job(f, "/d/a", TARGET_ACTION_DELIVER, &next);
    start_job(f, "/e/b", TARGET_ACTION_READ, &reading);
    wait_until_at_gate(2);
    open_gate_after(f, 250);

    /* Each once: not again when the thread came back. */
    assert_given_up(&hanging, "did not answer within 50ms", "`ls /d/`", true);
    assert_given_up(&next, "not attempted", "`ls /d/`", false);
    assert_given_up(&reading, "did not answer", "`ls /e/`", false);
    assert_int_equal(strlen(gate.order), 2); /* the one that was not attempted never ran */
    assert_false(target_is_busy(&f->world));
}

static void test_file_is_free_again_when_the_thread_came_back(void **state)
{
    struct fixture *f = *state;
    struct answer hanging = {.count = 0}, next = {.count = 0};

    f->world.timeout = 50;
    start_job(f, "/d/a", TARGET_ACTION_DELIVER, &hanging);
    wait_until_at_gate(1);
    open_gate_after(f, 100);
    assert_given_up(&hanging, "did not answer", "", true);
    start_job(f, "/d/a", TARGET_ACTION_DELIVER, &next);
    loop_run(f->loop);
    assert_int_equal(next.count, 1);
    assert_false(next.failed);
}

static void test_one_job_per_file_and_few_per_directory(void **state)
{
    struct fixture *f = *state;
    struct answer answers[4] = {{.count = 0}};

    start_job(f, "/d/1", TARGET_ACTION_READ, &answers[0]);
    start_job(f, "/d/1", TARGET_ACTION_READ, &answers[1]);
    start_job(f, "/d/2", TARGET_ACTION_READ, &answers[2]);
    start_job(f, "/d/3", TARGET_ACTION_READ, &answers[3]);
    /* The second waits for its file, the fourth for its directory. */
    assert_int_equal(f->world.queue.running, 2);
    open_gate_after(f, 20);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(answers[i].count, 1);
        assert_false(answers[i].failed);
    }
    assert_int_equal(strlen(gate.order), 4);
}

/* A thousand directories of one file system that is dead: what is on another one has threads. */
static void test_dead_file_system(void **state)
{
    enum { DIRECTORIES = 1000 };
    static struct answer hanging[DIRECTORIES], late;
    static struct target_job *jobs[DIRECTORIES];
    struct fixture *f = *state;
    struct answer other = {.count = 0};
    unsigned refused = 0, given_up = 0;
    char path[32];

    memset(hanging, 0, sizeof(hanging));
    memset(&late, 0, sizeof(late));
    f->world.timeout = 10 * MS_MINUTE;
    for (size_t i = 0; i < DIRECTORIES; i++) {
        (void)snprintf(path, sizeof(path), "/proc/%zu/a", i);
        jobs[i] = start_job(f, path, TARGET_ACTION_DELIVER, &hanging[i]);
    }
    start_job(f, "/sys/a/" PASSES, TARGET_ACTION_DELIVER, &other);
    while (other.count == 0 || gate.waiting < WORK_LANE_MAX)
        turn(f);
    assert_false(other.failed);
    for (size_t i = 0; i < DIRECTORIES; i++)
        timer_set_delay(&jobs[i]->deadline, 1);
    while (hanging[DIRECTORIES - 1].count == 0)
        turn(f);
    for (size_t i = 0; i < DIRECTORIES; i++) {
        assert_int_equal(hanging[i].count, 1);
        given_up += hanging[i].failed && !!strstr(hanging[i].failure.text, "did not answer");
        refused += hanging[i].failed && !!strstr(hanging[i].failure.text, "not attempted");
    }
    assert_int_equal(given_up, WORK_LANE_MAX);
    assert_int_equal(refused, DIRECTORIES - WORK_LANE_MAX);

    start_job(f, "/proc/1000/a", TARGET_ACTION_DELIVER, &late);
    while (late.count == 0)
        turn(f);
    assert_true(late.failed && !late.failure.outcome_unknown);
    assert_string_equal(late.failure.text,
                        "/proc/1000/a: not tried, because 24 operations on the "
                        "file system at /proc (proc) hang");
    for (size_t i = 0; i < DIRECTORIES; i++)
        sem_post(&gate.open);
    loop_run(f->loop);
}

/* Each in a directory of its own: the table of lanes grows, and is gone in the end. */
static void test_many_directories(void **state)
{
    enum { DIRECTORIES = 300 };
    static struct answer answers[DIRECTORIES][2];
    struct fixture *f = *state;
    char path[32];

    for (size_t i = 0; i < DIRECTORIES; i++) {
        (void)snprintf(path, sizeof(path), "/%zu/a", i);
        start_job(f, path, TARGET_ACTION_READ, &answers[i][0]);
    }
    assert_int_equal(f->world.queue.running, DIRECTORIES);
    assert_int_equal(f->world.queue.lane_count, DIRECTORIES);
    for (size_t i = 0; i < DIRECTORIES; i++) {
        (void)snprintf(path, sizeof(path), "/%zu/a", i);
        start_job(f, path, TARGET_ACTION_READ, &answers[i][1]);
        sem_post(&gate.open);
        sem_post(&gate.open);
    }
    assert_int_equal(f->world.queue.running, DIRECTORIES); /* each file is taken */
    loop_run(f->loop);
    for (size_t i = 0; i < DIRECTORIES; i++)
        assert_int_equal(answers[i][0].count + answers[i][1].count, 2);
    assert_int_equal(strlen(gate.order), 2 * DIRECTORIES);
    assert_int_equal(f->world.queue.lane_count, 0);
    assert_null(f->world.queue.buckets);
}

static void test_cancel(void **state)
{
    struct fixture *f = *state;
    struct answer running = {.count = 0}, waiting = {.count = 0}, later = {.count = 0};

    start_job(f, "/d/a", TARGET_ACTION_DELIVER, &running);
    start_job(f, "/d/a", TARGET_ACTION_READ, &waiting);
    usleep(50000); /* the thread has taken it: it cannot be taken back */
    target_cancel_all(&f->world);
    assert_int_equal(running.count + waiting.count, 0);
    start_job(f, "/d/y", TARGET_ACTION_READ, &later);
    assert_true(target_is_busy(&f->world));
    open_gate_after(f, 100);
    assert_given_up(&running, "daemon stops", "", true);
    assert_given_up(&waiting, "daemon stops", "", false);
    assert_given_up(&later, "daemon stops", "", false);
    assert_true(running.canceled && waiting.canceled && later.canceled);
    assert_string_equal(gate.order, "a");
}

/* A thread cannot be ended: the file stays taken until it returns. */
static void test_give_up(void **state)
{
    struct fixture *f = *state;
    struct answer hanging = {.count = 0}, next = {.count = 0};
    struct target_job *job = start_job(f, "/d/a", TARGET_ACTION_DELIVER, &hanging);

    start_job(f, "/d/a", TARGET_ACTION_DELIVER, &next);
    while (gate.waiting == 0)
        turn(f);
    target_give_up(job, "because");
    assert_int_equal(hanging.count, 0); /* reported from the loop, never from inside */
    while (hanging.count == 0)
        turn(f);
    assert_given_up(&hanging, "file /d/a: given up after ", "again by itself", true);
    assert_non_null(strstr(hanging.failure.text, ": because"));
    assert_int_equal(next.count, 0);
    open_gate_after(f, 1);
    assert_int_equal(hanging.count, 1);
    assert_int_equal(next.count, 1);
    assert_false(next.failed);
}

int main(void)
{
#define GATED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        GATED(test_hanging_job_is_reported_and_keeps_its_file),
        GATED(test_file_is_free_again_when_the_thread_came_back),
        GATED(test_one_job_per_file_and_few_per_directory),
        GATED(test_dead_file_system),
        GATED(test_many_directories),
        GATED(test_cancel),
        GATED(test_give_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
