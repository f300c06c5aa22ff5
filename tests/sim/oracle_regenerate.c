/*
 * A regenerate leaves: is everything in place? Rules 1 to 6, 8, 11 and 12, and what people said.
 *
 * Judged at the moment of the request, which cannot be called back, so that what others do
 * meanwhile does not count. Targets and live keys are those that the daemon was told last
 * (oracle_told.c), because somebody else may have acted right after its look.
 */
#include "oracle_parts.h"

enum {
    LOOK_FRESH_MS = 31 * 1000, /* "right before": the daemon's limit of 30 s, and a second */
    SLACK_MS = 1000
};

/* --- rules 2 to 5 --- */

static void is_calm(struct world *world, struct world_account *account)
{
    const duration_ms up = world->now - world->started_at;
    const duration_ms lag = slow_pace(world, account)->lag;

    if (up < world->timing.unknown_wait)
        oracle_convict(world, ORACLE_CALM_START, account,
                       "a regenerate %s after the daemon's start: an earlier request may still "
                       "take effect",
                       oracle_words(up));
    else if (up < world->timing.unknown_wait + lag)
        oracle_convict(world, ORACLE_CALM_START, account,
                       "a regenerate %s after the daemon's start: lists may not show yet what an "
                       "earlier request has done",
                       oracle_words(up));
}

static void was_looked(struct world *world, struct world_account *account)
{
    const struct oracle_account *state = &account->oracle;
    const struct oracle_look *look = &state->look;

    if (look->ended == 0 || look->began < state->attempt_ended_at) {
        oracle_convict(world, ORACLE_LOOK_FIRST, account, "a regenerate without a look before it");
        return;
    }
    if (world->now - look->ended > LOOK_FRESH_MS)
        oracle_convict(world, ORACLE_LOOK_FIRST, account,
                       "a regenerate %s after the look that it relies on",
                       oracle_words(world->now - look->ended));
    if (!look->described)
        oracle_convict(world, ORACLE_LOOK_FIRST, account,
                       "a regenerate although the look before it brought no description");
    for (unsigned i = 0; i < world->script->target_count; i++)
        if (oracle_cares(world, &account->targets[i]) && account->targets[i].settings.readable &&
            account->targets[i].cared_since < look->began && (look->seen & 1U << i) == 0)
            oracle_convict(world, ORACLE_LOOK_FIRST, account,
                           "a regenerate without a look at what %s holds",
                           oracle_target_name(account, i));
    if (look->skew > ORACLE_SKEW_MAX_MS || look->skew < -ORACLE_SKEW_MAX_MS)
        oracle_convict(world, ORACLE_CLOCKS_AGREE, account,
                       "a regenerate although the look before it showed Azure's clock %s away",
                       oracle_words(look->skew < 0 ? -look->skew : look->skew));
}

static void is_intended(struct world *world, struct world_account *account, enum slot slot)
{
    const struct oracle_look *look = &account->oracle.look;
    const struct intent *intent = &account->journal.intent;

    if (!account->in_journal || !intent->open || intent->slot != slot) {
        oracle_convict(world, ORACLE_INTENT_FIRST, account,
                       "a regenerate of the %s key, and the journal does not know of it",
                       slot_name(slot));
        return;
    }
    for (int i = 0; look->ended != 0 && i < SLOT_COUNT; i++)
        if (world_key_of(&intent->before[i]) != look->live[i])
            oracle_convict(world, ORACLE_INTENT_FIRST, account,
                           "the intent does not hold the %s key k%u that the look saw",
                           slot_name((enum slot)i), look->live[i]);
}

static void is_no_repetition(struct world *world, struct world_account *account, enum slot slot)
{
    const struct oracle_account *state = &account->oracle;

    if (state->doubt_since != 0)
        oracle_convict(world, ORACLE_DOUBT_LOOKS, account,
                       "a regenerate %s after one whose outcome is unknown, and no look since it "
                       "must have been decided",
                       oracle_words(world->now - state->doubt_since));
    if (state->attempted && state->attempt_slot != slot && !state->attempt_resolved)
        oracle_convict(world, ORACLE_SAME_SLOT, account,
                       "the %s key was to be regenerated and delivered, and now it is the %s one",
                       slot_name(state->attempt_slot), slot_name(slot));
}

