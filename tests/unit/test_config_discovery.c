/* Rules that find accounts: their mistakes, what they match, and the configuration with what they
 * have found. */
#include "conf/discovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_fixture.h"

#define SUBSCRIPTION "00000000-0000-0000-0000-000000000001"
#define ID(group, name)                                                                            \
    "/subscriptions/" SUBSCRIPTION "/resourceGroups/" group                                        \
    "/providers/Microsoft.Batch/batchAccounts/" name

#define RULES_FIND                                                                                 \
    "rules find: batch, storage, cognitive_services, redis, search, maps, event_grid_domain, "     \
    "event_grid_topic, event_grid_partner_namespace, container_registry, fluid_relay, "            \
    "automation, communication, data_migration, spring, quantum, app_configuration, cosmos, "      \
    "signalr, web_pubsub, event_grid_namespace\n"

static const struct {
    const char *discover; /* from line 6 on */
    const char *expected;
} mistakes[] = {
    {"discover: [{}]",
     "k.yaml:6:12: discover[0].name: is missing; give a text\n"
     "k.yaml:6:12: discover[0].subscriptions: is missing; give a GUID\n"},
    {"discover: [{name: a b, subscriptions: some}]",
     "k.yaml:6:19: discover[0].name: \"a b\" is no name; use letters, digits, '_', '-' and '.', 64 "
     "at most\n"
     "k.yaml:6:39: discover[0].subscriptions: \"some\" is not a GUID; write "
     "00000000-0000-0000-0000-000000000000, or all\n"},
    {"discover: [{name: a, subscriptions: all}, {name: a, subscriptions: all}]",
     "k.yaml:6:50: discover[1].name: is the name of another rule already; give each a name of its "
     "own\n"},
    {"discover: [{name: a, subscriptions: [all, " SUBSCRIPTION "]}]",
     "k.yaml:6:37: discover[0].subscriptions: holds all beside ids; keep all, or the ids\n"},
    {"discover: [{name: a, subscriptions: []}]",
     "k.yaml:6:37: discover[0].subscriptions: is empty; write all, or ids of subscriptions\n"},
    {"discover: [{name: a, subscriptions: all, types: []}]",
     "k.yaml:6:49: discover[0].types: is empty; give a type, or leave it out for Batch accounts\n"},
    {"discover: [{name: a, subscriptions: all, names: []}]",
     "k.yaml:6:49: discover[0].names: is empty; give a pattern, or leave it out\n"},
    {"discover: [{name: a, subscriptions: all, exclude: {locations: []}}]",
     "k.yaml:6:63: discover[0].exclude.locations: is empty; give a pattern, or leave it out\n"},
    {"discover: [{name: a, subscriptions: all, types: [storage, maps], deliver_to: tools}]",
     "k.yaml:4:197: targets.tools.format: tools of an Azure Maps account read no connection string "
     "from the environment; write env\n"},
    {"discover: [{name: a, subscriptions: all, types: Microsoft.OperationalInsights/workspaces}]",
     "k.yaml:6:49: discover[0].types: \"Microsoft.OperationalInsights/workspaces\" cannot be "
     "rotated: "
     "Log Analytics renews both keys at once, so that none would go on working while the other is "
     "delivered\n"},
    {"discover: [{name: a, subscriptions: all, types: Microsoft.Network/networks}]",
     "k.yaml:6:49: discover[0].types: unknown type \"Microsoft.Network/networks\"; " RULES_FIND},
    {"discover: [{name: a, subscriptions: all, types: service_bus_queue}]",
     "k.yaml:6:49: discover[0].types: \"service_bus_queue\" stands below another resource; give "
     "each of them in accounts; " RULES_FIND},
    {"discover: [{name: a, subscriptions: all, exclude: [{}]}]",
     "k.yaml:6:52: discover[0].exclude[0]: is empty, and would exclude every account; give names, "
     "resource_groups, locations or tags\n"},
    {"discover: [{name: a, subscriptions: all, policy: nightly}]",
     "k.yaml:6:50: discover[0].policy: unknown policy \"nightly\"; policies holds: p\n"},
    {"discover: [{name: a, subscriptions: all, deliver_to: fixed}]",
     "k.yaml:6:12: discover[0]: every account that it finds would be delivered to /k/fixed (target "
     "fixed); put {account} into the path, or {resource_group} and {subscription_id} too\n"},
    {"discover: [{name: a, subscriptions: all, by: graph}]",
     "k.yaml:6:46: discover[0].by: unknown value \"graph\"; write auto, resource_manager or "
     "resource_graph\n"},
    {"discover: [{name: a, subscriptions: all, every: 1s}]",
     "k.yaml:6:49: discover[0].every: warning: is short; write 1m or more, or lists use up Azure's "
     "limits on requests\n"},
};

static struct config *load(const char *discover, const char *expected)
{
    char text[8192];

