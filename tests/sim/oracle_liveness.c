/*
 * Nothing stops in silence, and everything comes to a good end in time.
 *
 * Every bound counts from the last fault, or from the last change by somebody else, while the
 * daemon runs. Faults are seen in the answers that the daemon gets, so that oracles need not know
 * their causes.
 */
#include "oracle_parts.h"

/* A retry waits for retry_max at most, or for the pause that a server asked for: seconds in these
 * worlds. Two such waits can follow each other (the account's, then a target's), and after them a
 * wait for what may still take effect, one for a second look, and verify_timeout. */
static duration_ms retries(const struct world *world)
{
    const struct timing *timing = &world->timing;

    return 2 * timing->retry_max + 4 * timing->unknown_wait + timing->verify_timeout +
           10 * MS_MINUTE;
}

/* Until a change is seen and corrected. */
static duration_ms repair_takes(const struct world *world)
{
    return world->oracle.check_every_max + retries(world);
}

/* The settle look waits only for saves that are under way. */
#define SETTLE_SLACK_MS (2 * MS_MINUTE)
/* The longest time from one window to the next, and a day. */
#define WINDOW_GAP_MS (8 * MS_DAY)
/* Blocked accounts are reported again every day. */
#define TOLD_AGAIN_MS (25 * MS_HOUR)
/* A longer delivery hangs. */
#define DELIVERY_MAX_MS MS_MINUTE

static time_ms later(time_ms a, time_ms b)
{
    return a > b ? a : b;
}

void liveness_disturb(struct world *world, struct world_account *account)
{
    account->oracle.disturbed_at = account->oracle.shaken_at = world->now;
    if (account->oracle.settle_by != 0)
        account->oracle.settle_by = world->now + world->timing.settle + SETTLE_SLACK_MS;
}

void liveness_disturb_target(struct world *world, struct world_account *account, unsigned target)
{
    time_ms shaken_at = account->oracle.shaken_at;

    liveness_disturb(world, account);
    account->oracle.shaken_at = shaken_at;
    account->oracle.targets[target].disturbed_at = world->now;
}

time_ms liveness_all_quiet_since(const struct world *world, time_ms since)
{
    since = later(since, world->oracle.disturbed_at);
    since = later(since, later(world->disk_full_until, world->disk_slow_until));
    since = later(since, later(world->frozen_until, world->data_down_until));
    return later(since, world->lag_until);
}

/* Since when there was no fault. */
static time_ms quiet_since(const struct world *world, const struct world_account *account)
{
    if (turn_is_allowed(world, account))
        return world->now;
    return liveness_all_quiet_since(world, account->oracle.disturbed_at);
}

/* … except at other targets than this one. A hook waits for its own target. */
static time_ms quiet_apart_since(const struct world *world, const struct world_account *account,
                                 unsigned index)
{
    const struct oracle_account *state = &account->oracle;
    const unsigned owner = delivery_owner(account, index);
    time_ms since = later(state->shaken_at, state->targets[index].disturbed_at);

    if (turn_is_allowed(world, account))
        return world->now;
    if (owner != TARGETS_MAX)
        since = later(since, state->targets[owner].disturbed_at);
    return liveness_all_quiet_since(world, since);
}

/* --- faults --- */

void liveness_ends(struct world *world, struct world_account *account,
                   const struct operation *operation, bool failed)
{
    const uint32_t *live = account->live;
    bool dead = operation->key != live[SLOT_PRIMARY] && operation->key != live[SLOT_SECONDARY];
    bool wrong = failed;

    if (operation->effect == EFFECT_DELIVER) {
        turn_ends(world, account, operation->target,
                  failed && world->now - operation->began >= world->timing.repair_turn);
        /* It has kept all others from their turn. */
        if (world->now - operation->began > DELIVERY_MAX_MS)
            liveness_disturb(world, account);
    }
    /* A refused dead key is no fault. */
    if (operation->effect == EFFECT_VERIFY && dead)
        wrong = false;
    if (!failed && operation->effect == EFFECT_DELIVER)
        wrong = account->targets[operation->target].past[0].key != operation->key;
    if (!failed && operation->mishap != MISHAP_NONE)
        wrong = true;
    if (!wrong)
        return;
    if (operation->effect == EFFECT_DELIVER || operation->effect == EFFECT_READ ||
        operation->effect == EFFECT_PROBE)
        liveness_disturb_target(world, account, operation->target);
    else
        liveness_disturb(world, account);
}

