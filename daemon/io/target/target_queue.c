#include "io/target/target_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/must.h"
#include "base/str.h"
#include "proto/failure.h"

enum { BUCKETS_MIN = 64 };

/* A group of jobs that would hang together. A lane exists while it has jobs. */
struct target_lane {
    struct target_lane *next; /* in its bucket */
    struct list waiting;      /* in the order of the calls */
    struct list running;      /* some may have been reported as hanging */
    size_t running_count;     /* without those that are left behind */
    size_t slow_count;        /* that gave up their turn */
    struct target_world *world;
    struct timer resume; /* at the end of the pause; in use from the first pause on */
    bool has_timer;
    bool paused;   /* keeps the lane, also without jobs */
    uint64_t hash; /* of its name */
    size_t length;
    char name[];
};

/* --- lanes --- */

static struct target_lane **bucket_of(const struct target_queue *queue, uint64_t hash)
{
    return &queue->buckets[hash & (queue->bucket_count - 1)];
}

static void put_into_bucket(struct target_queue *queue, struct target_lane *lane)
{
    struct target_lane **bucket = bucket_of(queue, lane->hash);

    lane->next = *bucket;
    *bucket = lane;
}

static void grow(struct target_queue *queue)
{
    const struct target_queue old = *queue;

    queue->bucket_count = old.bucket_count > 0 ? 2 * old.bucket_count : BUCKETS_MIN;
    queue->buckets = must_alloc_array(queue->bucket_count, sizeof(struct target_lane *));
    for (size_t i = 0; i < old.bucket_count; i++) {
        for (struct target_lane *lane = old.buckets[i], *next; lane; lane = next) {
            next = lane->next;
            put_into_bucket(queue, lane);
        }
    }
    free(old.buckets);
}

static struct target_lane *find_or_add_lane(struct target_world *world, const char *name,
                                            size_t length)
{
    struct target_queue *queue = &world->queue;
    const uint64_t hash = hash_bytes(HASH_START, name, length);
    struct target_lane *lane = queue->bucket_count > 0 ? *bucket_of(queue, hash) : NULL;

    while (lane &&
           (lane->hash != hash || lane->length != length || memcmp(lane->name, name, length) != 0))
        lane = lane->next;
    if (lane)
        return lane;
    if (queue->lane_count == queue->bucket_count)
        grow(queue);
    lane = must_alloc(sizeof(*lane) + length);
    list_init(&lane->waiting);
    list_init(&lane->running);
    lane->world = world;
    lane->hash = hash;
    lane->length = length;
    memcpy(lane->name, name, length);
    put_into_bucket(queue, lane);
    queue->lane_count++;
    return lane;
}

static void on_resume_closed(struct timer *timer)
{
    free(container_of(timer, struct target_lane, resume));
}

static void remove_lane_if_empty(struct target_queue *queue, struct target_lane *lane)
{
    struct target_lane **link = bucket_of(queue, lane->hash);

    if (lane->paused || !list_empty(&lane->waiting) || !list_empty(&lane->running))
        return;
    while (*link != lane)
        link = &(*link)->next;
    *link = lane->next;
    if (lane->has_timer)
        timer_close(&lane->resume, on_resume_closed);
    else
        free(lane);
    if (--queue->lane_count > 0)
        return;
    free(queue->buckets);
    queue->buckets = NULL;
    queue->bucket_count = 0;
}

/* --- order: which job may start --- */

static bool place_is_taken(const struct target_job *job)
{
    list_for_each (item, &job->lane->running) {
        if (str_equal(job->place, container_of(item, struct target_job, link)->place))
            return true;
    }
    return false;
}

static unsigned width_of(const struct target_job *job)
{
    if (job->lane_width > 0)
        return job->lane_width;
    return job->run ? TARGET_JOBS_PER_LANE : TARGET_CALLS_PER_LANE;
}

static duration_ms timeout_of(const struct target_job *job)
{
    if (job->timeout > 0)
        return job->timeout;
    return job->world->timeout > 0 ? job->world->timeout : TARGET_TIMEOUT;
}

static bool is_read(const struct target_job *job)
{
    return job->action == TARGET_ACTION_READ || job->action == TARGET_ACTION_READ_AND_SET_FORM;
}

/* How long the job may wait (or, where it has begun, work) until its time is up. A look at an
 * account waits for all its reads, and would be too old if one of them took longer. */
