/*
 * The vaults whose challenge has been checked: their next request goes with a token directly.
 */
#ifndef KEYROTATED_IO_TARGET_KEY_VAULT_HOSTS_H
#define KEYROTATED_IO_TARGET_KEY_VAULT_HOSTS_H

#include "proto/key_vault.h"

struct key_vault_hosts;

/* Reloads can bring ever new vaults. Where there are more than this, all are forgotten, and each is
 * challenged once more. */
enum { KEY_VAULT_HOSTS_MAX = 4096 };

/* The challenge of that vault ("https://contoso.vault.azure.net"), or NULL when it has not been
 * challenged yet. Borrowed until the next change. `hosts` may be NULL. */
const struct key_vault_challenge *key_vault_hosts_find(const struct key_vault_hosts *hosts,
                                                       const char *vault);

/* Remembers a challenge that has been checked, instead of an earlier one. *hosts is made when it is
 * NULL. */
void key_vault_hosts_put(struct key_vault_hosts **hosts, const char *vault,
                         const struct key_vault_challenge *challenge);

/* NULL is fine. */
void key_vault_hosts_free(struct key_vault_hosts *hosts);

#endif
