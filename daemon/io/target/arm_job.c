#include "io/target/arm_job.h"

#include <errno.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/must.h"
#include "io/access/identity_copy.h"
#include "proto/arm.h"
#include "proto/failure.h"

static void ask_for_token(struct arm_job *job);

static struct arm_job *job_of_http(struct target_http *http)
{
    return container_of(http, struct arm_job, http);
}

void arm_job_init(struct arm_job *job, const struct identity *identity, const char *id,
                  const char *resource_manager, const char *audience)
{
    target_http_init(&job->http);
    job->identity = identity_copy(identity);
    job->id = must_dup(id);
    job->resource_manager = must_dup(resource_manager);
    job->audience = must_dup(audience);
    buf_init(&job->body, HTTP_BODY_MAX);
}

void arm_job_done(struct arm_job *job)
{
    identity_copy_done(&job->identity);
    free(job->id);
    free(job->resource_manager);
    free(job->audience);
    buf_done(&job->body);
}

void arm_job_explain(const struct target_job *base, const char *name, enum target_end end,
                     const char *timeout, struct failure *failure)
{
    const struct target_words words = {
        .type = name,
        .place = base->place,
        .hangs = "not done",
        .earlier = "earlier operations on the same resource have been hanging or throttled",
    };

    target_explain(&words, end, timeout, failure);
    failure_set_remedy(failure,
                       "none needed where Azure Resource Manager is slow; where it lasts, see "
                       "whether `az resource show --ids %.*s` answers from this machine",
                       (int)base->lane_length, base->place);
}

/* --- requests --- */

static void on_answer(struct target_http *http, const struct http_reply *reply)
{
    struct arm_job *job = job_of_http(http);

    target_http_heed_throttling(http, reply);
    if (reply->outcome == HTTP_ANSWERED && reply->status == 401 &&
        target_http_renew_token(http, job->audience, reply))
        ask_for_token(job);
    else
        job->then(job, reply);
}

static int build(struct arm_job *job, const struct secret *token, struct http_request *request,
                 struct err *err)
{
    char id[UUID_TEXT_MAX] = "";
    struct arm_request wanted = {
        .method = job->request.method,
        .resource_manager = job->resource_manager,
        .resource_id = job->id,
        .operation = job->request.path,
        .api_version = job->request.api_version,
        .body = job->body.length > 0 ? buf_str(&job->body) : NULL,
        .token = token,
        .client_request_id = id,
        .repeatable = !job->request.changes,
    };
    int rc;

    (void)crypto_uuid(id); /* without it, a request cannot be found in the activity log */
    rc = arm_request_build(request, &wanted, err);
    request->follows = false;
    if (rc != 0 || job->etag[0] == '\0')
        return rc;
    http_request_header(request, "If-Match", job->etag);
    rc = http_request_check(request);
    return rc == 0 ? 0 : err_set(err, rc, "the ETag of the resource does not fit into a request");
}

static void send_request(struct target_http *http, const struct secret *token)
{
    struct arm_job *job = job_of_http(http);
    struct http_request request;
    struct err err = {.code = 0};
    int rc = build(job, token, &request, &err);

    if (rc == -ENOMEM)
        fault_out_of_memory();
    if (rc == 0) {
        target_http_send(http, &request, job->request.changes, on_answer);
        return;
    }
    http_request_done(&request);
    failure_from_err(&http->base.outcome.failure, REASON_TARGET_FAILED, &err);
    target_job_fail(&http->base);
}

static void ask_for_token(struct arm_job *job)
{
    target_http_authorize(&job->http, &job->identity, job->audience, send_request);
}

void arm_job_send(struct arm_job *job, const struct arm_job_request *request, arm_job_then *then)
{
    job->request = *request;
    job->then = then;
    ask_for_token(job);
}
