#include "operations.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "arm_error.h"
#include "clock.h"
#include "describe.h"
#include "encode.h"
#include "memory.h"

#define OPERATIONS_MAX 100000

struct operation {
    char id[UUID_TEXT_SIZE];
    char *account;
    char *client_request_id;
    char *key; /* NULL: a random one */
    size_t slot;
    int64_t begun_us, due_us;
    char result[SETTINGS_TEXT_SIZE]; /* "Succeeded", "Failed" or "Canceled" */
    bool has_changed;                /* the key */
    bool is_over;
};

struct operations {
    struct operation *list;
    size_t count;
};

struct operations *operations_new(void)
{
    return memory_zeroed(1, sizeof(struct operations));
}

void operations_free(struct operations *operations)
{
    if (!operations)
        return;
    for (size_t i = 0; i < operations->count; i++) {
        free(operations->list[i].account);
        free(operations->list[i].client_request_id);
        free(operations->list[i].key);
    }
    free(operations->list);
    free(operations);
}

int64_t operations_duration_ms(const struct sim *sim, const struct account *account)
{
    if (!account->type->operation.is_long)
        return 0;
    return account->operation_ms >= 0 ? account->operation_ms : (int64_t)sim->settings.operation_ms;
}

int64_t operations_propagation_ms(const struct sim *sim, const struct account *account)
{
    return account->propagation_ms >= 0 ? account->propagation_ms
                                        : (int64_t)sim->settings.propagation_ms;
}

bool operations_running(const struct sim *sim, const struct account *account)
{
    for (size_t i = 0; i < sim->operations->count; i++) {
        const struct operation *operation = &sim->operations->list[i];

        if (!operation->is_over && strcasecmp(operation->account, account->name) == 0)
            return true;
    }
    return false;
}

static void change_key(struct sim *sim, struct operation *operation, int64_t at_us)
{
    struct account *account = world_find(sim->world, operation->account);
    struct key_change change = {.by = "arm",
                                .client_request_id = operation->client_request_id,
                                .at_us = at_us,
                                .key = operation->key};

    operation->has_changed = true;
    if (!account)
        return;
    change.propagation_ms = operations_propagation_ms(sim, account);
    world_regenerate(sim->world, account, operation->slot, &change);
}

void operations_settle(struct sim *sim)
{
    int64_t now = clock_wall_us();

    for (size_t i = 0; i < sim->operations->count; i++) {
        struct operation *operation = &sim->operations->list[i];

        if (operation->is_over || operation->due_us > now)
            continue;
        operation->is_over = true;
        if (!operation->has_changed && strcmp(operation->result, "Succeeded") == 0)
            change_key(sim, operation, operation->due_us);
    }
}

void operations_end(struct sim *sim)
{
    int64_t now = clock_wall_us();

    for (size_t i = 0; i < sim->operations->count; i++) {
        struct operation *operation = &sim->operations->list[i];

        if (!operation->is_over && operation->due_us > now)
            operation->due_us = now;
    }
    operations_settle(sim);
}

static struct operation *find(const struct sim *sim, const char *id)
{
    for (size_t i = 0; i < sim->operations->count; i++) {
        if (strcasecmp(sim->operations->list[i].id, id) == 0)
            return &sim->operations->list[i];
    }
    return NULL;
}

const char *operations_account(const struct sim *sim, const char *id)
{
    const struct operation *operation = find(sim, id);

    return !operation ? NULL : operation->account;
}

/* --- answers --- */

static void add_retry_after(const struct sim *sim, struct http_reply *reply)
{
    if (sim->settings.operation_retry_after > 0)
        http_reply_header(reply, "Retry-After", "%d", (int)sim->settings.operation_retry_after);
}

/* To be freed. */
static char *url_of(const struct sim *sim, const struct http_request *request,
                    const struct account *account, const struct operation *operation,
                    const struct type_poll *poll)
{
    const char *below = !poll->below ? "" : poll->below;
    const char *name = !poll->below ? "" : account->name;
    const char *host = sim->settings.operation_host;
    char *version = percent_encode(http_fields_get(&request->query, "api-version"));
    char *url;

    if (*host == '\0')
        host = http_header(request, "Host");
    url = memory_printf(
        "https://%s/subscriptions/%s/providers/%.*s/locations/%s/%s/%s%s%s%s%s"
        "?api-version=%s",
        host, account->subscription_id, (int)type_provider_length(account->type),
        account->type->name, account->location, poll->word, operation->id, poll->below ? "/" : "",
        below, poll->below ? "/" : "", name, version);
    free(version);
    return url;
}

static void add_url(const struct sim *sim, const struct http_request *request,
                    const struct account *account, const struct operation *operation,
                    struct http_reply *reply, const char *header, const struct type_poll *poll)
{
    char *url = url_of(sim, request, account, operation, poll);

    http_reply_header(reply, header, "%s", url);
    free(url);
}

