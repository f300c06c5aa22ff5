/*
 * One operation on a secret of Key Vault, with copies of all its data, and the calls that it
 * consists of.
 *
 *   key_vault_call() ---> challenge ---> token ---> request ---> then(job, reply)
 *                         (once a vault)   ^           |
 *                                          +--- 401 ---+ (once a job)
 *
 * The token goes only to a vault whose challenge has been checked. A refusal for too many requests
 * pauses the vault's lane.
 */
#ifndef KEYROTATED_IO_TARGET_KEY_VAULT_CALL_H
#define KEYROTATED_IO_TARGET_KEY_VAULT_CALL_H

#include "conf/identity.h"
#include "conf/target_key_vault.h"
#include "io/target/target_http.h"
#include "proto/key_file.h"
#include "proto/key_vault.h"

struct key_vault_job;
typedef void key_vault_then(struct key_vault_job *job, const struct http_reply *reply);

struct key_vault_job {
    struct target_http http; /* its place names the secret, its lane is the vault */
    char *vault;             /* "https://contoso.vault.azure.net" */
    char *vault_name;        /* "contoso" */
    char *secret_name;
    struct target_key_vault settings; /* its texts belong to the job */
    struct identity identity;         /* a copy */
    const struct key_shape *key_shape;
    struct key_file content; /* deliver; its texts and the key belong to the job */

    /* The call under way. */
    enum key_vault_operation operation;
    char version[KEY_VAULT_VERSION_MAX];
    struct buf body; /* empty: none */
    key_vault_then *then;
    struct key_vault_challenge challenge; /* of the vault, once it is known */

    bool recovered; /* the soft-deleted secret was asked back by this job */
};

static inline struct key_vault_job *key_vault_job_of(struct target_job *base)
{
    return container_of(target_http_of(base), struct key_vault_job, http);
}

/* For target_queue_start(). begin() starts the first call. */
struct key_vault_job *key_vault_job_new(const struct target_request *request,
                                        void (*begin)(struct target_job *));

/* Starts a call, whose body stands in job->body and whose version in job->version. then(job, reply)
 * follows with the answer, or with what became of it; any failure before that ends the job. */
void key_vault_call(struct key_vault_job *job, enum key_vault_operation operation,
                    key_vault_then *then);

/* Is the reply a success? Otherwise fills outcome.failure, which becomes the outcome of the job if
 * that is ended by key_vault_fail(). */
bool key_vault_check(struct key_vault_job *job, const struct http_reply *reply);

/* For the texts of failures about the present call. Valid as long as the job, `principal` and
 * itself. */
struct key_vault_subject key_vault_subject_of(const struct key_vault_job *job,
                                              char principal[IDENTITY_PRINCIPAL_MAX]);

/* End the job: with outcome.failure, or well. */
void key_vault_fail(struct key_vault_job *job);
void key_vault_succeed(struct key_vault_job *job);

#endif
