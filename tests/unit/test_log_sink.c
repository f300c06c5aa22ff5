/* What arrives at the other end: stderr goes to a pipe of the test's own. */
#include "io/log_sink.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/str.h"
#include "io/log_journal.h"

enum { NOW = 1700000000 };

struct fixture {
    int real_stderr;
    int pipe[2];
    char heard[65536];
    struct log log;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_int_equal(pipe2(f->pipe, O_NONBLOCK | O_CLOEXEC), 0);
    f->real_stderr = dup(STDERR_FILENO);
    dup2(f->pipe[1], STDERR_FILENO);
    unsetenv("JOURNAL_STREAM");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    dup2(f->real_stderr, STDERR_FILENO);
    close(f->real_stderr);
    close(f->pipe[0]);
    close(f->pipe[1]);
    free(f);
    return 0;
}

/* All that was written since the last call. */
static const char *hear(struct fixture *f)
{
    ssize_t length = read(f->pipe[0], f->heard, sizeof(f->heard) - 1);

    f->heard[length > 0 ? length : 0] = '\0';
    return f->heard;
}

static void start_line(struct log_line *line, enum log_level level, const char *event)
{
    log_line_start(line, NOW * MS_SECOND, level, event, "file target of %s: \"no\"", "sampleacct");
    log_line_text(line, "account", "sampleacct");
    log_line_text(line, "target", "a file");
    log_line_number(line, "attempt", 3);
}

static void say(struct fixture *f, enum log_level level)
{
    struct log_line line;

    start_line(&line, level, "delivery.failed");
    log_emit(&f->log, &line);
}

static void test_logfmt(void **state)
{
    struct fixture *f = *state;
    struct log_sink *sink = log_sink_new(&f->log, LOG_FORMAT_LOGFMT, LEVEL_INFO);

    say(f, LEVEL_WARNING);
    assert_string_equal(hear(f),
                        "time=2023-11-14T22:13:20.000Z level=warning event=delivery.failed "
                        "msg=\"file target of sampleacct: \\\"no\\\"\" account=sampleacct "
                        "target=\"a file\" attempt=3\n");
    log_sink_free(sink);
    assert_null(f->log.write);
}

static void test_json(void **state)
{
    struct fixture *f = *state;
    struct log_sink *sink = log_sink_new(&f->log, LOG_FORMAT_JSON, LEVEL_INFO);
    struct json_object *object;
    int64_t attempt = 0;
    const char *heard;

    say(f, LEVEL_ERROR);
    heard = hear(f);
    object = json_parse(heard, strlen(heard), NULL);
    assert_non_null(object);
    assert_string_equal(json_string(object, "level"), "error");
    assert_string_equal(json_string(object, "msg"), "file target of sampleacct: \"no\"");
    assert_true(json_int64(object, "attempt", &attempt));
    assert_int_equal(attempt, 3);
    json_free_wiped(object);
    log_sink_free(sink);
}

static void test_level_and_format_can_change(void **state)
{
    struct fixture *f = *state;
    struct log_sink *sink = log_sink_new(&f->log, LOG_FORMAT_LOGFMT, LEVEL_INFO);

    say(f, LEVEL_DEBUG);
    assert_string_equal(hear(f), "");
    log_sink_configure(sink, LOG_FORMAT_JSON, LEVEL_DEBUG);
    say(f, LEVEL_DEBUG);
    assert_true(str_starts_with(hear(f), "{\"time\""));
    log_sink_free(sink);
}

static void test_repeats_are_summed_up_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct log_sink *sink = log_sink_new(&f->log, LOG_FORMAT_AUTO, LEVEL_INFO);

    say(f, LEVEL_WARNING);
    assert_true(str_starts_with(hear(f), "time=")); /* no $JOURNAL_STREAM: logfmt */
    say(f, LEVEL_WARNING);
    say(f, LEVEL_WARNING);
    assert_string_equal(hear(f), "");
    log_sink_free(sink);
    assert_true(str_ends_with(hear(f), "attempt=3 repeated=2\n"));
}

static void test_auto_compares_the_journal_stream(void **state)
{
    struct fixture *f = *state;
    struct log_sink *sink;
    struct stat status;
    char stream[64];

    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    (void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
                   (uintmax_t)status.st_ino + 1);
    setenv("JOURNAL_STREAM", stream, 1); /* of the service that started us, not of this stderr */
    sink = log_sink_new(&f->log, LOG_FORMAT_AUTO, LEVEL_INFO);
    say(f, LEVEL_WARNING);
    assert_true(str_starts_with(hear(f), "time="));
    log_sink_free(sink);
}

static void test_journal_that_is_not_there(void **state)
{
    struct fixture *f = *state;
    struct log_sink *sink;

    if (access("/run/systemd/journal/socket", F_OK) == 0)
        skip(); /* the line would go to this machine's journal */
    sink = log_sink_new(&f->log, LOG_FORMAT_JOURNAL, LEVEL_INFO);
    say(f, LEVEL_WARNING);
    assert_true(str_starts_with(hear(f), "time="));
    log_sink_free(sink);
}

/* --- the journal's own form --- */

static bool entry_has(const struct journal_entry *entry, const char *field)
{
    for (size_t i = 0; i < entry->field_count; i++) {
        if (entry->fields[i].iov_len == strlen(field) &&
            memcmp(entry->fields[i].iov_base, field, strlen(field)) == 0)
            return true;
    }
    return false;
}

