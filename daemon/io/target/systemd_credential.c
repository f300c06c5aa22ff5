/*
 * Files are read and written on a thread; systemd-creds(1) encrypts and decrypts, with the key on
 * its standard input and output alone.
 *
 *   probe:    encrypt something, is the file replaceable?
 *   read:     read the file, decrypt
 *   deliver:  read the file, decrypt; if it holds something else: encrypt, replace the file
 */
#include "io/target/target_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/must.h"
#include "base/str.h"
#include "io/target/systemd_credential_job.h"
#include "proto/failure.h"

/* --- ends --- */

static void end(struct credential_job *job)
{
    target_job_end(&job->base);
}

static void fail(struct credential_job *job)
{
    job->base.outcome.failed = true;
    end(job);
}

/* After the last step, which has filled the failure where there is one. */
static void end_step(struct credential_job *job)
{
    job->base.outcome.failed = job->rc != 0;
    end(job);
}

/* The result has been reported; only the work under way was waited for. */
static bool is_given_up(struct credential_job *job)
{
    if (!job->aborted)
        return false;
    job->base.outcome.failed = true;
    end(job);
    return true;
}

static void abort_job(struct target_job *base)
{
    struct credential_job *job = credential_job_of(base);

    job->aborted = true;
    if (job->program)
        program_kill(job->program);
}

/* --- the file, on a thread --- */

static void on_thread(struct target_job *base)
{
    struct credential_job *job = credential_job_of(base);

    job->rc = job->step(job);
}

static void on_thread_done(struct target_job *base)
{
    struct credential_job *job = credential_job_of(base);

    if (!is_given_up(job))
        job->stepped(job);
}

/* `path`: what the step touches. */
static void do_on_thread(struct credential_job *job, const char *path,
                         int (*step)(struct credential_job *job),
                         void (*stepped)(struct credential_job *job))
{
    job->step = step;
    job->stepped = stepped;
    err_clear(&job->err);
    target_job_step(&job->base, path, on_thread, on_thread_done);
}

/* A file that is missing, or too large for a credential, is no failure. */
static int read_file(struct credential_job *job)
{
    int rc;

    if (job->base.action == TARGET_ACTION_DELIVER)
        fs_remove_leftovers(job->path, geteuid());
    rc = fs_read(job->path, &job->encrypted, &job->err);
    if (rc != 0 && rc != -ENOENT && rc != -EMSGSIZE)
        credential_failure_read(job);
    return rc;
}

static int replace_file(struct credential_job *job)
{
    int rc = fs_replace(job->path, job->encrypted.data, job->encrypted.length,
                        &(struct fs_form){.mode = 0600, .gid = (gid_t)-1}, &job->err);

    if (rc != 0)
        credential_failure_write(job);
    return rc;
}

static int check_file(struct credential_job *job)
{
    int rc = fs_check_replaceable(job->path, &job->err);

    if (rc != 0)
        credential_failure_write(job);
    return rc;
}

/* --- the program and its secret, on a thread --- */

static int explain_start(struct credential_job *job)
{
    credential_failure_start(job);
    return -job->start_errno;
}

/* The program lies on a file system. False where it was started. */
static bool fails_to_start(struct credential_job *job, const struct program_result *result)
{
    if (result->end != PROGRAM_NOT_STARTED)
        return false;
    job->start_errno = result->code;
    do_on_thread(job, job->settings.program, explain_start, end_step);
    return true;
}

/* --- encrypting --- */

static void on_replaced(struct credential_job *job)
{
    job->base.may_have_acted = false;
    job->base.outcome.changed = job->rc == 0;
    end_step(job);
}

