/*
 * The challenge of Azure Key Vault: whoever asks without a token is told which tokens the vault
 * accepts.
 *
 * Source: learn.microsoft.com, "Authentication, requests and responses" (Key Vault), and "Key Vault
 * challenge resource verification" (aka.ms/azsdk/blog/vault-uri).
 */
#ifndef KEYROTATED_PROTO_KEY_VAULT_CHALLENGE_H
#define KEYROTATED_PROTO_KEY_VAULT_CHALLENGE_H

#include "base/err.h"
#include "proto/http_message.h"

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

#endif
