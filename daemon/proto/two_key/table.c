#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "proto/two_key/two_key.h"

#define TYPE(name, short_name) extern const struct two_key_resource two_key_##name;
#include "proto/two_key/two_key_list.h"
#undef TYPE

static const struct two_key_resource *const resources[] = {
#define TYPE(name, short_name) &two_key_##name,
#include "proto/two_key/two_key_list.h"
#undef TYPE
};

const struct two_key_resource *two_key_resource_at(size_t index)
{
    return index < sizeof(resources) / sizeof(resources[0]) ? resources[index] : NULL;
}

/* Skips the first segment of both, and returns whether the segments are equal. */
static bool same_segment(const char **id, const char **type)
{
    size_t length = strcspn(*id, "/"), wanted = strcspn(*type, "/");
    bool same = length == wanted && strncasecmp(*id, *type, length) == 0;

    *id += length;
    *type += wanted;
    return same;
}

/* "Microsoft.Batch/batchAccounts/NAME" against "Microsoft.Batch/batchAccounts": a name follows each
 * type. */
static bool is_of_type(const char *id, const char *type)
{
    bool is = same_segment(&id, &type);

    while (is && *type == '/' && *id == '/') {
        id++;
        type++;
        is = same_segment(&id, &type) && *id == '/';
        id += is ? 1 + strcspn(id + 1, "/") : 0;
    }
    return is && *type == '\0' && *id == '\0';
}

const struct two_key_resource *two_key_resource_find(const char *resource_id)
{
    static const char providers[] = "/providers/";
    const char *id = strcasestr(resource_id, providers);

    for (size_t i = 0; id && i < sizeof(resources) / sizeof(resources[0]); i++) {
        if (is_of_type(id + sizeof(providers) - 1, resources[i]->type))
            return resources[i];
    }
    return NULL;
}

const struct two_key_resource *two_key_resource_named(const char *name)
{
    for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
        if (str_equal_nocase(resources[i]->type, name) || str_equal(resources[i]->short_name, name))
            return resources[i];
    }
    return NULL;
}

struct two_key_names two_key_names_of(const char *resource_id)
{
    static const char providers[] = "/providers/";
    const struct two_key_resource *resource = two_key_resource_find(resource_id);
    struct two_key_names names = {.count = 0};
    const char *at = strcasestr(resource_id, providers);

    if (!resource || !at)
        return names;
    at += sizeof(providers) - 1;
    at += strcspn(at, "/"); /* the provider; then type and name by turns */
    while (*at == '/' && names.count < TWO_KEY_NAMES_MAX) {
        at += 1 + strcspn(at + 1, "/");
        if (*at != '/')
            break;
        names.at[names.count].text = at + 1;
        names.at[names.count].length = strcspn(at + 1, "/");
        at += 1 + names.at[names.count++].length;
    }
    return names;
}

const char *two_key_account_name(const char *resource_id, char *out, size_t size)
{
    const struct two_key_names names = two_key_names_of(resource_id);
    size_t length = 0;

    out[0] = '\0';
    for (size_t i = 0; i < names.count && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%.*s", i > 0 ? "-" : "",
                                   (int)names.at[i].length, names.at[i].text);
    return out;
}
