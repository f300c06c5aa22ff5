#include "ctl/status_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1795348800000 /* 2026-11-22T12:00:00Z */

static const struct target_snapshot file_target = {
    .name = "file",
    .destination = "file /var/lib/keyrotated-keys/sampleacct",
    .required = true,
    .satisfied = false,
    .holds = "the secondary key",
    .delivered_at = NOW - 40 * MS_DAY,
    .reason = "target_failed",
    .failing_since = NOW - 3 * MS_HOUR,
    .retry_at = NOW + 5 * MS_MINUTE,
    .dead_since = NOW - 2 * MS_HOUR,
};

static const struct account_snapshot blocked = {
    .id =
        "/subscriptions/s/resourceGroups/batch/providers/Microsoft.Batch/batchAccounts/sampleacct",
    .name = "sampleacct",
    .resource_group = "batch",
    .location = "japaneast",
    .identity = "vm",
    .policy = "standard",
    .pair = "kerb",
    .active = "primary",
    .keys = {{.fingerprint = "1a2b", .born = NOW - 41 * MS_DAY, .older = true},
             {.fingerprint = "3c4d", .born = NOW - 2 * MS_DAY}},
    .state = "blocked",
    .reason = "targets_disagree",
    .meaning = "the targets hold different keys",
    .remedy = "keyrotatectl adopt sampleacct --active primary|secondary",
    .overdue = true,
    .consumers_at_risk = true,
    .since = NOW - 3 * MS_HOUR,
    .next_at = TIME_NEVER,
    .retry_at = TIME_NEVER,
    .due_since = NOW - MS_DAY,
    .waits = "the targets hold different keys",
    .phase = "adopt_wait",
    .cycle = 7,
    .started_at = TIME_NEVER,
    .completed_at = NOW - 2 * MS_DAY,
    .looked_at = NOW - 2 * MS_MINUTE,
    .failure = {.at = NOW - MS_HOUR,
                .text = "no \x1b[31mred\x07",
                .http_status = 403,
                .error_code = "AuthorizationFailed",
                .request_id = "req-1"},
    .targets = &file_target,
    .target_count = 1,
};

static const struct account_snapshot well = {
    .id = "/subscriptions/s/resourceGroups/b/providers/Microsoft.Batch/batchAccounts/grün",
    .name = "grün",
    .resource_group = "b",
    .active = "secondary",
    .keys = {{.born = NOW - MS_HOUR}, {.born = TIME_NEVER}},
    .state = "ok",
    .since = TIME_NEVER,
    .next_at = NOW + 3 * MS_DAY,
    .retry_at = TIME_NEVER,
    .due_since = TIME_NEVER,
    .completed_at = TIME_NEVER,
    .looked_at = NOW - 2 * MS_SECOND,
    .as_recorded = true,
    .started_at = TIME_NEVER,
    .failure = {.at = TIME_NEVER},
};

static struct buf text;

static int set_up(void **state)
{
    (void)state;
    buf_init(&text, 65536);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_done(&text);
    return 0;
}

static void test_summary(void **state)
{
    struct daemon_snapshot daemon = {
        .now = NOW,
        .accounts = 312,
        .states = {{"adopting", 0}, {"ok", 309}, {"blocked", 3}},
        .state_count = 3,
        .overdue = 1,
        .consumers_at_risk = 2,
        .oldest_key_born = NOW - 41 * MS_DAY,
        .next_at = NOW + 3 * MS_HOUR,
        .next_account = "sampleacct",
        .journal_failing_since = TIME_NEVER,
    };

    (void)state;
    ctl_write_summary(&text, &daemon, "/run/other.sock");
    assert_string_equal(buf_str(&text),
                        "312 accounts: 309 ok, 3 blocked; 1 overdue; 2 with CONSUMERS AT RISK; "
                        "oldest key 41d; next rotation in 3h (sampleacct)\n");

    buf_clear(&text);
    daemon = (struct daemon_snapshot){.now = NOW,
                                      .accounts = 1,
                                      .oldest_key_born = TIME_NEVER,
                                      .next_at = TIME_NEVER,
                                      .journal_failing_since = NOW - MS_MINUTE,
                                      .journal_error = "disk full",
                                      .log_level = "debug",
                                      .log_level_configured = "info",
                                      .log_level_until = NOW + MS_MINUTE,
                                      .log_level_actor = "uid 0 (root)",
                                      .config_error = "a.yaml:3:1: x: wrong\nmore"};
    ctl_write_summary(&text, &daemon, "/run/other.sock");
    assert_string_equal(
        buf_str(&text),
        "1 account\n"
        "THE JOURNAL CANNOT BE WRITTEN since 2026-11-22T11:59:00Z (1m ago): disk "
        "full\n"
        "log level debug until 2026-11-22T12:01:00Z (in 1m), by uid 0 (root); then info\n"
        "The last reload was refused, the configuration before it is in force: "
        "a.yaml:3:1: x: wrong?more\n"
        "    do: correct it, then: `keyrotatectl --socket /run/other.sock reload`\n");
}

