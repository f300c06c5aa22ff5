/*
 * Deliveries, and what the journal says of them: rules 6 to 10.
 */
#include "oracle_parts.h"

enum { SLACK_MS = 1000 };

/* All required targets have the key that was under delivery: nothing is frozen any more. */
void delivery_settle(const struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;

    if (state->delivering != KEY_NONE && oracle_all_told(world, account, state->delivering))
        state->delivering = KEY_NONE;
    if (!state->attempt_resolved &&
        oracle_all_told(world, account, account->live[state->attempt_slot]))
        state->attempt_resolved = true;
}

/* --- a delivery begins --- */

static const struct target_record *journal_of(const struct world_account *account, unsigned target)
{
    if (!account->in_journal)
        return NULL;
    return record_target_const(&account->journal, &account->targets[target].id);
}

static void is_offered(struct world *world, struct world_account *account,
                       const struct operation *delivery)
{
    const struct target_record *record = journal_of(account, delivery->target);

    if (!record || !record->delivery_intended)
        oracle_convict(world, ORACLE_OFFER_FIRST, account,
                       "k%u is delivered to %s, and the journal does not know that it may hold it",
                       delivery->key, oracle_target_name(account, delivery->target));
}

/* The key that the journal has under delivery. No other one counts while a delivery of it is on its
 * way. Somebody else's regenerate, or a person who says which key is in use, ends that. */
static void is_goal(struct world *world, struct world_account *account,
                    const struct operation *delivery)
{
    const struct oracle_account *state = &account->oracle;
    const struct record *journal = &account->journal;

    if (oracle_knows_keys(oracle_journal(account)) &&
        world_key_of(&journal->live[journal->delivering]) != delivery->key)
        oracle_convict(world, ORACLE_DELIVERS_GOAL, account,
                       "k%u is delivered to %s, but the journal's goal is k%u", delivery->key,
                       oracle_target_name(account, delivery->target),
                       world_key_of(&journal->live[journal->delivering]));
    if (state->delivering == KEY_NONE || state->delivering == delivery->key ||
        state->attempt_resolved ||
        (state->until_outcome && journal->delivering != journal->active) ||
        (state->delivering != account->live[SLOT_PRIMARY] &&
         state->delivering != account->live[SLOT_SECONDARY]))
        return;
    oracle_convict(world, ORACLE_DELIVERS_GOAL, account,
                   "k%u is delivered to %s while k%u is still owed to some", delivery->key,
                   oracle_target_name(account, delivery->target), state->delivering);
}

/* A required target that comes first in the order and lacks the key; TARGETS_MAX: none. */
static unsigned who_is_before(const struct world *world, const struct world_account *account,
                              const struct operation *delivery)
{
    unsigned end = account->targets[delivery->target].required ? delivery->target
                                                               : world->script->target_count;

    for (unsigned i = 0; i < end; i++)
        if (i != delivery->target && oracle_cares(world, &account->targets[i]) &&
            account->oracle.targets[i].told != delivery->key)
            return i;
    return TARGETS_MAX;
}

static bool is_live_key(const struct world_account *account, uint32_t key)
{
    return key == account->live[SLOT_PRIMARY] || key == account->live[SLOT_SECONDARY];
}

/* Did the last look show the key as live? The daemon takes keys made since then for dead. */
static bool was_shown_live(const struct oracle_account *state, uint32_t key)
{
    return key == state->look.live[SLOT_PRIMARY] || key == state->look.live[SLOT_SECONDARY];
}

/* Does the daemon take what it holds for dead? A look that could not read it has to. */
static bool counts_as_dead(const struct world_account *account, unsigned target)
{
    const struct target_record *record =
        record_target_const(&account->journal, &account->targets[target].id);

    return record && record->dead_since != 0;
}

