/*
 * Tokens for an operation at HashiCorp Vault or OpenBao: read from a file for each operation, or
 * that of a login, which operations share (vault_session.h).
 *
 *   vault_token_begin() ---> job->step(job) with job->token ... 403 ---> vault_token_renew() --->
 * step
 */
#ifndef KEYROTATED_IO_TARGET_VAULT_TOKEN_H
#define KEYROTATED_IO_TARGET_VAULT_TOKEN_H

#include "io/target/vault_job.h"

/* Reads the operation's files and obtains a token, then calls step(job) from the loop, or at once;
 * or fails the job. */
void vault_token_begin(struct vault_job *job, void (*step)(struct vault_job *job));

/*
 * The job's token was refused, and `outcome.failure` says so. Returns true where another one may be
 * had: job->step(job) is called with it, or the job fails, with that failure where there is no
 * other token. False: it is not worth trying, once per operation and every few seconds for all.
 */
bool vault_token_renew(struct vault_job *job);

/* The job is given up. Returns true when it was waiting for a login, so that no request or reading
 * of its own is under way. */
bool vault_token_give_up(struct vault_job *job);

#endif
