#include "app/engine_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "core/rehearsal.h"
#include "proto/control_plan.h"

/* A page ends with the account that reaches either, so that the loop goes on with its work. */
enum { PAGE_ACCOUNTS_MAX = 32, PAGE_ROTATIONS_MAX = 128 };
/* Of one account. */
enum { ROTATIONS_MAX = 400 };
/* The plan also says when the last of its keys dies: one or two rotations later. */
#define BEYOND_MIN (30 * MS_DAY)

static bool is_too_old(const struct policy *policy, const struct rehearsed *rotation)
{
    return policy->max_key_age != 0 && rotation->replaced_dies != TIME_NEVER &&
           rotation->replaced_born != TIME_NEVER &&
           rotation->replaced_dies - rotation->replaced_born > policy->max_key_age;
}

static void describe_rotation(const struct engine_account *account,
                              const struct rehearsed *rotation, struct planned_snapshot *snapshot)
{
    *snapshot = (struct planned_snapshot){
        .at = rotation->at,
        .slot = slot_name(rotation->slot),
        .why = rehearsal_why_name(rotation->why),
        .because = rehearsal_why_words(rotation->why),
        .old_key_born = rotation->replaced_born,
        .old_key_older = rotation->replaced_older,
        .old_key_dies = rotation->replaced_dies,
        .too_old = is_too_old(account->account->policy, rotation),
    };
}

/* The rotations until then, and when the one after them is. */
static void foretell(const struct engine_account *account, time_ms until, struct account_plan *plan)
{
    const struct policy *policy = account->account->policy;
    const duration_ms beyond = time_add(3 * policy->rotate_every, BEYOND_MIN);
    struct rehearsal *rehearsal = must_alloc(sizeof(*rehearsal));
    struct rotation_context context;
    struct rehearsed rotation;

    engine_account_context(account, &context);
    rehearsal_begin(rehearsal, &context, &account->record, loop_now(account->engine->parts.loop),
                    time_add(until, beyond));
    while (plan->later_at == TIME_NEVER && rehearsal_next(rehearsal, &rotation)) {
        if (rotation.at > until)
            plan->later_at = rotation.at;
        else if (plan->rotation_count < ROTATIONS_MAX)
            describe_rotation(account, &rotation, &plan->rotations[plan->rotation_count++]);
        else
            plan->more = true;
        if (plan->more)
            break;
    }
    free(rehearsal);
}

/* May its rotations be foretold? Where it is blocked, they wait for what nobody can foretell. */
static bool can_be_foretold(const struct engine_account *account, const struct rotation_view *view)
{
    return account->record.adopted && view->state != STATE_BLOCKED && !account->account->problem;
}

static const char *why_nothing(const struct engine_account *account,
                               const struct rotation_view *view)
{
    if (!account->record.adopted)
        return "it is not adopted yet";
    if (account->account->problem)
        return reason_describe(REASON_DESTINATION_REFUSED)->meaning;
    if (view->reason != REASON_NONE)
        return reason_describe(view->reason)->meaning;
    return view->waits ? view->waits : "nothing is planned so far ahead";
}

/* Returns the number of its rotations. */
static size_t write_account(const struct engine_account *account, time_ms until, struct buf *out)
{
    const struct account *subject = account->account;
    struct planned_snapshot *rotations = must_alloc_array(ROTATIONS_MAX, sizeof(*rotations));
    struct account_plan plan = {.id = subject->id,
                                .name = subject->name,
                                .resource_group = subject->resource_group,
                                .later_at = TIME_NEVER,
                                .rotations = rotations};
    struct rotation_view view;

    engine_account_view_for_people(account, &view);
    plan.state = account_state_name(view.state);
    if (can_be_foretold(account, &view))
        foretell(account, until, &plan);
    if (plan.rotation_count == 0 && plan.later_at == TIME_NEVER)
        plan.waits = why_nothing(account, &view);
    control_plan_account(out, &plan);
    free(rotations);
    return plan.rotation_count;
}

/* The accounts of the plan, all of them or those named. */
struct subjects {
    const struct engine_account *const *accounts;
    size_t count;
    bool sorted; /* by key */
};

/* The index of the first account of the page that goes on after `after`; beyond the last one where
 * the account is not among them. */
static size_t page_begin(const struct subjects *subjects, const char *after)
{
    size_t i = 0;

    if (!after)
        return 0;
    if (subjects->sorted) {
        while (i < subjects->count && strcmp(subjects->accounts[i]->key, after) <= 0)
            i++;
        return i;
    }
    while (i < subjects->count && strcmp(subjects->accounts[i]->key, after) != 0)
        i++;
    return i + 1;
}

static void write_page(const struct subjects *subjects, const struct control_query *query,
                       time_ms now, time_ms until, struct buf *out)
{
    const size_t begin = page_begin(subjects, query->after);
    const char *next = NULL;
    size_t rotations = 0;
    size_t i;

    control_plan_start(out, now, until);
    for (i = begin;
         i < subjects->count && i - begin < PAGE_ACCOUNTS_MAX && rotations < PAGE_ROTATIONS_MAX;
         i++)
        rotations += write_account(subjects->accounts[i], until, out);
    if (i < subjects->count)
        next = subjects->accounts[i - 1]->key;
    control_plan_end(out, next);
}

int engine_plan(struct engine *engine, const struct control_query *query, struct buf *out,
                struct err *err)
{
    const time_ms now = loop_now(engine->parts.loop);
    const time_ms until =
        query->until == TIME_NEVER ? time_add(now, CONTROL_PLAN_DEFAULT) : query->until;
    struct engine_selection selection;
    struct subjects subjects;
    int rc;

    if (until <= now || until > time_add(now, CONTROL_PLAN_MAX))
        return err_set(err, -EINVAL, "until: %s; a time within the next %d days was expected",
                       until <= now ? "that time has passed" : "that is too far ahead",
                       (int)(CONTROL_PLAN_MAX / MS_DAY));
    engine_hold_expire(engine);
    rc = engine_select(engine, query, &selection, err);
    subjects = (struct subjects){
        .accounts = selection.accounts, .count = selection.count, .sorted = query->name_count == 0};
    if (rc == 0) {
        write_page(&subjects, query, now, until, out);
        rc = out->failed;
    }
    engine_selection_done(&selection);
    return rc;
}
