#include "io/target/vault_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "io/target/target_content.h"
#include "io/target/target_place.h"
#include "proto/failure.h"

enum { TEXTS_MAX = 1024 * 1024 };

static const char *copy(struct vault_job *job, const char *text)
{
    return text ? must(arena_dup(job->arena, text)) : NULL;
}

static void copy_settings(struct vault_job *job, const struct target_hashicorp_vault *settings)
{
    struct vault_field *fields =
        must(arena_alloc_array(job->arena, settings->field_count, sizeof(*fields)));

    job->object = settings->object;
    job->object.address = copy(job, settings->object.address);
    job->object.name_space = copy(job, settings->object.name_space);
    job->object.mount = copy(job, settings->object.mount);
    job->object.path = job->http.base.place + settings->path_offset;
    job->login = settings->login;
    job->login.address = job->object.address;
    job->login.name_space = job->object.name_space;
    job->login.mount = copy(job, settings->login.mount);
    job->login.role = copy(job, settings->login.role);
    job->login.file = copy(job, settings->login.file);
    job->ca_file = copy(job, settings->ca_file);
    job->period = settings->period;
    for (size_t i = 0; i < settings->field_count; i++) {
        fields[i].name = copy(job, settings->fields[i].name);
        fields[i].template = copy(job, settings->fields[i].template);
    }
    job->fields = fields;
    job->field_count = settings->field_count;
}

static void explain(const struct target_job *base, enum target_end end, const char *timeout,
                    struct failure *failure)
{
    const struct vault_job *job =
        container_of((struct target_job *)base, struct vault_job, http.base);
    const struct vault_object *object = &job->object;

    if (end == TARGET_END_CANCELED)
        failure_set_text(failure, "%s/%s: abandoned because the daemon stops", object->mount,
                         object->path);
    else if (end == TARGET_END_GIVEN_UP)
        failure_set_text(failure, "%s/%s: given up after %s", object->mount, object->path, timeout);
    else if (end == TARGET_END_HANGS)
        failure_set_text(failure, "Vault did not answer for %s/%s within %s", object->mount,
                         object->path, timeout);
    else
        failure_set_text(failure,
                         "%s/%s: not tried, because for %s earlier requests to this server have "
                         "been waiting for answers",
                         object->mount, object->path, timeout);
    failure_set_remedy(failure,
                       "check whether the server answers: `vault status -address=%s`; delivery "
                       "continues by itself",
                       object->address);
}

void vault_job_free(struct target_job *base)
{
    struct vault_job *job = container_of(base, struct vault_job, http.base);

    secret_free(job->token);
    target_content_done(&job->content);
    buf_done(&job->authorities);
    arena_free(job->arena);
    free(base->place);
    wipe(job, sizeof(*job));
    free(job);
}

struct vault_job *vault_job_new(const struct target_request *request)
{
    struct vault_job *job = must_alloc(sizeof(*job));
    struct target_job *base = &job->http.base;

    target_http_init(&job->http);
    buf_init(&job->authorities, HTTP_PEM_MAX);
    job->arena = must(arena_new(TEXTS_MAX));
    base->place = target_place(request->destination, request->location);
    base->explain = explain;
    base->free = vault_job_free;
    copy_settings(job, target_hashicorp_vault_of(request->destination));
    base->lane_length = strlen(job->object.address);
    job->key_shape = request->destination->key_shape;
    if (request->delivery)
        job->content = target_content_copy(request->delivery);
    return job;
}

void vault_job_send(struct vault_job *job, int rc, struct http_request *request, bool changes,
                    void (*answered)(struct target_http *http, const struct http_reply *reply))
{
    struct failure *failure = &job->http.base.outcome.failure;

    if (job->authorities.length > 0)
        buf_append(&request->tls.authorities, job->authorities.data, job->authorities.length);
    if (rc == -ENOMEM || request->tls.authorities.failed == -ENOMEM)
        fault_out_of_memory();
    if (rc == 0) {
        target_http_send(&job->http, request, changes, answered);
        return;
    }
    http_request_done(request);
    failure_set(failure, REASON_TARGET_FAILED, "the request for %s/%s cannot be made: %s",
                job->object.mount, job->object.path, strerror(-rc));
    failure_set_remedy(failure,
                       "shorten `path`, `namespace` or the fields in `keys`; a token consists of "
                       "printable characters");
    vault_job_fail(job);
}

void vault_job_fail(struct vault_job *job)
{
    target_job_fail(&job->http.base);
}

void vault_job_succeed(struct vault_job *job)
{
    job->http.base.outcome.failed = false;
    target_job_end(&job->http.base);
}
