/*
 * What an answer of Azure Key Vault means that is no success: the cause, and the command that
 * removes it.
 *
 * Source: learn.microsoft.com, "Azure Key Vault REST API error codes", "Azure Key Vault throttling
 * guidance", "Azure Key Vault soft-delete overview".
 */
#ifndef KEYROTATED_PROTO_KEY_VAULT_ERROR_H
#define KEYROTATED_PROTO_KEY_VAULT_ERROR_H

#include "core/look.h"
#include "proto/key_vault.h"

/* Whose request it was, for the texts. All borrowed. */
struct key_vault_subject {
    enum key_vault_operation operation;
    const char *vault;      /* "https://contoso.vault.azure.net" */
    const char *vault_name; /* "contoso" */
    const char *name;       /* of the secret */
    const char *principal;  /* `identity "ops"` */
    const char *assignee;   /* its client or object id where known, else NULL */
    const char *tenant;     /* of the vault, as its challenge says; "": unknown */
};

/* Returns true for a 200; otherwise false with *failure filled. `error_code` is the innermost code
 * of the answer. */
bool key_vault_reply_check(const struct http_reply *reply, const struct key_vault_subject *subject,
                           time_ms now, struct failure *failure);

/* Fills *failure for a 200 with an invalid body; `problem` says what is wrong. */
void key_vault_reply_unreadable(const struct http_reply *reply,
                                const struct key_vault_subject *subject, const char *problem,
                                struct failure *failure);

/* The failures that a step must tell apart, by their codes. */
bool key_vault_is_missing(const struct failure *failure); /* there is no such secret */
bool key_vault_is_deleted(const struct failure *failure); /* soft-deleted: its name is taken */

/* Fills *failure for a secret that is disabled. */
void key_vault_fail_disabled(const struct key_vault_subject *subject, struct failure *failure);
/* Fills *failure for a soft-deleted secret that nobody asked to recover. */
void key_vault_fail_deleted(const struct key_vault_subject *subject, struct failure *failure);

#endif
