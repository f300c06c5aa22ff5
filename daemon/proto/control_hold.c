#include "proto/control_protocol.h"

#include <errno.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "proto/snapshot.h"

/* A hold is the same object wherever a document has one. */

static const struct snapshot_member hold_members[] = {
    SNAPSHOT_MEMBER(hold_snapshot, NUMBER, id, "id"),
    SNAPSHOT_MEMBER(hold_snapshot, TEXT, account, "account"),
    SNAPSHOT_MEMBER(hold_snapshot, BOOL, configured, "configured"),
    SNAPSHOT_MEMBER(hold_snapshot, TEXT, actor, "actor"),
    SNAPSHOT_MEMBER(hold_snapshot, TIME, since, "since"),
    SNAPSHOT_MEMBER(hold_snapshot, TIME, until, "until"),
    SNAPSHOT_MEMBER(hold_snapshot, TEXT, reason, "reason"),
};
static const struct snapshot_table hold_table = SNAPSHOT_TABLE(hold_snapshot, hold_members);

void control_hold_write(struct buf *out, const char *name, const struct hold_snapshot *hold)
{
    if (hold)
        snapshot_write_object(out, name, &hold_table, hold, TIME_NEVER);
    else
        json_write_null(out, name);
}

void control_hold_list_write(struct buf *out, const struct hold_snapshot *holds, size_t count)
{
    snapshot_write_list(out, "holds", &hold_table, holds, count, TIME_NEVER);
}

void control_holds_write(struct buf *out, time_ms now, const struct hold_snapshot *holds,
                         size_t count)
{
    json_write_open(out, NULL, '{');
    json_write_time(out, "now", now);
    control_hold_list_write(out, holds, count);
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

int control_hold_list_read(struct json_object *object, struct hold_snapshot **ret_holds,
                           size_t *ret_count)
{
    struct json_object *list = json_member(object, "holds");
    void *holds;
    int rc = snapshot_read_list(object, "holds", &hold_table, &holds, ret_count);

    *ret_holds = holds;
    /* An older daemon has only holds of configured accounts, and omits the member. */
    for (size_t i = 0; i < *ret_count; i++)
        if (!json_member(json_object_array_get_idx(list, i), "configured"))
            (*ret_holds)[i].configured = true;
    return rc;
}

int control_holds_parse(const char *text, size_t length, struct control_holds *holds,
                        struct err *err)
{
    int rc;

    *holds = (struct control_holds){.document = json_parse(text, length, err)};
    if (!holds->document)
        return err_wrap(err, "the daemon's answer") == -ENOMEM ? -ENOMEM : -EBADMSG;
    holds->now = snapshot_read_time(holds->document, "now");
    rc = json_object_is_type(json_member(holds->document, "holds"), json_type_array)
             ? control_hold_list_read(holds->document, &holds->items, &holds->count)
             : -EBADMSG;
    if (rc == 0)
        return 0;
    control_holds_done(holds);
    return err_set(err, rc,
                   rc == -ENOMEM ? "no memory for the daemon's answer"
                                 : "the daemon's answer is no list of holds");
}

void control_holds_done(struct control_holds *holds)
{
    free(holds->items);
    if (holds->document)
        json_object_put(holds->document);
    *holds = (struct control_holds){0};
}
