#include "proto/control_protocol.h"

#include <errno.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "base/date.h"
#include "base/json.h"
#include "base/json_writer.h"

/* Holds in the documents: one object each, the same wherever one stands. */

void control_hold_write(struct buf *out, const char *name, const struct hold_snapshot *hold)
{
    if (!hold) {
        json_write_null(out, name);
        return;
    }
    json_write_open(out, name, '{');
    json_write_number(out, "id", hold->id);
    json_write_text(out, "account", hold->account);
    json_write_bool(out, "configured", hold->configured);
    json_write_text(out, "actor", hold->actor);
    json_write_time(out, "since", hold->since);
    json_write_time(out, "until", hold->until);
    json_write_text(out, "reason", hold->reason);
    json_write_close(out, '}');
}

void control_hold_list_write(struct buf *out, const struct hold_snapshot *holds, size_t count)
{
    json_write_open(out, "holds", '[');
    for (size_t i = 0; i < count; i++)
        control_hold_write(out, NULL, &holds[i]);
    json_write_close(out, ']');
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

static time_ms read_time(struct json_object *object, const char *name)
{
    const char *text = json_string(object, name);
    time_ms at;

    return text && date_from_rfc3339(text, &at) ? at : TIME_NEVER;
}

static void read_hold(struct json_object *object, struct hold_snapshot *hold)
{
    int64_t id;

    hold->id = json_int64(object, "id", &id) && id > 0 ? (uint64_t)id : 0;
    hold->account = json_string(object, "account");
    if (!json_boolean(object, "configured", &hold->configured))
        hold->configured = true;
    hold->actor = json_string(object, "actor");
    hold->since = read_time(object, "since");
    hold->until = read_time(object, "until");
    hold->reason = json_string(object, "reason");
}

int control_hold_list_read(struct json_object *object, struct hold_snapshot **ret_holds,
                           size_t *ret_count)
{
    struct json_object *list = json_member(object, "holds");
    size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    *ret_holds = NULL;
    *ret_count = 0;
    if (count == 0)
        return 0;
    *ret_holds = calloc(count, sizeof(struct hold_snapshot));
    if (!*ret_holds)
        return -ENOMEM;
    *ret_count = count;
    for (size_t i = 0; i < count; i++)
        read_hold(json_object_array_get_idx(list, i), &(*ret_holds)[i]);
    return 0;
}

int control_holds_parse(const char *text, size_t length, struct control_holds *holds,
                        struct err *err)
{
    int rc;

    *holds = (struct control_holds){.document = json_parse(text, length, err)};
    if (!holds->document)
        return err_wrap(err, "the daemon's answer") == -ENOMEM ? -ENOMEM : -EBADMSG;
    holds->now = read_time(holds->document, "now");
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
