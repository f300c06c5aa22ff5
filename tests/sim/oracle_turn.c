/*
 * How long a delivery may keep its account: rules 7 and 8. Nothing waits for a target that is not
 * required, and in a repair nothing waits long for one that hangs.
 */
#include "oracle_parts.h"

/* An optional one may keep an account from other things for so long … */
#define OPTIONAL_MAX_MS (5 * MS_MINUTE)
/* … and one that was given up for so long. */
#define RELEASE_SLACK_MS (2 * MS_MINUTE)

static time_ms later(time_ms a, time_ms b)
{
    return a > b ? a : b;
}

void turn_begins(const struct world *world, struct world_account *account, unsigned target)
{
    struct oracle_target *state = &account->oracle.targets[target];

    state->delivery_began = world->now;
    state->delivery_required = oracle_cares(world, &account->targets[target]);
    state->passed_by = 0;
}

bool turn_is_allowed(const struct world *world, const struct world_account *account)
{
    for (unsigned i = 0; i < world->script->target_count; i++) {
        const time_ms began = account->oracle.targets[i].delivery_began;

        if (began != 0 && (oracle_cares(world, &account->targets[i]) ||
                           world->now - began <= OPTIONAL_MAX_MS + RELEASE_SLACK_MS))
            return true;
    }
    return false;
}

/* A delivery has begun, and the daemon that waits for it goes on by its configuration. Removed
 * accounts finish what is under way. */
static bool is_under_way(const struct world *world, const struct world_account *account,
                         unsigned index)
{
    return account->oracle.targets[index].delivery_began != 0 && account->configured &&
           !world->stopping && !account->oracle.leaving;
}

/* Since when nothing disturbs the account. A reload is a disturbance, too. */
static time_ms undisturbed_since(const struct world *world, const struct world_account *account,
                                 time_ms since)
{
    return liveness_all_quiet_since(world, later(since, account->oracle.disturbed_at));
}

/* --- rule 7: targets that are not required --- */

/* What waits for an optional delivery: the end of a rotation that no required target keeps open, or
 * a look. From when on; TIME_NEVER: nothing waits. */
static time_ms other_turn_since(const struct world *world, const struct world_account *account)
{
    const struct record *journal = &account->journal;

    if (!account->in_journal || !journal->adopted || journal->check_at == 0)
        return TIME_NEVER;
    if (journal->delivering != journal->active)
        return oracle_all_told(world, account, account->live[journal->delivering]) ? 0 : TIME_NEVER;
    return later(journal->check_at, journal->retry_at) - world->wall_offset;
}

static void is_released(struct world *world, struct world_account *account, unsigned index)
{
    const struct world_target *target = &account->targets[index];
    const struct oracle_target *state = &account->oracle.targets[index];
    time_ms since = state->delivery_began;

    if (oracle_cares(world, target))
        return;
    if (!state->delivery_required && target->configured)
        since = later(since + OPTIONAL_MAX_MS, other_turn_since(world, account));
    since = undisturbed_since(world, account, since);
    if (since == TIME_NEVER || world->now - since <= RELEASE_SLACK_MS)
        return;
    oracle_convict(world, ORACLE_RELEASED, account,
                   "waits for a delivery to %s, which is not required, for %s",
                   oracle_target_name(account, index), oracle_words(world->now - since));
}

/* --- rule 8: in a repair none waits for another --- */

/* The journal's word on a target; NULL: it knows none. */
static const struct target_record *journal_of(const struct world_account *account, unsigned index)
{
    return record_target_const(&account->journal, &account->targets[index].id);
}

/* Since when a target, which the daemon knows to lack its key and may deliver to, has its turn
 * beside those that are required alike, in a repair; TIME_NEVER: it has none. */
static time_ms turn_since(const struct world *world, const struct world_account *account,
                          unsigned index, bool required)
{
    const struct record *journal = &account->journal;
    const struct target_record *target = journal_of(account, index);
    const unsigned owner = delivery_owner(account, index);

    if (!account->targets[index].configured ||
        oracle_cares(world, &account->targets[index]) != required || !target ||
        target->required != required || record_target_satisfied(journal, target) ||
        (journal->delivering != journal->active && target->dead_since == 0))
        return TIME_NEVER;
    if (owner != TARGETS_MAX && (!journal_of(account, owner) ||
                                 !record_target_satisfied(journal, journal_of(account, owner))))
        return TIME_NEVER;
    return later(later(target->retry_at, target->unsettled_until), journal->retry_at) -
           world->wall_offset;
}

/* A person has to decide whether anything is delivered. */
static bool is_up_to_person(const struct world *world, const struct world_account *account)
{
    const struct record *journal = &account->journal;

    return journal->blocked == REASON_TARGETS_DISAGREE ||
           (world->policy.on_drift == DRIFT_ALERT && journal->repairing == DRIFT_ACTIVE_CHANGED);
}

