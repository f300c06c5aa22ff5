/* `after` in the configuration: its mistakes, each with its place and whole sentence, and the
 * destinations that it makes. */
#include "conf/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_fixture.h"

#define FILE_TARGET "f: {type: file, path: '/f/{account}', after: "
#define OTHERS                                                                                     \
    ", s: {type: socket, path: /run/s}, e: {type: exec, command: [/bin/true]}, g: {type: file, "   \
    "path: '/g/{account}'}, h: {type: exec, command: [/bin/false], after: {unit: a.service}}"

static const struct {
    const char *after;
    const char *expected; /* all messages */
} mistakes[] = {
    {"{unit: a.service, target: s}",
     "k.yaml:4:56: targets.f.after: must be {unit: NAME.service} or {target: NAME}; give only one "
     "of "
     "them\n"},
    {"[{}]",
     "k.yaml:4:57: targets.f.after[0]: must be {unit: NAME.service} or {target: NAME}; give "
     "one of them\n"},
    {"nginx.service",
     "k.yaml:4:56: targets.f.after: is a single value; give a mapping of keys (unit, "
     "target) to values\n"},
    {"{units: a.service}", "k.yaml:4:57: targets.f.after.units: unknown key; did you mean unit?\n"},
    {"{target: x}",
     "k.yaml:4:65: targets.f.after.target: unknown target \"x\"; targets holds: f, s, "
     "e, g, h\n"},
    {"{target: f}",
     "k.yaml:4:65: targets.f.after.target: a target cannot tell itself; name another one\n"},
    {"{target: g}",
     "k.yaml:4:65: targets.f.after.target: target g gets keys; name one of type exec "
     "or socket, which can be told without the key\n"},
    {"{target: h}",
     "k.yaml:4:65: targets.f.after.target: target h has an `after` of its own; name one without, "
     "and "
     "list here what else is to be told\n"},
    {"{unit: 'x-{location}.service'}",
     "k.yaml:4:63: targets.f.after.unit: {location} cannot stand in the name of a unit; use "
     "{account}, {resource_group} or {subscription_id}\n"},
    {"{unit: nginx}",
     "k.yaml:4:63: targets.f.after.unit: \"nginx\" is not the name of a service; "
     "write one such as nginx.service\n"},
    {"{unit: reader@.service}",
     "k.yaml:4:63: targets.f.after.unit: \"reader@.service\" is not the "
     "name of a service; write one such as nginx.service\n"},
    {"{unit: a/b.service}",
     "k.yaml:4:63: targets.f.after.unit: \"a/b.service\" is not the name of a "
     "service; write one such as nginx.service\n"},
    {"{unit: keyrotated@west.service}",
     "k.yaml:4:63: targets.f.after.unit: keyrotated@west.service is keyrotated itself, which would "
     "restart without end; name the service that uses the key\n"},
    {"[{unit: a.service}, {target: s}, {unit: a.service}]",
     "k.yaml:4:89: targets.f.after[2]: tells a.service twice; keep one\n"},
};

static void each_mistake(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        char targets[1024], text[8192];
        const struct config_lines lines = {.targets = targets,
                                           .more = "defaults: {deliver_to: [f, g, h]}\n"};

        snprintf(targets, sizeof(targets), "targets: {" FILE_TARGET "%s}" OTHERS "}",
                 mistakes[i].after);
        config_fixture_compose(&lines, text, sizeof(text));
        config_unref(config_fixture_expect(text, mistakes[i].expected));
    }
}

/* Hooks stand behind their target, are required as it is, and count as uses of theirs. */
static void hooks_follow_their_target(void **state)
{
    static const struct {
        const char *name, *place;
        bool required;
        int after;
    } expected[] = {
        {"f", "/f/sampleacct", false, -1},
        {"read@sampleacct.service", "read@sampleacct.service", false, 0},
        {"s", "/run/s", false, 0},
        {"g", "/g/sampleacct", true, -1},
        {"s", "/run/s", true, 3},
    };
    const struct config_lines lines = {
        .targets = "targets: {" FILE_TARGET
                   "[{unit: 'read@{account}.service'}, {target: s}]}, s: {type: socket, path: "
                   "/run/s}, g: {type: file, path: '/g/{account}', after: {target: s}}}",
        .more = "defaults: {deliver_to: [{target: f, required: false}, g]}\n",
    };
    char text[8192];
    struct config *config;
    const struct account *account;

    (void)state;
    config_fixture_compose(&lines, text, sizeof(text));
    config = config_fixture_expect(text, "");
    account = &config->accounts[0];
    assert_int_equal(account->destination_count, 5);
    for (size_t i = 0; i < account->destination_count; i++) {
        const struct destination *destination = &account->destinations[i];

        assert_string_equal(destination->name, expected[i].name);
        assert_string_equal(destination->place, expected[i].place);
        assert_int_equal(destination->required, expected[i].required);
        assert_ptr_equal(destination->after,
                         expected[i].after < 0 ? NULL : &account->destinations[expected[i].after]);
    }
    config_unref(config);
}

/* Sixteen in all: of fifteen targets the last two tell somebody. */
static void too_many(void **state)
{
    char targets[4096] = "targets: {s: {type: socket, path: /run/s}", text[8192], names[256] = "";
    const struct config_lines lines = {.targets = targets, .more = names};

    (void)state;
    for (int i = 0; i < 15; i++) {
        char one[128];

        snprintf(one, sizeof(one), ", t%d: {type: file, path: '/t%d/{account}'%s}", i, i,
                 i >= 13 ? ", after: {target: s}" : "");
        strcat(targets, one);
        snprintf(one, sizeof(one), "%st%d", i > 0 ? ", " : "defaults: {deliver_to: [", i);
        strcat(names, one);
    }
    strcat(targets, "}");
    strcat(names, "]}\n");
    config_fixture_compose(&lines, text, sizeof(text));
    assert_null(config_fixture_expect(
        text,
        "k.yaml:4:695: targets.t14.after: the targets of account sampleacct and what they tell "
        "by `after` are more than 16; name fewer\n"));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)
    const struct CMUnitTest tests[] = {
        TEST(each_mistake),
        TEST(hooks_follow_their_target),
        TEST(too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
