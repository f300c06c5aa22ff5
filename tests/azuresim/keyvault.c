#include "keyvault.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cloud.h"
#include "claims.h"
#include "encode.h"
#include "entra.h"
#include "keyvault_secrets.h"
#include "memory.h"

static const char *const api_versions[] = {
    "7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01", "2026-04-01",
};

/* Which path and method makes which operation. DEPTH counts path segments; an operation that takes
 * a version has one more. ACTION is what a principal may be denied. */
struct operation {
    const char *op;
    const char *method;
    const char *collection;
    size_t least_depth, most_depth;
    const char *third_segment; /* NULL: any */
    const char *action;
    void (*handle)(struct sim *, const struct http_request *, struct http_reply *);
};

#define SECRETS_ACTION(name) "Microsoft.KeyVault/vaults/secrets/" name "/action"

static const struct operation operations[] = {
    {"listVersions", "GET", "secrets", 3, 3, "versions", SECRETS_ACTION("readMetadata"),
     secrets_handle_list_versions},
    {"listSecrets", "GET", "secrets", 1, 1, NULL, SECRETS_ACTION("readMetadata"),
     secrets_handle_list},
    {"getSecret", "GET", "secrets", 2, 3, NULL, SECRETS_ACTION("getSecret"), secrets_handle_get},
    {"setSecret", "PUT", "secrets", 2, 2, NULL, SECRETS_ACTION("setSecret"), secrets_handle_set},
    {"updateSecret", "PATCH", "secrets", 2, 3, NULL, SECRETS_ACTION("update"),
     secrets_handle_update},
    {"deleteSecret", "DELETE", "secrets", 2, 2, NULL, SECRETS_ACTION("delete"),
     secrets_handle_delete},
    {"getDeletedSecret", "GET", "deletedsecrets", 2, 2, NULL, SECRETS_ACTION("readMetadata"),
     secrets_handle_get_deleted},
    {"recoverDeletedSecret", "POST", "deletedsecrets", 3, 3, "recover", SECRETS_ACTION("recover"),
     secrets_handle_recover},
    {"purgeDeletedSecret", "DELETE", "deletedsecrets", 2, 2, NULL, SECRETS_ACTION("purge"),
     secrets_handle_purge},
};

static const struct operation *find_operation(const struct http_request *request)
{
    char *const *segments = request->segments;
    size_t depth = request->segment_count;

    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        const struct operation *operation = &operations[i];

        if (depth >= operation->least_depth && depth <= operation->most_depth &&
            strcmp(request->method, operation->method) == 0 &&
            strcasecmp(segments[0], operation->collection) == 0 &&
            (!operation->third_segment || strcasecmp(segments[2], operation->third_segment) == 0))
            return operation;
    }
    return NULL;
}

bool keyvault_identify(struct http_request *request)
{
    const char *host = http_header(request, "Host");
    const char *suffix = strchr(host, '.');
    const struct operation *operation;

    if (!suffix || !cloud_is_below(request, cloud_chosen()->vault))
        return false;
    request->own_text = memory_text_n(host, (size_t)(suffix - host));
    request->account = request->own_text;
    request->item = request->segment_count > 1 ? request->segments[1] : NULL;
    operation = find_operation(request);
    if (*http_header(request, "Authorization") == '\0')
        request->op = "challenge";
    else if (operation)
        request->op = operation->op;
    return true;
}

void keyvault_error(struct http_reply *reply, int status, const char *code, const char *message,
                    const char *inner)
{
    struct json_object *body = json_object_new_object();
    struct json_object *error = json_object_new_object();

    json_add_text(error, "code", code);
    json_add_text(error, "message", message);
    if (inner) {
        struct json_object *inner_error = json_object_new_object();

        json_add_text(inner_error, "code", inner);
        json_object_object_add(error, "innererror", inner_error);
    }
    json_object_object_add(body, "error", error);
    http_reply_json(reply, status, body);
}

static void challenge(const struct sim *sim, struct http_reply *reply, const char *message)
{
    char *login = cloud_login_url(sim->port);

    keyvault_error(reply, 401, "Unauthorized", message, NULL);
    http_reply_header(reply, "WWW-Authenticate", "Bearer authorization=\"%s/%s\", resource=\"%s\"",
                      login, sim->settings.vault_tenant, sim->settings.vault_resource);
    free(login);
}

