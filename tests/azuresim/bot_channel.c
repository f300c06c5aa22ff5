#include "bot_channel.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "describe.h"
#include "memory.h"

#define CHANNEL_NAMES 2

static bool same_channel(const struct account *a, const struct account *b)
{
    return a->type == b->type && strcasecmp(a->names[0], b->names[0]) == 0 &&
           strcasecmp(a->names[1], b->names[1]) == 0;
}

static struct json_object *describe_site(const struct account *site, bool with_keys,
                                         int64_t wall_us)
{
    struct json_object *object = json_object_new_object();

    json_add_text(object, "siteName", site->names[CHANNEL_NAMES]);
    json_add_text(object, "siteId", site->names[CHANNEL_NAMES]);
    for (size_t slot = 0; slot < TYPE_PAIR; slot++)
        json_add_text(object, site->type->slots[slot].member,
                      with_keys ? account_key_at(site, slot, wall_us) : "");
    json_object_object_add(object, "isEnabled", json_object_new_boolean(true));
    json_object_object_add(object, "isV3Enabled", json_object_new_boolean(true));
    return object;
}

static struct json_object *describe_sites(const struct sim *sim, const struct account *any,
                                          bool with_keys, int64_t wall_us)
{
    struct json_object *sites = json_object_new_array();
    struct lh_entry *entry;

    for (entry = world_first(sim->world); entry; entry = lh_entry_next(entry)) {
        const struct account *site = lh_entry_v(entry);

        if (same_channel(site, any))
            json_object_array_add(sites, describe_site(site, with_keys, wall_us));
    }
    return sites;
}

struct json_object *bot_channel_describe(const struct sim *sim, const struct account *any,
                                         bool with_keys, int64_t wall_us)
{
    struct json_object *channel = describe_resource(sim, any);
    struct json_object *outer, *inner = json_object_new_object();

    json_object_object_get_ex(channel, "properties", &outer);
    json_add_text(outer, "channelName", any->names[1]);
    json_object_object_add(inner, "sites", describe_sites(sim, any, with_keys, wall_us));
    json_object_object_add(outer, "properties", inner);
    return channel;
}

struct account *bot_channel_site(struct sim *sim, const struct account *any, const char *name)
{
    char *full = memory_printf("%s/%s/%s", any->names[0], any->names[1], !name ? "" : name);
    struct account *site = world_find(sim->world, full);

    free(full);
    return site && same_channel(site, any) ? site : NULL;
}
