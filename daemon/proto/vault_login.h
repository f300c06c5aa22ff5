/*
 * Tokens of HashiCorp Vault and OpenBao: the logins by AppRole and by the service account of a pod,
 * and the unwrapping of a secret id.
 *
 * Sources: HashiCorp, "AppRole auth method (API)", "Kubernetes auth method (API)",
 * "/sys/wrapping/unwrap".
 */
#ifndef KEYROTATED_PROTO_VAULT_LOGIN_H
#define KEYROTATED_PROTO_VAULT_LOGIN_H

#include "base/secret.h"
#include "base/time.h"
#include "core/look.h"
#include "proto/http_message.h"

enum vault_login_kind {
    VAULT_LOGIN_TOKEN,     /* no login: the file has the token */
    VAULT_LOGIN_APPROLE,   /* the file has the secret id, or a token that wraps it */
    VAULT_LOGIN_KUBERNETES /* the file has the service account's token */
};

/* Texts are borrowed. */
struct vault_login {
    const char *address;    /* as in struct vault_object */
    const char *name_space; /* likewise */
    enum vault_login_kind kind;
    const char *mount; /* of the auth method: "approle" */
    const char *role;  /* the role's id (AppRole) or name (Kubernetes) */
    const char *file;  /* of the secret, for messages */
    bool wrapped;      /* the file has a wrapping token */
};

/* Both return 0, -ENOMEM or -EMSGSIZE; http_request_done() in any case. `proof`: the secret id, or
 * the service account's token. */
int vault_login_request(struct http_request *request, const struct vault_login *login,
                        const struct secret *proof);
int vault_unwrap_request(struct http_request *request, const struct vault_login *login,
                         const struct secret *wrapping_token);

/* A token, and how long it lasts from the reply on (0: for ever). Returns 0, -EIO with *failure
 * filled, or -ENOMEM. */
int vault_login_answer(struct secret **ret_token, duration_ms *ret_lifetime,
                       const struct http_reply *reply, const struct vault_login *login, time_ms now,
                       struct failure *failure);

/* Sets the remedy for a token that the server takes for invalid. */
void vault_login_explain_token(struct failure *failure, const struct vault_login *login);

/* The secret id that was wrapped. `was_lost`: an earlier answer for the same wrapping token was
 * lost, so that it may be used up. Returns 0, -EIO with *failure filled, or -ENOMEM. */
int vault_unwrap_answer(struct secret **ret_secret_id, const struct http_reply *reply,
                        const struct vault_login *login, bool was_lost, time_ms now,
                        struct failure *failure);

#endif
