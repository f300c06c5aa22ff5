#include "regeneration.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "arm_error.h"
#include "bot_channel.h"
#include "describe.h"
#include "memory.h"
#include "operations.h"

struct wish {
    struct account *account;
    size_t slot;
    const char *key; /* NULL: a random one */
};

static void invalid_body(const struct type *type, struct http_reply *reply)
{
    arm_error(reply, 400, "InvalidRequestBody",
              "The request body must have the property '%s' with one of the values of this "
              "resource type, and nothing unknown.",
              !type->regenerate.member ? "none" : type->regenerate.member);
}

static bool slot_of(const struct sim *sim, const struct account *account, const char *sent,
                    size_t *slot)
{
    const struct type *type = account->type;

    for (*slot = 0; sent && *slot < type_slot_count(type); (*slot)++) {
        char *id = NULL;
        bool same;

        if (type->regenerate.body == BODY_KEY_ID)
            id = describe_key_id(sim, account, *slot);
        same = strcmp(id ? id : type->slots[*slot].sent, sent) == 0;
        free(id);
        if (same)
            return true;
    }
    return false;
}

/* Batch alone is known to pass over members that it does not know. */
static bool has_only_known(const struct type *type, struct json_object *body)
{
    if (type == &type_batch)
        return true;
    json_object_object_foreach(body, name, value)
    {
        bool known =
            strcmp(name, type->regenerate.member) == 0 ||
            (type->regenerate.own_value && strcmp(name, type->regenerate.own_value) == 0) ||
            (type->regenerate.body == BODY_SITE && strcmp(name, "siteName") == 0);

        (void)value;
        if (!known)
            return false;
    }
    return true;
}

/* The text that names the slot. */
static const char *sent_slot(const struct type *type, struct json_object *body)
{
    struct json_object *list, *first;

    if (type->regenerate.body != BODY_IN_ARRAY)
        return json_get_text(body, type->regenerate.member);
    if (!json_object_object_get_ex(body, type->regenerate.member, &list) ||
        !json_object_is_type(list, json_type_array) || json_object_array_length(list) != 1)
        return NULL;
    first = json_object_array_get_idx(list, 0);
    return json_object_is_type(first, json_type_string) ? json_object_get_string(first) : NULL;
}

static bool valid_own_value(const struct type *type, struct json_object *body, const char **key)
{
    struct json_object *value;

    if (!type->regenerate.own_value ||
        !json_object_object_get_ex(body, type->regenerate.own_value, &value))
        return true;
    *key = json_get_text(body, type->regenerate.own_value);
    return *key && account_takes_key(type, *key);
}

/* Reads the BODY into WISH, whose texts point there. */
static bool parse_body(struct sim *sim, struct json_object *body, struct wish *wish,
                       struct http_reply *reply)
{
    const struct type *type = wish->account->type;

    if (type->regenerate.body == BODY_SITE) {
        wish->account = bot_channel_site(sim, wish->account, json_get_text(body, "siteName"));
        if (!wish->account) {
            arm_error(reply, 404, "SiteNotFound", "The channel has no such site.");
            return false;
        }
    }
    if (has_only_known(type, body) &&
        slot_of(sim, wish->account, sent_slot(type, body), &wish->slot) &&
        valid_own_value(type, body, &wish->key))
        return true;
    invalid_body(type, reply);
    return false;
}

static void carry_out(struct sim *sim, const struct http_request *request, const struct wish *wish,
                      struct http_reply *reply)
{
    const struct type *type = wish->account->type;
    struct key_change change = {.by = "arm",
                                .client_request_id = http_client_request_id(request),
                                .propagation_ms = operations_propagation_ms(sim, wish->account),
                                .key = wish->key};
    struct json_object *answer;

    if (operations_running(sim, wish->account)) {
        arm_error(reply, 409, "AnotherOperationInProgress",
                  "Another operation on this resource is in progress.");
        return;
    }
    wish->account->regenerate_count[wish->slot]++;
    if (operations_duration_ms(sim, wish->account) > 0) {
        operations_begin(sim, request, wish->account, wish->slot, wish->key, reply);
        return;
    }
    world_regenerate(sim->world, wish->account, wish->slot, &change);
    answer = type->regenerate.body == BODY_SITE
                 ? bot_channel_describe(sim, wish->account, false, INT64_MAX)
                 : describe_regenerated(sim, wish->account, wish->slot);
    reply->status = type->regenerate.status == 0 ? 200 : type->regenerate.status;
    if (answer)
        http_reply_json(reply, reply->status, answer);
}

void regeneration_handle(struct sim *sim, const struct http_request *request,
                         const struct arm_target *target, struct account *account,
                         struct http_reply *reply)
{
    struct wish wish = {.account = account};
    struct json_object *body;

    if (account->type->regenerate.body == BODY_NONE) {
        if (request->body_length > 0)
            arm_error(reply, 400, "InvalidRequestContent", "The request must not have a body.");
        else if (arm_target_slot(target, &wish.slot))
            carry_out(sim, request, &wish, reply);
        return;
    }
    if (!http_content_type_is(request, "application/json")) {
        arm_error(reply, 415, "UnsupportedMediaType",
                  "The content media type is not supported. Only 'application/json' is.");
        return;
    }
    body = http_body_object(request);
    if (!body)
        arm_error(reply, 400, "InvalidRequestContent",
                  "The request content was invalid and could not be deserialized.");
    else if (parse_body(sim, body, &wish, reply))
        carry_out(sim, request, &wish, reply);
    json_object_put(body);
}
