/*
 * Simplifies settings and times.
 */
#include <string.h>

#include "shrink_parts.h"

const duration_ms shrink_units[SHRINK_UNITS] = {MS_DAY, MS_HOUR, MS_MINUTE, MS_SECOND};

/* --- policies --- */

static void as_usual(struct script_policy *policy, const struct script_policy *usual)
{
    *policy = *usual;
}

static void as_usual_but_intervals(struct script_policy *policy, const struct script_policy *usual)
{
    struct script_policy before = *policy;

    *policy = *usual;
    policy->rotate_every = before.rotate_every;
    policy->overlap = before.overlap;
}

static void usual_check(struct script_policy *policy, const struct script_policy *usual)
{
    policy->check_every = usual->check_every;
}

static void usual_splay(struct script_policy *policy, const struct script_policy *usual)
{
    policy->splay = usual->splay;
}

static void usual_window(struct script_policy *policy, const struct script_policy *usual)
{
    policy->has_window = usual->has_window;
}

static void usual_freeze(struct script_policy *policy, const struct script_policy *usual)
{
    policy->freeze_from = usual->freeze_from;
    policy->freeze_until = usual->freeze_until;
}

static void usual_verify(struct script_policy *policy, const struct script_policy *usual)
{
    policy->verify = usual->verify;
}

static void usual_drift(struct script_policy *policy, const struct script_policy *usual)
{
    policy->on_drift = usual->on_drift;
}

static void usual_overdue(struct script_policy *policy, const struct script_policy *usual)
{
    policy->overdue_after = usual->overdue_after;
}

static void usual_overlap(struct script_policy *policy, const struct script_policy *usual)
{
    policy->overlap = usual->overlap;
    if (policy->rotate_every < policy->overlap)
        policy->rotate_every = policy->overlap;
}

static void usual_period(struct script_policy *policy, const struct script_policy *usual)
{
    policy->rotate_every = usual->rotate_every;
    if (policy->rotate_every < policy->overlap)
        policy->rotate_every = policy->overlap;
}

static void round_days(duration_ms *duration)
{
    if (*duration > MS_DAY)
        *duration -= *duration % MS_DAY;
}

static void in_days(struct script_policy *policy, const struct script_policy *usual)
{
    (void)usual;
    round_days(&policy->rotate_every);
    round_days(&policy->overlap);
    round_days(&policy->splay);
    round_days(&policy->check_every);
    round_days(&policy->overdue_after);
    round_days(&policy->freeze_from);
    round_days(&policy->freeze_until);
}

static void (*const simplifications[])(struct script_policy *policy,
                                       const struct script_policy *usual) = {
    as_usual,      as_usual_but_intervals, usual_check,  usual_splay,
    usual_window,  usual_freeze,           usual_verify, usual_drift,
    usual_overdue, usual_overlap,          usual_period, in_days,
};
enum { SIMPLIFICATIONS = sizeof(simplifications) / sizeof(simplifications[0]) };

/* How long to wait for a rotation follows from the policy at that time. */
static void expect_as_long(struct script *script)
{
    const struct script_policy *policy = &script->policy;

    for (size_t i = 0; i < script->incident_count; i++) {
        struct incident *incident = &script->incidents[i];

        if (incident->kind == INCIDENT_POLICY)
            policy = &incident->policy;
        if (incident->kind != INCIDENT_EXPECT_ROTATION)
            continue;
        incident->duration = script_longest_wait(policy);
        script->length = incident->at + incident->duration;
    }
}

/* The first policy (i is 0), or the one of the incident before the i-th. */
static struct script_policy *policy_at(struct script *script, size_t i)
{
    return i == 0 ? &script->policy : &script->incidents[i - 1].policy;
}

