/*
 * What the daemon concludes from its looks: rules 10 and 11, seen in the records that it saves.
 *
 * An unexpected look counts when a second one, unknown_wait (or how long lists lag behind) later,
 * shows the same, or when the data plane refused what a target holds and accepted what was seen.
 * Rule 10 does not apply to two cases: while a rotation is under way every look is held against the
 * key under delivery and counts at once, and so does one that was taken because a target is owed
 * the key.
 */
#include "oracle_parts.h"

enum { SLACK_MS = 1000 };

/* --- proofs --- */

void look_verified(struct world *world, struct world_account *account,
                   const struct operation *operation, bool failed)
{
    struct oracle_account *state = &account->oracle;
    bool refused = failed && operation->failure.reason == REASON_KEY_REFUSED;

    if (operation->key == account->live[state->attempt_slot]) {
        if (refused || !failed)
            state->refused_key = refused ? operation->key : KEY_NONE;
        state->proven_key = failed ? state->proven_key : operation->key;
    }
    if (refused && operation->key != state->look.live[SLOT_PRIMARY] &&
        operation->key != state->look.live[SLOT_SECONDARY])
        state->refused_at = world->now;
    else if (!failed && state->refused_at != 0 && state->refused_at >= state->look.began)
        state->proven_at = world->now;
}

static duration_ms confirmed_after(const struct world *world, const struct world_account *account)
{
    const duration_ms lag = slow_pace(world, account)->lag;

    return (lag > world->timing.unknown_wait ? lag : world->timing.unknown_wait) - SLACK_MS;
}

static bool counts(const struct world *world, const struct world_account *account, time_ms since)
{
    const struct oracle_account *state = &account->oracle;

    return world->now - since >= confirmed_after(world, account) ||
           (state->proven_at != 0 && state->proven_at >= since);
}

/* --- a key that somebody else changed is accepted --- */

/* The second change within rotate_every means another rotator, unless somebody has settled it. */
void look_durable(struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;
    time_ms before = state->strangers_at;

    if (state->milestone.answered)
        state->answered_at = world->now;
    if (state->milestone.both)
        state->both_at = state->milestone.at; /* when the daemon decided: its journal may be slow */
    if (!state->milestone.stranger)
        return;
    state->strangers_at = world->now;
    if (world->policy.rotate && before != 0 && world->now - before < world->policy.rotate_every)
        state->fight = true;
}

/* Both keys are new. They were changed by hand if every readable target was read, and holds what
 * was delivered last. */
static bool is_as_it_was_given(const struct world_account *account)
{
    const struct oracle_account *state = &account->oracle;
    unsigned read = 0;

    for (unsigned i = 0; i < WORLD_TARGETS_MAX; i++) {
        const struct world_target *target = &account->targets[i];
        const struct target_record *given = record_target_const(&account->journal, &target->id);
        uint32_t shown = state->targets[i].shown;

        if (!target->configured || !target->settings.readable)
            continue;
        if ((state->look.seen & 1U << i) == 0 || shown == state->look.live[SLOT_PRIMARY] ||
            shown == state->look.live[SLOT_SECONDARY])
            return false;
        if (!target->required)
            continue;
        if (!given || world_key_of(&given->fingerprint) != shown)
            return false;
        read++;
    }
    return read > 0 && state->look.cycle <= account->journal.cycle;
}

static void takes_up(struct world *world, struct world_account *account, enum slot slot,
                     uint32_t key)
{
    struct oracle_account *state = &account->oracle;
    const struct oracle_said *said = &state->said;
    bool rotating = said->intent || said->delivering != said->active;

    /* What an answer does not show is not known. */
    if (rotating && state->shown[slot] != key)
        oracle_convict(world, ORACLE_DOUBT_LOOKS, account,
                       "the journal takes k%u for the %s key, and neither a look nor an answer "
                       "showed that",
                       key, slot_name(slot));
    /* The outcome of the daemon's own request. */
    if (said->intent && said->intent_slot == slot)
        return;
    if (state->by_stranger[slot] && key == account->live[slot])
        state->milestone.stranger = true;
    if (rotating)
        return;
    if (said->live[SLOT_PRIMARY] != state->look.live[SLOT_PRIMARY] &&
        said->live[SLOT_SECONDARY] != state->look.live[SLOT_SECONDARY] && state->look.ended != 0 &&
        !is_as_it_was_given(account))
        oracle_convict(world, ORACLE_JOURNAL_UNFIT, account,
                       "the journal takes k%u for the %s key, and goes on, although the look "
                       "showed neither of its two keys",
                       key, slot_name(slot));
    if (state->shown[slot] != key)
        oracle_convict(world, ORACLE_TWO_LOOKS, account,
                       "the journal takes k%u for the %s key, and no look showed that", key,
                       slot_name(slot));
    else if (!counts(world, account, state->shown_since[slot]))
        oracle_convict(world, ORACLE_TWO_LOOKS, account,
                       "the journal takes k%u for the %s key, which a look showed first %s ago, "
                       "and nothing proves it",
                       key, slot_name(slot), oracle_words(world->now - state->shown_since[slot]));
}