static void test_problem(void **state)
{
    (void)state;
    ctl_write_problem(&text, &blocked, NOW);
    assert_string_equal(buf_str(&text),
                        "batch/sampleacct: CONSUMERS AT RISK, blocked: targets_disagree, overdue, "
                        "for 3h\n"
                        "    file /var/lib/keyrotated-keys/sampleacct holds a dead key: programs "
                        "that use it fail, for 2h\n"
                        "    the targets hold different keys\n"
                        "    last failure, 1h ago: no ?[31mred?\n"
                        "    rotation due since 2026-11-21T12:00:00Z (1d ago)\n"
                        "    do: keyrotatectl adopt sampleacct --active primary|secondary\n");
}

static void test_problems_of_one_cause_are_told_together(void **state)
{
    enum { COUNT = 300 };
    static struct account_snapshot accounts[COUNT + 3];
    static char names[COUNT][16], texts[COUNT][64];
    struct control_status status = {.accounts = accounts, .account_count = COUNT + 3};

    (void)state;
    status.daemon.now = NOW;
    accounts[0] = well;
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof(names[i]), "a%d", i);
        snprintf(texts[i], sizeof(texts[i]), "a%d: invalid secret (trace %d)", i, i * 7);
        accounts[i + 1] = blocked;
        accounts[i + 1].name = names[i];
        accounts[i + 1].state = "retrying";
        accounts[i + 1].reason = "token_failed";
        accounts[i + 1].meaning = "the identity could not get an access token";
        accounts[i + 1].remedy = "check the secret";
        accounts[i + 1].target_count = 0;
        accounts[i + 1].overdue = accounts[i + 1].consumers_at_risk = false;
        accounts[i + 1].since = NOW - (i + 1) * MS_MINUTE;
        accounts[i + 1].retry_at = NOW + (COUNT - i) * MS_MINUTE;
        accounts[i + 1].failure.text = texts[i];
        accounts[i + 1].failure.http_status = 401;
    }
    accounts[COUNT + 1] = accounts[1]; /* one for another cause */
    accounts[COUNT + 1].failure.http_status = 403;
    accounts[COUNT + 2] = blocked;
    ctl_write_problems(&text, &status);
    assert_string_equal(buf_str(&text),
                        "\nbatch/sampleacct: CONSUMERS AT RISK, blocked: targets_disagree, "
                        "overdue, for 3h\n"
                        "    file /var/lib/keyrotated-keys/sampleacct holds a dead key: programs "
                        "that use it fail, for 2h\n"
                        "    the targets hold different keys\n"
                        "    last failure, 1h ago: no ?[31mred?\n"
                        "    rotation due since 2026-11-21T12:00:00Z (1d ago)\n"
                        "    do: keyrotatectl adopt sampleacct --active primary|secondary\n"
                        "\n300 accounts: batch/a0, batch/a1, batch/a2, batch/a3, batch/a4 and 295 "
                        "more: retrying: token_failed, for 5h\n"
                        "    the identity could not get an access token\n"
                        "    last failure, 1h ago: a0: invalid secret (trace 0)\n"
                        "    next try in 1m\n"
                        "    do: check the secret\n"
                        "\nbatch/a0: retrying: token_failed, for 1m\n"
                        "    the identity could not get an access token\n"
                        "    last failure, 1h ago: a0: invalid secret (trace 0)\n"
                        "    next try in 5h\n"
                        "    do: check the secret\n");
}

