#include "doors.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cloud.h"
#include "encode.h"
#include "memory.h"

#define JSON_TYPE "application/json; charset=utf-8"
#define XML_TYPE  "application/xml"
#define FEED      "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title type=\"text\"></title></feed>"
#define ENTRY     "<entry xmlns=\"http://www.w3.org/2005/Atom\"><title type=\"text\"></title></entry>"

#define STORAGE_DOOR(name, how, path_of_list, answer)                                              \
    .domain = name ".localhost", .words = {"storage"}, .proof = how, .shape = SHAPE_XML,           \
    .none = {403, "AuthenticationFailed", "Server failed to authenticate the request."},           \
    .wrong = {403, "AuthenticationFailed", "Server failed to authenticate the request."},          \
    .off = {403, "KeyBasedAuthenticationNotPermitted",                                             \
            "Key based authentication is not permitted on this storage account."},                 \
    .unknown = {404, "ResourceNotFound", "The specified resource does not exist."},                \
    .routes = {{"GET", path_of_list, 200, XML_TYPE, answer}}
#define LOCAL_AUTH_OFF "Local authentication is disabled for this resource."

static const struct door doors[] = {
    {STORAGE_DOOR("blob", PROOF_STORAGE, "",
                  "<EnumerationResults><Containers /><NextMarker /></EnumerationResults>")},
    {STORAGE_DOOR("queue", PROOF_STORAGE, "",
                  "<EnumerationResults><Queues /><NextMarker /></EnumerationResults>")},
    {STORAGE_DOOR("file", PROOF_STORAGE, "",
                  "<EnumerationResults><Shares /><NextMarker /></EnumerationResults>")},
    {STORAGE_DOOR("table", PROOF_TABLE, "Tables", "<feed />")},
    {
        .domain = "documents.localhost",
        .words = {"cosmos"},
        .proof = PROOF_COSMOS,
        .shape = SHAPE_FLAT,
        .none = {401, "Unauthorized", "Required Header authorization is missing."},
        .wrong = {401, "Unauthorized",
                  "The input authorization token can't serve the request. The wrong key is being "
                  "used or the expected payload is not built as per the protocol."},
        .off = {401, "Unauthorized",
                "Local Authorization is disabled. Use an AAD token to "
                "authorize all requests."},
        .routes = {{"GET", "dbs", 200, JSON_TYPE, "{\"_rid\":\"\",\"Databases\":[],\"_count\":0}"}},
    },
    {
        .domain = "cognitiveservices.localhost",
        .words = {"cognitive_services"},
        .headers = {"api-key", "Ocp-Apim-Subscription-Key"},
        .none = {401, "401", "Access denied due to missing subscription key."},
        .wrong = {401, "401",
                  "Access denied due to invalid subscription key or wrong API "
                  "endpoint."},
        .off = {403, "AuthenticationTypeDisabled",
                "Key based authentication is disabled for this "
                "resource."},
        .routes = {{"GET", "openai/models", 200, JSON_TYPE, "{\"data\":[],\"object\":\"list\"}"},
                   {"POST", "sts/v1.0/issueToken", 200, "application/jwt", "issued"}},
    },
    {
        .domain = "search.localhost",
        .words = {"search"},
        .headers = {"api-key"},
        .version = "api-version",
        .none = {401, "", "Access denied. No api-key was sent."},
        .wrong = {403, "", "Access denied due to an invalid api-key."},
        .off = {403, "", LOCAL_AUTH_OFF},
        .routes = {{"GET", "servicestats", 200, JSON_TYPE, "{\"counters\":{},\"limits\":{}}"},
                   {"GET", "indexes", 200, JSON_TYPE, "{\"value\":[]}"}},
    },
    {
        .domain = "maps.localhost",
        .is_bare = true,
        .words = {"maps"},
        .headers = {"subscription-key"},
        .query = "subscription-key",
        .version = "api-version",
        .none = {401, "401 Unauthorized", "Access denied due to missing subscription key."},
        .wrong = {401, "401 Unauthorized", "Access denied due to invalid subscription key."},
        .off = {401, "401 Unauthorized", LOCAL_AUTH_OFF},
        .routes = {{"GET", "map/copyright/caption", 200, JSON_TYPE,
                    "{\"formatVersion\":\"0.0.1\",\"copyrightsCaption\":\"\"}"}},
    },
    {
        .domain = "ts.eventgrid.localhost",
        .words = {"event_grid_namespace", "event_grid_namespace_topic"},
        .headers = {"Authorization"},
        .scheme = "SharedAccessKey ",
        .version = "api-version",
        .none = {401, "Unauthorized", "The request has no authorization."},
        .wrong = {401, "Unauthorized", "The request authorization key is not valid."},
        .off = {401, "Unauthorized", LOCAL_AUTH_OFF},
        .routes = {{"POST", "topics/*:publish", 400, JSON_TYPE,
                    "{\"error\":{\"code\":\"BadRequest\",\"message\":\"It is no event.\"}}"}},
    },
    {
        .domain = "eventgrid.localhost",
        .words = {"event_grid_domain", "event_grid_partner_namespace", "event_grid_topic"},
        .headers = {"aeg-sas-key"},
        .version = "api-version",
        .none = {401, "Unauthorized", "The request has no authorization."},
        .wrong = {401, "Unauthorized", "The request authorization key is not authorized."},
        .off = {401, "Unauthorized", LOCAL_AUTH_OFF},
        .routes = {{"POST", "api/events", 400, JSON_TYPE,
                    "{\"error\":{\"code\":\"BadRequest\",\"message\":\"It is no event.\"}}"}},
    },
    {
        .domain = "azconfig.localhost",
        .words = {"app_configuration"},
        .proof = PROOF_HMAC_WITH_ID,
        .shape = SHAPE_FLAT,
        .version = "api-version",
        .none = {401, "Unauthorized", ""},
        .wrong = {401, "Unauthorized", "Invalid Signature"},
        .off = {401, "Unauthorized", LOCAL_AUTH_OFF},
        .routes = {{"GET", "keys", 200, "application/vnd.microsoft.appconfig.keyset+json",
                    "{\"items\":[]}"},
                   {"GET", "kv", 200, "application/vnd.microsoft.appconfig.kvset+json",
                    "{\"items\":[]}"}},
    },
    {
        .domain = "communication.localhost",
        .words = {"communication"},
        .proof = PROOF_HMAC,
        .version = "api-version",
        .none = {401, "Denied", "Denied by the resource provider."},
        .wrong = {401, "Denied", "Denied by the resource provider."},
        .off = {401, "Denied", LOCAL_AUTH_OFF},
        .routes = {{"GET", "phoneNumbers", 200, JSON_TYPE, "{\"phoneNumbers\":[]}"}},
    },
    {
        .domain = "azurecr.localhost",
        .words = {"container_registry"},
        .proof = PROOF_BASIC,
        .shape = SHAPE_REGISTRY,
        .none = {401, "UNAUTHORIZED", "authentication required"},
        .wrong = {401, "UNAUTHORIZED", "authentication required"},
        .off = {401, "UNAUTHORIZED", "admin user is disabled"},
        .routes = {{"GET", "v2", 200, JSON_TYPE, "{}"}},
    },
    {
        .domain = "azure-api.localhost",
        .words = {"apim_subscription", "apim_workspace_subscription"},
        .headers = {"Ocp-Apim-Subscription-Key"},
        .query = "subscription-key",
        .shape = SHAPE_NUMBERED,
        .none = {401, "", "Access denied due to missing subscription key."},
        .wrong = {401, "", "Access denied due to invalid subscription key."},
        .off = {401, "", "Access denied due to a subscription that is not active."},
        .routes = {{"GET", "*", 200, JSON_TYPE, "{}"}, {"GET", "*/*", 200, JSON_TYPE, "{}"}},
    },
    {
        .domain = "inference.localhost",
        .words = {"ml_online_endpoint", "ml_serverless_endpoint", "ml_endpoint"},
        .name_index = 1,
        .headers = {"Authorization"},
        .scheme = "Bearer ",
        .none = {401, "Unauthorized", "The request has no authorization."},
        .wrong = {401, "Unauthorized", "The key is not valid."},
        .off = {401, "Unauthorized", LOCAL_AUTH_OFF},
        .routes = {{"GET", "swagger.json", 200, JSON_TYPE, "{}"},
                   {"GET", "info", 200, JSON_TYPE, "{\"model_name\":\"test\"}"}},
    },
    {
        .domain = "directline.localhost",
        .is_bare = true,
        .words = {"bot_channel"},
        .headers = {"Authorization"},
        .scheme = "Bearer ",
        .none = {401, "Unauthorized", "The request has no authorization."},
        .wrong = {403, "BadArgument", "Invalid token or secret"},
        .off = {403, "BadArgument", LOCAL_AUTH_OFF},
        .routes = {{"POST", "v3/directline/tokens/generate", 200, JSON_TYPE,
                    "{\"conversationId\":\"none\",\"token\":\"made\",\"expires_in\":1800}"}},
    },
    {
        .domain = "signalr.localhost",
        .words = {"signalr"},
        .proof = PROOF_TOKEN,
        .version = "api-version",
        .none = {401, "Unauthorized", "The request has no authorization."},
        .wrong = {401, "Unauthorized", "The token's signature or audience is not valid."},
        .off = {401, "Unauthorized", LOCAL_AUTH_OFF},
    },
    {
        .domain = "webpubsub.localhost",
        .words = {"web_pubsub"},
        .proof = PROOF_TOKEN,
        .version = "api-version",
        .none = {401, "Unauthorized", "The request has no authorization."},
        .wrong = {401, "Unauthorized", "The token's signature or audience is not valid."},
        .off = {401, "Unauthorized", LOCAL_AUTH_OFF},
    },
    {
        .domain = "devices.localhost",
        .words = {"iot_hub"},
        .proof = PROOF_DEVICE,
        .version = "api-version",
        .none = {401, "IotHubUnauthorizedAccess", "Unauthorized"},
        .wrong = {401, "IotHubUnauthorizedAccess", "Unauthorized"},
        .off = {401, "IotHubUnauthorizedAccess", LOCAL_AUTH_OFF},
        .routes = {{"GET", "statistics/service", 200, JSON_TYPE, "{\"connectedDeviceCount\":0}"}},
    },
    {
        .domain = "devices-provisioning.localhost",
        .words = {"device_provisioning"},
        .proof = PROOF_DEVICE,
        .version = "api-version",
        .none = {401, "Unauthorized", "Unauthorized"},
        .wrong = {401, "Unauthorized", "Unauthorized"},
        .off = {401, "Unauthorized", LOCAL_AUTH_OFF},
        .routes = {{"POST", "enrollmentGroups/query", 200, JSON_TYPE, "[]"}},
    },
    {
        .domain = "servicebus.localhost",
        .words = {"service_bus", "service_bus_queue", "service_bus_topic", "event_hubs",
                  "event_hub", "relay", "relay_hybrid_connection", "notification_hubs",
                  "notification_hub"},
        .proof = PROOF_ACCESS,
        .shape = SHAPE_DETAIL,
        .none = {401, "401", "SubCode=40102: Missing authorization token."},
        .wrong = {401, "401", "SubCode=40103: Invalid authorization token signature."},
        .off = {401, "401", "SubCode=40100: Local authentication is disabled."},
        .routes = {{"GET", "$Resources/*", 200, "application/atom+xml", FEED},
                   {"GET", "*/registrations", 200, "application/atom+xml", FEED},
                   {"GET", "*", 200, "application/atom+xml", ENTRY}},
    },
};

