/*
 * First incidents are removed (delta debugging: Zeller, Hildebrandt, Simplifying and Isolating
 * Failure-Inducing Input, 2002), then accounts, targets, settings and times are simplified; again
 * and again until nothing changes.
 */
#include "shrink.h"

#include <string.h>

#include "run.h"
#include "shrink_parts.h"

enum { PLAYS_MAX = 6000, ROUNDS_MAX = 8 };

/* Whatever chance begins is over after so long. */
#define LONGEST_INCIDENT (12 * MS_DAY)

bool shrink_try(struct shrinking *shrinking, struct script *candidate)
{
    struct oracle_verdict verdict = {.muted = shrinking->muted, .first_only = true};

    if (shrinking->plays < PLAYS_MAX) {
        shrinking->plays++;
        run_apart(candidate, shrinking->design, &verdict, NULL);
    }
    if (verdict.convicted == 0 || verdict.first != shrinking->verdict->first) {
        script_done(candidate);
        return false;
    }
    script_done(shrinking->best);
    *shrinking->best = *candidate;
    *shrinking->verdict = verdict;
    shrinking->moved = true;
    return true;
}

/* --- incidents --- */

static void drop_incidents(struct script *script, size_t from, size_t count)
{
    memmove(&script->incidents[from], &script->incidents[from + count],
            (script->incident_count - from - count) * sizeof(script->incidents[0]));
    script->incident_count -= count;
}

static bool is_among(const struct script *script, size_t from, size_t count, unsigned bond)
{
    for (size_t i = from; i < from + count; i++)
        if (script->incidents[i].bond == bond)
            return true;
    return false;
}

/* Incidents that belong together go together. */
static bool try_without(struct shrinking *shrinking, size_t from, size_t count)
{
    struct script candidate;

    script_copy(&candidate, shrinking->best);
    drop_incidents(&candidate, from, count);
    for (size_t i = candidate.incident_count; i > 0; i--)
        if (candidate.incidents[i - 1].bond != 0 &&
            is_among(shrinking->best, from, count, candidate.incidents[i - 1].bond))
            drop_incidents(&candidate, i - 1, 1);
    return shrink_try(shrinking, &candidate);
}

/* It, and all that comes after, happens earlier. */
static bool pull(struct shrinking *shrinking, size_t i, duration_ms by)
{
    struct script candidate;

    if (by <= 0)
        return false;
    script_copy(&candidate, shrinking->best);
    for (size_t j = i; j < candidate.incident_count; j++)
        candidate.incidents[j].at -= by;
    candidate.length -= by;
    return shrink_try(shrinking, &candidate);
}

/* Keys take turns, so that a fault of one slot comes again after two rotations. */
static bool pull_by_periods(struct shrinking *shrinking, size_t i, duration_ms gap)
{
    duration_ms turn = 2 * shrinking->best->policy.rotate_every;

    for (duration_ms kept = 0; kept <= turn; kept += turn / 2)
        if (gap / turn > 0 && pull(shrinking, i, gap / turn * turn - kept))
            return true;
    return false;
}

static void close_gap(struct shrinking *shrinking, size_t i)
{
    const struct script *best = shrinking->best;
    duration_ms gap = best->incidents[i].at - (i > 0 ? best->incidents[i - 1].at : 0);

    /* An expectation needs its time. */
    if (best->incidents[i].bond != 0) {
        (void)pull(shrinking, i, gap - LONGEST_INCIDENT);
        return;
    }
    for (size_t unit = 0; unit < SHRINK_UNITS; unit++)
        if (pull(shrinking, i, gap - shrink_units[unit]))
            return;
    if (pull_by_periods(shrinking, i, gap))
        return;
    for (duration_ms by = gap / 2; by > MS_DAY; by /= 2)
        if (pull(shrinking, i, by))
            return;
}

/* Years in which nothing happens take as long to play as those in which something does. */
static void close_gaps(struct shrinking *shrinking, duration_ms longer_than)
{
    const struct script *best = shrinking->best;

    for (size_t i = 0; i < best->incident_count; i++)
        if (best->incidents[i].at - (i > 0 ? best->incidents[i - 1].at : 0) > longer_than)
            close_gap(shrinking, i);
}

static void thin_out(struct shrinking *shrinking)
{
    const struct script *best = shrinking->best;
    size_t chunk = (best->incident_count + 1) / 2;

    while (chunk > 0) {
        bool gave = false;

        for (size_t from = 0; from < best->incident_count;) {
            size_t left = best->incident_count - from;

            if (try_without(shrinking, from, left < chunk ? left : chunk))
                gave = true;
            else
                from += chunk;
        }
        close_gaps(shrinking, LONGEST_INCIDENT);
        if (!gave || chunk > 1)
            chunk /= 2;
    }
}

/* The world ends when it is convicted. */
static void cut_off(struct shrinking *shrinking)
{
    struct script candidate;
    duration_ms end = shrinking->verdict->first_at;

    if (end <= 0 || end >= shrinking->best->length)
        return;
    script_copy(&candidate, shrinking->best);
    candidate.length = end;
    while (candidate.incident_count > 0 &&
           candidate.incidents[candidate.incident_count - 1].at > end)
        candidate.incident_count--;
    (void)shrink_try(shrinking, &candidate);
}

