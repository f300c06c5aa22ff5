/*
 * Azure Key Vault: secrets, challenges, and errors.
 */
#ifndef KEYROTATED_PROTO_KEY_VAULT_H
#define KEYROTATED_PROTO_KEY_VAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/time.h"
#include "core/look.h"
#include "core/slot.h"
#include "proto/http_message.h"

/*
 * --- key_vault.c ---
 *
 * Secrets of Azure Key Vault: requests, and what a secret's answer holds.
 *
 * Source: learn.microsoft.com, "Key Vault REST API reference", secrets, api-version 7.4: the newest
 * that every cloud and every emulator serves; later ones changed nothing that is used here. The
 * tags are those of the tutorial "Automate the rotation of a secret for resources that have two
 * sets of authentication credentials".
 */

enum key_vault_operation {
    KEY_VAULT_GET,         /* the current version */
    KEY_VAULT_SET,         /* adds a version */
    KEY_VAULT_UPDATE,      /* attributes, tags, content type of a version; never the value */
    KEY_VAULT_GET_DELETED, /* is there a soft-deleted secret of that name? */
    KEY_VAULT_RECOVER      /* takes a soft-deleted secret back */
};

enum { KEY_VAULT_VERSION_MAX = 65, KEY_VAULT_TAGS_MAX = 15, KEY_VAULT_BODY_MAX = 64 * 1024 };

/* What to send. All borrowed. */
struct key_vault_request {
    enum key_vault_operation operation;
    const char *vault; /* "https://contoso.vault.azure.net" */
    const char *name;
    const char *version;        /* KEY_VAULT_UPDATE */
    const struct secret *token; /* NULL: to be challenged; without token and without body */
    const struct buf *body;     /* JSON, or NULL */
    const char *client_request_id;
};

/* 0, or -ENOMEM, -EMSGSIZE with err set. http_request_done() in any case. */
int key_vault_request_build(struct http_request *request, const struct key_vault_request *wanted,
                            struct err *err);

struct json_object;

/* One version of a secret. */
struct key_vault_secret {
    struct json_object *answer; /* owns all texts; wiped */
    char version[KEY_VAULT_VERSION_MAX];
    const char *value;
    const char *content_type; /* NULL: it has none */
    struct json_object *tags; /* NULL: it has none */
    bool disabled;
    time_ms expires; /* 0: no date */
};

/* Reads the answer (200) to KEY_VAULT_GET or KEY_VAULT_SET. Returns 0, -ENOMEM, or -EBADMSG with
 * err set; *secret is empty then. */
int key_vault_secret_read(struct key_vault_secret *secret, const struct http_reply *reply,
                          struct err *err);
/* Wipes and frees; a zeroed one is fine. */
void key_vault_secret_done(struct key_vault_secret *secret);

/* What a secret is to hold. All borrowed. */
struct key_vault_content {
    const struct secret *key;
    enum slot slot;
    uint64_t cycle;
    const char *resource_id;  /* of the account */
    const char *content_type; /* NULL: as it is */
    unsigned validity_days;
    time_ms expires; /* 0: without a date */
};

bool key_vault_holds_key(const struct key_vault_secret *secret, const struct secret *key);
/* Do the tags and the content type stand as wanted? Other tags are left alone. */
bool key_vault_is_marked(const struct key_vault_secret *secret,
                         const struct key_vault_content *content);
/* Is the date of expiry missing, or has more than half of `expires` passed? */
bool key_vault_expires_soon(const struct key_vault_secret *secret, time_ms now,
                            duration_ms expires);
/* Do its tags say that it holds a key of this account? */
bool key_vault_is_of(const struct key_vault_secret *secret, const char *resource_id);
/* The cycle that its tags name, if it is of this account; 0: none. */
uint64_t key_vault_cycle(const struct key_vault_secret *secret, const char *resource_id);

/*
 * Bodies. Tags that `secret` (NULL: there is none yet) has besides are kept. They return 0,
 * -ENOMEM, or -E2BIG where that makes more tags than a secret may have.
 */
int key_vault_set_body(struct buf *out, const struct key_vault_content *content,
                       const struct key_vault_secret *secret);
/* `expires` 0: the date stays as it is. */
int key_vault_update_body(struct buf *out, const struct key_vault_content *content,
                          const struct key_vault_secret *secret);
int key_vault_expiry_body(struct buf *out, time_ms expires);

/*
 * --- key_vault_challenge.c ---
 *
 * The challenge of Azure Key Vault: whoever asks without a token is told which tokens the vault
 * accepts.
 *
 * Source: learn.microsoft.com, "Authentication, requests and responses" (Key Vault), and "Key Vault
 * challenge resource verification" (aka.ms/azsdk/blog/vault-uri).
 */

enum { KEY_VAULT_RESOURCE_MAX = 256, KEY_VAULT_TENANT_MAX = 64 };

struct key_vault_challenge {
    char resource[KEY_VAULT_RESOURCE_MAX]; /* "https://vault.azure.net": the audience of tokens */
    char tenant[KEY_VAULT_TENANT_MAX];     /* of the vault: an id or a domain name; "" : unknown */
};

/* Is the host of the vault's URL a name below the host of `parent`, which is a URL, too? Ports do
 * not count. */
bool key_vault_is_below(const char *vault, const char *parent);

/* Reads the Bearer challenge of a reply (WWW-Authenticate). False: there is none that names a
 * resource. */
bool key_vault_challenge_read(struct key_vault_challenge *challenge,
                              const struct http_reply *reply);

/*
 * May a token for the challenge's resource go to the vault? Only if the vault's host is a name
 * below the resource's host, and that is the host of `audience`, the configured one. Otherwise a
 * forged or redirected vault could ask for a token of another service. Returns 0, or -EPERM with
 * err set.
 */
int key_vault_challenge_check(const struct key_vault_challenge *challenge, const char *vault,
                              const char *audience, struct err *err);

/*
 * --- key_vault_error.c ---
 *
 * What an answer of Azure Key Vault means that is no success: the cause, and the command that
 * removes it.
 *
 * Source: learn.microsoft.com, "Azure Key Vault REST API error codes", "Azure Key Vault throttling
 * guidance", "Azure Key Vault soft-delete overview".
 */

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
