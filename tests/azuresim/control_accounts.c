#include "control_accounts.h"

#include <stdlib.h>

#include "control.h"
#include "describe.h"
#include "operations.h"

#define MESSAGE_SIZE 256

static struct json_object *births_of(const struct account *account)
{
    const struct type *type = account->type;
    struct json_object *births = json_object_new_array();

    for (size_t slot = 0; slot < type_slot_count(type); slot++) {
        for (size_t i = 0; i < account->slots[slot].birth_count; i++) {
            const struct key_birth *birth = &account->slots[slot].births[i];
            struct json_object *item = json_object_new_object();

            json_object_object_add(item, "t", json_object_new_double((double)birth->born_us / 1e6));
            json_add_text(item, "slot", key_slot_name(slot));
            if (type->pairs[1])
                json_add_text(item, "pair", type->pairs[slot / TYPE_PAIR]);
            json_add_text(item, "key", birth->key);
            json_add_text(item, "by", birth->by);
            json_object_array_add(births, item);
        }
    }
    return births;
}

static void add_count(struct json_object *counters, const char *name, uint64_t count)
{
    json_object_object_add(counters, name, json_object_new_uint64(count));
}

static struct json_object *counters_of(const struct account *account)
{
    struct json_object *counters = json_object_new_object();

    add_count(counters, "regenerate_primary", account->regenerate_count[SLOT_PRIMARY]);
    add_count(counters, "regenerate_secondary", account->regenerate_count[SLOT_SECONDARY]);
    if (account->type->pairs[1]) {
        add_count(counters, "regenerate_second_primary", account->regenerate_count[TYPE_PAIR]);
        add_count(counters, "regenerate_second_secondary",
                  account->regenerate_count[TYPE_PAIR + 1]);
    }
    add_count(counters, "list_keys", account->list_keys_count);
    add_count(counters, "get", account->get_count);
    add_count(counters, "probe", account->probe_count);
    return counters;
}

static void add_keys(struct json_object *object, const struct account *account, size_t pair)
{
    static const char *const members[TYPE_PAIR] = {"primary", "secondary"};

    for (size_t i = 0; i < TYPE_PAIR; i++)
        json_add_text(object, members[i], account_key_at(account, pair * TYPE_PAIR + i, INT64_MAX));
}

/* {"read_write":{"primary","secondary"}, ...} */
static struct json_object *pairs_of(const struct account *account)
{
    struct json_object *pairs = json_object_new_object();

    for (size_t i = 0; i < 2; i++) {
        struct json_object *keys = json_object_new_object();

        add_keys(keys, account, i);
        json_object_object_add(pairs, account->type->pairs[i], keys);
    }
    return pairs;
}

static void add_copy(struct json_object *object, const char *name, struct json_object *value)
{
    struct json_object *copy = NULL;

    if (value)
        json_object_deep_copy(value, &copy, NULL);
    json_object_object_add(object, name, copy);
}

/* The members of the control API that stand for properties of Batch accounts. */
static void add_shorthands(struct json_object *object, const struct account *account)
{
    struct json_object *properties = account->properties;
    struct json_object *modes = NULL;

    json_add_text(object, "pool_allocation_mode", json_get_text(properties, "poolAllocationMode"));
    json_add_text(object, "provisioning_state", json_get_text(properties, "provisioningState"));
    json_add_text(object, "public_network_access",
                  json_get_text(properties, "publicNetworkAccess"));
    json_object_object_get_ex(properties, "allowedAuthenticationModes", &modes);
    add_copy(object, "allowed_authentication_modes", modes);
}

static struct json_object *account_to_json(const struct sim *sim, const struct account *account)
{
    struct json_object *object = json_object_new_object();
    char *id = describe_id(account, type_name_count(account->type));

    json_add_text(object, "name", account->name);
    json_add_text(object, "type", account->type->name);
    json_add_text(object, "id", id);
    json_add_text(object, "subscription_id", account->subscription_id);
    json_add_text(object, "resource_group", account->resource_group);
    json_add_text(object, "location", account->location);
    add_shorthands(object, account);
    add_copy(object, "properties", account->properties);
    add_copy(object, "parent_properties", account->parent_properties);
    json_object_object_add(object, "keys_off",
                           json_object_new_boolean(!account_allows_shared_key(account)));
    json_object_object_add(object, "propagation_ms",
                           json_object_new_int64(operations_propagation_ms(sim, account)));
    json_object_object_add(object, "operation_ms",
                           json_object_new_int64(operations_duration_ms(sim, account)));
    add_keys(object, account, 0);
    if (account->type->pairs[1])
        json_object_object_add(object, "pairs", pairs_of(account));
    json_object_object_add(object, "births", births_of(account));
    json_object_object_add(object, "counters", counters_of(account));
    free(id);
    return object;
}

