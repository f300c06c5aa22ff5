#include "app/engine_private.h"

static void wake_others(struct engine_account *account)
{
    list_for_each (link, &account->pair_link) {
        struct engine_account *other = container_of(link, struct engine_account, pair_link);

        if (!other->removed && !other->waits && !other->draining)
            engine_account_post(other, EVENT_WAKE);
    }
}

void engine_pair_stepped(struct engine_account *account, const struct record *before)
{
    account->pair_held = account->pair_held || before->intent.open || account->record.intent.open;
}

void engine_pair_carried_out(struct engine_account *account)
{
    if (!account->pair_held || account->record.intent.open)
        return;
    account->pair_held = false;
    wake_others(account);
}

void engine_pair_leave(struct engine_account *account)
{
    wake_others(account);
    list_remove(&account->pair_link);
}