/* --- an acknowledgement is voided --- */

void look_target_changes(struct world_account *account, unsigned target, uint32_t key,
                         bool by_daemon)
{
    struct oracle_target *state = &account->oracle.targets[target];

    state->handed_out =
        !by_daemon && state->kept && key != state->delivered &&
        (key == account->live[SLOT_PRIMARY] || key == account->live[SLOT_SECONDARY]);
}

/* Somebody who delivers the standby key once made a mistake; the second time the daemon does not
 * answer. While a regenerate of its own may still replace that key, it has to: the key would die
 * in the target. */
static void answers(struct world *world, struct world_account *account, bool in_doubt)
{
    struct oracle_account *state = &account->oracle;

    if (world->policy.rotate && !in_doubt && state->answered_at != 0 &&
        world->now - state->answered_at < world->policy.rotate_every)
        oracle_convict(world, ORACLE_NO_FIGHT, account,
                       "a target is given the active key again, over a key that somebody else "
                       "handed out for the second time within one period");
    state->milestone.answered = true;
}

static void gives_up(struct world *world, struct world_account *account, unsigned index)
{
    struct oracle_account *state = &account->oracle;
    struct oracle_target *target = &state->targets[index];

    if (!account->targets[index].settings.readable || !account->targets[index].configured ||
        counts(world, account, target->shown_since))
        return;
    oracle_convict(world, ORACLE_TWO_LOOKS, account,
                   "%s is owed its key again for what a look showed first %s ago, and nothing "
                   "proves it",
                   oracle_target_name(account, index),
                   oracle_words(world->now - target->shown_since));
}

static bool is_acknowledged(const struct record *record, const struct target_id *id)
{
    const struct target_record *target = record_target_const(record, id);

    return !target || target->acknowledged;
}

/* An operator has said that the other rotator is gone: a target that was left to it, with the other
 * slot's key, is owed the key, whatever looks show meanwhile. */
static bool is_taken_back(const struct world_account *account, const struct record *record,
                          unsigned index)
{
    return account->in_journal && account->journal.another_rotator && !record->another_rotator &&
           account->oracle.targets[index].claimed ==
               world_key_of(&record->live[slot_other(record->active)]);
}

/* --- a journal that did not fit begins anew --- */

static bool is_shown_in_use(const struct world *world, const struct world_account *account,
                            uint32_t key)
{
    for (unsigned i = 0; i < world->script->target_count; i++)
        if (account->targets[i].required && account->oracle.targets[i].shown == key)
            return true;
    return false;
}

/* adopt_active describes the first day, and is no evidence later. */
static void adopts_anew(struct world *world, struct world_account *account,
                        const struct record *record)
{
    const struct record *journal = &account->journal;
    bool unfit = account->in_journal && !journal->adopt_asked &&
                 (journal->adopted || journal->blocked == REASON_JOURNAL_BEHIND);
    uint32_t key = world_key_of(&record->live[record->active]);

    if (unfit && !account->oracle.look.past && !is_shown_in_use(world, account, key))
        oracle_convict(world, ORACLE_JOURNAL_UNFIT, account,
                       "the journal did not fit, and now k%u is taken to be in use, which no "
                       "target was seen to hold",
                       key);
}

/* The journal keeps the first of the two looks, and a copy of it that is restored brings it back.
 */