const struct door *door_at(size_t index)
{
    return index < sizeof(doors) / sizeof(doors[0]) ? &doors[index] : NULL;
}

const struct door *door_of(const struct http_request *request)
{
    const char *host = http_header(request, "Host");
    size_t length = strcspn(host, ":");

    for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
        const char *domain = doors[i].domain;

        if (doors[i].is_bare ? strlen(domain) == length && strncasecmp(host, domain, length) == 0
                             : cloud_is_below(request, domain))
            return &doors[i];
    }
    return NULL;
}

bool door_leads_to(const struct door *door, const struct account *account, const char *label)
{
    for (size_t i = 0; i < DOOR_MAX_WORDS && door->words[i]; i++) {
        if (strcmp(door->words[i], account->type->word) == 0)
            return door->is_bare || strcasecmp(account->names[door->name_index], label) == 0;
    }
    return false;
}

/* --- errors --- */

static void reply_xml(struct http_reply *reply, int status, char *body)
{
    free(reply->body);
    reply->status = status;
    reply->body = body;
    reply->body_length = strlen(body);
    http_reply_replace_header(reply, "Content-Type", XML_TYPE);
}

static struct json_object *code_and_message(const char *code, const char *message)
{
    struct json_object *error = json_object_new_object();

    json_add_text(error, "code", code);
    json_add_text(error, "message", message);
    return error;
}

