/*
 * Tokens for HashiCorp Vault and OpenBao: read from a file for each operation, or obtained by a
 * login that all operations with the same login share.
 *
 *   vault_token_get() ---> job->step(job) with job->token ... 403 ---> vault_token_renew() --->
 * step
 *
 * Of the operations that lack a token one logs in, and the others wait for it. A failed login is
 * remembered for a short time, so that many accounts with one wrong secret make one request.
 */
#ifndef KEYROTATED_IO_TARGET_VAULT_TOKEN_H
#define KEYROTATED_IO_TARGET_VAULT_TOKEN_H

#include "io/target/vault_job.h"

/* Obtains a token, then calls step(job), at once or from the loop; or fails the job. */
void vault_token_get(struct vault_job *job, void (*step)(struct vault_job *job));

/*
 * The job's token was refused. Returns true where another one may be had: job->step(job) is called
 * with it, or the job fails. False: it is not worth trying, once per operation and every few
 * seconds for all.
 */
bool vault_token_renew(struct vault_job *job);

/* The job is given up. Returns true when it was waiting for the login of another one, so that no
 * request of its own is under way. When it was logging in, the next one that waits takes its place.
 */
bool vault_token_give_up(struct vault_job *job);

/* Wipes and frees all sessions; no operation may be under way. */
void vault_token_forget_all(struct target_world *world);

#endif
