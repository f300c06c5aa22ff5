#include "app/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "core/interlock.h"

static duration_ms list_age(const struct engine_account *account)
{
    return interlock_list_age(&account->config->timing, account->account->list_delay);
}

void engine_whole_describe(const struct engine_account *account, struct rotation_context *context)
{
    context->writes_whole = account->account->writes_whole;
    if (context->writes_whole)
        context->whole_is_known_at = time_add(
            loop_now(account->engine->parts.loop),
            two_key_unchanged_left(&account->azure.unchanged, list_age(account), time_boot()));
}

/* --- the other accounts --- */

struct gathering {
    struct engine_account *account;
    size_t count;
    bool counts; /* only */
};

static void add(struct gathering *gathering, const char *key, const struct record *record,
                bool watched)
{
    struct engine_account *account = gathering->account;

    if (strcmp(key, account->key) == 0 || !engine_pair_share(key, account->key))
        return;
    if (!gathering->counts)
        two_key_neighbour_init(&account->neighbours[gathering->count], key, record, watched);
    gathering->count++;
}

static void add_unconfigured(void *context, const char *key, const struct record *record)
{
    add(context, key, record, false);
}

/* An account that is leaving, or can have no targets, is not looked at. */
static size_t gather(struct engine_account *account, bool counts)
{
    struct gathering gathering = {.account = account, .counts = counts};

    list_for_each (link, &account->pair_link) {
        const struct engine_account *other = container_of(link, struct engine_account, pair_link);

        add(&gathering, other->key, &other->record, !other->removed && !other->account->problem);
    }
    engine_unconfigured_each(account->engine, add_unconfigured, &gathering);
    return gathering.count;
}

void engine_whole_prepare(struct engine_account *account)
{
    struct azure_account *azure = &account->azure;

    if (!account->account->writes_whole)
        return;
    azure->unchanged_for = list_age(account);
    list_for_each (link, &account->pair_link)
        two_key_unchanged_learn(
            &azure->unchanged,
            &container_of(link, struct engine_account, pair_link)->azure.unchanged);
    free(account->neighbours);
    account->neighbours =
        must_alloc_array(gather(account, true) + 1, sizeof(struct two_key_neighbour));
    azure->neighbours = account->neighbours;
    azure->neighbour_count = gather(account, false);
}
