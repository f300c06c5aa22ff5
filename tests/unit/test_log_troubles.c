/*
 * Lines in, and what comes out, as words "SECOND:NAME=CAUSE": NAME fails for CAUSE. "NAME-" has
 * ended, "NAME~" has ended quietly, "." is the passing of time alone. Coming out, a line is
 * "SECOND:MESSAGE[xREPEATED]", and in front of an end stands "!".
 */
#include "io/log/log_private.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"

static const struct log_field *field(const struct log_line *line, const char *name)
{
    for (size_t i = 0; i < line->field_count; i++)
        if (str_equal(line->fields[i].name, name))
            return &line->fields[i];
    return NULL;
}

static void note(void *context, const struct log_line *line)
{
    struct buf *out = context;
    const struct log_field *repeated = field(line, "repeated");
    const struct log_field *names = field(line, "names");
    bool ended = str_equal(line->event, "trouble.ended");

    buf_append_format(out, "%" PRId64 ":%s%s", line->time / MS_SECOND, ended ? "!" : "",
                      ended ? "" : line->message);
    if (names)
        buf_append_format(out, "(%s)", names->text);
    if (repeated)
        buf_append_format(out, "x%" PRId64, repeated->number);
    buf_append_char(out, ' ');
}

static void say(struct log_troubles *troubles, time_ms now, const char *name, const char *cause)
{
    struct log_line line;

    log_line_start(&line, now, LEVEL_WARNING, "rotation.retrying", "%s=%s", name, cause);
    log_line_text(&line, "account", name);
    log_line_text(&line, "reason", "network");
    log_line_lasts(&line, name);
    log_troubles_take(troubles, &line);
    memset(&line, 'x', sizeof(line)); /* what is kept must be a copy */
}

/* Lets time pass as a timer does, to the second. */
static void pass(struct log_troubles *troubles, time_ms *now, time_ms until)
{
    for (;;) {
        time_ms next = log_troubles_due(troubles, *now, false);

        if (next > until)
            break;
        *now = next;
    }
    *now = until;
}

static void play(struct log_troubles *troubles, const char *words)
{
    time_ms now = 0;
    char *copy = strdup(words), *rest = copy, *word;

    while ((word = strtok_r(rest, " ", &rest))) {
        char *what = strchr(word, ':') + 1;
        char *end = what + strlen(what) - 1;
        time_ms at = strtoll(word, NULL, 10) * MS_SECOND;

        if (at >= now)
            pass(troubles, &now, at);
        now = at;
        if (strchr(what, '=')) {
            char *cause = strchr(what, '=');

            *cause++ = '\0';
            say(troubles, now, what, cause);
        } else if (*end == '-' || *end == '~') {
            bool quiet = *end == '~';

            *end = '\0';
            log_troubles_end(troubles, now, "rotation.retrying", what, quiet);
        }
    }
    (void)log_troubles_due(troubles, now, false);
    free(copy);
}

