/* The thread that writes, with a reader that sleeps and wakes when the test says so. */
#include "io/log/log_private.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "base/buf.h"

struct reader {
    uv_mutex_t lock;
    uv_cond_t changed;
    bool asleep;
    int failure;     /* the result of a write */
    size_t begun;    /* lines that were written */
    struct buf read; /* their messages, with a blank behind each */
};

static int set_up(void **state)
{
    struct reader *reader = calloc(1, sizeof(*reader));

    uv_mutex_init(&reader->lock);
    uv_cond_init(&reader->changed);
    buf_init(&reader->read, 16 * 1024 * 1024);
    *state = reader;
    return 0;
}

static int tear_down(void **state)
{
    struct reader *reader = *state;

    uv_mutex_destroy(&reader->lock);
    uv_cond_destroy(&reader->changed);
    buf_done(&reader->read);
    free(reader);
    return 0;
}

static int take(void *context, const struct log_line *line)
{
    struct reader *reader = context;
    int failure;

    uv_mutex_lock(&reader->lock);
    reader->begun++;
    uv_cond_broadcast(&reader->changed);
    while (reader->asleep)
        uv_cond_wait(&reader->changed, &reader->lock);
    failure = reader->failure;
    if (failure == 0)
        (void)buf_append_format(&reader->read, "%s ", line->message);
    uv_mutex_unlock(&reader->lock);
    return failure;
}

static void set_asleep(struct reader *reader, bool asleep)
{
    uv_mutex_lock(&reader->lock);
    reader->asleep = asleep;
    uv_cond_broadcast(&reader->changed);
    uv_mutex_unlock(&reader->lock);
}

static void wait_until_begun(struct reader *reader, size_t count)
{
    uv_mutex_lock(&reader->lock);
    while (reader->begun < count)
        uv_cond_wait(&reader->changed, &reader->lock);
    uv_mutex_unlock(&reader->lock);
}

static void say(struct log_writer *writer, enum log_level level, const char *message)
{
    struct log_line line;

    log_line_start(&line, 1000, level, "key.regenerated", "%s", message);
    log_writer_put(writer, take, &line);
    memset(&line, 'x', sizeof(line)); /* what is kept must be a copy */
}

static struct log_writer *start(struct reader *reader)
{
    struct log_writer *writer = log_writer_new(reader);

    assert_non_null(writer);
    assert_int_equal(log_writer_start(writer), 0);
    return writer;
}

static void test_lines_come_in_order(void **state)
{
    struct reader *reader = *state;
    struct log_writer *writer = start(reader);

    say(writer, LEVEL_INFO, "one");
    say(writer, LEVEL_ERROR, "two");
    say(writer, LEVEL_DEBUG, "three");
    assert_true(log_writer_free(writer));
    assert_string_equal(buf_str(&reader->read), "one two three ");
    assert_true(log_writer_free(NULL));
}

static void test_lines_wait_for_the_start(void **state)
{
    struct reader *reader = *state;
    struct log_writer *writer = log_writer_new(reader);

    say(writer, LEVEL_INFO, "one");
    assert_true(log_writer_free(writer));
    assert_string_equal(buf_str(&reader->read), "one ");
}

/* Fills the queue with lines of that level; returns how many bytes went in at least. */
static void say_very_often(struct log_writer *writer, enum log_level level)
{
    char message[1000];

    memset(message, '.', sizeof(message) - 1);
    message[sizeof(message) - 1] = '\0';
    for (size_t i = 0; i < 2 * LOG_QUEUE_MAX / sizeof(message); i++)
        say(writer, level, message);
}

static void test_what_does_not_fit_is_counted_and_told(void **state)
{
    struct reader *reader = *state;
    struct log_writer *writer = start(reader);
    const char *told;
    size_t count;

    set_asleep(reader, true);
    say(writer, LEVEL_NOTICE, "first");
    wait_until_begun(reader, 1);
    say_very_often(writer, LEVEL_INFO); /* half of the room */
    say(writer, LEVEL_NOTICE, "regenerated");
    say_very_often(writer, LEVEL_NOTICE);
    set_asleep(reader, false);
    assert_true(log_writer_free(writer));
    assert_ptr_equal(strstr(buf_str(&reader->read), "first"), buf_str(&reader->read));
    assert_non_null(strstr(buf_str(&reader->read), " regenerated "));
    told = strstr(buf_str(&reader->read), " log lines could not be written and were dropped");
    assert_non_null(told);
    assert_null(strstr(told + 60, "could not be written")); /* once */
    while (told[-1] != ' ')
        told--;
    count = strtoul(told, NULL, 10);
    /* Every line is either written or counted; `begun` includes the line that reports the count. */
    assert_int_equal(reader->begun - 1 + count, 2 + 2 * (2 * LOG_QUEUE_MAX / 1000));
}

