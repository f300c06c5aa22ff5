#include <errno.h>
#include <string.h>

#include "base/json_path.h"
#include "base/str.h"
#include "proto/two_key/two_key.h"
#include "proto/two_key/unchanged.h"

enum { PORT_MAX = 65535 };

/* --- switches --- */

/* False: a list that holds no texts, or something else than a list. */
static bool lists(struct json_object *list, const char *text, bool *ret_listed)
{
    *ret_listed = !list;
    if (list && !json_object_is_type(list, json_type_array))
        return false;
    for (size_t i = 0; list && i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);

        if (json_is_unusable(item))
            return false;
        if (json_object_is_type(item, json_type_string) &&
            str_equal_nocase(json_object_get_string(item), text))
            *ret_listed = true;
    }
    return true;
}

/* -EINVAL: the member is of a kind that says neither. */
static int is_off(const struct two_key_switch *by, struct json_object *value, bool *ret_off,
                  struct err *err)
{
    const bool is_boolean = json_object_is_type(value, json_type_boolean);
    const bool truth = is_boolean && json_object_get_boolean(value);
    bool listed = true, readable = !value;

    switch (by->off) {
    case OFF_IF_TRUE:
    case OFF_UNLESS_TRUE:
    case OFF_IF_FALSE:
        readable = readable || is_boolean;
        *ret_off = by->off == OFF_IF_TRUE       ? truth
                   : by->off == OFF_UNLESS_TRUE ? !truth
                                                : is_boolean && !truth;
        break;
    case OFF_IF_TEXT:
        readable = readable || json_object_is_type(value, json_type_string);
        *ret_off = value && readable && str_equal_nocase(json_object_get_string(value), by->text);
        break;
    case OFF_UNLESS_TEXT:
        readable = readable || json_object_is_type(value, json_type_string);
        *ret_off =
            !value || (readable && !str_equal_nocase(json_object_get_string(value), by->text));
        break;
    case OFF_UNLESS_LISTED:
        readable = lists(value, by->text, &listed);
        *ret_off = !listed;
        break;
    }
    return readable ? 0 : err_set(err, -EINVAL, "its %s is of an unknown kind", by->path);
}

static int check_switches(const struct two_key_switch *by, struct json_object *document,
                          struct resource_obstacle *obstacle, struct err *err)
{
    bool found = false;

    for (; by && by->path; by++) {
        struct json_object *value;
        bool off = false;

        if (json_at(document, by->path, &value, err) < 0 || is_off(by, value, &off, err) < 0)
            return -EINVAL;
        if (!off || found)
            continue;
        found = true;
        obstacle->reason = by->reason;
        err_set(&obstacle->what, -ENOTSUP, "%s", by->words);
    }
    return 0;
}

/* --- the state --- */

static bool is_one_of(const char *text, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(text, names[i]))
            return true;
    return false;
}

/* Failed and Cancelled (in either spelling) describe the last change that somebody made. */
static bool is_working(const char *state)
{
    static const char *const working[] = {"Succeeded", "Failed", "Cancelled", "Canceled"};

    return !state || is_one_of(state, working, sizeof(working) / sizeof(working[0]));
}

static void check_state(const char *state, struct resource_obstacle *obstacle)
{
    static const char *const absent[] = {"Creating", "Deleting", "Invalid"};

    if (is_working(state))
        return;
    obstacle->reason = REASON_AZURE_ERROR;
    obstacle->stops_looks = is_one_of(state, absent, sizeof(absent) / sizeof(absent[0]));
    err_set(&obstacle->what, -ENOTSUP,
            "the account is not in working order: its provisioningState is %.40s", state);
}

/* A state that stops looks goes before a switch; other states come after it. */
static int check_obstacles(const struct two_key_resource *resource, struct json_object *document,
                           struct resource_obstacle *obstacle, struct err *err)
{
    struct resource_obstacle off = {.reason = REASON_NONE};
    const char *state = NULL;

    if (resource->state_path && json_text_at(document, resource->state_path, &state, err) < 0)
        return -EINVAL;
    if (check_switches(resource->switches, document, &off, err) < 0)
        return -EINVAL;
    check_state(state, obstacle);
    if (!obstacle->stops_looks && off.reason != REASON_NONE)
        *obstacle = off;
    return 0;
}

/* --- facts --- */

/* NULL in, NULL out. False when memory is out. */
static bool copy_text(const char *text, size_t length, char **ret_copy)
{
    *ret_copy = text ? str_dup_n(text, length) : NULL;
    return !text || *ret_copy;
}

/* The host of "https://HOST/…", without the port that https has anyway; or the text as it is. */
static const char *host_of(const char *endpoint, size_t *ret_length)
{
    static const char scheme[] = "https://", port[] = ":443";

    if (!str_starts_with_nocase(endpoint, scheme)) {
        *ret_length = strlen(endpoint);
        return endpoint;
    }
    endpoint += sizeof(scheme) - 1;
    *ret_length = strcspn(endpoint, "/");
    if (*ret_length > sizeof(port) - 1 &&
        memcmp(endpoint + *ret_length - (sizeof(port) - 1), port, sizeof(port) - 1) == 0)
        *ret_length -= sizeof(port) - 1;
    return endpoint;
}