/* In a rotation the order holds: the key that the target holds still works. */
static void is_in_order(struct world *world, struct world_account *account,
                        const struct operation *delivery)
{
    const struct record *journal = &account->journal;
    const struct oracle_target *target = &account->oracle.targets[delivery->target];
    unsigned before = who_is_before(world, account, delivery);

    if (!oracle_knows_keys(oracle_journal(account)) || journal->delivering == journal->active ||
        before == TARGETS_MAX || counts_as_dead(account, delivery->target) ||
        !is_live_key(account, target->told) || !was_shown_live(&account->oracle, target->told) ||
        !is_live_key(account, account->targets[delivery->target].past[0].key))
        return;
    oracle_convict(world, ORACLE_IN_ORDER, account,
                   "k%u is delivered to %s, and %s does not have it yet", delivery->key,
                   oracle_target_name(account, delivery->target),
                   oracle_target_name(account, before));
}

unsigned delivery_owner(const struct world_account *account, unsigned hook)
{
    unsigned owner = hook;

    if (!account->targets[hook].settings.hook)
        return TARGETS_MAX;
    while (owner > 0 && account->targets[owner].settings.hook)
        owner--;
    return owner != hook && account->targets[owner].configured &&
                   !account->targets[owner].settings.hook
               ? owner
               : TARGETS_MAX;
}

/* A hook is told of a key that its target has. */
static void follows_its_target(struct world *world, struct world_account *account,
                               const struct operation *delivery)
{
    const unsigned owner = delivery_owner(account, delivery->target);

    if (owner == TARGETS_MAX || !oracle_knows_keys(oracle_journal(account)) ||
        account->journal.another_rotator || account->oracle.targets[owner].told == delivery->key)
        return;
    oracle_convict(world, ORACLE_IN_ORDER, account,
                   "%s is told of k%u, and %s does not have it yet",
                   oracle_target_name(account, delivery->target), delivery->key,
                   oracle_target_name(account, owner));
}

/* The hooks of a target that holds something else now have to be told again. */
static void hooks_are_owed(struct world *world, struct world_account *account, unsigned target)
{
    for (unsigned i = target + 1; i < world->script->target_count; i++)
        if (delivery_owner(account, i) == target && oracle_cares(world, &account->targets[i]))
            account->oracle.targets[i].ran_before |= 1U << target;
}

static void is_settled(struct world *world, struct world_account *account,
                       const struct operation *delivery)
{
    const struct oracle_target *state = &account->oracle.targets[delivery->target];
    const struct world_target *target = &account->targets[delivery->target];
    time_ms settled_at = state->unsettled_at + world->timing.unknown_wait - SLACK_MS;

    if (target->settings.settles_at_once || state->unsettled_at == 0)
        return;
    if (world->now < settled_at)
        oracle_convict(world, ORACLE_UNSETTLED, account,
                       "a delivery to %s %s after one of unknown outcome",
                       oracle_target_name(account, delivery->target),
                       oracle_words(world->now - state->unsettled_at));
}

/* A key of its own rotation, not one that it adopted, nor one that replaced the key in use after
 * the rotation was complete: that goes at once to targets that hold a dead one. Where the data
 * plane cannot be reached, verify: auto delivers it unverified after verify_timeout; where the data
 * plane refuses it, delivery waits. */
static void is_proven(struct world *world, struct world_account *account,
                      const struct operation *delivery)
{
    const struct oracle_account *state = &account->oracle;
    uint32_t key = delivery->key;
    duration_ms patience = world->timing.verify_timeout - SLACK_MS;
    const struct record *journal = oracle_journal(account);

    if (!state->attempted || state->attempt_resolved || state->verify == VERIFY_OFF ||
        (journal && !journal->intent.open && journal->delivering == journal->active) ||
        key != account->live[state->attempt_slot] || state->by_stranger[state->attempt_slot] ||
        key == state->attempt_before || key == state->proven_key)
        return;
    if (key == state->refused_key)
        oracle_convict(world, ORACLE_PROVEN, account,
                       "k%u is delivered to %s, and the data plane refuses it", key,
                       oracle_target_name(account, delivery->target));
    else if (state->verify == VERIFY_REQUIRED || world->now - state->unproven_since < patience)
        oracle_convict(world, ORACLE_PROVEN, account,
                       "k%u is delivered to %s, and the data plane was not seen to accept it", key,
                       oracle_target_name(account, delivery->target));
}

