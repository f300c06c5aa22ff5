#include "arm_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "cloud.h"
#include "encode.h"
#include "memory.h"

int64_t arm_batch_propagation_ms(const struct sim *sim, const struct account *account)
{
    return account->propagation_ms >= 0 ? account->propagation_ms
                                        : (int64_t)sim->settings.propagation_ms;
}

static void add_endpoints(const struct sim *sim, const struct account *account,
                          struct json_object *properties)
{
    char *endpoint = cloud_batch_endpoint(account->name, account->location, sim->port);
    char *node_endpoint = cloud_batch_endpoint("node", account->location, sim->port);

    json_add_text(properties, "accountEndpoint", endpoint);
    json_add_text(properties, "nodeManagementEndpoint", node_endpoint);
    free(endpoint);
    free(node_endpoint);
}

static struct json_object *copy_of(struct json_object *source)
{
    struct json_object *copy = NULL;

    if (source)
        json_object_deep_copy(source, &copy, NULL);
    return copy;
}

static struct json_object *properties_of(const struct sim *sim, const struct account *account)
{
    struct json_object *properties = json_object_new_object();
    struct json_object *encryption = json_object_new_object();

    add_endpoints(sim, account, properties);
    json_add_text(properties, "provisioningState", account->provisioning_state);
    json_object_object_add(properties, "dedicatedCoreQuota", json_object_new_int(100));
    json_object_object_add(properties, "lowPriorityCoreQuota", json_object_new_int(100));
    json_object_object_add(properties, "poolQuota", json_object_new_int(100));
    json_object_object_add(properties, "activeJobAndJobScheduleQuota", json_object_new_int(300));
    json_add_text(properties, "poolAllocationMode", account->pool_allocation_mode);
    json_add_text(properties, "publicNetworkAccess", account->public_network_access);
    json_object_object_add(properties, "privateEndpointConnections", json_object_new_array());
    json_add_text(encryption, "keySource", "Microsoft.Batch");
    json_object_object_add(properties, "encryption", encryption);
    if (account->allowed_authentication_modes)
        json_object_object_add(properties, "allowedAuthenticationModes",
                               copy_of(account->allowed_authentication_modes));
    return properties;
}

static struct json_object *resource_of(const struct sim *sim, const struct account *account)
{
    struct json_object *resource = json_object_new_object();
    struct json_object *identity = json_object_new_object();
    char *id = memory_printf(
        "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Batch/batchAccounts/%s",
        account->subscription_id, account->resource_group, account->name);

    json_add_text(resource, "id", id);
    json_add_text(resource, "name", account->name);
    json_add_text(resource, "type", "Microsoft.Batch/batchAccounts");
    json_add_text(resource, "location", account->location);
    json_object_object_add(resource, "tags",
                           !account->tags ? json_object_new_object() : copy_of(account->tags));
    json_add_text(identity, "type", "None");
    json_object_object_add(resource, "identity", identity);
    json_object_object_add(resource, "properties", properties_of(sim, account));
    free(id);
    return resource;
}

static bool in_scope(const struct account *account, const struct arm_target *target)
{
    return strcasecmp(account->subscription_id, target->subscription_id) == 0 &&
           (!target->group || strcasecmp(account->resource_group, target->group) == 0);
}

static void add_next_link(struct sim *sim, const struct http_request *request,
                          const struct account *next, struct json_object *body)
{
    const char *host = http_header(request, "Host");
    char *version = percent_encode(http_fields_get(&request->query, "api-version"));
    char *own_host = memory_printf("localhost:%u", sim->port);
    char *link = memory_printf("https://%s%s?api-version=%s&%%24skiptoken=%s",
                               *host == '\0' ? own_host : host, request->path, version, next->name);

    json_add_text(body, "nextLink", link);
    free(version);
    free(own_host);
    free(link);
}