/* Waits for a person, who has been told. */
static bool waits_for_person(const struct world_account *account)
{
    return account->in_journal &&
           reason_describe(account->journal.blocked)->clearing == CLEARED_BY_HUMAN;
}

/* --- required targets without the key --- */

enum lack { LACKS_NOTHING, LACKS_KEY, HOLDS_DEAD_KEY };

/* Its readers got the key before those of a target that has it by now, and no target before it
 * lacks it. */
static bool runs_again(const struct world *world, const struct world_account *account,
                       unsigned index)
{
    const struct oracle_target *targets = account->oracle.targets;
    uint32_t key = account->live[account->journal.delivering];
    bool has_it_now = false;

    for (unsigned i = 0; i < index; i++) {
        if (!oracle_cares(world, &account->targets[i]))
            continue;
        if (targets[i].told != key)
            return false;
        has_it_now = has_it_now || (targets[index].ran_before & 1U << i) != 0;
    }
    return has_it_now;
}

static enum lack lack_of(const struct world *world, const struct world_account *account,
                         unsigned index)
{
    const struct world_target *target = &account->targets[index];
    const struct record *journal = &account->journal;
    key_number key =
        target->settings.readable ? target->past[0].key : account->oracle.targets[index].told;

    if (!oracle_cares(world, target))
        return LACKS_NOTHING;
    if (key != account->live[SLOT_PRIMARY] && key != account->live[SLOT_SECONDARY])
        return oracle_is_key(key) ? HOLDS_DEAD_KEY : LACKS_KEY;
    if (!oracle_knows_keys(oracle_journal(account)))
        return LACKS_NOTHING;
    if (runs_again(world, account, index))
        return LACKS_KEY;
    return key == account->live[journal->delivering] ? LACKS_NOTHING : LACKS_KEY;
}

/* Under on_drift: alert a person decides whether the key that somebody else changed is delivered.
 */
static bool left_to_person(const struct world *world, const struct world_account *account)
{
    return world->policy.on_drift == DRIFT_ALERT &&
           account->journal.repairing == DRIFT_ACTIVE_CHANGED &&
           account->oracle.told_to_deliver_at < account->oracle.drift_told_at;
}

/* Lists that lag show later what is wrong; and an adoption that nothing but the configuration
 * supports waits until an operation of an earlier journal must have ended. */
static duration_ms slowness(const struct world *world, const struct world_account *account,
                            const struct oracle_target *target)
{
    const struct script_pace *pace = slow_pace(world, account);
    const time_ms adopted_at = account->oracle.adopted_at;
    const bool waited = adopted_at == 0 || target->wrong_since <= adopted_at;

    return 3 * pace->lag + (waited ? pace->at_most : 0);
}

static void gets_its_key(struct world *world, struct world_account *account, unsigned index)
{
    struct oracle_target *target = &account->oracle.targets[index];
    enum lack lack = lack_of(world, account, index);
    duration_ms quiet;

    if (lack == LACKS_NOTHING || waits_for_person(account) || left_to_person(world, account)) {
        target->wrong_since = 0;
        return;
    }
    if (target->wrong_since == 0)
        target->wrong_since = world->now;
    quiet = lack == HOLDS_DEAD_KEY ? quiet_apart_since(world, account, index)
                                   : quiet_since(world, account);
    quiet = world->now - later(target->wrong_since, quiet);
    if (quiet <= repair_takes(world) + slowness(world, account, target))
        return;
    oracle_convict(world, lack == HOLDS_DEAD_KEY ? ORACLE_REPAIRED : ORACLE_OWED, account,
                   "%s %s since %s, in which nothing went wrong (%s)",
                   oracle_target_name(account, index),
                   lack == HOLDS_DEAD_KEY ? "holds a dead key" : "does not have the key",
                   oracle_words(quiet), position_name(account->journal.position));
}

