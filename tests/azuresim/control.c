#include "control.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "arm_graph.h"
#include "control_accounts.h"
#include "operations.h"

#define MESSAGE_SIZE 256

bool control_identify(struct http_request *request)
{
    return request->segment_count > 0 && strcmp(request->segments[0], "_sim") == 0;
}

void control_problem(struct http_reply *reply, int status, const char *message)
{
    struct json_object *body = json_object_new_object();

    json_add_text(body, "error", message);
    http_reply_json(reply, status, body);
}

static void reply_ok(struct http_reply *reply)
{
    struct json_object *body = json_object_new_object();

    json_object_object_add(body, "ok", json_object_new_boolean(true));
    http_reply_json(reply, 200, body);
}

static void reply_outcome(struct http_reply *reply, bool done, const char *message)
{
    if (done)
        reply_ok(reply);
    else
        control_problem(reply, 400, message);
}

static void get_faults(struct sim *sim, const struct http_request *request,
                       struct http_reply *reply)
{
    (void)request;
    http_reply_json(reply, 200, faults_to_json(sim->faults));
}

static void post_faults(struct sim *sim, const struct http_request *request,
                        struct http_reply *reply)
{
    struct json_object *rules = http_body_json(request);
    char message[MESSAGE_SIZE];

    reply_outcome(reply, faults_add(sim->faults, rules, message, sizeof(message)), message);
    json_object_put(rules);
}

static void delete_faults(struct sim *sim, const struct http_request *request,
                          struct http_reply *reply)
{
    (void)request;
    faults_clear(sim->faults);
    reply_ok(reply);
}

static void release_faults(struct sim *sim, const struct http_request *request,
                           struct http_reply *reply)
{
    (void)request;
    sim->releases++;
    reply_ok(reply);
}

static void get_settings(struct sim *sim, const struct http_request *request,
                         struct http_reply *reply)
{
    (void)request;
    http_reply_json(reply, 200, settings_to_json(&sim->settings));
}

static void post_settings(struct sim *sim, const struct http_request *request,
                          struct http_reply *reply)
{
    struct json_object *changes = http_body_object(request);
    char message[MESSAGE_SIZE] = "the body must be an object";
    bool done = changes && settings_change(&sim->settings, changes, message, sizeof(message));

    if (done)
        ratelimit_reset(sim->ratelimit);
    json_object_put(changes);
    if (done)
        get_settings(sim, request, reply);
    else
        control_problem(reply, 400, message);
}

static void get_truth(struct sim *sim, const struct http_request *request, struct http_reply *reply)
{
    const char *from = http_fields_get(&request->query, "from");

    reply->body_fd = open(truth_path(sim->truth), O_RDONLY | O_CLOEXEC);
    if (reply->body_fd < 0) {
        control_problem(reply, 500, "the truth log cannot be opened");
        return;
    }
    reply->body_fd_offset = !from ? 0 : strtoul(from, NULL, 10);
    reply->status = 200;
    http_reply_header(reply, "Content-Type", "application/jsonl");
}

static void post_clients(struct sim *sim, const struct http_request *request,
                         struct http_reply *reply)
{
    struct json_object *properties = http_body_object(request);
    char message[MESSAGE_SIZE] = "the body must be an object";

    reply_outcome(reply,
                  properties && directory_put(sim->directory, properties, message, sizeof(message)),
                  message);
    json_object_put(properties);
}

static void delete_client(struct sim *sim, const struct http_request *request,
                          struct http_reply *reply)
{
    if (directory_delete(sim->directory, request->segments[2]))
        reply_ok(reply);
    else
        control_problem(reply, 404, "there is no such client");
}

static void post_permissions(struct sim *sim, const struct http_request *request,
                             struct http_reply *reply)
{
    struct json_object *properties = http_body_object(request);
    char message[MESSAGE_SIZE] = "the body must be an object";

    reply_outcome(reply,
                  properties && directory_put_permission(sim->directory, properties, message,
                                                         sizeof(message)),
                  message);
    json_object_put(properties);
}

static void delete_permissions(struct sim *sim, const struct http_request *request,
                               struct http_reply *reply)
{
    (void)request;
    directory_clear_permissions(sim->directory);
    reply_ok(reply);
}

static void delete_tokens(struct sim *sim, const struct http_request *request,
                          struct http_reply *reply)
{
    (void)request;
    directory_forget_tokens(sim->directory);
    reply_ok(reply);
}

static void get_operations(struct sim *sim, const struct http_request *request,
                           struct http_reply *reply)
{
    (void)request;
    http_reply_json(reply, 200, operations_to_json(sim));
}

static void end_operations(struct sim *sim, const struct http_request *request,
                           struct http_reply *reply)
{
    (void)request;
    operations_end(sim);
    reply_ok(reply);
}

static void post_graph(struct sim *sim, const struct http_request *request,
                       struct http_reply *reply)
{
    struct json_object *body = http_body_object(request);
    struct json_object *stopped = json_object_object_get(body, "stopped");

    if (json_object_is_type(stopped, json_type_boolean)) {
        arm_graph_stop(sim, json_object_get_boolean(stopped));
        reply_ok(reply);
    } else {
        control_problem(reply, 400, "the body must be {\"stopped\": true} or false");
    }
    json_object_put(body);
}

/* Paths below /_sim; "*" stands for a name. */
static const struct route {
    const char *method;
    const char *segments[3];
    void (*handle)(struct sim *, const struct http_request *, struct http_reply *);
} routes[] = {
    {"PUT", {"accounts"}, control_accounts_put},
    {"GET", {"accounts"}, control_accounts_list},
    {"GET", {"accounts", "*"}, control_accounts_get},
    {"PATCH", {"accounts", "*"}, control_accounts_patch},
    {"DELETE", {"accounts", "*"}, control_accounts_delete},
    {"POST", {"accounts", "*", "regenerate"}, control_accounts_regenerate},
    {"GET", {"faults"}, get_faults},
    {"POST", {"faults"}, post_faults},
    {"DELETE", {"faults"}, delete_faults},
    {"POST", {"faults", "release"}, release_faults},
    {"GET", {"settings"}, get_settings},
    {"POST", {"settings"}, post_settings},
    {"GET", {"truth"}, get_truth},
    {"POST", {"clients"}, post_clients},
    {"DELETE", {"clients", "*"}, delete_client},
    {"POST", {"permissions"}, post_permissions},
    {"DELETE", {"permissions"}, delete_permissions},
    {"DELETE", {"tokens"}, delete_tokens},
    {"GET", {"operations"}, get_operations},
    {"POST", {"operations", "end"}, end_operations},
    {"POST", {"graph"}, post_graph},
};

static bool route_matches(const struct route *route, const struct http_request *request)
{
    size_t i;

    for (i = 0; i < 3 && route->segments[i]; i++) {
        if (i + 1 >= request->segment_count ||
            (strcmp(route->segments[i], "*") != 0 &&
             strcmp(route->segments[i], request->segments[i + 1]) != 0))
            return false;
    }
    return request->segment_count == i + 1 && strcmp(route->method, request->method) == 0;
}

void control_handle(struct sim *sim, const struct http_request *request, struct http_reply *reply)
{
    if (request->body_too_long) {
        control_problem(reply, 413, "the body is too long");
        return;
    }
    operations_settle(sim);
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (route_matches(&routes[i], request)) {
            routes[i].handle(sim, request, reply);
            return;
        }
    }
    control_problem(reply, 404, "there is no such method or path");
}
