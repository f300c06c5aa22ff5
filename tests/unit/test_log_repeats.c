/*
 * Lines in, and what comes out, both as words "MINUTE:MESSAGE" or "MINUTE:MESSAGE/ACCOUNT". Going
 * in, a word is a warning unless it ends with "!" (an error), "." (a notice) or "?" (debug). Coming
 * out, "xN" stands behind a line that stands for N.
 */
#include "io/log_repeats.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"

static const char *text_field(const struct log_line *line, const char *name)
{
    for (size_t i = 0; i < line->field_count; i++) {
        if (str_equal(line->fields[i].name, name))
            return line->fields[i].text;
    }
    return NULL;
}

static void note(void *context, const struct log_line *line)
{
    struct buf *out = context;
    const struct log_field *last = &line->fields[line->field_count - 1];

    assert_string_equal(line->event, "rotation.retrying");
    assert_non_null(text_field(line, "retry_at"));
    buf_append_format(out, "%" PRId64 ":%s", line->time / MS_MINUTE, line->message);
    if (text_field(line, "account") != NULL)
        buf_append_format(out, "/%s", text_field(line, "account"));
    if (str_equal(last->name, "repeated"))
        buf_append_format(out, "x%" PRId64, last->number);
    buf_append_char(out, ' ');
}

static void say(struct log_repeats *repeats, time_ms minute, enum log_level level,
                const char *message, const char *account)
{
    time_ms now = minute * MS_MINUTE;
    struct log_line line;

    log_line_start(&line, now, level, "rotation.retrying", "%s", message);
    log_line_text(&line, "account", account);
    log_line_time(&line, "retry_at", now + MS_MINUTE);
    log_line_number(&line, "attempt", minute);
    log_repeats_take(repeats, &line);
    memset(&line, 'x', sizeof(line)); /* what is kept must be a copy */
}

static enum log_level level_of(char mark)
{
    switch (mark) {
    case '!':
        return LEVEL_ERROR;
    case '.':
        return LEVEL_NOTICE;
    case '?':
        return LEVEL_DEBUG;
    default:
        return LEVEL_WARNING;
    }
}

static void say_all(struct log_repeats *repeats, const char *words)
{
    int length;

    for (; *words != '\0'; words += length) {
        char message[8] = "", account[8] = "", mark = ' ';
        int minute, used = 0;

        assert_int_equal(sscanf(words, "%d:%7[a-z]%n", &minute, message, &length), 2);
        if (sscanf(words + length, "/%7[a-z]%n", account, &used) == 1)
            length += used;
        if (words[length] != ' ' && words[length] != '\0')
            mark = words[length++];
        length += words[length] == ' ' ? 1 : 0;
        say(repeats, minute, level_of(mark), message, account[0] != '\0' ? account : NULL);
    }
}

static void test_sequences(void **state)
{
    static const struct {
        const char *why;
        const char *said;
        const char *written;
        const char *at_the_end;
    } cases[] = {
        {"what differs is written", "0:a 1:b 2:a", "0:a 1:b 2:a ", ""},
        {"repeats are counted, the last shown", "0:a 1:a 2:a 3:b", "0:a 2:ax2 3:b ", ""},
        {"untold ones are told at the end", "0:a 1:a", "0:a ", "1:ax1 "},
        {"accounts are apart", "0:a/p 1:a/q 2:a/p 3:a/q", "0:a/p 1:a/q ", "2:a/px1 3:a/qx1 "},
        {"for an hour at most", "0:a 30:a 59:a 60:a 61:a 120:a", "0:a 59:ax2 61:ax2 ", "120:ax1 "},
        {"any line ends the hour", "0:a/p 1:a/p 61:z/q", "0:a/p 1:a/px1 61:z/q ", ""},
        {"after a silent hour it is news", "0:a 60:a", "0:a 60:a ", ""},
        {"a clock set back ends the hour", "600:a 601:a 5:a", "600:a 601:ax1 ", "5:ax1 "},
        {"only warnings and errors are held", "0:a. 1:a. 2:a? 3:a?", "0:a 1:a 2:a 3:a ", ""},
        {"good news end the counting", "0:a 1:a 2:good. 3:a", "0:a 1:ax1 2:good 3:a ", ""},
        {"errors are no warnings", "0:a! 1:a 2:a 3:a!", "0:a 1:a 2:ax1 3:a ", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct log_repeats *repeats;
        struct buf out;

        buf_init(&out, 4096);
        repeats = log_repeats_new(note, &out);
        say_all(repeats, cases[i].said);
        if (!str_equal(buf_str(&out), cases[i].written))
            fail_msg("%s: wrote \"%s\"", cases[i].why, buf_str(&out));
        buf_clear(&out);
        log_repeats_free(repeats);
        if (!str_equal(buf_str(&out), cases[i].at_the_end))
            fail_msg("%s: wrote \"%s\" at the end", cases[i].why, buf_str(&out));
        buf_done(&out);
    }
}

static void count(void *context, const struct log_line *line)
{
    (void)line;
    ++*(size_t *)context;
}

static void test_the_one_silent_for_longest_is_forgotten(void **state)
{
    size_t written = 0;
    struct log_repeats *repeats = log_repeats_new(count, &written);
    char account[16];

    (void)state;
    for (int i = 0; i <= LOG_REPEATS_SUBJECTS_MAX; i++) {
        (void)snprintf(account, sizeof(account), "a%d", i);
        say(repeats, 1, LEVEL_WARNING, "failed", account);
        if (i == 1)
            say(repeats, 1, LEVEL_WARNING, "failed", "a0");
    }
    assert_int_equal(written, LOG_REPEATS_SUBJECTS_MAX + 1); /* a1 had to go: nothing was held */
    say(repeats, 1, LEVEL_WARNING, "failed", "a0");
    assert_int_equal(written, LOG_REPEATS_SUBJECTS_MAX + 1);
    say(repeats, 1, LEVEL_WARNING, "failed", "a1");
    assert_int_equal(written, LOG_REPEATS_SUBJECTS_MAX + 2);
    log_repeats_free(repeats);
    assert_int_equal(written, LOG_REPEATS_SUBJECTS_MAX + 3); /* a0, once, for the two held back */
}

static void test_lines_without_fields(void **state)
{
    size_t written = 0;
    struct log_repeats *repeats = log_repeats_new(count, &written);
    struct log_line line;

    (void)state;
    log_line_start(&line, 0, LEVEL_ERROR, "journal.failed", "no room");
    log_repeats_take(repeats, &line);
    log_repeats_take(repeats, &line);
    assert_int_equal(written, 1);
    log_repeats_free(repeats);
    assert_int_equal(written, 2);
    log_repeats_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_the_one_silent_for_longest_is_forgotten),
        cmocka_unit_test(test_lines_without_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
