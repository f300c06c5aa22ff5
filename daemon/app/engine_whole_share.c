#include "app/engine_private.h"

/* When a key may be renewed depends on it, and what the totals say of the next rotation does, too.
 * An account that is made ready is counted anew. */
void engine_whole_share(struct engine_account *account)
{
    if (!account->account->writes_whole)
        return;
    list_for_each (link, &account->pair_link) {
        struct engine_account *other = container_of(link, struct engine_account, pair_link);
        struct two_key_unchanged *unchanged = &other->azure.unchanged;
        const duration_ms since = unchanged->since;

        two_key_unchanged_learn(unchanged, &account->azure.unchanged);
        if (unchanged->since != since)
            engine_account_make_ready(other);
    }
    engine_account_make_ready(account);
}