/* For how long had the deliveries to it been failing when that one began? */
static duration_ms failing_before(const struct world *world, const struct world_account *account,
                                  unsigned index, time_ms began)
{
    const struct target_record *target = journal_of(account, index);
    const duration_ms failing = target && target->failing_since != 0
                                    ? began + world->wall_offset - target->failing_since
                                    : 0;

    return failing > 0 ? failing : 0;
}

/* Since when something has waited longer for that delivery than it has to; TIME_NEVER: nothing
 * has. Two targets that have been failing for long give each other as much time. */
static time_ms others_wait_since(const struct world *world, const struct world_account *account,
                                 unsigned index, const char **ret_who)
{
    const struct record *journal = &account->journal;
    const time_ms began = account->oracle.targets[index].delivery_began;
    const bool required = oracle_cares(world, &account->targets[index]);
    const duration_ms turn = required ? world->timing.repair_turn : OPTIONAL_MAX_MS;
    const duration_ms failing = failing_before(world, account, index, began);
    time_ms earliest = TIME_NEVER;

    for (unsigned i = 0; i < world->script->target_count; i++) {
        const duration_ms other = failing_before(world, account, i, began);
        const time_ms since = i == index || is_up_to_person(world, account)
                                  ? TIME_NEVER
                                  : later(turn_since(world, account, i, required),
                                          began + later(turn, failing < other ? failing : other));

        if (since >= earliest)
            continue;
        earliest = since;
        *ret_who = oracle_target_name(account, i);
    }
    if (!required)
        return earliest; /* rule 7 tells of all else */
    if (journal->delivering == journal->active && journal->adopt_asked && began + turn < earliest) {
        earliest = began + turn;
        *ret_who = "the command adopt";
    }
    if (journal->delivering == journal->active &&
        later(began + later(turn, failing), other_turn_since(world, account)) < earliest) {
        earliest = later(began + later(turn, failing), other_turn_since(world, account));
        *ret_who = "a look";
    }
    return earliest;
}

static void none_waits(struct world *world, struct world_account *account, unsigned index)
{
    const char *who = "";
    time_ms since;

    if (!account->targets[index].configured || !oracle_knows_keys(oracle_journal(account)))
        return;
    since = undisturbed_since(world, account, others_wait_since(world, account, index, &who));
    if (since == TIME_NEVER || world->now - since <= RELEASE_SLACK_MS)
        return;
    oracle_convict(world, ORACLE_NONE_WAITS, account,
                   "%s waits for a delivery to %s that hangs, %s too long", who,
                   oracle_target_name(account, index), oracle_words(world->now - since));
}

/* No target has two long turns while another one's has come. */
static void is_not_passed_by_twice(struct world *world, struct world_account *account,
                                   unsigned index)
{
    const time_ms began = account->oracle.targets[index].delivery_began;
    const bool required = oracle_cares(world, &account->targets[index]);
    const uint32_t key = world_key_of(record_delivering_key(&account->journal));

    for (unsigned i = 0; i < world->script->target_count; i++) {
        struct oracle_target *state = &account->oracle.targets[i];

        /* Another key is delivered from the first target on. */
        if (state->passed_key != key)
            state->passed_by = 0;
        state->passed_key = key;
        if (i == index || is_up_to_person(world, account) ||
            turn_since(world, account, i, required) > began) {
            state->passed_by = 0;
            continue;
        }
        if ((state->passed_by & 1U << index) != 0)
            oracle_convict(world, ORACLE_NONE_WAITS, account,
                           "%s hangs a second time, and %s has not had its turn",
                           oracle_target_name(account, index), oracle_target_name(account, i));
        state->passed_by |= 1U << index;
    }
}

void turn_reconfigured(struct world_account *account)
{
    /* The daemon knows nothing any more of a target that was taken away, and required targets have
     * their turns apart from the others. */
    for (unsigned i = 0; i < WORLD_TARGETS_MAX; i++) {
        const struct world_target *target = &account->targets[i];

        if (!target->configured)
            account->oracle.targets[i].passed_by = 0;
        for (unsigned j = 0; j < WORLD_TARGETS_MAX; j++)
            if (!account->targets[j].configured || account->targets[j].required != target->required)
                account->oracle.targets[i].passed_by &= ~(1U << j);
    }
}

void turn_check(struct world *world, struct world_account *account, unsigned target)
{
    if (!is_under_way(world, account, target))
        return;
    is_released(world, account, target);
    none_waits(world, account, target);
}

void turn_ends(struct world *world, struct world_account *account, unsigned target, bool hung)
{
    turn_check(world, account, target);
    if (hung && is_under_way(world, account, target) && oracle_knows_keys(oracle_journal(account)))
        is_not_passed_by_twice(world, account, target);
    account->oracle.targets[target].delivery_began = 0;
}
