/* Who is told when of the end of a credential. */
#include "io/access/expiry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "conf/identity.h"

#define END ((time_ms)1795348800000)

static unsigned lines;
static char last[LOG_MESSAGE_MAX];

static void on_line(void *context, const struct log_line *line)
{
    (void)context;
    assert_string_equal(line->event, "credential.expiring");
    lines++;
    str_copy(last, sizeof(last), line->message);
}

static struct log test_log = {.level = LEVEL_DEBUG, .write = on_line};
static struct expiry_book book;

static int enter(void **state)
{
    (void)state;
    lines = 0;
    expiry_book_init(&book, &test_log);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    expiry_book_done(&book);
    return 0;
}

static void note(const char *identity, time_ms end, time_ms now, const char *problem)
{
    struct credential_expiry expiry = {.at = end, .what = "the certificate CN=x", .remedy = "do"};

    expiry.is_replaced = !!problem;
    if (problem)
        str_copy(expiry.problem.text, sizeof(expiry.problem.text), problem);
    expiry_book_note(&book, identity, &expiry, now);
}

static void it_is_told_30_and_7_days_and_1_day_ahead(void **state)
{
    static const struct {
        duration_ms left;
        unsigned lines;
    } cases[] = {
        {31 * MS_DAY, 0}, {30 * MS_DAY, 1}, {29 * MS_DAY, 1}, {7 * MS_DAY, 2},
        {6 * MS_DAY, 2},  {MS_DAY, 3},      {MS_HOUR, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        note("ops", END, END - cases[i].left, NULL);
        assert_int_equal(lines, cases[i].lines);
    }
    assert_string_equal(last, "the certificate CN=x of identity ops ends in 1d");
}

/* A daemon that starts late tells of it once, not of all that it missed. */
static void what_was_missed_is_told_once(void **state)
{
    (void)state;
    note("ops", END, END - 3 * MS_DAY, NULL);
    note("ops", END, END - 3 * MS_DAY, NULL);
    assert_int_equal(lines, 1);
}

static void a_new_certificate_begins_anew(void **state)
{
    (void)state;
    note("ops", END, END - MS_HOUR, NULL);
    note("ops", END + 365 * MS_DAY, END - MS_HOUR, NULL);
    assert_int_equal(lines, 1);
    note("ops", END + 365 * MS_DAY, END + 340 * MS_DAY, NULL);
    assert_int_equal(lines, 2);
    note("other", END + 365 * MS_DAY, END + 340 * MS_DAY, NULL);
    assert_int_equal(lines, 3);
}

static void a_certificate_that_is_no_longer_in_the_file_is_told_once(void **state)
{
    (void)state;
    note("ops", END, END - 100 * MS_DAY, "the file is gone");
    note("ops", END, END - 100 * MS_DAY, "the file is gone");
    assert_int_equal(lines, 1);
    assert_string_equal(last,
                        "identity ops goes on with the certificate CN=x, which it read "
                        "before: the file is gone");
    note("ops", END, END - 100 * MS_DAY, NULL);
    note("ops", END, END - 100 * MS_DAY, "the file is gone");
    assert_int_equal(lines, 2);
}

static void the_first_to_end_is_known(void **state)
{
    static const struct identity configured[] = {{.name = "later"}};
    const struct config config = {.identities = configured, .identity_count = 1};
    const struct credential_expiry *expiry;
    const char *identity;

    (void)state;
    note("none", 0, END, NULL);
    assert_false(expiry_book_first(&book, &identity, &expiry));
    note("later", END + MS_DAY, END - 100 * MS_DAY, NULL);
    note("ops", END, END - 100 * MS_DAY, NULL);
    assert_true(expiry_book_first(&book, &identity, &expiry));
    assert_string_equal(identity, "ops");
    assert_int_equal(expiry->at, END);
    expiry_book_keep(&book, &config);
    assert_true(expiry_book_first(&book, &identity, &expiry));
    assert_string_equal(identity, "later");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_told_30_and_7_days_and_1_day_ahead),
        TEST(what_was_missed_is_told_once),
        TEST(a_new_certificate_begins_anew),
        TEST(a_certificate_that_is_no_longer_in_the_file_is_told_once),
        TEST(the_first_to_end_is_known),
    };

    return cmocka_run_group_tests_name("expiry", tests, NULL, NULL);
}
