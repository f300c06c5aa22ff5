/*
 * What programs hold: the product itself.
 *
 * Every required target has programs of several habits, all of which read it again within overlap:
 * those that read it each time, those that read it now and then, the laziest possible, which hold
 * what stood there up to an overlap ago, and those that read it at their start and again when they
 * are refused. A program that finds no key there keeps the one it has. None of them may lose its
 * key to a request of the daemon.
 *
 * The only excuse: a key that somebody else put there counts only once a look has shown it to the
 * daemon and the journal has it; a crash before that forgets it, and a journal that is restored or
 * removed forgets all looks. What the daemon itself delivered always counts. A target that says yes
 * and keeps what it had has told the daemon that nobody holds the old key any more.
 */
#include "oracle_parts.h"

/* Nothing has been read yet: programs were given the key in use by hand. */
void consumer_world_begins(struct world *world, struct world_account *account)
{
    for (unsigned i = 0; i < world->script->target_count; i++) {
        struct oracle_target *target = &account->oracle.targets[i];
        key_number key = account->targets[i].past[0].key;

        target->held = oracle_is_key(key) ? key : account->live[world->script->active];
        target->held_known = world->script->has_adopt_active;
    }
}

/* A restored journal that knows the live keys: what was delivered, and seen, since it was copied
 * can be learned only from the targets. */
static void forget_deliveries(struct world_account *account, unsigned index)
{
    struct oracle_target *target = &account->oracle.targets[index];

    target->own_at[SLOT_PRIMARY] = target->own_at[SLOT_SECONDARY] = 0;
    if (!account->targets[index].settings.readable)
        target->held_known = false;
}

static bool has_live_keys(const struct world_account *account)
{
    for (int slot = 0; slot < SLOT_COUNT; slot++)
        if (world_key_of(&account->journal.live[slot]) != account->live[slot])
            return false;
    return account->in_journal;
}

void consumer_daemon_starts(struct world *world, struct world_account *account)
{
    for (unsigned i = 0; i < WORLD_TARGETS_MAX; i++) {
        struct oracle_target *target = &account->oracle.targets[i];

        target->seen = target->seen_saved = (struct oracle_seen){0};
        if (!world->oracle.journal_edited)
            continue;
        target->seen_at[SLOT_PRIMARY] = target->seen_at[SLOT_SECONDARY] = 0;
        target->seen_last = KEY_NONE;
        if (!account->targets[i].past[0].by_daemon)
            target->held_known = false;
        if (has_live_keys(account))
            forget_deliveries(account, i);
    }
}

/* --- what they hold --- */

/* The slot whose live key they hold, or SLOT_COUNT. */
static int slot_held(const struct world_account *account, const struct oracle_target *target)
{
    for (int slot = 0; slot < SLOT_COUNT; slot++)
        if (account->live[slot] == target->held)
            return slot;
    return SLOT_COUNT;
}

static void leave(struct world *world, const struct world_account *account,
                  struct oracle_target *target, bool by_daemon)
{
    int slot = slot_held(account, target);

    if (slot == SLOT_COUNT)
        return;
    target->left_at[slot] = world->now;
    /* It was told of another content. */
    if (by_daemon)
        target->own_at[slot] = world->now;
}

static void dead_key_arrives(struct world *world, struct world_account *account, unsigned target,
                             uint32_t key)
{
    if (key == account->live[SLOT_PRIMARY] || key == account->live[SLOT_SECONDARY] ||
        !oracle_cares(world, &account->targets[target]))
        return;
    /* Somebody else killed the key while the delivery was under way: too late to stop it. */
    if (account->oracle.targets[target].delivering_dead || told_killed(account, key))
        oracle_convict(world, ORACLE_NO_OUTAGE, account,
                       "programs that read %s now get k%u from the daemon, which is dead",
                       oracle_target_name(account, target), key);
}

void consumer_target_changes(struct world *world, struct world_account *account, unsigned target,
                             uint32_t key, bool by_daemon)
{
    struct oracle_target *state = &account->oracle.targets[target];

    if (!oracle_is_key(key))
        return;
    if (by_daemon)
        dead_key_arrives(world, account, target, key);
    if (key == state->held)
        return;
    leave(world, account, state, by_daemon);
    state->held = key;
    state->held_known = by_daemon;
}

void consumer_delivered(struct world *world, struct world_account *account, unsigned target,
                        uint32_t key)
{
    struct oracle_target *state = &account->oracle.targets[target];
    int slot = slot_held(account, state);

    if (state->held == key) {
        state->held_known = true;
        return;
    }
    if (slot != SLOT_COUNT && state->held_known)
        state->own_at[slot] = world->now;
    state->held_known = false;
}

/* --- what the daemon has seen of it --- */

void consumer_saw(struct world *world, struct world_account *account, unsigned target, uint32_t key)
{
    account->oracle.targets[target].seen = (struct oracle_seen){.key = key, .at = world->now};
}

