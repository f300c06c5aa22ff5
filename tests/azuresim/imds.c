#include "imds.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "entra.h"
#include "truth.h"

void imds_identify(struct http_request *request)
{
    static const char *const selectors[] = {"client_id", "object_id", "msi_res_id"};
    char *const *segments = request->segments;

    for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]) && !request->item; i++)
        request->item = http_fields_get(&request->query, selectors[i]);
    if (request->segment_count == 4 && strcasecmp(segments[0], "metadata") == 0 &&
        strcasecmp(segments[1], "identity") == 0 && strcasecmp(segments[2], "oauth2") == 0 &&
        strcasecmp(segments[3], "token") == 0)
        request->op = "token";
}

void imds_error(struct http_reply *reply, int status, const char *error, const char *description)
{
    struct json_object *body = json_object_new_object();

    json_add_text(body, "error", error);
    json_add_text(body, "error_description", description);
    http_reply_json(reply, status, body);
}

/* IMDS writes its numbers as strings. */
static void add_number_text(struct json_object *object, const char *name, int64_t number)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRId64, number);
    json_add_text(object, name, text);
}

static void issue(struct sim *sim, const struct principal *identity, const char *resource,
                  struct http_reply *reply)
{
    int64_t lifetime = (int64_t)sim->settings.token_lifetime;
    int64_t now = clock_wall_us() / CLOCK_US_PER_SECOND;
    const char *token = directory_issue_token(sim->directory, identity, resource, NULL, lifetime);
    struct json_object *body = json_object_new_object();

    truth_token(sim->truth, identity->client_id, token);
    json_add_text(body, "access_token", token);
    json_add_text(body, "client_id", identity->client_id);
    add_number_text(body, "expires_in", lifetime);
    add_number_text(body, "expires_on", now + lifetime);
    add_number_text(body, "ext_expires_in", lifetime);
    add_number_text(body, "not_before", now);
    json_add_text(body, "resource", resource);
    json_add_text(body, "token_type", "Bearer");
    http_reply_json(reply, 200, body);
}

static void handle_token(struct sim *sim, const struct http_request *request,
                         struct http_reply *reply)
{
    const char *resource = http_fields_get(&request->query, "resource");
    const char *client_id = http_fields_get(&request->query, "client_id");
    const char *object_id = http_fields_get(&request->query, "object_id");
    const char *resource_id = http_fields_get(&request->query, "msi_res_id");
    const struct principal *identity;

    if (!resource || *resource == '\0') {
        imds_error(reply, 400, "invalid_request", "Required query variable 'resource' is missing");
        return;
    }
    if (!!client_id + !!object_id + !!resource_id > 1) {
        imds_error(reply, 400, "invalid_request",
                   "Only one of client_id, object_id and msi_res_id may be given");
        return;
    }
    identity = directory_find_managed(sim->directory, client_id, object_id, resource_id);
    if (!identity) {
        imds_error(reply, 400, "invalid_request", "Identity not found");
        return;
    }
    if (!entra_knows_audience(sim, resource)) {
        imds_error(reply, 400, "invalid_resource",
                   "AADSTS500011: The resource principal was not found in the tenant.");
        return;
    }
    issue(sim, identity, resource, reply);
}

void imds_handle(struct sim *sim, const struct http_request *request, struct http_reply *reply)
{
    const char *version = http_fields_get(&request->query, "api-version");

    http_reply_header(reply, "Server", "IMDS/150.870.65.1854");
    if (strcasecmp(http_header(request, "Metadata"), "true") != 0) {
        imds_error(reply, 400, "invalid_request", "Required metadata header not specified");
    } else if (strcmp(request->op, "token") != 0) {
        imds_error(reply, 404, "not_found", "Not Found");
    } else if (strcmp(request->method, "GET") != 0) {
        imds_error(reply, 405, "method_not_allowed", "Method not allowed");
    } else if (*http_header(request, "X-Forwarded-For") != '\0') {
        imds_error(reply, 400, "invalid_request", "Requests through a proxy are refused");
    } else if (!version ||
               (strcmp(version, "2018-02-01") != 0 && strcmp(version, "2019-08-01") != 0)) {
        imds_error(reply, 400, "invalid_request",
                   "Bad request. api-version is missing or not supported");
    } else {
        handle_token(sim, request, reply);
    }
}