static void test_sequences(void **state)
{
    static const struct {
        const char *why;
        const char *said;
        const char *written;
        const char *at_the_end;
    } cases[] = {
        {"told after a second", "0:a=x 0:.", "", "0:a=x "},
        {"alone as it is", "0:a=x 9:.", "1:a=x ", ""},
        {"together with its like", "0:a=x 0:b=x 0:c=x 9:.", "1:3 alike: a=x(a, b, c)x2 ", ""},
        {"numbers do not make another cause", "0:a=x1 0:b=x27 9:.", "1:2 alike: a=x1(a, b)x1 ", ""},
        {"causes are apart", "0:a=x 0:b=y 9:.", "1:a=x 1:b=y ", ""},
        {"no more than five names", "0:a=x 0:b=x 0:c=x 0:d=x 0:e=x 0:f=x 0:g=x 9:.",
         "1:7 alike: a=x(a, b, c, d, e and 2 more)x6 ", ""},
        {"repeats are not told", "0:a=x 60:a=x 3600:a=x 80000:a=x", "1:a=x ", "80000:a=xx3 "},
        {"but daily", "0:a=x 60:a=x 86500:.", "1:a=x 86401:a=xx1 ", ""},
        {"who joins is told, slower and slower", "0:a=x 9:b=x 70:c=x 80:d=x 700:.",
         "1:a=x 61:2 alike: a=x(a, b)x1 301:4 alike: a=x(a, b, c, d)x2 ", ""},
        {"a change of the cause is told", "0:a=x 60:a=y 120:.", "1:a=x 61:a=y ", ""},
        {"so is the end, within a minute", "0:a=x 60:a- 120:.", "1:a=x 90:!(a) ", ""},
        {"of all together", "0:a=x 0:b=x 60:a- 70:b- 120:.", "1:2 alike: a=x(a, b)x1 100:!(a, b) ",
         ""},
        {"who comes back is counted once", "0:a=x 0:b=x 60:a- 70:a=x 80:a- 90:b- 130:.",
         "1:2 alike: a=x(a, b)x1 120:!(a, b)x1 ", ""},
        {"after another cause, too", "0:a=x 0:b=x 60:a- 70:a=y 80:a=x 90:a- 95:b- 130:.",
         "1:2 alike: a=x(a, b)x1 71:a=y 125:!(a, b)x1 ", ""},
        {"who is well stays so when another comes back",
         "0:a=x 0:b=x 60:b- 61:a- 70:a=x 80:a- 120:.", "1:2 alike: a=x(a, b)x1 110:!(b, a)x1 ", ""},
        {"not if it comes back", "0:a=x 60:a- 70:a=x 300:.", "1:a=x ", "300:a=xx1 "},
        {"not if nobody has it any more", "0:a=x 60:a~ 120:.", "1:a=x ", ""},
        {"what was short is told before its end", "0:a=x 0:a- 120:.", "0:a=x 30:!(a) ", ""},
        {"and before the line that shows its end", "0:a=x 0:a~ 120:.", "0:a=x ", ""},
        {"of several, before the first is well", "0:a=x 0:b=x 0:a- 9:.", "0:2 alike: a=x(a, b)x1 ",
         ""},
        {"the end of nothing", "0:a- 60:a~", "", ""},
        {"a clock set back", "100000:a=x 100009:. 5:. 86500:.", "100001:a=x 86405:a=x ", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct log_troubles *troubles;
        struct buf out;

        buf_init(&out, 4096);
        troubles = log_troubles_new(note, &out);
        log_troubles_gather(troubles, true);
        play(troubles, cases[i].said);
        if (!str_equal(buf_str(&out), cases[i].written))
            fail_msg("%s: wrote \"%s\"", cases[i].why, buf_str(&out));
        if (cases[i].at_the_end[0] != '\0') {
            buf_clear(&out);
            (void)log_troubles_due(troubles, strtoll(cases[i].at_the_end, NULL, 10) * MS_SECOND,
                                   true);
            if (!str_equal(buf_str(&out), cases[i].at_the_end))
                fail_msg("%s: wrote \"%s\" at the end", cases[i].why, buf_str(&out));
        }
        log_troubles_free(troubles);
        buf_done(&out);
    }
}

static void count(void *context, const struct log_line *line)
{
    (void)line;
    ++*(size_t *)context;
}

/* A service that cannot be reached: 10,000 accounts, each tried for the first time within the hour,
 * with three ways to say so. */
static void test_ten_thousand_accounts(void **state)
{
    static const char *const causes[] = {"refused", "timed out after 10001 ms", "no such host"};
    size_t written = 0;
    struct log_troubles *troubles = log_troubles_new(count, &written);
    time_ms now = 0;

    (void)state;
    log_troubles_gather(troubles, true);
    for (int i = 0; i < 20000; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "a%d", i % 10000);
        pass(troubles, &now, i * (MS_HOUR / 20000));
        say(troubles, now, name, causes[i % 3]);
    }
    assert_in_range(written, 3, 20);
    log_troubles_free(troubles);
}

static void test_causes_are_bounded(void **state)
{
    size_t written = 0;
    struct log_troubles *troubles = log_troubles_new(count, &written);

    (void)state;
    log_troubles_gather(troubles, true);
    for (int i = 0; i < 26 * 26; i++) {
        char name[16], cause[3] = {(char)('a' + i / 26), (char)('a' + i % 26), '\0'};

        (void)snprintf(name, sizeof(name), "n%d", i);
        say(troubles, 0, name, cause);
    }
    (void)log_troubles_due(troubles, MS_SECOND, false);
    assert_int_equal(written, LOG_CAUSES_MAX + 1);
    log_troubles_free(troubles);
}