static void test_held_account(void **state)
{
    static const struct hold_snapshot holds[] = {
        {.id = 3, .actor = "uid 0 (root)", .until = NOW + 2 * MS_DAY, .reason = "moving house"},
        {.id = 9, .account = "/a", .until = NOW + MS_DAY, .since = TIME_NEVER},
    };
    struct account_snapshot held = well;

    (void)state;
    held.state = "held";
    held.reason = "operator";
    held.holds = holds;
    held.hold_count = 2;
    ctl_write_problem(&text, &held, NOW);
    assert_string_equal(buf_str(&text),
                        "b/grün: held: operator\n"
                        "    held until 2026-11-24T12:00:00Z (in 2d): moving house"
                        " (hold 3 of all accounts, by uid 0 (root))\n"
                        "    held until 2026-11-23T12:00:00Z (in 1d): no reason was given"
                        " (hold 9, by somebody unknown)\n");
}

static void test_hold_as_it_is_listed(void **state)
{
    struct hold_snapshot hold = {.id = 3,
                                 .configured = true,
                                 .actor = "uid 0 (root)",
                                 .since = NOW - MS_HOUR,
                                 .until = NOW + 2 * MS_DAY,
                                 .reason = "moving\thouse"};

    (void)state;
    ctl_write_hold(&text, &hold, NOW);
    assert_string_equal(buf_str(&text),
                        "hold 3 of all accounts, by uid 0 (root) since 2026-11-22T11:00:00Z (1h "
                        "ago), until 2026-11-24T12:00:00Z (in 2d): moving?house\n");
    buf_clear(&text);
    hold = (struct hold_snapshot){
        .id = 4,
        .account =
            "/subscriptions/s/resourceGroups/Group/providers/Microsoft.Batch/batchAccounts/acct",
        .since = TIME_NEVER,
        .until = TIME_NEVER};
    ctl_write_hold(&text, &hold, NOW);
    assert_string_equal(buf_str(&text),
                        "hold 4 of Group/acct (not configured), by somebody "
                        "unknown, until resumed: no reason was given\n");
}

static void test_table_is_aligned(void **state)
{
    struct account_snapshot accounts[] = {blocked, well};
    const struct control_status status = {
        .daemon = {.now = NOW}, .accounts = accounts, .account_count = 2};

    (void)state;
    ctl_write_table(&text, &status);
    assert_string_equal(buf_str(&text),
                        "ACCOUNT           TYPE   ACTIVE     PRIMARY  SECONDARY  STATE"
                        "                                                  NEXT ROTATION\n"
                        "batch/sampleacct  batch  primary    41d+     2d         "
                        "CONSUMERS AT RISK, blocked: targets_disagree, overdue  due since 1d\n"
                        "b/grün            batch  secondary  1h       -          ok"
                        "                                                     in 3d\n");
}

/* A long type gives way, so that the table of accounts that are well has 100 columns at most. */
static void test_table_shortens_types(void **state)
{
    struct account_snapshot accounts[] = {well, well};
    const struct control_status status = {
        .daemon = {.now = NOW}, .accounts = accounts, .account_count = 2};

    (void)state;
    accounts[0].id =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.EventGrid/namespaces/n"
        "/topics/t";
    accounts[0].name = "n-t";
    accounts[1].id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Unheard/of/x";
    accounts[1].name = "x";
    ctl_write_table(&text, &status);
    assert_non_null(strstr(buf_str(&text), "b/n-t    event_grid_namespace_topic  secondary  1h "));
    assert_non_null(strstr(buf_str(&text), "b/x      -                           secondary  1h "));
    buf_clear(&text);
    accounts[0].resource_group = "messages-of-the-north";
    accounts[0].name = "orders-topics";
    ctl_write_table(&text, &status);
    assert_int_equal(strcspn(buf_str(&text), "\n"), 100); /* of the head */
    assert_non_null(strstr(buf_str(&text), "orders-topics  event_gri…  secondary  1h "));
}