static void test_journal_fields(void **state)
{
    static const char *const expected[] = {
        "MESSAGE=file target of sampleacct: \"no\" event=delivery.failed account=sampleacct "
        "target=\"a file\" attempt=3",
        "PRIORITY=4",
        "SYSLOG_IDENTIFIER=keyrotated",
        "SYSLOG_FACILITY=3",
        "KEYROTATED_EVENT=delivery.failed",
        "KEYROTATED_ACCOUNT=sampleacct",
        "KEYROTATED_TARGET=a file",
        "KEYROTATED_ATTEMPT=3",
    };
    struct journal_entry entry;
    struct log_line line;
    char message_id[64];

    (void)state;
    start_line(&line, LEVEL_WARNING, "delivery.failed");
    assert_int_equal(journal_entry_init(&entry, &line), 0);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        if (!entry_has(&entry, expected[i]))
            fail_msg("no field %s", expected[i]);
    }
    (void)snprintf(message_id, sizeof(message_id), "MESSAGE_ID=%s",
                   log_event_message_id("delivery.failed"));
    assert_true(entry_has(&entry, message_id));
    assert_int_equal(entry.field_count, 9);
    journal_entry_done(&entry);
}

static void test_journal_entry_of_an_unknown_event(void **state)
{
    struct journal_entry entry;
    struct log_line line;

    (void)state;
    log_line_start(&line, NOW, LEVEL_INFO, "no.event", "hello");
    assert_int_equal(journal_entry_init(&entry, &line), 0);
    assert_true(entry_has(&entry, "MESSAGE=hello event=no.event"));
    assert_int_equal(entry.field_count, 5);
    journal_entry_done(&entry);
}

static void test_journal_entry_at_its_limits(void **state)
{
    struct journal_entry entry;
    struct log_line line;
    char value[LOG_VALUE_MAX + 100];

    (void)state;
    memset(value, '\n', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    log_line_start(&line, NOW, LEVEL_INFO, "daemon.status", "hello");
    for (size_t i = 0; i < LOG_FIELDS_MAX + 1; i++)
        log_line_text(&line, "a_name_that_is_longer_than_journald_would_take_it_from_anybody",
                      value);
    assert_int_equal(journal_entry_init(&entry, &line), 0);
    assert_int_equal(entry.field_count, JOURNAL_FIELDS_MAX);
    assert_int_equal(entry.fields[JOURNAL_FIELDS_MAX - 1].iov_len, 63 + 1 + LOG_VALUE_MAX);
    journal_entry_done(&entry);
}

/* --- events and their explanations --- */

static const char *const events[] = {
    "daemon.started",      "daemon.status",     "daemon.stopping",    "config.loaded",
    "config.rejected",     "journal.created",   "journal.failed",     "clock.jumped",
    "credential.expiring", "token.acquired",    "token.failed",       "request.throttled",
    "account.adopted",     "account.removed",   "account.held",       "account.released",
    "account.blocked",     "account.unblocked", "rotation.started",   "rotation.resumed",
    "rotation.retrying",   "rotation.overdue",  "rotation.completed", "window.missed",
    "key.regenerated",     "key.verified",      "key.unverified",     "key.delivered",
    "delivery.failed",     "drift.detected",    "drift.repaired",     "consumers.at_risk",
    "consumers.safe",      "target.abandoned",  "revoke.started",     "revoke.step",
    "revoke.completed",    "operator.command",
};
enum { EVENT_COUNT = sizeof(events) / sizeof(events[0]) };

static void test_message_ids(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        const char *id = log_event_message_id(events[i]);

        if (id == NULL)
            fail_msg("%s has no id", events[i]);
        assert_int_equal(strspn(id, "0123456789abcdef"), 32);
        assert_int_equal(strlen(id), 32);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(id, log_event_message_id(events[j]));
    }
    assert_null(log_event_message_id("daemon"));
    assert_null(log_event_message_id(""));
}

/* Tests run in the top directory. */
static void test_catalog_explains_every_event(void **state)
{
    struct buf catalog;
    struct err err;

    (void)state;
    buf_init(&catalog, 256 * 1024);
    if (fs_read("systemd/keyrotated.catalog", &catalog, &err) != 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        const char *id = log_event_message_id(events[i]);
        char heading[128];

        (void)snprintf(heading, sizeof(heading), "\n# %s\n-- %s\nSubject: ", events[i], id);
        if (strstr(buf_str(&catalog), heading) == NULL)
            fail_msg("the catalog does not explain %s (%s)", events[i], id);
    }
    buf_done(&catalog);
}

int main(void)
{
#define TO_PIPE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TO_PIPE(test_logfmt),
        TO_PIPE(test_json),
        TO_PIPE(test_level_and_format_can_change),
        TO_PIPE(test_repeats_are_summed_up_at_the_end),
        TO_PIPE(test_auto_compares_the_journal_stream),
        TO_PIPE(test_journal_that_is_not_there),
        cmocka_unit_test(test_journal_fields),
        cmocka_unit_test(test_journal_entry_of_an_unknown_event),
        cmocka_unit_test(test_journal_entry_at_its_limits),
        cmocka_unit_test(test_message_ids),
        cmocka_unit_test(test_catalog_explains_every_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
