#include "proto/control_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/date.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "proto/snapshot.h"

static const struct snapshot_member rotation_members[] = {
    SNAPSHOT_MEMBER(planned_snapshot, TIME, at, "at"),
    SNAPSHOT_MEMBER(planned_snapshot, TEXT, slot, "slot"),
    SNAPSHOT_MEMBER(planned_snapshot, TEXT, why, "why"),
    SNAPSHOT_MEMBER(planned_snapshot, TEXT, because, "because"),
    SNAPSHOT_MEMBER(planned_snapshot, TIME, old_key_born, "old_key_born"),
    SNAPSHOT_MEMBER(planned_snapshot, BOOL, old_key_older, "old_key_older"),
    SNAPSHOT_MEMBER(planned_snapshot, TIME, old_key_dies, "old_key_dies"),
    SNAPSHOT_MEMBER(planned_snapshot, BOOL, too_old, "too_old"),
};
static const struct snapshot_table rotation_table =
    SNAPSHOT_TABLE(planned_snapshot, rotation_members);

static const struct snapshot_member account_members[] = {
    SNAPSHOT_MEMBER(account_plan, TEXT, id, "id"),
    SNAPSHOT_MEMBER(account_plan, TEXT, name, "account"),
    SNAPSHOT_MEMBER(account_plan, TEXT, resource_group, "resource_group"),
    SNAPSHOT_MEMBER(account_plan, TEXT, state, "state"),
    SNAPSHOT_MEMBER(account_plan, TEXT, waits, "waits"),
    SNAPSHOT_MEMBER(account_plan, TIME, later_at, "later_at"),
    SNAPSHOT_MEMBER(account_plan, BOOL, more, "more"),
};
static const struct snapshot_table account_table = SNAPSHOT_TABLE(account_plan, account_members);

/* --- writing --- */

void control_plan_start(struct buf *out, time_ms now, time_ms until)
{
    json_write_open(out, NULL, '{');
    json_write_time(out, "now", now);
    json_write_time(out, "until", until);
    json_write_open(out, "accounts", '[');
}

void control_plan_account(struct buf *out, const struct account_plan *account)
{
    json_write_open(out, NULL, '{');
    snapshot_write(out, &account_table, account, TIME_NEVER);
    snapshot_write_list(out, "rotations", &rotation_table, account->rotations,
                        account->rotation_count, TIME_NEVER);
    json_write_close(out, '}');
}

void control_plan_end(struct buf *out, const char *next)
{
    json_write_close(out, ']');
    json_write_text(out, "next", next);
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

/* --- reading --- */

static int read_accounts(struct control_plan *plan)
{
    struct json_object *list = json_member(plan->document, "accounts");
    void *accounts = NULL;
    int rc = snapshot_read_list(plan->document, "accounts", &account_table, &accounts,
                                &plan->account_count);

    plan->accounts = accounts;
    for (size_t i = 0; rc == 0 && i < plan->account_count; i++) {
        void *rotations = NULL;

        rc = snapshot_read_list(json_object_array_get_idx(list, i), "rotations", &rotation_table,
                                &rotations, &plan->accounts[i].rotation_count);
        plan->accounts[i].rotations = rotations;
    }
    return rc;
}

int control_plan_parse(const char *text, size_t length, struct control_plan *plan, struct err *err)
{
    int rc;

    *plan = (struct control_plan){.document = json_parse(text, length, err)};
    if (!plan->document)
        return err_wrap(err, "the daemon's answer") == -ENOMEM ? -ENOMEM : -EBADMSG;
    plan->now = snapshot_read_time(plan->document, "now");
    plan->until = snapshot_read_time(plan->document, "until");
    plan->next = json_string(plan->document, "next");
    rc = json_object_is_type(json_member(plan->document, "accounts"), json_type_array)
             ? read_accounts(plan)
             : -EBADMSG;
    if (rc == 0)
        return 0;
    control_plan_done(plan);
    return err_set(err, rc,
                   rc == -ENOMEM ? "no memory for the daemon's answer"
                                 : "the daemon's answer is no plan");
}

void control_plan_done(struct control_plan *plan)
{
    for (size_t i = 0; i < plan->account_count; i++)
        free(plan->accounts[i].rotations);
    free(plan->accounts);
    if (plan->document)
        json_object_put(plan->document);
    *plan = (struct control_plan){.document = NULL};
}

int control_plan_path(char *const *names, size_t name_count, time_ms until, const char *after,
                      struct buf *out)
{
    char text[DATE_TEXT_MAX];

    (void)control_question_path("plan", names, name_count, out);
    (void)buf_append_format(out, "%cuntil=%s", name_count == 0 ? '?' : '&',
                            date_to_rfc3339(until, text));
    if (after) {
        (void)buf_append_str(out, "&after=");
        (void)percent_encode(out, after, strlen(after));
    }
    return out->failed;
}
