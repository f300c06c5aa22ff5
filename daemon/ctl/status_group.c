#include "ctl/status_text.h"

#include <stdlib.h>

#include "base/cause.h"
#include "base/hash.h"

enum { NAMES_SHOWN = 5 };

struct problem {
    const struct account_snapshot *account;
    enum ctl_exit severity;
    uint64_t cause;
    bool written;
};

uint64_t ctl_problem_cause(const struct account_snapshot *account)
{
    const char *const names[] = {
        account->name, account->resource_group ? account->resource_group : account->name, NULL};
    uint64_t hash = HASH_START;

    hash = cause_hash(hash, account->state, names);
    hash = cause_hash(hash, account->reason, names);
    hash = cause_hash(hash, account->meaning, names);
    hash = cause_hash(hash, account->remedy, names);
    hash = cause_hash_number(hash, account->overdue);
    if (account->overdue)
        hash = cause_hash(hash, account->waits, names);
    hash = cause_hash_number(hash, account->consumers_at_risk);
    for (size_t i = 0; i < account->target_count; i++)
        hash = cause_hash_number(hash, account->targets[i].dead_since != TIME_NEVER);
    for (size_t i = 0; i < account->hold_count; i++)
        hash = cause_hash_number(hash, (int64_t)account->holds[i].id);
    if (account->reason && account->failure.at != TIME_NEVER) {
        hash = cause_hash(hash, account->failure.text, names);
        hash = cause_hash(hash, account->failure.error_code, names);
        hash = cause_hash_number(hash, account->failure.http_status);
    }
    return hash;
}

static bool is_alike(const struct problem *one, const struct problem *other)
{
    return one->severity == other->severity && one->cause == other->cause;
}

/* `shown` stands for all accounts of a group: it has the earliest beginning and the next retry. */
static void stand_for(struct account_snapshot *shown, const struct account_snapshot *account)
{
    if (account->since < shown->since)
        shown->since = account->since;
    if (account->due_since < shown->due_since)
        shown->due_since = account->due_since;
    if (account->retry_at < shown->retry_at)
        shown->retry_at = account->retry_at;
}

static void write_names(struct buf *out, const struct problem *problems, size_t from, size_t end)
{
    size_t count = 0;

    for (size_t i = from; i < end && count < NAMES_SHOWN; i++) {
        if (!is_alike(&problems[from], &problems[i]))
            continue;
        (void)buf_append_str(out, count++ > 0 ? ", " : "");
        ctl_write_name(out, problems[i].account);
    }
}

static void write_group(struct buf *out, struct problem *problems, size_t from, size_t end,
                        time_ms now)
{
    struct account_snapshot shown = *problems[from].account;
    size_t count = 0;

    for (size_t i = from; i < end; i++) {
        if (!is_alike(&problems[from], &problems[i]))
            continue;
        problems[i].written = true;
        stand_for(&shown, problems[i].account);
        count++;
    }
    (void)buf_append_char(out, '\n');
    if (count > 1)
        (void)buf_append_format(out, "%zu accounts: ", count);
    write_names(out, problems, from, end);
    if (count > NAMES_SHOWN)
        (void)buf_append_format(out, " and %zu more", count - NAMES_SHOWN);
    ctl_write_trouble(out, &shown, now);
}

void ctl_write_problems(struct buf *out, const struct control_status *status)
{
    size_t count = status->account_count;
    struct problem *problems = calloc(count > 0 ? count : 1, sizeof(*problems));

    if (!problems) {
        (void)buf_append_str(out, "\n(out of memory)\n");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        problems[i].account = &status->accounts[i];
        problems[i].severity = ctl_account_severity(&status->accounts[i]);
        problems[i].cause = ctl_problem_cause(&status->accounts[i]);
    }
    for (int severity = CTL_REFUSED; severity >= CTL_NOT_DONE; severity--) {
        for (size_t i = 0; i < count; i++) {
            if ((int)problems[i].severity == severity && !problems[i].written)
                write_group(out, problems, i, count, status->daemon.now);
        }
    }
    free(problems);
}