static void test_everything_about_an_account(void **state)
{
    (void)state;
    ctl_write_account(&text, &blocked, NOW);
    assert_string_equal(
        buf_str(&text),
        "batch/sampleacct\n"
        "  state          CONSUMERS AT RISK, blocked: targets_disagree, overdue\n"
        "                 file /var/lib/keyrotated-keys/sampleacct holds a dead key: programs that "
        "use it fail, for 2h\n"
        "                 the targets hold different keys\n"
        "  do:            keyrotatectl adopt sampleacct --active primary|secondary\n"
        "  since          2026-11-22T09:00:00Z (3h ago)\n"
        "  last look      2026-11-22T11:58:00Z (2m ago)\n"
        "  active slot    primary\n"
        "  primary key    at least 41d old, fingerprint 1a2b\n"
        "  secondary key  2d old, fingerprint 3c4d\n"
        "  next rotation  due since 2026-11-21T12:00:00Z (1d ago); waits: the targets hold "
        "different keys\n"
        "  cycle          7\n"
        "  completed      2026-11-20T12:00:00Z (2d ago)\n"
        "  target         file, required: file /var/lib/keyrotated-keys/sampleacct\n"
        "                 LACKS THE KEY; last delivery 2026-10-13T12:00:00Z (40d ago); holds the "
        "secondary key\n"
        "                 target_failed for 3h, next try in 5m\n"
        "  last failure   2026-11-22T11:00:00Z (1h ago)\n"
        "                 no ?[31mred?\n"
        "                 HTTP 403 AuthorizationFailed\n"
        "    request      req-1\n"
        "  identity       vm\n"
        "  policy         standard\n"
        "  location       japaneast\n"
        "  resource       "
        "/subscriptions/s/resourceGroups/batch/providers/Microsoft.Batch/batchAccounts/"
        "sampleacct\n"
        "  pair of keys   kerb\n");
}

static void test_last_look(void **state)
{
    struct account_snapshot account = well;

    (void)state;
    ctl_write_account(&text, &account, NOW);
    assert_non_null(
        strstr(buf_str(&text),
               "\n  last look      2026-11-22T11:59:58Z (2s ago): everything as expected\n"));
    buf_clear(&text);
    account.looked_at = TIME_NEVER;
    ctl_write_account(&text, &account, NOW);
    assert_null(strstr(buf_str(&text), "last look"));
}

static void assert_target(const struct target_snapshot *target, time_ms account_retry_at,
                          const char *expected)
{
    struct account_snapshot account = well;

    account.targets = target;
    account.target_count = 1;
    account.retry_at = account_retry_at;
    buf_clear(&text);
    ctl_write_account(&text, &account, NOW);
    if (!strstr(buf_str(&text), expected))
        fail_msg("%s", buf_str(&text));
}

/* What is told of keys holds none, and nobody knows what a program has done with one. */
static void test_targets_that_hold_no_key_to_be_read(void **state)
{
    struct target_snapshot target = {.name = "t",
                                     .destination = "exec /x",
                                     .required = true,
                                     .satisfied = true,
                                     .holds = "the primary key",
                                     .gets = "key_unread",
                                     .delivered_at = NOW - MS_HOUR,
                                     .failing_since = TIME_NEVER,
                                     .retry_at = TIME_NEVER,
                                     .dead_since = TIME_NEVER};

    (void)state;
    assert_target(&target, TIME_NEVER,
                  "exec /x\n                 was given the key, 2026-11-22T11:00:00Z (1h ago); it "
                  "was the primary key\n");
    target.satisfied = false;
    assert_target(&target, TIME_NEVER,
                  "WAS NOT GIVEN THE KEY; last delivery 2026-11-22T11:00:00Z (1h ago); it was");
    target.dead_since = NOW - MS_MINUTE;
    assert_target(&target, TIME_NEVER,
                  "exec /x was given a key that is dead: programs that use it fail, for 1m\n");
    target.gets = "notice";
    target.holds = NULL;
    assert_target(&target, TIME_NEVER,
                  " WAS NOT TOLD OF THE KEY; last told 2026-11-22T11:00:00Z (1h ago)\n");
    assert_target(&target, TIME_NEVER,
                  "exec /x was told of a key that is dead: programs that use it fail, for 1m\n");
    target.dead_since = TIME_NEVER;
    target.satisfied = true;
    assert_target(&target, TIME_NEVER, " was told of the key, 2026-11-22T11:00:00Z (1h ago)\n");
}

