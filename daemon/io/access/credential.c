#include "io/access/credential.h"

#include <errno.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/str.h"
#include "proto/failure.h"

time_ms credential_now(const struct credential *credential)
{
    return loop_now(credential->loop);
}

duration_ms credential_elapsed(const struct credential *credential)
{
    return credential->clock() - credential->started;
}

/* --- the end --- */

static void drop_state(struct credential *credential)
{
    if (credential->state && credential->source->done)
        credential->source->done(credential->state);
    free(credential->state);
    credential->state = NULL;
}

static void on_timer_closed(struct credential *credential)
{
    if (--credential->timers_open == 0)
        credential->closed(credential);
}

static void on_deadline_closed(struct timer *timer)
{
    on_timer_closed(container_of(timer, struct credential, deadline));
}

static void on_pause_closed(struct timer *timer)
{
    on_timer_closed(container_of(timer, struct credential, pause));
}

/* Nothing is under way any more. */
static void finish_closing(struct credential *credential)
{
    credential->step = CREDENTIAL_IDLE;
    loop_defer_cancel(&credential->ending);
    access_token_done(&credential->token);
    drop_state(credential);
    if (credential->kept && credential->source->forget)
        credential->source->forget(credential->kept);
    free(credential->kept);
    credential->kept = NULL;
    credential->timers_open = 2;
    timer_close(&credential->deadline, on_deadline_closed);
    timer_close(&credential->pause, on_pause_closed);
}

static void end(struct credential *credential)
{
    credential->step = CREDENTIAL_ENDED;
    loop_defer(credential->loop, &credential->ending);
}

static void on_ending(struct deferred *deferred)
{
    struct credential *credential = container_of(deferred, struct credential, ending);
    struct access_token token = credential->token;

    credential->token = (struct access_token){.token = NULL};
    credential->step = CREDENTIAL_IDLE;
    credential->under_way = false;
    timer_stop(&credential->deadline);
    drop_state(credential);
    credential->done(credential, token.token ? &token : NULL, credential->canceled);
}

void credential_succeed(struct credential *credential, struct access_token *token)
{
    credential->token = *token;
    end(credential);
}

void credential_fail(struct credential *credential)
{
    end(credential);
}

bool credential_checked(int rc)
{
    if (rc == -ENOMEM)
        fault_out_of_memory();
    return rc == 0;
}

bool credential_built(struct credential *credential, int rc, struct http_request *request,
                      const struct err *err)
{
    if (credential_checked(rc))
        return true;
    http_request_done(request);
    failure_from_err(&credential->failure, REASON_TOKEN_FAILED, err);
    credential_fail(credential);
    return false;
}

/*
 * The other side of a step has ended. Returns true where the kind goes on with the result: the
 * credential has not been given up meanwhile.
 */
static bool resume(struct credential *credential)
{
    credential->step = CREDENTIAL_IDLE;
    if (credential->closed)
        finish_closing(credential);
    else if (credential->late)
        end(credential);
    return !credential->closed && !credential->late;
}

/* --- work on a thread --- */

static void run_job(struct work *work)
{
    struct credential_job *job = container_of(work, struct credential_job, work);

    job->run(job);
}

static void on_job_done(struct work *work)
{
    struct credential_job *job = container_of(work, struct credential_job, work);
    struct credential *credential = job->owner;

    if (credential) {
        credential->job = NULL;
        if (resume(credential))
            job->then(credential, job);
    }
    job->free(job);
}

/* Where the file lies, of which the path may be relative, in fresh memory. */
static char *place_of(const struct credential *credential, const char *path)
{
    const char *directory = credential->wish.credentials_directory;

    if (path[0] == '/')
        return must_dup(path);
    return must(str_format("%s/%s", directory ? directory : "", path));
}

void credential_start_job(struct credential *credential, struct credential_job *job)
{
    char *place = place_of(credential, job->path);
    int rc;

    credential->step = CREDENTIAL_JOB;
    credential->job = job;
    job->owner = credential;
    failure_init(&credential->failure, REASON_TOKEN_FAILED);
    rc = work_start(loop_workers(credential->loop), &job->work, place, run_job, on_job_done,
                    &credential->failure);
    free(place);
    if (rc == 0)
        return;
    credential->job = NULL;
    job->free(job);
    credential_fail(credential);
}

static void give_up_job(struct credential *credential)
{
    struct credential_job *job = credential->job;

    job->owner = NULL;
    credential->job = NULL;
    if (work_abandon(loop_workers(credential->loop), &job->work))
        job->free(job);
}

/* --- a secret that stands alone in a file --- */

struct secret_job {
    struct credential_job base;
    struct secret_file file; /* with a path of its own */
    char *directory;
    struct secret *secret;
    struct failure failure;
};

static struct secret_job *secret_job_of(struct credential_job *job)
{
    return container_of(job, struct secret_job, base);
}

static void read_secret(struct credential_job *job)
{
    struct secret_job *reading = secret_job_of(job);

    reading->secret = secret_file_read(&reading->file, reading->directory, &reading->failure);
}

static void on_secret_read(struct credential *credential, struct credential_job *job)
{
    struct secret_job *reading = secret_job_of(job);

    if (reading->secret) {
        credential->then_secret(credential, reading->secret);
    } else {
        credential->failure = reading->failure;
        credential_fail(credential);
    }
}

static void free_secret_job(struct credential_job *job)
{
    struct secret_job *reading = secret_job_of(job);

    secret_free(reading->secret);
    free((char *)reading->file.path);
    free(reading->directory);
    free(reading);
}