/* Those that are told together in spite of their causes are not called alike. */
static void test_further_causes_are_told_apart(void **state)
{
    struct buf out;
    struct log_troubles *troubles = log_troubles_new(note, &out);

    (void)state;
    buf_init(&out, 4096);
    log_troubles_gather(troubles, true);
    for (int i = 0; i < LOG_CAUSES_MAX + 2; i++) {
        char name[16], cause[2] = {(char)('a' + i), '\0'};

        (void)snprintf(name, sizeof(name), "n%d", i);
        say(troubles, 0, name, cause);
    }
    (void)log_troubles_due(troubles, MS_SECOND, false);
    assert_null(strstr(buf_str(&out), "alike"));
    assert_non_null(
        strstr(buf_str(&out), "1:2 more, each with a cause of its own; one of them: n8=i(n8, n9)"));
    buf_done(&out);
    log_troubles_free(troubles);
}

/* A text without digits that is another one each time, such as an id: it looks like a new cause,
 * every ten seconds for a day. Later it has one cause again, which is told. */
static void test_changes_are_bounded(void **state)
{
    size_t written = 0;
    struct log_troubles *troubles = log_troubles_new(count, &written);
    time_ms now = 0;

    (void)state;
    log_troubles_gather(troubles, true);
    for (int i = 0; i < 8640; i++) {
        char cause[5] = {(char)('a' + i % 26), (char)('a' + i / 26 % 26), (char)('a' + i / 676),
                         '\0'};

        pass(troubles, &now, i * 10 * MS_SECOND);
        say(troubles, now, "acct", cause);
    }
    assert_in_range(written, 6, 15);
    written = 0;
    for (int i = 8640; i < 2 * 8640; i++) {
        pass(troubles, &now, i * 10 * MS_SECOND);
        say(troubles, now, "acct", "the disk is full");
    }
    assert_in_range(written, 1, 2);
    log_troubles_free(troubles);
}

/* The notice that the journal works again is no trouble; it follows the cause of the failure. */
static void test_what_stands_for_itself_comes_after(void **state)
{
    struct log_troubles *troubles;
    struct log_line line;
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    troubles = log_troubles_new(note, &out);
    log_troubles_gather(troubles, true);
    say(troubles, 0, "a", "x");
    log_line_start(&line, 400, LEVEL_NOTICE, "window.missed", "other");
    log_troubles_take(troubles, &line);
    log_line_start(&line, 500, LEVEL_NOTICE, "rotation.retrying", "again");
    log_troubles_take(troubles, &line);
    log_troubles_end(troubles, 500, "rotation.retrying", "a", true);
    (void)log_troubles_due(troubles, MS_HOUR, true);
    assert_string_equal(buf_str(&out), "0:other 0:a=x 0:again ");
    log_troubles_free(troubles);
    buf_done(&out);
}

/* The daily line reports the present state. */
static void test_the_daily_line_is_the_latest(void **state)
{
    struct log_troubles *troubles;
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    troubles = log_troubles_new(note, &out);
    log_troubles_gather(troubles, true);
    say(troubles, 0, "a", "full, 1 waiting");
    (void)log_troubles_due(troubles, MS_SECOND, false);
    say(troubles, MS_HOUR, "a", "full, 7 waiting");
    (void)log_troubles_due(troubles, MS_DAY + MS_MINUTE, false);
    assert_string_equal(buf_str(&out), "1:a=full, 1 waiting 86460:a=full, 7 waitingx1 ");
    log_troubles_free(troubles);
    buf_done(&out);
}

/* Lines of single events, "SECOND:COUNT": so many accounts at that second. */
static void play_gathering(const char *words, struct buf *out)
{
    struct log_troubles *troubles = log_troubles_new(note, out);
    time_ms now = 0;
    int number = 0;
    char *copy = strdup(words), *rest = copy, *word;

    log_troubles_gather(troubles, true);
    while ((word = strtok_r(rest, " ", &rest))) {
        char *end;
        time_ms at = strtoll(word, &end, 10) * MS_SECOND;
        long count = strtol(end + 1, NULL, 10);

        pass(troubles, &now, at);
        for (; count > 0; count--) {
            char name[16];
            struct log_line line;

            (void)snprintf(name, sizeof(name), "a%d", ++number);
            log_line_start(&line, now, LEVEL_ERROR, "consumers.at_risk", "%s: dead", name);
            log_line_text(&line, "account", name);
            log_line_text(&line, "target", "file");
            log_line_gathers(&line, name);
            log_troubles_take(troubles, &line);
            memset(&line, 'x', sizeof(line));
        }
    }
    buf_append_str(out, "| ");
    (void)log_troubles_due(troubles, now, true);
    log_troubles_free(troubles);
    free(copy);
}

