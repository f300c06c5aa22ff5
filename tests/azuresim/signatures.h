/* How consumers of Azure's services prove that they have a key: each function says whether the
 * request carries that proof. KEY is the text that Resource Manager hands out. */
#ifndef AZURESIM_SIGNATURES_H
#define AZURESIM_SIGNATURES_H

#include <stdbool.h>
#include <stddef.h>

#include "account.h"
#include "http.h"

/* Storage's Shared Key: blobs, queues and files, or tables (learn.microsoft.com/rest/api/
 * storageservices/authorize-with-shared-key). */
bool signature_storage(const struct http_request *request, const struct account *account,
                       const char *key);
bool signature_table(const struct http_request *request, const struct account *account,
                     const char *key);

/* Cosmos DB's master key, of GET /dbs. */
bool signature_cosmos(const struct http_request *request, const char *key);

/* HMAC-SHA256 of App Configuration (ID is its Credential) and Communication Services (ID: NULL). */
bool signature_hmac(const struct http_request *request, const char *id, const char *key);

/* A JSON web token, HS256, whose audience is the URL. */
bool signature_token(const struct http_request *request, const char *key);

/* A shared access signature of the Service Bus family, by the rule RULE. */
bool signature_access(const struct http_request *request, const char *rule, const char *key);

/* A shared access signature of IoT Hub for the host, by the policy of that name. */
bool signature_device(const struct http_request *request, const char *policy, const char *key);

/* The rule that a shared access signature names, to be freed; NULL: there is none. */
char *signature_rule(const struct http_request *request);

/* The first segment of the path that a shared access signature is for, to be freed; "": none;
 * NULL: it is for another place than this request. */
char *signature_entity(const struct http_request *request);

#endif
