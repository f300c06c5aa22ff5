/*
 * Ids of resources and of their pairs of keys, in place of proto/two_key/table.c: there is one
 * type, which has two pairs.
 */
#include <string.h>

#include "base/str.h"
#include "design.h"
#include "listing.h"
#include "world.h"

static const struct two_key_resource second_pair = {
    .type = "Microsoft.Batch/batchAccounts",
    .noun = "an account",
    TWO_KEY_PAIR("second"),
    .api_version = "2024-02-01",
    .read_action = "Microsoft.Batch/batchAccounts/read",
};

const struct two_key_resource *two_key_resource_find(const char *id)
{
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
    return two_key_resource_length(account_id);
}

const char *two_key_resource_name(const char *id, char *out, size_t size)
{
    (void)str_copy(out, size, strrchr(id, '/') ? strrchr(id, '/') + 1 : "");
    return out;
}

/* Rules find resources, not their further pairs; and the designs of others know of none. */
static bool has_pairs(const struct world *world)
{
    return world->script->pairs && world->script->rule_count == 0 && world->design->finds;
}

struct world_account *world_pair_of(struct world *world, const struct world_account *account)
{
    const unsigned index = account->index ^ 1U;

    return has_pairs(world) && index < world->account_count ? &world->accounts[index] : NULL;
}

void world_pair_id(const struct world *world, unsigned index, char *out, size_t size)
{
    if (has_pairs(world) && index % 2 == 1)
        (void)snprintf(out, size, "a%u%csecond", index, TWO_KEY_PAIR_MARK);
    else
        (void)snprintf(out, size, "a%u", index + 1);
}