/* The first policy becomes the usual one, later ones become like the first. */
static void simplify_policy(struct shrinking *shrinking, size_t at,
                            const struct script_policy *usual)
{
    for (size_t i = 0; i < SIMPLIFICATIONS; i++) {
        struct script candidate;

        script_copy(&candidate, shrinking->best);
        simplifications[i](policy_at(&candidate, at), usual);
        if (script_policy_equal(policy_at(&candidate, at), policy_at(shrinking->best, at))) {
            script_done(&candidate);
            continue;
        }
        expect_as_long(&candidate);
        (void)shrink_try(shrinking, &candidate);
    }
}

static void simplify_policies(struct shrinking *shrinking)
{
    struct script usual;

    script_init(&usual);
    simplify_policy(shrinking, 0, &usual.policy);
    script_done(&usual);
    for (size_t i = 0; i < shrinking->best->incident_count; i++)
        if (shrinking->best->incidents[i].kind == INCIDENT_POLICY)
            simplify_policy(shrinking, i + 1, &shrinking->best->policy);
}

/* --- other settings --- */

static void name_active(struct script *script)
{
    script->has_adopt_active = true;
    script->presumed = false;
}

static void primary_active(struct script *script)
{
    script->active = SLOT_PRIMARY;
}

static void no_key_times(struct script *script)
{
    script->key_times = KEY_TIMES_NONE;
}

static void first_seed(struct script *script)
{
    script->seed = 1;
}

static void plain_rules(struct script *script)
{
    for (unsigned i = 0; i < script->rule_count; i++)
        script->rules[i].max_new = WORLD_ACCOUNTS_MAX;
}

static void rules_in_days(struct script *script)
{
    for (unsigned i = 0; i < script->rule_count; i++)
        round_days(&script->rules[i].every);
}

/* Each pace becomes plain, or at least its parts do. */
static void shrink_paces(struct shrinking *shrinking)
{
    for (unsigned i = 0; i < shrinking->best->accounts; i++) {
        for (int part = 0; part < 4; part++) {
            struct script candidate;
            struct script_pace *pace = &candidate.paces[i];

            script_copy(&candidate, shrinking->best);
            if (part == 0)
                *pace = (struct script_pace){0};
            else if (part == 1)
                pace->answer = PACE_ANSWERS_BOTH;
            else if (part == 2)
                pace->lag = 0;
            else
                pace->effect = PACE_EFFECT_AT_START;
            if (memcmp(pace, &shrinking->best->paces[i], sizeof(*pace)) == 0)
                script_done(&candidate);
            else
                (void)shrink_try(shrinking, &candidate);
        }
    }
}

void shrink_settings(struct shrinking *shrinking)
{
    static void (*const ways[])(struct script * script) = {
        name_active, primary_active, no_key_times, first_seed, plain_rules, rules_in_days};
    const struct script *best = shrinking->best;

    simplify_policies(shrinking);
    shrink_paces(shrinking);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct script candidate;

        script_copy(&candidate, best);
        ways[i](&candidate);
        if (candidate.seed == best->seed && candidate.active == best->active &&
            candidate.has_adopt_active == best->has_adopt_active &&
            candidate.presumed == best->presumed &&
            memcmp(candidate.rules, best->rules, sizeof(best->rules)) == 0)
            script_done(&candidate);
        else
            (void)shrink_try(shrinking, &candidate);
    }
}

/* The usual target is empty, readable, no hook, and settles at once. */
void shrink_targets(struct shrinking *shrinking)
{
    for (unsigned i = 0; i < shrinking->best->target_count; i++) {
        for (int trait = 0; trait < 4; trait++) {
            struct script candidate;
            struct script_target *target = &candidate.targets[i];

            script_copy(&candidate, shrinking->best);
            if (trait == 0)
                target->filled = false;
            else if (trait == 1)
                target->readable = true;
            else if (trait == 2)
                target->hook = false;
            else
                target->settles_at_once = true;
            if (memcmp(target, &shrinking->best->targets[i], sizeof(*target)) == 0)
                script_done(&candidate);
            else
                (void)shrink_try(shrinking, &candidate);
        }
    }
}

/* --- times --- */

static bool sets_clock(const struct incident *incident)
{
    return incident->kind == INCIDENT_CLOCK || incident->kind == INCIDENT_CLOCK_OFF;
}

