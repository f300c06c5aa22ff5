#include "conf/resolve.h"

#include <stdio.h>

#include "base/str.h"
#include "core/interlock.h"
#include "core/schedule.h"
#include "proto/two_key/two_key.h"

/*
 * Policies of accounts whose regenerates take long. The longest time of the type is what the daemon
 * waits for where it cannot learn how a regenerate went, so that a policy has to leave room for it.
 */

/* What the longest regenerate asks of a policy. */
struct pace {
    duration_ms takes; /* from the request until the key is another one */
    size_t others;     /* accounts of the same resource */
    duration_ms turns; /* before it, theirs */
    duration_ms shown; /* from then until the daemon can know it */
    duration_ms wait;  /* for a window */
};

/* Can no rotate_every keep keys below max_key_age? A key is replaced by the second regenerate after
 * its own, which may take so long. */
static bool never_fits(const struct policy *policy, const struct pace *pace)
{
    return policy->max_key_age > 0 && policy->max_key_age <= pace->wait + pace->takes;
}

static void refuse(struct resolve *resolve, const struct tree_node *node,
                   const struct account *account, const struct pace *pace)
{
    char age[DURATION_TEXT_MAX], takes[DURATION_TEXT_MAX];

    report_error(resolve->report, node,
                 "policy %s has max_key_age %s, and a regenerate of %s may take %s: no rotation "
                 "keeps its keys younger; give the account a policy with a longer max_key_age, or "
                 "set timing.operation_wait where yours end sooner",
                 account->policy_name, duration_to_text(account->policy->max_key_age, age),
                 two_key_resource_find(account->id)->noun, duration_to_text(pace->takes, takes));
}

static duration_ms late_by(const struct policy *policy, const struct pace *pace)
{
    return pace->wait + policy->splay + pace->turns + pace->takes;
}

static duration_ms whole_rotation(const struct policy *policy, const struct pace *pace)
{
    return late_by(policy, pace) + pace->shown + policy->overlap;
}

static duration_ms oldest_key(const struct policy *policy, const struct pace *pace)
{
    return 2 * policy->rotate_every + late_by(policy, pace);
}

static bool fits(const struct policy *policy, const struct pace *pace)
{
    return whole_rotation(policy, pace) <= policy->rotate_every &&
           (policy->max_key_age == 0 || oldest_key(policy, pace) <= policy->max_key_age);
}

static void describe_turns(const struct account *account, const struct pace *pace, char *out,
                           size_t size)
{
    char turns[DURATION_TEXT_MAX];

    out[0] = '\0';
    if (pace->others > 0 && account->writes_whole)
        (void)snprintf(out, size, ", and wait %s for the other accounts of the same resource (%zu)",
                       duration_to_words(pace->turns, turns), pace->others);
    else if (pace->others > 0)
        (void)snprintf(out, size, ", and wait %s for that of its other pair of keys",
                       duration_to_text(pace->turns, turns));
}

/* Rotations may take longer than their interval, or keys get older than is wanted, if a regenerate
 * takes its longest time; most end sooner. */
static void warn(struct resolve *resolve, const struct tree_node *node,
                 const struct account *account, const struct pace *pace)
{
    const struct policy *policy = account->policy;
    const duration_ms whole = whole_rotation(policy, pace);
    const char *noun = two_key_resource_find(account->id)->noun;
    char takes[DURATION_TEXT_MAX], every[DURATION_TEXT_MAX], wanted[DURATION_TEXT_MAX],
        overlap[DURATION_TEXT_MAX], words[DURATION_TEXT_MAX], turns[DURATION_TEXT_MAX + 96];

    (void)duration_to_text(pace->takes, takes);
    describe_turns(account, pace, turns, sizeof(turns));
    (void)duration_to_text(policy->rotate_every, every);
    if (whole > policy->rotate_every)
        report_warning(
            resolve->report, node,
            "a regenerate of %s may take %s%s; with unknown_wait, overlap %s, splay and the wait "
            "for "
            "a window of policy %s that is %s, more than rotate_every %s, so that rotations may "
            "come ever later; raise rotate_every (or max_key_age), or shorten overlap",
            noun, takes, turns, duration_to_text(policy->overlap, overlap), account->policy_name,
            duration_to_words(whole, words), every);
    else if (!fits(policy, pace))
        report_warning(
            resolve->report, node,
            "a regenerate of %s may take %s%s, so that a key could get %s old, more than "
            "max_key_age "
            "%s of policy %s: twice rotate_every %s, the wait for a window, splay, and that; "
            "shorten rotate_every, or raise max_key_age",
            noun, takes, turns, duration_to_words(oldest_key(policy, pace), words),
            duration_to_text(policy->max_key_age, wanted), account->policy_name, every);
}