static const struct principal *authenticate(struct sim *sim, const struct http_request *request,
                                            struct http_reply *reply)
{
    const struct token *token;

    switch (directory_check_bearer(sim->directory, http_header(request, "Authorization"), &token)) {
    case BEARER_ABSENT:
        challenge(sim, reply, "AKV10000: Request is missing a Bearer or PoP token.");
        return NULL;
    case BEARER_UNKNOWN:
        challenge(sim, reply, "AKV10032: Invalid issuer, or the token was not issued here.");
        return NULL;
    case BEARER_EXPIRED:
        challenge(sim, reply, "AKV10046: The token has expired.");
        return NULL;
    case BEARER_VALID:
        break;
    }
    if (!entra_same_audience(token->audience, sim->settings.vault_resource)) {
        challenge(sim, reply, "AKV10022: Invalid audience.");
        return NULL;
    }
    if (!claims_meet(token->claims, sim->settings.demanded_claims)) {
        char *beginning = memory_printf(
            "Bearer authorization=\"https://localhost:%u/%s\", "
            "resource=\"%s\"",
            sim->port, sim->settings.vault_tenant, sim->settings.vault_resource);

        keyvault_error(reply, 401, "Unauthorized", "AKV10144: The token lacks claims.", NULL);
        claims_challenge(reply, beginning, sim->settings.demanded_claims);
        free(beginning);
        return NULL;
    }
    return token->principal;
}

static bool check_api_version(const struct http_request *request, struct http_reply *reply)
{
    const char *version = http_fields_get(&request->query, "api-version");

    for (size_t i = 0; version && i < sizeof(api_versions) / sizeof(api_versions[0]); i++) {
        if (strcmp(api_versions[i], version) == 0)
            return true;
    }
    keyvault_error(reply, 400, "BadParameter",
                   !version ? "AKV10073: api-version must be specified"
                            : "The specified version is not recognized. Consider using the "
                              "latest supported version 2025-07-01",
                   NULL);
    return false;
}

static bool authorize(struct sim *sim, const struct http_request *request,
                      const struct principal *principal, const struct operation *operation,
                      struct http_reply *reply)
{
    char *scope = memory_printf("/%s/%s", request->account, !request->item ? "" : request->item);
    char *message = memory_printf(
        "Caller is not authorized to perform action on resource. "
        "Caller: appid=%s;oid=%s Action: '%s' Resource: '%s'",
        principal->client_id, principal->object_id, operation->action, scope);
    bool denied = directory_denies(sim->directory, principal, operation->action, scope);

    if (denied)
        keyvault_error(reply, 403, "Forbidden", message, "ForbiddenByRbac");
    free(scope);
    free(message);
    return !denied;
}

static bool check_name(const struct http_request *request, struct http_reply *reply)
{
    const char *name = request->item;

    if (!name)
        return true;
    for (const char *c = name; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c) && *c != '-')
            name = NULL;
        if (!name)
            break;
    }
    if (name && strlen(name) <= SECRET_NAME_MAX)
        return true;
    keyvault_error(reply, 400, "BadParameter",
                   "The request URI contains an invalid name: letters, digits and '-' only, at "
                   "most 127 of them.",
                   NULL);
    return false;
}

void keyvault_handle(struct sim *sim, const struct http_request *request, struct http_reply *reply)
{
    const struct operation *operation = find_operation(request);
    const struct principal *principal;
    char request_id[UUID_TEXT_SIZE];

    random_uuid(request_id);
    http_reply_header(reply, "x-ms-request-id", "%s", request_id);
    http_reply_header(reply, "x-ms-keyvault-service-version", "1.9.0.0");
    if (*http_client_request_id(request) != '\0')
        http_reply_header(reply, "x-ms-client-request-id", "%s", http_client_request_id(request));
    principal = authenticate(sim, request, reply);
    if (!principal)
        return;
    if (!operation) {
        keyvault_error(reply, 404, "NotFound", "The path or method is not known.", NULL);
        return;
    }
    if (check_api_version(request, reply) && check_name(request, reply) &&
        authorize(sim, request, principal, operation, reply))
        operation->handle(sim, request, reply);
}
