/*
 * When rotations begin: rule 14.
 *
 * The oracle does not plan; it knows the earliest instant at which any plan can begin a rotation.
 * Planned times count from planned times, so each lies at least rotate_every after the one before,
 * and none less than overlap after the last completion; the first lies at least overlap after the
 * adoption. That holds by the daemon's wall clock, which may have been set: a clock that was set
 * forward makes due what is due by it.
 *
 * What a start, a reload or the end of a hold finds due already is spread over the splay.
 *
 * A restored journal has an older plan, by which the daemon may repeat one rotation. `rotate` is
 * exempt, until the rotation that it asked for is complete.
 */
#include "core/key_time.h"
#include "core/schedule.h"
#include "oracle_parts.h"

/* A preflight belongs to a regenerate that follows within this time; a rotation counts as prompted
 * within this time after its cause. */
#define PREFLIGHT_MAX_MS (10 * MS_MINUTE)
#define PROMPTED_MS      MS_HOUR
/* The daemon notices its start, and a reload, at most this much later than the oracle. */
#define SLACK_MS (2 * MS_SECOND)

static time_ms earlier(time_ms a, time_ms b)
{
    return a < b ? a : b;
}

static time_ms later(time_ms a, time_ms b)
{
    return a > b ? a : b;
}

void schedule_world_begins(struct world *world, struct world_account *account)
{
    account->oracle.planned = world_wall(world) + world->policy.overlap;
    account->oracle.planned_with = world->policy.rotate ? world->policy.rotate_every : 0;
}

/* --- what is due already is splayed --- */

static void splay_over(struct world *world, struct world_account *account, duration_ms spread)
{
    account->oracle.caught_up_at =
        schedule_catch_up(&world->policy, account->id, world_wall(world), spread) - SLACK_MS;
}

/* A missed catch-up, late by as much as it was missed by. */
static void splay_from_now(struct world *world, struct world_account *account)
{
    const struct record *journal = &account->journal;
    duration_ms missed = world_wall(world) - journal->due_at;
    bool again = account->in_journal && journal->catching_up && missed < world->policy.splay;

    splay_over(world, account, again ? missed : world->policy.splay);
}

/* The journal that it reads now has other completions than those it has seen. */
static void read_edited_journal(struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;
    const struct record *journal = account->in_journal ? &account->journal : NULL;
    time_ms wall = world_wall(world);

    if (state->planned > wall)
        state->planned = wall;
    if (journal && journal->planned_at != 0 && state->planned > journal->planned_at)
        state->planned = journal->planned_at;
    state->caught_up_at = 0;
    state->completed_wall = journal ? earlier(journal->completed_at, wall) : 0;
    state->completed_told = state->completed_wall;
    state->adopted_wall = journal && journal->adopted ? earlier(journal->adopted_at, wall) : 0;
    state->adopted_at = 0;
    state->requested = journal && journal->requested;
    if (journal)
        state->planned_with = journal->planned_with;
}

/* The plan that follows from a changed rotate_every. */
static void plan_anew(struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;
    const struct policy *policy = &world->policy;
    /* After both keys were changed by somebody else the plan counts from there. */
    time_ms both = account->in_journal ? account->journal.both_changed_at : 0;
    time_ms wall = world_wall(world);
    time_ms planned, due;

    state->caught_up_at = 0;
    /* A clock that was set forward and back before the daemon could notice counts as not set. */
    if (account->in_journal && account->journal.completed_at == state->completed_told &&
        state->completed_told <= wall)
        state->completed_wall = state->completed_told;
    if (state->completed_wall == 0 && state->adopted_wall == 0)
        return;
    if (both > later(state->completed_wall, state->adopted_wall)) {
        planned = both + policy->rotate_every;
        due = schedule_start(policy, account->id, planned);
    } else if (state->completed_wall != 0) {
        planned = state->completed_wall + policy->rotate_every;
        due = schedule_start(policy, account->id, planned);
    } else {
        planned = state->adopted_wall + policy->overlap;
        due = schedule_first(policy, account->id, state->adopted_wall,
                             account->in_journal ? key_time_first_by(&account->journal, policy)
                                                 : TIME_NEVER);
    }
    state->replanned = true;
    /* Until the daemon has planned anew, what was due stays due. */
    if (state->planned > wall || planned <= wall)
        state->planned = planned;
    if (due <= wall - SLACK_MS && !state->said.intent &&
        state->said.delivering == state->said.active && !state->requested)
        splay_over(world, account, policy->splay);
}

