#include "ctl/options.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1795348800000 /* 2026-11-22T12:00:00Z */

enum { ARGUMENTS_MAX = 16 };

/* Splits at blanks; "_" stands for a blank inside an argument. What is printed is dropped. */
static enum ctl_exit parse(const char *line, struct ctl_options *options)
{
    static char words[512];
    static char *arguments[ARGUMENTS_MAX + 1];
    const int saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO);
    const int null = open("/dev/null", O_WRONLY);
    enum ctl_exit result;
    int count = 0;
    char *rest = NULL;

    snprintf(words, sizeof(words), "keyrotatectl %s", line);
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        for (char *c = word; *c != '\0'; c++)
            *c = *c == '_' ? ' ' : *c;
        arguments[count++] = word;
    }
    arguments[count] = NULL;
    fflush(NULL);
    assert_true(dup2(null, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0);
    result = ctl_options_parse(count, arguments, NOW, options);
    fflush(NULL);
    assert_true(dup2(saved_out, STDOUT_FILENO) >= 0 && dup2(saved_err, STDERR_FILENO) >= 0);
    close(saved_out);
    close(saved_err);
    close(null);
    return result;
}

static void test_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "--json",
        "frobnicate",
        "statsu",
        "plan --until soon",
        "plan --until 0s",
        "plan --until 2020-01-01",
        "plan --all",
        "plan --ics --json",
        "plan --calendar --ics",
        "status --calendar",
        "doctor",
        "identify c2VjcmV0",
        "identify --scan",
        "identify --all",
        "status --scan .",
        "revoke acct --leaked primary --yes",
        "history --csv --json",
        "history --all",
        "history --verify --failed",
        "history --verify --csv",
        "history a --verify --since 1d",
        "history --verify --until 1d",
        "plan --verify",
        "history --since soon",
        "history --since 0s",
        "history --for 7d",
        "history --since 1d --until 2d",
        "history --since 2026-11-20T00:00:00Z --until 2026-11-20T00:00:00Z",
        "plan --since 1d",
        "plan --failed",
        "status --csv",
        "status --wait",
        "status acct --all",
        "status rg/* acct --all",
        "rotate rg/* --all",
        "status --state",
        "plan --watch",
        "status --watch=2",
        "status --state ok --state held",
        "status --policy a --policy b",
        "plan --state ok",
        "rotate a --policy p",
        "help a b",
        "config",
        "config show",
        "config alpha",
        "config show a b",
        "config show a --all",
        "help frobnicate --all",
        "status --bogus",
        "ping acct",
        "ping --all",
        "rotate",
        "rotate --all",
        "rotate acct --active primary",
        "rotate acct --timeout 1h",
        "rotate acct --wait --timeout 0s",
        "rotate acct --wait --timeout soon",
        "reload --timeout 1h",
        "redeliver acct --target",
        "adopt acct",
        "adopt acct other --active primary",
        "adopt acct --active both",
        "hold acct --for 1h",
        "hold acct --reason r",
        "hold --for 1h --reason r",
        "hold acct --for 1h --until 2027-01-01 --reason r",
        "hold acct --for 0s --reason r",
        "hold acct --for soon --reason r",
        "hold acct --until 2020-01-01 --reason r",
        "hold acct --until tomorrow --reason r",
        "resume",
        "resume --hold 0",
        "resume --hold x",
        "resume --hold 1 --hold 2",
        "resume acct --hold 1",
        "resume --all --hold 1",
        "hold --list acct",
        "hold --list --all",
        "hold --list --for 1h",
        "adopt --active primary",
        "adopt acct --file f",
        "adopt --file f --active primary",
        "adopt --rule r --active primary",
        "adopt acct --rule r",
        "confirm",
        "confirm --all",
        "unblock",
        "unblock --all",
        "check",
        "reload acct",
        "log-level debug info",
        "log-level debug --for 0s",
        "log-level debug --until 2020-01-01",
        "log-level debug --all",
        "log_level debug",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct ctl_options options;

        if (parse(lines[i], &options) != CTL_USAGE || options.command)
            fail_msg("accepted: %s", lines[i]);
    }
}

