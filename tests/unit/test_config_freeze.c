/* `freeze`: its dates, its mistakes, each with its place and whole sentence, and what `--check`
 * says of it. */
#include "conf/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/date.h"
#include "config_fixture.h"

static struct config *load(const char *freeze, const char *expected)
{
    const struct config_lines lines = {.more = freeze};
    char text[8192];

    config_fixture_compose(&lines, text, sizeof(text));
    return config_fixture_expect(text, expected);
}

static const struct {
    const char *freeze;
    const char *expected; /* all messages */
} mistakes[] = {
    {"freeze: [{from: 2026-12-20}]\n",
     "k.yaml:6:10: freeze[0].to: is missing; give a day such as 2026-12-20, or an instant such as "
     "\"2026-12-20 18:00\" or 2026-12-20T18:00:00Z\n"},
    {"freeze: [{from: soon, to: 2026-12-20}]\n",
     "k.yaml:6:17: freeze[0].from: \"soon\" cannot stand here; write a day such as 2026-12-20, or "
     "an instant such as \"2026-12-20 18:00\" or 2026-12-20T18:00:00Z\n"},
    {"freeze: [{from: 2027-02-29, to: 2027-03-01}]\n",
     "k.yaml:6:17: freeze[0].from: \"2027-02-29\" cannot stand here; write a day such as "
     "2026-12-20, or an instant such as \"2026-12-20 18:00\" or 2026-12-20T18:00:00Z\n"},
    {"freeze: [{from: 2026-12-20, to: '2026-12-31 24:00'}]\n",
     "k.yaml:6:33: freeze[0].to: \"2026-12-31 24:00\" cannot stand here; write a day such as "
     "2026-12-20, or an instant such as \"2026-12-20 18:00\" or 2026-12-20T18:00:00Z\n"},
    {"freeze: [{from: 2026-12-20, to: 2026-12-19}]\n",
     "k.yaml:6:33: freeze[0].to: the freeze would end (2026-12-20T00:00:00Z) before it begins "
     "(2026-12-20T00:00:00Z); write a later end, or exchange from and to\n"},
    {"freeze: [{from: 2026-12-20, to: 2026-12-22, time_zone: Europe/Berlln}]\n",
     "k.yaml:6:56: freeze[0].time_zone: \"Europe/Berlln\" is not a time zone of this system; write "
     "a name of the tz database such as Europe/Berlin or UTC (package tzdata)\n"},
    {"freeze: [{from: 2026-12-20, to: 2026-12-22, policies: [q]}]\n",
     "k.yaml:6:56: freeze[0].policies[0]: unknown policy \"q\"; policies holds: standard\n"},
    {"freeze: [{from: 2026-12-20, to: 2026-12-22, policies: standart}]\n",
     "k.yaml:6:55: freeze[0].policies: unknown policy \"standart\"; did you mean standard?\n"},
    {"freeze: [{from: 2026-12-20, to: 2026-12-22, policies: []}]\n",
     "k.yaml:6:55: freeze[0].policies: is empty; name the policies, or leave it out for all of "
     "them\n"},
    {"freeze: [{from: 2026-12-20, to: 2026-12-22, policy: p}]\n",
     "k.yaml:6:45: freeze[0].policy: unknown key; known here: from, to, time_zone, "
     "reason, policies\n"},
    {"freeze: {from: 2026-12-20, to: 2026-12-22}\n",
     "k.yaml:6:9: freeze: must be a list; begin each item with \"- \"\n"},
};

static void finds_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
        assert_null(load(mistakes[i].freeze, mistakes[i].expected));
}

static void warns_of_what_it_costs(void **state)
{
    (void)state;
    config_unref(load("freeze: [{from: 2025-12-20, to: 2026-01-06}]\n",
                      "k.yaml:6:33: freeze[0].to: warning: the freeze ended at "
                      "2026-01-07T00:00:00Z and has no effect; correct its dates, or remove it\n"));
    config_unref(
        load("freeze: [{from: 2026-12-20, to: 2027-01-06}]\n",
             "k.yaml:6:10: freeze[0]: warning: a rotation of policy standard can have to wait 18d "
             "because "
             "of the freeze, and a key could get 102d old, more than max_key_age 90d; shorten the "
             "freeze, or have `rotate` regenerate the oldest keys before it begins\n"));
}

/* An end that has no text is the last one that has. */
static void ends_at_last(void **state)
{
    char to[DATE_TEXT_MAX];
    struct config *config = load(
        "freeze: [{from: 2026-12-20, to: 9999-12-31}]\n",
        "k.yaml:6:10: freeze[0]: warning: a rotation of policy standard can have to wait 2912090d "
        "because of the freeze, and a key could get 2912174d old, more than max_key_age 90d; "
        "shorten the freeze, or have `rotate` regenerate the oldest keys before it begins\n");

    (void)state;
    assert_string_equal(date_to_rfc3339(config->policies[0].freezes[0].to, to),
                        "9999-12-31T23:59:59Z");
    config_unref(config);
}

