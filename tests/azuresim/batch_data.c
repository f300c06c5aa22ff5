#include "batch_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "cloud.h"
#include "encode.h"
#include "memory.h"
#include "operations.h"
#include "sharedkey.h"

#define DATE_TOLERANCE_S (15 * 60)

static const char authentication_failed[] =
    "Server failed to authenticate the request. Make sure the value of Authorization header is "
    "formed correctly including the signature.";

static const char *const api_versions[] = {
    "2022-10-01.16.0", "2023-05-01.17.0", "2023-11-01.18.0",
    "2024-02-01.19.0", "2024-07-01.20.0", "2025-06-01",
};

bool batch_identify(struct http_request *request)
{
    const char *host = http_header(request, "Host");

    if (!cloud_is_below(request, cloud_chosen()->batch))
        return false;
    request->own_text = memory_text_n(host, strcspn(host, "."));
    request->account = request->own_text;
    request->op = "probe";
    return true;
}

void batch_error(struct http_reply *reply, int status, const char *code, const char *message,
                 const char *detail_key, const char *detail)
{
    struct json_object *body = json_object_new_object();
    struct json_object *text = json_object_new_object();
    char request_id[UUID_TEXT_SIZE], time[CLOCK_TEXT_SIZE];
    char *value;

    random_uuid(request_id);
    clock_iso8601(clock_wall_us(), time);
    value = memory_printf("%s\nRequestId:%s\nTime:%s", message, request_id, time);
    json_add_text(body, "odata.metadata",
                  "https://batch.localhost/$metadata#Microsoft.Azure.Batch.Protocol.Entities."
                  "Container.errors/@Element");
    json_add_text(body, "code", code);
    json_add_text(text, "lang", "en-US");
    json_add_text(text, "value", value);
    json_object_object_add(body, "message", text);
    if (detail) {
        struct json_object *values = json_object_new_array();
        struct json_object *pair = json_object_new_object();

        json_add_text(pair, "key", detail_key);
        json_add_text(pair, "value", detail);
        json_object_array_add(values, pair);
        json_object_object_add(body, "values", values);
    }
    http_reply_json(reply, status, body);
    http_reply_replace_header(reply, "Content-Type", "application/json;odata=minimalmetadata");
    free(value);
}

static void refuse(const struct sim *sim, struct http_reply *reply, const char *detail)
{
    batch_error(reply, (int)sim->settings.sharedkey_refusal_status, "AuthenticationFailed",
                authentication_failed, "AuthenticationErrorDetail", detail);
}

static void refuse_token(const struct sim *sim, struct http_reply *reply, const char *detail)
{
    char *login = cloud_login_url(sim->port);

    batch_error(reply, 401, "AuthenticationFailed", authentication_failed,
                "AuthenticationErrorDetail", detail);
    http_reply_header(reply, "WWW-Authenticate",
                      "Bearer authorization_uri=\"%s/%s\", resource_id=\"%s\"", login,
                      DIRECTORY_DEFAULT_TENANT, cloud_chosen()->batch_audience);
    free(login);
}

static bool check_api_version(const struct http_request *request, struct http_reply *reply)
{
    const char *version = http_fields_get(&request->query, "api-version");

    if (!version) {
        batch_error(reply, 400, "MissingRequiredQueryParameter",
                    "A query parameter that's mandatory for this request is not specified.",
                    "QueryParameterName", "api-version");
        return false;
    }
    for (size_t i = 0; i < sizeof(api_versions) / sizeof(api_versions[0]); i++) {
        if (strcmp(api_versions[i], version) == 0)
            return true;
    }
    batch_error(reply, 400, "InvalidQueryParameterValue",
                "The value for one of the query parameters specified in the request URI is "
                "invalid.",
                "QueryParameterName", "api-version");
    return false;
}

static bool check_date(const struct sim *sim, const struct http_request *request,
                       struct http_reply *reply)
{
    const char *text = http_header(request, "ocp-date");
    int64_t now = clock_wall_us() / CLOCK_US_PER_SECOND;
    int64_t date;

    if (*text == '\0')
        text = http_header(request, "Date");
    if (clock_parse_http_date(text, &date) && llabs(date - now) <= DATE_TOLERANCE_S)
        return true;
    refuse(sim, reply,
           *text == '\0' ? "The request has neither an ocp-date nor a Date header."
                         : "The date in the request is malformed or differs from the server's by "
                           "more than 15 minutes.");
    return false;
}

/* Whether SIGNATURE was made with a key that the data plane accepts now. A regenerated key becomes
 * known here only after the propagation time; until then the key before it stays good. */