static struct account *find_account(struct sim *sim, const struct http_request *request,
                                    struct http_reply *reply)
{
    struct account *account = world_find(sim->world, request->segments[2]);

    if (!account)
        control_problem(reply, 404, "there is no such account");
    return account;
}

static void put_many(struct sim *sim, struct json_object *list, struct http_reply *reply)
{
    struct json_object *body = json_object_new_object();
    char message[MESSAGE_SIZE];
    size_t created;

    for (created = 0; created < json_object_array_length(list); created++) {
        struct json_object *properties = json_object_array_get_idx(list, created);

        if (!world_create(sim->world, properties, message, sizeof(message)))
            break;
    }
    json_object_object_add(body, "created", json_object_new_uint64(created));
    if (created < json_object_array_length(list)) {
        json_add_text(body, "error", message);
        http_reply_json(reply, 400, body);
    } else {
        http_reply_json(reply, 200, body);
    }
}

void control_accounts_put(struct sim *sim, const struct http_request *request,
                          struct http_reply *reply)
{
    struct json_object *body = http_body_json(request);
    char message[MESSAGE_SIZE];
    struct account *account;

    if (json_object_is_type(body, json_type_array)) {
        put_many(sim, body, reply);
    } else if (!json_object_is_type(body, json_type_object)) {
        control_problem(reply, 400, "the body must be an object or a list of objects");
    } else {
        account = world_create(sim->world, body, message, sizeof(message));
        if (!account)
            control_problem(reply, 400, message);
        else
            http_reply_json(reply, 200, account_to_json(sim, account));
    }
    json_object_put(body);
}

void control_accounts_list(struct sim *sim, const struct http_request *request,
                           struct http_reply *reply)
{
    struct json_object *names = json_object_new_array();
    struct lh_entry *entry;

    (void)request;
    for (entry = world_first(sim->world); entry; entry = lh_entry_next(entry)) {
        const struct account *account = lh_entry_v(entry);

        json_object_array_add(names, json_object_new_string(account->name));
    }
    http_reply_json(reply, 200, names);
}

void control_accounts_get(struct sim *sim, const struct http_request *request,
                          struct http_reply *reply)
{
    const struct account *account = find_account(sim, request, reply);

    if (account)
        http_reply_json(reply, 200, account_to_json(sim, account));
}

void control_accounts_patch(struct sim *sim, const struct http_request *request,
                            struct http_reply *reply)
{
    struct account *account = find_account(sim, request, reply);
    char message[MESSAGE_SIZE] = "the body must be an object";
    struct json_object *body;

    if (!account)
        return;
    body = http_body_object(request);
    if (body && world_change(sim->world, account, body, message, sizeof(message)))
        http_reply_json(reply, 200, account_to_json(sim, account));
    else
        control_problem(reply, 400, message);
    json_object_put(body);
}

void control_accounts_delete(struct sim *sim, const struct http_request *request,
                             struct http_reply *reply)
{
    struct account *account = find_account(sim, request, reply);

    if (!account)
        return;
    world_delete(sim->world, account);
    http_reply_json(reply, 200, json_object_new_object());
}

void control_accounts_regenerate(struct sim *sim, const struct http_request *request,
                                 struct http_reply *reply)
{
    struct account *account = find_account(sim, request, reply);
    struct key_change change = {.by = "foreign"};
    struct json_object *body;
    size_t slot;

    if (!account)
        return;
    body = http_body_object(request);
    if (!body || !key_slot_parse(account->type, json_get_text(body, "slot"),
                                 json_get_text(body, "pair"), &slot)) {
        control_problem(reply, 400, "slot must be \"Primary\" or \"Secondary\"");
    } else {
        change.propagation_ms = operations_propagation_ms(sim, account);
        world_regenerate(sim->world, account, slot, &change);
        http_reply_json(reply, 200, account_to_json(sim, account));
    }
    json_object_put(body);
}
