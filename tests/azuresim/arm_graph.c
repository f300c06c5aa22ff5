#include "arm_graph.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "arm_error.h"
#include "clock.h"
#include "describe.h"
#include "encode.h"
#include "kql.h"
#include "memory.h"

#define ROWS_MAX       1000
#define QUOTA_TIME_US  5000000
#define SKIP_TOKEN     "{\"$id\":\"1\",\"RowsToSkip\":"
#define QUOTA_TEXT     "00:00:0%ld"
#define MESSAGE_SIZE   256
#define SCOPES_MAX     1000
#define PRINCIPALS_MAX 64

static const char *const api_versions[] = {
    "2019-04-01",         "2020-04-01-preview", "2021-03-01",
    "2021-06-01-preview", "2022-10-01",         "2024-04-01",
};

bool arm_graph_is_meant(const struct http_request *request)
{
    return request->segment_count == 3 && strcasecmp(request->segments[0], "providers") == 0 &&
           strcasecmp(request->segments[1], "Microsoft.ResourceGraph") == 0 &&
           strcasecmp(request->segments[2], "resources") == 0;
}

/* As the service has it: what is wrong stands in the details. */
static void refuse(struct http_reply *reply, const char *code, const char *message)
{
    struct json_object *body, *error, *details, *detail;

    arm_error(reply, 400, "BadRequest",
              "Please provide below info when asking for support: timestamp = now, correlationId = "
              "00000000-0000-0000-0000-000000000000.");
    body = json_tokener_parse(reply->body);
    error = json_object_object_get(body, "error");
    details = json_object_new_array();
    detail = json_object_new_object();
    json_add_text(detail, "code", code);
    json_add_text(detail, "message", message);
    json_object_array_add(details, detail);
    json_object_object_add(error, "details", details);
    http_reply_json(reply, 400, body);
}

/* --- the index --- */

