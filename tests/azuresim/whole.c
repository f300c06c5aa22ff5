#include "whole.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "describe.h"
#include "encode.h"
#include "memory.h"
#include "operations.h"

#define LIST         "authorizationPolicies"
#define POLICIES_MAX 64

static bool same_hub(const struct account *a, const struct account *b)
{
    return a->type == b->type && strcasecmp(a->names[0], b->names[0]) == 0;
}

bool whole_is_busy(const struct sim *sim, const struct account *any)
{
    for (struct lh_entry *entry = world_first(sim->world); entry; entry = lh_entry_next(entry)) {
        const struct account *policy = lh_entry_v(entry);

        if (same_hub(policy, any) && operations_running(sim, policy))
            return true;
    }
    return false;
}

/* --- what is shown --- */

static struct json_object *show_policies(const struct sim *sim, const struct account *any,
                                         bool with_keys, int64_t wall_us)
{
    struct json_object *list = json_object_new_array();

    for (struct lh_entry *entry = world_first(sim->world); entry; entry = lh_entry_next(entry)) {
        const struct account *policy = lh_entry_v(entry);
        struct json_object *object;

        if (!same_hub(policy, any))
            continue;
        object = json_object_new_object();
        json_add_text(object, "keyName", policy->names[1]);
        for (size_t slot = 0; slot < TYPE_PAIR && with_keys; slot++)
            json_add_text(object, policy->type->slots[slot].member,
                          account_key_at(policy, slot, wall_us));
        json_add_text(object, "rights", json_get_text(policy->properties, "rights"));
        json_object_array_add(list, object);
    }
    return list;
}

struct json_object *whole_list(const struct sim *sim, const struct account *any, int64_t wall_us)
{
    struct json_object *answer = json_object_new_object();

    json_object_object_add(answer, "value", show_policies(sim, any, true, wall_us));
    return answer;
}

/* Another one after every change of anything. */
static char *etag_of(const struct sim *sim, const struct account *any, struct json_object *hub)
{
    struct json_object *policies = show_policies(sim, any, true, INT64_MAX);
    char *text = memory_printf("%s %s", json_object_to_json_string(hub),
                               json_object_to_json_string(policies));
    char digest[SHA256_HEX_SIZE];

    sha256_hex(text, strlen(text), digest);
    free(text);
    json_object_put(policies);
    return memory_printf("AAAA%.8s=", digest);
}

struct json_object *whole_describe(const struct sim *sim, const struct account *any)
{
    struct json_object *hub = describe_parent(sim, any, 1);
    struct json_object *sku = json_object_new_object(), *properties;
    char *etag = etag_of(sim, any, hub);

    json_object_object_get_ex(hub, "properties", &properties);
    json_add_text(hub, "etag", etag);
    json_add_text(sku, "name", "S1");
    json_object_object_add(sku, "capacity", json_object_new_int(1));
    json_object_object_add(hub, "sku", sku);
    if (any->type->shows_parts)
        json_object_object_add(properties, LIST, show_policies(sim, any, false, INT64_MAX));
    if (whole_is_busy(sim, any))
        json_add_text(properties, "provisioningState", "Transitioning");
    free(etag);
    return hub;
}

/* --- what a PUT wants --- */

struct change {
    struct account *policy;
    size_t slot;
    char *key; /* NULL: a random one */
};

struct wish {
    struct account *policies[POLICIES_MAX]; /* those that stay */
    const char *rights[POLICIES_MAX];
    size_t policy_count;
    struct change changes[TYPE_PAIR * POLICIES_MAX];
    size_t change_count;
};

static void refuse(struct http_reply *reply, int status, int code, const char *name,
                   const char *message)
{
    struct json_object *error = json_object_new_object();

    json_object_object_add(error, "code", json_object_new_int(code));
    json_add_text(error, "httpStatusCode", name);
    json_add_text(error, "message", message);
    http_reply_json(reply, status, error);
}

static bool is_wanted(const struct wish *wish, const struct account *policy)
{
    for (size_t i = 0; i < wish->policy_count; i++) {
        if (wish->policies[i] == policy)
            return true;
    }
    return false;
}

static struct account *find_policy(const struct sim *sim, const struct account *any,
                                   const char *name)
{
    char *full = memory_printf("%s/%s", any->names[0], !name ? "" : name);
    struct account *policy = world_find(sim->world, full);

    free(full);
    return policy && same_hub(policy, any) ? policy : NULL;
}

/* A key that is absent or null is to be made; another one than it has is taken. */
static bool wish_key(struct wish *wish, struct account *policy, size_t slot,
                     struct json_object *from)
{
    struct json_object *value = NULL;
    const char *key;

    json_object_object_get_ex(from, policy->type->slots[slot].member, &value);
    key = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
    if (value && (!key || !account_takes_key(policy->type, key)))
        return false;
    if (!key || strcmp(key, account_key_at(policy, slot, INT64_MAX)) != 0)
        wish->changes[wish->change_count++] =
            (struct change){.policy = policy, .slot = slot, .key = memory_text(key)};
    return true;
}

