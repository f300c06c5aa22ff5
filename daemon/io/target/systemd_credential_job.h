/*
 * One operation on an encrypted credential: its data, the runs of systemd-creds(1), and what is
 * said about their failures.
 */
#ifndef KEYROTATED_IO_TARGET_SYSTEMD_CREDENTIAL_JOB_H
#define KEYROTATED_IO_TARGET_SYSTEMD_CREDENTIAL_JOB_H

#include "conf/target_systemd_credential.h"
#include "io/spawner/program.h"
#include "io/target/target_queue.h"

struct credential_job {
    struct target_job base;
    char *path;
    struct target_systemd_credential settings; /* its texts belong to the job */
    char *host_secret;                         /* absolute; NULL: systemd's own */
    char *host_secret_name;                    /* as a credential of the unit; NULL: it is none */
    time_ms now;
    const struct key_shape *key_shape;
    struct secret *key; /* deliver */
    struct buf wanted;  /* deliver: the plain text. probe: something of the same length */
    struct buf encrypted;

    struct program *program; /* running, or NULL */
    bool aborted;

    /* On a thread; a step touches only `path`, `settings`, `encrypted`, `start_errno`, `err` and
     * the failure. */
    int (*step)(struct credential_job *job);
    void (*stepped)(struct credential_job *job);
    int rc; /* of the last step */
    struct err err;
    int start_errno; /* that kept the program from being started */
};

static inline struct credential_job *credential_job_of(struct target_job *base)
{
    return container_of(base, struct credential_job, base);
}

/* For target_queue_start(); it lacks begin() and abort(). It is failed already where
 * `host_secret_file` cannot be found. */
struct credential_job *credential_job_new(const struct target_world *world,
                                          const struct target_request *request);

/* Runs `systemd-creds VERB` with `input` on its standard input. done(job, result) follows. */
void credential_job_run(struct credential_job *job, const char *verb, const void *input,
                        size_t length, program_done *done);

/* Did decrypting fail because of what stands in the file, not because of this machine? */
bool credential_is_unusable(const struct program_result *result);

/* Returns false when the program did its work. Otherwise fills the job's failure. For a program
 * that was started: credential_failure_start() is for the others. */
bool credential_failure_program(struct credential_job *job, const char *verb,
                                const struct program_result *result);

/* These may block on a file system, or look up users, so call them on the thread. */

/* Fills the job's failure by job->start_errno. */
void credential_failure_start(struct credential_job *job);
/* Is the host's secret a file? Otherwise fills the job's failure and returns a negative errno
 * value. The program makes a secret of its own where there is none, by which nobody else could
 * decrypt. */
int credential_check_secret(struct credential_job *job);
/* Both fill the job's failure by job->err. */
void credential_failure_read(struct credential_job *job);
void credential_failure_write(struct credential_job *job);

#endif