static char *lower_text(const char *text)
{
    char *copy = memory_text(text);

    for (char *c = copy; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

static struct json_object *row_of(const struct sim *sim, const struct account *account)
{
    struct json_object *row = json_object_new_object(), *tags = NULL;
    struct json_object *resource = describe_resource(sim, account);
    char *group = lower_text(account->resource_group);
    char *type = lower_text(json_get_text(resource, "type"));

    json_add_text(row, "id", json_get_text(resource, "id"));
    json_add_text(row, "name", json_get_text(resource, "name"));
    json_add_text(row, "type", type);
    json_add_text(row, "tenantId", DIRECTORY_DEFAULT_TENANT);
    json_add_text(row, "kind", account->kind ? account->kind : "");
    json_add_text(row, "location", account->location);
    json_add_text(row, "resourceGroup", group);
    json_add_text(row, "subscriptionId", account->subscription_id);
    if (account->tags)
        json_object_deep_copy(account->tags, &tags, NULL);
    json_object_object_add(row, "tags", tags); /* null where there are none */
    json_object_put(resource);
    free(group);
    free(type);
    return row;
}

static struct json_object *index_of(struct sim *sim)
{
    struct json_object *rows;

    if (sim->stopped_index)
        return json_object_get(sim->stopped_index);
    rows = json_object_new_array();
    for (struct lh_entry *entry = world_first(sim->world); entry; entry = lh_entry_next(entry))
        json_object_array_add(rows, row_of(sim, lh_entry_v(entry)));
    return rows;
}

void arm_graph_stop(struct sim *sim, bool stopped)
{
    struct json_object *rows;

    json_object_put(sim->stopped_index);
    sim->stopped_index = NULL;
    rows = stopped ? index_of(sim) : NULL;
    sim->stopped_index = rows;
}

/* --- what the principal may see --- */

static bool is_listed(struct json_object *subscriptions, const char *id)
{
    for (size_t i = 0; i < json_object_array_length(subscriptions); i++) {
        const char *listed = json_object_get_string(json_object_array_get_idx(subscriptions, i));

        if (listed && strcasecmp(listed, id) == 0)
            return true;
    }
    return false;
}

static bool may_see(struct sim *sim, const struct principal *principal, const char *subscription_id)
{
    char *scope = memory_printf("/subscriptions/%s", subscription_id);
    bool denied = directory_denies(sim->directory, principal,
                                   "Microsoft.Resources/subscriptions/read", scope);

    free(scope);
    return !denied;
}

/* Does the query reach a subscription at all? */
static bool has_scope(struct sim *sim, const struct principal *principal,
                      struct json_object *subscriptions)
{
    const char *id;

    for (size_t i = 0; (id = world_subscription(sim->world, i)); i++)
        if ((!subscriptions || is_listed(subscriptions, id)) && may_see(sim, principal, id))
            return true;
    return false;
}

static bool may_read(struct sim *sim, const struct principal *principal, struct json_object *row)
{
    char *action = memory_printf("%s/read", json_get_text(row, "type"));
    bool denied = directory_denies(sim->directory, principal, action, json_get_text(row, "id"));

    free(action);
    return !denied;
}

/* What may not be read is left out without a word. */
static struct json_object *visible_rows(struct sim *sim, const struct principal *principal,
                                        struct json_object *subscriptions)
{
    struct json_object *rows = index_of(sim), *visible = json_object_new_array();

    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        const char *subscription = json_get_text(row, "subscriptionId");

        if ((!subscriptions || is_listed(subscriptions, subscription)) &&
            may_see(sim, principal, subscription) && may_read(sim, principal, row))
            json_object_array_add(visible, json_object_get(row));
    }
    json_object_put(rows);
    return visible;
}

/* --- quota --- */

/* So many queries in five seconds, which begin with the first. */
static bool take_quota(struct sim *sim, const struct principal *principal, struct http_reply *reply)
{
    static struct {
        const struct principal *principal;
        int64_t since_us;
        long used;
    } users[PRINCIPALS_MAX];
    const long quota = (long)sim->settings.graph_quota;
    const int64_t now_us = clock_wall_us();
    size_t i = 0;
    long left_s;

    if (quota == 0)
        return true;
    while (i < PRINCIPALS_MAX - 1 && users[i].principal && users[i].principal != principal)
        i++;
    if (users[i].principal != principal || now_us - users[i].since_us >= QUOTA_TIME_US) {
        users[i].principal = principal;
        users[i].since_us = now_us;
        users[i].used = 0;
    }
    users[i].used++;
    left_s = (long)((users[i].since_us + QUOTA_TIME_US - now_us + 999999) / 1000000);
    http_reply_header(reply, "x-ms-user-quota-remaining", "%ld",
                      users[i].used < quota ? quota - users[i].used : 0);
    http_reply_header(reply, "x-ms-user-quota-resets-after", QUOTA_TEXT, left_s);
    if (users[i].used <= quota)
        return true;
    arm_error(
        reply, 429, "RateLimiting",
        "Client application has been throttled and should not attempt to repeat the request "
        "until an amount of time has elapsed. Please see https://aka.ms/resourcegraph-throttling "
        "for help.");
    return false;
}

/* --- pages --- */

struct paging {
    size_t top;
    size_t skip;
    bool pageable;
};

static size_t read_skip_token(const char *token, bool *ret_valid)
{
    size_t length = 0, skip = 0;
    unsigned char *bytes = base64_decode(token, &length);
    char *text = !bytes ? NULL : memory_text_n((const char *)bytes, length);
    char *end = NULL;

    *ret_valid = text && strncmp(text, SKIP_TOKEN, strlen(SKIP_TOKEN)) == 0;
    if (*ret_valid) {
        skip = strtoul(text + strlen(SKIP_TOKEN), &end, 10);
        *ret_valid = strcmp(end, "}") == 0;
    }
    free(bytes);
    free(text);
    return skip;
}

static bool read_paging(struct sim *sim, struct json_object *options, struct paging *paging,
                        struct http_reply *reply)
{
    struct json_object *top = json_object_object_get(options, "$top");
    struct json_object *skip = json_object_object_get(options, "$skip");
    const char *token = json_get_text(options, "$skipToken");
    const char *format = json_get_text(options, "resultFormat");
    bool valid = true;

    *paging = (struct paging){.top = !top ? ROWS_MAX : (size_t)json_object_get_int64(top),
                              .skip = (size_t)json_object_get_int64(skip)};
    if (token)
        paging->skip = read_skip_token(token, &valid);
    if (!valid)
        refuse(reply, "InvalidSkipToken", "The skip token is not valid.");
    else if (paging->top == 0 || paging->top > ROWS_MAX)
        refuse(reply, "InvalidTop", "$top must be between 1 and 1000.");
    else if (format && strcasecmp(format, "objectArray") != 0)
        refuse(reply, "InvalidResultFormat", "Only objectArray is simulated.");
    else if (paging->top > (size_t)sim->settings.graph_page_size)
        paging->top = (size_t)sim->settings.graph_page_size;
    return !reply->body;
}

static void reply_page(const struct paging *paging, struct json_object *rows,
                       struct http_reply *reply)
{
    struct json_object *body = json_object_new_object(), *data = json_object_new_array();
    size_t total = json_object_array_length(rows);
    size_t end = paging->skip + paging->top < total ? paging->skip + paging->top : total;

    for (size_t i = paging->skip; i < end; i++)
        json_object_array_add(data, json_object_get(json_object_array_get_idx(rows, i)));
    json_object_object_add(body, "totalRecords", json_object_new_int64((int64_t)total));
    json_object_object_add(body, "count",
                           json_object_new_int64((int64_t)json_object_array_length(data)));
    json_object_object_add(body, "data", data);
    json_object_object_add(body, "facets", json_object_new_array());
    json_add_text(body, "resultTruncated", end < total && !paging->pageable ? "true" : "false");
    if (end < total && paging->pageable) {
        char *text = memory_printf(SKIP_TOKEN "%zu}", end);
        char *token = base64_encode((const unsigned char *)text, strlen(text));

        json_add_text(body, "$skipToken", token);
        free(text);
        free(token);
    }
    http_reply_json(reply, 200, body);
}

static void answer(struct sim *sim, const struct principal *principal, struct json_object *body,
                   struct http_reply *reply)
{
    struct json_object *subscriptions = json_object_object_get(body, "subscriptions");
    struct json_object *visible, *rows;
    const char *query = json_get_text(body, "query");
    char message[MESSAGE_SIZE];
    struct paging paging;

    if (!read_paging(sim, json_object_object_get(body, "options"), &paging, reply))
        return;
    if (!query) {
        refuse(reply, "InvalidQuery", "The query is missing.");
    } else if (subscriptions && (!json_object_is_type(subscriptions, json_type_array) ||
                                 json_object_array_length(subscriptions) > SCOPES_MAX)) {
        refuse(reply, "TooManySubscriptions", "At most 1000 subscriptions may be given.");
    } else if (!has_scope(sim, principal, subscriptions)) {
        refuse(reply, "NoValidSubscriptionsInQueryRequest",
               "There must be at least one subscription that is eligible to contain resources.");
    } else {
        visible = visible_rows(sim, principal, subscriptions);
        rows = kql_run(query, visible, &paging.pageable, message, sizeof(message));
        if (rows)
            reply_page(&paging, rows, reply);
        else
            refuse(reply, "InvalidQuery", message);
        json_object_put(rows);
        json_object_put(visible);
    }
}

static bool check_version(const struct http_request *request, struct http_reply *reply)
{
    const char *version = http_fields_get(&request->query, "api-version");

    for (size_t i = 0; version && i < sizeof(api_versions) / sizeof(api_versions[0]); i++)
        if (strcmp(api_versions[i], version) == 0)
            return true;
    arm_error(reply, 400, "InvalidApiVersionParameter", "The api-version '%s' is invalid.",
              version ? version : "");
    return false;
}

void arm_graph_handle(struct sim *sim, const struct http_request *request,
                      const struct principal *principal, struct http_reply *reply)
{
    struct json_object *body;

    if (!check_version(request, reply) || !take_quota(sim, principal, reply))
        return;
    if (directory_denies(sim->directory, principal, "Microsoft.ResourceGraph/resources/read",
                         "/")) {
        arm_error(reply, 403, "AuthorizationFailed",
                  "The client '%s' with object id '%s' does not have authorization to perform "
                  "action 'Microsoft.ResourceGraph/resources/read' over scope '/'.",
                  principal->client_id, principal->object_id);
        return;
    }
    body = http_body_object(request);
    if (body && http_content_type_is(request, "application/json"))
        answer(sim, principal, body, reply);
    else
        refuse(reply, "InvalidRequestContent", "The request content was invalid.");
    json_object_put(body);
}
