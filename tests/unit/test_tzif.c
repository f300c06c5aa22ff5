/*
 * The reader of compiled time zones: rules of every form, and files that are refused. What zones in
 * the field hold is compared with another reader in test_tz.c.
 */
#include "base/tzif.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/time.h"
#include "zone_file.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static int64_t seconds(const char *rfc3339)
{
    time_ms at = 0;

    assert_true(date_from_rfc3339(rfc3339, &at));
    return at / MS_SECOND;
}

static struct tzif *parse(const struct zone_file *zone)
{
    unsigned char bytes[ZONE_FILE_MAX];

    return tzif_parse(bytes, zone_file_make(zone, bytes));
}

struct in_force {
    const char *rule;
    const char *at;
    int32_t offset;
};

static const struct in_force IN_FORCE[] = {
    {"UTC0", "2050-07-01T00:00:00Z", 0},
    {"TST-5:30", "2050-07-01T00:00:00Z", 19800},
    {"<+0545>-5:45:30", "2050-07-01T00:00:00Z", 20730},
    {"TST+3", "2050-07-01T00:00:00Z", -10800},
    /* Daylight time without an offset is an hour ahead; one of zero is no hour ahead. */
    {"CET-1CEST,M3.5.0,M10.5.0/3", "2050-03-27T00:59:59Z", 3600},
    {"CET-1CEST,M3.5.0,M10.5.0/3", "2050-03-27T01:00:00Z", 7200},
    {"CET-1CEST,M3.5.0,M10.5.0/3", "2050-10-30T00:59:59Z", 7200},
    {"CET-1CEST,M3.5.0,M10.5.0/3", "2050-10-30T01:00:00Z", 3600},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", "2040-01-15T12:00:00Z", 0},
    {"IST-1GMT0,M10.5.0,M3.5.0/1", "2040-07-15T12:00:00Z", 3600},
    {"IST-1GMT-0,M10.5.0,M3.5.0/1", "2040-01-15T12:00:00Z", 0},
    /* South of the equator the year begins with it. */
    {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2050-01-01T00:00:00Z", 39600},
    {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2050-07-01T00:00:00Z", 36000},
    {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2050-12-31T23:59:59Z", 39600},
    /* Before midnight, and on the day after. */
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-03-27T00:59:59Z", -7200},
    {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-03-27T01:00:00Z", -3600},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", "2050-03-25T23:59:59Z", 7200},
    {"EET-2EEST,M3.4.4/50,M10.4.4/50", "2050-03-26T00:00:00Z", 10800},
    /* Days that are counted: 60 is March 1 with J, and without it in years that are no leap years.
     */
    {"TST0YYY,J60/0,J300/0", "2052-02-29T23:59:59Z", 0},
    {"TST0YYY,J60/0,J300/0", "2052-03-01T00:00:00Z", 3600},
    {"TST0YYY,J59/0,J300/0", "2052-02-28T00:00:00Z", 3600},
    {"TST0YYY,59/0,299/0", "2052-02-28T23:59:59Z", 0},
    {"TST0YYY,59/0,299/0", "2052-02-29T00:00:00Z", 3600},
    {"TST0YYY,59/0,299/0", "2051-03-01T00:00:00Z", 3600},
    /* Daylight time that never ends (RFC 9636, section 3.3.1). */
    {"EST5EDT,0/0,J365/25", "2050-01-01T04:59:59Z", -14400},
    {"EST5EDT,0/0,J365/25", "2050-01-01T05:00:00Z", -14400},
    {"EST5EDT,0/0,J365/25", "2050-07-01T00:00:00Z", -14400},
    {"EST5EDT,0/0,J365/25", "2052-12-31T23:59:59Z", -14400},
    /* In another year by UTC than by the clocks. */
    {"TST-14YYY,J1/0,J180/0", "2050-12-31T09:59:59Z", 50400},
    {"TST-14YYY,J1/0,J180/0", "2050-12-31T10:00:00Z", 54000},
};

static void rules_of_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(IN_FORCE); i++) {
        const struct zone_file zone = {.rule = IN_FORCE[i].rule};
        struct tzif *tzif = parse(&zone);
        int64_t at = seconds(IN_FORCE[i].at);
        struct tzif_interval found;

        if (!tzif)
            fail_msg("%s is refused", IN_FORCE[i].rule);
        found = tzif_interval(tzif, at);
        if (found.offset != IN_FORCE[i].offset || found.from > at || found.until <= at)
            fail_msg("%s at %s: %d", IN_FORCE[i].rule, IN_FORCE[i].at, found.offset);
        free(tzif);
    }
}

static const struct zone_change CHANGES[] = {{-1000, 3600}, {0, 7200}, {5000, 3600}};

static void tables_then_the_rule(void **state)
{
    (void)state;
    const struct zone_file zone = {
        .first_offset = 60, .changes = CHANGES, .change_count = 3, .rule = "TST-9"};
    struct tzif *tzif = parse(&zone);
    static const struct tzif_interval expected[] = {
        {INT64_MIN, -1000, 60}, {-1000, 0, 3600}, {0, 5000, 7200}, {5000, INT64_MAX, 32400}};

    assert_non_null(tzif);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        int64_t from = expected[i].from == INT64_MIN ? INT64_MIN / 2 : expected[i].from;
        int64_t last = expected[i].until == INT64_MAX ? INT64_MAX / 2 : expected[i].until - 1;
        struct tzif_interval begin = tzif_interval(tzif, from), end = tzif_interval(tzif, last);

        assert_memory_equal(&begin.from, &expected[i].from, sizeof(int64_t));
        assert_memory_equal(&begin.until, &expected[i].until, sizeof(int64_t));
        assert_int_equal(begin.offset, expected[i].offset);
        assert_int_equal(end.offset, expected[i].offset);
    }
    free(tzif);
}