static duration_ms patience_of(const struct target_job *job, bool begun)
{
    const duration_ms read = time_min(timeout_of(job), TARGET_TIMEOUT);

    if (job->given_up)
        return 0;
    if (job->run)
        return timeout_of(job);
    if (is_read(job))
        return begun ? read - job->waited : read / 2;
    return begun ? timeout_of(job) : TARGET_TURN_WAIT;
}

/* Has it a turn that ends before its time does? */
static bool has_turn(const struct target_job *job)
{
    return job->turn > 0 && !job->is_slow && !job->world->canceled &&
           job->turn < patience_of(job, true);
}

static void run_on_thread(struct work *work);
static void on_thread_done(struct work *work);

/* Where too much hangs already, the job ends at once, and says so. */
static void begin_on_thread(struct target_job *job)
{
    struct failure *failure = &job->outcome.failure;

    if (!job->outcome.failed) {
        failure_init(failure, REASON_TARGET_FAILED);
        if (work_start(loop_workers(job->world->loop), &job->work, job->place, run_on_thread,
                       on_thread_done, failure) == 0)
            return;
    }
    job->ran = true;
    target_job_fail(job);
}

/* For people, the wait counts in whole seconds. */
static void begin(struct target_job *job)
{
    const duration_ms waited = time_boot() - job->queued_at;

    job->waited = time_min(waited - waited % MS_SECOND, patience_of(job, false));
    timer_set_delay(&job->deadline, has_turn(job) ? job->turn : patience_of(job, true));
    job->ran = true;
    if (job->outcome.failed)
        target_job_end(job);
    else
        job->begin(job);
}

static void start_those_that_may(struct target_world *world, struct target_lane *lane)
{
    if (world->canceled || lane->paused)
        return;
    list_for_each (item, &lane->waiting) {
        struct target_job *job = container_of(item, struct target_job, link);

        if (lane->running_count >= width_of(job))
            return;
        if (place_is_taken(job))
            continue;
        list_remove(&job->link);
        list_append(&lane->running, &job->link);
        lane->running_count++;
        world->queue.running++;
        job->running = true;
        if (job->run)
            begin_on_thread(job);
        else
            begin(job);
    }
}

/* --- steps on threads --- */

static void run_step(struct work *work)
{
    struct target_job *job = container_of(work, struct target_job, work);

    job->step(job);
}

static void on_step_done(struct work *work)
{
    struct target_job *job = container_of(work, struct target_job, work);

    job->stepping = false;
    job->stepped(job);
}

void target_job_step(struct target_job *job, const char *path, void (*step)(struct target_job *job),
                     void (*stepped)(struct target_job *job))
{
    struct failure failure;

    job->step = step;
    job->stepped = stepped;
    job->stepping = true;
    failure_init(&failure, REASON_TARGET_FAILED);
    if (work_start(loop_workers(job->world->loop), &job->work, path, run_step, on_step_done,
                   &failure) == 0)
        return;
    job->stepping = false;
    job->outcome.failure = failure;
    target_job_fail(job);
}

static void leave_behind(struct target_job *job)
{
    if (job->left_behind)
        return;
    job->left_behind = true;
    job->lane->running_count--;
    start_those_that_may(job->world, job->lane);
}

/* False where its time is over, and not just its turn. Threads have bounds of their own. */
static bool end_turn(struct target_job *job)
{
    const bool counts = !job->stepping;

    if (!has_turn(job))
        return false;
    timer_set_delay(&job->deadline, patience_of(job, true) - job->turn);
    job->is_slow = true;
    if (counts && job->lane->slow_count >= TARGET_SLOW_PER_LANE)
        return true;
    job->gave_turn = counts;
    job->lane->slow_count += counts ? 1 : 0;
    leave_behind(job);
    return true;
}

/* The result has been reported, and abort() called. A thread that hangs keeps the job's place, but
 * not its turn: other places of the lane may lie on other file systems. */
static void abandon_step(struct target_job *job)
{
    if (!job->stepping)
        return;
    if (work_abandon(loop_workers(job->world->loop), &job->work)) {
        job->stepping = false;
        job->stepped(job);
        return;
    }
    leave_behind(job);
}

/* --- pauses --- */

static void on_resume(struct timer *timer)
{
    struct target_lane *lane = container_of(timer, struct target_lane, resume);

    lane->paused = false;
    start_those_that_may(lane->world, lane);
    remove_lane_if_empty(&lane->world->queue, lane);
}

void target_job_pause_lane(struct target_job *job, duration_ms pause)
{
    struct target_lane *lane = job->lane;

    if (job->world->canceled)
        return;
    if (pause <= 0)
        pause = TARGET_PAUSE_UNKNOWN;
    if (!lane->has_timer)
        timer_init(job->world->loop, &lane->resume, on_resume);
    lane->has_timer = true;
    lane->paused = true;
    timer_set_delay(&lane->resume, pause < TARGET_PAUSE_MAX ? pause : TARGET_PAUSE_MAX);
}