static void read_policy(struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;
    duration_ms wanted = world->policy.rotate ? world->policy.rotate_every : 0;

    if (wanted != state->planned_with && wanted != 0)
        plan_anew(world, account);
    state->planned_with = wanted;
}

/* The account continues with what the journal has of it. */
static void take_up(struct world *world, struct world_account *account)
{
    const struct record *journal = &account->journal;

    /* A change of the policy makes a new plan. */
    if (!account->in_journal || !journal->adopted || journal->requested ||
        journal->planned_with != account->oracle.planned_with || journal->due_at == 0 ||
        journal->due_at > world_wall(world))
        return;
    splay_from_now(world, account);
}

void schedule_daemon_starts(struct world *world, struct world_account *account)
{
    account->oracle.prompted_at = world->now;
    account->oracle.configured = account->configured;
    account->oracle.leaving = false;
    if (world->oracle.journal_edited)
        read_edited_journal(world, account);
    /* A `rotate` in the journal was accepted, even if the daemon died before it answered. */
    if (account->in_journal && account->journal.requested)
        account->oracle.requested = true;
    /* A plan that was not durable yet is made again. */
    if (account->in_journal)
        account->oracle.planned_with = account->journal.planned_with;
    if (!account->in_journal || !account->journal.catching_up)
        account->oracle.caught_up_at = 0;
    if (!account->configured)
        return;
    read_policy(world, account);
    take_up(world, account);
}

/* What is made up for after a freeze is made up for earlier where the freeze is gone. */
static void end_of_freeze(struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;
    time_ms at =
        schedule_catch_up(&world->policy, account->id, world_wall(world), world->policy.splay) -
        SLACK_MS;

    state->caught_up_at = earlier(state->caught_up_at, at);
}

void schedule_reconfigured(struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;
    bool added = account->configured && !state->configured;

    state->prompted_at = world->now;
    state->configured_at = world->now;
    end_of_freeze(world, account);
    state->leaving = state->leaving || (state->configured && !account->configured);
    state->configured = account->configured;
    if (!account->configured || !world->daemon)
        return;
    read_policy(world, account);
    if (added)
        take_up(world, account);
}

/* Set back: what now lies in the future happened at this instant at the latest, and a plan by the
 * wrong clock may be made anew. */
void schedule_clock_set(struct world *world, struct world_account *account, time_ms wall)
{
    struct oracle_account *state = &account->oracle;
    time_ms from;

    if (state->completed_wall > wall)
        state->completed_wall = wall;
    if (state->adopted_wall > wall)
        state->adopted_wall = wall;
    from = state->completed_wall != 0 ? state->completed_wall : state->adopted_wall;
    if (state->planned > from + world->policy.overlap)
        state->planned = from + world->policy.overlap;
    state->caught_up_at = 0;
    state->replanned = true;
}

/* --- a rotation begins --- */

static bool is_in_window(const struct world *world)
{
    const struct policy windows = schedule_without_freezes(&world->policy);

    return schedule_is_open(&windows, world_wall(world));
}

void schedule_probed(struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;

    if (state->probes > 0)
        return;
    state->probed_at = world->now;
    state->probed_in_window = is_in_window(world);
}

static bool is_retry(const struct world_account *account)
{
    return account->in_journal && account->journal.intent.open &&
           account->journal.intent.attempts > 1;
}

static bool began_in_window(const struct world *world, const struct oracle_account *state)
{
    if (state->probed_at != 0 && world->now - state->probed_at < PREFLIGHT_MAX_MS)
        return state->probed_in_window;
    return is_in_window(world);
}

/* The intent was written in a freeze that the daemon knew of. */
static bool began_in_freeze(const struct world *world, const struct world_account *account)
{
    time_ms begun = account->journal.intent.written_at;
    duration_ms ago = world_wall(world) - begun;

    return account->in_journal && account->journal.intent.open && world->policy.freeze_count > 0 &&
           world->freeze.from <= begun && begun < world->freeze.to &&
           world->now - ago > account->oracle.configured_at + SLACK_MS;
}

