#include "keyvault_secrets.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "encode.h"
#include "keyvault.h"
#include "memory.h"

#define VALUE_MAX         (25 * 1024)
#define CONTENT_TYPE_MAX  255
#define TAGS_MAX          15
#define TAG_TEXT_MAX      512
#define VERSIONS_PER_PAGE 25
#define RECOVERABLE_DAYS  90

enum bundle_part { WITHOUT_VALUE, WITH_VALUE };

static void not_found(const struct http_request *request, struct http_reply *reply)
{
    char *message = memory_printf(
        "A secret with (name/id) %s was not found in this key vault. If "
        "you recently deleted this secret you may be able to recover it.",
        request->item);

    keyvault_error(reply, 404, "SecretNotFound", message, NULL);
    free(message);
}

static struct json_object *attributes_of(const struct secret_version *version)
{
    struct json_object *attributes = json_object_new_object();

    json_object_object_add(attributes, "enabled", json_object_new_boolean(version->enabled));
    if (version->not_before != 0)
        json_object_object_add(attributes, "nbf", json_object_new_int64(version->not_before));
    if (version->expires != 0)
        json_object_object_add(attributes, "exp", json_object_new_int64(version->expires));
    json_object_object_add(attributes, "created", json_object_new_int64(version->created));
    json_object_object_add(attributes, "updated", json_object_new_int64(version->updated));
    json_add_text(attributes, "recoveryLevel", "Recoverable+Purgeable");
    json_object_object_add(attributes, "recoverableDays", json_object_new_int(RECOVERABLE_DAYS));
    return attributes;
}

static struct json_object *bundle_of(const struct http_request *request,
                                     const struct vault_secret *secret,
                                     const struct secret_version *version, enum bundle_part part)
{
    struct json_object *bundle = json_object_new_object();
    char *id = memory_printf("https://%s/secrets/%s/%s", http_header(request, "Host"), secret->name,
                             version->version);

    if (part == WITH_VALUE)
        json_add_text(bundle, "value", version->value);
    if (version->content_type)
        json_add_text(bundle, "contentType", version->content_type);
    json_add_text(bundle, "id", id);
    json_object_object_add(bundle, "attributes", attributes_of(version));
    if (version->tags) {
        struct json_object *tags = NULL;

        json_object_deep_copy(version->tags, &tags, NULL);
        json_object_object_add(bundle, "tags", tags);
    }
    free(id);
    return bundle;
}

static struct json_object *deleted_bundle_of(const struct http_request *request,
                                             struct vault_secret *secret)
{
    struct json_object *bundle =
        bundle_of(request, secret, vault_secret_version(secret, NULL), WITHOUT_VALUE);
    char *id =
        memory_printf("https://%s/deletedsecrets/%s", http_header(request, "Host"), secret->name);

    json_add_text(bundle, "recoveryId", id);
    json_object_object_add(bundle, "deletedDate", json_object_new_int64(secret->deleted_at));
    json_object_object_add(bundle, "scheduledPurgeDate",
                           json_object_new_int64(secret->deleted_at + RECOVERABLE_DAYS * 86400));
    free(id);
    return bundle;
}

static bool fits(const char *text, size_t maximum)
{
    return !text || strlen(text) <= maximum;
}

static bool valid_tags(struct json_object *body)
{
    struct json_object *tags;

    if (!json_object_object_get_ex(body, "tags", &tags) || !tags)
        return true;
    if (!json_object_is_type(tags, json_type_object) || json_object_object_length(tags) > TAGS_MAX)
        return false;
    json_object_object_foreach(tags, name, value)
    {
        if (!json_object_is_type(value, json_type_string) || !fits(name, TAG_TEXT_MAX) ||
            !fits(json_object_get_string(value), TAG_TEXT_MAX))
            return false;
    }
    return true;
}

static bool valid_attributes(struct json_object *body)
{
    static const struct {
        const char *name;
        enum json_type type;
    } known[] = {{"enabled", json_type_boolean}, {"nbf", json_type_int}, {"exp", json_type_int}};
    struct json_object *attributes, *value;

    if (!json_object_object_get_ex(body, "attributes", &attributes) || !attributes)
        return true;
    if (!json_object_is_type(attributes, json_type_object))
        return false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (json_object_object_get_ex(attributes, known[i].name, &value) && value &&
            !json_object_is_type(value, known[i].type))
            return false;
    }
    return true;
}

/* The body, checked, to be put; NULL with an error in REPLY. */
static struct json_object *checked_body(const struct http_request *request,
                                        struct http_reply *reply)
{
    struct json_object *body = http_body_object(request);
    const char *message = NULL;

