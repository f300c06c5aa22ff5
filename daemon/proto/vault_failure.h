/*
 * Failures of calls to HashiCorp Vault and OpenBao: the cause and its remedy.
 *
 * An error is {"errors": ["...", ...]}; the list may be empty. The status is coarse (400, 403, 404,
 * 503), and only the sentences tell causes apart: a sealed server, a standby, a missing engine, an
 * engine of the other version.
 */
#ifndef KEYROTATED_PROTO_VAULT_FAILURE_H
#define KEYROTATED_PROTO_VAULT_FAILURE_H

#include "core/look.h"
#include "proto/vault.h"

enum vault_trouble {
    VAULT_TROUBLE_NONE, /* 2xx with a JSON object, or 204 */
    VAULT_TROUBLE_SEALED,
    VAULT_TROUBLE_UNINITIALIZED,
    VAULT_TROUBLE_STANDBY,  /* another node is active, and this one does not forward */
    VAULT_TROUBLE_REDIRECT, /* likewise, and the answer names a host */
    VAULT_TROUBLE_NO_MOUNT,
    VAULT_TROUBLE_VERSIONED,     /* a path of version 1 in an engine of version 2 */
    VAULT_TROUBLE_UNVERSIONED,   /* a path of version 2 in an engine of version 1 */
    VAULT_TROUBLE_OTHER_VERSION, /* check-and-set: another version is the newest one */
    VAULT_TROUBLE_UPGRADING,     /* the engine is being made one of version 2 */
    VAULT_TROUBLE_DENIED,        /* 403: by a policy */
    VAULT_TROUBLE_BAD_TOKEN,     /* 403: the token is not valid (any longer) */
    VAULT_TROUBLE_QUOTA,
    VAULT_TROUBLE_BEHIND, /* 412: a node has not caught up with its primary yet */
    VAULT_TROUBLE_TOO_LARGE,
    VAULT_TROUBLE_REFUSED, /* any other 4xx */
    VAULT_TROUBLE_SERVER,  /* any other 5xx */
    VAULT_TROUBLE_STRANGER /* no answer of Vault */
};

/* The call that failed. */
enum vault_call { VAULT_CALL_READ, VAULT_CALL_WRITE, VAULT_CALL_CHECK };

/* What an answer of HTTP_ANSWERED means. */
enum vault_trouble vault_trouble_of(const struct http_reply *reply, enum vault_engine engine);

/*
 * Fills *failure for a reply that is no success, and for an answer that the readers of
 * proto/vault.h do not understand. A write whose answer does not tell whether it was carried out
 * leaves its outcome unknown.
 */
void vault_failure_fill(struct failure *failure, const struct http_reply *reply,
                        const struct vault_object *object, enum vault_call call, time_ms now);

/* The same for another call, such as a login; `doing`: "the login at auth/approle".
 * Reason, status, wait and text; the caller sets the remedy of what is particular to it. */
enum vault_trouble vault_failure_begin(struct failure *failure, const struct http_reply *reply,
                                       const char *address, const char *doing, time_ms now);

/* Fills *failure for an engine of the wrong kind, as found by vault_mount_answer(). */
void vault_failure_engine(struct failure *failure, const struct vault_object *object, int version,
                          const char *type);

/* Fills *failure for a token that lacks capabilities. `lacking`: "create and update". */
void vault_failure_lacks(struct failure *failure, const struct vault_object *object,
                         const char *lacking);

#endif