/* Was the target left to another rotator with the key that it holds, so that the daemon knows the
 * key without a read? */
static bool was_left(const struct world *world, const struct world_account *account,
                     const struct oracle_target *target)
{
    return account->journal.another_rotator && target->given == target->shown &&
           target->given_seen_at - target->given_since >= world->timing.unknown_wait;
}

/* A dead key in a required target is reported, whatever else is unclear or blocked. */
static void says_who_is_at_risk(struct world *world, struct world_account *account, unsigned index)
{
    const struct oracle_account *state = &account->oracle;
    const struct oracle_target *target = &state->targets[index];
    const bool seen = (state->look.seen & 1U << index) != 0;
    time_ms since;

    if (!account->in_journal || account->journal.consumers_at_risk || state->look.past ||
        !oracle_cares(world, &account->targets[index]) || state->look.ended == 0 ||
        state->look.began < later(account->live_since[0], account->live_since[1]) ||
        (!seen && !was_left(world, account, target)) || !oracle_is_key(target->shown) ||
        target->shown != account->targets[index].past[0].key || target->shown == account->live[0] ||
        target->shown == account->live[1])
        return;
    since = later(target->shown_since, seen ? quiet_since(world, account)
                                            : liveness_all_quiet_since(world, state->shaken_at));
    if (world->now - since <= repair_takes(world))
        return;
    oracle_convict(world, ORACLE_NOT_SILENT, account,
                   "%s holds a dead key, which a look has shown %s ago, and the journal calls "
                   "nobody at risk",
                   oracle_target_name(account, index), oracle_words(world->now - since));
}

/* --- a look after a completed rotation --- */

static void is_looked_at(struct world *world, struct world_account *account)
{
    const struct oracle_account *state = &account->oracle;

    if (state->settle_by == 0 ||
        world->now <= later(state->settle_by,
                            quiet_since(world, account) + world->timing.settle + SETTLE_SLACK_MS))
        return;
    oracle_convict(world, ORACLE_SETTLE_LOOK, account, "no look %s after a rotation was completed",
                   oracle_words(world->now - state->completed_at));
}

/* --- waiting --- */

static void says_that_it_waits(struct world *world, struct world_account *account)
{
    const struct oracle_account *state = &account->oracle;

    if (!waits_for_person(account) ||
        world->now - later(state->blocked_told_at, quiet_since(world, account)) <= TOLD_AGAIN_MS)
        return;
    oracle_convict(world, ORACLE_NOT_SILENT, account, "is blocked (%s) and has not said so for %s",
                   reason_describe(account->journal.blocked)->name,
                   oracle_words(world->now - state->blocked_told_at));
}

/* An account that waits for a person is looked at like others. */
static void is_looked_at_while_it_waits(struct world *world, struct world_account *account)
{
    const struct oracle_account *state = &account->oracle;
    time_ms since;

    /* `ended` is 0 while a look is under way. */
    if (!waits_for_person(account) || account->journal.adopted || state->look.ended == 0)
        return;
    since = later(state->look.ended, quiet_since(world, account));
    if (world->now - since <= world->oracle.check_every_max + 2 * MS_HOUR)
        return;
    oracle_convict(
        world, ORACLE_NOT_SILENT, account, "is blocked (%s) and was not looked at for %s",
        reason_describe(account->journal.blocked)->name, oracle_words(world->now - since));
}

