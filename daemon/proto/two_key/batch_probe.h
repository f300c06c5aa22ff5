/*
 * Tests whether the Batch service accepts a key, by the smallest request that must be signed with
 * it ("Authenticate requests to the Azure Batch service", section on Shared Key).
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_BATCH_PROBE_H
#define KEYROTATED_PROTO_TWO_KEY_BATCH_PROBE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"
#include "core/look.h"
#include "proto/http_message.h"
#include "proto/two_key/two_key.h"

/*
 * Signs a request that is otherwise complete: adds ocp-date (from `now`) and Authorization. The
 * signature covers only the parts of this request. Returns 0; -EINVAL: the key is not base64;
 * -ENOMEM, -EIO; with err set.
 */
int batch_sign(struct http_request *request, const char *account_name, const struct secret *key,
               time_ms now, struct err *err);

/* Lists one pool (learn.microsoft.com, Batch Service REST API, "Pool - List Pools"). */
extern const struct two_key_probe_form batch_probe;

#endif
