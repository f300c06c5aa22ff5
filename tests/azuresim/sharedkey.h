/* Shared Key signatures of the Batch and Storage services, recomputed from a request as it was
 * received
 * (learn.microsoft.com/rest/api/batchservice/authenticate-requests-to-the-azure-batch-service). */
#ifndef AZURESIM_SHAREDKEY_H
#define AZURESIM_SHAREDKEY_H

#include <stdbool.h>

#include "http.h"

/* The string to sign for ACCOUNT, to be freed. The service's own headers begin with PREFIX, "ocp-"
 * or "x-ms-". */
char *sharedkey_string_to_sign(const struct http_request *request, const char *account,
                               const char *prefix);

/* The base64 signature of STRING_TO_SIGN under the base64 KEY, to be freed; NULL where KEY is not
 * base64. */
char *sharedkey_signature(const char *string_to_sign, const char *key);

/* Splits "SharedKey ACCOUNT:SIGNATURE" into copies to be freed. Returns false where AUTHORIZATION
 * has another form; nothing needs to be freed then. */
bool sharedkey_parse(const char *authorization, char **account, char **signature);

#endif
