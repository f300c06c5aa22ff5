#include "entra.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "assertion.h"
#include "clock.h"
#include "cloud.h"
#include "encode.h"
#include "memory.h"
#include "truth.h"

#define REFRESH_IN_FROM_LIFETIME 7200

static const char default_scope_suffix[] = "/.default";
static const char jwt_bearer[] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/* Active Directory Federation Services: they have no tenants, and `resource` in place of `scope`.
 */
static bool is_adfs(void)
{
    const char *login = cloud_chosen()->login;

    return login && strstr(login, "/adfs");
}

static bool is_token_request(const struct http_request *request)
{
    char *const *segments = request->segments;

    if (is_adfs())
        return request->segment_count == 3 && strcasecmp(segments[0], "adfs") == 0 &&
               strcasecmp(segments[1], "oauth2") == 0 && strcasecmp(segments[2], "token") == 0;
    return request->segment_count == 4 && strcasecmp(segments[1], "oauth2") == 0 &&
           strcasecmp(segments[2], "v2.0") == 0 && strcasecmp(segments[3], "token") == 0;
}

bool entra_identify(struct http_request *request)
{
    char *const *segments = request->segments;

    if (!cloud_is_login(request))
        return false;
    if (is_token_request(request)) {
        request->op = "token";
        http_fields_parse(&request->form, !request->body ? "" : request->body);
        request->item = http_fields_get(&request->form, "client_id");
        return true;
    }
    if (is_adfs())
        return false;
    if (request->segment_count == 4 && strcasecmp(segments[1], "v2.0") == 0 &&
        strcasecmp(segments[2], ".well-known") == 0 &&
        strcasecmp(segments[3], "openid-configuration") == 0) {
        request->op = "openid-configuration";
        return true;
    }
    if (request->segment_count == 3 && strcasecmp(segments[1], "discovery") == 0 &&
        strcasecmp(segments[2], "instance") == 0) {
        request->op = "instance";
        return true;
    }
    return false;
}

void entra_error(struct http_reply *reply, int status, const char *oauth_error, int aadsts,
                 const char *message)
{
    struct json_object *body = json_object_new_object();
    struct json_object *codes = json_object_new_array();
    char trace_id[UUID_TEXT_SIZE], correlation_id[UUID_TEXT_SIZE], time[CLOCK_TEXT_SIZE];
    char *description;

    random_uuid(trace_id);
    random_uuid(correlation_id);
    clock_iso8601(clock_wall_us(), time);
    time[10] = ' ';
    memcpy(time + 19, "Z", 2);
    description = memory_printf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
                                aadsts, message, trace_id, correlation_id, time);
    json_object_array_add(codes, json_object_new_int(aadsts));
    json_add_text(body, "error", oauth_error);
    json_add_text(body, "error_description", description);
    json_object_object_add(body, "error_codes", codes);
    json_add_text(body, "timestamp", time);
    json_add_text(body, "trace_id", trace_id);
    json_add_text(body, "correlation_id", correlation_id);
    http_reply_json(reply, status, body);
    free(description);
}

bool entra_same_audience(const char *audience, const char *expected)
{
    size_t length = strlen(audience), expected_length = strlen(expected);

    while (length > 0 && audience[length - 1] == '/')
        length--;
    while (expected_length > 0 && expected[expected_length - 1] == '/')
        expected_length--;
    return length == expected_length && expected_length > 0 &&
           strncasecmp(audience, expected, length) == 0;
}

bool entra_knows_audience(const struct sim *sim, const char *audience)
{
    const struct cloud *cloud = cloud_chosen();
    const char *const known[] = {
        cloud->arm_audiences[0],
        cloud->arm_audiences[1],
        cloud->has_port ? "https://vault.azure.net" : cloud->vault_resource,
        cloud->batch_audience,
        sim->settings.vault_resource,
        sim->settings.arm_audience,
        sim->settings.batch_audience,
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (entra_same_audience(audience, known[i]))
            return true;
    }
    return false;
}

static bool check_secret(const struct principal *principal, const char *secret,
                         struct http_reply *reply)
{
    int64_t now = clock_wall_us() / CLOCK_US_PER_SECOND;

