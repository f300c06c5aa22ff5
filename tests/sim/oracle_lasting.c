/*
 * Regenerates that go on after their answer: rules 3, 4 and 16, held against what the world knows
 * of the operation.
 *
 * A daemon whose journal was edited, or whose clock was set, since the request cannot know of the
 * operation, or how long it takes: it is forgiven until that has ended.
 */
#include "oracle_parts.h"

#include <string.h>

/* Azure's longest pause between two polls, one poll without an answer, and the look after it. */
#define LEADS_ON_MS (15 * MS_MINUTE)

void lasting_disturb(struct world_account *account)
{
    account->oracle.slow_forgiven = true;
}

void lasting_daemon_starts(const struct world *world, struct world_account *account)
{
    if (world->oracle.journal_edited)
        lasting_disturb(account);
}

static bool may_still_change(const struct world *world, const struct world_account *account)
{
    return slow_runs(world, account) && !account->oracle.slow_forgiven;
}

/* --- a request --- */

void lasting_regenerates(struct world *world, struct world_account *account,
                         const struct operation *request)
{
    const struct oracle_account *state = &account->oracle;
    const struct world_account *pair = world_pair_of(world, account);
    const enum slot slot = request->slot;

    if (pair && may_still_change(world, pair))
        oracle_convict(world, ORACLE_ONE_OPERATION, account,
                       "a regenerate while one of %s, of the same resource, runs, for %s more",
                       pair->name, oracle_words(pair->slow.ends_at - world->now));
    if (may_still_change(world, account))
        oracle_convict(world, ORACLE_ONE_OPERATION, account,
                       "a regenerate while the one before it runs, for %s more",
                       oracle_words(account->slow.ends_at - world->now));
    else if (state->attempted && !state->attempt_forgotten && state->attempt_slot == slot &&
             !state->slow_forgiven && !state->look.past && !state->by_stranger[slot] &&
             account->live[slot] != state->attempt_before &&
             account->live_since[slot] >= state->attempt_at &&
             state->look.live[slot] == state->attempt_before)
        oracle_convict(world, ORACLE_DOUBT_LOOKS, account,
                       "a regenerate %s after the one before it has made k%u, which lists do not "
                       "show yet",
                       oracle_words(world->now - account->live_since[slot]), account->live[slot]);
    account->oracle.slow_forgiven = state->slow_forgiven && slow_runs(world, account);
}

/* --- a poll --- */

void lasting_polls(struct world *world, struct world_account *account, const struct operation *poll)
{
    char url[WORLD_URL_MAX];

    slow_url(poll->number, url);
    if (!account->in_journal || fingerprint_is_none(&account->journal.intent.operation) ||
        strcmp(account->url, url) != 0)
        oracle_convict(world, ORACLE_POLLED_DURABLE, account,
                       "operation %u is asked about, and the journal does not have its URL",
                       poll->number);
}

/* --- conclusions --- */

void lasting_delivers(struct world *world, struct world_account *account,
                      const struct operation *delivery)
{
    const enum slot slot = account->slow.slot;

    if (may_still_change(world, account) && delivery->key == account->live[slot])
        oracle_convict(world, ORACLE_ENDED_FIRST, account,
                       "k%u is delivered to %s while a regenerate of the %s key runs, for %s more",
                       delivery->key, oracle_target_name(account, delivery->target),
                       slot_name(slot), oracle_words(account->slow.ends_at - world->now));
}

void lasting_saved(struct world *world, struct world_account *account, const struct record *record)
{
    if (may_still_change(world, account) && account->oracle.said.intent && !record->intent.open)
        oracle_convict(world, ORACLE_ENDED_FIRST, account,
                       "the outcome of a regenerate is decided while it runs, for %s more",
                       oracle_words(account->slow.ends_at - world->now));
}

/* --- it leads on --- */

/* Since nothing went wrong any more, for so long at most the account may wait for the outcome. */
void lasting_leads_on(struct world *world, struct world_account *account, time_ms quiet_since,
                      duration_ms retries)
{
    const struct record *journal = &account->journal;
    const struct script_pace *pace = slow_pace(world, account);
    const duration_ms shown = 3 * pace->lag + retries;
    /* Without a description nothing is repeated. */
    time_ms since =
        account->oracle.undescribed_at > quiet_since ? account->oracle.undescribed_at : quiet_since;

    if (!account->in_journal || !journal->intent.open || account->oracle.slow_forgiven ||
        pace_is_plain(pace) || slow_runs(world, account))
        return;
    /* … nor with a clock that is wrong. */
    if (world->oracle.skewed_at > since)
        since = world->oracle.skewed_at;
    if (account->slow.ends_at > since)
        since = account->slow.ends_at;
    if (!fingerprint_is_none(&journal->intent.operation) &&
        world->now - since > LEADS_ON_MS + shown)
        oracle_convict(world, ORACLE_LEADS_ON, account,
                       "a regenerate has ended %s ago, and its operation is still asked about (%s)",
                       oracle_words(world->now - since), position_name(journal->position));
    if (account->oracle.attempt_at > since)
        since = account->oracle.attempt_at;
    if (world->now - since > pace->at_most + LEADS_ON_MS + shown + LEADS_ON_MS)
        oracle_convict(
            world, ORACLE_LEADS_ON, account,
            "a regenerate was asked for %s ago, and its outcome is still waited for (%s)",
            oracle_words(world->now - since), position_name(journal->position));
}
