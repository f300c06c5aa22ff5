#include "conf/resource_id.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/encoding.h"
#include "conf/type_hint.h"
#include "conf/value.h"

enum { GROUP_MAX = 90, GUID_LENGTH = 36, SEGMENTS = 8, SEGMENTS_MAX = 16 };

#define IDENTITY_GRAMMAR                                                                           \
    "write /subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.ManagedIdentity/"          \
    "userAssignedIdentities/NAME"

struct segment {
    const char *text;
    size_t length;
};

const char *resource_group_problem(const char *group, size_t length)
{
    bool legal = length >= 1 && length <= GROUP_MAX && group[length - 1] != '.';

    for (size_t i = 0; i < length && legal; i++) {
        /* Azure allows letters of all scripts; characters beyond ASCII are left for Azure to
         * check. */
        bool is_ascii = ((unsigned char)group[i] & 0x80) == 0;

        legal = !is_ascii || char_is_alphanumeric(group[i]) || strchr("_-.()", group[i]);
    }
    return legal ? NULL
                 : "is not the name of a resource group; those are 1 to 90 letters, digits, '_', "
                   "'-', '.', '(' and ')', without a '.' at the end";
}

static bool segment_is(struct segment segment, const char *word)
{
    return segment.length == strlen(word) && strncasecmp(segment.text, word, segment.length) == 0;
}

/* Splits "/a/b/c" into segments. Returns their number; 0 when the text is no such path or has too
 * many. */
static size_t split(const char *text, struct segment segments[SEGMENTS_MAX])
{
    size_t count = 0;

    for (; *text == '/' && count < SEGMENTS_MAX; count++) {
        text++;
        segments[count].text = text;
        segments[count].length = strcspn(text, "/");
        text += segments[count].length;
    }
    return *text == '\0' ? count : 0;
}

static bool ends_with_slash(const char *text)
{
    return text[0] == '/' && text[strlen(text) - 1] == '/';
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

/* The type that the id seems to be of; else the first one, as an example. */
static const struct two_key_resource *type_meant(const char *id)
{
    char name[TWO_KEY_TYPE_MAX];
    const struct two_key_resource *type =
        two_key_resource_named(two_key_type_in_id(id, name, sizeof(name)));

    return type ? type : two_key_resource_at(0);
}

/* Appends the form of the ids of that type: a name behind each word that follows the provider. */
static void append_form(struct buf *out, const struct two_key_resource *type)
{
    const char *at = type->type + strcspn(type->type, "/");

    (void)buf_append_format(out, "; write /subscriptions/GUID/resourceGroups/GROUP/providers/%.*s",
                            (int)(at - type->type), type->type);
    while (*at == '/') {
        const size_t length = 1 + strcspn(at + 1, "/");

        (void)buf_append_format(out, "%.*s/NAME", (int)length, at);
        at += length;
    }
}

static int refuse(const char *id, const char *what, bool with_noun, struct err *err)
{
    const struct two_key_resource *type = type_meant(id);
    struct buf text;

    buf_init(&text, sizeof(err->text));
    (void)buf_append_str(&text, what);
    if (with_noun)
        (void)buf_append_format(&text, " %s", type->noun);
    append_form(&text, type);
    err_set(err, -EINVAL, "%s", buf_str(&text));
    buf_done(&text);
    return -EINVAL;
}

int resource_name_check(const struct two_key_resource *type, const char *name, struct err *err)
{
    return two_key_name_ok(type, name, strlen(name))
               ? 0
               : err_set(err, -EINVAL, "is not the name of %s; those are %s", type->noun,
                         type->name.words);
}

const char *resource_type_problem(const char *type, char *out, size_t size)
{
    const struct two_key_resource *known = two_key_resource_named(type);
    const struct two_key_resource *below = two_key_resource_below(type);
    const struct two_key_refused *refused = two_key_refused_named(type);

    if (known)
        (void)snprintf(out, size, "is called %s here; write that", known->short_name);
    else if (refused)
        (void)snprintf(out, size, "cannot be rotated: %s", refused->why);
    else if (below)
        (void)snprintf(out, size,
                       "has no keys itself; they are those of what stands below it, such as %s, %s",
                       below->short_name, below->type);
    return known || refused || below ? out : type_hint(type, out, size);
}

void resource_types_known(struct buf *out)
{
    const struct two_key_resource *type;

    for (size_t i = 0; (type = two_key_resource_at(i)); i++)
        (void)buf_append_format(out, "%s%s", i > 0 ? ", " : "", type->short_name);
}

static int refuse_type(const char *id, struct err *err)
{
    char type[TWO_KEY_TYPE_MAX], problem[RESOURCE_PROBLEM_MAX];

    (void)two_key_type_in_id(id, type, sizeof(type));
    return resource_type_problem(type, problem, sizeof(problem))
               ? err_set(err, -EINVAL, "%s", problem)
               : err_set(err, -ENOENT, "is of a type that is not known to have two keys");
}

int resource_id_parse(const char *text, struct resource_id *ret_id, struct err *err)
{
    const struct two_key_resource *type = two_key_resource_find(text);
    struct segment segments[SEGMENTS_MAX];
    size_t count = split(text, segments);

    if (ends_with_slash(text))
        return refuse(text, "ends with a slash", false, err);
    if (count < SEGMENTS || count % 2 != 0 || !segment_is(segments[0], "subscriptions") ||
        !segment_is(segments[2], "resourceGroups") || !segment_is(segments[4], "providers"))
        return refuse(text, "is not the resource id of", true, err);
    if (text[two_key_resource_length(text)] != '\0')
        return err_set(err, -EINVAL, "ends with \"%s\"; write the resource's own id%s%s",
                       text + two_key_resource_length(text), type ? ", and pair: " : "",
                       type ? type->pair : "");
    if (!type)
        return refuse_type(text, err);
    if (!is_guid(segments[1]))
        return refuse(text, "holds a subscription that is not a GUID", false, err);
    if (resource_group_problem(segments[3].text, segments[3].length))
        return refuse(text, "holds no valid resource group", false, err);
    if (!two_key_name_ok(type, segments[count - 1].text, segments[count - 1].length))
        return err_set(err, -EINVAL, "holds no valid account name; those are %s", type->name.words);
    if (!two_key_above_ok(type, text))
        return err_set(err, -EINVAL, "holds no valid name above the last; those are %s",
                       type->above ? type->above : TWO_KEY_ABOVE_WORDS);
    *ret_id = (struct resource_id){
        .subscription = segments[1].text,
        .subscription_length = segments[1].length,
        .group = segments[3].text,
        .group_length = segments[3].length,
        .name = segments[count - 1].text,
        .name_length = segments[count - 1].length,
    };
    return 0;
}

const char *resource_identity_problem(const char *text)
{
    struct segment segments[SEGMENTS_MAX];
    bool legal = split(text, segments) == SEGMENTS && segment_is(segments[0], "subscriptions") &&
                 is_guid(segments[1]) && segment_is(segments[2], "resourceGroups") &&
                 !resource_group_problem(segments[3].text, segments[3].length) &&
                 segment_is(segments[4], "providers") &&
                 segment_is(segments[5], "Microsoft.ManagedIdentity") &&
                 segment_is(segments[6], "userAssignedIdentities") && segments[7].length > 0;

    if (ends_with_slash(text))
        return "ends with a slash; " IDENTITY_GRAMMAR;
    return legal ? NULL : "is not the resource id of a managed identity; " IDENTITY_GRAMMAR;
}