static void on_encrypted(void *context, const struct program_result *result)
{
    struct credential_job *job = context;

    job->program = NULL;
    if (is_given_up(job) || fails_to_start(job, result))
        return;
    if (credential_failure_program(job, "encrypt", result)) {
        fail(job);
        return;
    }
    if (job->base.action == TARGET_ACTION_PROBE) {
        do_on_thread(job, job->path, check_file, end_step);
        return;
    }
    buf_clear(&job->encrypted);
    if (buf_append(&job->encrypted, result->output->data, result->output->length) != 0)
        fault_out_of_memory();
    job->base.may_have_acted = true;
    do_on_thread(job, job->path, replace_file, on_replaced);
}

static void encrypt(struct credential_job *job)
{
    credential_job_run(job, "encrypt", job->wanted.data, job->wanted.length, on_encrypted);
}

/* --- decrypting --- */

static bool is_wanted(const struct credential_job *job, const struct buf *plain)
{
    return plain->length == job->wanted.length &&
           memcmp(buf_str(plain), buf_str(&job->wanted), plain->length) == 0;
}

static void on_decrypted(void *context, const struct program_result *result)
{
    struct credential_job *job = context;
    const bool delivers = job->base.action == TARGET_ACTION_DELIVER;

    job->program = NULL;
    if (is_given_up(job) || fails_to_start(job, result))
        return;
    if (result->end == PROGRAM_EXITED && result->code == 0 && !result->output_cut) {
        if (delivers && !is_wanted(job, result->output)) {
            encrypt(job);
            return;
        }
        if (!delivers)
            target_note_text(&job->base.outcome, job->key_shape, buf_str(result->output),
                             result->output->length);
        end(job);
        return;
    }
    /* Something that cannot be decrypted here is not what its reader needs. */
    job->base.outcome.kind = SIGHTING_FOREIGN;
    if (delivers && result->end == PROGRAM_EXITED) {
        encrypt(job); /* what is wrong with the machine keeps it from encrypting, too */
    } else if (!delivers && credential_is_unusable(result)) {
        end(job);
    } else {
        (void)credential_failure_program(job, "decrypt", result);
        fail(job);
    }
}

static void on_file_read(struct credential_job *job)
{
    const bool delivers = job->base.action == TARGET_ACTION_DELIVER;

    if (job->rc == 0 && job->encrypted.length > 0) {
        credential_job_run(job, "decrypt", job->encrypted.data, job->encrypted.length,
                           on_decrypted);
        return;
    }
    job->base.outcome.kind = job->rc == -EMSGSIZE ? SIGHTING_FOREIGN : SIGHTING_EMPTY;
    if (delivers && (job->rc == 0 || job->rc == -ENOENT || job->rc == -EMSGSIZE))
        encrypt(job);
    else if (job->rc == -ENOENT || job->rc == -EMSGSIZE)
        end(job);
    else
        end_step(job);
}

/* --- the type --- */

static void begin_work(struct credential_job *job)
{
    if (job->base.action == TARGET_ACTION_PROBE)
        encrypt(job);
    else
        do_on_thread(job, job->path, read_file, on_file_read);
}

static void on_secret_checked(struct credential_job *job)
{
    if (job->rc == 0)
        begin_work(job);
    else
        end_step(job);
}

static void begin(struct target_job *base)
{
    struct credential_job *job = credential_job_of(base);

    if (job->host_secret)
        do_on_thread(job, job->host_secret, credential_check_secret, on_secret_checked);
    else
        begin_work(job);
}

static void start(struct target_world *world, const struct target_request *request)
{
    struct credential_job *job = credential_job_new(world, request);

    job->base.begin = begin;
    job->base.abort = abort_job;
    target_queue_start(world, &job->base, request);
}

static void append_form(const struct destination *destination, struct buf *out)
{
    const struct target_systemd_credential *settings = target_systemd_credential_of(destination);

    buf_append(out, settings->name, strlen(settings->name) + 1);
    buf_append(out, settings->key, strlen(settings->key) + 1);
    buf_append_format(out, "%" PRId64, settings->not_after);
}

const struct target_operations target_systemd_credential_operations = {
    .type = &target_systemd_credential_type,
    .settles_at_once = true,
    .append_form = append_form,
    .start = start,
};
