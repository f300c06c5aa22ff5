#include "control_accounts.h"

#include "arm_batch.h"
#include "control.h"

#define MESSAGE_SIZE 256

static const char *key_now(const struct account *account, enum key_slot_id slot)
{
    return account_key_at(account, slot, INT64_MAX);
}

static struct json_object *births_of(const struct account *account)
{
    struct json_object *births = json_object_new_array();

    for (int slot = 0; slot < KEY_SLOT_COUNT; slot++) {
        for (size_t i = 0; i < account->slots[slot].birth_count; i++) {
            const struct key_birth *birth = &account->slots[slot].births[i];
            struct json_object *item = json_object_new_object();

            json_object_object_add(item, "t", json_object_new_double((double)birth->born_us / 1e6));
            json_add_text(item, "slot", key_slot_name((enum key_slot_id)slot));
            json_add_text(item, "key", birth->key);
            json_add_text(item, "by", birth->by);
            json_object_array_add(births, item);
        }
    }
    return births;
}

static struct json_object *counters_of(const struct account *account)
{
    struct json_object *counters = json_object_new_object();
    const struct {
        const char *name;
        uint64_t count;
    } all[] = {
        {"regenerate_primary", account->regenerate_count[SLOT_PRIMARY]},
        {"regenerate_secondary", account->regenerate_count[SLOT_SECONDARY]},
        {"list_keys", account->list_keys_count},
        {"get", account->get_count},
        {"probe", account->probe_count},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        json_object_object_add(counters, all[i].name, json_object_new_uint64(all[i].count));
    return counters;
}

static struct json_object *account_to_json(const struct sim *sim, const struct account *account)
{
    struct json_object *object = json_object_new_object();
    struct json_object *modes = NULL;

    if (account->allowed_authentication_modes)
        json_object_deep_copy(account->allowed_authentication_modes, &modes, NULL);
    json_add_text(object, "name", account->name);
    json_add_text(object, "subscription_id", account->subscription_id);
    json_add_text(object, "resource_group", account->resource_group);
    json_add_text(object, "location", account->location);
    json_add_text(object, "pool_allocation_mode", account->pool_allocation_mode);
    json_add_text(object, "provisioning_state", account->provisioning_state);
    json_add_text(object, "public_network_access", account->public_network_access);
    json_object_object_add(object, "allowed_authentication_modes", modes);
    json_object_object_add(object, "propagation_ms",
                           json_object_new_int64(arm_batch_propagation_ms(sim, account)));
    json_add_text(object, "primary", key_now(account, SLOT_PRIMARY));
    json_add_text(object, "secondary", key_now(account, SLOT_SECONDARY));
    json_object_object_add(object, "births", births_of(account));
    json_object_object_add(object, "counters", counters_of(account));
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
    struct json_object *body;
    enum key_slot_id slot;

    if (!account)
        return;
    body = http_body_object(request);
    if (!body || !key_slot_parse(json_get_text(body, "slot"), &slot)) {
        control_problem(reply, 400, "slot must be \"Primary\" or \"Secondary\"");
    } else {
        world_regenerate(sim->world, account, slot, "foreign", NULL,
                         arm_batch_propagation_ms(sim, account));
        http_reply_json(reply, 200, account_to_json(sim, account));
    }
    json_object_put(body);
}
