#include "ctl/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_rows(const void *left, const void *right)
{
    const struct plan_row *a = left, *b = right;

    if (a->rotation->at != b->rotation->at)
        return a->rotation->at < b->rotation->at ? -1 : 1;
    return a->account->id && b->account->id ? strcmp(a->account->id, b->account->id) : 0;
}

static void count(const struct control_plan *pages, size_t page_count, size_t *ret_rotations,
                  size_t *ret_accounts)
{
    *ret_rotations = *ret_accounts = 0;
    for (size_t page = 0; page < page_count; page++) {
        *ret_accounts += pages[page].account_count;
        for (size_t i = 0; i < pages[page].account_count; i++)
            *ret_rotations += pages[page].accounts[i].rotation_count;
    }
}

static void take_account(struct plan *plan, const struct account_plan *account)
{
    bool late = false;

    for (size_t i = 0; i < account->rotation_count; i++) {
        plan->rows[plan->row_count++] =
            (struct plan_row){.account = account, .rotation = &account->rotations[i]};
        late = late || account->rotations[i].too_old;
    }
    if (account->rotation_count == 0 && account->waits)
        plan->waiting[plan->waiting_count++] = account;
    if (late)
        plan->late[plan->late_count++] = account;
    if (account->more)
        plan->cut[plan->cut_count++] = account;
}

/* Those that are under way do not start in any hour to come. */
static void find_busiest(struct plan *plan)
{
    size_t in_hour = 0;
    time_ms hour = TIME_NEVER;

    plan->busiest_at = TIME_NEVER;
    for (size_t i = 0; i < plan->row_count; i++) {
        const time_ms at = plan->rows[i].rotation->at;

        if (at < plan->now || at == TIME_NEVER)
            continue;
        if (hour != at - at % MS_HOUR)
            in_hour = 0;
        hour = at - at % MS_HOUR;
        if (++in_hour <= plan->busiest_count)
            continue;
        plan->busiest_count = in_hour;
        plan->busiest_at = hour;
    }
}

int plan_collect(struct plan *plan, const struct control_plan *pages, size_t page_count)
{
    size_t rotations, accounts;

    *plan = (struct plan){.now = TIME_NEVER, .until = TIME_NEVER, .busiest_at = TIME_NEVER};
    count(pages, page_count, &rotations, &accounts);
    plan->rows = calloc(rotations + 1, sizeof(*plan->rows));
    plan->waiting = calloc(accounts + 1, sizeof(const struct account_plan *));
    plan->late = calloc(accounts + 1, sizeof(const struct account_plan *));
    plan->cut = calloc(accounts + 1, sizeof(const struct account_plan *));
    if (!plan->rows || !plan->waiting || !plan->late || !plan->cut)
        return -ENOMEM;
    if (page_count > 0) {
        plan->now = pages[0].now;
        plan->until = pages[0].until;
    }
    for (size_t page = 0; page < page_count; page++)
        for (size_t i = 0; i < pages[page].account_count; i++)
            take_account(plan, &pages[page].accounts[i]);
    qsort(plan->rows, plan->row_count, sizeof(*plan->rows), compare_rows);
    find_busiest(plan);
    return 0;
}

void plan_done(struct plan *plan)
{
    free(plan->rows);
    free((void *)plan->waiting);
    free((void *)plan->late);
    free((void *)plan->cut);
    *plan = (struct plan){.rows = NULL};
}