/* --- rules 1, 6 and 8 --- */

static void is_delivered(struct world *world, struct world_account *account)
{
    const struct oracle_account *state = &account->oracle;
    uint32_t key = state->delivering;

    if (key == KEY_NONE ||
        (key != account->live[SLOT_PRIMARY] && key != account->live[SLOT_SECONDARY]))
        return;
    /* Somebody else rotated, or a person named the active key. */
    if (oracle_all_told(world, account, account->live[SLOT_PRIMARY]) ||
        oracle_all_told(world, account, account->live[SLOT_SECONDARY]))
        return;
    oracle_convict(world, ORACLE_FROZEN, account,
                   "a regenerate while k%u is still being delivered to the required targets", key);
}

static void has_other_key(struct world *world, struct world_account *account, unsigned index,
                          uint32_t other)
{
    const struct oracle_target *target = &account->oracle.targets[index];
    const struct target_span *stands = &account->targets[index].past[0];
    const char *name = oracle_target_name(account, index);
    duration_ms since = world->now - target->given_since;

    /* The daemon was not told, but the key was there. */
    if (stands->key == other && world->now - stands->from > since)
        since = world->now - stands->from;

    if (target->told != other)
        oracle_convict(world, ORACLE_STANDBY_ONLY, account,
                       "a regenerate although %s does not have the other key k%u", name, other);
    else if (target->given == other && since < world->policy.overlap)
        oracle_convict(world, ORACLE_STANDBY_ONLY, account,
                       "a regenerate although %s has the other key k%u only since %s ago", name,
                       other, oracle_words(since));
}

static void everybody_has_other_key(struct world *world, struct world_account *account,
                                    enum slot slot)
{
    const struct oracle_account *state = &account->oracle;
    enum slot other = slot_other(slot);
    uint32_t key = state->look.ended != 0 ? state->look.live[other] : account->live[other];

    for (unsigned i = 0; i < world->script->target_count; i++) {
        duration_ms since = world->now - state->targets[i].changed_at;

        if (!oracle_cares(world, &account->targets[i]))
            continue;
        has_other_key(world, account, i, key);
        if (state->targets[i].changed_at != 0 && since < world->policy.overlap)
            oracle_convict(world, ORACLE_OVERLAP_AGAIN, account,
                           "a regenerate %s after a delivery changed %s: its readers were told "
                           "only then",
                           oracle_words(since), oracle_target_name(account, i));
    }
}

/* --- rules 11 and 12, and people --- */

static void nobody_else_is_at_it(struct world *world, struct world_account *account, enum slot slot)
{
    const struct oracle_account *state = &account->oracle;
    duration_ms since = world->now - state->strange_since[slot];

    if (state->by_stranger[slot] && state->strange_since[slot] != 0 &&
        since < world->policy.overlap)
        oracle_convict(world, ORACLE_STANDBY_CHANGED, account,
                       "k%u is regenerated, which somebody else made and a look showed first %s "
                       "ago",
                       account->live[slot], oracle_words(since));
    if (state->both_at != 0 && world->now - state->both_at < world->policy.rotate_every - SLACK_MS)
        oracle_convict(world, ORACLE_BOTH_CHANGED, account,
                       "a regenerate %s after both keys were taken up that somebody else made",
                       oracle_words(world->now - state->both_at));
    if (state->fight)
        oracle_convict(world, ORACLE_NO_FIGHT, account,
                       "a regenerate although somebody else changed keys twice within one period");
}

static void journal_fits(struct world *world, struct world_account *account)
{
    const struct oracle_look *look = &account->oracle.look;
    const struct record *journal = &account->journal;

    if (!account->in_journal || look->ended == 0)
        return;
    for (int slot = 0; slot < SLOT_COUNT; slot++)
        if (world_key_of(&journal->live[slot]) != look->live[slot])
            oracle_convict(world, ORACLE_JOURNAL_UNFIT, account,
                           "a regenerate although the look showed the %s key k%u, which is not "
                           "the journal's",
                           slot_name((enum slot)slot), look->live[slot]);
    if (look->cycle > journal->cycle)
        oracle_convict(world, ORACLE_JOURNAL_UNFIT, account,
                       "a regenerate in cycle %llu although a target tells of cycle %llu",
                       (unsigned long long)journal->cycle, (unsigned long long)look->cycle);
}

