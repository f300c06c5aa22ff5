#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "proto/two_key/batch_probe.h"
#include "proto/two_key/two_key.h"

/*
 * Azure Batch accounts (Microsoft.Batch/batchAccounts).
 */

enum { NAME_MIN = 3, NAME_MAX_LENGTH = 24 };

static bool name_ok(const char *name, size_t length)
{
    bool ok = length >= NAME_MIN && length <= NAME_MAX_LENGTH;

    for (size_t i = 0; i < length && ok; i++)
        ok = char_is_alphanumeric(name[i]);
    return ok;
}

/* Absent and null mean that every mode is allowed; the service's own policies read it so. */
static bool allows_shared_key(struct json_object *properties, bool *ret_readable)
{
    struct json_object *modes = json_member(properties, "allowedAuthenticationModes");

    *ret_readable = !modes || json_object_is_type(modes, json_type_array);
    for (size_t i = 0; *ret_readable && modes && i < json_object_array_length(modes); i++)
        *ret_readable = !json_is_unusable(json_object_array_get_idx(modes, i));
    if (!modes || !*ret_readable)
        return true;
    for (size_t i = 0; i < json_object_array_length(modes); i++) {
        struct json_object *mode = json_object_array_get_idx(modes, i);

        if (json_object_is_type(mode, json_type_string) &&
            str_equal_nocase(json_object_get_string(mode), "SharedKey"))
            return true;
    }
    return false;
}

static bool is_one_of(const char *text, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(text, names[i]))
            return true;
    return false;
}

/* Failed and Cancelled (in either spelling) describe the last change that somebody made. */
static bool check_state(const char *state, struct resource_obstacle *obstacle)
{
    static const char *const working[] = {"Succeeded", "Failed", "Cancelled", "Canceled"};
    static const char *const absent[] = {"Creating", "Deleting", "Invalid"};

    if (!state || is_one_of(state, working, sizeof(working) / sizeof(working[0])))
        return true;
    obstacle->reason = REASON_AZURE_ERROR;
    obstacle->stops_looks = is_one_of(state, absent, sizeof(absent) / sizeof(absent[0]));
    err_set(&obstacle->what, -ENOTSUP,
            "the account is not in working order: its provisioningState is %.40s", state);
    return false;
}

static int check_properties(struct json_object *properties, struct resource_obstacle *obstacle,
                            struct err *err)
{
    const char *state = json_string(properties, "provisioningState");
    const char *allocation = json_string(properties, "poolAllocationMode");
    bool readable, allowed = allows_shared_key(properties, &readable);

    if (!readable)
        return err_set(err, -EINVAL, "allowedAuthenticationModes is not a list");
    if (!check_state(state, obstacle) && obstacle->stops_looks)
        return 0;
    if (allocation && str_equal_nocase(allocation, "UserSubscription")) {
        obstacle->reason = REASON_USER_SUBSCRIPTION_MODE;
        err_set(&obstacle->what, -ENOTSUP,
                "the account's poolAllocationMode is UserSubscription: it has no usable keys");
    } else if (!allowed) {
        obstacle->reason = REASON_SHARED_KEY_DISABLED;
        err_set(&obstacle->what, -ENOTSUP,
                "SharedKey is not among the account's allowedAuthenticationModes");
    }
    return 0;
}

/* NULL in, NULL out. False when memory is out. */
static bool copy_text(const char *text, char **ret_copy)
{
    *ret_copy = text ? str_dup(text) : NULL;
    return !text || *ret_copy;
}

/* A member that we read must occur at most once and be valid, even if it is optional. */
static int check_members(struct json_object *document, struct err *err)
{
    static const char *const outer[] = {"properties", "location"};
    static const char *const inner[] = {"provisioningState", "poolAllocationMode",
                                        "allowedAuthenticationModes", "accountEndpoint"};
    struct json_object *properties = json_member(document, "properties");

    if (json_check_members(document, outer, sizeof(outer) / sizeof(outer[0]), err) < 0 ||
        json_check_members(properties, inner, sizeof(inner) / sizeof(inner[0]), err) < 0)
        return -EINVAL;
    return 0;
}

static int read_document(struct json_object *document, struct resource_facts *facts,
                         struct resource_obstacle *obstacle, struct err *err)
{
    struct json_object *properties = json_member(document, "properties");
    const char *location = json_string(document, "location");
    const char *endpoint = json_string(properties, "accountEndpoint");
    int rc;

    if (!json_object_is_type(properties, json_type_object))
        return err_set(err, -EINVAL, "the member \"properties\" is missing or no object");
    rc = check_properties(properties, obstacle, err);
    if (rc < 0)
        return rc;
    if (json_member(properties, "accountEndpoint") && (!endpoint || !two_key_endpoint_ok(endpoint)))
        return err_set(err, -EINVAL, "its accountEndpoint is not a host name");
    if (!copy_text(endpoint, &facts->endpoint) || !copy_text(location, &facts->location)) {
        resource_facts_done(facts);
        return err_set(err, -ENOMEM, "there is no memory for it");
    }
    return 0;
}

/* An obstacle is: Shared Key is not among allowedAuthenticationModes, pools are allocated in the
 * user's subscription, or a provisioningState that is none of Succeeded, Failed and Cancelled
 * (these two describe the last change of the account, not its present state). Creating, Deleting
 * and Invalid also stop looks. */
static int read_description(const char *body, size_t length, struct resource_facts *facts,
                            struct resource_obstacle *obstacle, struct err *err)
{
    struct json_object *document = json_parse_foreign(body, length, err);
    int rc;

    *facts = (struct resource_facts){.endpoint = NULL};
    *obstacle = (struct resource_obstacle){.reason = REASON_NONE};
    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EINVAL;
    rc = check_members(document, err);
    if (rc == 0)
        rc = read_document(document, facts, obstacle, err);
    json_object_put(document);
    return rc;
}

const struct two_key_resource two_key_batch_account = {
    .type = "Microsoft.Batch/batchAccounts",
    .noun = "a Batch account",
    .api_version = "2024-02-01",
    .name_ok = name_ok,
    .name_words = "3 to 24 letters and digits",
    .list = {.name = "listKeys"},
    .regenerate = {[SLOT_PRIMARY] = {.name = "regenerateKeys", .body = "{\"keyName\":\"Primary\"}"},
                   [SLOT_SECONDARY] = {.name = "regenerateKeys",
                                       .body = "{\"keyName\":\"Secondary\"}"}},
    .regenerate_answers_keys = true,
    .read_keys = two_key_read_members,
    .key_members = {[SLOT_PRIMARY] = "primary", [SLOT_SECONDARY] = "secondary"},
    .name_member = "accountName",
    .key_shape = &key_shape_base64,
    .read_description = read_description,
    .endpoint_member = "accountEndpoint",
    .keys_on = "add SharedKey to the account's allowedAuthenticationModes",
    .build_probe = batch_probe_request,
    .read_probe = batch_probe_reply,
    .probe_id_header = "request-id",
    .read_action = "Microsoft.Batch/batchAccounts/read",
    .list_action = "Microsoft.Batch/batchAccounts/listkeys/action",
    .regenerate_action = "Microsoft.Batch/batchAccounts/regeneratekeys/action",
    .role = "Batch Key Rotator",
    .env_name = "AZURE_BATCH_ACCOUNT",
    .env_key = "AZURE_BATCH_ACCESS_KEY",
    .env_endpoint = "AZURE_BATCH_ENDPOINT",
    .connection_string = NULL, /* its SDKs take the three apart: BatchSharedKeyCredentials */
};
