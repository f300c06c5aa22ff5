#include "io/target/target_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "proto/failure.h"

/* --- making and freeing --- */

static void file_job_free(struct file_job *job)
{
    if (!job)
        return;
    free(job->path);
    free(job->group);
    free((char *)job->content.account);
    free((char *)job->content.resource_id);
    free((char *)job->content.account_endpoint);
    secret_free((struct secret *)job->content.key);
    key_text_done(&job->outcome.found);
    wipe(job, sizeof(*job));
    free(job);
}

static bool copy_delivery(struct key_file *content, const struct delivery *delivery)
{
    *content = (struct key_file){
        .account = str_dup(delivery->account->name),
        .resource_id = str_dup(delivery->account->id),
        .account_endpoint = str_dup(delivery->endpoint ? delivery->endpoint : ""),
        .slot = delivery->slot,
        .key = secret_clone(delivery->key),
        .cycle = delivery->cycle,
        .delivered_at = delivery->delivered_at,
    };
    return content->account && content->resource_id && content->account_endpoint && content->key;
}

struct file_job *file_job_new(struct target_world *world, const struct destination *destination,
                              const char *location, enum target_action action,
                              const struct delivery *delivery, void (*run)(struct file_job *))
{
    struct file_job *job = calloc(1, sizeof(*job));

    if (!job)
        return NULL;
    job->world = world;
    job->action = action;
    job->target = target_identify(destination, location);
    job->path = target_expand_location(destination->path, location);
    job->mode = destination->mode;
    job->has_mode = destination->has_mode;
    job->group = str_dup(destination->group);
    job->format = destination->format;
    job->run = run;
    if (!job->path || (destination->group && !job->group) ||
        (delivery && !copy_delivery(&job->content, delivery))) {
        file_job_free(job);
        return NULL;
    }
    return job;
}

/* --- order: who may go to a thread --- */

static size_t directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) : 0;
}

static bool same_directory(const char *a, const char *b)
{
    size_t length = directory_length(a);

    return length == directory_length(b) && memcmp(a, b, length) == 0;
}

static bool may_run(const struct file_job *job)
{
    size_t neighbours = 0;

    list_for_each (item, &job->world->running) {
        const struct file_job *other = container_of(item, struct file_job, link);

        if (str_equal(job->path, other->path))
            return false;
        neighbours += same_directory(job->path, other->path) ? 1 : 0;
    }
    return neighbours < FILE_JOBS_PER_DIRECTORY;
}

static void run_on_thread(struct work *work);
static void on_thread_done(struct work *work);

static void start_those_that_may(struct target_world *world)
{
    if (world->canceled)
        return;
    list_for_each (item, &world->waiting) {
        struct file_job *job = container_of(item, struct file_job, link);

        /* libuv only refuses work without a function; the deadline would report it. */
        if (may_run(job) &&
            loop_work(world->loop, &job->work, run_on_thread, on_thread_done) == 0) {
            list_remove(&job->link);
            list_append(&world->running, &job->link);
            job->on_thread = true;
        }
    }
}

/* --- ends --- */

static void on_timer_closed(struct timer *timer)
{
    file_job_free(container_of(timer, struct file_job, deadline));
}

static void note_sighting(struct file_job *job, struct target_result *result)
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

/* The thread is through: its outcome may be touched. */
static void report_outcome(struct file_job *job)
{
    struct target_result result = {
        .failure = job->outcome.failed ? &job->outcome.failure : NULL,
        .changed = !job->outcome.failed && job->outcome.changed,
        .sighting = {.target = job->target},
    };

    if (job->action == TARGET_READ || job->action == TARGET_READ_AND_SET_FORM) {
        result.form = job->outcome.form;
        result.form_text = job->outcome.form_text;
        if (!job->outcome.failed)
            note_sighting(job, &result);
    }
    job->reported = true;
    job->done(job->context, &result);
    for (size_t i = 0; i < SIGHTING_KEYS_MAX; i++)
        secret_free(result.keys[i]);
}

static duration_ms timeout_of(const struct target_world *world)
{
    return world->timeout > 0 ? world->timeout : TARGET_TIMEOUT;
}

/* `begun`: a thread works on it, and what it writes belongs to it alone. */
static void report_given_up(struct file_job *job, bool begun)
{
    struct failure failure;
    struct target_result result = {
        .failure = &failure,
        .canceled = job->world->canceled,
        .sighting = {.target = job->target},
    };
    char timeout[DURATION_TEXT_MAX];
    int directory = (int)directory_length(job->path);

    (void)duration_to_text(timeout_of(job->world), timeout);
    failure_init(&failure, REASON_TARGET_FAILED);
    failure.outcome_unknown = begun && job->action == TARGET_DELIVER;
    if (job->world->canceled)
        failure_set_text(&failure, "file %s: given up because the daemon stops", job->path);
    else if (begun)
        failure_set_text(&failure, "file %s: its file system did not answer within %s", job->path,
                         timeout);
    else
        failure_set_text(&failure,
                         "file %s: not tried, because for %s earlier operations in its directory, "
                         "or on other file systems, have been hanging",
                         job->path, timeout);
    failure_set_remedy(&failure,
                       "see whether `ls %.*s/` answers; of a network file system, look after the "
                       "server. It goes on by itself as soon as the file system does",
                       directory, job->path);
    job->reported = true;
    job->done(job->context, &result);
}

static void run_on_thread(struct work *work)
{
    struct file_job *job = container_of(work, struct file_job, work);

    job->ran = true;
    if (!job->outcome.failed)
        job->run(job);
}

static void on_thread_done(struct work *work)
{
    struct file_job *job = container_of(work, struct file_job, work);
    struct target_world *world = job->world;

    job->on_thread = false;
    list_remove(&job->link);
    if (!job->reported && job->ran)
        report_outcome(job);
    else if (!job->reported)
        report_given_up(job, false);
    timer_close(&job->deadline, on_timer_closed);
    start_those_that_may(world);
}

static void on_deadline(struct timer *timer)
{
    struct file_job *job = container_of(timer, struct file_job, deadline);

    if (job->on_thread) {
        /* Where no thread has taken it yet, it never will, and on_thread_done() comes next. */
        if (uv_cancel((uv_req_t *)&job->work.request) != 0)
            report_given_up(job, true);
        return;
    }
    list_remove(&job->link);
    report_given_up(job, false);
    timer_close(&job->deadline, on_timer_closed);
}

/* --- for all --- */

static void prepare_lists(struct target_world *world)
{
    if (!world->waiting.next) {
        list_init(&world->waiting);
        list_init(&world->running);
    }
}

void file_job_start(struct file_job *job, target_done *done, void *context)
{
    struct target_world *world = job->world;

    job->done = done;
    job->context = context;
    prepare_lists(world);
    timer_init(world->loop, &job->deadline, on_deadline);
    timer_set_delay(&job->deadline, world->canceled ? 0 : timeout_of(world));
    list_append(&world->waiting, &job->link);
    start_those_that_may(world);
}

static void end_soon(struct list *jobs)
{
    list_for_each (item, jobs) {
        struct file_job *job = container_of(item, struct file_job, link);

        if (!job->reported)
            timer_set_delay(&job->deadline, 0);
    }
}

void target_cancel_all(struct target_world *world)
{
    prepare_lists(world);
    world->canceled = true;
    end_soon(&world->waiting);
    end_soon(&world->running);
}

bool target_is_busy(const struct target_world *world)
{
    return world->running.next && !list_empty(&world->running);
}