/* An account that waits only for a time waits for the next check, a retry, or the daily report. */
static void has_timer(struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;
    duration_ms longest = later(world->oracle.check_every_max, MS_DAY) + MS_HOUR;
    bool busy = state->others > 0 || state->reads > 0 || state->probes > 0 || state->saves > 0;
    time_ms wake_at = TIME_NEVER;
    bool rests;

    if (busy)
        return;
    /* The clock jumps that the daemon was told of are durable, and no earlier process has anything
     * under way. */
    state->jump_forward = state->jump_back = 0;
    state->leaving = false;
    if (!world->design->rests || world->stopping)
        return;
    rests = world->design->rests(world->daemon, account->name, &wake_at);
    if (!rests)
        oracle_convict(world, ORACLE_NOT_SILENT, account,
                       "has something to do, and does nothing (%s)",
                       position_name(account->journal.position));
    else if (wake_at == TIME_NEVER || wake_at - world_wall(world) > longest)
        oracle_convict(world, ORACLE_NOT_SILENT, account, "has no timer within %s (%s)",
                       oracle_words(longest), position_name(account->journal.position));
}

/* --- no starvation --- */

/* Not while somebody else may be using one of two keys that others made. */
static bool may_rotate(const struct world *world, const struct world_account *account)
{
    time_ms since = account->journal.both_changed_at;

    return since == 0 || world_wall(world) - since >= world->policy.rotate_every;
}

static bool is_due(const struct world *world, const struct world_account *account)
{
    const struct record *journal = &account->journal;

    return account->configured && account->in_journal && journal->adopted &&
           journal->blocked == REASON_NONE && journal->hold_id == 0 && world->policy.rotate &&
           !journal->presumed && !account->refused && !journal->intent.open &&
           journal->delivering == journal->active && !account->oracle.said.owes &&
           may_rotate(world, account) && journal->due_at != 0 &&
           journal->due_at <= world_wall(world);
}

/* Due since then: it may still have to wait for the end of an overlap, and for a window. */
static duration_ms start_takes(const struct world *world)
{
    return world->oracle.overlap_max + repair_takes(world) +
           (world->policy.window_count > 0 ? WINDOW_GAP_MS + world->policy.splay : 0);
}

static void is_not_passed_over(struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;
    bool skewed = world->oracle.skewed_at != 0 && world->oracle.skewed_at >= state->due_since;
    /* An account without a description may not be regenerated. */
    time_ms quiet = later(quiet_since(world, account), state->undescribed_at);

    if (!is_due(world, account)) {
        state->due_since = 0;
        state->passed_over = 0;
        return;
    }
    if (state->due_since == 0)
        state->due_since = world->now;
    if (state->passed_over < 2 || skewed ||
        world->now - later(state->due_since, quiet) <= start_takes(world))
        return;
    oracle_convict(world, ORACLE_NO_STARVATION, account,
                   "is due since %s, and others completed %u rotations meanwhile",
                   oracle_words(world->now - state->due_since), state->passed_over);
}

static void pass_over_others(struct world *world, const struct world_account *account)
{
    for (unsigned i = 0; i < world->account_count; i++)
        if (&world->accounts[i] != account && world->accounts[i].oracle.due_since != 0)
            world->accounts[i].oracle.passed_over++;
}

/* --- hooks --- */

void liveness_saved(struct world *world, struct world_account *account, const struct record *record,
                    const struct oracle_rows *rows)
{
    enum reason before = account->in_journal ? account->journal.blocked : REASON_NONE;

    if (rows->blocked)
        account->oracle.blocked_told_at = world->now;
    else if (record->blocked != REASON_NONE && record->blocked != before)
        oracle_convict(world, ORACLE_NOT_SILENT, account, "is blocked (%s), and does not say so",
                       reason_describe(record->blocked)->name);
    if (rows->drift)
        account->oracle.drift_told_at = world->now;
}

