#include "arm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "arm_error.h"
#include "arm_graph.h"
#include "arm_target.h"
#include "claims.h"
#include "clock.h"
#include "cloud.h"
#include "describe.h"
#include "encode.h"
#include "entra.h"
#include "memory.h"
#include "operations.h"
#include "provider.h"

/* The name of a resource of another provider, which a fault may be about; NULL: none. */
static const char *other_name(const struct http_request *request)
{
    for (size_t i = 2; i + 3 < request->segment_count; i++) {
        if (strcasecmp(request->segments[i], "providers") == 0)
            return request->segments[i + 3];
    }
    return NULL;
}

bool arm_identify(struct http_request *request)
{
    struct arm_target target;
    bool get = strcmp(request->method, "GET") == 0;

    if (cloud_is_arm(request) && arm_graph_is_meant(request)) {
        if (strcmp(request->method, "POST") == 0)
            request->op = "graph";
        return true;
    }
    if (!cloud_is_arm(request) || request->segment_count == 0 ||
        strcasecmp(request->segments[0], "subscriptions") != 0)
        return false;
    if (request->segment_count == 1 && get)
        request->op = "subscriptions";
    if (!arm_target_parse(request, &target)) {
        request->account = other_name(request);
        return true;
    }
    request->op = arm_target_op(request, &target);
    if (target.operation) {
        request->item = target.operation;
    } else if (target.name_count > 0) {
        request->own_text = arm_target_name(&target);
        request->account = request->own_text;
    }
    return true;
}

