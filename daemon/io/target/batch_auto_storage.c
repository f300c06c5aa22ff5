/*
 * The Batch account is told to read the keys of its storage account again. It gets no key, and
 * telling it twice does no harm, so that a lost answer is followed by another try.
 */
#include "io/target/target_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "conf/target_batch_auto_storage.h"
#include "io/target/arm_job.h"
#include "proto/batch_auto_storage.h"
#include "proto/failure.h"

struct sync_job {
    struct arm_job arm;
    char *api_version;
    bool syncs; /* the request under way is the synchronization; else the description */
};

static struct sync_job *job_of(struct arm_job *arm)
{
    return container_of(arm, struct sync_job, arm);
}

static void free_job(struct target_job *base)
{
    struct sync_job *job = job_of(arm_job_of(base));

    free(base->place);
    free(job->api_version);
    arm_job_done(&job->arm);
    free(job);
}

static void explain(const struct target_job *base, enum target_end end, const char *timeout,
                    struct failure *failure)
{
    arm_job_explain(base, "batch_auto_storage", end, timeout, failure);
}

/* --- answers --- */

/* `principal` belongs to the caller. */
static struct arm_target_subject subject_of(const struct sync_job *job,
                                            char principal[IDENTITY_PRINCIPAL_MAX])
{
    identity_describe_principal(&job->arm.identity, principal);
    return (struct arm_target_subject){
        .id = job->arm.id,
        .noun = "the Batch account",
        .key = "batch_account",
        .operation = job->syncs ? "syncAutoStorageKeys" : "reading the Batch account",
        .action = job->syncs ? BATCH_AUTO_STORAGE_SYNC : BATCH_AUTO_STORAGE_READ,
        .role = "Azure Batch Account Contributor",
        .principal = principal,
        .assignee = identity_assignee(&job->arm.identity),
        .when_in_use = "Where it lasts, see the Batch account's activity log",
        .changes = job->syncs,
    };
}

/* Ends the job and returns false unless the reply is a success. */
static bool check(struct sync_job *job, const struct http_reply *reply)
{
    struct target_job *base = &job->arm.http.base;
    char principal[IDENTITY_PRINCIPAL_MAX];
    const struct arm_target_subject subject = subject_of(job, principal);

    if (arm_target_check(reply, &subject, loop_now(base->world->loop), &base->outcome.failure))
        return true;
    target_job_fail(&job->arm.http.base);
    return false;
}

static void fail_useless(struct sync_job *job, enum batch_auto_storage storage)
{
    struct failure *failure = &job->arm.http.base.outcome.failure;

    failure_init(failure, REASON_TARGET_FAILED);
    if (storage == BATCH_AUTO_STORAGE_NONE)
        failure_set_text(failure, "the Batch account %s has no auto-storage", job->arm.id);
    else
        failure_set_text(failure,
                         "the Batch account %s reaches its auto-storage with its managed identity, "
                         "and needs no keys",
                         job->arm.id);
    failure_set_remedy(failure,
                       "take this target out of `deliver_to`, or correct "
                       "`batch_account`");
    target_job_fail(&job->arm.http.base);
}

static void on_described(struct arm_job *arm, const struct http_reply *reply)
{
    struct sync_job *job = job_of(arm);
    char principal[IDENTITY_PRINCIPAL_MAX];
    const struct arm_target_subject subject = subject_of(job, principal);
    enum batch_auto_storage storage;
    struct err err = {.code = 0};
    int rc;

    if (!check(job, reply))
        return;
    rc = batch_auto_storage_read(buf_str(&reply->body), reply->body.length, &storage, &err);
    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc != 0) {
        arm_target_unreadable(reply, &subject, err.text, &arm->http.base.outcome.failure);
        target_job_fail(&arm->http.base);
    } else if (storage != BATCH_AUTO_STORAGE_KEYS) {
        fail_useless(job, storage);
    } else {
        target_job_end(&arm->http.base);
    }
}

static void on_synced(struct arm_job *arm, const struct http_reply *reply)
{
    if (!check(job_of(arm), reply))
        return;
    arm->http.base.outcome.changed = true; /* it may use another key from now on */
    target_job_end(&arm->http.base);
}

/* --- the type --- */

static void begin(struct target_job *base)
{
    struct sync_job *job = job_of(arm_job_of(base));

    job->syncs = base->action == TARGET_ACTION_DELIVER;
    if (job->syncs)
        arm_job_send(&job->arm,
                     &(struct arm_job_request){.method = "POST",
                                               .path = "syncAutoStorageKeys",
                                               .api_version = job->api_version,
                                               .changes = true},
                     on_synced);
    else
        arm_job_send(&job->arm,
                     &(struct arm_job_request){.method = "GET", .api_version = job->api_version},
                     on_described);
}

static void append_form(const struct destination *destination, struct buf *out)
{
    (void)destination;
    (void)out;
}

static void start(struct target_world *world, const struct target_request *request)
{
    const struct destination *destination = request->destination;
    const struct target_batch_auto_storage *settings = target_batch_auto_storage_of(destination);
    struct sync_job *job = must_alloc(sizeof(*job));
    struct target_job *base = &job->arm.http.base;

    arm_job_init(&job->arm, destination->identity, settings->batch_account,
                 settings->resource_manager, settings->audience);
    job->api_version = must_dup(settings->api_version);
    base->place = must_dup(destination->place);
    base->lane_length = strlen(base->place);
    base->begin = begin;
    base->explain = explain;
    base->free = free_job;
    target_queue_start(world, base, request);
}

const struct target_operations target_batch_auto_storage_operations = {
    .type = &target_batch_auto_storage_type,
    .settles_at_once = false,
    .append_form = append_form,
    .start = start,
};
