/*
 * Looking at the path and looking up the owner may block, so a thread does it. Then the loop
 * connects, checks who listens, sends the key, and reads the answer to its end.
 *
 * A probe does not connect, because that would start a program that waits behind a socket unit.
 */
#include "io/target/target_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/must.h"
#include "base/str.h"
#include "conf/target_socket.h"
#include "io/target/file_job.h"
#include "io/target/socket_failure.h"
#include "io/target/target_content.h"
#include "io/target/target_place.h"
#include "io/target/target_queue.h"
#include "proto/failure.h"
#include "proto/key_file.h"
#include "proto/program_output.h"
#include "proto/socket_answer.h"

enum { READ_SIZE = 4096 };

struct socket_job {
    struct target_job base; /* its place is the path and the account, its lane the path */
    char *path;
    struct target_socket settings; /* the owner belongs to the job */
    struct key_file content;       /* deliver; its texts and the key belong to the job */
    char *news;                    /* tell */
    bool aborted;

    bool is_looking;
    uid_t owner; /* once the look is done */

    uv_pipe_t pipe;
    bool is_open; /* the pipe is initialised, and not closing */
    uv_connect_t connect;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct buf form; /* what is sent */
    struct buf answer;
    char chunk[READ_SIZE];
};

static struct socket_job *job_of(struct target_job *base)
{
    return container_of(base, struct socket_job, base);
}

/* --- the look at the path, on a thread --- */

/* False with *failure filled. */
static bool find_owner(const struct socket_job *job, uid_t *ret_uid, struct failure *failure)
{
    int64_t number;
    int rc;

    if (str_to_int64(job->settings.owner, &number)) {
        *ret_uid = (uid_t)number;
        return true;
    }
    rc = file_owner_user(job->settings.owner, ret_uid);
    if (rc == 0 && *ret_uid != FILE_OWNER_ANY)
        return true;
    socket_failure_no_user(failure, job->path, job->settings.owner, rc);
    return false;
}

static bool look_at(struct socket_job *job, struct failure *failure)
{
    struct stat status;

    if (stat(job->path, &status) != 0) {
        socket_failure_connect(failure, job->path, errno);
        return false;
    }
    if (!S_ISSOCK(status.st_mode)) {
        socket_failure_no_socket(failure, job->path);
        return false;
    }
    if (!find_owner(job, &job->owner, failure))
        return false;
    if (job->owner == SOCKET_OVERFLOW_UID)
        socket_failure_nobody(failure, job->path, job->settings.owner);
    return job->owner != SOCKET_OVERFLOW_UID;
}

static void run_look(struct target_job *base)
{
    base->outcome.failed = !look_at(job_of(base), &base->outcome.failure);
}

/* --- the end --- */

static void on_closed(uv_handle_t *handle)
{
    target_job_end(&((struct socket_job *)handle->data)->base);
}

/* `outcome` is filled. Callbacks that still come find the job closed. */
static void finish(struct socket_job *job)
{
    job->is_open = false;
    uv_close((uv_handle_t *)&job->pipe, on_closed);
}

static void finish_failed(struct socket_job *job)
{
    job->base.outcome.failed = true;
    finish(job);
}

/* --- the answer --- */

/* The other side has closed, or the connection ended with this errno value. A program that does not
 * read everything before it answers makes it end with ECONNRESET. */
static void on_end(struct socket_job *job, int saved_errno)
{
    struct target_outcome *outcome = &job->base.outcome;
    int rc;

    job->base.may_have_acted = false; /* from here on `outcome` says it */
    if (job->answer.failed != 0) {
        socket_failure_long_answer(&outcome->failure, job->path);
        outcome->failed = true;
    } else if (job->answer.length == 0) {
        socket_failure_broken(&outcome->failure, job->path, saved_errno);
        outcome->failed = true;
    } else {
        rc = socket_answer_read(job->answer.data, job->answer.length, job->path, &outcome->failure);
        if (rc == -ENOMEM)
            fault_out_of_memory();
        outcome->failed = rc != 0;
        if (outcome->failed)
            program_output_redact(outcome->failure.text, job->content.key);
    }
    outcome->changed = !outcome->failed; /* what the readers had before is not known */
    finish(job);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    struct socket_job *job = handle->data;

    (void)suggested;
    *ret_buffer = uv_buf_init(job->chunk, sizeof(job->chunk));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct socket_job *job = stream->data;

    if (!job->is_open || count == 0)
        return;
    if (count < 0)
        on_end(job, count == UV_EOF ? 0 : (int)-count);
    else if (buf_append(&job->answer, buffer->base, (size_t)count) != 0)
        on_end(job, 0);
    wipe(job->chunk, sizeof(job->chunk));
}

/* --- connecting and sending --- */

/* A failure to send shows as the end of the connection, after an answer if there is one. */
static void on_written(uv_write_t *write, int status)
{
    (void)write;
    (void)status;
}

static void on_shut_down(uv_shutdown_t *shutdown, int status)
{
    (void)shutdown;
    (void)status;
}

static void send_key(struct socket_job *job)
{
    uv_stream_t *stream = (uv_stream_t *)&job->pipe;
    uv_buf_t bytes;
    int rc;

    if (job->news ? buf_append_format(&job->form, "%s\n", job->news) != 0
                  : key_file_json(&job->content, &job->form) != 0)
        fault_out_of_memory(); /* it has no other reason: the members are short */
    bytes = uv_buf_init(job->form.data, (unsigned)job->form.length);
    job->base.may_have_acted = true;
    rc = uv_read_start(stream, on_allocate, on_read);
    if (rc == 0)
        rc = uv_write(&job->write, stream, &bytes, 1, on_written);
    if (rc == 0)
        rc = uv_shutdown(&job->shutdown, stream, on_shut_down);
    if (rc == 0)
        return;
    socket_failure_broken(&job->base.outcome.failure, job->path, -rc);
    finish_failed(job);
}

