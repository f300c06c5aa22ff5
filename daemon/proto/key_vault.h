/*
 * Secrets of Azure Key Vault: requests, and what a secret's answer holds.
 *
 * Source: learn.microsoft.com, "Key Vault REST API reference", secrets, api-version 7.4: the newest
 * that every cloud and every emulator serves; later ones changed nothing that is used here. The
 * tags are those of the tutorial "Automate the rotation of a secret for resources that have two
 * sets of authentication credentials".
 */
#ifndef KEYROTATED_PROTO_KEY_VAULT_H
#define KEYROTATED_PROTO_KEY_VAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/time.h"
#include "core/slot.h"
#include "proto/http_message.h"

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

#endif