static bool wish_policy(struct sim *sim, const struct account *any, struct json_object *from,
                        struct wish *wish)
{
    struct account *policy = find_policy(sim, any, json_get_text(from, "keyName"));
    const char *rights = json_get_text(from, "rights");

    if (!policy || !rights || is_wanted(wish, policy) || wish->policy_count == POLICIES_MAX)
        return false;
    wish->rights[wish->policy_count] = rights;
    wish->policies[wish->policy_count++] = policy;
    for (size_t slot = 0; slot < TYPE_PAIR; slot++) {
        if (!wish_key(wish, policy, slot, from))
            return false;
    }
    return true;
}

static bool read_wish(struct sim *sim, const struct account *any, struct json_object *properties,
                      struct wish *wish)
{
    struct json_object *list = NULL;

    json_object_object_get_ex(properties, LIST, &list);
    if (list && !json_object_is_type(list, json_type_array))
        return false;
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        if (!wish_policy(sim, any, json_object_array_get_idx(list, i), wish))
            return false;
    }
    return wish->policy_count > 0;
}

/* --- what it does --- */

/* Its properties are those of the body, and no others. */
static void replace_properties(struct account *any, struct json_object *properties)
{
    struct json_object *own = any->parent_properties, *copy = NULL, *old = NULL;

    json_object_deep_copy(own, &old, NULL);
    json_object_deep_copy(properties, &copy, NULL);
    json_object_object_del(copy, LIST);
    json_object_object_foreach(old, name, value)
    {
        (void)value;
        json_object_object_del(own, name);
    }
    json_object_object_foreach(copy, other, new_value)
    {
        json_object_object_add(own, other, json_object_get(new_value));
    }
    json_object_put(old);
    json_object_put(copy);
}

static void delete_others(struct sim *sim, const struct wish *wish)
{
    const struct account *any = wish->policies[0];
    struct lh_entry *entry = world_first(sim->world);

    while (entry) {
        struct account *policy = lh_entry_v(entry);

        entry = lh_entry_next(entry);
        if (same_hub(policy, any) && !is_wanted(wish, policy))
            world_delete(sim->world, policy);
    }
}

static void carry_out(struct sim *sim, const struct http_request *request, const struct wish *wish,
                      struct http_reply *reply)
{
    bool has_begun = false;

    for (size_t i = 0; i < wish->policy_count; i++)
        json_add_text(wish->policies[i]->properties, "rights", wish->rights[i]);
    for (size_t i = 0; i < wish->change_count; i++) {
        const struct change *one = &wish->changes[i];
        struct key_change change = {.by = "arm",
                                    .client_request_id = http_client_request_id(request),
                                    .propagation_ms = operations_propagation_ms(sim, one->policy),
                                    .key = one->key};

        one->policy->regenerate_count[one->slot]++;
        if (!has_begun && operations_duration_ms(sim, one->policy) > 0)
            operations_begin(sim, request, one->policy, one->slot, one->key, reply);
        else
            world_regenerate(sim->world, one->policy, one->slot, &change);
        has_begun = true;
    }
    http_reply_json(reply, reply->status == 202 ? 201 : 200,
                    whole_describe(sim, wish->policies[0]));
}

static bool may_write(const struct sim *sim, const struct http_request *request,
                      const struct account *any, struct http_reply *reply)
{
    const char *wanted = http_header(request, "If-Match");
    struct json_object *hub = whole_describe(sim, any);
    const char *etag = json_get_text(hub, "etag");
    bool same = *wanted == '\0' || strcmp(wanted, "*") == 0 || strcmp(wanted, etag) == 0;

    json_object_put(hub);
    if (!same)
        refuse(reply, 412, 412001, "PreconditionFailed", "Invalid ETag supplied.");
    else if (whole_is_busy(sim, any))
        refuse(reply, 409, 409002, "Conflict", "The hub is being changed by another operation.");
    else
        return true;
    return false;
}

void whole_put(struct sim *sim, const struct http_request *request, struct account *any,
               struct http_reply *reply)
{
    struct json_object *body = http_body_object(request), *properties = NULL;
    struct wish wish = {.policy_count = 0};

    json_object_object_get_ex(body, "properties", &properties);
    if (!http_content_type_is(request, "application/json") || !properties ||
        !read_wish(sim, any, properties, &wish)) {
        refuse(reply, 400, 400004, "BadRequest", "The description of the hub is not valid.");
    } else if (may_write(sim, request, any, reply)) {
        replace_properties(any, properties);
        delete_others(sim, &wish);
        carry_out(sim, request, &wish, reply);
    }
    for (size_t i = 0; i < wish.change_count; i++)
        free(wish.changes[i].key);
    json_object_put(body);
}
