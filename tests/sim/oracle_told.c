/*
 * What the daemon was told: of the targets by the answers to its deliveries and by its looks, of
 * the keys by its looks and its regenerates. It is blamed only for what it could know.
 *
 * After a start it knows what its journal says.
 */
#include "oracle_parts.h"

void told_world_begins(struct world *world, struct world_account *account)
{
    (void)world;
    for (unsigned i = 0; i < WORLD_TARGETS_MAX; i++) {
        account->oracle.targets[i].told = ORACLE_UNTOLD;
        account->oracle.targets[i].given = ORACLE_UNTOLD;
        account->oracle.targets[i].shown = ORACLE_UNTOLD;
    }
}

/* --- targets --- */

static bool is_live(const struct oracle_account *state, const struct world_account *account,
                    uint32_t key)
{
    const uint32_t *live = state->look.ended != 0 ? state->look.live : account->live;

    return key == live[SLOT_PRIMARY] || key == live[SLOT_SECONDARY];
}

/* The live key that readers of the target were last given, and since when. Another live key that
 * was seen once and is gone counts from when it was last seen. */
static void note_given(struct world *world, struct oracle_target *target, uint32_t key)
{
    if (target->given != key) {
        target->given_since = target->given_before == key ? target->given_seen_at : world->now;
        target->given_before = target->given;
        target->given = key;
    }
    target->given_seen_at = world->now;
}

void told_read(struct world *world, struct world_account *account, const struct operation *read)
{
    struct oracle_target *target = &account->oracle.targets[read->target];

    if (account->oracle.look.past)
        return;
    if (target->shown != read->key) {
        target->shown = read->key;
        target->shown_since = world->now;
    }
    target->told = read->key;
    target->kept = target->kept || read->key == target->delivered;
    if (is_live(&account->oracle, account, read->key))
        note_given(world, target, read->key);
}

void told_delivered(struct world *world, struct world_account *account,
                    const struct operation *delivery)
{
    struct oracle_target *target = &account->oracle.targets[delivery->target];

    target->told = delivery->key;
    if (delivery->changed)
        target->given_before = target->given = ORACLE_UNTOLD;
    note_given(world, target, delivery->key);
}

/* --- live keys --- */

static struct oracle_dead *find_dead(struct oracle_account *state, uint32_t key)
{
    for (size_t i = 0; i < ORACLE_DEAD_MAX; i++)
        if (state->dead[i].key == key)
            return &state->dead[i];
    return NULL;
}

/* How long Azure has to show a key until it counts as live, whatever the journal knows: looks lag
 * by unknown_wait at most. A journal that knows better is believed for an hour, but not while it is
 * begun anew. */
static duration_ms believed_after(const struct world *world, const struct world_account *account,
                                  uint32_t key)
{
    const struct record *journal = &account->journal;
    struct fingerprint fingerprint = world_fingerprint(key);
    bool knows_better = account->in_journal && journal->adopted && !journal->adopt_asked &&
                        record_is_replaced(journal, &fingerprint);

    return knows_better ? MS_HOUR : world->timing.unknown_wait;
}

/* Then the daemon cannot know that the key is dead. */
static void show_dead(const struct world *world, struct world_account *account, enum slot slot,
                      uint32_t key)
{
    for (size_t i = 0; i < ORACLE_DEAD_MAX; i++) {
        struct oracle_dead *dead = &account->oracle.dead[i];

        if (dead->slot != slot)
            continue;
        if (dead->key != key)
            dead->again_since = 0;
        else if (dead->again_since == 0)
            dead->again_since = world->now;
        else if (world->now - dead->again_since >= believed_after(world, account, key))
            dead->known = false;
    }
}

void told_looked(struct world *world, struct world_account *account, const struct operation *look)
{
    struct oracle_account *state = &account->oracle;

    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        state->look.live[slot] = look->live[slot];
        if (look->live[slot] != account->live[slot])
            state->look.past = look->mishap == MISHAP_PAST;
        else if (state->strange_since[slot] == 0)
            state->strange_since[slot] = world->now;
        show_dead(world, account, (enum slot)slot, look->live[slot]);
        if (state->shown[slot] == look->live[slot])
            continue;
        state->shown[slot] = look->live[slot];
        state->shown_since[slot] = world->now;
    }
}

