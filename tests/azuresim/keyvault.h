/* Key Vault's secrets at {vault}.vault.localhost: set, get, list versions, update, delete, recover,
 * purge, behind the bearer challenge. */
#ifndef AZURESIM_KEYVAULT_H
#define AZURESIM_KEYVAULT_H

#include "sim.h"

/* Whether the request's host is of this face; sets its op, account (the vault) and item (the
 * secret) where it is. */
bool keyvault_identify(struct http_request *request);

void keyvault_handle(struct sim *sim, const struct http_request *request, struct http_reply *reply);

/* An error in Key Vault's shape; INNER (NULL: none) is the inner error's code. */
void keyvault_error(struct http_reply *reply, int status, const char *code, const char *message,
                    const char *inner);

#endif
