#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "proto/two_key/two_key.h"

#define TYPE(name, short_name) extern const struct two_key_resource two_key_##name;
#define PAIR(name)             extern const struct two_key_resource two_key_##name;
#include "proto/two_key/two_key_list.h"
#undef TYPE

static const struct two_key_resource *const resources[] = {
#define TYPE(name, short_name) &two_key_##name,
#include "proto/two_key/two_key_list.h"
#undef TYPE
};

static const struct two_key_resource *const further_pairs[] = {
#define TYPE(name, short_name)
#define PAIR(name) &two_key_##name,
#include "proto/two_key/two_key_list.h"
#undef TYPE
};

enum {
    RESOURCES = sizeof(resources) / sizeof(resources[0]),
    FURTHER_PAIRS = sizeof(further_pairs) / sizeof(further_pairs[0])
};

const struct two_key_resource *two_key_resource_at(size_t index)
{
    return index < RESOURCES ? resources[index] : NULL;
}

/* --- pairs --- */

const struct two_key_resource *two_key_pair_at(const struct two_key_resource *type, size_t index)
{
    if (index == 0)
        return type->pair ? two_key_resource_named(type->short_name) : type;
    for (size_t i = 0; type->pair && i < FURTHER_PAIRS; i++)
        if (str_equal(further_pairs[i]->short_name, type->short_name) && --index == 0)
            return further_pairs[i];
    return NULL;
}

const struct two_key_resource *two_key_pair_named(const struct two_key_resource *type,
                                                  const char *pair)
{
    const struct two_key_resource *found;

    for (size_t i = 0; (found = two_key_pair_at(type, i)); i++)
        if (found->pair && str_equal(found->pair, pair))
            return found;
    return NULL;
}

bool two_key_is_further_pair(const struct two_key_resource *type)
{
    return type->pair && two_key_pair_at(type, 0) != type;
}

size_t two_key_resource_length(const char *account_id)
{
    return strcspn(account_id, (const char[]){TWO_KEY_PAIR_MARK, '\0'});
}

/* --- ids --- */

/* The length of a segment of the id of a resource, or of an account. */
static size_t segment_length(const char *id)
{
    return strcspn(id, (const char[]){'/', TWO_KEY_PAIR_MARK, '\0'});
}

/* Skips the first segment of both, and returns whether the segments are equal. */
static bool same_segment(const char **id, const char **type)
{
    size_t length = segment_length(*id), wanted = strcspn(*type, "/");
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
        id += is ? 1 + segment_length(id + 1) : 0;
    }
    return is && *type == '\0' && (*id == '\0' || *id == TWO_KEY_PAIR_MARK);
}

const struct two_key_resource *two_key_resource_find(const char *id)
{
    static const char providers[] = "/providers/";
    const char *at = strcasestr(id, providers);
    const char *mark = strchr(id, TWO_KEY_PAIR_MARK);

    for (size_t i = 0; at && i < RESOURCES; i++) {
        if (is_of_type(at + sizeof(providers) - 1, resources[i]->type))
            return mark ? two_key_pair_named(resources[i], mark + 1) : resources[i];
    }
    return NULL;
}

const struct two_key_resource *two_key_resource_named(const char *name)
{
    for (size_t i = 0; i < RESOURCES; i++) {
        if (str_equal_nocase(resources[i]->type, name) || str_equal(resources[i]->short_name, name))
            return resources[i];
    }
    return NULL;
}

struct two_key_names two_key_names_of(const char *id)
{
    static const char providers[] = "/providers/";
    const struct two_key_resource *resource = two_key_resource_find(id);
    struct two_key_names names = {.count = 0};
    const char *at = strcasestr(id, providers);

    if (!resource || !at)
        return names;
    at += sizeof(providers) - 1;
    at += strcspn(at, "/"); /* the provider; then type and name by turns */
    while (*at == '/' && names.count < TWO_KEY_NAMES_MAX) {
        at += 1 + strcspn(at + 1, "/");
        if (*at != '/')
            break;
        names.at[names.count].text = at + 1;
        names.at[names.count].length = segment_length(at + 1);
        at += 1 + names.at[names.count++].length;
    }
    return names;
}

size_t two_key_changed_length(const char *account_id)
{
    const struct two_key_resource *resource = two_key_resource_find(account_id);
    const struct two_key_names names = two_key_names_of(account_id);

    if (!resource || !resource->rewrite || names.count == 0)
        return two_key_resource_length(account_id);
    return (size_t)(names.at[0].text + names.at[0].length - account_id);
}

const char *two_key_resource_name(const char *id, char *out, size_t size)
{
    const struct two_key_names names = two_key_names_of(id);
    size_t length = 0;

    out[0] = '\0';
    for (size_t i = 0; i < names.count && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%.*s", i > 0 ? "-" : "",
                                   (int)names.at[i].length, names.at[i].text);
    for (char *c = out; *c != '\0'; c++)
        *c = *c == ' ' ? '-' : *c;
    return out;
}

const char *two_key_account_name(const char *id, char *out, size_t size)
{
    const struct two_key_resource *resource = two_key_resource_find(id);
    size_t length = strlen(two_key_resource_name(id, out, size));

    if (!resource || !two_key_is_further_pair(resource) || length + 1 >= size)
        return out;
    out[length++] = '-';
    for (const char *c = resource->pair; *c != '\0' && length + 1 < size; c++)
        out[length++] = *c == '_' ? '-' : *c;
    out[length] = '\0';
    return out;
}