    for (size_t i = 0; i < principal->secret_count; i++) {
        if (strcmp(principal->secrets[i].value, secret) != 0)
            continue;
        if (principal->secrets[i].expires == 0 || principal->secrets[i].expires > now)
            return true;
        entra_error(reply, 401, "invalid_client", 7000222,
                    "The provided client secret keys for app are expired.");
        return false;
    }
    entra_error(reply, 401, "invalid_client", 7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is "
                "the client secret value, not the client secret ID, for a secret added to app.");
    return false;
}

static bool check_credential(const struct principal *principal, const struct http_request *request,
                             const struct http_fields *form, struct http_reply *reply)
{
    const char *secret = http_fields_get(form, "client_secret");
    const char *assertion = http_fields_get(form, "client_assertion");
    const char *type = http_fields_get(form, "client_assertion_type");
    struct assertion_error error;

    if (secret)
        return check_secret(principal, secret, reply);
    if (!assertion) {
        entra_error(reply, 401, "invalid_client", 7000218,
                    "The request body must contain the following parameter: 'client_assertion' or "
                    "'client_secret'.");
        return false;
    }
    if (!type || strcmp(type, jwt_bearer) != 0) {
        entra_error(reply, 400, "invalid_request", 900144,
                    "The request body must contain the following parameter: "
                    "'client_assertion_type'.");
        return false;
    }
    if (!assertion_check(assertion, principal, request->path, &error)) {
        entra_error(reply, 401, "invalid_client", error.aadsts, error.message);
        return false;
    }
    return true;
}

/* The audience that the scope asks for, to be freed; NULL, with an error in REPLY, where it is not
 * of the form that the client credentials grant demands or not known. */
static char *audience_of_scope(struct sim *sim, const char *scope, struct http_reply *reply)
{
    size_t length = !scope ? 0 : strlen(scope);
    size_t suffix_length = strlen(default_scope_suffix);
    char *audience;

    if (length <= suffix_length ||
        strcmp(scope + length - suffix_length, default_scope_suffix) != 0) {
        entra_error(reply, 400, "invalid_scope", 1002012,
                    "The provided value for scope is not valid. Client credential flows must have "
                    "a scope value with /.default suffixed to the resource identifier.");
        return NULL;
    }
    audience = memory_text_n(scope, length - suffix_length);
    if (!entra_knows_audience(sim, audience)) {
        entra_error(reply, 400, "invalid_resource", 500011,
                    "The resource principal named in the scope was not found in the tenant.");
        free(audience);
        return NULL;
    }
    return audience;
}

static char *audience_of_resource(struct sim *sim, const char *resource, struct http_reply *reply)
{
    if (resource && entra_knows_audience(sim, resource))
        return memory_text(resource);
    entra_error(reply, 400, "invalid_resource", 500011,
                "MSIS9602: The received 'resource' parameter is invalid.");
    return NULL;
}

static void issue(struct sim *sim, const struct principal *principal, const char *audience,
                  const char *claims, struct http_reply *reply)
{
    int64_t lifetime = (int64_t)sim->settings.token_lifetime;
    const char *token =
        directory_issue_token(sim->directory, principal, audience, claims, lifetime);
    struct json_object *body = json_object_new_object();

    truth_token(sim->truth, principal->client_id, token);
    json_add_text(body, "token_type", "Bearer");
    json_object_object_add(body, "expires_in", json_object_new_int64(lifetime));
    json_object_object_add(body, "ext_expires_in", json_object_new_int64(lifetime));
    if (lifetime > REFRESH_IN_FROM_LIFETIME)
        json_object_object_add(body, "refresh_in", json_object_new_int64(lifetime / 2));
    json_add_text(body, "access_token", token);
    http_reply_header(reply, "Cache-Control", "no-store, no-cache");
    http_reply_header(reply, "Pragma", "no-cache");
    http_reply_json(reply, 200, body);
}