/* The summary and the account's own view agree on when that is. */
static void test_next_try_is_never_in_the_past(void **state)
{
    struct target_snapshot target = file_target;
    struct account_snapshot account = blocked;

    (void)state;
    target.retry_at = NOW - MS_SECOND;
    assert_target(&target, NOW + 6 * MS_SECOND, "target_failed for 3h, next try in 6s\n");
    assert_target(&target, TIME_NEVER, "target_failed for 3h, next try now\n");
    assert_target(&target, NOW - MS_SECOND, "\n  next try       now\n");
    account.retry_at = NOW - MS_SECOND;
    buf_clear(&text);
    ctl_write_problem(&text, &account, NOW);
    assert_non_null(strstr(buf_str(&text), "    next try now\n"));
}

static void test_http_status_without_a_code(void **state)
{
    struct account_snapshot account = blocked;

    (void)state;
    account.failure.error_code = NULL;
    ctl_write_account(&text, &account, NOW);
    assert_non_null(strstr(buf_str(&text), "\n                 HTTP 403\n"));
}

/* Targets that hold a dead key, and targets that held one when they were last read. */
static void test_dead_keys(void **state)
{
    struct target_snapshot target = file_target;
    struct account_snapshot account = blocked;

    (void)state;
    target.holds = NULL;
    account.targets = &target;
    ctl_write_account(&text, &account, NOW);
    assert_non_null(
        strstr(buf_str(&text),
               "sampleacct cannot be read, and the last key known to be there is dead, for 2h\n"));
}

static void test_watched_accounts_are_not_held(void **state)
{
    const struct daemon_snapshot daemon = {.now = NOW,
                                           .accounts = 4,
                                           .states = {{"ok", 1}, {"held", 3}},
                                           .state_count = 2,
                                           .watched = 2,
                                           .oldest_key_born = TIME_NEVER,
                                           .next_at = TIME_NEVER,
                                           .journal_failing_since = TIME_NEVER};
    struct daemon_snapshot frozen = daemon;

    (void)state;
    ctl_write_summary(&text, &daemon, "/run/other.sock");
    assert_string_equal(buf_str(&text), "4 accounts: 1 ok, 1 held, 2 watched only\n");
    buf_clear(&text);
    frozen.frozen = 1;
    ctl_write_summary(&text, &frozen, "/run/other.sock");
    assert_string_equal(buf_str(&text), "4 accounts: 1 ok, 2 watched only, 1 in a change freeze\n");
}

static void assert_problem(const struct account_snapshot *account, const char *expected)
{
    buf_clear(&text);
    ctl_write_problem(&text, account, NOW);
    assert_string_equal(buf_str(&text), expected);
}

static void assert_next(const struct account_snapshot *account, const char *expected)
{
    buf_clear(&text);
    ctl_write_account(&text, account, NOW);
    assert_non_null(strstr(buf_str(&text), expected));
}

