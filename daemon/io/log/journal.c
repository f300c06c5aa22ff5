#include "io/log/log_private.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "io/log/sink.h"

/* --- the entry --- */

/* A value with a line break is sent with its length as eight bytes, lowest first. */
static void end_field(struct buf *out, const char *name, size_t start)
{
    size_t length = out->length - start;
    char counted[80];
    size_t used;

    (void)buf_append_char(out, '\n');
    if (out->failed != 0 || !memchr(out->data + start, '\n', length))
        return;
    used = (size_t)snprintf(counted, sizeof(counted) - 8, "%s\n", name);
    for (unsigned i = 0; i < 8; i++)
        counted[used++] = (char)((uint64_t)length >> (8 * i) & 0xff);
    /* "NAME=" becomes "NAME", a line break, and the length: eight bytes more. */
    for (unsigned i = 0; i < 8; i++)
        (void)buf_append_char(out, ' ');
    if (out->failed != 0)
        return;
    memmove(out->data + start + 8, out->data + start, length + 1);
    memcpy(out->data + start - strlen(name) - 1, counted, used);
}

static size_t begin_field(struct buf *out, const char *name)
{
    (void)buf_append_format(out, "%s=", name);
    return out->length;
}

static void add_text(struct buf *out, const char *name, const char *text)
{
    size_t start = begin_field(out, name);
    size_t length = strlen(text);

    (void)buf_append(out, text, length > LOG_VALUE_MAX ? utf8_whole(text, LOG_VALUE_MAX) : length);
    end_field(out, name, start);
}

static void add_number(struct buf *out, const char *name, int64_t number)
{
    (void)buf_append_format(out, "%s=%" PRId64 "\n", name, number);
}

/* Appends the fields of the line as logfmt, with a blank before each: the part of the formatted
 * line that a line without fields lacks. */
static void append_fields(struct buf *out, const struct log_line *line)
{
    struct log_line bare = *line;
    struct buf with, without;

    bare.field_count = 0;
    buf_init(&with, LOG_LINE_MAX);
    buf_init(&without, LOG_LINE_MAX);
    if (log_format_logfmt(&with, line) == 0 && log_format_logfmt(&without, &bare) == 0)
        (void)buf_append(out, with.data + without.length - 1, with.length - without.length);
    else
        (void)buf_append_str(out, " ...");
    buf_done(&with);
    buf_done(&without);
}

/* The sentence, followed by the fields, which a plain `journalctl` would not show. */
static void add_message(struct buf *out, const struct log_line *line)
{
    size_t start = begin_field(out, "MESSAGE");

    (void)buf_append_format(out, "%s event=%s", line->message, line->event);
    append_fields(out, line);
    end_field(out, "MESSAGE", start);
}

static void add_own_field(struct buf *out, const struct log_field *field)
{
    char name[64] = "KEYROTATED_"; /* the longest name that journald accepts */
    size_t length = strlen(name);

    for (const char *c = field->name; *c != '\0' && length < sizeof(name) - 1; c++)
        name[length++] = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
    name[length] = '\0';
    if (field->text)
        add_text(out, name, field->text);
    else
        add_number(out, name, field->number);
}

int log_journal_format(struct buf *out, const struct log_line *line)
{
    const char *message_id = log_event_message_id(line->event);

    add_message(out, line);
    add_number(out, "PRIORITY", line->level);
    if (message_id)
        add_text(out, "MESSAGE_ID", message_id);
    add_text(out, "SYSLOG_IDENTIFIER", "keyrotated");
    add_text(out, "SYSLOG_FACILITY", "3"); /* daemon (RFC 5424, section 6.2.1) */
    add_text(out, "KEYROTATED_EVENT", line->event);
    for (size_t i = 0; i < line->field_count; i++)
        add_own_field(out, &line->fields[i]);
    return out->failed;
}

/* --- the socket --- */

void log_journal_init(struct log_journal *journal, const char *path)
{
    *journal = (struct log_journal){.path = path, .fd = -1};
}

void log_journal_done(struct log_journal *journal)
{
    if (journal->fd >= 0)
        close(journal->fd);
    journal->fd = -1;
}

static int send_message(const struct log_journal *journal, const struct msghdr *message)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct msghdr addressed = *message;

    if (!str_copy(address.sun_path, sizeof(address.sun_path), journal->path))
        return -ENAMETOOLONG;
    /* The socket is not connected, so that entries also reach a journald that was restarted. */
    addressed.msg_name = &address;
    addressed.msg_namelen = sizeof(address);
    while (sendmsg(journal->fd, &addressed, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return 0;
}

static int fill_and_seal(int fd, const struct buf *entry)
{
    size_t written = 0;

    while (written < entry->length) {
        ssize_t count = write(fd, entry->data + written, entry->length - written);

        if (count < 0 && errno != EINTR)
            return -errno;
        written += count > 0 ? (size_t)count : 0;
    }
    /* journald maps the memory and therefore demands these seals. */
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
        return -errno;
    return 0;
}

/* Sends an entry that is too large for a datagram as sealed memory. */
static int send_memory(const struct log_journal *journal, const struct buf *entry)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof(control.bytes)};
    int fd = memfd_create("keyrotated-log", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int rc;

    if (fd < 0)
        return -errno;
    rc = fill_and_seal(fd, entry);
    if (rc == 0) {
        control.header = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
        rc = send_message(journal, &message);
    }
    close(fd);
    return rc;
}

static int send_entry(const struct log_journal *journal, const struct buf *entry)
{
    struct iovec bytes = {.iov_base = entry->data, .iov_len = entry->length};
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    int rc = send_message(journal, &message);

    if (rc == -EMSGSIZE || rc == -ENOBUFS)
        rc = send_memory(journal, entry);
    return rc;
}

int log_journal_write(struct log_journal *journal, const struct log_line *line)
{
    struct buf entry;
    int rc;

    if (journal->fd < 0)
        journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (journal->fd < 0)
        return -errno;
    buf_init(&entry, LOG_JOURNAL_ENTRY_MAX);
    rc = log_journal_format(&entry, line);
    if (rc == 0)
        rc = send_entry(journal, &entry);
    buf_done(&entry);
    return rc;
}