bool told_killed(struct world_account *account, uint32_t key)
{
    const struct oracle_dead *dead = find_dead(&account->oracle, key);

    return dead && dead->known && dead->by_daemon;
}

bool told_dead(struct world_account *account, uint32_t key)
{
    const struct oracle_dead *dead = find_dead(&account->oracle, key);

    return dead && dead->known;
}

void told_key_dies(struct world_account *account, enum slot slot, bool by_daemon)
{
    struct oracle_account *state = &account->oracle;

    memmove(&state->dead[1], &state->dead[0], (ORACLE_DEAD_MAX - 1) * sizeof(state->dead[0]));
    state->dead[0] = (struct oracle_dead){
        .key = account->live[slot],
        .slot = slot,
        .by_daemon = by_daemon,
        .shown = state->strange_since[slot] != 0 ||
                 (account->in_journal &&
                  world_key_of(&account->journal.live[slot]) == account->live[slot]),
    };
    state->by_stranger[slot] = !by_daemon;
    state->strange_since[slot] = 0;
}

/* A key that the daemon was never shown may be the one after it: somebody else acted between its
 * look and its request, which no client can rule out. */
static void know_dead(struct oracle_account *state, enum slot slot)
{
    for (size_t i = 0; i < ORACLE_DEAD_MAX; i++)
        if (state->dead[i].slot == slot && state->dead[i].shown)
            state->dead[i].known = true;
}

/* It worked: the key that the look before it showed is dead, whatever the answer shows. If the
 * answer shows the new key, all earlier keys of the slot are dead, too. */
void told_regenerated(struct world *world, struct world_account *account,
                      const struct operation *regenerate)
{
    struct oracle_account *state = &account->oracle;
    enum slot slot = regenerate->slot;
    struct oracle_dead *before =
        find_dead(state, world_key_of(&account->journal.intent.before[slot]));

    /* It goes on. */
    if (regenerate->number != 0)
        return;
    if (before)
        before->known = true;
    for (int i = 0; i < SLOT_COUNT; i++) {
        if (!regenerate->shows[i])
            continue;
        if (regenerate->live[i] == account->live[i] && state->strange_since[i] == 0)
            state->strange_since[i] = world->now;
        if (state->shown[i] == regenerate->live[i])
            continue;
        state->shown[i] = regenerate->live[i];
        state->shown_since[i] = world->now;
    }
    if (regenerate->shows[slot] && regenerate->live[slot] == account->live[slot])
        know_dead(state, slot);
}

void told_durable(struct world_account *account, const struct record *record)
{
    for (int slot = 0; record->adopted && slot < SLOT_COUNT; slot++)
        if (world_key_of(&record->live[slot]) == account->live[slot])
            know_dead(&account->oracle, (enum slot)slot);
}

/* --- a start --- */

static void read_journal(struct world_account *account, unsigned target, bool edited)
{
    struct oracle_target *state = &account->oracle.targets[target];
    const struct target_record *record =
        account->in_journal ? record_target_const(&account->journal, &account->targets[target].id)
                            : NULL;
    uint32_t key = record ? world_key_of(&record->fingerprint) : KEY_NONE;
    uint32_t given = key != KEY_NONE ? key : ORACLE_UNTOLD;

    state->told = record && record->acknowledged ? given : ORACLE_UNTOLD;
    if (state->given == given && !edited)
        return;
    state->given = given;
    state->given_before = ORACLE_UNTOLD;
    state->given_since = state->given_seen_at = 0;
}

/* A restored or removed journal knows less than the daemon once did. */
static void forget_dead(struct world_account *account)
{
    struct oracle_account *state = &account->oracle;

    for (size_t i = 0; i < ORACLE_DEAD_MAX; i++) {
        struct fingerprint fingerprint = world_fingerprint(state->dead[i].key);

        state->dead[i].known =
            account->in_journal && record_is_replaced(&account->journal, &fingerprint);
    }
}

void told_daemon_starts(struct world *world, struct world_account *account)
{
    account->oracle.look = (struct oracle_look){0};
    for (unsigned i = 0; i < world->script->target_count; i++)
        read_journal(account, i, world->oracle.journal_edited);
    if (world->oracle.journal_edited)
        forget_dead(account);
    for (int slot = 0; !account->in_journal && slot < SLOT_COUNT; slot++)
        account->oracle.shown[slot] = KEY_NONE;
}