static bool any_key_signs(const struct sim *sim, const struct account *account,
                          const char *string_to_sign, const char *signature)
{
    int64_t at = clock_wall_us() - operations_propagation_ms(sim, account) * CLOCK_US_PER_MS;

    for (size_t slot = 0; slot < TYPE_PAIR; slot++) {
        char *computed = sharedkey_signature(string_to_sign, account_key_at(account, slot, at));
        bool equal = computed && strcmp(computed, signature) == 0;

        free(computed);
        if (equal)
            return true;
    }
    return false;
}

static bool check_shared_key(const struct sim *sim, const struct http_request *request,
                             const struct account *account, struct http_reply *reply)
{
    char *name, *signature, *string_to_sign, *detail;
    bool valid;

    if (!account_allows_shared_key(account)) {
        refuse(sim, reply,
               "The specified type of authentication SharedKey is not allowed for this account.");
        return false;
    }
    if (!check_date(sim, request, reply))
        return false;
    if (!sharedkey_parse(http_header(request, "Authorization"), &name, &signature)) {
        refuse(sim, reply, "The Authorization header is not of the form SharedKey account:MAC.");
        return false;
    }
    string_to_sign = sharedkey_string_to_sign(request, name, "ocp-");
    valid = strcasecmp(name, account->name) == 0 &&
            any_key_signs(sim, account, string_to_sign, signature);
    if (!valid) {
        detail = memory_printf(
            "The MAC signature found in the HTTP request '%s' is not the same as "
            "any computed signature. Server used following string to sign: "
            "'%s'.",
            signature, string_to_sign);
        refuse(sim, reply, detail);
        free(detail);
    }
    free(string_to_sign);
    free(signature);
    free(name);
    return valid;
}

static bool check_token(struct sim *sim, const struct http_request *request,
                        const struct account *account, struct http_reply *reply)
{
    const struct token *token;
    enum bearer_state state =
        directory_check_bearer(sim->directory, http_header(request, "Authorization"), &token);

    if (!account_allows_entra(account)) {
        refuse(sim, reply,
               "The specified type of authentication AAD is not allowed for this account.");
        return false;
    }
    if (state == BEARER_ABSENT) {
        refuse_token(sim, reply, "The request has no Authorization header.");
        return false;
    }
    if (state != BEARER_VALID) {
        refuse_token(sim, reply, "The bearer token is invalid or has expired.");
        return false;
    }
    /* Unlike elsewhere the slash at the end is part of this audience. */
    if (strcmp(token->audience, cloud_chosen()->batch_audience) != 0 &&
        strcmp(token->audience, sim->settings.batch_audience) != 0) {
        refuse_token(sim, reply, "The bearer token was issued for another audience.");
        return false;
    }
    return true;
}

static bool authenticate(struct sim *sim, const struct http_request *request,
                         const struct account *account, struct http_reply *reply)
{
    if (strncasecmp(http_header(request, "Authorization"), "SharedKey ", 10) == 0)
        return check_shared_key(sim, request, account, reply);
    return check_token(sim, request, account, reply);
}

static bool region_matches(const struct http_request *request, const struct account *account)
{
    const char *region = strchr(http_header(request, "Host"), '.') + 1;
    size_t length = strlen(account->location);

    return strncasecmp(region, account->location, length) == 0 && region[length] == '.';
}

static void reply_with_nothing(const struct http_request *request, struct http_reply *reply)
{
    struct json_object *body = json_object_new_object();
    char *metadata = memory_printf("https://%s/$metadata#%s", http_header(request, "Host"),
                                   request->segment_count > 0 ? request->segments[0] : "");

    json_add_text(body, "odata.metadata", metadata);
    json_object_object_add(body, "value", json_object_new_array());
    http_reply_json(reply, 200, body);
    http_reply_replace_header(reply, "Content-Type", "application/json;odata=minimalmetadata");
    free(metadata);
}

void batch_handle(struct sim *sim, const struct http_request *request, struct http_reply *reply)
{
    struct account *account = world_find(sim->world, request->account);
    char request_id[UUID_TEXT_SIZE];

    random_uuid(request_id);
    http_reply_header(reply, "request-id", "%s", request_id);
    http_reply_header(reply, "DataServiceVersion", "3.0");
    if (strcasecmp(http_header(request, "return-client-request-id"), "true") == 0)
        http_reply_header(reply, "client-request-id", "%s",
                          http_header(request, "client-request-id"));
    if (!account || account->type != &type_batch || !region_matches(request, account)) {
        batch_error(reply, 404, "AccountNotFound", "The specified account does not exist.", NULL,
                    NULL);
        return;
    }
    if (!check_api_version(request, reply) || !authenticate(sim, request, account, reply))
        return;
    account->probe_count++;
    reply_with_nothing(request, reply);
}