static void reply_accepted(const struct sim *sim, const struct http_request *request,
                           const struct account *account, const struct operation *operation,
                           struct http_reply *reply)
{
    const struct type_operation *has = &account->type->operation;
    const char *headers = sim->settings.operation_headers;
    bool asynchronous = *headers == '\0' ? has->has_async_header : !!strstr(headers, "async");
    bool location = *headers == '\0' ? has->has_location : !!strstr(headers, "location");

    reply->status = 202;
    add_retry_after(sim, reply);
    if (asynchronous)
        add_url(sim, request, account, operation, reply, "Azure-AsyncOperation", &has->status);
    if (location)
        add_url(sim, request, account, operation, reply, "Location", &has->result);
}

void operations_begin(struct sim *sim, const struct http_request *request, struct account *account,
                      size_t slot, const char *key, struct http_reply *reply)
{
    struct operations *all = sim->operations;
    struct operation *operation;

    if (all->count == OPERATIONS_MAX) {
        arm_error(reply, 503, "ServiceUnavailable", "There were too many operations.");
        return;
    }
    all->list = memory_resized(all->list, all->count + 1, sizeof(*all->list));
    operation = &all->list[all->count++];
    *operation = (struct operation){
        .account = memory_text(account->name),
        .client_request_id = memory_text(http_client_request_id(request)),
        .key = memory_text(key),
        .slot = slot,
        .begun_us = clock_wall_us(),
    };
    random_uuid(operation->id);
    operation->due_us =
        operation->begun_us + operations_duration_ms(sim, account) * CLOCK_US_PER_MS;
    snprintf(operation->result, sizeof(operation->result), "%s", sim->settings.operation_result);
    if (sim->settings.operation_key_at_start > 0)
        change_key(sim, operation, 0);
    reply_accepted(sim, request, account, operation, reply);
}

static struct json_object *failure_of(const struct operation *operation)
{
    struct json_object *error = json_object_new_object();

    json_add_text(error, "code", "OperationFailed");
    if (strcmp(operation->result, "Canceled") == 0)
        json_add_text(error, "code", "OperationCanceled");
    json_add_text(error, "message", "The regeneration did not come to an end.");
    return error;
}

static void add_time(struct json_object *body, const char *name, int64_t wall_us)
{
    char time[CLOCK_TEXT_SIZE];

    clock_iso8601(wall_us, time);
    json_add_text(body, name, time);
}

/* What its Azure-AsyncOperation answers. */
static void reply_status(const struct sim *sim, const struct http_request *request,
                         const struct account *account, const struct operation *operation,
                         struct http_reply *reply)
{
    struct json_object *body = json_object_new_object();
    struct json_object *result = NULL;

    json_add_text(body, "id", request->path);
    json_add_text(body, "name", operation->id);
    json_add_text(body, "status", operation->is_over ? operation->result : "InProgress");
    add_time(body, "startTime", operation->begun_us);
    if (!operation->is_over) {
        add_retry_after(sim, reply);
    } else if (strcmp(operation->result, "Succeeded") == 0) {
        add_time(body, "endTime", operation->due_us);
        result = describe_regenerated(sim, account, operation->slot);
        if (result)
            json_object_object_add(body, "properties", result);
    } else {
        add_time(body, "endTime", operation->due_us);
        json_object_object_add(body, "error", failure_of(operation));
    }
    http_reply_json(reply, 200, body);
}

/* What its Location answers. */
static void reply_result(const struct sim *sim, const struct http_request *request,
                         const struct account *account, const struct operation *operation,
                         struct http_reply *reply)
{
    struct json_object *body;

    if (!operation->is_over) {
        reply->status = 202;
        add_retry_after(sim, reply);
        add_url(sim, request, account, operation, reply, "Location",
                &account->type->operation.result);
        return;
    }
    if (strcmp(operation->result, "Succeeded") != 0) {
        body = json_object_new_object();
        json_object_object_add(body, "error", failure_of(operation));
        http_reply_json(reply, 409, body);
        return;
    }
    body = describe_regenerated(sim, account, operation->slot);
    if (body)
        http_reply_json(reply, 200, body);
    else
        reply->status = 200;
}

void operations_poll(struct sim *sim, const struct http_request *request,
                     const struct arm_target *target, struct http_reply *reply)
{
    const struct operation *operation = find(sim, target->operation);
    const struct account *account = !operation ? NULL : world_find(sim->world, operation->account);

    if (!account || strcasecmp(account->subscription_id, target->subscription_id) != 0)
        arm_error(reply, 404, "OperationNotFound", "The operation '%s' could not be found.",
                  target->operation);
    else if (target->wants_result)
        reply_result(sim, request, account, operation, reply);
    else
        reply_status(sim, request, account, operation, reply);
}

struct json_object *operations_to_json(const struct sim *sim)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < sim->operations->count; i++) {
        const struct operation *operation = &sim->operations->list[i];
        struct json_object *item = json_object_new_object();

        json_add_text(item, "id", operation->id);
        json_add_text(item, "account", operation->account);
        json_add_text(item, "slot", key_slot_name(operation->slot));
        json_add_text(item, "status", operation->is_over ? operation->result : "InProgress");
        json_object_array_add(list, item);
    }
    return list;
}
