#include "io/target/file_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "io/target/target_content.h"
#include "io/target/target_place.h"
#include "proto/failure.h"

static void file_job_free(struct target_job *base)
{
    struct file_job *job = file_job_of(base);

    free(base->place);
    free((char *)job->settings.owner);
    free((char *)job->settings.group);
    free((char *)job->settings.content);
    target_content_done(&job->content);
    wipe(job, sizeof(*job));
    free(job);
}

static void explain(const struct target_job *job, enum target_end end, const char *timeout,
                    struct failure *failure)
{
    const struct target_words words = {
        .type = "file", .place = job->place, .hangs = "its file system did not answer"};

    if (end != TARGET_END_NOT_TRIED)
        target_explain(&words, end, timeout, failure);
    else
        failure_set_text(failure,
                         "file %s: not attempted: earlier operations in its directory, or on other "
                         "file systems, have been hanging for %s",
                         job->place, timeout);
    failure_set_remedy(failure,
                       "check whether `ls %.*s/` answers; for a network file system, check the "
                       "server. Delivery continues as soon as the file system answers",
                       (int)job->lane_length, job->place);
}

static size_t directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) : 0;
}

struct file_job *file_job_new(const struct target_request *request,
                              void (*run)(struct target_job *))
{
    struct file_job *job = must_alloc(sizeof(*job));

    job->base.place = target_place(request->destination, request->location);
    job->base.run = run;
    job->base.explain = explain;
    job->base.free = file_job_free;
    job->settings = *target_file_of(request->destination);
    job->settings.owner = must_dup(job->settings.owner);
    job->settings.group = must_dup(job->settings.group);
    job->settings.content = must_dup(job->settings.content);
    job->key_shape = request->destination->key_shape;
    if (request->delivery)
        job->content = target_content_copy(request->delivery);
    job->base.lane_length = directory_length(job->base.place);
    return job;
}
