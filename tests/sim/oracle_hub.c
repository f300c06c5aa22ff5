/*
 * A hub is written back to renew one key: all other keys in it are those that it has at that
 * moment. Whatever is changed afterwards, the hub refuses until this change has ended. Rule 13.
 */
#include "hub.h"
#include "oracle_parts.h"

static const char *policy_of(const struct world *world, unsigned policy)
{
    static char name[HUB_NAME_MAX];

    return hub_policy_name(world, policy, name);
}

static bool is_kept(const struct world *world, const struct hub_writing *writing, unsigned policy,
                    enum slot slot)
{
    return !writing->removes[policy] &&
           writing->keys[policy][slot] == world->hub.past[0].keys[policy][slot];
}

static void others_are_kept(struct world *world, const struct world_account *account,
                            const struct hub_writing *writing)
{
    for (unsigned i = 0; i < hub_policies(world); i++)
        for (unsigned slot = 0; i != account->index && slot < SLOT_COUNT; slot++)
            if (!is_kept(world, writing, i, (enum slot)slot))
                oracle_convict(world, ORACLE_HUB_KEPT, account,
                               "what is written back lacks k%u, the %s key of policy %s",
                               world->hub.past[0].keys[i][slot], slot_name((enum slot)slot),
                               policy_of(world, i));
}

void hub_written(struct world *world, const struct world_account *account, enum slot slot,
                 const struct hub_writing *writing)
{
    const enum slot other = slot_other(slot);

    others_are_kept(world, account, writing);
    if (!is_kept(world, writing, account->index, other))
        oracle_convict(world, ORACLE_ONE_KEY, account,
                       "what is written back to renew the %s key lacks k%u, the %s one, too",
                       slot_name(slot), account->live[other], slot_name(other));
    if (writing->keys[account->index][slot] != KEY_NONE)
        oracle_convict(world, ORACLE_ONE_KEY, account,
                       "what is written back has k%u instead of a %s key to be made",
                       writing->keys[account->index][slot], slot_name(slot));
}