static void test_next_rotation_says_what_it_waits_for(void **state)
{
    struct account_snapshot account = well;

    (void)state;
    assert_next(&account, "  next rotation  2026-11-25T12:00:00Z (in 3d)\n");
    account.next_at = NOW - MS_HOUR;
    account.due_since = NOW - MS_HOUR;
    account.waits = "the account is held";
    assert_next(&account,
                "  next rotation  due since 2026-11-22T11:00:00Z (1h ago); waits: the "
                "account is held\n");
    account.overdue = true;
    assert_problem(&account,
                   "b/grün: ok, overdue\n"
                   "    rotation due since 2026-11-22T11:00:00Z (1h ago); waits: the "
                   "account is held\n");
    account.next_at = NOW + MS_HOUR;
    account.waits = "slow consumers";
    assert_next(&account, "waits: slow consumers; starts 2026-11-22T13:00:00Z (in 1h)\n");
    account.due_since = TIME_NEVER;
    account.overdue = false;
    account.rotation_requested = true;
    assert_next(&account, "  next rotation  asked for; waits: slow consumers; starts ");
    account.rotating = true;
    account.started_at = NOW - MS_MINUTE;
    assert_next(&account, "  next rotation  under way since 2026-11-22T11:59:00Z (1m ago)\n");
    account.regenerating_since = NOW - MS_MINUTE;
    account.regenerating_until = NOW + MS_HOUR;
    assert_next(&account,
                "  regenerating   2026-11-22T11:59:00Z (1m ago)\n"
                "                 Azure may carry it out for a while; until its end is known "
                "nothing else is regenerated\n"
                "  at most until  2026-11-22T13:00:00Z (in 1h)\n");
}

static void test_severity(void **state)
{
    static const struct {
        const char *state;
        const char *reason;
        bool overdue, at_risk;
        enum ctl_exit expected;
    } cases[] = {
        {"ok", NULL, false, false, CTL_DONE},
        {"rotating", NULL, false, false, CTL_DONE},
        {"adopting", NULL, false, false, CTL_DONE},
        {"adopting", "network", false, false, CTL_NOT_DONE},
        {"retrying", "network", false, false, CTL_NOT_DONE},
        {"held", "operator", false, false, CTL_NOT_DONE},
        {"held", "config", false, false, CTL_DONE},
        {"held", "freeze", false, false, CTL_DONE},
        {"held", "freeze", true, false, CTL_REFUSED},
        {"something new", NULL, false, false, CTL_NOT_DONE},
        {"blocked", "key_refused", false, false, CTL_REFUSED},
        {"ok", NULL, true, false, CTL_REFUSED},
        {"rotating", NULL, false, true, CTL_REFUSED},
        {"held", "operator", true, false, CTL_REFUSED},
    };
    struct account_snapshot accounts[2] = {well, well};
    struct control_status status = {
        .daemon = {.journal_failing_since = TIME_NEVER}, .accounts = accounts, .account_count = 2};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        accounts[0].state = cases[i].state;
        accounts[0].reason = cases[i].reason;
        accounts[0].overdue = cases[i].overdue;
        accounts[0].consumers_at_risk = cases[i].at_risk;
        assert_int_equal(ctl_account_severity(&accounts[0]), cases[i].expected);
        assert_int_equal(ctl_status_severity(&status), cases[i].expected);
    }
    status.account_count = 0;
    assert_int_equal(ctl_status_severity(&status), CTL_DONE);
    status.daemon.journal_failing_since = NOW;
    assert_int_equal(ctl_status_severity(&status), CTL_NOT_DONE);
}

static void test_control_characters_are_taken_out(void **state)
{
    (void)state;
    ctl_write(&text, "%s\n",
              "a\x1b]0;x\x07\x7f\n\xc2\x9b"
              "31m\xc3\xbc\xe2\x82\xac");
    assert_string_equal(buf_str(&text), "a?]0;x????31m\xc3\xbc\xe2\x82\xac\n");
    buf_clear(&text);
    ctl_write(&text, "%s", "\xc2");
    assert_string_equal(buf_str(&text), "?");
    buf_clear(&text);
    ctl_write(&text, "%s", ctl_shown(NULL));
    assert_string_equal(buf_str(&text), "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_summary, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_problem, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_problems_of_one_cause_are_told_together, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_held_account, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hold_as_it_is_listed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table_is_aligned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table_shortens_types, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_everything_about_an_account, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_last_look, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dead_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_targets_that_hold_no_key_to_be_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_next_try_is_never_in_the_past, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_http_status_without_a_code, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watched_accounts_are_not_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_next_rotation_says_what_it_waits_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_severity, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_control_characters_are_taken_out, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