/* --- accounts and targets --- */

static bool names_account(const struct incident *incident)
{
    switch (incident->kind) {
    case INCIDENT_CRASH:
    case INCIDENT_STOP:
    case INCIDENT_FREEZE:
    case INCIDENT_SUSPEND:
    case INCIDENT_CLOCK:
    case INCIDENT_CLOCK_OFF:
    case INCIDENT_DISK_FULL:
    case INCIDENT_DISK_SLOW:
    case INCIDENT_BACKUP:
    case INCIDENT_RESTORE:
    case INCIDENT_ERASE:
    case INCIDENT_DATA_DOWN:
    case INCIDENT_AZURE_DOWN:
    case INCIDENT_THROTTLE:
    case INCIDENT_NEW_KEYS_LAG:
    case INCIDENT_LISTS_FORBIDDEN:
    case INCIDENT_LISTS_BREAK:
    case INCIDENT_LISTS_LATE:
    case INCIDENT_RULE_OUT:
    case INCIDENT_RULE_IN:
    case INCIDENT_RULES_TURNED:
    case INCIDENT_POLICY:
    case INCIDENT_RELOAD:
    case INCIDENT_EXPECT_ROTATION:
        return false;
    default:
        return incident->account != ALL_ACCOUNTS;
    }
}

static void drop_account(struct script *script, unsigned account)
{
    for (size_t i = script->incident_count; i > 0; i--) {
        struct incident *incident = &script->incidents[i - 1];

        if (!names_account(incident) || incident->account < account)
            continue;
        if (incident->account == account)
            drop_incidents(script, i - 1, 1);
        else
            incident->account--;
    }
    for (unsigned i = account; i + 1 < script->accounts; i++)
        script->paces[i] = script->paces[i + 1];
    script->accounts--;
}

static void drop_accounts(struct shrinking *shrinking)
{
    for (unsigned i = shrinking->best->accounts; i > 0 && shrinking->best->accounts > 1; i--) {
        struct script candidate;

        script_copy(&candidate, shrinking->best);
        drop_account(&candidate, i - 1);
        (void)shrink_try(shrinking, &candidate);
    }
}

static bool names_target(const struct incident *incident)
{
    switch (incident->kind) {
    case INCIDENT_WRITE:
    case INCIDENT_TARGET_FAILS:
    case INCIDENT_TARGET_LIES:
    case INCIDENT_TARGET_OUT:
    case INCIDENT_TARGET_IN:
    case INCIDENT_TARGET_OPTIONAL:
        return true;
    default:
        return false;
    }
}

static void drop_target(struct script *script, unsigned target)
{
    for (size_t i = script->incident_count; i > 0; i--) {
        struct incident *incident = &script->incidents[i - 1];

        if (names_target(incident) && incident->target == target)
            drop_incidents(script, i - 1, 1);
        else if (incident->target > target)
            incident->target--;
    }
    memmove(&script->targets[target], &script->targets[target + 1],
            (script->target_count - target - 1) * sizeof(script->targets[0]));
    script->target_count--;
}

/* --- rules --- */

static bool names_rule(const struct incident *incident, unsigned rule)
{
    switch (incident->kind) {
    case INCIDENT_RULE_OUT:
    case INCIDENT_RULE_IN:
        return incident->rule == rule;
    case INCIDENT_RULES_TURNED: /* needs two of them */
        return true;
    default:
        return false;
    }
}

/* The last one first; without any, the configuration names all accounts. */
static void drop_rules(struct shrinking *shrinking)
{
    bool moved = true;

    while (moved && shrinking->best->rule_count > 0) {
        struct script candidate;

        script_copy(&candidate, shrinking->best);
        candidate.rule_count--;
        for (size_t i = candidate.incident_count; i > 0; i--)
            if (names_rule(&candidate.incidents[i - 1], candidate.rule_count))
                drop_incidents(&candidate, i - 1, 1);
        moved = shrink_try(shrinking, &candidate);
    }
}

static bool has_required(const struct script *script)
{
    for (unsigned i = 0; i < script->target_count; i++)
        if (script->targets[i].required)
            return true;
    return false;
}

static void drop_targets(struct shrinking *shrinking)
{
    for (unsigned i = shrinking->best->target_count; i > 0; i--) {
        struct script candidate;

        script_copy(&candidate, shrinking->best);
        drop_target(&candidate, i - 1);
        if (has_required(&candidate))
            (void)shrink_try(shrinking, &candidate);
        else
            script_done(&candidate);
    }
}

unsigned shrink(struct script *script, const struct design *design, uint64_t muted,
                struct oracle_verdict *verdict)
{
    struct shrinking shrinking = {
        .best = script, .design = design, .muted = muted, .verdict = verdict, .moved = true};

    for (unsigned round = 0; round < ROUNDS_MAX && shrinking.moved; round++) {
        shrinking.moved = false;
        cut_off(&shrinking);
        drop_rules(&shrinking);
        drop_accounts(&shrinking);
        shrink_settings(&shrinking);
        thin_out(&shrinking);
        drop_accounts(&shrinking);
        drop_targets(&shrinking);
        shrink_targets(&shrinking);
        shrink_incidents(&shrinking);
        close_gaps(&shrinking, 0);
        cut_off(&shrinking);
    }
    return shrinking.plays;
}
