/*
 * Pairs of keys of one resource: while one is regenerated, the others are not. Rule 13.
 */
#include "oracle_parts.h"

/* Its request is on its way, or has yet to take effect. Nobody can know that one takes effect
 * twice.
 */
static bool is_under_way(const struct world *world, const struct world_account *account)
{
    list_for_each_entry (operation, (struct list *)(uintptr_t)&world->operations, struct operation,
                         link)
        if (operation->account == account && operation->effect == EFFECT_REGENERATE &&
            (operation->done || (operation->takes_effect.place != 0 && !operation->took_effect)))
            return true;
    return false;
}

void pairs_regenerate(struct world *world, struct world_account *account)
{
    const struct world_account *other = world_pair_of(world, account);

    if (!other)
        return;
    if (is_under_way(world, other))
        oracle_convict(world, ORACLE_PAIRS_APART, account,
                       "a regenerate while one of %s, of the same resource, is under way",
                       other->name);
    /* The intent of one that is not under care is left as it is. */
    if (other->configured && other->in_journal && other->journal.intent.open)
        oracle_convict(world, ORACLE_PAIRS_APART, account,
                       "a regenerate while the journal has an intent of %s, of the same resource",
                       other->name);
}
