/* What a reload would make of policies, in words. */
#include "conf/policy_change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_fixture.h"

enum { TEXT_MAX = 4096 };

#define ID                                                                                         \
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/"             \
    "Microsoft.Batch/batchAccounts/"

/* A configuration of these policies (a flow mapping), what the accounts `a` and `b` have besides,
 * and freezes. */
struct site {
    const char *policies, *a, *b, *more;
};

static struct config *load(const struct site *site)
{
    char policies[512], accounts[1024], text[TEXT_MAX];

    (void)snprintf(policies, sizeof(policies), "policies: {%s}", site->policies);
    (void)snprintf(accounts, sizeof(accounts),
                   "accounts: [{id: " ID
                   "aaa, adopt_active: primary%s}, "
                   "{id: " ID "bbb, adopt_active: primary%s}]",
                   site->a ? site->a : "", site->b ? site->b : "");
    config_fixture_compose(&(const struct config_lines){.policies = policies,
                                                        .accounts = accounts,
                                                        .more = site->more},
                           text, sizeof(text));
    return config_fixture_expect(text, "");
}

static void expect(const struct site *before, const struct site *after, const char *lines)
{
    struct config *old = load(before), *new = load(after);
    struct buf report;

    buf_init(&report, TEXT_MAX);
    policy_change_preview(old, new, &report);
    assert_string_equal(buf_str(&report), lines);
    buf_done(&report);
    config_unref(old);
    config_unref(new);
}

#define BASE "rotate_every: 40d, overlap: 10d, splay: 4d, overdue_after: 4d"
#define OPEN "rotate_every: 40d, overlap: 10d, splay: 4h, overdue_after: 4d"

static void test_keys_of_a_policy(void **state)
{
    static const struct {
        const char *before, *after, *says;
    } cases[] = {
        {BASE, BASE, NULL},
        {BASE, BASE ", check_every: 6h", NULL}, /* the default, written */
        {BASE, "rotate_every: 20d, overlap: 10d, splay: 4d, overdue_after: 4d",
         "rotate_every 20d instead of 40d"},
        {"max_key_age: 90d", "max_key_age: 45d",
         "max_key_age 45d instead of 90d, rotate_every 20d instead of 40d, overlap 5d instead of "
         "10d, splay 2d instead of 4d, overdue_after 2d instead of 4d"},
        {"max_key_age: 90d", BASE, "max_key_age none instead of 90d"},
        {BASE, "max_key_age: 90d", "max_key_age 90d instead of none"},
        {BASE, BASE ", check_every: 1h", "check_every 1h instead of 6h"},
        {BASE, BASE ", verify: required", "verify required instead of auto"},
        {BASE ", on_drift: alert", BASE, "on_drift redeliver instead of alert"},
        {BASE, BASE ", rotate: false", "rotate false instead of true"},
        {OPEN, OPEN ", window: {from: '22:00', to: '04:00'}", "a window"},
        {OPEN ", window: {from: '22:00', to: '04:00'}", OPEN, "no window any more"},
        {OPEN ", window: {from: '22:00', to: '04:00'}",
         OPEN ", window: {from: '22:00', to: '05:00'}", "another window"},
        {OPEN ", window: {from: '22:00', to: '04:00'}",
         OPEN ", window: {from: '22:00', to: '04:00', time_zone: Europe/Berlin}", "another window"},
        {OPEN ", window: {days: [Sat], from: '22:00', to: '04:00'}",
         OPEN ", window: {days: [Sun], from: '22:00', to: '04:00'}", "another window"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char before[256], after[256], line[512] = "";

        (void)snprintf(before, sizeof(before), "p: {%s}", cases[i].before);
        (void)snprintf(after, sizeof(after), "p: {%s}", cases[i].after);
        if (cases[i].says)
            (void)snprintf(line, sizeof(line), "policy p: would have %s\n", cases[i].says);
        expect(&(const struct site){.policies = before}, &(const struct site){.policies = after},
               line);
    }
}

static void test_freezes(void **state)
{
    const struct site without = {.policies = "p: {" BASE "}"};
    const struct site with = {.policies = "p: {" BASE "}",
                              .more = "freeze: [{from: 2999-12-19, to: 2999-12-24}]\n"};

    (void)state;
    expect(&without, &with, "policy p: would have other freezes\n");
    expect(&with, &with, "");
}

#define TWO "p: {" BASE "}, q: {" BASE "}"

static void test_accounts(void **state)
{
    const struct site both_p = {.policies = TWO, .a = ", policy: p", .b = ", policy: q"};
    const struct site swapped = {.policies = TWO, .a = ", policy: q", .b = ", policy: p"};
    const struct site off = {
        .policies = TWO, .a = ", policy: p, rotate: false", .b = ", policy: q"};

    (void)state;
    expect(&both_p, &swapped,
           "rg/aaa: would have policy q instead of p\nrg/bbb: would have policy p instead of q\n");
    expect(&both_p, &off, "rg/aaa: would have rotate false instead of true\n");
    expect(&off, &both_p, "rg/aaa: would have rotate true instead of false\n");
}

/* What all accounts of a policy have is said once. */
static void test_rotate_of_a_policy_is_said_once(void **state)
{
    (void)state;
    expect(&(const struct site){.policies = "p: {" BASE "}"},
           &(const struct site){.policies = "p: {" BASE ", rotate: false}"},
           "policy p: would have rotate false instead of true\n");
    expect(&(const struct site){.policies = "p: {" BASE "}"},
           &(const struct site){.policies = "p: {" BASE ", rotate: false}", .a = ", rotate: true"},
           "policy p: would have rotate false instead of true\n");
}

/* A policy under a new name is another one. */
static void test_a_new_name(void **state)
{
    (void)state;
    expect(&(const struct site){.policies = "p: {" BASE "}"},
           &(const struct site){.policies = "q: {rotate_every: 20d}"},
           "rg/aaa: would have policy q instead of p\nrg/bbb: would have policy q instead of p\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_of_a_policy),
        cmocka_unit_test(test_freezes),
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_rotate_of_a_policy_is_said_once),
        cmocka_unit_test(test_a_new_name),
    };

    return cmocka_run_group_tests_name("policy_change", tests, config_fixture_enter,
                                       config_fixture_leave);
}