void credential_read_secret(struct credential *credential, const struct secret_file *file,
                            void (*then)(struct credential *credential,
                                         const struct secret *secret))
{
    struct secret_job *reading = must_alloc(sizeof(*reading));

    reading->file = *file;
    reading->file.path = must_dup(file->path);
    reading->directory = must_dup(credential->wish.credentials_directory);
    reading->base.key = file->key;
    reading->base.path = reading->file.path;
    reading->base.run = read_secret;
    reading->base.then = on_secret_read;
    reading->base.free = free_secret_job;
    credential->then_secret = then;
    credential_start_job(credential, &reading->base);
}

/* --- a request --- */

static void on_reply(void *context, struct http_reply *reply)
{
    struct credential *credential = context;

    credential->call = NULL;
    if (!resume(credential))
        return;
    if (reply->outcome == HTTP_CANCELED) {
        credential->canceled = true;
        end(credential);
    } else {
        credential->then_reply(credential, reply);
    }
}

void credential_send(struct credential *credential, struct http_request *request,
                     void (*then)(struct credential *credential, const struct http_reply *reply))
{
    credential->step = CREDENTIAL_EXCHANGE;
    credential->then_reply = then;
    credential->requests++;
    credential->call = http_start(credential->http, request, on_reply, credential);
}

/* --- a program --- */

static void on_program_ended(void *context, const struct program_result *result)
{
    struct credential *credential = context;

    credential->program = NULL;
    if (resume(credential))
        credential->then_result(credential, result);
}

void credential_run_program(struct credential *credential, const struct program_request *request,
                            void (*then)(struct credential *credential,
                                         const struct program_result *result))
{
    credential->step = CREDENTIAL_PROGRAM;
    credential->then_result = then;
    credential->program =
        program_start(credential->spawner, credential->loop, request, on_program_ended, credential);
}

/* --- time --- */

void credential_pause(struct credential *credential, duration_ms pause,
                      void (*then)(struct credential *credential))
{
    credential->step = CREDENTIAL_PAUSE;
    credential->then = then;
    timer_set_delay(&credential->pause, pause);
}

static void on_pause(struct timer *timer)
{
    struct credential *credential = container_of(timer, struct credential, pause);

    credential->step = CREDENTIAL_IDLE;
    credential->then(credential);
}

static void explain_late(struct credential *credential)
{
    const struct credential_job *job = credential->job;
    struct failure *failure = &credential->failure;
    char time[DURATION_TEXT_MAX];

    duration_to_words(credential->source->deadline, time);
    failure_init(failure, REASON_TOKEN_FAILED);
    if (job) {
        failure_set_text(failure, "%s %s could not be read within %s: its file system hangs",
                         job->key, job->path, time);
        failure_set_remedy(failure,
                           "repair the file system that holds %s, or move the file to "
                           "another one",
                           job->path);
    } else {
        failure_set_text(failure, "there was no token for identity %s within %s",
                         credential->wish.identity->name, time);
    }
}

/* Ends the step under way. Returns true where nothing of it is left; otherwise its end follows. */
static bool give_up_step(struct credential *credential)
{
    switch (credential->step) {
    case CREDENTIAL_EXCHANGE:
        http_cancel(credential->call);
        return false;
    case CREDENTIAL_PROGRAM:
        program_kill(credential->program);
        return false;
    case CREDENTIAL_JOB:
        give_up_job(credential);
        return true;
    case CREDENTIAL_PAUSE:
        timer_stop(&credential->pause);
        return true;
    case CREDENTIAL_IDLE:
    case CREDENTIAL_ENDED:
        break;
    }
    return true;
}

static void on_deadline(struct timer *timer)
{
    struct credential *credential = container_of(timer, struct credential, deadline);

    if (credential->step == CREDENTIAL_ENDED)
        return;
    explain_late(credential);
    credential->late = true;
    if (give_up_step(credential))
        end(credential);
}

/* --- life --- */

void credential_init(struct credential *credential, const struct credential_world *world,
                     void (*done)(struct credential *credential, struct access_token *token,
                                  bool canceled))
{
    *credential = (struct credential){.loop = world->loop,
                                      .http = world->http,
                                      .spawner = world->spawner,
                                      .clock = world->clock,
                                      .done = done};
    timer_init(world->loop, &credential->deadline, on_deadline);
    timer_init(world->loop, &credential->pause, on_pause);
    deferred_init(&credential->ending, on_ending);
}

/* The configuration says `discover`, and the cloud has not answered yet. */
static void fail_without_cloud(struct credential *credential)
{
    failure_init(&credential->failure, REASON_TOKEN_FAILED);
    failure_set_text(&credential->failure,
                     "it is not known yet for whom the tokens of this cloud are: its Resource "
                     "Manager has not described it");
    failure_set_remedy(&credential->failure,
                       "see the cloud.failed lines of the log, or write cloud.login and "
                       "cloud.audience in the configuration");
    credential_fail(credential);
}

void credential_start(struct credential *credential, const struct credential_source *source,
                      const struct credential_wish *wish)
{
    credential->wish = *wish;
    credential->source = source;
    credential->under_way = true;
    credential->late = false;
    credential->canceled = false;
    credential->requests = 0;
    credential->expiry = (struct credential_expiry){.at = 0};
    credential->started = credential->clock();
    if (source->state_size > 0)
        credential->state = must_alloc(source->state_size);
    if (source->kept_size > 0 && !credential->kept)
        credential->kept = must_alloc(source->kept_size);
    timer_set_delay(&credential->deadline, source->deadline);
    if (wish->audience[0] != '\0')
        source->begin(credential);
    else
        fail_without_cloud(credential);
}

void credential_close(struct credential *credential, void (*closed)(struct credential *credential))
{
    const bool was_closing = !!credential->closed;

    credential->closed = closed;
    if (!was_closing && give_up_step(credential))
        finish_closing(credential);
}
