/*
 * The program learns the key from its standard input alone. Its answer is its exit status.
 */
#include "io/target/target_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "base/wipe.h"
#include "conf/target_exec.h"
#include "io/spawner/program.h"
#include "io/spawner/program_environment.h"
#include "io/spawner/program_failure.h"
#include "io/target/target_content.h"
#include "io/target/target_place.h"
#include "io/target/target_queue.h"
#include "proto/failure.h"
#include "proto/program_output.h"

/* A program whose time is up is ended, and what it wrote is reported. One that cannot be ended is
 * given up after this time besides. */
#define END_SLACK (10 * MS_SECOND)

struct exec_job {
    struct target_job base; /* its place is the command and the account, its lane the program */
    const char *arguments[TARGET_EXEC_ARGUMENTS_MAX + 1];
    struct program_environment environment;
    struct key_file content; /* deliver */
    char *news;              /* tell: the input */
    duration_ms timeout;
    struct program *program; /* running, or NULL */
    int start_errno;         /* that kept it from being started */
};

static struct exec_job *exec_job_of(struct target_job *base)
{
    return container_of(base, struct exec_job, base);
}

static void exec_job_free(struct target_job *base)
{
    struct exec_job *job = exec_job_of(base);

    for (size_t i = 0; job->arguments[i]; i++)
        free((char *)job->arguments[i]);
    free(base->place);
    program_environment_done(&job->environment);
    target_content_done(&job->content);
    free(job->news);
    free(job);
}

/* --- running --- */

/* Standard output, then standard error. */
static char *output_of(const struct program_result *result, const struct secret *key)
{
    char output[TARGET_OUTPUT_MAX / 2], errors[TARGET_OUTPUT_MAX / 2];
    char *text = NULL;

    program_output_text(result->output->data, result->output->length, key, output, sizeof(output));
    program_output_text(result->errors->data, result->errors->length, key, errors, sizeof(errors));
    if (output[0] || errors[0])
        text = must(str_format("%s%s%s", output, output[0] && errors[0] ? " | " : "", errors));
    return text;
}

/* Why it could not be started, on a thread: the program lies on a file system. */
static void look_at_program(struct target_job *base)
{
    struct exec_job *job = exec_job_of(base);

    program_failure_of_start(&base->outcome.failure, job->arguments[0], job->start_errno);
}

static void on_program_done(void *context, const struct program_result *result)
{
    struct exec_job *job = context;
    struct target_outcome *outcome = &job->base.outcome;

    job->program = NULL;
    if (result->end == PROGRAM_NOT_STARTED) {
        job->base.may_have_acted = false;
        job->start_errno = result->code;
        target_job_step(&job->base, job->arguments[0], look_at_program, target_job_fail);
        return;
    }
    outcome->output = output_of(result, job->content.key);
    outcome->failed = program_failure(&outcome->failure, job->arguments[0], result,
                                      job->content.key, spawner_problem(job->base.world->spawner));
    if (outcome->failed && job->news && result->end == PROGRAM_EXITED && result->timed_out == 0 &&
        !result->flooded)
        failure_set_remedy(&outcome->failure,
                           "correct what it complains about (notification.output in the log has "
                           "all of it)");
    outcome->changed = !outcome->failed;
    job->base.may_have_acted = outcome->failed && outcome->failure.outcome_unknown;
    target_job_end(&job->base);
}

static void begin(struct target_job *base)
{
    struct exec_job *job = exec_job_of(base);
    struct buf input;

    buf_init(&input, KEY_FILE_MAX);
    if (job->news ? buf_append_format(&input, "%s\n", job->news) != 0
                  : key_file_json(&job->content, &input) != 0)
        fault_out_of_memory(); /* its parts are far below the maximum */
    base->may_have_acted = true;
    job->program = program_start(base->world->spawner, base->world->loop,
                                 &(struct program_request){
                                     .arguments = job->arguments,
                                     .environment = job->environment.variables,
                                     .input = input.data,
                                     .input_length = input.length,
                                     .timeout = job->timeout,
                                     .uses_reserve = !!job->news,
                                 },
                                 on_program_done, job);
    buf_done(&input);
}

static void abort_job(struct target_job *base)
{
    struct exec_job *job = exec_job_of(base);

    if (job->program)
        program_kill(job->program);
}

static void explain(const struct target_job *base, enum target_end end, const char *timeout,
                    struct failure *failure)
{
    const struct exec_job *job = container_of(base, const struct exec_job, base);
    const char *path = job->arguments[0];

    if (end == TARGET_END_CANCELED)
        failure_set_text(failure, "%s: abandoned because the daemon stops", path);
    else if (end == TARGET_END_GIVEN_UP)
        failure_set_text(failure, "%s: ended after %s", path, timeout);
    else if (end == TARGET_END_NOT_TRIED)
        failure_set_text(failure,
                         "%s: not run, because for %s earlier runs of it have been under way", path,
                         timeout);
    else if (job->start_errno != 0)
        failure_set_text(failure,
                         "%s cannot be started, and its file system did not answer within %s to "
                         "say why",
                         path, timeout);
    else
        failure_set_text(failure, "%s has been running for %s and cannot be ended", path, timeout);
    failure_set_remedy(failure,
                       "find out what %s waits for, such as a file system that does not answer; it "
                       "is run again by itself",
                       path);
}

