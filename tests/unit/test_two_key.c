#include "proto/two_key/two_key.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ACCT "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/acct"

/* base64 of 64 bytes each */
#define KEY_A                                                                                      \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define KEY_B                                                                                      \
    "/wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

extern const struct two_key_resource two_key_batch_account, two_key_storage_account,
    two_key_storage_kerberos;
static const struct two_key_resource *const batch = &two_key_batch_account;

static void test_find(void **state)
{
    static const struct {
        const char *id;
        const struct two_key_resource *expected;
    } cases[] = {
        {"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/a",
         &two_key_batch_account},
        {"/SUBSCRIPTIONS/0/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.BATCH/BATCHACCOUNTS/A",
         &two_key_batch_account},
        {"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccountsX/a", NULL},
        {"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a",
         &two_key_storage_account},
        {"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a#kerb",
         &two_key_storage_kerberos},
        {"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a#key",
         &two_key_storage_account},
        {"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a#x",
         NULL},
        {"/subscriptions/0/resourceGroups/rg#kerb/providers/Microsoft.Batch/batchAccounts/a", NULL},
        {"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts#kerb/a",
         NULL},
        {"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Network/networks/a", NULL},
        {"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/a/", NULL},
        {"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/a/pools/p",
         NULL},
        {"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts", NULL},
        {"/subscriptions/0/resourceGroups/rg", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_ptr_equal(two_key_resource_find(cases[i].id), cases[i].expected);
}

static void check_row(const struct two_key_resource *type)
{
    assert_true(type->noun && type->short_name && type->api_version && type->name.words);
    assert_true(type->name.shortest > 0 && type->name.longest >= type->name.shortest);
    assert_true(type->list.name && type->key_paths[0] && type->key_paths[1]);
    assert_true(type->key_shape && (!type->switches || type->keys_on));
    assert_true(!type->probe || (type->probe->build && type->probe->read && type->probe->service &&
                                 type->probe->words));
    assert_true(!type->probe || type->probe->shared_host != SHARED_HOST_NONE ||
                type->endpoint_path);
    assert_true(type->read_action && type->list_action && type->regenerate_action);
    assert_true(type->role && type->env_name && type->env_key && type->grants);
    assert_true(!type->env_endpoint || type->endpoint_path);
    for (unsigned slot = 0; slot < SLOT_COUNT && type->rewrite; slot++)
        assert_true(!type->regenerate[slot].name && type->rewrite->keys[slot]);
    if (type->rewrite) {
        assert_true(type->state_path && type->slow_for > 0 && type->pair_busy);
        return;
    }
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        assert_non_null(type->regenerate[slot].name);
        assert_false(type->regenerate[slot].get);
    }
    assert_true(strcmp(type->regenerate[0].name, type->regenerate[1].name) != 0 ||
                (type->regenerate[0].word
                     ? strcmp(type->regenerate[0].word, type->regenerate[1].word) != 0
                     : strcmp(type->id_paths[0], type->id_paths[1]) != 0));
}

/* Every row is complete, those of further pairs included. */
static void test_rows_are_whole(void **state)
{
    const struct two_key_resource *type, *pair;

    (void)state;
    for (size_t i = 0; (type = two_key_resource_at(i)); i++) {
        assert_ptr_equal(two_key_resource_named(type->short_name), type);
        assert_ptr_equal(two_key_resource_named(type->type), type);
        assert_ptr_equal(two_key_pair_at(type, 0), type);
        assert_int_equal(!!type->pair, !!two_key_pair_at(type, 1));
        for (size_t j = 0; (pair = two_key_pair_at(type, j)); j++) {
            check_row(pair);
            assert_int_equal(two_key_is_further_pair(pair), j > 0);
            assert_ptr_equal(two_key_pair_at(pair, j), pair);
            assert_int_equal(pair->pair || pair->rewrite, !!pair->pair_busy);
            assert_string_equal(pair->type, type->type);
            assert_string_equal(pair->api_version, type->api_version);
            if (pair->pair) {
                assert_ptr_equal(two_key_pair_named(type, pair->pair), pair);
                assert_non_null(strstr(pair->pair_busy, pair->pair));
            }
        }
    }
    assert_null(two_key_pair_named(batch, "kerb"));
}

/* The names of accounts of either pair, where they stay inside their buffer. */
static void test_names_of_pairs(void **state)
{
    static const char id[] =
        "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/Acct#kerb";
    const size_t length = two_key_resource_length(id);
    char name[TWO_KEY_ACCOUNT_NAME_MAX];

    (void)state;
    assert_string_equal(id + length, "#kerb");
    assert_int_equal(two_key_resource_length("/a"), 2);
    assert_int_equal(two_key_names_of(id).count, 1);
    assert_string_equal(two_key_resource_name(id, name, sizeof(name)), "Acct");
    assert_string_equal(two_key_account_name(id, name, sizeof(name)), "Acct-kerb");
    assert_string_equal(two_key_account_name(id, name, 7), "Acct-k");
    assert_string_equal(two_key_account_name(id, name, 5), "Acct");
}

static void test_read_kerberos_keys(void **state)
{
    static const char body[] =
        "{\"keys\":[{\"keyName\":\"key1\",\"value\":\"eA==\"},"
        "{\"keyName\":\"kerb2\",\"value\":\"" KEY_B "\"},{\"keyName\":\"kerb1\",\"value\":\"" KEY_A
        "\"}]}";
    static const char without[] = "{\"keys\":[{\"keyName\":\"key1\",\"value\":\"" KEY_A
                                  "\"},{\"keyName\":\"key2\",\"value\":\"" KEY_B "\"}]}";
    struct secret *keys[SLOT_COUNT];
    struct err err = {.code = 0};

    (void)state;
    assert_int_equal(two_key_read(&two_key_storage_kerberos, ACCT, body, strlen(body), keys, &err),
                     0);
    assert_string_equal(secret_bytes(keys[SLOT_PRIMARY]), KEY_A);
    assert_string_equal(secret_bytes(keys[SLOT_SECONDARY]), KEY_B);
    secret_free(keys[SLOT_PRIMARY]);
    secret_free(keys[SLOT_SECONDARY]);
    assert_int_equal(
        two_key_read(&two_key_storage_kerberos, ACCT, without, strlen(without), keys, &err),
        -ENODATA);
    assert_non_null(strstr(err.text, "kerb1"));
}

static void test_read_keys(void **state)
{
    static const struct {
        const char *body;
        const char *problem; /* NULL: none */
    } cases[] = {
        {"{\"accountName\":\"acct\",\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_B "\"}", NULL},
        {"{\"accountName\":\"ACCT\",\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_B "\"}", NULL},
        {"{\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_B "\",\"more\":[{}]}", NULL},
        {"{\"accountName\":\"other\",\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_B "\"}",
         "another resource"},
        {"{\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_A "\"}", "the same"},
        {"{\"primary\":\"" KEY_A "\"}", "\"secondary\""},
        {"{\"secondary\":\"" KEY_A "\"}", "\"primary\""},
        {"{\"primary\":\"\",\"secondary\":\"" KEY_A "\"}", "\"primary\" is not a key"},
        {"{\"primary\":null,\"secondary\":\"" KEY_A "\"}", "\"primary\""},
        {"{\"primary\":17,\"secondary\":\"" KEY_A "\"}", "\"primary\""},
        {"{\"primary\":\"" KEY_A "\",\"secondary\":\"AAECAwQFBgc\"}", "\"secondary\" is not a key"},
        {"{\"primary\":\"" KEY_A "\",\"secondary\":\"hunter2!\"}", "\"secondary\" is not a key"},
        {"{\"primary\":\"" KEY_A "\",\"primary\":\"" KEY_B "\",\"secondary\":\"" KEY_B "\"}", ""},
        {"{\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_B "\"", ""},
        {"{\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_B "\"}x", ""},
        {"[]", "\"primary\""},
        {"null", ""},
        {"<html>", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct secret *keys[SLOT_COUNT];
        struct err err = {.code = 0};
        int rc = two_key_read(batch, ACCT, cases[i].body, strlen(cases[i].body), keys, &err);

        if (!cases[i].problem) {
            assert_int_equal(rc, 0);
            assert_string_equal(secret_bytes(keys[SLOT_PRIMARY]), KEY_A);
            assert_string_equal(secret_bytes(keys[SLOT_SECONDARY]), KEY_B);
            secret_free(keys[SLOT_PRIMARY]);
            secret_free(keys[SLOT_SECONDARY]);
        } else {
            assert_int_equal(rc, strstr(err.text, "is missing") ? -ENODATA : -EINVAL);
            assert_null(keys[SLOT_PRIMARY]);
            assert_null(keys[SLOT_SECONDARY]);
            assert_non_null(strstr(err.text, cases[i].problem));
            assert_null(strstr(err.text, "AAECAwQF"));
            assert_null(strstr(err.text, "hunter2"));
        }
    }
}

#define ENDPOINT "\"accountEndpoint\":\"acct.westeurope.batch.azure.com\""

static void test_read_account(void **state)
{
    static const struct {
        const char *body;
        int expected;
        enum reason reason;
        bool stops_looks;
    } cases[] = {
        {"{\"location\":\"westeurope\",\"properties\":{" ENDPOINT "}}", 0, REASON_NONE, false},
        {"{\"location\":\"westeurope\",\"properties\":{" ENDPOINT
         ",\"provisioningState\":\"Succeeded\",\"poolAllocationMode\":\"BatchService\","
         "\"allowedAuthenticationModes\":[\"AAD\",\"SharedKey\"]}}",
         0, REASON_NONE, false},
        {"{\"location\":\"westeurope\",\"properties\":{" ENDPOINT
         ",\"allowedAuthenticationModes\":null,\"poolAllocationMode\":null}}",
         0, REASON_NONE, false},
        {"{\"location\":\"westeurope\",\"properties\":{" ENDPOINT
         ",\"allowedAuthenticationModes\":[\"sharedkey\"]}}",
         0, REASON_NONE, false},
        {"{\"properties\":{" ENDPOINT ",\"allowedAuthenticationModes\":[\"AAD\"]}}", 0,
         REASON_SHARED_KEY_DISABLED, false},
        {"{\"properties\":{" ENDPOINT ",\"allowedAuthenticationModes\":[]}}", 0,
         REASON_SHARED_KEY_DISABLED, false},
        {"{\"properties\":{" ENDPOINT ",\"allowedAuthenticationModes\":[1,null]}}", 0,
         REASON_SHARED_KEY_DISABLED, false},
        {"{\"properties\":{" ENDPOINT ",\"allowedAuthenticationModes\":\"SharedKey\"}}", -EINVAL,
         REASON_NONE, false},
        {"{\"properties\":{" ENDPOINT ",\"poolAllocationMode\":\"UserSubscription\"}}", 0,
         REASON_USER_SUBSCRIPTION_MODE, false},
        /* how the last change went says nothing about the account as it is */
        {"{\"properties\":{" ENDPOINT ",\"provisioningState\":\"Failed\"}}", 0, REASON_NONE, false},
        {"{\"properties\":{" ENDPOINT ",\"provisioningState\":\"cancelled\"}}", 0, REASON_NONE,
         false},
        {"{\"properties\":{" ENDPOINT ",\"provisioningState\":\"Canceled\"}}", 0, REASON_NONE,
         false},
        {"{\"properties\":{" ENDPOINT ",\"provisioningState\":\"Creating\"}}", 0,
         REASON_AZURE_ERROR, true},
        {"{\"properties\":{" ENDPOINT ",\"provisioningState\":\"Deleting\","
         "\"allowedAuthenticationModes\":[\"AAD\"]}}",
         0, REASON_AZURE_ERROR, true},
        {"{\"properties\":{" ENDPOINT ",\"provisioningState\":\"Invalid\"}}", 0, REASON_AZURE_ERROR,
         true},
        {"{\"properties\":{" ENDPOINT ",\"provisioningState\":\"Updating\"}}", 0,
         REASON_AZURE_ERROR, false},
        {"{\"properties\":{" ENDPOINT ",\"provisioningState\":\"Updating\","
         "\"allowedAuthenticationModes\":[\"AAD\"]}}",
         0, REASON_SHARED_KEY_DISABLED, false},
        {"{\"properties\":{\"accountEndpoint\":\"http://x\"}}", -EINVAL, REASON_NONE, false},
        {"{\"properties\":{\"accountEndpoint\":\"https://u@x/\"}}", -EINVAL, REASON_NONE, false},
        {"{\"properties\":{\"accountEndpoint\":17}}", -EINVAL, REASON_NONE, false},
        {"{\"properties\":[]}", -EINVAL, REASON_NONE, false},
        {"{}", -EINVAL, REASON_NONE, false},
        {"[]", -EINVAL, REASON_NONE, false},
        {"", -EINVAL, REASON_NONE, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct resource_obstacle obstacle;
        struct resource_facts facts;
        struct err err;

        assert_int_equal(
            two_key_describe(batch, cases[i].body, strlen(cases[i].body), &facts, &obstacle, &err),
            cases[i].expected);
        assert_int_equal(obstacle.reason, cases[i].reason);
        assert_int_equal(obstacle.stops_looks, cases[i].stops_looks);
        if (cases[i].expected == 0)
            assert_string_equal(facts.endpoint, "acct.westeurope.batch.azure.com");
        else
            assert_null(facts.endpoint);
        resource_facts_done(&facts);
    }
}

static void test_read_account_place(void **state)
{
    static const struct {
        const char *body;
        const char *endpoint, *location;
    } cases[] = {
        {"{\"location\":\"westeurope\",\"properties\":{" ENDPOINT "}}",
         "acct.westeurope.batch.azure.com", "westeurope"},
        {"{\"properties\":{\"provisioningState\":\"Succeeded\"}}", NULL, NULL},
        {"{\"location\":null,\"properties\":{\"accountEndpoint\":null}}", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct resource_obstacle obstacle;
        struct resource_facts facts;
        struct err err;

        assert_int_equal(
            two_key_describe(batch, cases[i].body, strlen(cases[i].body), &facts, &obstacle, &err),
            0);
        assert_int_equal(obstacle.reason, REASON_NONE);
        if (cases[i].endpoint) {
            assert_string_equal(facts.endpoint, cases[i].endpoint);
            assert_string_equal(facts.location, cases[i].location);
        } else {
            assert_null(facts.endpoint);
            assert_null(facts.location);
        }
        resource_facts_done(&facts);
    }
}

/* What Azure's own answers hold beside the members that are read: tags, above all. */
#define UNREAD                                                                                     \
    "\"tags\":{\"a\":\"\\ud83d\",\"b\":\"\\u0000\",\"n\":18446744073709551615,\"c\":\"1\",\"c\":"  \
    "\"2\"}"

static void test_what_nobody_reads_decides_nothing(void **state)
{
    static const char keys_body[] =
        "\xEF\xBB\xBF{" UNREAD ",\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_B "\"}";
    static const char account_body[] =
        "\xEF\xBB\xBF{" UNREAD ",\"location\":\"westeurope\",\"properties\":{" ENDPOINT
        ",\"provisioningState\":\"Succeeded\"," UNREAD "}}";
    struct resource_obstacle obstacle = {.reason = REASON_NONE};
    struct secret *keys[SLOT_COUNT];
    struct resource_facts facts;
    struct err err = {.code = 0};

    (void)state;
    assert_int_equal(two_key_read(batch, ACCT, keys_body, sizeof(keys_body) - 1, keys, &err), 0);
    assert_string_equal(secret_bytes(keys[SLOT_PRIMARY]), KEY_A);
    assert_string_equal(secret_bytes(keys[SLOT_SECONDARY]), KEY_B);
    secret_free(keys[SLOT_PRIMARY]);
    secret_free(keys[SLOT_SECONDARY]);
    assert_int_equal(
        two_key_describe(batch, account_body, sizeof(account_body) - 1, &facts, &obstacle, &err),
        0);
    assert_string_equal(facts.endpoint, "acct.westeurope.batch.azure.com");
    assert_int_equal(obstacle.reason, REASON_NONE);
    resource_facts_done(&facts);
}

/* Each member that is read, optional or not: twice, and with a value that is not valid JSON. */
static void test_what_is_read_stands_once(void **state)
{
    static const char *const properties[] = {
        "\"provisioningState\":\"Succeeded\",\"provisioningState\":\"Creating\"",
        "\"provisioningState\":\"\\ud83d\"",
        "\"poolAllocationMode\":\"BatchService\",\"poolAllocationMode\":\"UserSubscription\"",
        "\"allowedAuthenticationModes\":null,\"allowedAuthenticationModes\":[]",
        "\"allowedAuthenticationModes\":[\"\\ud83d\"]",
        "\"accountEndpoint\":\"b.example\"",
    };
    static const char *const keys_bodies[] = {
        "{\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_B "\",\"secondary\":\"" KEY_A "\"}",
        "{\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_B
        "\",\"accountName\":\"acct\",\"accountName\":\"acct\"}",
        "{\"primary\":\"" KEY_A "\",\"secondary\":\"" KEY_B "\",\"accountName\":\"\\ud83d\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        struct resource_obstacle obstacle = {.reason = REASON_NONE};
        struct resource_facts facts;
        struct err err = {.code = 0};
        char body[512];

        (void)snprintf(body, sizeof(body), "{\"location\":\"x\",\"properties\":{" ENDPOINT ",%s}}",
                       properties[i]);
        assert_int_equal(two_key_describe(batch, body, strlen(body), &facts, &obstacle, &err),
                         -EINVAL);
    }
    for (size_t i = 0; i < sizeof(keys_bodies) / sizeof(keys_bodies[0]); i++) {
        struct secret *keys[SLOT_COUNT];
        struct err err = {.code = 0};

        assert_int_equal(
            two_key_read(batch, ACCT, keys_bodies[i], strlen(keys_bodies[i]), keys, &err), -EINVAL);
        assert_non_null(strstr(err.text, "occurs twice"));
        assert_null(strstr(err.text, "AAECAwQF"));
    }
}

/* A URL stands for its host; a port is kept unless it is that of https. */
static void test_endpoints_of_descriptions(void **state)
{
    static const struct {
        const char *told, *endpoint;
    } cases[] = {
        {"https://ns.example:443/", "ns.example"},
        {"https://ns.example:8443/", "ns.example:8443"},
        {"https://ns.example/api/events", "ns.example"},
        {"ns.example:443", "ns.example:443"},
        {"https://ns.example:4443", "ns.example:4443"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct resource_obstacle obstacle;
        struct resource_facts facts;
        struct err err;
        char body[256];

        (void)snprintf(body, sizeof(body), "{\"properties\":{\"accountEndpoint\":\"%s\"}}",
                       cases[i].told);
        assert_int_equal(two_key_describe(batch, body, strlen(body), &facts, &obstacle, &err), 0);
        assert_string_equal(facts.endpoint, cases[i].endpoint);
        resource_facts_done(&facts);
    }
}

/* Where the port stands apart from the host. */
static void test_ports_of_descriptions(void **state)
{
    static const struct {
        const char *told;
        unsigned port;
        int rc;
    } cases[] = {
        {"{\"properties\":{\"hostName\":\"h\",\"sslPort\":6380}}", 6380, 0},
        {"{\"properties\":{\"hostName\":\"h\"}}", 0, 0},
        {"{\"properties\":{\"hostName\":\"h\",\"sslPort\":null}}", 0, 0},
        {"{\"properties\":{\"hostName\":\"h\",\"sslPort\":65536}}", 0, -EINVAL},
        {"{\"properties\":{\"hostName\":\"h\",\"sslPort\":-1}}", 0, -EINVAL},
        {"{\"properties\":{\"hostName\":\"h\",\"sslPort\":\"6380\"}}", 0, -EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct resource_obstacle obstacle;
        struct resource_facts facts;
        struct err err;

        assert_int_equal(two_key_describe(two_key_resource_named("redis"), cases[i].told,
                                          strlen(cases[i].told), &facts, &obstacle, &err),
                         cases[i].rc);
        assert_int_equal(facts.port, cases[i].port);
        resource_facts_done(&facts);
    }
}

/* Azure OpenAI is asked for something else than the other AI services. */
static void test_probes_of_kinds(void **state)
{
    static const struct {
        const char *told, *path;
    } cases[] = {
        {"{\"kind\":\"OpenAI\",\"properties\":{}}", "/openai/models?api-version=2024-10-21"},
        {"{\"kind\":\"aiservices\",\"properties\":{}}", "/openai/models?api-version=2024-10-21"},
        {"{\"kind\":\"SpeechServices\",\"properties\":{}}", "/sts/v1.0/issueToken"},
        {"{\"kind\":\"AI\",\"properties\":{}}", "/sts/v1.0/issueToken"},
        {"{\"properties\":{}}", "/sts/v1.0/issueToken"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct resource_obstacle obstacle;
        struct resource_facts facts;
        struct err err;

        assert_int_equal(two_key_describe(two_key_resource_named("cognitive_services"),
                                          cases[i].told, strlen(cases[i].told), &facts, &obstacle,
                                          &err),
                         0);
        assert_string_equal(facts.probe->path, cases[i].path);
        resource_facts_done(&facts);
    }
}

static void test_endpoint(void **state)
{
    static const struct {
        const char *endpoint;
        bool valid;
    } cases[] = {
        {"acct.westeurope.batch.azure.com", true},
        {"acct.westeurope.batch.localhost:8443", true},
        {"a", true},
        {"a:1", true},
        {"a:65535", true},
        {"a:65536", false},
        {"a:0", false},
        {"a:", false},
        {"a:1x", false},
        {"", false},
        {":1", false},
        {".a", false},
        {"-a", false},
        {"a/b", false},
        {"user@a", false},
        {"a?b", false},
        {"a#b", false},
        {"a b", false},
        {"https://a", false},
        {"a\nb", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(two_key_endpoint_ok(cases[i].endpoint), cases[i].valid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_rows_are_whole),
        cmocka_unit_test(test_names_of_pairs),
        cmocka_unit_test(test_read_kerberos_keys),
        cmocka_unit_test(test_read_keys),
        cmocka_unit_test(test_read_account),
        cmocka_unit_test(test_read_account_place),
        cmocka_unit_test(test_what_nobody_reads_decides_nothing),
        cmocka_unit_test(test_what_is_read_stands_once),
        cmocka_unit_test(test_endpoints_of_descriptions),
        cmocka_unit_test(test_ports_of_descriptions),
        cmocka_unit_test(test_probes_of_kinds),
        cmocka_unit_test(test_endpoint),
    };

    return cmocka_run_group_tests_name("two_key", tests, NULL, NULL);
}
