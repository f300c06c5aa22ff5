/*
 * One operation on a resource of Azure Resource Manager, with the requests that it consists of:
 *
 *   arm_job_send() ---> token ---> request ---> then(job, reply)
 *                         ^           |
 *                         +--- 401 ---+ (once a job)
 *
 * A refusal for too many requests pauses the job's lane. A redirection is an answer like any other.
 */
#ifndef KEYROTATED_IO_TARGET_ARM_JOB_H
#define KEYROTATED_IO_TARGET_ARM_JOB_H

#include "conf/identity.h"
#include "io/target/target_http.h"
#include "proto/arm_target.h"

enum { ARM_JOB_ETAG_MAX = 256 };

struct arm_job;
typedef void arm_job_then(struct arm_job *job, const struct http_reply *reply);

/* What to send next. Borrowed until the request has been sent. */
struct arm_job_request {
    const char *method;
    const char *path; /* below the resource; NULL: the resource itself */
    const char *api_version;
    bool changes; /* it changes the resource */
};

/* The first member of a type's own job. */
struct arm_job {
    struct target_http http;
    struct identity identity; /* a copy */
    char *id;                 /* of the resource */
    char *resource_manager;
    char *audience;
    struct buf body;             /* of the next request; empty: none */
    char etag[ARM_JOB_ETAG_MAX]; /* the next request is made on condition of it; "": without one */

    struct arm_job_request request;
    arm_job_then *then;
};

static inline struct arm_job *arm_job_of(struct target_job *base)
{
    return container_of(target_http_of(base), struct arm_job, http);
}

/* Copies the texts. The type sets the other members of http.base, but for `abort`. */
void arm_job_init(struct arm_job *job, const struct identity *identity, const char *id,
                  const char *resource_manager, const char *audience);
void arm_job_done(struct arm_job *job);

/* Sends a request with the present body and etag. then(job, reply) follows with the answer, or with
 * what became of it; any failure before that ends the job. */
void arm_job_send(struct arm_job *job, const struct arm_job_request *request, arm_job_then *then);

/* Explains a job that was given up; `name` is the type's. */
void arm_job_explain(const struct target_job *base, const char *name, enum target_end end,
                     const char *timeout, struct failure *failure);

#endif
