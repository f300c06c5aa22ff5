/* Accounts of several types in the configuration. */
#include "conf/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/type_hint.h"
#include "config_fixture.h"
#include "proto/two_key/two_key.h"

enum { TEXT_MAX = 8192 };

#define SUBSCRIPTION     "00000000-0000-0000-0000-000000000000"
#define PARTS            "resource_group: rg, subscription_id: " SUBSCRIPTION ", adopt_active: primary"
#define PROVIDERS        "/subscriptions/" SUBSCRIPTION "/resourceGroups/rg/providers/"
#define MAP_TARGET(rest) "targets: {t: {type: file, path: \"/k/{account}\", " rest "}}"

static struct config *load(const char *accounts, const char *targets, const char *more,
                           const char *messages)
{
    char text[TEXT_MAX];

    config_fixture_compose(
        &(const struct config_lines){.accounts = accounts, .targets = targets, .more = more}, text,
        sizeof(text));
    return config_fixture_expect(text, messages);
}

static void test_by_parts(void **state)
{
    struct config *config = load("accounts: [{type: storage, name: stacct, " PARTS "}]", NULL,
                                 "api_versions: {storage: 2025-08-01}\n", "");
    const struct two_key_resource *storage = two_key_resource_named("storage");

    (void)state;
    assert_string_equal(config->accounts[0].id,
                        PROVIDERS "Microsoft.Storage/storageAccounts/stacct");
    assert_string_equal(config->accounts[0].name, "stacct");
    assert_string_equal(config_api_version(config, storage), "2025-08-01");
    assert_string_equal(config_api_version(config, two_key_resource_at(0)), "2024-02-01");
    config_unref(config);
}

/* The longest time of a regenerate is that of the type, or configured where there is any; also of
 * an account that is not in the configuration. */
static void test_regenerates_take(void **state)
{
    static const char *const more[] = {NULL, "timing: {operation_wait: 2h}\n"};
    const char *cosmos = PROVIDERS "Microsoft.DocumentDB/databaseAccounts/contoso";

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct config *config =
            load("accounts: [{type: cosmos, pair: read_only, name: contoso, " PARTS
                 "}, {type: storage, name: stacct, " PARTS "}]",
                 NULL, more[i], "");
        const duration_ms takes = i == 0 ? 12 * MS_HOUR : 2 * MS_HOUR;

        for (size_t j = 0; j < 2; j++) {
            const struct account *account = &config->accounts[j];
            const bool slow = strcmp(account->name, "stacct") != 0;

            assert_int_equal(account->regenerate_takes, slow ? takes : 0);
            assert_int_equal(account->list_delay, slow ? 5 * MS_MINUTE : 0);
            assert_int_equal(config_regenerate_takes(config, account->key),
                             account->regenerate_takes);
        }
        assert_int_equal(config_regenerate_takes(config, cosmos), takes);
        config_unref(config);
    }
}

static void test_below_others(void **state)
{
    struct config *config =
        load("accounts: [{type: service_bus_queue, name: contoso, path: Orders/send, " PARTS
             "}, {id: " PROVIDERS
             "Microsoft.EventHub/namespaces/contoso/authorizationRules/all, "
             "adopt_active: primary}]",
             NULL, NULL, "");

    (void)state;
    assert_string_equal(config->accounts[0].name, "contoso-all");
    assert_string_equal(config->accounts[1].id, PROVIDERS
                        "Microsoft.ServiceBus/namespaces/contoso/queues/Orders/"
                        "authorizationRules/send");
    assert_string_equal(config->accounts[1].name, "contoso-Orders-send");
    assert_string_equal(config->accounts[1].destinations[0].place, "/keys/contoso-orders-send");
    config_unref(config);
}

/* What Azure is ending is warned about, at the account. */
static void test_retiring(void **state)
{
    struct config *config =
        load("accounts: [{type: spring, name: contoso, " PARTS "}]", NULL, NULL,
             "k.yaml:5:12: accounts[0]: warning: Azure is retiring Spring Apps: move what uses it "
             "to another service\n");
    struct buf out;

    (void)state;
    buf_init(&out, 64 * 1024);
    assert_int_equal(config_explain(config, NULL, 1, &out), 0);
    assert_non_null(strstr(buf_str(&out), "mind that      Azure is retiring Spring Apps\n"));
    buf_done(&out);
    config_unref(config);
}