static bool keeps_first_look(const struct world *world, const struct world_account *account,
                             const struct record *record)
{
    const struct unconfirmed_drift *first = &account->journal.unconfirmed;

    return account->in_journal && first->pending &&
           fingerprint_equal(&first->live[SLOT_PRIMARY], &record->live[SLOT_PRIMARY]) &&
           fingerprint_equal(&first->live[SLOT_SECONDARY], &record->live[SLOT_SECONDARY]) &&
           world_wall(world) - first->seen_at >= confirmed_after(world, account);
}

/* Only the configuration names the active key of this account, and a look has not shown one of its
 * targets. */
static void adopts_surely(struct world *world, struct world_account *account,
                          const struct record *record)
{
    const struct oracle_account *state = &account->oracle;
    const struct record *journal = &account->journal;
    bool unread = false;

    if ((account->in_journal && (journal->adopted_at != 0 || journal->adopt_asked)) ||
        !oracle_knows_keys(record) || keeps_first_look(world, account, record) ||
        is_shown_in_use(world, account, world_key_of(&record->live[record->active])))
        return;
    for (unsigned i = 0; i < world->script->target_count; i++)
        unread = unread ||
                 (oracle_cares(world, &account->targets[i]) && (state->look.seen & 1U << i) == 0);
    for (int slot = 0; unread && slot < SLOT_COUNT; slot++)
        if (!counts(world, account, state->shown_since[slot]))
            oracle_convict(world, ORACLE_SURE_ADOPTION, account,
                           "is adopted by what the configuration says, and a look showed the %s "
                           "key first %s ago",
                           slot_name((enum slot)slot),
                           oracle_words(world->now - state->shown_since[slot]));
}

void look_saved(struct world *world, struct world_account *account, const struct record *record,
                const struct oracle_rows *rows)
{
    struct oracle_account *state = &account->oracle;
    const struct oracle_said *said = &state->said;
    bool changed = false, answered = false;

    if (rows->adopted) {
        adopts_anew(world, account, record);
        adopts_surely(world, account, record);
    }
    if (!said->adopted || !oracle_knows_keys(record) || rows->adopted)
        return;
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        uint32_t key = world_key_of(&record->live[slot]);

        if (key == said->live[slot])
            continue;
        state->milestone.both = changed && !said->intent && said->delivering == said->active;
        changed = true;
        takes_up(world, account, (enum slot)slot, key);
    }
    if (changed || said->owes || said->delivering != said->active || state->redeliver_asked)
        return;
    for (unsigned i = 0; i < world->script->target_count; i++) {
        if (state->targets[i].claimed == KEY_NONE ||
            is_acknowledged(record, &account->targets[i].id))
            continue;
        if (!is_taken_back(account, record, i))
            gives_up(world, account, i);
        answered =
            answered ||
            (account->targets[i].required && state->targets[i].handed_out &&
             state->look.live[slot_other(record->active)] == account->targets[i].past[0].key &&
             account->targets[i].past[0].key == account->live[slot_other(record->active)]);
    }
    /* An operator who says that the other rotator is gone asks for another delivery. */
    if (answered && !(account->journal.another_rotator && !record->another_rotator))
        answers(world, account, said->intent && record->intent.open);
}

/* --- what the record shows --- */

static bool owes(const struct record *record)
{
    for (size_t i = 0; i < record->target_count; i++)
        if (!record_target_satisfied(record, &record->targets[i]))
            return true;
    return false;
}

void look_remember(struct world_account *account, const struct record *record)
{
    struct oracle_said *said = &account->oracle.said;

    *said = (struct oracle_said){0};
    for (unsigned i = 0; i < WORLD_TARGETS_MAX; i++) {
        const struct target_record *target =
            record ? record_target_const(record, &account->targets[i].id) : NULL;

        account->oracle.targets[i].claimed =
            target && target->acknowledged ? world_key_of(&target->fingerprint) : KEY_NONE;
    }
    if (!oracle_knows_keys(record))
        return;
    *said = (struct oracle_said){
        .adopted = true,
        .active = record->active,
        .delivering = record->delivering,
        .live = {world_key_of(&record->live[0]), world_key_of(&record->live[1])},
        .intent = record->intent.open,
        .intent_slot = record->intent.slot,
        .bound = record->hold_id != 0,
        .owes = owes(record),
    };
}