static void is_allowed(struct world *world, struct world_account *account)
{
    if (!world->policy.rotate)
        oracle_convict(world, ORACLE_HELD, account, "a regenerate although rotate is false");
    held_regenerates(world, account);
    found_regenerates(world, account);
}

void regenerate_begins(struct world *world, struct world_account *account,
                       const struct operation *operation)
{
    struct oracle_account *state = &account->oracle;
    enum slot slot = operation->slot;

    is_calm(world, account);
    lasting_regenerates(world, account, operation);
    is_no_repetition(world, account, slot);
    was_looked(world, account);
    is_intended(world, account, slot);
    is_delivered(world, account);
    everybody_has_other_key(world, account, slot);
    nobody_else_is_at_it(world, account, slot);
    journal_fits(world, account);
    is_allowed(world, account);
    schedule_regenerates(world, account);
    pairs_regenerate(world, account);

    state->attempted = true;
    state->attempt_resolved = false;
    state->attempt_forgotten = false;
    state->attempt_slot = slot;
    state->attempt_before = account->live[slot];
    state->attempt_at = world->now;
    state->attempt_looked_at =
        (state->look.ended != 0 ? state->look.began : world->now) - slow_pace(world, account)->lag;
    state->attempt_beside = state->look.ended != 0 ? state->look.live[slot_other(slot)]
                                                   : account->live[slot_other(slot)];
    state->attempt_overlap = world->policy.overlap;
    state->verify = world->policy.verify;
}

/* --- the outcome --- */

void regenerate_ends(struct world *world, struct world_account *account,
                     const struct operation *operation, bool failed, bool unknown)
{
    struct oracle_account *state = &account->oracle;
    enum slot slot = operation->slot;

    state->attempt_ended_at = world->now;
    state->unproven_since = world->now;
    /* What the answer does not show is not known. */
    if (unknown ||
        (!failed && (!operation->shows[slot] || operation->live[slot] == state->look.live[slot])))
        state->doubt_since = world->now;
    if (!failed)
        told_regenerated(world, account, operation);
}

void regenerate_looked(struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;
    time_ms decided = state->doubt_since + world->timing.unknown_wait - SLACK_MS;

    if (state->doubt_since != 0 && state->look.began >= decided)
        state->doubt_since = 0;
}

/* The request is on its way, and its sender no longer waits for the answer. */
void regenerate_daemon_ends(struct world *world, struct world_account *account)
{
    if (account->oracle.regenerating)
        account->oracle.doubt_since = world->now;
}

/* A restored or removed journal does not know what was under way. The daemon has to look, and to
 * wait after its start, as always. */
void regenerate_daemon_starts(struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;

    if (!world->oracle.journal_edited)
        return;
    state->doubt_since = 0;
    state->attempt_resolved = true;
    state->attempt_forgotten = true;
    state->delivering = KEY_NONE;
    state->fight = false;
    state->strangers_at = state->answered_at = state->both_at = 0;
    /* Nor does it know the decisions of people. */
    state->told_to_deliver_at = 0;
    state->commanded_at = 0;
    /* To the daemon, a key that it does not know was made by somebody else. Without a journal it
     * knows none, and what the first look shows may be older than the request that nobody
     * remembers. */
    for (int slot = 0; slot < SLOT_COUNT; slot++)
        if (account->in_journal ? world_key_of(&account->journal.live[slot]) != account->live[slot]
                                : state->attempted && state->attempt_slot == (enum slot)slot)
            state->by_stranger[slot] = true;
    for (unsigned i = 0; i < world->script->target_count; i++) {
        state->targets[i].changed_at = 0;
        state->targets[i].unsettled_at = 0;
        state->targets[i].ran_before = 0;
    }
}