    if (!body || !http_content_type_is(request, "application/json"))
        message = "The request body is not JSON or has another content type.";
    else if (!fits(json_get_text(body, "value"), VALUE_MAX))
        message = "The secret's value is longer than 25 KB.";
    else if (!fits(json_get_text(body, "contentType"), CONTENT_TYPE_MAX))
        message = "contentType is longer than 255 characters.";
    else if (!valid_tags(body))
        message = "There are more than 15 tags, or one is too long.";
    else if (!valid_attributes(body))
        message = "The attributes are not valid.";
    if (!message)
        return body;
    keyvault_error(reply, 400, "BadParameter", message, NULL);
    json_object_put(body);
    return NULL;
}

static void apply_body(struct secret_version *version, struct json_object *body)
{
    struct json_object *attributes, *value, *tags;
    const char *content_type = json_get_text(body, "contentType");

    if (content_type) {
        free(version->content_type);
        version->content_type = memory_text(content_type);
    }
    if (json_object_object_get_ex(body, "tags", &tags) && tags) {
        json_object_put(version->tags);
        version->tags = NULL;
        json_object_deep_copy(tags, &version->tags, NULL);
    }
    if (!json_object_object_get_ex(body, "attributes", &attributes))
        return;
    if (json_object_object_get_ex(attributes, "enabled", &value) && value)
        version->enabled = json_object_get_boolean(value);
    if (json_object_object_get_ex(attributes, "nbf", &value))
        version->not_before = json_object_get_int64(value);
    if (json_object_object_get_ex(attributes, "exp", &value))
        version->expires = json_object_get_int64(value);
}

static void log_secret(struct sim *sim, const char *event_name, const struct vault_secret *secret,
                       const struct secret_version *version)
{
    struct json_object *event = truth_event(event_name);
    char digest[SHA256_HEX_SIZE];

    json_add_text(event, "vault", secret->vault);
    json_add_text(event, "secret", secret->name);
    if (version) {
        sha256_hex(version->value, strlen(version->value), digest);
        json_add_text(event, "version", version->version);
        json_add_text(event, "value", version->value);
        json_add_text(event, "sha256", digest);
    }
    truth_write(sim->truth, event);
}

void secrets_handle_set(struct sim *sim, const struct http_request *request,
                        struct http_reply *reply)
{
    struct json_object *body = checked_body(request, reply);
    struct secret_version *version;
    struct vault_secret *secret;

    if (!body)
        return;
    secret = vault_store_find(sim->vaults, request->account, request->item);
    if (!json_get_text(body, "value")) {
        keyvault_error(reply, 400, "BadParameter", "The parameter 'value' is required.", NULL);
    } else if (secret && secret->deleted_at != 0) {
        keyvault_error(reply, 409, "Conflict",
                       "The secret is currently in a deleted but recoverable state, and its name "
                       "cannot be reused; in this state, the secret can only be recovered or "
                       "purged.",
                       "ObjectIsDeletedButRecoverable");
    } else if (!(secret = vault_store_ensure(sim->vaults, request->account, request->item))) {
        keyvault_error(reply, 403, "Forbidden", "The vault is full.", NULL);
    } else {
        version = vault_secret_add_version(secret, json_get_text(body, "value"));
        apply_body(version, body);
        log_secret(sim, "secret_set", secret, version);
        http_reply_json(reply, 200, bundle_of(request, secret, version, WITH_VALUE));
    }
    json_object_put(body);
}

/* The version that the path names, or the newest; NULL with an error in REPLY. */
static struct secret_version *find_version(struct sim *sim, const struct http_request *request,
                                           struct vault_secret **secret, struct http_reply *reply)
{
    const char *name = request->segment_count > 2 ? request->segments[2] : NULL;
    struct secret_version *version = NULL;

    *secret = vault_store_find(sim->vaults, request->account, request->item);
    if (*secret && (*secret)->deleted_at == 0)
        version = vault_secret_version(*secret, name);
    if (!version)
        not_found(request, reply);
    return version;
}

void secrets_handle_get(struct sim *sim, const struct http_request *request,
                        struct http_reply *reply)
{
    struct vault_secret *secret;
    struct secret_version *version = find_version(sim, request, &secret, reply);

    if (!version)
        return;
    if (!version->enabled)
        keyvault_error(reply, 403, "Forbidden",
                       "Operation get is not allowed on a disabled secret.", "SecretDisabled");
    else
        http_reply_json(reply, 200, bundle_of(request, secret, version, WITH_VALUE));
}

void secrets_handle_update(struct sim *sim, const struct http_request *request,
                           struct http_reply *reply)
{
    struct vault_secret *secret;
    struct secret_version *version = find_version(sim, request, &secret, reply);
    struct json_object *body;

    if (!version)
        return;
    body = checked_body(request, reply);
    if (!body)
        return;
    apply_body(version, body);
    version->updated = clock_wall_us() / CLOCK_US_PER_SECOND;
    http_reply_json(reply, 200, bundle_of(request, secret, version, WITHOUT_VALUE));
    json_object_put(body);
}