static const struct {
    const char *freeze;
    const char *from, *to;
} dates[] = {
    {"{from: 2026-12-24, to: 2026-12-24}", "2026-12-24T00:00:00Z", "2026-12-25T00:00:00Z"},
    {"{from: '2026-12-24 18:00', to: '2026-12-24T18:30:15'}", "2026-12-24T18:00:00Z",
     "2026-12-24T18:30:15Z"},
    /* An offset counts, whatever the zone. */
    {"{from: '2026-12-24T18:00:00+01:00', to: 2026-12-24, time_zone: America/New_York}",
     "2026-12-24T17:00:00Z", "2026-12-25T05:00:00Z"},
    /* Berlin: 28 March 2027, 02:00 becomes 03:00; the day has 23 hours. 31 October 2027 has 25. */
    {"{from: 2027-03-28, to: 2027-03-28, time_zone: Europe/Berlin}", "2027-03-27T23:00:00Z",
     "2027-03-28T22:00:00Z"},
    {"{from: '2027-03-28 02:30', to: '2027-03-28 03:00', time_zone: Europe/Berlin}", "", ""},
    {"{from: '2027-03-28 01:30', to: '2027-03-28 02:30', time_zone: Europe/Berlin}",
     "2027-03-28T00:30:00Z", "2027-03-28T01:00:00Z"},
    {"{from: 2027-10-31, to: '2027-10-31 03:00', time_zone: Europe/Berlin}", "2027-10-30T22:00:00Z",
     "2027-10-31T02:00:00Z"},
};

static void reads_dates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        char text[400];
        char from[DATE_TEXT_MAX];
        char to[DATE_TEXT_MAX];
        struct config *config;

        (void)snprintf(text, sizeof(text), "freeze: [%s]\n", dates[i].freeze);
        if (dates[i].from[0] == '\0') { /* the clocks jump over all of it */
            assert_null(load(text,
                             "k.yaml:6:41: freeze[0].to: the freeze would end "
                             "(2027-03-28T01:00:00Z) before it begins "
                             "(2027-03-28T01:00:00Z); write a later end, or exchange from "
                             "and to\n"));
            continue;
        }
        config = load(text, "");
        assert_int_equal(config->policies[0].freeze_count, 1);
        assert_string_equal(date_to_rfc3339(config->policies[0].freezes[0].from, from),
                            dates[i].from);
        assert_string_equal(date_to_rfc3339(config->policies[0].freezes[0].to, to), dates[i].to);
        config_unref(config);
    }
}

static void applies_to_the_policies_it_names(void **state)
{
    const struct config_lines lines = {
        .policies =
            "policies: {p: {max_key_age: 90d}, q: {rotate_every: 30d}, r: {rotate_every: "
            "30d}}",
        .accounts = "accounts: [{id: " ACCOUNT_ID ", policy: q, rotate: false}]",
        .more =
            "freeze:\n"
            "- {from: 2026-12-20, to: 2026-12-22, policies: [q, r], reason: year's end}\n"
            "- {from: 2026-12-24, to: 2026-12-24, policies: q}\n"
            "- {from: 2026-12-25, to: 2026-12-25}\n",
    };
    static const size_t counts[] = {1, 3, 2};
    char text[8192];
    struct config *config;

    (void)state;
    config_fixture_compose(&lines, text, sizeof(text));
    config = config_fixture_expect(text,
                                   "k.yaml:3:12: policies.p: warning: is used by no account\n"
                                   "k.yaml:3:59: policies.r: warning: is used by no account\n");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(config->policies[i].freeze_count, counts[i]);
    assert_string_equal(config->policies[1].freezes[0].reason, "year's end");
    assert_null(config->policies[1].freezes[1].reason);
    /* Also where the account has a copy of the policy. */
    assert_int_equal(config->accounts[0].policy->freeze_count, 3);
    config_unref(config);
}

static void is_explained(void **state)
{
    struct config *config = load(
        "freeze: [{from: 2026-12-24, to: 2026-12-26, reason: holidays}, "
        "{from: 2027-02-01, to: 2027-02-01}]\n",
        "");
    struct buf out;

    (void)state;
    buf_init(&out, 65536);
    assert_int_equal(config_explain(config, NULL, 1, &out), 0);
    assert_non_null(strstr(buf_str(&out),
                           "  freeze         from 2026-12-24T00:00:00Z to 2026-12-27T00:00:00Z: "
                           "holidays\n"
                           "  and            from 2027-02-01T00:00:00Z to 2027-02-02T00:00:00Z\n"));
    buf_done(&out);
    config_unref(config);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)
    const struct CMUnitTest tests[] = {
        TEST(finds_mistakes), TEST(warns_of_what_it_costs), TEST(ends_at_last),
        TEST(reads_dates),    TEST(is_explained),           TEST(applies_to_the_policies_it_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
