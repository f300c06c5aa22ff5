#include "provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "arm_error.h"
#include "bot_channel.h"
#include "clock.h"
#include "describe.h"
#include "encode.h"
#include "key_page.h"
#include "memory.h"
#include "operations.h"
#include "regeneration.h"
#include "whole.h"

static bool in_scope(const struct account *account, const struct arm_target *target)
{
    return strcasecmp(account->subscription_id, target->subscription_id) == 0 &&
           (!target->group || strcasecmp(account->resource_group, target->group) == 0);
}

/* Is it of the type and below the names of a list? */
static bool is_listed(const struct account *account, const struct arm_target *target)
{
    if (account->type != target->type || !in_scope(account, target))
        return false;
    for (size_t i = 0; i < target->name_count; i++) {
        if (strcasecmp(account->names[i], target->names[i]) != 0)
            return false;
    }
    return true;
}

static void add_next_link(struct sim *sim, const struct http_request *request,
                          const struct account *next, struct json_object *body)
{
    const char *host = http_header(request, "Host");
    char *version = percent_encode(http_fields_get(&request->query, "api-version"));
    char *token = percent_encode(next->name);
    char *own_host = memory_printf("localhost:%u", sim->port);
    char *link = memory_printf("https://%s%s?api-version=%s&%%24skiptoken=%s",
                               *host == '\0' ? own_host : host, request->path, version, token);

    json_add_text(body, "nextLink", link);
    free(version);
    free(token);
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

        if (!is_listed(account, target))
            continue;
        if (json_object_array_length(page) >= (size_t)sim->settings.page_size) {
            add_next_link(sim, request, account, body);
            break;
        }
        json_object_array_add(page, describe_resource(sim, account));
    }
    http_reply_json(reply, 200, body);
}

/* The error of a resource that is not there. */
static void reply_not_found(const struct arm_target *target, struct http_reply *reply)
{
    char *type = describe_type_name(target->type, target->name_count);
    char *name = arm_target_name(target);

    arm_error(reply, 404, "ResourceNotFound",
              "The Resource '%s/%s' under resource group '%s' was not found. For more details "
              "please go to https://aka.ms/ARMResourceNotFoundFix",
              type, name, target->group);
    free(type);
    free(name);
}

/* Are the keys off, and does the type refuse to list and regenerate them then? */
static bool refuses_keys(const struct sim *sim, const struct account *account,
                         struct http_reply *reply)
{
    const struct type_switch *keys = &account->type->off;
    const char *effect = sim->settings.keys_off_effect;
    bool refused = keys->status != 0;

    if (account_allows_shared_key(account))
        return false;
    if (*effect != '\0')
        refused = strcmp(effect, "refuse") == 0;
    if (!refused)
        return false;
    arm_error(reply, keys->status == 0 ? 400 : keys->status,
              keys->status == 0 ? "BadRequest" : keys->code, "%s",
              keys->status == 0 ? "Keys of this resource are disabled." : keys->message);
    http_reply_replace_header(reply, "x-ms-failure-cause", "service");
    return true;
}

static void handle_list_keys(struct sim *sim, const struct http_request *request,
                             struct account *account, struct http_reply *reply)
{
    const struct type *type = account->type;
    const char *expand = http_fields_get(&request->query, "$expand");
    bool expanded = expand && type->list.expand && strcmp(expand, type->list.expand) == 0;
    int64_t at = clock_wall_us() - request->look_back_us;

    struct json_object *answer =
        type->regenerate.body == BODY_SITE    ? bot_channel_describe(sim, account, true, at)
        : type->regenerate.body == BODY_WHOLE ? whole_list(sim, account, at)
                                              : describe_keys(sim, account, expanded, at);

    account->list_keys_count++;
    if (type->regenerate.body == BODY_KEY_ID)
        key_page_cut(sim, request, answer);
    http_reply_json(reply, 200, answer);
}

static void handle_parent(struct sim *sim, const struct arm_target *target,
                          struct http_reply *reply)
{
    const struct account *account =
        world_find_below(sim->world, target->type, target->names, target->name_count);

    if (!account || !in_scope(account, target))
        reply_not_found(target, reply);
    else
        http_reply_json(reply, 200, describe_parent(sim, account, target->name_count));
}

/* The account that the target is, or NULL; of what has parts, the first one. */
static struct account *find_resource(struct sim *sim, const struct arm_target *target)
{
    struct account *account;
    char *name;

    if (type_has_parts(target->type)) {
        account = world_find_below(sim->world, target->type, target->names, target->name_count);
    } else {
        name = arm_target_name(target);
        account = world_find(sim->world, name);
        free(name);
    }
    return account && account->type == target->type && in_scope(account, target) ? account : NULL;
}

static void handle_get(struct sim *sim, struct account *account, struct http_reply *reply)
{
    account->get_count++;
    http_reply_json(reply, 200,
                    account->type->regenerate.body == BODY_SITE
                        ? bot_channel_describe(sim, account, false, clock_wall_us())
                    : account->type->regenerate.body == BODY_WHOLE
                        ? whole_describe(sim, account)
                        : describe_resource(sim, account));
}

static void handle_resource(struct sim *sim, const struct http_request *request,
                            const struct arm_target *target, struct http_reply *reply)
{
    struct account *account = find_resource(sim, target);

    if (!account && strcmp(request->op, "get") == 0) {
        handle_parent(sim, target, reply);
    } else if (!account) {
        reply_not_found(target, reply);
    } else if (strcmp(request->op, "get") == 0) {
        handle_get(sim, account, reply);
    } else if (refuses_keys(sim, account, reply)) {
        return;
    } else if (strcmp(request->op, "listKeys") == 0) {
        handle_list_keys(sim, request, account, reply);
    } else if (account->type->regenerate.body == BODY_WHOLE) {
        whole_put(sim, request, account, reply);
    } else {
        regeneration_handle(sim, request, target, account, reply);
    }
}

void provider_handle(struct sim *sim, const struct http_request *request,
                     const struct arm_target *target, struct http_reply *reply)
{
    if (strcmp(request->op, "other") == 0)
        arm_error(reply, 405, "MethodNotAllowed",
                  "The method or action is not supported on this resource.");
    else if (target->kind == TARGET_LIST)
        handle_list(sim, request, target, reply);
    else if (target->kind == TARGET_PARENT)
        handle_parent(sim, target, reply);
    else
        handle_resource(sim, request, target, reply);
}
