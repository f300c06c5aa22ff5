#include <stdio.h>

#include "app/engine_private.h"
#include "base/encoding.h"
#include "conf/resource_id.h"
#include "proto/control_identify.h"
#include "proto/two_key/two_key.h"

/* A fingerprint that is sought, and the best that was found of it: a live key rather than a dead
 * one, and one of a configured account rather than what an account had that was left. */
struct find {
    const struct fingerprint *sought;
    enum key_use use;
    const struct engine_account *account; /* NULL: it is not configured */
    const char *key;                      /* of the account */
    const struct record *record;          /* NULL: not found */
    enum slot slot;
    bool slot_known;
    time_ms dead_since; /* TIME_NEVER: not known, or it is live */
    bool unconfirmed;
};

struct search {
    struct find finds[CONTROL_SOUGHT_MAX];
    size_t count;
};

static bool is_better(const struct find *found, const struct find *known)
{
    if (!known->record || found->use != known->use)
        return !known->record || found->use > known->use;
    return found->account && !known->account;
}

static void take(struct find *known, const struct find *found)
{
    if (is_better(found, known))
        *known = *found;
}

/* In a rotation consumers use both keys. */
static enum key_use use_of(const struct record *record, enum slot slot)
{
    return !record->adopted || slot == record->active || slot == record->delivering ? KEY_ACTIVE
                                                                                    : KEY_IDLE;
}

/* What the last look showed of an account that is not adopted; otherwise what the journal says. */
static const struct fingerprint *live_keys(const struct find *subject)
{
    static const struct fingerprint none[SLOT_COUNT];

    if (subject->record->adopted)
        return subject->record->live;
    return subject->account ? subject->account->azure.fingerprints : none;
}

static void seek_live(struct find *known, struct find found)
{
    const struct unconfirmed_drift *drift = &found.record->unconfirmed;
    const struct fingerprint *live = live_keys(&found);

    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        const bool shown = drift->pending && fingerprint_equal(&drift->live[slot], found.sought);
        const bool recorded = fingerprint_equal(&live[slot], found.sought);

        if (!shown && !recorded)
            continue;
        found.slot = (enum slot)slot;
        found.slot_known = true;
        found.use = use_of(found.record, found.slot);
        found.unconfirmed = drift->pending && shown != recorded;
        take(known, &found);
    }
}

static void seek_dead(struct find *known, struct find found)
{
    const struct record *record = found.record;

    for (size_t i = 0; i < REPLACED_MAX; i++) {
        if (!fingerprint_equal(&record->replaced[i], found.sought))
            continue;
        found.use = KEY_DEAD;
        found.slot = record->replaced_slot[i];
        found.slot_known = record->replaced_at[i] != 0;
        found.dead_since = found.slot_known ? record->replaced_at[i] : TIME_NEVER;
        take(known, &found);
    }
}

static void seek_in(struct search *search, const struct engine_account *account, const char *key,
                    const struct record *record)
{
    for (size_t i = 0; i < search->count; i++) {
        const struct find found = {.sought = search->finds[i].sought,
                                   .account = account,
                                   .key = key,
                                   .record = record,
                                   .dead_since = TIME_NEVER};

        seek_live(&search->finds[i], found);
        seek_dead(&search->finds[i], found);
    }
}

static void seek_in_unconfigured(void *search, const char *key, const struct record *record)
{
    seek_in(search, NULL, key, record);
}

/* --- telling --- */

static time_ms overlap_until(const struct find *found, time_ms now)
{
    time_ms end;

    if (found->use != KEY_IDLE || !found->account || found->record->overlap_from == 0)
        return TIME_NEVER;
    end = time_add(found->record->overlap_from, found->account->account->policy->overlap);
    return end > now ? end : TIME_NEVER;
}

static void fill(const struct find *found, time_ms now, struct identified_key *key)
{
    const struct intent *intent = &found->record->intent;

    key->slot = found->slot_known ? slot_name(found->slot) : NULL;
    key->adopted = found->record->adopted;
    key->configured = !!found->account;
    key->unconfirmed = found->unconfirmed;
    key->regenerating = found->use >= KEY_IDLE && intent->open && intent->slot == found->slot;
    /* The clock may have been set back since. */
    key->dead_since =
        found->dead_since == TIME_NEVER ? TIME_NEVER : time_min(found->dead_since, now);
    key->overlap_until = overlap_until(found, now);
    key->looked_at = found->record->looked_at;
}

enum { GROUP_MAX = 96 };

/* What an id says of an account that is not configured. */
static void name_by_id(const char *id, char name[TWO_KEY_ACCOUNT_NAME_MAX], char group[GROUP_MAX],
                       struct identified_key *key)
{
    struct resource_id parts;

    key->id = id;
    key->name = two_key_account_name(id, name, TWO_KEY_ACCOUNT_NAME_MAX);
    if (resource_id_parse(id, &parts, NULL) != 0)
        return;
    (void)snprintf(group, GROUP_MAX, "%.*s", (int)parts.group_length, parts.group);
    key->resource_group = group;
}

static void write_find(const struct find *found, time_ms now, struct buf *out)
{
    char fingerprint[FINGERPRINT_TEXT_MAX], name[TWO_KEY_ACCOUNT_NAME_MAX], group[GROUP_MAX];
    struct identified_key key = {.fingerprint = fingerprint,
                                 .state = key_use_name(found->use),
                                 .dead_since = TIME_NEVER,
                                 .overlap_until = TIME_NEVER,
                                 .looked_at = TIME_NEVER};

    hex_encode(found->sought->bytes, FINGERPRINT_LENGTH, fingerprint);
    if (found->account) {
        key.id = found->account->account->id;
        key.name = found->account->account->name;
        key.resource_group = found->account->account->resource_group;
    } else if (found->record) {
        name_by_id(found->key, name, group, &key);
    }
    if (found->record)
        fill(found, now, &key);
    control_identify_key(out, &key);
}

int engine_identify(const struct engine *engine, const struct control_query *query, struct buf *out)
{
    const time_ms now = loop_now(engine->parts.loop);
    struct search search = {.count = query->sought_count};

    for (size_t i = 0; i < search.count; i++)
        search.finds[i] = (struct find){.sought = &query->sought[i], .dead_since = TIME_NEVER};
    for (size_t i = 0; search.count > 0 && i < engine->account_count; i++)
        seek_in(&search, engine->accounts[i], engine->accounts[i]->key,
                &engine->accounts[i]->record);
    if (search.count > 0)
        engine_unconfigured_each(engine, seek_in_unconfigured, &search);
    control_identify_start(out, now, store_salt(engine->parts.store));
    for (size_t i = 0; i < search.count; i++)
        write_find(&search.finds[i], now, out);
    control_identify_end(out);
    return out->failed;
}
