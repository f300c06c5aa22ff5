/* `notify` in the configuration: its mistakes, each with its place and whole sentence, and who is
 * told of what. */
#include "conf/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "conf/notifier.h"
#include "conf/target_type.h"
#include "config_fixture.h"

#define OWN                                                                                        \
    "targets: {f: {type: file, path: '/f/{account}'}, s: {type: socket, path: /run/s}, e: {type: " \
    "exec, command: [/bin/true, -v]}, w: {type: webhook, url: 'https://h/x', secret_file: x}"
#define TOLD OWN "}"
#define TARGETS                                                                                    \
    OWN ", each: {type: exec, command: [/bin/tell, '{account}']}, "                                \
        "place: {type: webhook, url: 'https://{location}.h', secret_file: x}}"

static struct config *load(const char *targets, const char *notify, const char *messages)
{
    char more[1024], text[8192];
    const struct config_lines lines = {.targets = targets, .more = more};

    (void)snprintf(more, sizeof(more), "defaults: {deliver_to: f}\nnotify: %s\n", notify);
    config_fixture_compose(&lines, text, sizeof(text));
    return config_fixture_expect(text, messages);
}

static const struct {
    const char *notify;
    const char *expected; /* all messages about it */
} mistakes[] = {
    {"s",
     "k.yaml:7:9: notify: is a single value; give a mapping of keys (target, events, ahead) to "
     "values\n"},
    {"{target: x}",
     "k.yaml:7:18: notify.target: unknown target \"x\"; targets holds: f, s, e, w, each, place\n"},
    {"{target: f}",
     "k.yaml:7:18: notify.target: target f gets keys; name one of type webhook, exec or socket\n"},
    {"{target: each}",
     "k.yaml:7:18: notify.target: target each has placeholders of an account, and one notification "
     "is sent for any account; name a target without\n"},
    {"{target: place}",
     "k.yaml:7:18: notify.target: target place has placeholders of an account, and one "
     "notification is sent for any account; name a target without\n"},
    {"{target: s, events: [bloked]}",
     "k.yaml:7:30: notify.events[0]: unknown value \"bloked\"; did you mean blocked?\n"},
    {"{target: s, events: []}",
     "k.yaml:7:29: notify.events: is empty; name one or more events, or leave it out for blocked, "
     "overdue, at_risk and recovered\n"},
    {"{target: s, ahead: 31d}", "k.yaml:7:28: notify.ahead: is too long; 30d is the most\n"},
    {"{target: s, ahed: 1d}", "k.yaml:7:21: notify.ahed: unknown key; did you mean ahead?\n"},
    {"[{target: s}, {target: e}, {target: s, events: completed}]",
     "k.yaml:7:45: notify[2].target: s stands twice; keep one, with all its events\n"},
    {"[{target: s}, {events: completed}]",
     "k.yaml:7:23: notify[1].target: is missing; give a text\n"},
};

static void each_mistake(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
        assert_null(load(TARGETS, mistakes[i].notify, mistakes[i].expected));
}

static void who_is_told_of_what(void **state)
{
    static const struct {
        const char *name, *type, *place;
        unsigned events;
        duration_ms ahead;
    } expected[] = {
        {"w", "webhook", "https://h/x",
         NOTIFY_BLOCKED | NOTIFY_OVERDUE | NOTIFY_AT_RISK | NOTIFY_RECOVERED, MS_DAY},
        {"s", "socket", "/run/s", NOTIFY_UPCOMING, 36 * MS_HOUR},
        {"e", "exec", "/bin/true -v", NOTIFY_COMPLETED | NOTIFY_BLOCKED, MS_DAY},
    };
    struct config *config = load(TOLD,
                                 "[{target: w}, {target: s, events: upcoming, ahead: 36h}, "
                                 "{target: e, events: [completed, blocked, completed]}]",
                                 "");

    (void)state;
    assert_int_equal(config->notifier_count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < config->notifier_count; i++) {
        const struct notifier *notifier = &config->notifiers[i];

        assert_string_equal(notifier->destination.name, expected[i].name);
        assert_string_equal(notifier->destination.type->variant.name, expected[i].type);
        assert_string_equal(notifier->destination.place, expected[i].place);
        assert_int_equal(notifier->events, expected[i].events);
        assert_int_equal(notifier->ahead, expected[i].ahead);
        assert_null(notifier->destination.after);
    }
    config_unref(config);
    config = load(TOLD, "[]",
                  "k.yaml:4:50: targets.s: warning: is used by no account\n"
                  "k.yaml:4:83: targets.e: warning: is used by no account\n"
                  "k.yaml:4:126: targets.w: warning: is used by no account\n");
    assert_int_equal(config->notifier_count, 0);
    config_unref(config);
}

/* One mistake in it is one message, also where the target has mistakes of its own. */
static void a_target_with_mistakes_is_reported_once(void **state)
{
    const struct config_lines lines = {
        .targets =
            "targets: {s: {type: socket, path: x}, file: {type: file, path: '/k/{account}'}}",
        .more = "defaults: {deliver_to: file}\nnotify: {target: s}\n",
    };
    char text[8192];

    (void)state;
    config_fixture_compose(&lines, text, sizeof(text));
    assert_null(config_fixture_expect(
        text, "k.yaml:4:35: targets.s.path: \"x\" is not an absolute path; begin it with '/'\n"));
}

static void too_many(void **state)
{
    char targets[2048] = "targets: {file: {type: file, path: '/k/{account}'}", text[8192];
    char more[1024] = "defaults: {deliver_to: file}\nnotify: [";
    const struct config_lines lines = {.targets = targets, .more = more};

    (void)state;
    for (int i = 0; i <= NOTIFIERS_MAX; i++) {
        char one[64];

        (void)snprintf(one, sizeof(one), ", t%d: {type: socket, path: /run/t%d}", i, i);
        strcat(targets, one);
        (void)snprintf(one, sizeof(one), "%s{target: t%d}", i > 0 ? ", " : "", i);
        strcat(more, one);
    }
    strcat(targets, "}");
    strcat(more, "]\n");
    config_fixture_compose(&lines, text, sizeof(text));
    assert_null(
        config_fixture_expect(text, "k.yaml:7:122: notify[8]: is one too many; 8 are the most\n"));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)
    const struct CMUnitTest tests[] = {
        TEST(each_mistake),
        TEST(who_is_told_of_what),
        TEST(a_target_with_mistakes_is_reported_once),
        TEST(too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
