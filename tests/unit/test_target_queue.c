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

enum {
    THREADS = 4,
    OPEN_FOR = 8 /* more than any test that opens the gate starts */,
    ORDER_MAX = 600
};

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

    while (sem_wait(&gate.open) != 0) {
    }
    pthread_mutex_lock(&gate.lock);
    strncat(gate.order, letter, 1);
    pthread_mutex_unlock(&gate.lock);
    job->outcome.kind = SIGHTING_EMPTY;
}

static void start_job(struct fixture *f, const char *path, enum target_action action,
                      struct answer *answer)
{
    const struct target_request request = {
        .action = action, .destination = &f->destination, .done = note, .context = answer};
    struct file_job *job;

    f->destination.place = path;
    job = file_job_new(&request, wait_at_gate);
    assert_non_null(job);
    target_queue_start(&f->world, &job->base, &request);
}

static void open_gate(struct timer *timer)
{
    for (int i = 0; i < OPEN_FOR; i++)
        sem_post(&gate.open);
    timer_close(timer, NULL);
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

static void test_no_thread_is_free(void **state)
{
    static const char *const paths[THREADS] = {"/p/1", "/q/2", "/r/3", "/s/4"};
    struct fixture *f = *state;
    struct answer hanging[THREADS] = {{.count = 0}}, late = {.count = 0};

    f->world.timeout = 50;
    for (size_t i = 0; i < THREADS; i++)
        start_job(f, paths[i], TARGET_ACTION_DELIVER, &hanging[i]);
    start_job(f, "/t/5", TARGET_ACTION_DELIVER, &late);
    open_gate_after(f, 250);
    for (size_t i = 0; i < THREADS; i++)
        assert_given_up(&hanging[i], "did not answer", "", true);
    assert_given_up(&late, "not attempted", "`ls /t/`", false);
    assert_null(strchr(gate.order, '5'));
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
    start_job(f, "/d/z", TARGET_ACTION_READ, &later);
    assert_true(target_is_busy(&f->world));
    open_gate_after(f, 100);
    assert_given_up(&running, "daemon stops", "", true);
    assert_given_up(&waiting, "daemon stops", "", false);
    assert_given_up(&later, "daemon stops", "", false);
    assert_true(running.canceled && waiting.canceled && later.canceled);
    assert_string_equal(gate.order, "a");
}

int main(void)
{
#define GATED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        GATED(test_hanging_job_is_reported_and_keeps_its_file),
        GATED(test_file_is_free_again_when_the_thread_came_back),
        GATED(test_one_job_per_file_and_few_per_directory),
        GATED(test_no_thread_is_free),
        GATED(test_many_directories),
        GATED(test_cancel),
    };

    setenv("UV_THREADPOOL_SIZE", "4", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