static void test_what_happens_to_many_gathers(void **state)
{
    static const struct {
        const char *said, *written;
    } cases[] = {
        {"0:1 9:0", "0:a1: dead | "},
        {"0:5 9:0", "0:a1: dead 0:a2: dead 0:a3: dead 0:a4: dead 0:a5: dead | "},
        /* the sixth is told a second later, with its own account */
        {"0:6 9:0", "0:a1: dead 0:a2: dead 0:a3: dead 0:a4: dead 0:a5: dead 1:a6: dead | "},
        {"0:300 9:0",
         "0:a1: dead 0:a2: dead 0:a3: dead 0:a4: dead 0:a5: dead "
         "1:295 alike: a6: dead(a6, a7, a8, a9, a10 and 290 more)x294 | "},
        /* at the end of the program nothing is left untold */
        {"0:7",
         "0:a1: dead 0:a2: dead 0:a3: dead 0:a4: dead 0:a5: dead "
         "| 0:2 alike: a6: dead(a6, a7)x1 "},
        /* at growing intervals, and one by one again after a while */
        {"0:6 2:1 3:1 300:1 400:0",
         "0:a1: dead 0:a2: dead 0:a3: dead 0:a4: dead 0:a5: dead "
         "1:a6: dead 5:2 alike: a7: dead(a7, a8)x1 300:a9: dead | "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out;

        buf_init(&out, 4096);
        play_gathering(cases[i].said, &out);
        assert_string_equal(buf_str(&out), cases[i].written);
        buf_done(&out);
    }
}

/* 300 accounts of which one fails every twelve seconds, and again and again. */
static void test_what_happens_all_the_time_is_bounded(void **state)
{
    struct log_troubles *troubles;
    size_t written = 0;
    time_ms now = 0;

    (void)state;
    troubles = log_troubles_new(count, &written);
    log_troubles_gather(troubles, true);
    for (int i = 0; i < 300; i++) {
        char name[16];
        struct log_line line;

        pass(troubles, &now, i * 12 * MS_SECOND);
        (void)snprintf(name, sizeof(name), "a%d", i % 100);
        log_line_start(&line, now, LEVEL_ERROR, "consumers.at_risk", "%s: dead", name);
        log_line_text(&line, "account", name);
        log_line_gathers(&line, name);
        log_troubles_take(troubles, &line);
    }
    assert_in_range(written, 10, 25);
    log_troubles_free(troubles);
}

static void test_without_gathering_the_first_line_is_told(void **state)
{
    size_t written = 0;
    struct log_troubles *troubles = log_troubles_new(count, &written);
    struct log_line line;

    (void)state;
    say(troubles, 0, "a", "x");
    assert_int_equal(written, 1);
    say(troubles, 0, "a", "x");
    say(troubles, 0, "b", "x");
    assert_int_equal(written, 1);
    log_line_start(&line, 0, LEVEL_ERROR, "journal.failed", "no room");
    log_troubles_take(troubles, &line);
    log_troubles_take(troubles, &line);
    assert_int_equal(written, 3); /* lines without a subject are not gathered */
    log_troubles_free(troubles);
    log_troubles_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_ten_thousand_accounts),
        cmocka_unit_test(test_causes_are_bounded),
        cmocka_unit_test(test_further_causes_are_told_apart),
        cmocka_unit_test(test_changes_are_bounded),
        cmocka_unit_test(test_what_stands_for_itself_comes_after),
        cmocka_unit_test(test_the_daily_line_is_the_latest),
        cmocka_unit_test(test_what_happens_to_many_gathers),
        cmocka_unit_test(test_what_happens_all_the_time_is_bounded),
        cmocka_unit_test(test_without_gathering_the_first_line_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