/* What a freeze holds up starts after its end, within the splay: that of a planned start as well as
 * that of a start which is made up for. */
static bool is_start_after_freeze(const struct world *world, const struct world_account *account)
{
    time_ms start;

    if (world->policy.freeze_count == 0)
        return false;
    start = schedule_start(&world->policy, account->id, world->freeze.from);
    return world_wall(world) >= start - SLACK_MS && world_wall(world) < start + PREFLIGHT_MAX_MS;
}

void schedule_regenerates(struct world *world, struct world_account *account)
{
    const struct oracle_account *state = &account->oracle;
    bool prompted = world->now - state->prompted_at < PROMPTED_MS;
    time_ms wall = world_wall(world);
    duration_ms adopted = state->adopted_at + world->policy.overlap - world->now;
    duration_ms early = later(state->planned - wall, state->adopted_at != 0 ? adopted : 0);

    if (state->requested || state->rotate_asked || is_retry(account))
        return;
    if (early > 0)
        oracle_convict(world, prompted ? ORACLE_NOT_PROMPTED : ORACLE_CAUGHT_UP_ONCE, account,
                       "a rotation begins %s before any plan can have it%s", oracle_words(early),
                       prompted ? ", right after a start, a reload or an adoption" : "");
    else if (wall < state->caught_up_at && !is_start_after_freeze(world, account))
        oracle_convict(world, ORACLE_NOT_PROMPTED, account,
                       "a rotation that was due at a start, a reload or the end of a hold begins "
                       "%s before its splay allows",
                       oracle_words(state->caught_up_at - wall));
    if (!began_in_window(world, state))
        oracle_convict(world, ORACLE_IN_WINDOW, account, "a rotation begins outside its window");
    if (began_in_freeze(world, account))
        oracle_convict(world, ORACLE_CHANGE_FREEZE, account,
                       "a rotation begins in a change freeze");
}

/* --- a rotation is complete --- */

void schedule_completed(struct world *world, struct world_account *account, time_ms wall,
                        bool out_of_turn)
{
    struct oracle_account *state = &account->oracle;
    const struct policy *policy = &world->policy;
    time_ms planned = state->planned + policy->rotate_every;

    /* An unplanned rotation may come before the planned time, and leaves the plan as it is; so may
     * one whose plan was changed, or made by a wrong clock, while it was under way. */
    state->planned = wall + policy->overlap;
    if (!out_of_turn && !state->requested && !state->replanned && planned > state->planned &&
        planned - policy->rotate_every <= wall)
        state->planned = planned;
    state->replanned = false;
    state->completed_wall = state->completed_told = wall;
    state->caught_up_at = 0;
    state->requested = false;
}

static void adopt(struct world *world, struct oracle_account *state)
{
    state->prompted_at = world->now;
    state->adopted_at = state->milestone.at;
    state->adopted_wall = state->milestone.wall;
    /* An account that was configured before continues from its last rotation. */
    state->planned = state->completed_wall != 0 ? state->completed_wall + world->policy.rotate_every
                                                : state->adopted_wall + world->policy.overlap;
    state->caught_up_at = 0;
    state->requested = false;
}

void schedule_saved(struct world *world, struct world_account *account, const struct record *record,
                    const struct oracle_rows *rows)
{
    struct oracle_account *state = &account->oracle;
    const struct oracle_said *said = &state->said;
    const struct record *journal = &account->journal;
    time_ms wall = world_wall(world);

    state->milestone.at = world->now;
    state->milestone.wall = wall;
    state->milestone.adopted = rows->adopted;
    state->milestone.completed = rows->completed;
    state->milestone.elsewhere =
        !rows->completed && said->adopted && record->active != said->active;
    if (said->bound && record->hold_id == 0 && account->in_journal && journal->due_at != 0 &&
        journal->due_at <= wall && !state->requested)
        splay_from_now(world, account);
}

void schedule_durable(struct world *world, struct world_account *account)
{
    struct oracle_account *state = &account->oracle;

    if (state->milestone.adopted)
        adopt(world, state);
    else if (state->milestone.completed || state->milestone.elsewhere)
        schedule_completed(world, account, state->milestone.wall, state->milestone.elsewhere);
}
