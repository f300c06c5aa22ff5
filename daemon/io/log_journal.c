#include "io/log_journal.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Every line would name this file as the place it comes from. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/str.h"
#include "io/log_sink.h"

/* Every value as itself, and all of them again in MESSAGE. */
enum { ENTRY_MAX = 2 * LOG_LINE_MAX };

/* sd_journal_sendv() reports success where nobody listens here. */
static const char JOURNAL_SOCKET[] = "/run/systemd/journal/socket";

static void end_field(struct journal_entry *entry, size_t start)
{
    /* The address is filled in when the buffer moves no more. */
    entry->fields[entry->field_count++].iov_len = entry->bytes.length - start;
}

static void add_text(struct journal_entry *entry, const char *name, const char *text)
{
    size_t start = entry->bytes.length;
    size_t length = strlen(text);

    buf_append_format(&entry->bytes, "%s=", name);
    buf_append(&entry->bytes, text,
               length > LOG_VALUE_MAX ? utf8_whole(text, LOG_VALUE_MAX) : length);
    end_field(entry, start);
}

static void add_number(struct journal_entry *entry, const char *name, int64_t number)
{
    size_t start = entry->bytes.length;

    buf_append_format(&entry->bytes, "%s=%lld", name, (long long)number);
    end_field(entry, start);
}

/* The fields of the line as logfmt, with a blank before each: what a formatted line has more than
 * one without fields. */
static int append_fields(struct buf *out, const struct log_line *line)
{
    struct log_line bare = *line;
    struct buf with, without;

    bare.field_count = 0;
    buf_init(&with, LOG_LINE_MAX);
    buf_init(&without, LOG_LINE_MAX);
    if (log_format_logfmt(&with, line) == 0 && log_format_logfmt(&without, &bare) == 0)
        buf_append(out, with.data + without.length - 1, with.length - without.length);
    else
        buf_append_str(out, " ...");
    buf_done(&with);
    buf_done(&without);
    return out->failed;
}

/* The sentence, and behind it everything that a plain `journalctl` would not show. */
static void add_message(struct journal_entry *entry, const struct log_line *line)
{
    size_t start = entry->bytes.length;

    buf_append_format(&entry->bytes, "MESSAGE=%s event=%s", line->message, line->event);
    (void)append_fields(&entry->bytes, line);
    end_field(entry, start);
}

static void add_own_field(struct journal_entry *entry, const struct log_field *field)
{
    char name[64] = "KEYROTATED_"; /* journald takes no longer names */
    size_t length = strlen(name);

    for (const char *c = field->name; *c != '\0' && length < sizeof(name) - 1; c++)
        name[length++] = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
    name[length] = '\0';
    if (field->text != NULL)
        add_text(entry, name, field->text);
    else
        add_number(entry, name, field->number);
}

int journal_entry_init(struct journal_entry *entry, const struct log_line *line)
{
    const char *message_id = log_event_message_id(line->event);
    char *at;

    entry->field_count = 0;
    buf_init(&entry->bytes, ENTRY_MAX);
    add_message(entry, line);
    add_number(entry, "PRIORITY", line->level);
    if (message_id != NULL)
        add_text(entry, "MESSAGE_ID", message_id);
    add_text(entry, "SYSLOG_IDENTIFIER", "keyrotated");
    add_text(entry, "SYSLOG_FACILITY", "3"); /* daemon (RFC 5424, section 6.2.1) */
    add_text(entry, "KEYROTATED_EVENT", line->event);
    for (size_t i = 0; i < line->field_count; i++)
        add_own_field(entry, &line->fields[i]);
    if (entry->bytes.failed != 0)
        return entry->bytes.failed;
    at = entry->bytes.data;
    for (size_t i = 0; i < entry->field_count; i++) {
        entry->fields[i].iov_base = at;
        at += entry->fields[i].iov_len;
    }
    return 0;
}

void journal_entry_done(struct journal_entry *entry)
{
    buf_done(&entry->bytes);
    entry->field_count = 0;
}

void log_write_journal(void *context, const struct log_line *line)
{
    struct journal_entry entry;
    int saved_errno = errno;

    if (journal_entry_init(&entry, line) != 0 || access(JOURNAL_SOCKET, W_OK) != 0 ||
        sd_journal_sendv(entry.fields, (int)entry.field_count) < 0)
        log_write_logfmt(context, line);
    journal_entry_done(&entry);
    errno = saved_errno;
}
