#include "proto/control_history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/date.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "proto/snapshot.h"

bool control_history_is_failure(const char *event)
{
    static const char *const events[] = {
        "account.blocked", "command.refused", "consumers.at_risk", "drift.detected",
        "key.unverified",  "operation.lost",  "target.abandoned",  "window.missed",
    };

    for (size_t i = 0; event && i < sizeof(events) / sizeof(events[0]); i++)
        if (str_equal(events[i], event))
            return true;
    return false;
}

static const struct snapshot_member row_members[] = {
    SNAPSHOT_MEMBER(history_snapshot, NUMBER, number, "number"),
    SNAPSHOT_MEMBER(history_snapshot, TIME, at, "at"),
    SNAPSHOT_MEMBER(history_snapshot, TEXT, event, "event"),
    SNAPSHOT_MEMBER(history_snapshot, BOOL, failed, "failed"),
    SNAPSHOT_MEMBER(history_snapshot, TEXT, id, "id"),
    SNAPSHOT_MEMBER(history_snapshot, TEXT, name, "account"),
    SNAPSHOT_MEMBER(history_snapshot, TEXT, resource_group, "resource_group"),
    SNAPSHOT_MEMBER(history_snapshot, NUMBER, cycle, "cycle"),
    SNAPSHOT_MEMBER(history_snapshot, TEXT, slot, "slot"),
    SNAPSHOT_MEMBER(history_snapshot, TEXT, trigger, "trigger"),
    SNAPSHOT_MEMBER(history_snapshot, TEXT, actor, "actor"),
    SNAPSHOT_MEMBER(history_snapshot, TEXT, fingerprint, "fingerprint"),
    SNAPSHOT_MEMBER(history_snapshot, TEXT, target, "target"),
    SNAPSHOT_MEMBER(history_snapshot, TEXT, reason, "reason"),
    SNAPSHOT_MEMBER(history_snapshot, TEXT, request_id, "request_id"),
    SNAPSHOT_MEMBER(history_snapshot, TEXT, correlation_id, "correlation_id"),
    SNAPSHOT_MEMBER(history_snapshot, TEXT, text, "text"),
    SNAPSHOT_MEMBER(history_snapshot, NUMBER, duration, "duration_ms"),
};
static const struct snapshot_table row_table = SNAPSHOT_TABLE(history_snapshot, row_members);

/* --- writing --- */

void control_history_start(struct buf *out, time_ms now)
{
    json_write_open(out, NULL, '{');
    json_write_time(out, "now", now);
    json_write_open(out, "rows", '[');
}

void control_history_row(struct buf *out, const struct history_snapshot *row)
{
    snapshot_write_object(out, NULL, &row_table, row, TIME_NEVER);
}

void control_history_end(struct buf *out, int64_t next)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRId64, next);
    json_write_close(out, ']');
    json_write_text(out, "next", next != 0 ? text : NULL);
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

/* --- reading --- */

int control_history_parse(const char *text, size_t length, struct control_history *history,
                          struct err *err)
{
    void *rows = NULL;
    int rc;

    *history = (struct control_history){.document = json_parse(text, length, err)};
    if (!history->document)
        return err_wrap(err, "the daemon's answer") == -ENOMEM ? -ENOMEM : -EBADMSG;
    history->now = snapshot_read_time(history->document, "now");
    history->next = json_string(history->document, "next");
    rc = json_object_is_type(json_member(history->document, "rows"), json_type_array)
             ? snapshot_read_list(history->document, "rows", &row_table, &rows, &history->row_count)
             : -EBADMSG;
    history->rows = rows;
    if (rc == 0)
        return 0;
    control_history_done(history);
    return err_set(err, rc,
                   rc == -ENOMEM ? "no memory for the daemon's answer"
                                 : "the daemon's answer is no history");
}

void control_history_done(struct control_history *history)
{
    free(history->rows);
    if (history->document)
        json_object_put(history->document);
    *history = (struct control_history){.document = NULL};
}

/* '?' before the first parameter, '&' before each other. */
static void append_parameter(struct buf *out, char *mark, const char *name, const char *value)
{
    (void)buf_append_format(out, "%c%s=", *mark, name);
    (void)percent_encode(out, value, strlen(value));
    *mark = '&';
}

int control_history_path(const struct control_history_wish *wish, const char *after,
                         struct buf *out)
{
    char mark = wish->name_count == 0 ? '?' : '&';
    char time[DATE_TEXT_MAX];

    (void)control_question_path("history", wish->names, wish->name_count, out);
    if (wish->since != 0)
        append_parameter(out, &mark, "since", date_to_rfc3339(wish->since, time));
    if (wish->until != TIME_NEVER)
        append_parameter(out, &mark, "until", date_to_rfc3339(wish->until, time));
    if (wish->failed)
        append_parameter(out, &mark, "failed", "true");
    if (after)
        append_parameter(out, &mark, "after", after);
    return out->failed;
}