/* Two pairs of one resource are two accounts, with destinations and journals of their own. */
static void test_pairs(void **state)
{
    struct config *config =
        load("accounts: [{type: storage, name: stacct, pair: kerb, " PARTS "}, {id: " PROVIDERS
             "Microsoft.Storage/storageAccounts/STacct, "
             "adopt_active: primary}]",
             NULL, "api_versions: {storage: 2025-08-01}\n", "");
    const struct account *first = &config->accounts[0], *second = &config->accounts[1];
    const struct two_key_resource *kerb = two_key_resource_find(second->id);
    struct buf out;

    (void)state;
    assert_string_equal(first->id, PROVIDERS "Microsoft.Storage/storageAccounts/STacct");
    assert_string_equal(first->name, "STacct");
    assert_string_equal(second->id, PROVIDERS "Microsoft.Storage/storageAccounts/stacct#kerb");
    assert_string_equal(second->key + strlen(first->key), "#kerb");
    assert_string_equal(second->name, "stacct-kerb");
    assert_string_equal(second->destinations[0].place, "/keys/stacct-kerb");
    assert_string_equal(kerb->pair, "kerb");
    assert_string_equal(config_api_version(config, kerb), "2025-08-01");
    assert_int_equal(second->policy->verify, VERIFY_OFF);
    buf_init(&out, 64 * 1024);
    assert_int_equal(config_explain(config, NULL, 2, &out), 0);
    assert_non_null(strstr(
        buf_str(&out), "  pair           kerb; pairs of one resource regenerate one at a time\n"));
    buf_done(&out);
    config_unref(config);
}

/* Each slot may have a permission of its own. */
static void test_two_permissions(void **state)
{
    struct config *config = load(
        "accounts: [{type: apim_tenant, name: contoso, path: access, " PARTS "}]", NULL, NULL, "");
    struct buf out;

    (void)state;
    buf_init(&out, 64 * 1024);
    assert_int_equal(config_explain(config, NULL, 1, &out), 0);
    assert_non_null(strstr(buf_str(&out),
                           "Microsoft.ApiManagement/service/tenant/regeneratePrimaryKey/action\n"
                           "    Microsoft.ApiManagement/service/tenant/regenerateSecondaryKey/"
                           "action\n"));
    buf_done(&out);
    config_unref(config);
}