static void test_what_fails_is_counted_and_told(void **state)
{
    struct reader *reader = *state;
    struct log_writer *writer;

    reader->failure = -ENOSPC;
    writer = start(reader);
    say(writer, LEVEL_NOTICE, "lost");
    say(writer, LEVEL_NOTICE, "lost");
    wait_until_begun(reader, 2);
    uv_mutex_lock(&reader->lock);
    reader->failure = 0;
    uv_mutex_unlock(&reader->lock);
    say(writer, LEVEL_NOTICE, "written");
    assert_true(log_writer_free(writer));
    assert_non_null(strstr(buf_str(&reader->read), "could not be written and were dropped"));
    assert_non_null(strstr(buf_str(&reader->read), "written "));
}

static void test_a_reader_that_never_wakes_is_left_behind(void **state)
{
    struct reader *reader = *state;
    struct log_writer *writer = start(reader);
    duration_ms before;

    set_asleep(reader, true);
    say(writer, LEVEL_NOTICE, "one");
    say(writer, LEVEL_NOTICE, "two");
    wait_until_begun(reader, 1);
    before = time_boot();
    assert_false(log_writer_free(writer));
    assert_in_range(time_boot() - before, 400, 20000);
    set_asleep(reader, false);
    wait_until_begun(reader, 2); /* the thread lives, and then ends by itself */
    uv_mutex_lock(&reader->lock);
    while (strcmp(buf_str(&reader->read), "one two ") != 0) {
        uv_mutex_unlock(&reader->lock);
        usleep(1000);
        uv_mutex_lock(&reader->lock);
    }
    uv_mutex_unlock(&reader->lock);
}

/* --- text to a descriptor --- */

static const char *read_all(int fd)
{
    static char text[4096];
    ssize_t length = read(fd, text, sizeof(text) - 1);

    text[length > 0 ? length : 0] = '\0';
    return text;
}

static void test_both_formats_on_a_stream(void **state)
{
    struct log_stream stream;
    struct log_line line;
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    stream = (struct log_stream){.fd = ends[1]};
    log_line_start(&line, 0, LEVEL_INFO, "e", "m");
    assert_int_equal(log_stream_write(&stream, log_format_logfmt, &line), 0);
    assert_int_equal(log_stream_write(&stream, log_format_json, &line), 0);
    assert_string_equal(read_all(ends[0]),
                        "time=1970-01-01T00:00:00.000Z level=info event=e msg=\"m\"\n"
                        "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\","
                        "\"event\":\"e\",\"msg\":\"m\"}\n");
    close(ends[0]);
    close(ends[1]);
    stream.fd = -1;
    assert_int_equal(log_stream_write(&stream, log_format_json, &line), -EBADF);
}

/* A disk that fills up in the middle of a line: the next one does not continue it. */
static void test_a_torn_line_is_ended(void **state)
{
    struct log_stream stream;
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    stream = (struct log_stream){.fd = ends[1], .torn = true};
    assert_int_equal(log_stream_write_text(&stream, "whole\n", 6), 0);
    assert_string_equal(read_all(ends[0]), "\nwhole\n");
    assert_int_equal(log_stream_write_text(&stream, "whole\n", 6), 0);
    assert_string_equal(read_all(ends[0]), "whole\n");
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
#define WITH_READER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_READER(test_lines_come_in_order),
        WITH_READER(test_lines_wait_for_the_start),
        WITH_READER(test_what_does_not_fit_is_counted_and_told),
        WITH_READER(test_what_fails_is_counted_and_told),
        WITH_READER(test_a_reader_that_never_wakes_is_left_behind),
        cmocka_unit_test(test_both_formats_on_a_stream),
        cmocka_unit_test(test_a_torn_line_is_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