/* The user that listens (unix(7): SO_PEERCRED). */
static bool check_owner(struct socket_job *job)
{
    struct failure *failure = &job->base.outcome.failure;
    struct ucred peer = {.uid = SOCKET_OVERFLOW_UID};
    socklen_t size = sizeof(peer);
    uv_os_fd_t fd;

    if (uv_fileno((uv_handle_t *)&job->pipe, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        socket_failure_connect(failure, job->path, errno);
        return false;
    }
    if (peer.uid == job->owner)
        return true;
    socket_failure_owner(failure, job->path, job->settings.owner, peer.uid);
    return false;
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct socket_job *job = container_of(connect, struct socket_job, connect);

    if (!job->is_open)
        return;
    if (status < 0) {
        socket_failure_connect(&job->base.outcome.failure, job->path, -status);
        if (status == UV_EAGAIN && job->news) /* which is dropped after some attempts */
            socket_failure_queue(&job->base.outcome.failure, job->path);
        finish_failed(job);
    } else if (!check_owner(job)) {
        finish_failed(job);
    } else {
        send_key(job);
    }
}

static void on_look_done(struct target_job *base)
{
    struct socket_job *job = job_of(base);

    job->is_looking = false;
    if (base->world->canceled && !job->aborted)
        return; /* abort_job() is about to be called, and ends it */
    if (job->aborted || base->outcome.failed ||
        (base->action != TARGET_ACTION_DELIVER && !job->news)) {
        target_job_end(base);
        return;
    }
    (void)uv_pipe_init(loop_uv(base->world->loop), &job->pipe, 0); /* it cannot fail */
    job->pipe.data = job;
    job->is_open = true;
    uv_pipe_connect(&job->connect, &job->pipe, job->path, on_connected);
}

static void begin(struct target_job *base)
{
    struct socket_job *job = job_of(base);

    job->is_looking = true;
    target_job_step(base, job->path, run_look, on_look_done);
}

/* A look that is under way cannot be ended: on_look_done() ends the job then. */
static void abort_job(struct target_job *base)
{
    struct socket_job *job = job_of(base);
    const bool is_closing = !job->is_open && !!job->pipe.data;

    job->aborted = true;
    if (job->is_open)
        finish(job);
    else if (!job->is_looking && !is_closing)
        target_job_end(base);
}

/* --- the type --- */

static void explain(const struct target_job *base, enum target_end end, const char *timeout,
                    struct failure *failure)
{
    const struct socket_job *job = container_of(base, struct socket_job, base);
    const struct target_words words = {
        .type = "socket",
        .place = job->path,
        .hangs =
            job->answer.length > 0 ? "it has answered, but not closed the connection" : "no answer",
        .earlier = "earlier keys have been waiting there for an answer",
    };

    target_explain(&words, end, timeout, failure);
    failure_set_remedy(failure,
                       "see what the program behind the socket waits for: it is to read to the "
                       "end, answer with one line, and exit; or raise `timeout`");
}

static void free_job(struct target_job *base)
{
    struct socket_job *job = job_of(base);

    free(base->place);
    free(job->path);
    free((char *)job->settings.owner);
    target_content_done(&job->content);
    free(job->news);
    buf_done(&job->form);
    buf_done(&job->answer);
    free(job);
}

/* False with the job's failure filled. */
static bool check_facts(struct socket_job *job, const struct target_request *request)
{
    struct failure *failure = &job->base.outcome.failure;

    if (!target_place_check(request, "a path or host name", "`path`", failure))
        return false;
    if (!request->delivery || !target_lacks_endpoint(request->delivery))
        return true;
    target_fail_unknown("socket", job->path, "endpoint", failure);
    return false;
}

static void start(struct target_world *world, const struct target_request *request)
{
    const struct target_socket *settings = target_socket_of(request->destination);
    struct socket_job *job = must_alloc(sizeof(*job));
    struct target_job *base = &job->base;

    job->path = target_place(request->destination, request->location);
    job->settings.owner = must_dup(settings->owner);
    if (request->delivery)
        job->content = target_content_copy(request->delivery);
    job->content.without_key = !!request->destination->after;
    buf_init(&job->form, KEY_FILE_MAX);
    buf_init(&job->answer, SOCKET_ANSWER_MAX);
    /* Accounts share the socket, and do not wait for each other. */
    base->place = request->delivery ? must(str_format("%s for %s", job->path, job->content.account))
                                    : must_dup(job->path);
    base->lane_length = strlen(job->path);
    if (request->news) {
        job->news = must_dup(request->news->json);
        free(base->place);
        base->place = must(str_format("news for %s", job->path));
        base->lane_length = strlen(base->place);
    }
    base->timeout = settings->timeout;
    base->begin = begin;
    base->abort = abort_job;
    base->explain = explain;
    base->free = free_job;
    base->outcome.failed = !check_facts(job, request);
    target_queue_start(world, base, request);
}

/* Whoever listens may change; a key that was acknowledged stays so. */
static void append_form(const struct destination *destination, struct buf *out)
{
    (void)destination;
    (void)out;
}

const struct target_operations target_socket_operations = {
    .type = &target_socket_type,
    .append_form = append_form,
    .start = start,
};