    (void)snprintf(text, sizeof(text),
                   "version: 1\n"
                   "identities: {vm: {type: managed_identity}}\n"
                   "policies: {p: {max_key_age: 90d}}\n"
                   "targets: {file: {type: file, path: '/k/{account}'}, fixed: {type: file, path: "
                   "/k/fixed}, second: {type: file, path: '/k/second/{account}'}, tools: {type: "
                   "file, path: '/k/tools/{account}', format: env_connection_string}}\n"
                   "defaults: {deliver_to: file}\n"
                   "%s\n",
                   discover);
    return config_fixture_expect(text, expected);
}

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
        config_unref(load(mistakes[i].discover, mistakes[i].expected));
}

static void test_ways(void **state)
{
    static const struct {
        const char *text;
        enum discovery_by by;
    } cases[] = {{"", DISCOVERY_BY_AUTO},
                 {", by: auto", DISCOVERY_BY_AUTO},
                 {", by: resource_manager", DISCOVERY_BY_MANAGER},
                 {", by: resource_graph", DISCOVERY_BY_GRAPH}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config *config;
        char text[200];

        (void)snprintf(text, sizeof(text), "discover: [{name: a, subscriptions: all%s}]",
                       cases[i].text);
        config = load(text, "");
        assert_int_equal(config->rules[0].by, cases[i].by);
        assert_non_null(strstr(text, i == 0 ? "all" : discovery_by_name(cases[i].by)));
        config_unref(config);
    }
}

static bool finds(const struct config *config, const char *id, const char *location,
                  const char *tag, const char *value)
{
    const struct arm_resource resource = {
        .id = id, .location = location, .tags = {{tag, value}}, .tag_count = tag ? 1 : 0};

    return !!discovery_find_rule(config, "vm", &resource);
}

static void test_matching(void **state)
{
    struct config *config =
        load("discover: [{name: a, subscriptions: " SUBSCRIPTION
             ", names: ['batch*', other], "
             "resource_groups: 'Prod-*', locations: [West Europe], tags: {Env: 'prod*'}, exclude: "
             "[{names: '*tmp'}, {tags: {env: prod-old}}]}]",
             "");

    (void)state;
    assert_true(finds(config, ID("prod-1", "batch1"), "westeurope", "env", "prod"));
    assert_true(finds(config, ID("PROD-1", "Other"), "West Europe", "ENV", "production"));
    assert_false(finds(config, ID("prod-1", "another"), "westeurope", "env", "prod"));
    assert_false(finds(config, ID("test-1", "batch1"), "westeurope", "env", "prod"));
    assert_false(finds(config, ID("prod-1", "batch1"), "northeurope", "env", "prod"));
    assert_false(finds(config, ID("prod-1", "batch1"), "westeurope", "env", "Prod"));
    assert_false(finds(config, ID("prod-1", "batch1"), "westeurope", "other", "prod"));
    assert_false(finds(config, ID("prod-1", "batch1"), "westeurope", NULL, NULL));
    assert_false(finds(config, ID("prod-1", "batchtmp"), "westeurope", "env", "prod"));
    assert_false(finds(config, ID("prod-1", "batch1"), "westeurope", "env", "prod-old"));
    assert_false(finds(config,
                       "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/prod-1/"
                       "providers/Microsoft.Batch/batchAccounts/batch1",
                       "westeurope", "env", "prod"));
    assert_false(finds(config, "/subscriptions/" SUBSCRIPTION, "westeurope", "env", "prod"));
    config_unref(config);
}

static const struct account *account_named(const struct config *config, const char *name)
{
    const struct account *account = NULL;

    assert_int_equal(config_match_account(config, name, &account), 1);
    if (!account)
        abort(); /* for the compiler, which does not know assertions */
    return account;
}

