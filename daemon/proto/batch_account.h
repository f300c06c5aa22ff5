/*
 * A Batch account as Azure Resource Manager describes it (Microsoft.Batch/batchAccounts, GET).
 */
#ifndef KEYROTATED_PROTO_BATCH_ACCOUNT_H
#define KEYROTATED_PROTO_BATCH_ACCOUNT_H

#include <stdbool.h>

#include "proto/two_key_resource.h"

/* Reads the description; the member `read` of two_key_batch_account, which see. An obstacle is:
 * Shared Key is not among allowedAuthenticationModes, pools are allocated in the user's
 * subscription, or a provisioningState that is none of Succeeded, Failed and Cancelled (these two
 * tell how the last change of the account went, not whether it works). Creating, Deleting and
 * Invalid stop looks as well. */
int batch_account_read(const char *body, size_t length, struct resource_facts *facts,
                       struct resource_obstacle *obstacle, struct err *err);

/* Is it HOST or HOST:PORT, and nothing that would send a request elsewhere? */
bool batch_endpoint_valid(const char *endpoint);

#endif