/* The demands on the key that was under delivery end. */
void delivery_reconfigured(const struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;
    enum verify_mode verify = world->policy.verify;

    if (verify == VERIFY_OFF || (verify == VERIFY_AUTO && state->verify == VERIFY_REQUIRED))
        state->verify = verify;
    delivery_settle(world, account);
}

/* The journal was restored: a target names a rotation that the journal never knew. */
static void journal_fits(struct world *world, struct world_account *account,
                         const struct operation *delivery)
{
    const struct oracle_look *look = &account->oracle.look;

    if (account->in_journal && look->cycle > account->journal.cycle)
        oracle_convict(world, ORACLE_JOURNAL_UNFIT, account,
                       "k%u is delivered in cycle %llu although a target tells of cycle %llu",
                       delivery->key, (unsigned long long)account->journal.cycle,
                       (unsigned long long)look->cycle);
}

void delivery_begins(struct world *world, struct world_account *account,
                     const struct operation *operation)
{
    struct oracle_account *state = &account->oracle;
    struct oracle_target *target = &state->targets[operation->target];
    uint32_t key = operation->key;

    is_offered(world, account, operation);
    is_goal(world, account, operation);
    is_in_order(world, account, operation);
    follows_its_target(world, account, operation);
    is_proven(world, account, operation);
    is_settled(world, account, operation);
    journal_fits(world, account, operation);
    target->delivering_dead = told_dead(account, key);
    if (target->delivering_dead)
        oracle_convict(world, ORACLE_PAST_LOOK, account,
                       "k%u is delivered to %s, which the daemon can know to be dead", key,
                       oracle_target_name(account, operation->target));
    if (state->delivering != key && account->targets[operation->target].required) {
        state->delivering = key;
        state->until_outcome = account->in_journal && account->journal.intent.open;
        /* From here on this key has to reach all required targets. */
        if (key == account->live[state->attempt_slot])
            state->attempt_resolved = false;
    }
}

/* --- the outcome --- */

/* For designs whose journal has no such time: all required targets have the key that it made. */
static void rotation_is_complete(struct world *world, struct world_account *account, uint32_t key)
{
    struct oracle_account *state = &account->oracle;

    if (oracle_knows_keys(oracle_journal(account)) || !state->attempted ||
        key != account->live[state->attempt_slot] || state->by_stranger[state->attempt_slot] ||
        key == state->completed_key || !oracle_all_told(world, account, key))
        return;
    state->completed_key = key;
    liveness_completed(world, account);
    schedule_completed(world, account, world_wall(world), false);
}

void delivery_ends(struct world *world, struct world_account *account,
                   const struct operation *operation, bool failed, bool unknown)
{
    struct oracle_target *target = &account->oracle.targets[operation->target];

    if (unknown) {
        target->unsettled_at = world->now;
        return;
    }
    if (failed)
        return;
    target->unsettled_at = 0;
    target->delivered = target->seen_last = operation->key;
    target->kept = target->handed_out = false;
    target->ran_before = 0;
    for (unsigned i = 0; i < operation->target; i++)
        if (!account->targets[operation->target].settings.readable &&
            oracle_cares(world, &account->targets[i]) &&
            account->oracle.targets[i].claimed != operation->key)
            target->ran_before |= 1U << i;
    if (operation->changed)
        hooks_are_owed(world, account, operation->target);
    told_delivered(world, account, operation);
    delivery_settle(world, account);
    rotation_is_complete(world, account, operation->key);
    if (account->targets[operation->target].past[0].key != operation->key)
        consumer_delivered(world, account, operation->target, operation->key);
}

void delivery_changes(struct world *world, struct world_account *account, unsigned target,
                      uint32_t key)
{
    (void)key;
    account->oracle.targets[target].changed_at = world->now;
}