static void handle_list(struct sim *sim, const struct http_request *request,
                        const struct arm_target *target, struct http_reply *reply)
{
    const char *skip_token = http_fields_get(&request->query, "$skiptoken");
    struct lh_entry *entry =
        !skip_token ? world_first(sim->world) : world_entry(sim->world, skip_token);
    struct json_object *body, *page;

    if (skip_token && !entry) {
        arm_error(reply, 400, "InvalidSkipToken", "The $skiptoken is not valid.");
        return;
    }
    body = json_object_new_object();
    page = json_object_new_array();
    json_object_object_add(body, "value", page);
    for (; entry; entry = lh_entry_next(entry)) {
        const struct account *account = lh_entry_v(entry);

        if (!in_scope(account, target))
            continue;
        if (json_object_array_length(page) >= (size_t)sim->settings.page_size) {
            add_next_link(sim, request, account, body);
            break;
        }
        json_object_array_add(page, resource_of(sim, account));
    }
    http_reply_json(reply, 200, body);
}

static void reply_keys(const struct account *account, int64_t look_back_us,
                       struct http_reply *reply)
{
    int64_t at = clock_wall_us() - look_back_us;
    struct json_object *body = json_object_new_object();

    json_add_text(body, "accountName", account->name);
    json_add_text(body, "primary", account_key_at(account, SLOT_PRIMARY, at));
    json_add_text(body, "secondary", account_key_at(account, SLOT_SECONDARY, at));
    http_reply_json(reply, 200, body);
}

static bool parse_slot(const struct http_request *request, enum key_slot_id *slot,
                       struct http_reply *reply)
{
    struct json_object *body;
    bool valid;

    if (!http_content_type_is(request, "application/json")) {
        arm_error(reply, 415, "UnsupportedMediaType",
                  "The content media type is not supported. Only 'application/json' is.");
        return false;
    }
    body = http_body_object(request);
    if (!body) {
        arm_error(reply, 400, "InvalidRequestContent",
                  "The request content was invalid and could not be deserialized.");
        return false;
    }
    valid = key_slot_parse(json_get_text(body, "keyName"), slot);
    if (!valid)
        arm_error(reply, 400, "InvalidRequestBody",
                  "The property 'keyName' must be one of 'Primary' and 'Secondary'.");
    json_object_put(body);
    return valid;
}

static void handle_regenerate(struct sim *sim, const struct http_request *request,
                              struct account *account, struct http_reply *reply)
{
    enum key_slot_id slot;

    if (!parse_slot(request, &slot, reply))
        return;
    account->regenerate_count[slot]++;
    world_regenerate(sim->world, account, slot, "arm", http_client_request_id(request),
                     arm_batch_propagation_ms(sim, account));
    reply_keys(account, 0, reply);
}

static void handle_key_action(struct sim *sim, const struct http_request *request,
                              struct account *account, struct http_reply *reply)
{
    if (!account_allows_shared_key(account)) {
        arm_error(reply, 409, "SharedKeyAuthenticationNotAllowed",
                  "The operation is not allowed because shared key authentication is disabled for "
                  "account '%s'.",
                  account->name);
        http_reply_replace_header(reply, "x-ms-failure-cause", "service");
    } else if (strcmp(request->op, "listKeys") == 0) {
        account->list_keys_count++;
        reply_keys(account, request->look_back_us, reply);
    } else {
        handle_regenerate(sim, request, account, reply);
    }
}

void arm_batch_handle(struct sim *sim, const struct http_request *request,
                      const struct arm_target *target, struct http_reply *reply)
{
    struct account *account = NULL;

    if (strcmp(request->op, "other") == 0) {
        arm_error(reply, 405, "MethodNotAllowed",
                  "The method or action is not supported on this resource.");
        return;
    }
    if (!target->account) {
        handle_list(sim, request, target, reply);
        return;
    }
    account = world_find(sim->world, target->account);
    if (!account || !in_scope(account, target)) {
        arm_error(reply, 404, "ResourceNotFound",
                  "The Resource 'Microsoft.Batch/batchAccounts/%s' under resource group '%s' was "
                  "not found. For more details please go to "
                  "https://aka.ms/ARMResourceNotFoundFix",
                  target->account, target->group);
        return;
    }
    if (strcmp(request->op, "get") == 0) {
        account->get_count++;
        http_reply_json(reply, 200, resource_of(sim, account));
    } else {
        handle_key_action(sim, request, account, reply);
    }
}
