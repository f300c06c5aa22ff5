/* What arrives at the other end: stderr goes to a pipe of the test's own. */
#include "io/log/sink.h"

#include <fcntl.h>
#include <poll.h>
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

/* The next line that the sink's thread writes; "" if none comes. */
static const char *hear(struct fixture *f)
{
    struct pollfd readable = {.fd = f->pipe[0], .events = POLLIN};
    ssize_t length;

    (void)poll(&readable, 1, 10000);
    length = read(f->pipe[0], f->heard, sizeof(f->heard) - 1);

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

static struct log_sink *start_sink(struct fixture *f, enum log_format format)
{
    struct log_sink *sink = log_sink_new(&f->log, format, LEVEL_INFO);

    assert_non_null(sink);
    assert_int_equal(log_sink_start(sink), 0);
    return sink;
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
    struct log_sink *sink = start_sink(f, LOG_FORMAT_LOGFMT);

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
    struct log_sink *sink = start_sink(f, LOG_FORMAT_JSON);
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
    struct log_sink *sink = start_sink(f, LOG_FORMAT_LOGFMT);

    say(f, LEVEL_DEBUG);
    log_sink_configure(sink, LOG_FORMAT_JSON, LEVEL_DEBUG);
    say(f, LEVEL_DEBUG);
    log_sink_free(sink);
    assert_true(str_starts_with(hear(f), "{\"time\""));
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
    sink = start_sink(f, LOG_FORMAT_AUTO);
    say(f, LEVEL_WARNING);
    assert_true(str_starts_with(hear(f), "time="));
    log_sink_free(sink);
}

static void test_lines_from_before_the_start_are_written(void **state)
{
    struct fixture *f = *state;
    struct log_sink *sink = log_sink_new(&f->log, LOG_FORMAT_LOGFMT, LEVEL_INFO);

    say(f, LEVEL_NOTICE);
    log_sink_free(sink); /* a start that failed before the thread could begin */
    assert_true(str_starts_with(hear(f), "time="));
}

static void test_a_message_goes_as_it_is(void **state)
{
    struct fixture *f = *state;

    log_say_to_stderr("keyrotated: no\nnever\n");
    assert_string_equal(hear(f), "keyrotated: no\nnever\n");
}

static void fill_pipe(const struct fixture *f)
{
    static const char filler[4096];

    while (write(f->pipe[1], filler, sizeof(filler)) > 0)
        ;
}

/* The process waits half a second for a reader that sleeps, then ends. */
static void test_a_reader_that_sleeps_keeps_nobody(void **state)
{
    struct fixture *f = *state;
    struct log_sink *sink = start_sink(f, LOG_FORMAT_JSON);
    duration_ms before = time_boot();

    fill_pipe(f);
    for (int i = 0; i < 100; i++)
        say(f, LEVEL_NOTICE);
    assert_in_range(time_boot() - before, 0, 400);
    log_sink_free(sink);
    log_say_to_stderr("keyrotated: nobody hears it\n");
    assert_in_range(time_boot() - before, 900, 20000);
    /* The abandoned thread continues when somebody reads. */
    for (int lines = 0; lines < 101;) {
        struct pollfd readable = {.fd = f->pipe[0], .events = POLLIN};
        ssize_t length;

        assert_int_equal(poll(&readable, 1, 10000), 1);
        length = read(f->pipe[0], f->heard, sizeof(f->heard));
        for (ssize_t i = 0; i < length; i++)
            lines += f->heard[i] == '\n';
    }
}

static void test_journal_that_is_not_there(void **state)
{
    struct fixture *f = *state;
    struct log_sink *sink;

    if (access("/run/systemd/journal/socket", F_OK) == 0)
        skip(); /* the line would go to this machine's journal */
    sink = start_sink(f, LOG_FORMAT_JOURNAL);
    say(f, LEVEL_WARNING);
    assert_true(str_starts_with(hear(f), "time="));
    log_sink_free(sink);
}

/* --- events and their explanations --- */

static const char *const events[] = {
    "daemon.started",      "daemon.status",     "daemon.stopping",      "config.loaded",
    "config.rejected",     "journal.created",   "journal.failed",       "clock.jumped",
    "credential.expiring", "token.acquired",    "token.failed",         "request.throttled",
    "account.adopted",     "account.removed",   "account.held",         "account.released",
    "account.blocked",     "account.unblocked", "account.undone",       "rotation.started",
    "rotation.resumed",    "rotation.retrying", "rotation.overdue",     "rotation.completed",
    "operation.started",   "operation.ended",   "operation.lost",       "window.missed",
    "key.regenerated",     "key.verified",      "key.unverified",       "key.delivered",
    "delivery.failed",     "drift.detected",    "drift.repaired",       "consumers.at_risk",
    "consumers.safe",      "target.abandoned",  "revoke.started",       "revoke.step",
    "revoke.completed",    "operator.command",  "log.dropped",          "trouble.ended",
    "drift.suspected",     "delivery.output",   "notification.dropped", "discovery.completed",
    "discovery.failed",    "cloud.discovered",  "cloud.failed",         "discovery.degraded",
    "discovery.missing",   "freeze.started",    "freeze.changed",       "freeze.ended",
    "metrics.failed",
};
enum { EVENT_COUNT = sizeof(events) / sizeof(events[0]) };

static void test_message_ids(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        const char *id = log_event_message_id(events[i]);

        if (!id)
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
        if (!strstr(buf_str(&catalog), heading))
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
        TO_PIPE(test_auto_compares_the_journal_stream),
        TO_PIPE(test_lines_from_before_the_start_are_written),
        TO_PIPE(test_a_message_goes_as_it_is),
        TO_PIPE(test_a_reader_that_sleeps_keeps_nobody),
        TO_PIPE(test_journal_that_is_not_there),
        cmocka_unit_test(test_message_ids),
        cmocka_unit_test(test_catalog_explains_every_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