/* A clock that is corrected again is set by the same amount. */
static bool try_duration(struct shrinking *shrinking, size_t i, duration_ms duration)
{
    duration_ms before = shrinking->best->incidents[i].duration;
    unsigned bond = shrinking->best->incidents[i].bond;
    struct script candidate;

    script_copy(&candidate, shrinking->best);
    candidate.incidents[i].duration = duration;
    for (size_t j = 0; bond != 0 && j < candidate.incident_count; j++)
        if (candidate.incidents[j].bond == bond && candidate.incidents[j].duration == -before)
            candidate.incidents[j].duration = -duration;
    return shrink_try(shrinking, &candidate);
}

/* A duration becomes a day, an hour …, or at least a round number. */
static void shorten(struct shrinking *shrinking, size_t i)
{
    for (size_t unit = SHRINK_UNITS; unit > 0; unit--) {
        duration_ms now = shrinking->best->incidents[i].duration;
        duration_ms wanted = now < 0 ? -shrink_units[unit - 1] : shrink_units[unit - 1];

        if (now / wanted < 1 || now == wanted || try_duration(shrinking, i, wanted))
            return;
    }
}

static void round_duration(struct shrinking *shrinking, size_t i)
{
    for (size_t unit = 0; unit < SHRINK_UNITS; unit++) {
        duration_ms now = shrinking->best->incidents[i].duration;
        duration_ms rest = now % shrink_units[unit];

        if (rest == 0)
            return;
        if (now != rest && try_duration(shrinking, i, now - rest))
            return;
    }
}

static void round_time(struct shrinking *shrinking, size_t i)
{
    for (size_t unit = 0; unit < SHRINK_UNITS; unit++) {
        duration_ms at = shrinking->best->incidents[i].at;
        struct script candidate;

        if (at % shrink_units[unit] == 0)
            return;
        if (i > 0 && at - at % shrink_units[unit] < shrinking->best->incidents[i - 1].at)
            continue;
        script_copy(&candidate, shrinking->best);
        candidate.incidents[i].at -= at % shrink_units[unit];
        if (shrink_try(shrinking, &candidate))
            return;
    }
}

static void once(struct shrinking *shrinking, size_t i)
{
    struct script candidate;

    if (shrinking->best->incidents[i].times <= 1)
        return;
    script_copy(&candidate, shrinking->best);
    candidate.incidents[i].times = 1;
    (void)shrink_try(shrinking, &candidate);
}

/* No mishap is armed that this incident would disarm. */
static bool disarms_nothing(const struct script *script, size_t at)
{
    const struct incident *disarming = &script->incidents[at];

    if (disarming->kind != INCIDENT_MISHAP || disarming->mishap != MISHAP_NONE)
        return false;
    for (size_t i = 0; i < at; i++) {
        const struct incident *incident = &script->incidents[i];

        if (incident->kind == INCIDENT_MISHAP && incident->effect == disarming->effect &&
            (incident->account == disarming->account || incident->account == ALL_ACCOUNTS))
            return false;
    }
    return true;
}

static void drop_idle(struct shrinking *shrinking)
{
    struct script candidate;
    size_t kept = 0;

    script_copy(&candidate, shrinking->best);
    for (size_t i = 0; i < shrinking->best->incident_count; i++)
        if (!disarms_nothing(shrinking->best, i))
            candidate.incidents[kept++] = shrinking->best->incidents[i];
    candidate.incident_count = kept;
    if (kept < shrinking->best->incident_count)
        (void)shrink_try(shrinking, &candidate);
    else
        script_done(&candidate);
}

void shrink_incidents(struct shrinking *shrinking)
{
    drop_idle(shrinking);
    for (size_t i = 0; i < shrinking->best->incident_count; i++) {
        const struct incident *incident = &shrinking->best->incidents[i];

        once(shrinking, i);
        if (incident->bond == 0 || sets_clock(incident)) {
            shorten(shrinking, i);
            round_duration(shrinking, i);
        }
        round_time(shrinking, i);
    }
}
