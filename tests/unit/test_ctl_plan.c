#include "ctl/plan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1795348800000 /* 2026-11-22T12:00:00Z */

enum { OUT_MAX = 64 * 1024, COLUMNS = 100, FOLDED = 75 };

static struct planned_snapshot of_alpha[] = {
    {.at = NOW - MS_HOUR,
     .slot = "primary",
     .why = "under_way",
     .because = "it has begun",
     .old_key_born = NOW - 30 * MS_DAY,
     .old_key_dies = NOW + 9 * MS_DAY,
     .too_old = true},
    {.at = NOW + 9 * MS_DAY,
     .slot = "secondary",
     .why = "splay",
     .because = "the interval; and its part, of the splay \\ \u00b5",
     .old_key_born = NOW - MS_HOUR,
     .old_key_dies = TIME_NEVER},
};
static struct planned_snapshot of_beta[] = {
    {.at = NOW + 9 * MS_DAY + MS_MINUTE,
     .slot = "secondary",
     .why = "first",
     .because = "the first one",
     .old_key_born = NOW - 12 * MS_DAY,
     .old_key_older = true,
     .old_key_dies = NOW + 20 * MS_DAY},
};

#define LONG_GROUP "a-resource-group-of-considerable-length-as-they-occur"

static const struct account_plan accounts[] = {
    {.id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Batch/batchAccounts/alpha",
     .name = "alpha",
     .resource_group = "g",
     .state = "rotating",
     .later_at = NOW + 30 * MS_DAY,
     .more = true,
     .rotations = of_alpha,
     .rotation_count = 2},
    {.id = "/subscriptions/s/resourceGroups/l/providers/Microsoft.Batch/batchAccounts/beta",
     .name = "beta\x1b",
     .resource_group = LONG_GROUP,
     .state = "ok",
     .later_at = TIME_NEVER,
     .rotations = of_beta,
     .rotation_count = 1},
    {.id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Batch/batchAccounts/gamma",
     .name = "gamma",
     .resource_group = "g",
     .state = "blocked",
     .waits = "the targets hold different keys",
     .later_at = TIME_NEVER},
};
enum { ACCOUNTS = sizeof(accounts) / sizeof(accounts[0]) };

/* The document that a daemon would send, in pages of one account each. */
static void send(struct control_plan pages[ACCOUNTS])
{
    for (size_t i = 0; i < ACCOUNTS; i++) {
        struct err err = {.code = 0};
        struct buf out;

        buf_init(&out, OUT_MAX);
        control_plan_start(&out, NOW, NOW + 20 * MS_DAY);
        control_plan_account(&out, &accounts[i]);
        control_plan_end(&out, i + 1 < ACCOUNTS ? accounts[i].id : NULL);
        assert_int_equal(out.failed, 0);
        assert_int_equal(control_plan_parse(buf_str(&out), out.length, &pages[i], &err), 0);
        buf_done(&out);
    }
}

struct shown {
    struct control_plan pages[ACCOUNTS];
    struct plan plan;
    struct buf out;
};

static void begin(struct shown *shown)
{
    send(shown->pages);
    assert_int_equal(plan_collect(&shown->plan, shown->pages, ACCOUNTS), 0);
    buf_init(&shown->out, OUT_MAX);
}

static void end(struct shown *shown)
{
    assert_int_equal(shown->out.failed, 0);
    buf_done(&shown->out);
    plan_done(&shown->plan);
    for (size_t i = 0; i < ACCOUNTS; i++)
        control_plan_done(&shown->pages[i]);
}