void secrets_handle_list(struct sim *sim, const struct http_request *request,
                         struct http_reply *reply)
{
    struct json_object *body = json_object_new_object();
    struct json_object *page = json_object_new_array();
    struct lh_entry *entry;

    for (entry = vault_store_first(sim->vaults); entry; entry = lh_entry_next(entry)) {
        struct vault_secret *secret = (struct vault_secret *)lh_entry_v(entry);

        if (strcasecmp(secret->vault, request->account) == 0 && secret->deleted_at == 0)
            json_object_array_add(
                page,
                bundle_of(request, secret, vault_secret_version(secret, NULL), WITHOUT_VALUE));
    }
    json_object_object_add(body, "value", page);
    json_object_object_add(body, "nextLink", NULL);
    http_reply_json(reply, 200, body);
}

/* Adds the page of versions that starts at index FIRST. */
static void add_version_page(const struct http_request *request, const struct vault_secret *secret,
                             size_t first, size_t page_size, struct json_object *body)
{
    struct json_object *page = json_object_new_array();
    size_t i;
    char *link;

    for (i = first; i < secret->version_count && i - first < page_size; i++)
        json_object_array_add(page,
                              bundle_of(request, secret, &secret->versions[i], WITHOUT_VALUE));
    json_object_object_add(body, "value", page);
    link = i == secret->version_count
               ? NULL
               : memory_printf("https://%s%s?api-version=%s&maxresults=%zu&$skiptoken=%zu",
                               http_header(request, "Host"), request->path,
                               http_fields_get(&request->query, "api-version"), page_size, i);
    json_add_text(body, "nextLink", link);
    free(link);
}

void secrets_handle_list_versions(struct sim *sim, const struct http_request *request,
                                  struct http_reply *reply)
{
    struct vault_secret *secret = vault_store_find(sim->vaults, request->account, request->item);
    const char *max_results = http_fields_get(&request->query, "maxresults");
    const char *skip_token = http_fields_get(&request->query, "$skiptoken");
    long page_size = !max_results ? VERSIONS_PER_PAGE : strtol(max_results, NULL, 10);
    struct json_object *body;

    if (page_size < 1 || page_size > VERSIONS_PER_PAGE) {
        keyvault_error(reply, 400, "BadParameter", "maxresults must be from 1 to 25.", NULL);
        return;
    }
    if (!secret || secret->deleted_at != 0) {
        not_found(request, reply);
        return;
    }
    body = json_object_new_object();
    add_version_page(request, secret, !skip_token ? 0 : strtoul(skip_token, NULL, 10),
                     (size_t)page_size, body);
    http_reply_json(reply, 200, body);
}

void secrets_handle_delete(struct sim *sim, const struct http_request *request,
                           struct http_reply *reply)
{
    struct vault_secret *secret = vault_store_find(sim->vaults, request->account, request->item);

    if (!secret || secret->deleted_at != 0) {
        not_found(request, reply);
        return;
    }
    secret->deleted_at = clock_wall_us() / CLOCK_US_PER_SECOND;
    log_secret(sim, "secret_deleted", secret, NULL);
    http_reply_json(reply, 200, deleted_bundle_of(request, secret));
}

/* The secret in its deleted state; NULL with an error in REPLY. */
static struct vault_secret *find_deleted(struct sim *sim, const struct http_request *request,
                                         struct http_reply *reply)
{
    struct vault_secret *secret = vault_store_find(sim->vaults, request->account, request->item);

    if (secret && secret->deleted_at != 0)
        return secret;
    not_found(request, reply);
    return NULL;
}

void secrets_handle_get_deleted(struct sim *sim, const struct http_request *request,
                                struct http_reply *reply)
{
    struct vault_secret *secret = find_deleted(sim, request, reply);

    if (secret)
        http_reply_json(reply, 200, deleted_bundle_of(request, secret));
}

void secrets_handle_recover(struct sim *sim, const struct http_request *request,
                            struct http_reply *reply)
{
    struct vault_secret *secret = find_deleted(sim, request, reply);

    if (!secret)
        return;
    secret->deleted_at = 0;
    log_secret(sim, "secret_recovered", secret, NULL);
    http_reply_json(reply, 200,
                    bundle_of(request, secret, vault_secret_version(secret, NULL), WITHOUT_VALUE));
}

void secrets_handle_purge(struct sim *sim, const struct http_request *request,
                          struct http_reply *reply)
{
    struct vault_secret *secret = find_deleted(sim, request, reply);

    if (!secret)
        return;
    log_secret(sim, "secret_purged", secret, NULL);
    vault_store_purge(sim->vaults, secret);
    reply->status = 204;
}
