#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "proto/two_key/two_key.h"

size_t two_key_depth(const struct two_key_resource *type)
{
    size_t slashes = 0;

    for (const char *c = type->type; *c != '\0'; c++)
        slashes += *c == '/';
    return slashes;
}

/* "hybridConnections": "CONNECTION", the last of its words, in the singular. */
static void append_placeholder(struct buf *out, const char *segment, size_t length)
{
    size_t start = length;

    while (start > 0 && !isupper((unsigned char)segment[start - 1]))
        start--;
    start = start > 0 ? start - 1 : 0;
    if (length - start > 1 && segment[length - 1] == 's')
        length--;
    for (size_t i = start; i < length; i++)
        (void)buf_append_char(out, (char)toupper((unsigned char)segment[i]));
}

void two_key_append_path_form(const struct two_key_resource *type, struct buf *out)
{
    const char *segment = type->type;

    for (size_t depth = 0; *segment != '\0'; depth++) {
        const size_t length = strcspn(segment, "/");

        if (depth > 2)
            (void)buf_append_char(out, '/');
        if (depth > 1)
            append_placeholder(out, segment, length);
        segment += length + (segment[length] == '/' ? 1 : 0);
    }
}

/* Takes the text into the list unless it is none, or there already. */
static size_t take(const char *list[], size_t count, const char *text)
{
    for (size_t i = 0; text && i < count; i++)
        if (str_equal(list[i], text))
            return count;
    if (text)
        list[count++] = text;
    return count;
}

/* learn.microsoft.com, "Azure permissions"; of Cosmos DB and Redis those in built-in roles.
 * Providers of which none is documented have no row. */
static const struct {
    const char *type; /* the beginning of it */
    const char *actions[TWO_KEY_POLL_ACTIONS_MAX];
} polls[] = {
    {"Microsoft.Cache/", {"Microsoft.Cache/locations/operationsStatus/read"}},
    {"Microsoft.Devices/IotHubs/",
     {"Microsoft.Devices/iotHubs/operationresults/read",
      "Microsoft.Devices/locations/operationresults/read"}},
    {"Microsoft.Devices/provisioningServices/",
     {"Microsoft.Devices/provisioningServices/operationresults/read",
      "Microsoft.Devices/locations/operationresults/read"}},
    {"Microsoft.DocumentDB/", {"Microsoft.DocumentDB/locations/operationsStatus/read"}},
    {"Microsoft.EventGrid/",
     {"Microsoft.EventGrid/locations/operationsStatus/read",
      "Microsoft.EventGrid/locations/operationResults/read"}},
    {"Microsoft.SignalRService/signalR",
     {"Microsoft.SignalRService/locations/operationStatuses/signalr/read",
      "Microsoft.SignalRService/locations/operationresults/signalr/read"}},
    {"Microsoft.SignalRService/webPubSub",
     {"Microsoft.SignalRService/locations/operationStatuses/webpubsub/read",
      "Microsoft.SignalRService/locations/operationresults/webpubsub/read"}},
};

size_t two_key_poll_actions(const struct two_key_resource *type,
                            const char *actions[TWO_KEY_POLL_ACTIONS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; type->slow_for > 0 && i < sizeof(polls) / sizeof(polls[0]); i++)
        for (size_t k = 0; k < TWO_KEY_POLL_ACTIONS_MAX; k++)
            if (str_starts_with_nocase(type->type, polls[i].type))
                count = take(actions, count, polls[i].actions[k]);
    return count;
}

size_t two_key_actions(const struct two_key_resource *type,
                       const char *actions[TWO_KEY_ACTIONS_MAX])
{
    size_t count = take(actions, 0, type->read_action);

    count = take(actions, count, type->list_action);
    count = take(actions, count, type->regenerate_action);
    count = take(actions, count, type->regenerate_secondary_action);
    return count + two_key_poll_actions(type, actions + count);
}

const char *two_key_regenerate_action(const struct two_key_resource *type, enum slot slot)
{
    return slot == SLOT_SECONDARY && type->regenerate_secondary_action
               ? type->regenerate_secondary_action
               : type->regenerate_action;
}

size_t two_key_variables(const struct two_key_resource *type,
                         const char *names[TWO_KEY_VARIABLES_MAX])
{
    size_t count = take(names, 0, type->env_name);

    count = take(names, count, type->env_key);
    count = take(names, count, type->env_key_id);
    count = take(names, count, type->env_endpoint);
    count = take(names, count, type->env_other_key);
    return take(names, count, type->env_other_endpoint);
}