static void test_accepted(void **state)
{
    static const struct {
        const char *line;
        const char *command; /* NULL: answered already */
        size_t accounts;
    } cases[] = {
        {"status", "status", 0},
        {"status a b/c", "status", 2},
        {"status rg/* --all --state held --policy p", "status", 1},
        {"status --watch a", "status", 1},
        {"status --json --watch --all", "status", 0},
        {"config show a --json", "config", 1},
        {"help", "help", 0},
        {"help rotate", "help", 1},
        {"--json --socket /s status --all", "status", 0},
        {"status --json --socket=/s", "status", 0},
        {"rotate --wait a --dry-run b", "rotate", 2},
        {"rotate a --wait --timeout 90s", "rotate", 1},
        {"redeliver a --target file", "redeliver", 1},
        {"adopt a --active SECONDARY --yes", "adopt", 1},
        {"hold --all --for 2w --reason holidays", "hold", 0},
        {"hold a --until 2027-01-01_12:00 --reason r", "hold", 1},
        {"resume a", "resume", 1},
        {"resume --all", "resume", 0},
        {"adopt --file f --yes", "adopt", 0},
        {"adopt --rule r --yes", "adopt", 0},
        {"confirm a b", "confirm", 2},
        {"resume --hold 3", "resume", 0},
        {"hold --list --json", "hold", 0},
        {"unblock a b", "unblock", 2},
        {"check --all", "check", 0},
        {"reload", "reload", 0},
        {"log-level debug --for 10m", "log-level", 1},
        {"log-level configured", "log-level", 1},
        {"ping", "ping", 0},
        {"identify", "identify", 0},
        {"identify --scan /etc /srv --json", "identify", 2},
        {"history", "history", 0},
        {"history a --verify --json", "history", 1},
        {"--json history a b/c --failed --since 2w --until 1d", "history", 2},
        {"history --csv --since 2026-11-01 --until 2030-01-01T00:00:00Z", "history", 0},
        {"--help", NULL, 0},
        {"status --version", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ctl_options options;

        if (parse(cases[i].line, &options) != CTL_DONE)
            fail_msg("refused: %s", cases[i].line);
        assert_int_equal(!!options.command, !!cases[i].command);
        if (!options.command)
            continue;
        assert_string_equal(options.command->name, cases[i].command);
        assert_int_equal(options.account_count, cases[i].accounts);
    }
}

static void test_values(void **state)
{
    struct ctl_options options;

    (void)state;
    assert_int_equal(parse("hold --json a --for 1h30m --reason the_move b --socket /x", &options),
                     CTL_DONE);
    assert_true(options.json);
    assert_string_equal(options.socket, "/x");
    assert_string_equal(options.request.reason, "the move");
    assert_true(options.request.until == NOW + 90 * MS_MINUTE);
    assert_string_equal(options.accounts[0], "a");
    assert_string_equal(options.accounts[1], "b");
    assert_int_equal(parse("adopt a --active Primary", &options), CTL_DONE);
    assert_string_equal(options.request.active, "primary");
    assert_false(options.yes);
    assert_int_equal(options.request.hold, 0);
    assert_int_equal(parse("resume --hold 3", &options), CTL_DONE);
    assert_int_equal(options.request.hold, 3);
    assert_int_equal(parse("rotate a --wait", &options), CTL_DONE);
    assert_true(options.timeout == 10 * MS_MINUTE);
    assert_int_equal(parse("rotate a --wait --timeout 90s", &options), CTL_DONE);
    assert_true(options.timeout == 90 * MS_SECOND);
    assert_int_equal(parse("history a --since 7d --until 12h", &options), CTL_DONE);
    assert_true(options.since == NOW - 7 * MS_DAY && options.request.until == NOW - 12 * MS_HOUR);
    assert_false(options.failed);
    assert_int_equal(parse("history --failed --since 2026-11-20T00:00:00Z", &options), CTL_DONE);
    assert_true(options.since == NOW - 60 * MS_HOUR && options.request.until == TIME_NEVER);
    assert_true(options.failed);
    assert_int_equal(parse("plan --until 12h", &options), CTL_DONE);
    assert_true(options.request.until == NOW + 12 * MS_HOUR);
}

static void test_instants(void **state)
{
    time_ms at;

    (void)state;
    setenv("TZ", "UTC-2", 1); /* two hours ahead, by POSIX's sign */
    tzset();
    assert_true(ctl_parse_instant("2026-11-22T12:00:00Z", &at));
    assert_true(at == NOW);
    assert_true(ctl_parse_instant("2026-11-22 14:00", &at));
    assert_true(at == NOW);
    assert_true(ctl_parse_instant("2026-11-22T14:00", &at));
    assert_true(at == NOW);
    assert_true(ctl_parse_instant("2026-11-22", &at));
    assert_true(at == NOW - 14 * MS_HOUR);
    assert_false(ctl_parse_instant("2026-11-22 14", &at));
    assert_false(ctl_parse_instant("2026-13-22", &at));
    assert_false(ctl_parse_instant("", &at));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_instants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