static int read_endpoint(const struct two_key_resource *resource, struct json_object *document,
                         struct resource_facts *facts, struct err *err)
{
    struct json_object *value = NULL;
    const char *text = NULL;
    size_t length = 0;

    if (!resource->endpoint_path)
        return 0;
    if (json_at(document, resource->endpoint_path, &value, err) < 0 ||
        json_text_at(document, resource->endpoint_path, &text, err) < 0)
        return -EINVAL;
    if (text)
        text = host_of(text, &length);
    if (!copy_text(text, length, &facts->endpoint))
        return err_set(err, -ENOMEM, "there is no memory for it");
    if (value && (!text || !two_key_endpoint_ok(facts->endpoint)))
        return err_set(err, -EINVAL, "its %s is not a host name", resource->endpoint_path);
    return 0;
}

static int read_port(const struct two_key_resource *resource, struct json_object *document,
                     struct resource_facts *facts, struct err *err)
{
    struct json_object *value = NULL;
    int64_t port = 0;

    if (!resource->port_path)
        return 0;
    if (json_at(document, resource->port_path, &value, err) < 0)
        return -EINVAL;
    if (value)
        port = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;
    if (port < 0 || port > PORT_MAX)
        return err_set(err, -EINVAL, "its %s is no number of a port", resource->port_path);
    facts->port = (unsigned)port;
    return 0;
}

static int read_kind(const struct two_key_resource *resource, struct json_object *document,
                     struct resource_facts *facts, struct err *err)
{
    const struct two_key_probe_form *probe = resource->probe;
    const char *kind = NULL;

    facts->probe = probe;
    if (!probe || !probe->of_other_kinds)
        return 0;
    if (json_text_at(document, "kind", &kind, err) < 0)
        return -EINVAL;
    if (kind && two_key_is_among(probe->other_kinds, kind, strlen(kind)))
        facts->probe = probe->of_other_kinds;
    return 0;
}

/* Without one the resource is not written, whatever else there is to say of it. */
static int read_etag(const struct two_key_resource *resource, struct json_object *document,
                     struct resource_facts *facts, struct resource_obstacle *obstacle,
                     struct err *err)
{
    const char *etag = json_string(document, "etag"), *state = NULL;
    struct err unusable = {.code = 0};

    if (!resource->rewrite)
        return 0;
    if (resource->state_path && json_text_at(document, resource->state_path, &state, err) < 0)
        return -EINVAL;
    facts->is_changing = !is_working(state);
    if (two_key_etag_check(etag, &unusable) == 0)
        return copy_text(etag, strlen(etag), &facts->etag)
                   ? 0
                   : err_set(err, -ENOMEM, "there is no memory for it");
    if (obstacle->reason == REASON_NONE) {
        obstacle->reason = REASON_AZURE_ERROR;
        err_set(&obstacle->what, -ENOTSUP, "the description of the resource cannot be used: %s",
                unusable.text);
    }
    return 0;
}

static int read_document(const struct two_key_resource *resource, struct json_object *document,
                         struct resource_facts *facts, struct resource_obstacle *obstacle,
                         struct err *err)
{
    const char *location;
    int rc;

    if (!json_object_is_type(json_member(document, "properties"), json_type_object))
        return err_set(err, -EINVAL, "the member \"properties\" is missing or no object");
    if (json_text_at(document, "location", &location, err) < 0 ||
        check_obstacles(resource, document, obstacle, err) < 0)
        return -EINVAL;
    rc = read_endpoint(resource, document, facts, err);
    if (rc == 0)
        rc = read_port(resource, document, facts, err);
    if (rc == 0)
        rc = read_kind(resource, document, facts, err);
    if (rc == 0)
        rc = read_etag(resource, document, facts, obstacle, err);
    if (rc == 0 && !copy_text(location, location ? strlen(location) : 0, &facts->location))
        rc = err_set(err, -ENOMEM, "there is no memory for it");
    return rc;
}

int two_key_describe(const struct two_key_resource *resource, const char *body, size_t length,
                     struct resource_facts *facts, struct resource_obstacle *obstacle,
                     struct err *err)
{
    struct json_object *document = json_parse_foreign(body, length, err);
    int rc;

    *facts = (struct resource_facts){.endpoint = NULL};
    *obstacle = (struct resource_obstacle){.reason = REASON_NONE};
    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EINVAL;
    rc = read_document(resource, document, facts, obstacle, err);
    json_object_put(document);
    if (rc < 0)
        resource_facts_done(facts);
    return rc;
}

int two_key_list_obstacle(const struct two_key_resource *resource, const char *body, size_t length,
                          struct resource_obstacle *obstacle, struct err *err)
{
    struct json_object *document;
    int rc;

    *obstacle = (struct resource_obstacle){.reason = REASON_NONE};
    if (!resource->list_switches)
        return 0;
    document = json_parse_foreign(body, length, err);
    if (!document)
        return err->code == -ENOMEM ? -ENOMEM : -EINVAL;
    rc = check_switches(resource->list_switches, document, obstacle, err);
    json_free_wiped(document);
    return rc;
}
