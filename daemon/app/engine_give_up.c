#include "app/engine_private.h"

/* The delivery under way; NULL: none is. */
static const struct engine_part *delivery_of(const struct engine_account *account)
{
    if (!account->acting || account->acting->event.kind != EVENT_DELIVERED ||
        !account->parts[0].job)
        return NULL;
    return &account->parts[0];
}

void engine_give_up_delivery(struct engine_account *account, const char *why)
{
    const struct engine_part *part = delivery_of(account);

    if (part)
        target_give_up(part->job, why);
}

/* A look reads optional targets, too. */
static bool is_needed(const struct engine_account *account, const struct engine_part *part)
{
    if (account->draining)
        return false;
    return account->acting->event.kind == EVENT_LOOKED
               ? !!engine_account_destination(account, &part->id)
               : engine_account_requires(account, &part->id);
}

void engine_give_up_needless(struct engine_account *account)
{
    if (!account->acting || account->acting->event.kind == EVENT_DELIVERED)
        return;
    /* The next start asks again. */
    if (account->draining && account->acting->event.kind == EVENT_POLLED && account->call)
        azure_cancel(account->call);
    for (size_t i = 0; i < account->part_count; i++)
        if (account->parts[i].job && !is_needed(account, &account->parts[i]))
            target_give_up(account->parts[i].job, "nothing waits for it any more");
}