/* --- probing, on a thread --- */

static void probe(struct target_job *base)
{
    base->outcome.failed = !program_check(&base->outcome.failure, exec_job_of(base)->arguments[0]);
}

static void explain_probe(const struct target_job *base, enum target_end end, const char *timeout,
                          struct failure *failure)
{
    const char *path = container_of(base, const struct exec_job, base)->arguments[0];
    const struct target_words words = {
        .place = path,
        .hangs = "its file system did not answer",
        .earlier = "its file system has not answered",
    };

    target_explain(&words, end, timeout, failure);
    failure_set_remedy(failure, "check whether `ls -l %s` answers", path);
}

/* --- the type --- */

static void set_environment(struct exec_job *job, const struct target_request *request)
{
    const struct delivery *delivery = request->delivery;
    const struct account *account = delivery->account;
    const struct key_file *content = &job->content;
    struct program_environment *environment = &job->environment;
    char cycle[24];

    (void)snprintf(cycle, sizeof(cycle), "%" PRIu64, delivery->cycle);
    program_environment_init(environment);
    program_environment_add(environment, "KEYROTATED_ACCOUNT", account->name);
    program_environment_add(environment, "KEYROTATED_RESOURCE_ID", content->resource_id);
    if (content->pair)
        program_environment_add(environment, "KEYROTATED_PAIR", content->pair);
    program_environment_add(environment, "KEYROTATED_RESOURCE_GROUP", account->resource_group);
    program_environment_add(environment, "KEYROTATED_SUBSCRIPTION_ID", account->subscription_id);
    program_environment_add(environment, "KEYROTATED_LOCATION", delivery->location);
    program_environment_add(environment, "KEYROTATED_ENDPOINT",
                            delivery->endpoint ? delivery->endpoint : "");
    program_environment_add(environment, "KEYROTATED_SLOT", slot_name(delivery->slot));
    program_environment_add(environment, "KEYROTATED_CYCLE", cycle);
    program_environment_add(environment, "KEYROTATED_TARGET", request->destination->name);
    if (request->destination->after)
        program_environment_add(environment, "KEYROTATED_AFTER", request->destination->after->name);
}

/* The program gets the endpoint, so it has to be known where there is one. */
static void check_facts(struct exec_job *job, const struct target_request *request)
{
    struct target_outcome *outcome = &job->base.outcome;

    if (!target_lacks_endpoint(request->delivery))
        return;
    target_fail_unknown(NULL, job->arguments[0], "endpoint", &outcome->failure);
    outcome->failed = true;
}

static void set_news(struct exec_job *job, const struct target_request *request)
{
    struct program_environment *environment = &job->environment;

    job->news = must_dup(request->news->json);
    job->base.place = must(str_format("news for exec %s", request->destination->place));
    job->base.lane_length = strlen(job->base.place);
    program_environment_init(environment);
    program_environment_add(environment, "KEYROTATED_EVENT", request->news->event);
    program_environment_add(environment, "KEYROTATED_ACCOUNT", request->news->account);
    program_environment_add(environment, "KEYROTATED_TARGET", request->destination->name);
}

static void start(struct target_world *world, const struct target_request *request)
{
    const struct target_exec *settings = target_exec_of(request->destination);
    const char *program = settings->arguments[0];
    struct exec_job *job = must_alloc(sizeof(*job));

    job->arguments[0] = must_dup(program);
    for (size_t i = 1; settings->arguments[i]; i++)
        job->arguments[i] = must_dup(settings->arguments[i]);
    job->base.free = exec_job_free;
    if (request->delivery || request->news) {
        job->timeout = settings->timeout;
        job->base.timeout = PROGRAM_ROOM_WAIT + settings->timeout + END_SLACK;
        job->base.begin = begin;
        job->base.abort = abort_job;
        job->base.explain = explain;
    }
    if (request->news) {
        set_news(job, request);
    } else if (request->delivery) {
        job->base.place = must(str_format("exec %s\n%s\n%s", program, request->destination->place,
                                          request->delivery->account->id));
        job->base.lane_length = strlen("exec ") + strlen(program);
        job->content = target_content_copy(request->delivery);
        job->content.without_key = !!request->destination->after;
        set_environment(job, request);
        check_facts(job, request);
    } else {
        job->base.place = must(str_format("%s", program));
        job->base.lane_length = strlen(program);
        job->base.run = probe;
        job->base.explain = explain_probe;
    }
    target_queue_start(world, &job->base, request);
}

/* The place is the whole command; its time to run is no part of the acknowledgement. */
static void append_form(const struct destination *destination, struct buf *out)
{
    (void)destination;
    (void)out;
}

const struct target_operations target_exec_operations = {
    .type = &target_exec_type,
    .settles_at_once = false,
    .append_form = append_form,
    .start = start,
};
