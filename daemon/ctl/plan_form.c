/* The forms of a plan for programs: JSON, and iCalendar (RFC 5545). */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json_writer.h"
#include "base/str.h"
#include "ctl/plan.h"
#include "ctl/status_text.h"

/* --- JSON --- */

static void write_account_members(struct buf *out, const struct account_plan *account)
{
    json_write_text(out, "id", account->id);
    json_write_text(out, "account", account->name);
    json_write_text(out, "resource_group", account->resource_group);
}

static void write_rotation(struct buf *out, const struct plan_row *row)
{
    const struct planned_snapshot *rotation = row->rotation;

    json_write_open(out, NULL, '{');
    json_write_time(out, "at", rotation->at);
    write_account_members(out, row->account);
    json_write_text(out, "slot", rotation->slot);
    json_write_text(out, "why", rotation->why);
    json_write_text(out, "because", rotation->because);
    json_write_time(out, "old_key_born", rotation->old_key_born);
    json_write_bool(out, "old_key_older", rotation->old_key_older);
    json_write_time(out, "old_key_dies", rotation->old_key_dies);
    if (rotation->old_key_dies == TIME_NEVER)
        json_write_null(out, "old_key_age_then_s");
    else
        json_write_age(out, "old_key_age_then_s", rotation->old_key_born, rotation->old_key_dies);
    json_write_bool(out, "too_old", rotation->too_old);
    json_write_close(out, '}');
}

static void write_waiting(struct buf *out, const struct account_plan *account)
{
    json_write_open(out, NULL, '{');
    write_account_members(out, account);
    json_write_text(out, "state", account->state);
    json_write_text(out, "waits", account->waits);
    json_write_close(out, '}');
}

void plan_write_json(struct buf *out, const struct plan *plan)
{
    json_write_open(out, NULL, '{');
    json_write_time(out, "now", plan->now);
    json_write_time(out, "until", plan->until);
    json_write_open(out, "rotations", '[');
    for (size_t i = 0; i < plan->row_count; i++)
        write_rotation(out, &plan->rows[i]);
    json_write_close(out, ']');
    json_write_open(out, "waiting", '[');
    for (size_t i = 0; i < plan->waiting_count; i++)
        write_waiting(out, plan->waiting[i]);
    json_write_close(out, ']');
    json_write_bool(out, "whole", plan->cut_count == 0);
    json_write_open(out, "busiest_hour", '{');
    json_write_time(out, "at", plan->busiest_at);
    json_write_number(out, "rotations", plan->busiest_count);
    json_write_close(out, '}');
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

/* --- iCalendar --- */

enum { LINE_OCTETS = 75, STAMP_MAX = 24, LINE_MAX_BYTES = 2048 };

static const char *stamp(time_ms at, char out[STAMP_MAX])
{
    const time_t seconds = (time_t)(at / MS_SECOND);
    struct tm civil;

    out[0] = '\0';
    if (gmtime_r(&seconds, &civil))
        (void)strftime(out, STAMP_MAX, "%Y%m%dT%H%M%SZ", &civil);
    return out;
}

/* A content line, folded after 75 octets and never inside a character (section 3.1). */
static void write_line(struct buf *out, const char *line)
{
    size_t room = LINE_OCTETS;

    while (strlen(line) > room) {
        const size_t length = utf8_whole(line, room);

        (void)buf_append(out, line, length);
        (void)buf_append_str(out, "\r\n ");
        line += length;
        room = LINE_OCTETS - 1;
    }
    (void)buf_append_str(out, line);
    (void)buf_append_str(out, "\r\n");
}

/* NAME:TEXT, escaped as section 3.3.11 has it, without control characters. */
static void write_text(struct buf *out, const char *name, const char *text)
{
    struct buf escaped, line;

    buf_init(&escaped, LINE_MAX_BYTES);
    buf_init(&line, LINE_MAX_BYTES);
    for (; *text != '\0'; text++) {
        if (strchr("\\;,", *text))
            (void)buf_append_char(&escaped, '\\');
        (void)buf_append_char(&escaped, *text);
    }
    ctl_write(&line, "%s:%s", name, buf_str(&escaped));
    if (escaped.failed || line.failed)
        out->failed = escaped.failed ? escaped.failed : line.failed;
    else
        write_line(out, buf_str(&line));
    buf_done(&escaped);
    buf_done(&line);
}

/* The same rotation has the same UID for as long as its start stays, so that a calendar that is
 * imported again has it once. */
static void write_event(struct buf *out, const struct plan *plan, const struct plan_row *row)
{
    const struct planned_snapshot *rotation = row->rotation;
    char text[LINE_MAX_BYTES], at[STAMP_MAX];

    write_line(out, "BEGIN:VEVENT");
    (void)snprintf(text, sizeof(text), "%s-%s@keyrotated", stamp(rotation->at, at),
                   ctl_shown(row->account->id));
    write_text(out, "UID", text);
    (void)snprintf(text, sizeof(text), "DTSTAMP:%s", stamp(plan->now, at));
    write_line(out, text);
    (void)snprintf(text, sizeof(text), "DTSTART:%s", stamp(rotation->at, at));
    write_line(out, text);
    (void)snprintf(text, sizeof(text), "%s/%s gets a new %s key",
                   ctl_shown(row->account->resource_group), ctl_shown(row->account->name),
                   ctl_shown(rotation->slot));
    write_text(out, "SUMMARY", text);
    (void)snprintf(text, sizeof(text), "Starts then because: %s. %s", ctl_shown(rotation->because),
                   ctl_shown(row->account->id));
    write_text(out, "DESCRIPTION", text);
    write_line(out, "TRANSP:TRANSPARENT");
    write_line(out, "END:VEVENT");
}

void plan_write_ics(struct buf *out, const struct plan *plan)
{
    write_line(out, "BEGIN:VCALENDAR");
    write_line(out, "VERSION:2.0");
    write_line(out, "PRODID:-//keyrotated//keyrotatectl " KEYROTATED_VERSION "//EN");
    for (size_t i = 0; i < plan->row_count; i++)
        write_event(out, plan, &plan->rows[i]);
    write_line(out, "END:VCALENDAR");
}