/* The first pair may be named, and is the same account as without its name. */
static void test_named_first_pair(void **state)
{
    struct config *config =
        load("accounts: [{type: storage, name: stacct, pair: key, " PARTS "}]", NULL, NULL, "");

    (void)state;
    assert_string_equal(config->accounts[0].id,
                        PROVIDERS "Microsoft.Storage/storageAccounts/stacct");
    config_unref(config);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *accounts, *targets, *more, *messages;
    } cases[] = {
        {"accounts: [{type: storage, name: st-acct, " PARTS "}]", NULL, NULL,
         "k.yaml:5:34: accounts[0].name: \"st-acct\" is not the name of a Storage account; those "
         "are 3 to 24 letters and digits\n"},
        {"accounts: [{type: storage, id: " PROVIDERS
         "Microsoft.Storage/storageAccounts/stacct, adopt_active: primary}]",
         NULL, NULL, "k.yaml:5:13: accounts[0].type: says again what id says; leave it out\n"},
        {"accounts: [{type: service_bus_queue, name: contoso, " PARTS "}]", NULL, NULL,
         "k.yaml:5:12: accounts[0].path: is missing; give the names below "
         "Microsoft.ServiceBus/namespaces/queues/authorizationRules, as in QUEUE/RULE\n"},
        {"accounts: [{type: service_bus_queue, name: contoso, path: a, " PARTS "}]", NULL, NULL,
         "k.yaml:5:59: accounts[0].path: holds 1 names; type service_bus_queue has 2 below "
         "`name`\n"},
        {"accounts: [{type: storage, name: stacct, path: a, " PARTS "}]", NULL, NULL,
         "k.yaml:5:42: accounts[0].path: has no meaning for type storage; leave it out\n"},
        {"accounts: [{type: storage, name: stacct, pair: kerberos, " PARTS "}]", NULL, NULL,
         "k.yaml:5:48: accounts[0].pair: \"kerberos\" is no pair of keys of a Storage account; "
         "write "
         "key or kerb\n"},
        {"accounts: [{type: maps, name: mapacct, pair: key, " PARTS "}]", NULL, NULL,
         "k.yaml:5:40: accounts[0].pair: has no meaning for type maps, which has one pair of keys; "
         "leave it out\n"},
        {"accounts: [{type: storage, name: stacct, " PARTS "}, {type: storage, name: STACCT, "
         "pair: key, " PARTS "}]",
         NULL, NULL,
         "k.yaml:5:141: accounts[1]: account STACCT stands twice, first at k.yaml:5:12 (ids are "
         "compared without regard to case); keep one, or write pair: kerb for the other\n"},
        {"accounts: [{type: storage, name: stacct, pair: kerb, " PARTS
         "}, {type: storage, name: stacct, pair: kerb, " PARTS "}]",
         NULL, NULL,
         "k.yaml:5:153: accounts[1]: account stacct-kerb stands twice, first at k.yaml:5:12 (ids "
         "are "
         "compared without regard to case); keep one, or write pair: key for the other\n"},
        {"accounts: [{id: " PROVIDERS "Microsoft.Storage/storageAccounts/stacct#kerb, "
         "adopt_active: primary}]",
         NULL, NULL,
         "k.yaml:5:17: accounts[0].id: \"" PROVIDERS
         "Microsoft.Storage/storageAccounts/stacct#kerb\" "
         "ends with \"#kerb\"; write the resource's own id, and pair: kerb\n"},
        {"accounts: [{type: maps, name: mapacct, " PARTS "}]",
         MAP_TARGET("format: template, template: \"{key} {endpoint}\""), NULL,
         "k.yaml:4:77: targets.t.template: {endpoint}: an Azure Maps account names none; leave it "
         "out\n"},
        {"accounts: [{type: Microsoft.Logic/workflows, name: contoso, " PARTS "}]", NULL, NULL,
         "k.yaml:5:19: accounts[0].type: \"Microsoft.Logic/workflows\" cannot be rotated: a "
         "workflow "
         "of Logic Apps never shows its keys, so that nobody could see which one is live\n"},
        {"accounts: [{type: Microsoft.Storage/storageAccounts, name: contoso, " PARTS "}]", NULL,
         NULL,
         "k.yaml:5:19: accounts[0].type: \"Microsoft.Storage/storageAccounts\" is called storage "
         "here; write that\n"},
        {"accounts: [{id: " PROVIDERS "microsoft.MEDIA/mediaservices/films}]", NULL, NULL,
         "k.yaml:5:17: accounts[0].id: \"" PROVIDERS
         "microsoft.MEDIA/mediaservices/films\" cannot be rotated: Media Services has been retired "
         "by Azure\n"},
        {"accounts: [{id: " PROVIDERS "Microsoft.ServiceBus/namespaces/contoso}]", NULL, NULL,
         "k.yaml:5:17: accounts[0].id: \"" PROVIDERS
         "Microsoft.ServiceBus/namespaces/contoso\" has no keys itself; they are those of what "
         "stands below it, such as service_bus, "
         "Microsoft.ServiceBus/namespaces/AuthorizationRules\n"},
        {"accounts: [{type: service_bus, name: contoso/queues/orders, path: all, " PARTS "}]", NULL,
         NULL,
         "k.yaml:5:38: accounts[0].name: \"contoso/queues/orders\" is not one name; those are "
         "letters, digits, '-', '.', '_' and '~', and the names below stand in path\n"},
        {"accounts: [{type: service_bus, name: .., path: all, " PARTS "}]", NULL, NULL,
         "k.yaml:5:38: accounts[0].name: \"..\" is not one name; those are letters, digits, '-', "
         "'.', '_' and '~', and the names below stand in path\n"},
        {"accounts: [{type: service_bus_queue, name: contoso, path: '../all', " PARTS "}]", NULL,
         NULL,
         "k.yaml:5:12: accounts[0]: " PROVIDERS
         "Microsoft.ServiceBus/namespaces/contoso/queues/../authorizationRules/all holds no valid "
         "name above the last; those are letters, digits, '-', '.', '_' and '~'\n"},
        {"accounts: [{type: service_bus_queue, name: contoso, path: 'a?b/all', " PARTS "}]", NULL,
         NULL,
         "k.yaml:5:12: accounts[0]: " PROVIDERS
         "Microsoft.ServiceBus/namespaces/contoso/queues/a?b/authorizationRules/all holds no valid "
         "name above the last; those are letters, digits, '-', '.', '_' and '~'\n"},
        {"accounts: [{id: " PROVIDERS
         "Microsoft.ServiceBus/namespaces/contoso/queues//authorizationRules/all}]",
         NULL, NULL,
         "k.yaml:5:17: accounts[0].id: \"" PROVIDERS
         "Microsoft.ServiceBus/namespaces/contoso/queues//authorizationRules/all\" holds no valid "
         "name above the last; those are letters, digits, '-', '.', '_' and '~'\n"},
        {"accounts: [{id: " PROVIDERS "Microsoft.ServiceBus/namespaces/./authorizationRules/all}]",
         NULL, NULL,
         "k.yaml:5:17: accounts[0].id: \"" PROVIDERS
         "Microsoft.ServiceBus/namespaces/./authorizationRules/all\" holds no valid name above the "
         "last; those are letters, digits, '-', '.', '_' and '~'\n"},
        {"accounts: [{id: " PROVIDERS
         "Microsoft.ServiceBus/namespaces/contoso/queues/orders/authorizationRules}]",
         NULL, NULL,
         "k.yaml:5:17: accounts[0].id: \"" PROVIDERS
         "Microsoft.ServiceBus/namespaces/contoso/queues/orders/authorizationRules\" is not the "
         "resource id of a rule of a Service Bus queue; write "
         "/subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.ServiceBus/namespaces/NAME/"
         "queues/NAME/authorizationRules/NAME\n"},
        {"accounts: [{id: " PROVIDERS "Microsoft.Storage/storageAccounts/stacct#KERB, "
         "adopt_active: primary}]",
         NULL, NULL,
         "k.yaml:5:17: accounts[0].id: \"" PROVIDERS
         "Microsoft.Storage/storageAccounts/stacct#KERB\" ends with \"#KERB\"; write the "
         "resource's own id\n"},
        {"accounts: [{type: storage, name: contoso, " PARTS "}, {name: contoso, " PARTS "}]", NULL,
         NULL,
         "k.yaml:5:142: accounts[1]: account contoso (target file) would write /keys/contoso, as "
         "account contoso at k.yaml:5:12 does; give one of them a target with another path\n"},
        {"accounts: [{type: apim_tenant, name: contoso, path: other, " PARTS "}]", NULL, NULL,
         "k.yaml:5:12: accounts[0]: " PROVIDERS
         "Microsoft.ApiManagement/service/contoso/tenant/other "
         "holds no valid account name; those are access and gitAccess\n"},
        /* What has been reported is not judged as if it were a Batch account, too. */
        {"accounts: [{type: storge, name: conto_so, path: a, pair: kerb, " PARTS "}]", NULL, NULL,
         "k.yaml:5:19: accounts[0].type: unknown value \"storge\"; did you mean storage?\n"},
        {"accounts: [{typ: storage, name: conto_so, path: a, pair: kerb, " PARTS "}]", NULL, NULL,
         "k.yaml:5:13: accounts[0].typ: unknown key; did you mean type?\n"},
        {"accounts: [{type: storge, id: " PROVIDERS "Microsoft.Storage/storageAccounts/contoso}]",
         NULL, NULL,
         "k.yaml:5:19: accounts[0].type: unknown value \"storge\"; did you mean storage?\n"},
        {"accounts: [{type: storage, id: " PROVIDERS "Microsoft.Storage/storageAccounts/contoso}]",
         NULL, NULL, "k.yaml:5:13: accounts[0].type: says again what id says; leave it out\n"},
        {"accounts: [{type: service_bus, name: contoso, paht: all, " PARTS "}]", NULL, NULL,
         "k.yaml:5:47: accounts[0].paht: unknown key; did you mean path?\n"},
        {"accounts: [{type: data_factory_runtime, name: contoso, path: north, " PARTS "}]",
         MAP_TARGET("format: template, template: \"{key}.\""), NULL,
         "k.yaml:4:77: targets.t.template: {key} touches what stands behind it, so that the key "
         "could not be found again; put a blank, a quote or the end of a line between them\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        config_unref(load(cases[i].accounts, cases[i].targets, cases[i].more, cases[i].messages));
}

/* The variables of an environment file are those of the account's type. */
static void test_environment_file(void **state)
{
    static const struct {
        const char *accounts;
        const char *variables;
    } cases[] = {
        {"accounts: [{type: redis, name: cache, " PARTS "}]",
         "(environment file with AZURE_REDIS_NAME, AZURE_REDIS_KEY, AZURE_REDIS_HOST, mode "},
        {"accounts: [{type: maps, name: mapacct, " PARTS "}]",
         "(environment file with AZURE_MAPS_ACCOUNT, AZURE_MAPS_SUBSCRIPTION_KEY, mode "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config *config = load(cases[i].accounts, MAP_TARGET("format: env"), NULL, "");
        struct buf out;

        buf_init(&out, 64 * 1024);
        assert_int_equal(config_explain(config, NULL, 1, &out), 0);
        assert_non_null(strstr(buf_str(&out), cases[i].variables));
        buf_done(&out);
        config_unref(config);
    }
}

/* Where nothing proves a key, it is not verified, and --check says so. */
static void test_without_proof(void **state)
{
    struct config *config = load("accounts: [{type: maps, name: mapacct, " PARTS
                                 "}, {type: fluid_relay, name: fluidacct, " PARTS "}]",
                                 NULL,
                                 "cloud: {resource_manager: 'https://rm.example', "
                                 "login: 'https://l.example'}\n",
                                 "");
    struct buf out;

    (void)state;
    assert_int_equal(config->accounts[0].policy->verify, VERIFY_OFF);
    assert_int_equal(config->accounts[1].policy->verify, VERIFY_OFF);
    assert_int_equal(config->policies[0].verify, VERIFY_AUTO);
    buf_init(&out, 64 * 1024);
    assert_int_equal(config_explain(config, NULL, 2, &out), 0);
    assert_non_null(strstr(buf_str(&out), "type           maps (Microsoft.Maps/accounts)"));
    assert_non_null(strstr(buf_str(&out), "\ntype maps\n"));
    assert_non_null(strstr(buf_str(&out), "dies with one  every SAS token"));
    assert_non_null(strstr(buf_str(&out), "where this cloud has Azure Maps is not known"));
    assert_non_null(strstr(buf_str(&out), "verify is      not possible: no request is known"));
    assert_non_null(strstr(buf_str(&out), "no request is known that proves a key of this type"));
    buf_done(&out);
    config_unref(config);
}

static void expect_waits(const struct account *account, duration_ms takes, duration_ms list_delay)
{
    assert_int_equal(account->regenerate_takes, takes);
    assert_int_equal(account->list_delay, list_delay);
}

/* Those of the type hold where nothing is said, and where its regenerates take no time nothing else
 * does. */
static void test_waits(void **state)
{
    static const char accounts[] = "accounts: [{type: cosmos, name: cosmosacct, " PARTS
                                   "}, {type: event_grid_topic, name: topic, " PARTS
                                   "}, {type: storage, name: stacct, " PARTS "}]";
    struct config *config = load(accounts, NULL, NULL, "");

    (void)state;
    expect_waits(&config->accounts[0], 12 * MS_HOUR, 5 * MS_MINUTE);
    expect_waits(&config->accounts[1], MS_HOUR, MS_MINUTE);
    expect_waits(&config->accounts[2], 0, 0);
    config_unref(config);
    config = load(accounts, NULL, "timing: {operation_wait: 2h, list_wait: 9m}\n", "");
    expect_waits(&config->accounts[0], 2 * MS_HOUR, 9 * MS_MINUTE);
    expect_waits(&config->accounts[1], 2 * MS_HOUR, 9 * MS_MINUTE);
    expect_waits(&config->accounts[2], 0, 0);
    config_unref(config);
}

#define COSMOS            "{type: cosmos, name: docs, " PARTS "}"
#define HUB(name, policy) "{type: iot_hub, name: " name ", path: " policy ", " PARTS "}"
#define COSMOS_READERS    "{type: cosmos, name: docs, pair: read_only, " PARTS "}"

/* A policy leaves room for the longest regenerate of a type: what cannot be kept is an error, what
 * may not be kept a warning, once for all accounts that have that policy and type. */
static void test_pace(void **state)
{
    static const struct {
        const char *policy, *accounts, *more, *messages;
    } cases[] = {
        {"max_key_age: 90d", "accounts: [" COSMOS "]", NULL, ""},
        {"max_key_age: 6h", "accounts: [" COSMOS ", {type: cosmos, name: more, " PARTS "}]", NULL,
         "k.yaml:5:12: accounts[0]: policy standard has max_key_age 6h, and a regenerate of a "
         "Cosmos DB account may take 12h: no rotation keeps its keys younger; give the account a "
         "policy with a longer max_key_age, or set timing.operation_wait where yours end sooner\n"},
        {"max_key_age: 6h", "accounts: [" COSMOS "]", "timing: {operation_wait: 10m}\n", ""},
        {"max_key_age: 6h, rotate: false", "accounts: [" COSMOS "]", NULL, ""},
        {"max_key_age: 6h", "accounts: [{type: batch, name: docs, " PARTS "}]", NULL, ""},
        {"rotate_every: 10h, overlap: 1h, splay: 0s",
         "accounts: [" COSMOS ", {type: cosmos, name: more, " PARTS "}]", NULL,
         "k.yaml:5:12: accounts[0]: warning: a regenerate of a Cosmos DB account may take 12h; "
         "with unknown_wait, overlap 1h, splay and the wait for a window of policy standard that "
         "is 13h 5m, more than rotate_every 10h, so that rotations may come ever "
         "later; raise rotate_every (or max_key_age), or shorten overlap\n"},
        {"rotate_every: 20h, overlap: 1h, splay: 0s, max_key_age: 2d", "accounts: [" COSMOS "]",
         NULL,
         "k.yaml:5:12: accounts[0]: warning: a regenerate of a Cosmos DB account may take 12h, so "
         "that a key could get 2d 4h old, more than max_key_age 2d of policy standard: "
         "twice rotate_every 20h, the wait for a window, splay, and that; shorten rotate_every, "
         "or raise max_key_age\n"},
        {"rotate_every: 20h, overlap: 1h, splay: 0s, max_key_age: 52h", "accounts: [" COSMOS "]",
         NULL, ""},
        /* Pairs of one resource regenerate in turns. */
        {"rotate_every: 20h, overlap: 1h, splay: 0s", "accounts: [" COSMOS ", " COSMOS_READERS "]",
         NULL,
         "k.yaml:5:12: accounts[0]: warning: a regenerate of a Cosmos DB account may take 12h, and "
         "wait 12h for that of its other pair of keys; with unknown_wait, overlap 1h, splay and "
         "the wait for a window of policy standard that is 1d 1h, more than rotate_every 20h, "
         "so that rotations may come ever later; raise rotate_every (or max_key_age), or shorten "
         "overlap\n"},
        {"rotate_every: 30h, overlap: 1h, splay: 0s, max_key_age: 80h",
         "accounts: [" COSMOS ", " COSMOS_READERS "]", NULL,
         "k.yaml:5:12: accounts[0]: warning: a regenerate of a Cosmos DB account may take 12h, and "
         "wait 12h for that of its other pair of keys, so that a key could get 3d 12h old, more "
         "than max_key_age 3d8h of policy standard: twice rotate_every 1d6h, the wait for a "
         "window, "
         "splay, and that; shorten rotate_every, or raise max_key_age\n"},
        {"rotate_every: 30h, overlap: 1h, splay: 0s, max_key_age: 84h",
         "accounts: [" COSMOS ", " COSMOS_READERS "]", NULL, ""},
        {"rotate_every: 20h, overlap: 1h, splay: 0s",
         "accounts: [" COSMOS ", {type: cosmos, name: docs-2, pair: read_only, " PARTS "}]", NULL,
         ""},
        /* So do all policies of one hub, and each waits until lists show what the last one did. */
        {"rotate_every: 4h, overlap: 1h, splay: 0s",
         "accounts: [" HUB("hub", "a") ", " HUB("hub-2", "b") "]", NULL, ""},
        {"rotate_every: 4h, overlap: 1h, splay: 0s",
         "accounts: [" HUB("Hub", "a") ", " HUB("hub", "b") ", " HUB("hub", "c") "]", NULL,
         "k.yaml:5:12: accounts[0]: warning: a regenerate of a shared access policy of an IoT hub "
         "may take 1h, and wait 2h 13m for the other accounts of the same resource (2); with "
         "unknown_wait, overlap 1h, splay and the wait for a window of policy standard that is 4h "
         "18m, more than rotate_every 4h, so that rotations may come ever later; raise "
         "rotate_every (or max_key_age), or shorten overlap\n"},
        /* A rule finds accounts of each of its types, not of the first one alone. */
        {"rotate_every: 10h, overlap: 1h, splay: 0s",
         "discover: [{name: a, subscriptions: all, types: [batch, maps, cosmos, "
         "event_grid_topic]}]",
         NULL,
         "k.yaml:5:12: discover[0]: warning: a regenerate of a Cosmos DB account may take 12h; "
         "with unknown_wait, overlap 1h, splay and the wait for a window of policy standard that "
         "is 13h 5m, more than rotate_every 10h, so that rotations may come ever "
         "later; raise rotate_every (or max_key_age), or shorten overlap\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char policies[256], text[TEXT_MAX];

        (void)snprintf(policies, sizeof(policies), "policies: {standard: {%s}}", cases[i].policy);
        config_fixture_compose(&(const struct config_lines){.policies = policies,
                                                            .accounts = cases[i].accounts,
                                                            .more = cases[i].more},
                               text, sizeof(text));
        config_unref(config_fixture_expect(text, cases[i].messages));
    }
}

/* --check says the longest time that counts: the configured one, where there is any. */
static void test_pace_in_words(void **state)
{
    static const char *const more[] = {NULL, "timing: {operation_wait: 2h}\n"};
    static const char *const words[] = {"takes up to 12h;", "takes up to 2h;"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct config *config = load("accounts: [" COSMOS "]", NULL, more[i], "");
        struct buf out;

        buf_init(&out, 64 * 1024);
        assert_int_equal(config_explain(config, NULL, 1, &out), 0);
        assert_non_null(strstr(buf_str(&out), words[i]));
        buf_done(&out);
        config_unref(config);
    }
}

/* What products are called elsewhere leads to their types. */
static void test_type_hints(void **state)
{
    static const struct {
        const char *type, *problem;
    } cases[] = {
        {"apim_gatewya", "unknown value \"apim_gatewya\"; did you mean apim_gateway?"},
        {"cosmos_db", "\"cosmos_db\" is no type; did you mean cosmos?"},
        {"appconfig", "\"appconfig\" is no type; did you mean app_configuration?"},
        {"API Management",
         "\"API Management\" is no type; did you mean apim_subscription, "
         "apim_workspace_subscription, apim_tenant or apim_gateway?"},
        {"apim",
         "\"apim\" is no type; did you mean apim_subscription, "
         "apim_workspace_subscription, apim_tenant or apim_gateway?"},
        {"log_analytics",
         "\"log_analytics\" cannot be rotated: Log Analytics renews both keys at "
         "once, so that none would go on working while the other is delivered"},
        {"static_web_app",
         "\"static_web_app\" cannot be rotated: a static web app has one secret, "
         "so that none would go on working while it is renewed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char accounts[256], message[512];

        (void)snprintf(accounts, sizeof(accounts), "accounts: [{type: %s, name: name, " PARTS "}]",
                       cases[i].type);
        (void)snprintf(message, sizeof(message), "k.yaml:5:19: accounts[0].type: %s\n",
                       cases[i].problem);
        assert_null(load(accounts, NULL, NULL, message));
    }
}

/* Words that fit much, or nothing, are told all types. */
static void test_types_without_hint(void **state)
{
    static const char *const words[] = {"account", "namespace", "key_vault", "iot", "-_-_-"};
    char out[512];

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        assert_null(type_hint(words[i], out, sizeof(out)));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_by_parts),
        TEST(test_regenerates_take),
        TEST(test_below_others),
        TEST(test_pairs),
        TEST(test_named_first_pair),
        TEST(test_mistakes),
        TEST(test_retiring),
        TEST(test_two_permissions),
        TEST(test_environment_file),
        TEST(test_without_proof),
        TEST(test_waits),
        TEST(test_pace),
        TEST(test_pace_in_words),
        TEST(test_type_hints),
        TEST(test_types_without_hint),
    };

    return cmocka_run_group_tests_name("config_types", tests, NULL, NULL);
}