static void test_what_is_sent_arrives(void **state)
{
    struct shown shown;

    (void)state;
    begin(&shown);
    assert_int_equal(shown.plan.row_count, 3);
    assert_int_equal(shown.plan.now, NOW);
    assert_int_equal(shown.plan.until, NOW + 20 * MS_DAY);
    assert_string_equal(shown.pages[0].next, accounts[0].id);
    assert_null(shown.pages[ACCOUNTS - 1].next);
    assert_int_equal(shown.plan.rows[1].rotation->at, of_alpha[1].at);
    assert_string_equal(shown.plan.rows[1].rotation->because, of_alpha[1].because);
    assert_int_equal(shown.plan.rows[1].rotation->old_key_dies, TIME_NEVER);
    assert_true(shown.plan.rows[2].rotation->old_key_older);
    assert_int_equal(shown.plan.waiting_count, 1);
    assert_int_equal(shown.plan.late_count, 1);
    assert_int_equal(shown.plan.cut_count, 1);
    assert_int_equal(shown.plan.busiest_count, 2);
    assert_int_equal(shown.plan.busiest_at, NOW + 9 * MS_DAY);
    end(&shown);
}

static void test_table(void **state)
{
    struct shown shown;

    (void)state;
    begin(&shown);
    plan_write_text(&shown.out, &shown.plan);
    assert_string_equal(
        buf_str(&shown.out),
        "WHEN               ACCOUNT                          SLOT       WHY THEN   OLD KEY DIES    "
        " "
        " AGE THEN\n"
        "2026-11-22 11:00Z  g/alpha                          primary    under_way  2026-12-01 "
        "12:00Z 39d !\n"
        "2026-12-01 12:00Z  g/alpha                          secondary  splay      -               "
        " "
        " -\n"
        "2026-12-01 12:01Z  ...e-length-as-they-occur/beta?  secondary  first      "
        "2026-12-12 12:00Z 32d+\n"
        "\n"
        "3 rotations until 2026-12-12 12:00Z; the busiest hour has 2, from 2026-12-01 12:00Z\n"
        "more than are listed: g/alpha\n"
        "max_key_age cannot be kept (!): g/alpha\n"
        "not planned: g/gamma: blocked: the targets hold different keys\n"
        "      do: keyrotatectl status\n");
    for (char *line = strtok(shown.out.data, "\n"); line; line = strtok(NULL, "\n"))
        assert_in_range(strlen(line), 1, COLUMNS);
    end(&shown);
}

static void test_calendar(void **state)
{
    struct shown shown;

    (void)state;
    begin(&shown);
    plan_write_calendar(&shown.out, &shown.plan);
    assert_non_null(strstr(buf_str(&shown.out), "November 2026\n"));
    assert_non_null(strstr(buf_str(&shown.out), "22 (1)\n"));
    assert_non_null(strstr(buf_str(&shown.out), "December 2026\n"));
    assert_non_null(strstr(buf_str(&shown.out), "\n               1 (2) "));
    assert_null(strstr(buf_str(&shown.out), "January"));
    end(&shown);
}

static void test_calendar_programs(void **state)
{
    struct shown shown;
    size_t events = 0;

    (void)state;
    begin(&shown);
    plan_write_ics(&shown.out, &shown.plan);
    for (const char *line = buf_str(&shown.out); *line != '\0';) {
        const char *line_end = strstr(line, "\r\n");

        assert_non_null(line_end);
        assert_in_range(line_end - line, 1, FOLDED);
        events += strncmp(line, "BEGIN:VEVENT", 12) == 0;
        line = line_end + 2;
    }
    assert_int_equal(events, 3);
    assert_non_null(strstr(buf_str(&shown.out), "DTSTART:20261201T120000Z\r\n"));
    assert_non_null(strstr(buf_str(&shown.out), "the interval\\; and its part\\, of"));
    assert_non_null(strstr(buf_str(&shown.out), "\u00b5"));
    assert_null(strchr(buf_str(&shown.out), '\x1b'));
    end(&shown);
}

static void test_no_plan(void **state)
{
    static const char *const texts[] = {"", "[]", "{}", "{\"accounts\":{}}", "{\"accounts\":"};
    struct control_plan page;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        err_clear(&err);
        assert_int_equal(control_plan_parse(texts[i], strlen(texts[i]), &page, &err), -EBADMSG);
        assert_true(err.text[0] != '\0');
        assert_null(page.document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_sent_arrives),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_calendar_programs),
        cmocka_unit_test(test_no_plan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
