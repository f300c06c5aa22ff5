/*
 * An operation on an object of HashiCorp Vault or OpenBao: its data, and requests with its token.
 */
#ifndef KEYROTATED_IO_TARGET_VAULT_JOB_H
#define KEYROTATED_IO_TARGET_VAULT_JOB_H

#include "conf/arena.h"
#include "conf/target_hashicorp_vault.h"
#include "io/target/target_http.h"
#include "io/target/vault_session.h"
#include "proto/key_file.h"

struct vault_job {
    struct target_http http;
    struct arena *arena; /* has all texts */
    struct vault_object object;
    struct vault_login login;
    const struct vault_field *fields;
    size_t field_count;
    duration_ms period;
    const char *ca_file;     /* NULL: that of the daemon */
    struct buf authorities;  /* the content of ca_file */
    struct key_file content; /* deliver; its texts and the key belong to the job */
    const struct key_shape *key_shape;

    /* The token (io/target/vault_token.h). */
    struct secret *token;
    uint64_t generation;                 /* of the login that gave it */
    bool renewed;                        /* it has been refused, and another one obtained */
    void (*step)(struct vault_job *job); /* what needs it; repeated with another one */
    struct vault_waiter waiter;          /* for a login */

    /* Probe. */
    bool knows_capabilities;
    struct vault_capabilities may;

    /* Deliver. */
    bool wrote;         /* a write was carried out; version 1: it is to be read back */
    unsigned conflicts; /* writes that met another version than was read */
    uint64_t version;   /* that was read */

    void (*abort_request)(struct target_job *job); /* that of target_http.h */
};

static inline struct vault_job *vault_job_of(struct target_http *http)
{
    return container_of(http, struct vault_job, http);
}

/* Copies what the operation needs; `base` lacks begin and abort. */
struct vault_job *vault_job_new(const struct target_request *request);
/* For `free`. */
void vault_job_free(struct target_job *base);

/* Sends a request that a builder of proto/ made with result `rc`. When the request could not be
 * made, the job fails. */
void vault_job_send(struct vault_job *job, int rc, struct http_request *request, bool changes,
                    void (*answered)(struct target_http *http, const struct http_reply *reply));

/* The ends. `outcome.failure` is filled already. */
void vault_job_fail(struct vault_job *job);
void vault_job_succeed(struct vault_job *job);

#endif