void door_error(const struct door *door, struct http_reply *reply, int status, const char *code,
                const char *message)
{
    struct json_object *body, *list;

    switch (door->shape) {
    case SHAPE_XML:
        reply_xml(reply, status,
                  memory_printf("<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code>"
                                "<Message>%s</Message></Error>",
                                code, message));
        http_reply_replace_header(reply, "x-ms-error-code", code);
        return;
    case SHAPE_DETAIL:
        reply_xml(
            reply, status,
            memory_printf("<Error><Code>%d</Code><Detail>%s</Detail></Error>", status, message));
        return;
    case SHAPE_FLAT:
        http_reply_json(reply, status, code_and_message(code, message));
        return;
    case SHAPE_NUMBERED:
        body = json_object_new_object();
        json_object_object_add(body, "statusCode", json_object_new_int(status));
        json_add_text(body, "message", message);
        http_reply_json(reply, status, body);
        return;
    case SHAPE_REGISTRY:
        list = json_object_new_array();
        json_object_array_add(list, code_and_message(code, message));
        body = json_object_new_object();
        json_object_object_add(body, "errors", list);
        http_reply_json(reply, status, body);
        return;
    case SHAPE_ARM:
        break;
    }
    body = json_object_new_object();
    json_object_object_add(body, "error", code_and_message(code, message));
    http_reply_json(reply, status, body);
}