void consumer_saved(struct world_account *account)
{
    for (unsigned i = 0; i < WORLD_TARGETS_MAX; i++) {
        struct oracle_target *target = &account->oracle.targets[i];

        if (target->seen.at == 0)
            continue;
        target->seen_saved = target->seen;
        target->seen.at = 0;
    }
}

void consumer_durable(struct world_account *account)
{
    for (unsigned i = 0; i < WORLD_TARGETS_MAX; i++) {
        struct oracle_target *target = &account->oracle.targets[i];

        if (target->seen_saved.at == 0)
            continue;
        /* The content of the look before may have stood there until this look. */
        for (int slot = 0; slot < SLOT_COUNT; slot++)
            if (account->live[slot] == target->seen_saved.key ||
                account->live[slot] == target->seen_last)
                target->seen_at[slot] = target->seen_saved.at;
        target->seen_last = target->seen_saved.key;
        if (target->held == target->seen_saved.key)
            target->held_known = true;
        target->seen_saved.at = 0;
    }
}

/* --- a key dies by our request --- */

static bool within(const struct world *world, time_ms at, duration_ms overlap)
{
    return at != 0 && world->now - at < overlap;
}

/* The most careful habit that loses its key. */
static const char *habit(duration_ms since, duration_ms overlap)
{
    if (since == 0)
        return "each time";
    return since < overlap / 2 ? "twice in an overlap" : "once in an overlap";
}

/* Did somebody else change the target too late for the look before the request, which cannot be
 * called back? */
static bool is_meddled_with(const struct world_account *account, unsigned target, uint32_t key)
{
    const struct world_target *from = &account->targets[target];

    for (size_t i = 0; i < from->past_count; i++)
        if (!from->past[i].by_daemon && from->past[i].from >= account->oracle.attempt_looked_at &&
            (key == KEY_NONE || from->past[i].key == key))
            return true;
    return false;
}

/* May programs hold the slot's key, and can the daemon know? */
static void loses_key(struct world *world, struct world_account *account, unsigned target,
                      enum slot slot)
{
    const struct oracle_target *state = &account->oracle.targets[target];
    duration_ms overlap = account->oracle.attempt_overlap;
    bool stands = state->held == account->live[slot];
    bool held = stands || within(world, state->left_at[slot], overlap);
    bool known = (stands && state->held_known) || state->told == account->live[slot] ||
                 within(world, state->own_at[slot], overlap) ||
                 within(world, state->seen_at[slot], overlap);
    duration_ms since = stands ? 0 : world->now - state->left_at[slot];

    if (is_meddled_with(account, target, account->live[slot]) || lasting_is_forgiven(account))
        return;
    if (!held || !known || (!stands && state->left_at[slot] < account->targets[target].cared_since))
        return;
    oracle_convict(world, ORACLE_NO_OUTAGE, account,
                   "k%u is regenerated, which programs that read %s %s may hold: it %s%s%s",
                   account->live[slot], oracle_target_name(account, target), habit(since, overlap),
                   stands ? "stands there" : "left ", stands ? "" : oracle_words(since),
                   stands ? "" : " ago");
}

/* Programs that read again when refused: do they find a live key? */
static void finds_nothing(struct world *world, struct world_account *account, unsigned target,
                          enum slot slot)
{
    const struct oracle_target *state = &account->oracle.targets[target];
    key_number other = account->live[slot_other(slot)];

    if (is_meddled_with(account, target, KEY_NONE) || lasting_is_forgiven(account))
        return;
    if (account->targets[target].past[0].key == other || state->told == other ||
        state->told == ORACLE_UNTOLD || state->left_at[slot] < account->targets[target].cared_since)
        return;
    /* Somebody else took the other key away, which the look before the request did not show. A
     * request that takes effect later cannot be called back by what later looks show; how soon the
     * target is repaired is for ORACLE_REPAIRED to judge. */
    if (account->oracle.by_stranger[slot_other(slot)] && account->oracle.attempt_beside != other)
        return;
    oracle_convict(world, ORACLE_NO_OUTAGE, account,
                   "programs that hold k%u, and read %s again when they are refused, find no live "
                   "key there",
                   account->live[slot], oracle_target_name(account, target));
}

void consumer_key_dies(struct world *world, struct world_account *account, enum slot slot,
                       bool by_daemon)
{
    for (unsigned i = 0; i < world->script->target_count; i++) {
        struct oracle_target *state = &account->oracle.targets[i];
        const struct world_target *target = &account->targets[i];

        if (by_daemon && target->configured && target->required &&
            target->cared_since < account->oracle.attempt_at) {
            loses_key(world, account, i, slot);
            finds_nothing(world, account, i, slot);
        }
        state->left_at[slot] = state->own_at[slot] = state->seen_at[slot] = 0;
    }
}