/* The delivery on its way may still land. */
void delivery_daemon_ends(struct world *world, struct world_account *account)
{
    for (unsigned i = 0; i < world->script->target_count; i++)
        if ((account->oracle.deliveries & 1U << i) != 0)
            account->oracle.targets[i].unsettled_at = world->now;
}

/* --- what the journal says of it --- */

static void acknowledgement_is_true(struct world *world, struct world_account *account,
                                    unsigned index, const struct target_record *record)
{
    struct oracle_target *target = &account->oracle.targets[index];
    uint32_t key = record->acknowledged ? world_key_of(&record->fingerprint) : KEY_NONE;

    if (key == target->claimed)
        return;
    if (key != KEY_NONE && key != target->told)
        oracle_convict(world, ORACLE_ACKNOWLEDGED, account,
                       "the journal says that %s has k%u, but it was neither given it nor seen to "
                       "hold it",
                       oracle_target_name(account, index), key);
}

/* A required target without the key, by what the daemon was told; or NULL. */
static const char *who_lacks(const struct world *world, const struct world_account *account,
                             uint32_t key, bool seen_only)
{
    for (unsigned i = 0; i < world->script->target_count; i++)
        if (oracle_cares(world, &account->targets[i]) && account->oracle.targets[i].told != key &&
            (!seen_only || (account->oracle.look.seen & 1U << i) != 0))
            return oracle_target_name(account, i);
    return NULL;
}

static void active_moves(struct world *world, struct world_account *account,
                         const struct record *record)
{
    const struct oracle_said *said = &account->oracle.said;
    uint32_t key = world_key_of(&record->live[record->active]);
    /* Somebody else rotated: targets that the look could not read are owed the key. */
    bool elsewhere =
        said->delivering == said->active && account->oracle.by_stranger[record->active];
    const char *lacking = who_lacks(world, account, key, elsewhere);

    if (!elsewhere && said->delivering != record->active)
        oracle_convict(world, ORACLE_ACTIVE_LAST, account,
                       "the %s key is called active, which was not under delivery",
                       slot_name(record->active));
    else if (lacking)
        oracle_convict(world, ORACLE_ACTIVE_LAST, account,
                       "the %s key is called active although %s does not have it",
                       slot_name(record->active), lacking);
}

void delivery_saved(struct world *world, struct world_account *account, const struct record *record,
                    const struct oracle_rows *rows)
{
    struct oracle_account *state = &account->oracle;
    const struct oracle_said *said = &state->said;
    bool stays = said->adopted && oracle_knows_keys(record) && !rows->adopted;
    const char *lacking;

    for (unsigned i = 0; i < world->script->target_count; i++) {
        const struct target_record *target = record_target_const(record, &account->targets[i].id);

        if (target)
            acknowledgement_is_true(world, account, i, target);
    }
    if (rows->completed) {
        lacking = who_lacks(world, account, world_key_of(&record->live[record->delivering]), false);
        if (lacking)
            oracle_convict(world, ORACLE_ACKNOWLEDGED, account,
                           "the rotation is called complete although %s does not have the new key",
                           lacking);
    }
    if (stays && said->intent && record->intent.open && said->intent_slot != record->intent.slot)
        oracle_convict(world, ORACLE_SAME_SLOT, account,
                       "an open intent for the %s key becomes one for the %s key",
                       slot_name(said->intent_slot), slot_name(record->intent.slot));
    if (stays && said->delivering != said->active && record->delivering != said->delivering)
        oracle_convict(world, ORACLE_DELIVERS_GOAL, account,
                       "the %s key is not delivered any more, and not everybody has it",
                       slot_name(said->delivering));
    if (stays && record->active != said->active)
        active_moves(world, account, record);
    if (rows->adopted)
        state->verify = VERIFY_OFF;
    if (rows->adopted || (stays && record->active != said->active))
        state->attempt_resolved = true;
}