/* --- ends --- */

static void on_timer_closed(struct timer *timer)
{
    struct target_job *job = container_of(timer, struct target_job, deadline);

    key_text_done(&job->outcome.found);
    free(job->outcome.output);
    job->free(job);
}

static void note_sighting(struct target_job *job, struct target_result *result)
{
    struct key_text *found = &job->outcome.found;
    struct sighting *sighting = &result->sighting;

    sighting->kind = job->outcome.kind;
    sighting->cycle = found->cycle;
    sighting->key_count = found->key_count;
    for (size_t i = 0; i < found->key_count; i++) {
        sighting->keys[i] =
            job->world->fingerprint(job->world->fingerprint_context, secret_bytes(found->keys[i]),
                                    secret_length(found->keys[i]));
        result->keys[i] = found->keys[i];
        found->keys[i] = NULL;
    }
    found->key_count = 0;
}

/* Called when the work has ended, so that its outcome may be read. */
static void report_outcome(struct target_job *job)
{
    struct target_result result = {
        .failure = job->outcome.failed ? &job->outcome.failure : NULL,
        .changed = !job->outcome.failed && job->outcome.changed,
        .output = job->outcome.output,
        .sighting = {.target = job->target},
    };

    if (job->action == TARGET_ACTION_READ || job->action == TARGET_ACTION_READ_AND_SET_FORM) {
        result.form = job->outcome.form;
        result.form_text = job->outcome.form_text;
        result.form_remedy = job->outcome.form_remedy;
        if (!job->outcome.failed)
            note_sighting(job, &result);
    }
    job->reported = true;
    job->done(job->context, &result);
    for (size_t i = 0; i < SIGHTING_KEYS_MAX; i++)
        secret_free(result.keys[i]);
}

/* Its time is no matter of the configuration, so the remedies of the types are none. */
static void explain_given_up(const struct target_job *job, struct failure *failure)
{
    const duration_ms taken = time_boot() - job->queued_at;
    char text[DURATION_TEXT_MAX];
    struct failure type = *failure;

    job->explain(job, TARGET_END_GIVEN_UP, duration_to_text(taken - taken % MS_SECOND, text),
                 &type);
    failure_set_text(failure, "%s: %s", type.text, job->given_up);
    failure_set_remedy(failure,
                       "nothing is needed: as long as the target is configured, the key "
                       "is delivered again by itself");
}

/* `begun`: the work is under way, and `outcome` still belongs to it. */
static void report_given_up(struct target_job *job, bool begun)
{
    struct failure failure;
    struct target_result result = {
        .failure = &failure,
        .canceled = job->world->canceled,
        .sighting = {.target = job->target},
    };
    char timeout[DURATION_TEXT_MAX];

    failure_init(&failure, REASON_TARGET_FAILED);
    failure.outcome_unknown =
        begun && job->action == TARGET_ACTION_DELIVER && (job->run || job->may_have_acted);
    if (job->given_up && !job->world->canceled)
        explain_given_up(job, &failure);
    else if (begun && job->reading && !job->world->canceled)
        target_reading_explain(job->reading, patience_of(job, begun), &failure);
    else
        job->explain(job,
                     job->world->canceled ? TARGET_END_CANCELED
                     : begun              ? TARGET_END_HANGS
                                          : TARGET_END_NOT_TRIED,
                     duration_to_text(patience_of(job, begun), timeout), &failure);
    job->reported = true;
    job->done(job->context, &result);
}

static void run_on_thread(struct work *work)
{
    struct target_job *job = container_of(work, struct target_job, work);

    job->ran = true;
    job->run(job);
}

static void end(struct target_job *job)
{
    struct target_world *world = job->world;
    struct target_lane *lane = job->lane;

    job->running = false;
    list_remove(&job->link);
    lane->running_count -= job->left_behind ? 0 : 1;
    lane->slow_count -= job->gave_turn ? 1 : 0;
    world->queue.running--;
    if (!job->reported && job->ran)
        report_outcome(job);
    else if (!job->reported)
        report_given_up(job, false);
    timer_close(&job->deadline, on_timer_closed);
    start_those_that_may(world, lane);
    remove_lane_if_empty(&world->queue, lane);
}

static void on_thread_done(struct work *work)
{
    end(container_of(work, struct target_job, work));
}