static void handle_form(struct sim *sim, const struct http_request *request,
                        const struct http_fields *form, struct http_reply *reply)
{
    const char *tenant_id = is_adfs() ? DIRECTORY_DEFAULT_TENANT : request->segments[0];
    const char *grant_type = http_fields_get(form, "grant_type");
    const char *client_id = http_fields_get(form, "client_id");
    const struct principal *principal;
    char *audience;

    if (!grant_type || !client_id) {
        entra_error(reply, 400, "invalid_request", 900144,
                    !grant_type
                        ? "The request body must contain the following parameter: 'grant_type'."
                        : "The request body must contain the following parameter: 'client_id'.");
        return;
    }
    if (strcmp(grant_type, "client_credentials") != 0) {
        entra_error(reply, 400, "unsupported_grant_type", 70003,
                    "The app requested an unsupported grant type.");
        return;
    }
    if (!directory_has_tenant(sim->directory, tenant_id)) {
        entra_error(reply, 400, "invalid_request", 90002,
                    "Tenant not found. Check to make sure you have the correct tenant ID and are "
                    "signing into the correct cloud.");
        return;
    }
    principal = directory_find(sim->directory, tenant_id, client_id);
    if (!principal) {
        entra_error(reply, 400, "unauthorized_client", 700016,
                    "Application with the given identifier was not found in the directory.");
        return;
    }
    if (!check_credential(principal, request, form, reply))
        return;
    audience = is_adfs() ? audience_of_resource(sim, http_fields_get(form, "resource"), reply)
                         : audience_of_scope(sim, http_fields_get(form, "scope"), reply);
    if (audience)
        issue(sim, principal, audience, http_fields_get(form, "claims"), reply);
    free(audience);
}

static void handle_token(struct sim *sim, const struct http_request *request,
                         struct http_reply *reply)
{
    if (strcmp(request->method, "POST") != 0) {
        entra_error(reply, 400, "invalid_request", 900561,
                    "The endpoint only accepts POST requests.");
        return;
    }
    if (!http_content_type_is(request, "application/x-www-form-urlencoded")) {
        entra_error(reply, 400, "invalid_request", 900144,
                    "The request body must contain the following parameter: 'grant_type'.");
        return;
    }
    handle_form(sim, request, &request->form, reply);
}

/* What client libraries read before they ask for their first token. */
static void handle_openid_configuration(const struct sim *sim, const struct http_request *request,
                                        struct http_reply *reply)
{
    struct json_object *body = json_object_new_object();
    char *login = cloud_login_url(sim->port);
    char *base = memory_printf("%s/%s", login, request->segments[0]);
    char *token_endpoint = memory_printf("%s/oauth2/v2.0/token", base);
    char *authorization_endpoint = memory_printf("%s/oauth2/v2.0/authorize", base);
    char *issuer = memory_printf("%s/v2.0", base);
    char *keys = memory_printf("https://localhost:%u/%s/discovery/v2.0/keys", sim->port,
                               request->segments[0]);

    json_add_text(body, "token_endpoint", token_endpoint);
    json_add_text(body, "authorization_endpoint", authorization_endpoint);
    json_add_text(body, "issuer", issuer);
    json_add_text(body, "jwks_uri", keys); /* MSAL stops without it, and never asks there */
    http_reply_json(reply, 200, body);
    free(login);
    free(base);
    free(token_endpoint);
    free(authorization_endpoint);
    free(issuer);
    free(keys);
}

/* The clouds that there are, for clients that were given the host of one: here it is this one
 * alone. */
static void handle_instance(const struct sim *sim, struct http_reply *reply)
{
    struct json_object *body = json_object_new_object();
    struct json_object *metadata = json_object_new_array();
    struct json_object *cloud = json_object_new_object();
    struct json_object *aliases = json_object_new_array();
    char *login = cloud_login_url(sim->port);
    char *endpoint = memory_printf("%s/common/v2.0/.well-known/openid-configuration", login);
    const char *host = login + strlen("https://");

    json_object_array_add(aliases, json_object_new_string(host));
    json_add_text(cloud, "preferred_network", host);
    json_add_text(cloud, "preferred_cache", host);
    json_object_object_add(cloud, "aliases", aliases);
    json_object_array_add(metadata, cloud);
    json_add_text(body, "tenant_discovery_endpoint", endpoint);
    json_add_text(body, "api-version", "1.1");
    json_object_object_add(body, "metadata", metadata);
    http_reply_json(reply, 200, body);
    free(login);
    free(endpoint);
}

void entra_handle(struct sim *sim, const struct http_request *request, struct http_reply *reply)
{
    char request_id[UUID_TEXT_SIZE];

    random_uuid(request_id);
    http_reply_header(reply, "x-ms-request-id", "%s", request_id);
    if (*http_client_request_id(request) != '\0')
        http_reply_header(reply, "client-request-id", "%s", http_client_request_id(request));
    if (strcmp(request->op, "token") == 0)
        handle_token(sim, request, reply);
    else if (strcmp(request->op, "instance") == 0)
        handle_instance(sim, reply);
    else
        handle_openid_configuration(sim, request, reply);
}
