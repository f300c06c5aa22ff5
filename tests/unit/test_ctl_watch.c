#include "ctl/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROW_END "\033[K\n"
#define CUT     "(more below: a larger window, or fewer accounts)\033[K"

/* What has no room is said to be there. Long lines take several rows, by characters. */
static void test_a_picture_has_the_size_of_the_window(void **state)
{
    static const struct {
        const char *text;
        unsigned rows, columns;
        const char *picture;
    } cases[] = {
        {"", 5, 10, ""},
        {"a\nb\n", 2, 10, "a" ROW_END "b" ROW_END},
        {"a\nb\nc\n", 2, 10, "a" ROW_END CUT},
        {"a\nb\nc\n", 1, 10, CUT},
        {"a", 1, 10, "a" ROW_END},
        {"12345678901\nb\n", 3, 10, "12345678901" ROW_END "b" ROW_END},
        {"12345678901\nb\n", 2, 10, CUT},
        {"1234567890\nb\n", 2, 10, "1234567890" ROW_END "b" ROW_END},
        {"\xc3\xbc\xc3\xbc\xc3\xbc\nb\n", 2, 3, "\xc3\xbc\xc3\xbc\xc3\xbc" ROW_END "b" ROW_END},
        {"a\n\nb\n", 3, 10, "a" ROW_END ROW_END "b" ROW_END},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out;

        buf_init(&out, 1024);
        ctl_watch_fit(&out, cases[i].text, cases[i].rows, cases[i].columns);
        assert_string_equal(buf_str(&out), cases[i].picture);
        buf_done(&out);
    }
}

/* Each of these is something that an operator wants to be told, or is not. */
static void test_what_is_a_change(void **state)
{
    const struct target_snapshot targets[] = {{.name = "file", .satisfied = true}};
    const struct target_snapshot lacking[] = {{.name = "file", .satisfied = false}};
    const struct account_snapshot first = {.id = "/s/acct1",
                                           .name = "acct1",
                                           .state = "ok",
                                           .active = "primary",
                                           .cycle = 3,
                                           .failure.at = TIME_NEVER,
                                           .targets = targets,
                                           .target_count = 1};
    struct account_snapshot account = first;
    struct control_status status = {.accounts = &account, .account_count = 1};
    const uint64_t before = ctl_status_change(&status);

    (void)state;
    status.daemon.now += MS_HOUR;
    account.next_at += MS_HOUR;
    account.looked_at += MS_HOUR;
    account.phase = "check_look";
    assert_true(ctl_status_change(&status) == before);
#define CHANGES(change)                                                                            \
    do {                                                                                           \
        account = first;                                                                           \
        status.daemon = (struct daemon_snapshot){0};                                               \
        change;                                                                                    \
        assert_true(ctl_status_change(&status) != before);                                         \
    } while (0)
    CHANGES(account.id = "/s/acct2");
    CHANGES(account.state = "held");
    CHANGES(account.reason = "network");
    CHANGES(account.active = "secondary");
    CHANGES(account.active = NULL);
    CHANGES(account.cycle = 4);
    CHANGES(account.completed_at = 1);
    CHANGES(account.rotating = true);
    CHANGES(account.targets = lacking);
    CHANGES(status.account_count = 0);
    CHANGES(status.daemon.started_at = 1);
    CHANGES(status.daemon.config_loaded_at = 1);
    CHANGES(status.daemon.config_error = "wrong");
    CHANGES(status.daemon.journal_failing_since = 1);
    CHANGES(status.daemon.selected = 1);
#undef CHANGES
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_picture_has_the_size_of_the_window),
        cmocka_unit_test(test_what_is_a_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