static void on_ending(struct deferred *deferred)
{
    end(container_of(deferred, struct target_job, ending));
}

void target_job_end(struct target_job *job)
{
    job->ended = true;
    loop_defer(job->world->loop, &job->ending);
}

void target_job_fail(struct target_job *job)
{
    job->outcome.failed = true;
    target_job_end(job);
}

static void on_deadline(struct timer *timer)
{
    struct target_job *job = container_of(timer, struct target_job, deadline);
    struct target_lane *lane = job->lane;

    if (job->running && !job->run) {
        if (job->ended || job->reported || end_turn(job))
            return;
        report_given_up(job, true);
        job->abort(job);
        abandon_step(job);
        return;
    }
    if (job->running) {
        if (job->ended || job->reported)
            return;
        if (work_abandon(loop_workers(job->world->loop), &job->work))
            end(job);
        else
            report_given_up(job, true);
        return;
    }
    list_remove(&job->link);
    report_given_up(job, false);
    timer_close(&job->deadline, on_timer_closed);
    remove_lane_if_empty(&job->world->queue, lane);
}

/* --- what types share --- */

void target_explain(const struct target_words *words, enum target_end end, const char *timeout,
                    struct failure *failure)
{
    const char *type = words->type ? words->type : "";
    const char *blank = words->type ? " " : "";

    if (end == TARGET_END_CANCELED)
        failure_set_text(failure, "%s%s%s: abandoned because the daemon stops", type, blank,
                         words->place);
    else if (end == TARGET_END_HANGS)
        failure_set_text(failure, "%s%s%s: %s within %s", type, blank, words->place, words->hangs,
                         timeout);
    else if (end == TARGET_END_GIVEN_UP)
        failure_set_text(failure, "%s%s%s: given up after %s", type, blank, words->place, timeout);
    else
        failure_set_text(failure, "%s%s%s: not tried, because for %s %s", type, blank, words->place,
                         timeout, words->earlier);
}

void target_note_text(struct target_outcome *outcome, const struct key_shape *shape,
                      const char *text, size_t length)
{
    size_t blanks = 0;

    while (blanks < length && text[blanks] != '\0' && strchr(" \t\r\n", text[blanks]))
        blanks++;
    if (blanks == length) {
        outcome->kind = SIGHTING_EMPTY;
        return;
    }
    if (key_text_find(&outcome->found, shape, text, length) != 0)
        fault_out_of_memory(); /* it fails only for lack of memory */
    outcome->kind = outcome->found.key_count > 0 ? SIGHTING_KEYS : SIGHTING_FOREIGN;
}

/* --- for all --- */

void target_give_up(struct target_job *job, const char *why)
{
    job->given_up = why;
    timer_set_delay(&job->deadline, 0);
}

void target_queue_start(struct target_world *world, struct target_job *job,
                        const struct target_request *request)
{
    job->world = world;
    job->action = request->action;
    job->target = request->id;
    job->done = request->done;
    job->context = request->context;
    world->started = job;
    job->lane = find_or_add_lane(world, job->place, job->lane_length);
    job->queued_at = time_boot();
    timer_init(world->loop, &job->deadline, on_deadline);
    deferred_init(&job->ending, on_ending);
    timer_set_delay(&job->deadline, world->canceled ? 0 : patience_of(job, false));
    list_append(&job->lane->waiting, &job->link);
    start_those_that_may(world, job->lane);
}

static void end_soon(struct list *jobs)
{
    list_for_each (item, jobs) {
        struct target_job *job = container_of(item, struct target_job, link);

        if (!job->reported)
            timer_set_delay(&job->deadline, 0);
    }
}

void target_cancel_all(struct target_world *world)
{
    world->canceled = true;
    for (size_t i = 0; i < world->queue.bucket_count; i++) {
        for (struct target_lane *lane = world->queue.buckets[i]; lane; lane = lane->next) {
            end_soon(&lane->waiting);
            end_soon(&lane->running);
        }
    }
}

bool target_is_busy(const struct target_world *world)
{
    return world->queue.running > 0;
}

static struct target_lane *find_paused(const struct target_queue *queue)
{
    for (size_t i = 0; i < queue->bucket_count; i++) {
        for (struct target_lane *lane = queue->buckets[i]; lane; lane = lane->next) {
            if (lane->paused)
                return lane;
        }
    }
    return NULL;
}

void target_queue_done(struct target_queue *queue)
{
    struct target_lane *lane;

    while ((lane = find_paused(queue))) {
        lane->paused = false;
        remove_lane_if_empty(queue, lane);
    }
}