void liveness_completed(struct world *world, struct world_account *account)
{
    account->oracle.completed_at = world->now;
    account->oracle.settle_by = world->now + world->timing.settle + SETTLE_SLACK_MS;
    pass_over_others(world, account);
}

void liveness_durable(struct world *world, struct world_account *account,
                      const struct record *record)
{
    struct oracle_account *state = &account->oracle;

    if (account->in_journal && record->blocked != account->journal.blocked) {
        liveness_disturb(world, account);
        state->blocked_since = world->now;
    }
    if (state->milestone.completed)
        liveness_completed(world, account);
}

/* Its targets are another account's: nothing is done for it, for as long as that lasts. */
static void rests_refused(struct world *world, struct world_account *account)
{
    liveness_disturb(world, account);
    account->oracle.settle_by = 0;
    for (unsigned i = 0; i < world->script->target_count; i++)
        account->oracle.targets[i].wrong_since = 0;
    has_timer(world, account);
}

void liveness_rest(struct world *world, struct world_account *account)
{
    if (!account->configured) {
        account->oracle.settle_by = 0;
        return;
    }
    if (account->refused) {
        rests_refused(world, account);
        return;
    }
    for (unsigned i = 0; i < world->script->target_count; i++) {
        turn_check(world, account, i);
        gets_its_key(world, account, i);
        says_who_is_at_risk(world, account, i);
    }
    is_looked_at(world, account);
    says_that_it_waits(world, account);
    is_looked_at_while_it_waits(world, account);
    has_timer(world, account);
    lasting_leads_on(world, account, quiet_since(world, account), retries(world));
    is_not_passed_over(world, account);
}

/* --- fair weather --- */

static const char *what_holds_it(const struct world_account *account)
{
    const struct record *journal = &account->journal;

    if (!account->in_journal)
        return "nothing is known of it";
    if (journal->blocked != REASON_NONE)
        return reason_describe(journal->blocked)->meaning;
    if (journal->retry_reason != REASON_NONE)
        return reason_describe(journal->retry_reason)->meaning;
    return journal->hold_id != 0 ? "it is held" : "nothing that it knows of";
}

static void explain(struct world *world, const struct world_account *account, const char *what)
{
    const struct record *journal = &account->journal;

    oracle_convict(world, ORACLE_PROGRESS, account,
                   "%s: it stands in %s, active %s, goal %s, due in %.1f days; in its way: %s",
                   what, account->in_journal ? position_name(journal->position) : "no journal",
                   slot_name(journal->active), slot_name(journal->delivering),
                   (double)(journal->due_at - world_wall(world)) / (double)MS_DAY,
                   what_holds_it(account));
}

/* It has told a person what to do, and no person has come since. */
static bool is_left_alone(const struct world *world, const struct world_account *account)
{
    const struct oracle_account *state = &account->oracle;

    return (waits_for_person(account) && state->commanded_at < state->blocked_since) ||
           (account->in_journal && account->journal.presumed && !state->word.by_person) ||
           left_to_person(world, account);
}

void oracle_expectation(struct world *world, time_ms since)
{
    bool skewed = world->oracle.skewed_at >= since && world->oracle.skewed_at != 0;

    found_expectation(world);
    for (unsigned i = 0; i < world->account_count && world->policy.rotate && !skewed; i++) {
        struct world_account *account = &world->accounts[i];

        if (!account->configured || is_left_alone(world, account))
            continue;
        if (account->oracle.completed_at < since)
            explain(world, account, "no rotation was completed in fair weather");
        else if (account->in_journal && account->journal.blocked != REASON_NONE)
            explain(world, account, "is not well in fair weather");
        for (unsigned j = 0; j < world->script->target_count; j++)
            if (account->journal.delivering == account->journal.active &&
                lack_of(world, account, j) != LACKS_NOTHING)
                explain(world, account, "a target does not have the key in fair weather");
    }
}
