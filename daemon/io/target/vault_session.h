/*
 * Logins at HashiCorp Vault and OpenBao. All operations with the same login share a session, which
 * has their token and logs in on its own: an operation that is given up takes nothing with it,
 * least of all the answer to an unwrapping, which Vault gives once.
 *
 *   vault_session_wait() ---> the files are read ---> [unwrap] ---> login ---> ended(), for each
 *                                                                              that waits
 *
 * A login whose answer is lost is repeated once, unless its secret id may serve only once. A failed
 * login is remembered for a short time, so that many accounts with one wrong secret make one
 * request.
 */
#ifndef KEYROTATED_IO_TARGET_VAULT_SESSION_H
#define KEYROTATED_IO_TARGET_VAULT_SESSION_H

#include "io/target/target_queue.h"
#include "proto/vault_login.h"

struct vault_session;

/* An operation that waits for a login. */
struct vault_waiter {
    struct list link;
    struct vault_session *session; /* NULL: it does not wait */
    struct target_job *job;        /* whose `reading` shows the files that the login waits for */
    /* From the loop, once; `failure`: NULL where the login has given a token. */
    void (*ended)(struct vault_waiter *waiter, struct vault_session *session,
                  const struct failure *failure);
};

/* The session of that login, all of which is copied. `ca_file`: NULL for that of the daemon. */
struct vault_session *vault_session_find(struct target_world *world,
                                         const struct vault_login *login, const char *ca_file);

/* A copy of the session's token and which one it is; NULL where there is none. */
struct secret *vault_session_token(const struct vault_session *session, uint64_t *ret_generation);

/* Why the last login failed, if that was just now; else NULL. */
const struct failure *vault_session_failure(const struct vault_session *session);

/* Waits for the login under way, or begins one. */
void vault_session_wait(struct vault_session *session, struct vault_waiter *waiter);

/* Stops waiting, if it does; the login goes on. False: it did not wait. */
bool vault_session_leave(struct vault_waiter *waiter);

/* The token of that generation was refused. True: another one may be had, and that one is gone. */
bool vault_session_refused(struct vault_session *session, uint64_t generation);

/* What to do where `ca_file` cannot be used: the remedy. */
void vault_session_authorities_remedy(const char *ca_file, char *out, size_t size);

/* Wipes and frees all sessions; nobody may wait. A login under way ends from the loop, without the
 * world. */
void vault_session_forget_all(struct target_world *world);

#endif
