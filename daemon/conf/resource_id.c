#include "conf/resource_id.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "conf/value.h"

enum { ACCOUNT_MIN = 3, ACCOUNT_MAX = 24, GROUP_MAX = 90, GUID_LENGTH = 36, SEGMENTS = 8 };

#define ACCOUNT_GRAMMAR                                                                            \
    "write /subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.Batch/batchAccounts/NAME"
#define IDENTITY_GRAMMAR                                                                           \
    "write /subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.ManagedIdentity/"          \
    "userAssignedIdentities/NAME"

struct segment {
    const char *text;
    size_t length;
};

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

const char *resource_account_problem(const char *name, size_t length)
{
    bool legal = length >= ACCOUNT_MIN && length <= ACCOUNT_MAX;

    for (size_t i = 0; i < length && legal; i++)
        legal = is_alphanumeric(name[i]);
    return legal ? NULL
                 : "is not the name of a Batch account; those are 3 to 24 letters and digits";
}

const char *resource_group_problem(const char *group, size_t length)
{
    bool legal = length >= 1 && length <= GROUP_MAX && group[length - 1] != '.';

    for (size_t i = 0; i < length && legal; i++) {
        /* Azure allows letters of all scripts; beyond ASCII it is left to Azure to judge. */
        bool is_ascii = ((unsigned char)group[i] & 0x80) == 0;

        legal = !is_ascii || is_alphanumeric(group[i]) || strchr("_-.()", group[i]);
    }
    return legal ? NULL
                 : "is not the name of a resource group; those are 1 to 90 letters, digits, '_', "
                   "'-', '.', '(' and ')', without a '.' at the end";
}

static bool segment_is(struct segment segment, const char *word)
{
    return segment.length == strlen(word) && strncasecmp(segment.text, word, segment.length) == 0;
}

/* "/a/b/c" as exactly SEGMENTS segments. */
static bool split(const char *text, struct segment segments[SEGMENTS])
{
    for (size_t i = 0; i < SEGMENTS; i++) {
        if (*text != '/')
            return false;
        text++;
        segments[i].text = text;
        segments[i].length = strcspn(text, "/");
        text += segments[i].length;
    }
    return *text == '\0';
}

static bool is_guid(struct segment segment)
{
    char guid[GUID_LENGTH + 1];

    if (segment.length != GUID_LENGTH)
        return false;
    memcpy(guid, segment.text, GUID_LENGTH);
    guid[GUID_LENGTH] = '\0';
    return value_is_guid(guid);
}

const char *resource_id_parse(const char *text, struct resource_id *ret_id)
{
    struct segment segments[SEGMENTS];

    if (!split(text, segments) || !segment_is(segments[0], "subscriptions") ||
        !segment_is(segments[2], "resourceGroups") || !segment_is(segments[4], "providers"))
        return "is not the resource id of a Batch account; " ACCOUNT_GRAMMAR;
    if (!segment_is(segments[5], "Microsoft.Batch") || !segment_is(segments[6], "batchAccounts"))
        return "is the id of another kind of resource; " ACCOUNT_GRAMMAR;
    if (!is_guid(segments[1]))
        return "holds a subscription that is not a GUID; " ACCOUNT_GRAMMAR;
    if (resource_group_problem(segments[3].text, segments[3].length))
        return "holds no valid resource group; " ACCOUNT_GRAMMAR;
    if (resource_account_problem(segments[7].text, segments[7].length))
        return "holds no valid account name; those are 3 to 24 letters and digits";
    *ret_id = (struct resource_id){
        .subscription = segments[1].text,
        .subscription_length = segments[1].length,
        .group = segments[3].text,
        .group_length = segments[3].length,
        .name = segments[7].text,
        .name_length = segments[7].length,
    };
    return NULL;
}

const char *resource_identity_problem(const char *text)
{
    struct segment segments[SEGMENTS];
    bool legal = split(text, segments) && segment_is(segments[0], "subscriptions") &&
                 is_guid(segments[1]) && segment_is(segments[2], "resourceGroups") &&
                 !resource_group_problem(segments[3].text, segments[3].length) &&
                 segment_is(segments[4], "providers") &&
                 segment_is(segments[5], "Microsoft.ManagedIdentity") &&
                 segment_is(segments[6], "userAssignedIdentities") && segments[7].length > 0;

    return legal ? NULL : "is not the resource id of a managed identity; " IDENTITY_GRAMMAR;
}
