#include "conf/policy_change.h"

#include <string.h>

#include "base/str.h"
#include "conf/schema.h"

/* Begins with "would have", and goes on with a comma. */
static void begin(struct buf *line)
{
    (void)buf_append_str(line, line->length == 0 ? "would have " : ", ");
}

static void compare_durations(const struct policy *before, const struct policy *after,
                              struct buf *line)
{
    const struct {
        const char *name;
        duration_ms before, after;
    } rows[] = {
        {"max_key_age", before->max_key_age, after->max_key_age},
        {"rotate_every", before->rotate_every, after->rotate_every},
        {"overlap", before->overlap, after->overlap},
        {"splay", before->splay, after->splay},
        {"check_every", before->check_every, after->check_every},
        {"overdue_after", before->overdue_after, after->overdue_after},
    };
    char old[DURATION_TEXT_MAX], new[DURATION_TEXT_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].before == rows[i].after)
            continue;
        begin(line);
        (void)buf_append_format(line, "%s %s instead of %s", rows[i].name,
                                rows[i].after > 0 ? duration_to_text(rows[i].after, new) : "none",
                                rows[i].before > 0 ? duration_to_text(rows[i].before, old)
                                                   : "none");
    }
}

static const char *choice_name(const char *key, int value)
{
    const struct schema_choice *choice = schema_key(&schema_policy, key)->choices;

    while (choice->name && choice->value != value)
        choice++;
    return choice->name;
}

static void compare_choice(const char *key, int before, int after, struct buf *line)
{
    if (before == after)
        return;
    begin(line);
    (void)buf_append_format(line, "%s %s instead of %s", key, choice_name(key, after),
                            choice_name(key, before));
}

static const char *yes_or_no(bool value)
{
    return value ? "true" : "false";
}

static void compare_rotate(bool before, bool after, struct buf *line)
{
    if (before == after)
        return;
    begin(line);
    (void)buf_append_format(line, "rotate %s instead of %s", yes_or_no(after), yes_or_no(before));
}

static bool windows_equal(const struct policy *a, const struct policy *b)
{
    if (a->window_count != b->window_count)
        return false;
    for (size_t i = 0; i < a->window_count; i++) {
        const struct window *left = &a->windows[i], *right = &b->windows[i];

        if (left->days != right->days || left->from_minute != right->from_minute ||
            left->to_minute != right->to_minute ||
            !str_equal(tz_name(left->tz), tz_name(right->tz)))
            return false;
    }
    return true;
}

static bool freezes_equal(const struct policy *a, const struct policy *b)
{
    if (a->freeze_count != b->freeze_count)
        return false;
    for (size_t i = 0; i < a->freeze_count; i++)
        if (a->freezes[i].from != b->freezes[i].from || a->freezes[i].to != b->freezes[i].to)
            return false;
    return true;
}

static void compare(const char *name, const struct policy *before, const struct policy *after,
                    struct buf *report)
{
    struct buf line;

    buf_init(&line, report->maximum);
    compare_durations(before, after, &line);
    compare_choice("verify", (int)before->verify, (int)after->verify, &line);
    compare_choice("on_drift", (int)before->on_drift, (int)after->on_drift, &line);
    compare_rotate(before->rotate, after->rotate, &line);
    if (!windows_equal(before, after)) {
        begin(&line);
        (void)buf_append_str(&line, after->window_count == 0    ? "no window any more"
                                    : before->window_count == 0 ? "a window"
                                                                : "another window");
    }
    if (!freezes_equal(before, after)) {
        begin(&line);
        (void)buf_append_str(&line, "other freezes");
    }
    if (line.length > 0)
        (void)buf_append_format(report, "policy %s: %s\n", name, buf_str(&line));
    if (line.failed && !report->failed)
        report->failed = line.failed;
    buf_done(&line);
}

static const struct policy *find_policy(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->policy_count; i++)
        if (str_equal(config->policy_names[i], name))
            return &config->policies[i];
    return NULL;
}

/* The account's own `rotate`: what differs from its policy. */
static bool turns_policy(const struct config *config, const struct account *account)
{
    const struct policy *policy = find_policy(config, account->policy_name);

    return policy && policy->rotate != account->policy->rotate;
}

static void compare_accounts(const struct config *configs[2], const struct account *before,
                             const struct account *after, struct buf *report)
{
    if (!str_equal(before->policy_name, after->policy_name))
        (void)buf_append_format(report, "%s/%s: would have policy %s instead of %s\n",
                                after->resource_group, after->name, after->policy_name,
                                before->policy_name);
    else if (before->policy->rotate != after->policy->rotate &&
             (turns_policy(configs[0], before) || turns_policy(configs[1], after)))
        (void)buf_append_format(
            report, "%s/%s: would have rotate %s instead of %s\n", after->resource_group,
            after->name, yes_or_no(after->policy->rotate), yes_or_no(before->policy->rotate));
}

void policy_change_preview(const struct config *before, const struct config *after,
                           struct buf *report)
{
    const struct config *configs[2] = {before, after};
    size_t old = 0;

    for (size_t i = 0; i < after->policy_count; i++) {
        const struct policy *policy = find_policy(before, after->policy_names[i]);

        if (policy)
            compare(after->policy_names[i], policy, &after->policies[i], report);
    }
    for (size_t i = 0; i < after->account_count; i++) {
        int order = -1;

        while (old < before->account_count &&
               (order = strcmp(before->accounts[old].key, after->accounts[i].key)) < 0)
            old++;
        if (old < before->account_count && order == 0)
            compare_accounts(configs, &before->accounts[old++], &after->accounts[i], report);
    }
}
