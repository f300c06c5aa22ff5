/*
 * Ids of resources, of their pairs of keys and of policies of a hub, in place of
 * proto/two_key/table.c: there is one type that has two pairs, and that of policies.
 */
#include <string.h>

#include "base/str.h"
#include "design.h"
#include "hub.h"
#include "listing.h"
#include "world.h"

#define HUB_ID                                                                                     \
    "/subscriptions/subscription/resourcegroups/group/providers/microsoft.devices/iothubs/hub"
#define HUB_KEYS "/iothubkeys/"

static const struct two_key_resource second_pair = {
    .type = "Microsoft.Batch/batchAccounts",
    .noun = "an account",
    TWO_KEY_PAIR("second"),
    .api_version = "2024-02-01",
    .read_action = "Microsoft.Batch/batchAccounts/read",
};

const struct two_key_resource *two_key_resource_find(const char *id)
{
    if (str_starts_with(id, HUB_ID))
        return &two_key_iot_hub_policy;
    return id[two_key_resource_length(id)] == TWO_KEY_PAIR_MARK ? &second_pair : &listing_type;
}

const struct two_key_resource *two_key_pair_at(const struct two_key_resource *type, size_t index)
{
    (void)type;
    return index == 0 ? &listing_type : index == 1 ? &second_pair : NULL;
}

size_t two_key_resource_length(const char *account_id)
{
    return strcspn(account_id, (const char[]){TWO_KEY_PAIR_MARK, '\0'});
}

size_t two_key_changed_length(const char *account_id)
{
    return str_starts_with(account_id, HUB_ID) ? strlen(HUB_ID)
                                               : two_key_resource_length(account_id);
}

/* What asks for them writes back policies, or makes requests to the data plane. */
struct two_key_names two_key_names_of(const char *id)
{
    struct two_key_names names = {.count = 0};

    if (!str_starts_with(id, HUB_ID))
        return names;
    names.count = 2;
    names.at[0].text = strrchr(HUB_ID, '/') + 1;
    names.at[0].length = strlen(names.at[0].text);
    names.at[1].text = id + strlen(HUB_ID HUB_KEYS);
    names.at[1].length = strlen(names.at[1].text);
    return names;
}

const char *two_key_resource_name(const char *id, char *out, size_t size)
{
    (void)str_copy(out, size, strrchr(id, '/') ? strrchr(id, '/') + 1 : "");
    return out;
}

/* Rules find resources, not their further pairs; and the designs of others know of none. */
static bool has_pairs(const struct world *world)
{
    return world->script->pairs && world->script->rule_count == 0 && world->design->finds &&
           !world_has_hub(world);
}

struct world_account *world_pair_of(struct world *world, const struct world_account *account)
{
    const unsigned index = account->index ^ 1U;

    return has_pairs(world) && index < world->account_count ? &world->accounts[index] : NULL;
}

bool world_share_resource(struct world *world, const struct world_account *account,
                          const struct world_account *other)
{
    return account != other && (world_has_hub(world) || world_pair_of(world, account) == other);
}

void world_account_id(const struct world *world, unsigned index, char *out, size_t size)
{
    static const char batch[] =
        "/subscriptions/subscription/resourcegroups/group/providers/microsoft.batch/"
        "batchaccounts/";

    if (world_has_hub(world))
        (void)snprintf(out, size, HUB_ID HUB_KEYS "a%u", index + 1);
    else if (has_pairs(world) && index % 2 == 1)
        (void)snprintf(out, size, "%sa%u%csecond", batch, index, TWO_KEY_PAIR_MARK);
    else
        (void)snprintf(out, size, "%sa%u", batch, index + 1);
}