static void test_expansion(void **state)
{
    static const struct config_found found[] = {
        {ID("one", "alpha"), "a", false, SLOT_PRIMARY},
        {ID("one", "beta"), "a", true, SLOT_SECONDARY},
        {ID("one", "gamma"), "a", false, SLOT_PRIMARY},
        {ID("two", "gamma"), "a", false, SLOT_PRIMARY},
        {ID("one", "mine"), "a", false, SLOT_PRIMARY},
        {ID("two", "mine"), "a", false, SLOT_PRIMARY},
        {ID("one", "delta"), "gone", false, SLOT_PRIMARY},
        {"/subscriptions/x", "a", false, SLOT_PRIMARY},
    };
    struct config *config = load(
        "discover: [{name: a, subscriptions: all, adopt_active: primary}]\n"
        "accounts: [{id: '" ID("One", "Mine") "'}]",
        "");
    struct err err = {.code = 0};
    struct config *expanded, *again;
    const struct account *account;
    char two[300];

    (void)state;
    expanded = config_expand(config, found, sizeof(found) / sizeof(found[0]), &err);
    assert_non_null(expanded);
    config_unref(config);
    assert_int_equal(expanded->account_count, 6);
    account = account_named(expanded, "alpha");
    assert_string_equal(account->rule, "a");
    assert_true(account->has_adopt_active && account->presumes_active);
    assert_null(account->problem);
    assert_string_equal(account->destinations[0].place, "/k/alpha");
    account = account_named(expanded, "beta");
    assert_int_equal(account->adopt_active, SLOT_SECONDARY);
    assert_false(account->presumes_active);
    account = account_named(expanded, "one/gamma");
    assert_string_equal(account->problem,
                        "it would be delivered to /k/gamma (target file), as two/gamma is");
    account = account_named(expanded, "two/gamma");
    assert_string_equal(account->problem,
                        "it would be delivered to /k/gamma (target file), as one/gamma is");
    account = account_named(expanded, "one/mine");
    assert_true(!account->rule && !account->problem && !account->presumes_active);
    (void)snprintf(two, sizeof(two), "%s", account_named(expanded, "two/mine")->problem);
    assert_string_equal(two, "it would be delivered to /k/mine (target file), as One/Mine is");
    assert_true(discovery_is_explicit(expanded, account->key));
    assert_false(discovery_is_explicit(expanded, account_named(expanded, "alpha")->key));

    /* What was found is no part of the files. */
    again = config_expand(expanded, found, 1, &err);
    assert_int_equal(again->account_count, 2);
    config_unref(expanded);
    assert_string_equal(account_named(again, "alpha")->identity->name, "vm");
    config_unref(again);
}

/* What one account finds wrong with a target leaves the target to the others. */
static void test_one_that_does_not_fit(void **state)
{
    static const struct config_found found[] = {
        {ID("a_b", "alpha"), "a", false, SLOT_PRIMARY},
        {ID("ab", "beta"), "a", false, SLOT_PRIMARY},
        {ID("a_b", "gamma"), "a", false, SLOT_PRIMARY},
    };
    struct config *config = config_fixture_expect(
        "version: 1\n"
        "identities: {vm: {type: managed_identity}}\n"
        "policies: {p: {max_key_age: 90d}}\n"
        "targets: {v: {type: key_vault, vault: 'https://v.vault.azure.net', secret_name: "
        "'{resource_group}-{account}'}}\n"
        "discover: [{name: a, subscriptions: all}]\n",
        "");
    struct err err = {.code = 0};
    struct config *expanded = config_expand(config, found, 3, &err);

    (void)state;
    assert_non_null(expanded);
    assert_non_null(strstr(account_named(expanded, "alpha")->problem, "a_b-alpha"));
    assert_null(account_named(expanded, "beta")->problem);
    assert_int_equal(account_named(expanded, "beta")->destination_count, 1);
    assert_non_null(strstr(account_named(expanded, "gamma")->problem, "a_b-gamma"));
    config_unref(expanded);
    config_unref(config);
}

static void test_active_tag(void **state)
{
    struct config *config =
        load("discover: [{name: a, subscriptions: all, active_tag: Active-Key}]", "");
    struct arm_resource resource = {.id = ID("g", "alpha"),
                                    .location = "",
                                    .tags = {{"active-key", "SECONDARY"}},
                                    .tag_count = 1};
    enum slot slot = SLOT_PRIMARY;

    (void)state;
    assert_true(discovery_active_key(&config->rules[0], &resource, &slot));
    assert_int_equal(slot, SLOT_SECONDARY);
    resource.tags[0].value = "third";
    assert_false(discovery_active_key(&config->rules[0], &resource, &slot));
    resource.tag_count = 0;
    assert_false(discovery_active_key(&config->rules[0], &resource, &slot));
    config_unref(config);
}

/* --check says where the keys of accounts go that are found. */
static void test_explanation(void **state)
{
    struct config *config = load(
        "discover: [{name: a, subscriptions: all, deliver_to: [file, "
        "{target: second, required: false}]}]",
        "");
    struct buf out;

    (void)state;
    buf_init(&out, 64 * 1024);
    assert_int_equal(config_explain(config, NULL, 0, &out), 0);
    assert_non_null(strstr(buf_str(&out), "delivers to    file, then second (not required)\n"));
    buf_done(&out);
    config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mistakes, config_fixture_enter, config_fixture_leave),
        cmocka_unit_test_setup_teardown(test_explanation, config_fixture_enter,
                                        config_fixture_leave),
        cmocka_unit_test_setup_teardown(test_ways, config_fixture_enter, config_fixture_leave),
        cmocka_unit_test_setup_teardown(test_matching, config_fixture_enter, config_fixture_leave),
        cmocka_unit_test_setup_teardown(test_expansion, config_fixture_enter, config_fixture_leave),
        cmocka_unit_test_setup_teardown(test_one_that_does_not_fit, config_fixture_enter,
                                        config_fixture_leave),
        cmocka_unit_test_setup_teardown(test_active_tag, config_fixture_enter,
                                        config_fixture_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