static void without_a_rule_the_last_offset_stays(void **state)
{
    (void)state;
    const struct zone_file zone = {.changes = CHANGES, .change_count = 3, .rule = ""};
    struct tzif *tzif = parse(&zone);

    assert_non_null(tzif);
    assert_int_equal(tzif_interval(tzif, seconds("2050-07-01T00:00:00Z")).offset, 3600);
    free(tzif);
}

static void rules_that_nobody_can_rely_on_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "X-1",
        "CET",
        "CET-25",
        "CET-1:60",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M3.5.0,",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.0.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/168",
        "CET-1CEST,J0,J300",
        "CET-1CEST,J1,J366",
        "CET-1CEST,0,366",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
        "<+01-1",
        "<1>-1",
        "CET-1CEST,M3.5.0,M10.5.0\n",
        "CET-99999999999",
        "CET-1 ",
    };

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const struct zone_file zone = {.rule = wrong[i]};

        errno = 0;
        if (parse(&zone))
            fail_msg("%s is accepted", wrong[i]);
        assert_int_equal(errno, EBADMSG);
    }
}

static void files_that_are_cut_are_refused(void **state)
{
    (void)state;
    const struct zone_file zone = {.changes = CHANGES, .change_count = 3, .rule = "TST-9"};
    unsigned char bytes[ZONE_FILE_MAX];
    size_t length = zone_file_make(&zone, bytes);

    for (size_t cut = 0; cut < length; cut++) {
        unsigned char *exact = malloc(cut + 1); /* so that valgrind sees one byte too many */

        assert_non_null(exact);
        memcpy(exact, bytes, cut);
        errno = 0;
        assert_null(tzif_parse(exact, cut));
        assert_int_equal(errno, EBADMSG);
        free(exact);
    }
}

/* Where the second header of a file without changes begins, and what stands in it. */
enum { SECOND_HEADER = 44 + 6 + 4, LEAP_SECONDS = 28, CHANGE_COUNT = 32, TYPE_COUNT = 36 };

static void expect_refused_with(size_t at, unsigned char byte)
{
    const struct zone_file zone = {.changes = CHANGES, .change_count = 3, .rule = "TST-9"};
    unsigned char bytes[ZONE_FILE_MAX];
    size_t length = zone_file_make(&zone, bytes);

    assert_int_not_equal(bytes[at], byte);
    bytes[at] = byte;
    errno = 0;
    assert_null(tzif_parse(bytes, length));
    assert_int_equal(errno, EBADMSG);
}

static void files_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    size_t table = SECOND_HEADER + 44;

    expect_refused_with(0, 't');
    expect_refused_with(4, '\0'); /* the version without a 64-bit part */
    expect_refused_with(SECOND_HEADER, 't');
    expect_refused_with(SECOND_HEADER + LEAP_SECONDS + 3, 1);
    expect_refused_with(SECOND_HEADER + CHANGE_COUNT, 0xff);
    expect_refused_with(SECOND_HEADER + TYPE_COUNT + 3, 0);
    expect_refused_with(table, 0x7f);         /* the first change after the others */
    expect_refused_with(table + 3 * 8, 4);    /* a type that there is not */
    expect_refused_with(table + 3 * 9, 0x7f); /* an offset of decades */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_of_every_form),
        cmocka_unit_test(tables_then_the_rule),
        cmocka_unit_test(without_a_rule_the_last_offset_stays),
        cmocka_unit_test(rules_that_nobody_can_rely_on_are_refused),
        cmocka_unit_test(files_that_are_cut_are_refused),
        cmocka_unit_test(files_that_contradict_themselves_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
