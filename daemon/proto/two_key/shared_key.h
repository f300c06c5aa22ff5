/*
 * The authorization scheme SharedKey of Batch and of Storage: an HMAC-SHA256, with the bytes that
 * the key encodes, over the method, the standard headers, the service's own headers and the
 * resource
 * ("Authenticate requests to the Azure Batch service"; "Authorize with Shared Key (REST API)").
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_SHARED_KEY_H
#define KEYROTATED_PROTO_TWO_KEY_SHARED_KEY_H

#include "base/err.h"
#include "base/secret.h"
#include "proto/http_message.h"

/*
 * Adds Authorization to a request that is otherwise complete, the date included; it holds for this
 * request alone. `prefix` begins the service's own headers: "ocp-" or "x-ms-". Returns 0; -EINVAL:
 * the key is not base64; -ENOMEM, -EIO; with err set.
 */
int shared_key_sign(struct http_request *request, const char *account_name, const char *prefix,
                    const struct secret *key, struct err *err);

#endif
