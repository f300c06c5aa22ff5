/* The forms of history for programs: JSON, and CSV (RFC 4180). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/json_writer.h"
#include "ctl/history.h"

/* --- JSON --- */

static void write_json_head(struct buf *out, time_ms now)
{
    json_write_open(out, NULL, '{');
    json_write_time(out, "now", now);
    json_write_open(out, "rows", '[');
}

static void write_json_end(struct buf *out, size_t rows)
{
    (void)rows;
    json_write_close(out, ']');
}

const struct history_form history_as_json = {write_json_head, control_history_row, write_json_end,
                                             ","};

/* --- CSV --- */

/* In quotes, those inside doubled. Control characters, which could play tricks on a terminal,
 * become "?". */
static void write_field(struct buf *out, const char *text)
{
    (void)buf_append_char(out, '"');
    for (; text && *text != '\0'; text++) {
        const unsigned char byte = (unsigned char)*text;

        if (byte == '"')
            (void)buf_append_char(out, '"');
        (void)buf_append_char(out, byte < 0x20 || byte == 0x7f ? '?' : *text);
    }
    (void)buf_append_str(out, "\",");
}

static void write_csv_head(struct buf *out, time_ms now)
{
    (void)now;
    (void)buf_append_str(
        out,
        "number,at,event,failed,id,account,resource_group,cycle,slot,trigger,"
        "actor,fingerprint,target,reason,request_id,correlation_id,text,duration_ms\r\n");
}

static void write_csv_row(struct buf *out, const struct history_snapshot *row)
{
    char at[DATE_TEXT_MAX] = "";
    const char *const texts[] = {row->slot,   row->trigger, row->actor,      row->fingerprint,
                                 row->target, row->reason,  row->request_id, row->correlation_id};

    if (row->at != TIME_NEVER)
        (void)date_to_rfc3339(row->at, at);
    (void)buf_append_format(out, "%" PRIu64 ",%s,", row->number, at);
    write_field(out, row->event);
    (void)buf_append_format(out, "%s,", row->failed ? "true" : "false");
    write_field(out, row->id);
    write_field(out, row->name);
    write_field(out, row->resource_group);
    (void)buf_append_format(out, "%" PRIu64 ",", row->cycle);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        write_field(out, texts[i]);
    write_field(out, row->text);
    (void)buf_append_format(out, "%" PRIu64 "\r\n", row->duration);
}

static void write_csv_end(struct buf *out, size_t rows)
{
    (void)out;
    (void)rows;
}

const struct history_form history_as_csv = {write_csv_head, write_csv_row, write_csv_end, ""};
