/* Entries as journald takes them, on a socket of the test's own. */
#include "io/log/log_private.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/log/sink.h"

enum { NOW = 1700000000, FIELDS_MAX = 100 };

/* --- an entry, taken apart --- */

struct entry {
    char *names[FIELDS_MAX];
    const char *values[FIELDS_MAX];
    size_t lengths[FIELDS_MAX];
    size_t count;
};

static const char *take_field(struct entry *entry, const char *at, const char *end)
{
    size_t name_length = strcspn(at, "=\n");
    bool counted = at[name_length] == '\n';
    uint64_t length = 0;

    assert_true(entry->count < FIELDS_MAX);
    entry->names[entry->count] = strndup(at, name_length);
    at += name_length + 1;
    if (counted) {
        for (unsigned i = 0; i < 8; i++)
            length |= (uint64_t)(unsigned char)at[i] << (8 * i);
        at += 8;
    } else {
        length = strcspn(at, "\n");
    }
    assert_true((size_t)(end - at) > length);
    assert_int_equal(at[length], '\n');
    entry->values[entry->count] = at;
    entry->lengths[entry->count++] = length;
    return at + length + 1;
}

static void take_apart(struct entry *entry, const char *bytes, size_t length)
{
    const char *end = bytes + length;

    entry->count = 0;
    while (bytes < end)
        bytes = take_field(entry, bytes, end);
    assert_ptr_equal(bytes, end);
}

static void entry_done(struct entry *entry)
{
    while (entry->count > 0)
        free(entry->names[--entry->count]);
}

static void assert_field(const struct entry *entry, const char *name, const char *value)
{
    for (size_t i = 0; i < entry->count; i++) {
        if (strcmp(entry->names[i], name) == 0 && entry->lengths[i] == strlen(value) &&
            memcmp(entry->values[i], value, strlen(value)) == 0)
            return;
    }
    fail_msg("no field %s=%s", name, value);
}

/* --- the form --- */

static void start_line(struct log_line *line)
{
    log_line_start(line, NOW * MS_SECOND, LEVEL_WARNING, "delivery.failed",
                   "file target of sampleacct: \"no\"");
    log_line_text(line, "account", "sampleacct");
    log_line_text(line, "target", "a file");
    log_line_number(line, "attempt", 3);
}

static void test_fields(void **state)
{
    struct entry entry;
    struct log_line line;
    struct buf out;

    (void)state;
    start_line(&line);
    buf_init(&out, LOG_JOURNAL_ENTRY_MAX);
    assert_int_equal(log_journal_format(&out, &line), 0);
    take_apart(&entry, out.data, out.length);
    assert_field(&entry, "MESSAGE",
                 "file target of sampleacct: \"no\" event=delivery.failed account=sampleacct "
                 "target=\"a file\" attempt=3");
    assert_field(&entry, "PRIORITY", "4");
    assert_field(&entry, "MESSAGE_ID", log_event_message_id("delivery.failed"));
    assert_field(&entry, "SYSLOG_IDENTIFIER", "keyrotated");
    assert_field(&entry, "SYSLOG_FACILITY", "3");
    assert_field(&entry, "KEYROTATED_EVENT", "delivery.failed");
    assert_field(&entry, "KEYROTATED_ACCOUNT", "sampleacct");
    assert_field(&entry, "KEYROTATED_TARGET", "a file");
    assert_field(&entry, "KEYROTATED_ATTEMPT", "3");
    assert_int_equal(entry.count, 9);
    entry_done(&entry);
    buf_done(&out);
}

static void test_an_unknown_event_has_no_id(void **state)
{
    struct entry entry;
    struct log_line line;
    struct buf out;

    (void)state;
    log_line_start(&line, NOW, LEVEL_INFO, "no.event", "hello");
    buf_init(&out, LOG_JOURNAL_ENTRY_MAX);
    assert_int_equal(log_journal_format(&out, &line), 0);
    take_apart(&entry, out.data, out.length);
    assert_field(&entry, "MESSAGE", "hello event=no.event");
    assert_int_equal(entry.count, 5);
    entry_done(&entry);
    buf_done(&out);
}

/* Else a value could end its field and begin one of its own. */
static void test_line_breaks_are_sent_with_the_length(void **state)
{
    static const char evil[] = "a\nPRIORITY=0\n\nb";
    struct entry entry;
    struct log_line line;
    struct buf out;

    (void)state;
    log_line_start(&line, NOW, LEVEL_INFO, "no.event", "one\ntwo");
    log_line_text(&line, "target", evil);
    buf_init(&out, LOG_JOURNAL_ENTRY_MAX);
    assert_int_equal(log_journal_format(&out, &line), 0);
    take_apart(&entry, out.data, out.length);
    assert_field(&entry, "MESSAGE", "one\ntwo event=no.event target=\"a\\nPRIORITY=0\\n\\nb\"");
    assert_field(&entry, "KEYROTATED_TARGET", evil);
    assert_int_equal(entry.count, 6);
    entry_done(&entry);
    buf_done(&out);
}