void arm_add_tracing_headers(const struct http_request *request, struct http_reply *reply)
{
    const char *correlation = http_header(request, "x-ms-correlation-request-id");
    char request_id[UUID_TEXT_SIZE], made_up[UUID_TEXT_SIZE], time[CLOCK_TEXT_SIZE];

    random_uuid(request_id);
    random_uuid(made_up);
    clock_iso8601(clock_wall_us(), time);
    memcpy(time + 19, "Z", 2);
    if (*correlation == '\0')
        correlation = made_up;
    http_reply_header(reply, "x-ms-request-id", "%s", request_id);
    http_reply_header(reply, "x-ms-correlation-request-id", "%s", correlation);
    http_reply_header(reply, "x-ms-routing-request-id", "AZURESIM:%s:%s", time, request_id);
    if (strcasecmp(http_header(request, "x-ms-return-client-request-id"), "true") == 0 &&
        *http_header(request, "x-ms-client-request-id") != '\0')
        http_reply_header(reply, "x-ms-client-request-id", "%s",
                          http_header(request, "x-ms-client-request-id"));
    http_reply_header(reply, "Cache-Control", "no-cache");
    http_reply_header(reply, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
}

static void unauthorized(const struct sim *sim, struct http_reply *reply, const char *code,
                         const char *message)
{
    char *login = cloud_login_url(sim->port);

    arm_error(reply, 401, code, "%s", message);
    http_reply_header(reply, "WWW-Authenticate",
                      "Bearer authorization_uri=\"%s/%s\", "
                      "error=\"invalid_token\", error_description=\"%s\"",
                      login, DIRECTORY_DEFAULT_TENANT, message);
    free(login);
}

static bool is_arm_audience(const struct sim *sim, const char *audience)
{
    const char *const *own = cloud_chosen()->arm_audiences;

    return entra_same_audience(audience, own[0]) || entra_same_audience(audience, own[1]) ||
           entra_same_audience(audience, sim->settings.arm_audience);
}

static const struct principal *authenticate(struct sim *sim, const struct http_request *request,
                                            struct http_reply *reply)
{
    const struct token *token;

    switch (directory_check_bearer(sim->directory, http_header(request, "Authorization"), &token)) {
    case BEARER_ABSENT:
        unauthorized(sim, reply, "AuthenticationFailed",
                     "Authentication failed. The 'Authorization' header is missing.");
        return NULL;
    case BEARER_UNKNOWN:
        unauthorized(sim, reply, "InvalidAuthenticationToken", "The access token is invalid.");
        return NULL;
    case BEARER_EXPIRED:
        unauthorized(sim, reply, "ExpiredAuthenticationToken",
                     "The access token expiry time is earlier than the current time.");
        return NULL;
    case BEARER_VALID:
        break;
    }
    if (!is_arm_audience(sim, token->audience)) {
        unauthorized(sim, reply, "InvalidAuthenticationTokenAudience",
                     "The access token has been obtained for the wrong audience or resource.");
        return NULL;
    }
    if (!claims_meet(token->claims, sim->settings.demanded_claims)) {
        arm_error(reply, 401, "InvalidAuthenticationToken",
                  "The access token does not carry the claims that are demanded.");
        if (claims_name_capability(token->claims) || token->principal->managed)
            claims_challenge(reply, "Bearer realm=\"\", authorization_uri=\"https://localhost\"",
                             sim->settings.demanded_claims);
        return NULL;
    }
    return token->principal;
}

static bool check_api_version(const struct http_request *request, const struct arm_target *target,
                              struct http_reply *reply)
{
    const char *version = http_fields_get(&request->query, "api-version");

    if (!version || *version == '\0') {
        arm_error(reply, 400, "MissingApiVersionParameter",
                  "The api-version query parameter (?api-version=) is required for all requests.");
        return false;
    }
    if (!target->type || type_has_version(target->type, version))
        return true;
    arm_error(reply, 400, "InvalidApiVersionParameter",
              "The api-version '%s' is invalid. The newest supported version is '%s'.", version,
              type_newest_version(target->type));
    return false;
}

static bool throttle(struct sim *sim, const struct http_request *request,
                     const struct arm_target *target, const struct principal *principal,
                     struct http_reply *reply)
{
    bool read = strcmp(request->method, "GET") == 0;
    const char *kind = read ? "reads" : "writes";
    struct ratelimit_verdict verdict =
        ratelimit_take(sim->ratelimit, &sim->settings, target->subscription_id,
                       principal->client_id, read ? RATELIMIT_READ : RATELIMIT_WRITE);
    char name[80];

    if (verdict.limited) {
        snprintf(name, sizeof(name), "x-ms-ratelimit-remaining-subscription-%s", kind);
        http_reply_header(reply, name, "%ld", verdict.remaining);
        snprintf(name, sizeof(name), "x-ms-ratelimit-remaining-subscription-global-%s", kind);
        http_reply_header(reply, name, "%ld", verdict.global_remaining);
    }
    if (verdict.allowed)
        return true;
    arm_error(reply, 429, "SubscriptionRequestsThrottled",
              "Number of '%s' requests for subscription '%s' actor '%s' exceeded. Please try "
              "again after '%ld' seconds after additional tokens are available.",
              read ? "read" : "write", target->subscription_id, principal->object_id,
              verdict.retry_after_s);
    http_reply_header(reply, "Retry-After", "%ld", verdict.retry_after_s);
    return false;
}

static char *action_of_poll(const struct arm_target *target)
{
    const struct type_poll *poll = target->poll;

    return memory_printf("%s/locations/%s%s%s/read", target->provider, poll->word,
                         poll->below ? "/" : "", poll->below ? poll->below : "");
}

/* The action that the request needs the right to, to be freed. */
static char *action_of(const struct http_request *request, const struct arm_target *target)
{
    const struct type *type = target->type;
    const char *suffix;
    char *name, *action;

    if (target->kind == TARGET_OPERATION)
        return action_of_poll(target);
    suffix = type->list.suffix;
    if (target->kind == TARGET_PARENT || target->action_count == 0) {
        name = describe_type_name(type, target->kind == TARGET_PARENT ? target->name_count
                                                                      : type_name_count(type));
        action = memory_printf("%s/%s", name,
                               strcmp(request->op, "regenerateKeys") == 0 ? "write" : "read");
        free(name);
        return action;
    }
    if (strcmp(request->op, "regenerateKeys") == 0) {
        suffix = type->regenerate.suffix;
        if (*suffix == '\0')
            suffix = target->actions[0];
    }
    return memory_printf("%s/%.*s/%s", type->name,
                         (int)(strlen(suffix) - (suffix[strlen(suffix) - 1] == '/')), suffix,
                         strcmp(request->method, "GET") == 0 ? "read" : "action");
}

static bool authorize(struct sim *sim, const struct http_request *request,
                      const struct arm_target *target, const struct principal *principal,
                      struct http_reply *reply)
{
    char *action = action_of(request, target);
    char *scope = arm_target_scope(target);
    bool denied = directory_denies(sim->directory, principal, action, scope);

    if (denied)
        arm_error(reply, 403, "AuthorizationFailed",
                  "The client '%s' with object id '%s' does not have authorization to perform "
                  "action '%s' over scope '%s' or the scope is invalid. If access was recently "
                  "granted, please refresh your credentials.",
                  principal->client_id, principal->object_id, action, scope);
    free(action);
    free(scope);
    return !denied;
}

/* Which right a poll takes is not documented of all providers: the settings say. */
static bool takes_right(const struct sim *sim, const struct arm_target *target)
{
    return target->kind != TARGET_OPERATION || !target->poll->is_undocumented ||
           sim->settings.operation_rights > 0;
}

static bool check_existence(struct sim *sim, const struct arm_target *target,
                            struct http_reply *reply)
{
    if (!target->group || world_has_group(sim->world, target->subscription_id, target->group))
        return true;
    arm_error(reply, 404, "ResourceGroupNotFound", "Resource group '%s' could not be found.",
              target->group);
    return false;
}

static bool can_see(struct sim *sim, const struct principal *principal, const char *subscription_id)
{
    char *scope = memory_printf("/subscriptions/%s", subscription_id);
    bool denied = directory_denies(sim->directory, principal,
                                   "Microsoft.Resources/subscriptions/read", scope);

    free(scope);
    return !denied;
}

/* The subscriptions that the principal can see, in pages; $skiptoken is the index of the next. */
static void list_subscriptions(struct sim *sim, const struct http_request *request,
                               const struct principal *principal, struct http_reply *reply)
{
    const char *skip_token = http_fields_get(&request->query, "$skiptoken");
    struct json_object *body = json_object_new_object();
    struct json_object *page = json_object_new_array();
    const char *host = http_header(request, "Host");
    const char *id;

    json_object_object_add(body, "value", page);
    for (size_t i = !skip_token ? 0 : strtoul(skip_token, NULL, 10);
         (id = world_subscription(sim->world, i)); i++) {
        struct json_object *item;
        char *path;

        if (!can_see(sim, principal, id))
            continue;
        if (json_object_array_length(page) >= (size_t)sim->settings.page_size) {
            char *link = memory_printf("https://%s/subscriptions?api-version=%s&%%24skiptoken=%zu",
                                       host, http_fields_get(&request->query, "api-version"), i);

            json_add_text(body, "nextLink", link);
            free(link);
            break;
        }
        item = json_object_new_object();
        path = memory_printf("/subscriptions/%s", id);
        json_add_text(item, "id", path);
        json_add_text(item, "subscriptionId", id);
        json_add_text(item, "displayName", id);
        json_add_text(item, "state", "Enabled");
        json_object_array_add(page, item);
        free(path);
    }
    http_reply_json(reply, 200, body);
}

void arm_handle(struct sim *sim, const struct http_request *request, struct http_reply *reply)
{
    const struct principal *principal;
    struct arm_target target;

    arm_add_tracing_headers(request, reply);
    principal = authenticate(sim, request, reply);
    if (!principal)
        return;
    if (strcmp(request->op, "subscriptions") == 0 &&
        http_fields_get(&request->query, "api-version")) {
        list_subscriptions(sim, request, principal, reply);
        return;
    }
    if (strcmp(request->op, "graph") == 0) {
        arm_graph_handle(sim, request, principal, reply);
        return;
    }
    if (!arm_target_parse(request, &target)) {
        arm_error(reply, 404, "InvalidResourceType",
                  "The resource type could not be found, or the path is not a resource id.");
        return;
    }
    if (!check_api_version(request, &target, reply) ||
        !throttle(sim, request, &target, principal, reply))
        return;
    if (!world_has_subscription(sim->world, target.subscription_id)) {
        arm_error(reply, 404, "SubscriptionNotFound", "The subscription '%s' could not be found.",
                  target.subscription_id);
        return;
    }
    if (takes_right(sim, &target) && !authorize(sim, request, &target, principal, reply))
        return;
    if (target.kind == TARGET_OPERATION)
        operations_poll(sim, request, &target, reply);
    else if (check_existence(sim, &target, reply))
        provider_handle(sim, request, &target, reply);
}
