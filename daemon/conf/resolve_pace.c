#include "conf/resolve.h"

#include "core/schedule.h"
#include "proto/two_key/two_key.h"

/*
 * Policies of accounts whose regenerates take long. The longest time of the type is what the daemon
 * waits for where it cannot learn how a regenerate went, so that a policy has to leave room for it.
 */

/* What the longest regenerate asks of a policy. */
struct pace {
    duration_ms takes; /* from the request until the key is another one */
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

/* Rotations may take longer than their interval, or keys get older than is wanted, if a regenerate
 * takes its longest time; most end sooner. */
static void warn(struct resolve *resolve, const struct tree_node *node,
                 const struct account *account, const struct pace *pace)
{
    const struct policy *policy = account->policy;
    const duration_ms late = pace->wait + policy->splay;
    const duration_ms whole = late + pace->takes + pace->shown + policy->overlap;
    const duration_ms age = 2 * policy->rotate_every + late + pace->takes;
    const char *noun = two_key_resource_find(account->id)->noun;
    char takes[DURATION_TEXT_MAX], every[DURATION_TEXT_MAX], wanted[DURATION_TEXT_MAX],
        overlap[DURATION_TEXT_MAX], words[DURATION_TEXT_MAX];

    (void)duration_to_text(pace->takes, takes);
    (void)duration_to_text(policy->rotate_every, every);
    if (whole > policy->rotate_every)
        report_warning(
            resolve->report, node,
            "a regenerate of %s may take %s; with unknown_wait, overlap %s, splay and the wait for "
            "a window of policy %s that is %s, more than rotate_every %s, so that rotations may "
            "come ever later; raise rotate_every (or max_key_age), or shorten overlap",
            noun, takes, duration_to_text(policy->overlap, overlap), account->policy_name,
            duration_to_words(whole, words), every);
    else if (policy->max_key_age > 0 && age > policy->max_key_age)
        report_warning(
            resolve->report, node,
            "a regenerate of %s may take %s, so that a key could get %s old, more than max_key_age "
            "%s of policy %s: twice rotate_every %s, the wait for a window, splay, and that; "
            "shorten rotate_every, or raise max_key_age",
            noun, takes, duration_to_words(age, words),
            duration_to_text(policy->max_key_age, wanted), account->policy_name, every);
}

/* One policy with one type, which is warned about once however many accounts have it. */
struct resolve_pace {
    const struct policy *policy;
    const struct two_key_resource *type;
    duration_ms wait;
    struct resolve_pace *next;
};

/* What is known of the account's policy and type; *ret_is_new: since now. NULL: out of memory. */
static const struct resolve_pace *look_up(struct resolve *resolve, const struct account *account,
                                          bool *ret_is_new)
{
    const struct two_key_resource *type = two_key_resource_find(account->id);
    struct resolve_pace *pace = resolve->paces;

    while (pace && (pace->policy != account->policy || pace->type != type))
        pace = pace->next;
    *ret_is_new = !pace;
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

void resolve_check_pace(struct resolve *resolve, const struct tree_node *node,
                        const struct account *account)
{
    const struct policy *policy = account->policy;
    const struct resolve_pace *known;
    struct pace pace = {.takes = account->regenerate_takes};
    bool is_new = false;

    if (!policy || !policy->rotate || policy->rotate_every == 0 || pace.takes == 0 ||
        resolve->report->error_count > 0)
        return;
    known = look_up(resolve, account, &is_new);
    if (!known || known->wait == TIME_NEVER)
        return;
    pace.wait = known->wait;
    pace.shown = time_max(account->list_delay, resolve->config->timing.unknown_wait);
    if (never_fits(policy, &pace))
        refuse(resolve, node, account, &pace);
    else if (is_new)
        warn(resolve, node, account, &pace);
}