/* One policy with one type, which is warned about once however many accounts have it. */
struct resolve_pace {
    const struct policy *policy;
    const char *type; /* the same for all pairs */
    duration_ms wait;
    bool has_warned; /* of it, or of its pairs */
    struct resolve_pace *next;
};

/* What is known of the account's policy and type. NULL: out of memory. */
static struct resolve_pace *look_up(struct resolve *resolve, const struct account *account)
{
    const char *type = two_key_resource_find(account->id)->type;
    struct resolve_pace *pace = resolve->paces;

    while (pace && (pace->policy != account->policy || !str_equal(pace->type, type)))
        pace = pace->next;
    if (pace)
        return pace;
    pace = arena_alloc(resolve->arena, sizeof(*pace));
    if (!pace)
        return NULL;
    *pace = (struct resolve_pace){
        .policy = account->policy,
        .type = type,
        .wait = schedule_longest_wait(account->policy, resolve->environment->now),
        .next = resolve->paces,
    };
    resolve->paces = pace;
    return pace;
}

/* What is known of it, and its pace; NULL: there is nothing to check. */
static struct resolve_pace *take_pace(struct resolve *resolve, const struct account *account,
                                      struct pace *ret_pace)
{
    const struct policy *policy = account->policy;
    struct resolve_pace *known;

    if (!policy || !policy->rotate || policy->rotate_every == 0 || account->regenerate_takes == 0 ||
        resolve->report->error_count > 0)
        return NULL;
    known = look_up(resolve, account);
    if (!known || known->wait == TIME_NEVER)
        return NULL;
    *ret_pace = (struct pace){
        .takes = account->regenerate_takes,
        .shown = time_max(account->list_delay, resolve->config->timing.unknown_wait),
        .wait = known->wait,
    };
    return known;
}

static void warn_once(struct resolve *resolve, const struct tree_node *node,
                      const struct account *account, struct resolve_pace *known,
                      const struct pace *pace)
{
    if (known->has_warned || fits(account->policy, pace))
        return;
    known->has_warned = true;
    warn(resolve, node, account, pace);
}

void resolve_check_pace(struct resolve *resolve, const struct tree_node *node,
                        const struct account *account)
{
    struct pace pace;
    struct resolve_pace *known = take_pace(resolve, account, &pace);

    if (!known)
        return;
    if (never_fits(account->policy, &pace))
        refuse(resolve, node, account, &pace);
    else
        warn_once(resolve, node, account, known, &pace);
}

void resolve_check_sample_pace(struct resolve *resolve, const struct tree_node *node,
                               const struct account *account, struct resolve_pace *paces)
{
    resolve->paces = paces;
    resolve_check_pace(resolve, node, account);
}

/* After each change of a resource that is written whole the next one waits until lists show it. */
void resolve_check_turns(struct resolve *resolve, const struct tree_node *node,
                         const struct account *account, size_t others)
{
    struct pace pace;
    struct resolve_pace *known = take_pace(resolve, account, &pace);
    duration_ms turn;

    if (!known)
        return;
    turn = pace.takes;
    if (account->writes_whole)
        turn = time_add(turn, interlock_list_age(&resolve->config->timing, account->list_delay));
    pace.others = others;
    pace.turns = (duration_ms)others * turn;
    warn_once(resolve, node, account, known, &pace);
}