static void start_longest_line(struct log_line *line, char value[LOG_VALUE_MAX + 100])
{
    memset(value, '\n', LOG_VALUE_MAX + 99);
    value[LOG_VALUE_MAX + 99] = '\0';
    log_line_start(line, NOW, LEVEL_INFO, "daemon.status", "hello");
    for (size_t i = 0; i < LOG_FIELDS_MAX + 1; i++)
        log_line_text(line, "a_name_that_is_longer_than_journald_would_take_it_from_anybody",
                      value);
}

static void test_the_longest_line_fits(void **state)
{
    char value[LOG_VALUE_MAX + 100];
    struct entry entry;
    struct log_line line;
    struct buf out;

    (void)state;
    start_longest_line(&line, value);
    buf_init(&out, LOG_JOURNAL_ENTRY_MAX);
    assert_int_equal(log_journal_format(&out, &line), 0);
    take_apart(&entry, out.data, out.length);
    assert_int_equal(entry.count, LOG_FIELDS_MAX + 6);
    assert_int_equal(strlen(entry.names[entry.count - 1]), 63);
    assert_int_equal(entry.lengths[entry.count - 1], LOG_VALUE_MAX);
    entry_done(&entry);
    buf_done(&out);
}

/* --- the socket --- */

struct fixture {
    char directory[48];
    char path[64];
    int fd;
    struct log_journal journal;
};

static void listen_there(struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(address.sun_path, f->path);
    f->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    strcpy(f->directory, "/tmp/keyrotated-journal-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    (void)snprintf(f->path, sizeof(f->path), "%s/socket", f->directory);
    listen_there(f);
    log_journal_init(&f->journal, f->path);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    log_journal_done(&f->journal);
    close(f->fd);
    unlink(f->path);
    rmdir(f->directory);
    free(f);
    return 0;
}

static void test_an_entry_arrives(void **state)
{
    struct fixture *f = *state;
    struct entry entry;
    struct log_line line;
    char bytes[4096];
    ssize_t length;

    start_line(&line);
    assert_int_equal(log_journal_write(&f->journal, &line), 0);
    length = recv(f->fd, bytes, sizeof(bytes), 0);
    assert_true(length > 0);
    take_apart(&entry, bytes, (size_t)length);
    assert_field(&entry, "KEYROTATED_ACCOUNT", "sampleacct");
    entry_done(&entry);
}

/* journald restarts under the same path: the next entry goes to the new one. */
static void test_nobody_listens_and_then_somebody(void **state)
{
    struct fixture *f = *state;
    struct log_line line;
    char bytes[4096];

    start_line(&line);
    assert_int_equal(log_journal_write(&f->journal, &line), 0);
    close(f->fd);
    assert_int_equal(log_journal_write(&f->journal, &line), -ECONNREFUSED);
    unlink(f->path);
    assert_int_equal(log_journal_write(&f->journal, &line), -ENOENT);
    listen_there(f);
    assert_int_equal(log_journal_write(&f->journal, &line), 0);
    assert_true(recv(f->fd, bytes, sizeof(bytes), 0) > 0);
}

static int receive_memory(const struct fixture *f)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char none[16];
    struct iovec bytes = {.iov_base = none, .iov_len = sizeof(none)};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    int fd;

    assert_int_equal(recvmsg(f->fd, &message, 0), 0);
    assert_int_equal(control.header.cmsg_type, SCM_RIGHTS);
    memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
    return fd;
}

static void test_what_no_datagram_holds_goes_as_memory(void **state)
{
    static char bytes[LOG_JOURNAL_ENTRY_MAX];
    struct fixture *f = *state;
    char value[LOG_VALUE_MAX + 100];
    struct entry entry;
    struct log_line line;
    const int small = 4096;
    ssize_t length;
    int fd;

    start_line(&line);
    assert_int_equal(log_journal_write(&f->journal, &line), 0);
    assert_true(recv(f->fd, bytes, sizeof(bytes), 0) > 0);
    assert_int_equal(setsockopt(f->journal.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    start_longest_line(&line, value);
    assert_int_equal(log_journal_write(&f->journal, &line), 0);
    fd = receive_memory(f);
    length = pread(fd, bytes, sizeof(bytes), 0);
    assert_true(length > 0);
    take_apart(&entry, bytes, (size_t)length);
    assert_int_equal(entry.count, LOG_FIELDS_MAX + 6);
    assert_int_equal(ftruncate(fd, 0), -1); /* sealed */
    entry_done(&entry);
    close(fd);
}

int main(void)
{
#define WITH_SOCKET(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_an_unknown_event_has_no_id),
        cmocka_unit_test(test_line_breaks_are_sent_with_the_length),
        cmocka_unit_test(test_the_longest_line_fits),
        WITH_SOCKET(test_an_entry_arrives),
        WITH_SOCKET(test_nobody_listens_and_then_somebody),
        WITH_SOCKET(test_what_no_datagram_holds_goes_as_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
