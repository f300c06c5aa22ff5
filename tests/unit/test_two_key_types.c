/* What is particular about single types: bodies, names, switches, forms of keys. */
#include "proto/two_key/two_key.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/json.h"

#define RUNTIME_KEY                                                                                \
    "IR@0f1e2d3c-0000-4000-8000-000000000001@contoso@ServiceEndpoint=contoso.frontend.example@"    \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

#define SITE                                                                                       \
    "/subscriptions/0/resourceGroups/rg/providers/Microsoft.BotService/botServices/bot/channels/"  \
    "DirectLineChannel/sites/Default Site"

/* The value of the member that says which key, or the only element of the list that this is. There
 * is no other member, unless it says whose. */
static struct json_object *only_value(struct json_object *body,
                                      const struct two_key_operation *operation)
{
    struct json_object *value = json_member(body, operation->member);

    assert_int_equal(json_object_object_length(body), operation->owner ? 2 : 1);
    if (json_object_is_type(value, json_type_array)) {
        assert_int_equal(json_object_array_length(value), 1);
        value = json_object_array_get_idx(value, 0);
    }
    return value;
}

/* No row can ask for two keys at once, nor for a key of somebody's choice. */
static void test_a_body_names_one_key(void **state)
{
    const struct two_key_resource *type;

    (void)state;
    for (size_t i = 0; (type = two_key_resource_at(i)); i++) {
        for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
            struct err err = {.code = 0};
            struct json_object *body, *value;
            struct buf out;

            buf_init(&out, 1024);
            assert_int_equal(two_key_body(&type->regenerate[slot], SITE, "id-1", &out, &err), 0);
            assert_int_equal(out.length == 0, !type->regenerate[slot].member);
            if (out.length > 0) {
                body = json_parse(buf_str(&out), out.length, &err);
                assert_non_null(body);
                value = only_value(body, &type->regenerate[slot]);
                assert_true(json_object_is_type(value, json_type_string));
                assert_string_equal(json_object_get_string(value), type->regenerate[slot].word
                                                                       ? type->regenerate[slot].word
                                                                       : "id-1");
                json_object_put(body);
            }
            buf_done(&out);
        }
    }
}

/* By a third word SignalR changes what both keys are made of. */
static void test_no_row_says_salt(void **state)
{
    const struct two_key_resource *type;

    (void)state;
    for (size_t i = 0; (type = two_key_resource_at(i)); i++)
        for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
            assert_true(!type->regenerate[slot].word ||
                        strcasecmp(type->regenerate[slot].word, "salt") != 0);
}

/* Regenerates that Azure goes on with after its answer, and the pairs of Cosmos DB. */
static void test_slow_types(void **state)
{
    static const char *const names[] = {"cosmos",
                                        "redis_enterprise",
                                        "signalr",
                                        "web_pubsub",
                                        "event_grid_topic",
                                        "event_grid_namespace",
                                        "event_grid_namespace_topic",
                                        "ml_online_endpoint",
                                        "ml_serverless_endpoint"};
    const struct two_key_resource *cosmos = two_key_resource_named("cosmos");
    const struct two_key_resource *read_only = two_key_pair_named(cosmos, "read_only");

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_true(two_key_resource_named(names[i])->slow_for >= MS_HOUR);
    for (size_t i = 0; two_key_resource_at(i); i++) /* the end is seen before lists show it */
        assert_int_equal(two_key_resource_at(i)->slow_for > 0,
                         two_key_resource_at(i)->list_delay > 0);
    assert_int_equal(two_key_resource_named("communication")->slow_for, 0);
    assert_true(cosmos->slow_for >= 6 * MS_HOUR);
    assert_string_equal(read_only->regenerate[SLOT_PRIMARY].word, "primaryReadonly");
    assert_string_equal(read_only->key_paths[SLOT_SECONDARY], "secondaryReadonlyMasterKey");
    assert_int_equal(read_only->slow_for, cosmos->slow_for);
}

static void test_bodies(void **state)
{
    static const struct {
        const char *type, *operation, *body;
    } cases[] = {
        {"batch", "regenerateKeys", "{\"keyName\":\"Secondary\"}"},
        {"search", "regenerateAdminKey/secondary", ""},
        {"notification_hub", "regenerateKeys", "{\"policyKey\":\"SecondaryKey\"}"},
        {"automation", "agentRegistrationInformation/regenerateKey", "{\"keyName\":\"secondary\"}"},
        {"communication", "regenerateKey", "{\"keyType\":\"Secondary\"}"},
        {"data_factory_runtime", "regenerateAuthKey", "{\"keyName\":\"authKey2\"}"},
        {"data_migration", "regenerateAuthKeys", "{\"keyName\":\"authKey2\"}"},
        {"apim_subscription", "regenerateSecondaryKey", ""},
        {"apim_gateway", "regenerateKey", "{\"keyType\":\"secondary\"}"},
        {"spring", "regenerateTestKey", "{\"keyType\":\"Secondary\"}"},
        {"ml_endpoint", "regenerateKey", "{\"keyName\":\"Key2\"}"},
        {"quantum", "regenerateKey", "{\"keys\":[\"Secondary\"]}"},
        {"app_configuration", "regenerateKey", "{\"id\":\"id-1\"}"},
        {"cosmos", "regenerateKey", "{\"keyKind\":\"secondary\"}"},
        {"redis_enterprise", "regenerateKey", "{\"keyType\":\"Secondary\"}"},
        {"signalr", "regenerateKey", "{\"keyType\":\"Secondary\"}"},
        {"web_pubsub", "regenerateKey", "{\"keyType\":\"Secondary\"}"},
        {"event_grid_namespace_topic", "regenerateKey", "{\"keyName\":\"key2\"}"},
        {"ml_online_endpoint", "regenerateKeys", "{\"keyType\":\"Secondary\"}"},
        {"ml_serverless_endpoint", "regenerateKeys", "{\"keyType\":\"Secondary\"}"},
        {"bot_channel", "regeneratekeys", "{\"siteName\":\"Default Site\",\"key\":\"key2\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct two_key_operation *operation =
            &two_key_resource_named(cases[i].type)->regenerate[SLOT_SECONDARY];
        struct err err = {.code = 0};
        struct buf out;

        buf_init(&out, 1024);
        assert_string_equal(operation->name, cases[i].operation);
        assert_int_equal(two_key_body(operation, SITE, "id-1", &out, &err), 0);
        assert_string_equal(buf_str(&out), cases[i].body);
        buf_done(&out);
    }
}

/* Without the id that the list gives a key, nothing is asked for. */
static void test_keys_named_by_ids(void **state)
{
    const struct two_key_resource *store = two_key_resource_named("app_configuration");
    static const struct {
        const char *primary, *secondary; /* JSON */
        int rc;
    } cases[] = {
        {"\"0-l4-s0:h/Ta+fg==\"", "\"b\"", 0},
        {"\"a\"", "null", -EINVAL},
        {"\"a\"", "\"\"", -EINVAL},
        {"\"a;b\"", "\"b\"", -EINVAL},
        {"\"a\\\"b\"", "\"b\"", -EINVAL},
        {"17", "\"b\"", -EINVAL},
    };
    char *ids[SLOT_COUNT];
    struct err err = {.code = 0};
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    assert_int_equal(two_key_body(&store->regenerate[SLOT_PRIMARY], SITE, NULL, &out, &err),
                     -ENODATA);
    assert_int_equal(out.length, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_clear(&out);
        (void)buf_append_format(&out,
                                "{\"value\":[{\"name\":\"Secondary\",\"id\":%s},{\"name\":"
                                "\"Primary Read Only\",\"id\":\"r\"},{\"name\":\"Primary\","
                                "\"id\":%s}]}",
                                cases[i].secondary, cases[i].primary);
        assert_int_equal(two_key_read_ids(store, buf_str(&out), out.length, ids, &err),
                         cases[i].rc);
        assert_int_equal(!ids[SLOT_PRIMARY], cases[i].rc != 0);
        if (cases[i].rc == 0) {
            assert_string_equal(ids[SLOT_PRIMARY], "0-l4-s0:h/Ta+fg==");
            assert_string_equal(ids[SLOT_SECONDARY], "b");
        }
        free(ids[SLOT_PRIMARY]);
        free(ids[SLOT_SECONDARY]);
    }
    buf_done(&out);
    assert_int_equal(two_key_read_ids(two_key_resource_at(0), "{}", 2, ids, &err), 0);
    assert_null(ids[SLOT_PRIMARY]);
}

/* A channel has several sites; each account takes the keys of its own. */
static void test_keys_of_sites(void **state)
{
    static const char body[] =
        "{\"properties\":{\"properties\":{\"sites\":["
        "{\"siteName\":\"main\",\"key\":\"main.key1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
        "\"key2\":\"main.key2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"},"
        "{\"siteName\":\"Default Site\","
        "\"key\":\"dflt.key1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
        "\"key2\":\"dflt.key2_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}}}";
    const struct two_key_resource *site = two_key_resource_named("bot_channel");
    char name[TWO_KEY_ACCOUNT_NAME_MAX];
    struct secret *keys[SLOT_COUNT];
    struct err err = {.code = 0};

    (void)state;
    assert_int_equal(two_key_read(site, SITE, body, sizeof(body) - 1, keys, &err), 0);
    assert_memory_equal(secret_bytes(keys[SLOT_PRIMARY]), "dflt.key1", 9);
    assert_memory_equal(secret_bytes(keys[SLOT_SECONDARY]), "dflt.key2", 9);
    secret_free(keys[SLOT_PRIMARY]);
    secret_free(keys[SLOT_SECONDARY]);
    assert_ptr_equal(two_key_resource_find(SITE), site);
    assert_string_equal(two_key_account_name(SITE, name, sizeof(name)),
                        "bot-DirectLineChannel-Default-Site");
    assert_true(two_key_above_ok(site, SITE));
    assert_false(two_key_above_ok(site,
                                  "/subscriptions/0/resourceGroups/rg/providers/"
                                  "Microsoft.BotService/botServices/b/channels/Email/sites/s"));
}

static time_ms instant(const char *text)
{
    time_ms at;

    assert_true(date_from_rfc3339(text, &at));
    return at;
}

/* Each type whose keys Azure dates, with an answer that has both pairs where there are two. */
static void test_when_keys_were_made(void **state)
{
    static const char storage[] =
        "{\"keys\":[{\"keyName\":\"key1\",\"creationTime\":\"2024-01-02T03:04:05.1234567Z\"},"
        "{\"keyName\":\"key2\",\"creationTime\":\"2025-01-02T03:04:05Z\"},"
        "{\"keyName\":\"kerb1\",\"creationTime\":\"2023-05-06T00:00:00Z\"},"
        "{\"keyName\":\"kerb2\"}]}";
    static const char store[] =
        "{\"value\":[{\"name\":\"Primary\",\"lastModified\":\"2024-01-02T03:04:05+00:00\"},"
        "{\"name\":\"Primary Read Only\",\"lastModified\":\"2023-05-06T02:00:00+02:00\"},"
        "{\"name\":\"Secondary\",\"lastModified\":\"2025-01-02T03:04:05+00:00\"},"
        "{\"name\":\"Secondary Read Only\",\"lastModified\":null}]}";
    static const char maps[] =
        "{\"primaryKeyLastUpdated\":\"2024-01-02T03:04:05Z\",\"secondaryKeyLastUpdated\":"
        "\"2025-01-02T03:04:05Z\"}";
    static const char quantum[] =
        "{\"primaryKey\":{\"createdAt\":\"2024-01-02T03:04:05Z\"},\"secondaryKey\":"
        "{\"createdAt\":\"2025-01-02T03:04:05Z\"}}";
    static const char cosmos[] =
        "{\"properties\":{\"keysMetadata\":{\"primaryMasterKey\":{\"generationTime\":"
        "\"2024-01-02T03:04:05Z\"},\"secondaryMasterKey\":{\"generationTime\":"
        "\"2025-01-02T03:04:05Z\"},\"primaryReadonlyMasterKey\":{\"generationTime\":"
        "\"2023-05-06T00:00:00Z\"},\"secondaryReadonlyMasterKey\":{}}}}";
    static const struct {
        const char *type, *pair, *answer;
        enum two_key_teller teller;
    } cases[] = {
        {"storage", NULL, storage, TOLD_BY_LIST},
        {"storage", "kerb", storage, TOLD_BY_LIST},
        {"app_configuration", NULL, store, TOLD_BY_LIST},
        {"app_configuration", "read_only", store, TOLD_BY_LIST},
        {"maps", NULL, maps, TOLD_BY_LIST},
        {"quantum", NULL, quantum, TOLD_BY_LIST},
        {"cosmos", NULL, cosmos, TOLD_BY_DESCRIPTION},
        {"cosmos", "read_only", cosmos, TOLD_BY_DESCRIPTION},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct two_key_resource *type = two_key_resource_named(cases[i].type);
        const enum two_key_teller other =
            cases[i].teller == TOLD_BY_LIST ? TOLD_BY_DESCRIPTION : TOLD_BY_LIST;
        time_ms made[SLOT_COUNT] = {7, 7};

        if (cases[i].pair)
            type = two_key_pair_named(type, cases[i].pair);
        two_key_read_made(type, other, cases[i].answer, strlen(cases[i].answer), made);
        assert_int_equal(made[SLOT_PRIMARY], 7);
        two_key_read_made(type, cases[i].teller, cases[i].answer, strlen(cases[i].answer), made);
        if (cases[i].pair) {
            assert_int_equal(made[SLOT_PRIMARY], instant("2023-05-06T00:00:00Z"));
            assert_int_equal(made[SLOT_SECONDARY], 0);
        } else {
            assert_int_equal(made[SLOT_PRIMARY] / MS_SECOND,
                             instant("2024-01-02T03:04:05Z") / MS_SECOND);
            assert_int_equal(made[SLOT_SECONDARY], instant("2025-01-02T03:04:05Z"));
        }
    }
}

/* Whatever is no time is not told, and never an error. */
static void test_times_that_are_none(void **state)
{
    static const char *const answers[] = {
        "",
        "no JSON",
        "[]",
        "{}",
        "{\"primaryKeyLastUpdated\":17,\"secondaryKeyLastUpdated\":{}}",
        "{\"primaryKeyLastUpdated\":\"yesterday\",\"secondaryKeyLastUpdated\":\"\"}",
        "{\"primaryKeyLastUpdated\":\"2024-01-02T03:04:05\"}",
        "{\"primaryKeyLastUpdated\":\"0001-01-01T00:00:00Z\"}",
        "{\"primaryKeyLastUpdated\":\"2024-01-02T03:04:05Z\",\"primaryKeyLastUpdated\":"
        "\"2025-01-02T03:04:05Z\"}",
    };
    const struct two_key_resource *maps = two_key_resource_named("maps");
    const struct two_key_resource *batch = two_key_resource_named("batch");
    time_ms made[SLOT_COUNT];

    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        made[SLOT_PRIMARY] = made[SLOT_SECONDARY] = 7;
        two_key_read_made(maps, TOLD_BY_LIST, answers[i], strlen(answers[i]), made);
        assert_int_equal(made[SLOT_PRIMARY], 0);
        assert_int_equal(made[SLOT_SECONDARY], 0);
    }
    made[SLOT_PRIMARY] = 7;
    two_key_read_made(batch, TOLD_BY_LIST, answers[3], strlen(answers[3]), made);
    assert_int_equal(made[SLOT_PRIMARY], 7);
}

static void test_names(void **state)
{
    static const struct {
        const char *type, *name;
        bool ok;
    } cases[] = {
        {"apim_tenant", "access", true},  {"apim_tenant", "gitaccess", true},
        {"apim_tenant", "git", false},    {"apim_tenant", "accessgit", false},
        {"apim_gateway", "gw-1", true},   {"automation", "acct", false},
        {"quantum", "contoso-qc", true},  {"spring", "contoso_apps", false},
        {"communication", "acs", true},   {"data_migration", "dms.north", true},
        {"synapse_runtime", "ir", false}, {"bot_channel", "Default Site", true},
        {"bot_channel", "a\"b", false},   {"app_configuration", "conf_1", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(two_key_name_ok(two_key_resource_named(cases[i].type), cases[i].name,
                                         strlen(cases[i].name)),
                         cases[i].ok);
}

static void test_switches(void **state)
{
    static const struct {
        const char *type, *properties;
        int rc;
        enum reason reason;
    } cases[] = {
        {"data_factory_runtime", "{\"type\":\"SelfHosted\"}", 0, REASON_NONE},
        {"data_factory_runtime", "{\"type\":\"Managed\"}", 0, REASON_SHARED_KEY_DISABLED},
        {"synapse_runtime", "{}", 0, REASON_SHARED_KEY_DISABLED},
        {"synapse_runtime", "{\"type\":17}", -EINVAL, REASON_NONE},
        {"data_migration", "{}", 0, REASON_NONE},
        {"apim_subscription", "{\"state\":\"active\"}", 0, REASON_NONE},
        {"apim_subscription", "{\"state\":\"suspended\"}", 0, REASON_SHARED_KEY_DISABLED},
        {"apim_workspace_subscription", "{}", 0, REASON_SHARED_KEY_DISABLED},
        {"apim_tenant", "{\"enabled\":true}", 0, REASON_NONE},
        {"apim_tenant", "{\"enabled\":false}", 0, REASON_SHARED_KEY_DISABLED},
        {"quantum", "{}", 0, REASON_NONE},
        {"quantum", "{\"apiKeyEnabled\":false}", 0, REASON_SHARED_KEY_DISABLED},
        {"automation", "{\"disableLocalAuth\":true}", 0, REASON_SHARED_KEY_DISABLED},
        {"communication", "{\"disableLocalAuth\":true}", 0, REASON_SHARED_KEY_DISABLED},
        {"cosmos", "{\"disableLocalAuth\":true}", 0, REASON_SHARED_KEY_DISABLED},
        {"cosmos", "{\"disableKeyBasedMetadataWriteAccess\":true}", 0, REASON_NONE},
        {"redis_enterprise", "{\"accessKeysAuthentication\":\"Enabled\"}", 0, REASON_NONE},
        {"redis_enterprise", "{\"accessKeysAuthentication\":\"Disabled\"}", 0,
         REASON_SHARED_KEY_DISABLED},
        {"signalr", "{\"disableLocalAuth\":true}", 0, REASON_SHARED_KEY_DISABLED},
        {"ml_online_endpoint", "{\"authMode\":\"Key\"}", 0, REASON_NONE},
        {"ml_online_endpoint", "{\"authMode\":\"AMLToken\"}", 0, REASON_SHARED_KEY_DISABLED},
        {"ml_serverless_endpoint", "{\"authMode\":\"KeyAndAAD\"}", 0, REASON_NONE},
        {"ml_serverless_endpoint", "{\"authMode\":\"AAD\"}", 0, REASON_SHARED_KEY_DISABLED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct resource_obstacle obstacle;
        struct resource_facts facts;
        struct err err = {.code = 0};
        struct buf body;

        buf_init(&body, 1024);
        (void)buf_append_format(&body, "{\"properties\":%s}", cases[i].properties);
        assert_int_equal(two_key_describe(two_key_resource_named(cases[i].type), buf_str(&body),
                                          body.length, &facts, &obstacle, &err),
                         cases[i].rc);
        assert_int_equal(obstacle.reason, cases[i].reason);
        resource_facts_done(&facts);
        buf_done(&body);
    }
}

/* Some say it in the answer to the list, alone or too. */
static void test_switches_in_the_list(void **state)
{
    static const struct {
        const char *type, *body;
        int rc;
        enum reason reason;
    } cases[] = {
        {"spring", "{\"enabled\":true}", 0, REASON_NONE},
        {"spring", "{}", 0, REASON_NONE},
        {"spring", "{\"enabled\":false}", 0, REASON_SHARED_KEY_DISABLED},
        {"spring", "{\"enabled\":\"no\"}", -EINVAL, REASON_NONE},
        {"spring", "{", -EINVAL, REASON_NONE},
        {"apim_tenant", "{\"enabled\":true}", 0, REASON_NONE},
        {"apim_tenant", "{\"enabled\":false}", 0, REASON_SHARED_KEY_DISABLED},
        {"quantum", "{}", 0, REASON_NONE},
        {"quantum", "{\"apiKeyEnabled\":false}", 0, REASON_SHARED_KEY_DISABLED},
        {"bot_channel", "{\"setting\":null}", 0, REASON_NONE},
        {"bot_channel", "{\"setting\":{\"disableLocalAuth\":false}}", 0, REASON_NONE},
        {"bot_channel", "{\"setting\":{\"disableLocalAuth\":true}}", 0, REASON_SHARED_KEY_DISABLED},
        {"batch", "{\"enabled\":false}", 0, REASON_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct resource_obstacle obstacle;
        struct err err = {.code = 0};

        assert_int_equal(two_key_list_obstacle(two_key_resource_named(cases[i].type), cases[i].body,
                                               strlen(cases[i].body), &obstacle, &err),
                         cases[i].rc);
        assert_int_equal(obstacle.reason, cases[i].reason);
    }
}

/* In each of the formats the key begins where it begins, and ends where it ends. */
static void test_keys_of_runtimes(void **state)
{
    static const struct {
        const char *bytes;
        size_t count;
    } cases[] = {
        {RUNTIME_KEY "\n", 1},
        {"AUTH_KEY=" RUNTIME_KEY "\n", 1},
        {"{\"key\":\"" RUNTIME_KEY "\"}", 1},
        {"key: '" RUNTIME_KEY "'\n", 1},
        {"IR@short", 0},
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 0},
        {"", 0},
    };
    struct secret *other = secret_new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 44);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key_text found;

        assert_int_equal(
            key_text_find(&found, &key_shape_runtime, cases[i].bytes, strlen(cases[i].bytes)), 0);
        assert_int_equal(found.key_count, cases[i].count);
        if (found.key_count > 0) {
            assert_string_equal(secret_bytes(found.keys[0]), RUNTIME_KEY);
            assert_true(key_text_fits(found.keys[0], &key_shape_runtime));
        }
        key_text_done(&found);
    }
    assert_false(key_text_fits(other, &key_shape_runtime));
    secret_free(other);
}

/* What is refused is of no type of the table, and says why. */
static void test_refused(void **state)
{
    const struct two_key_refused *refused;
    size_t i;

    (void)state;
    for (i = 0; (refused = two_key_refused_at(i)); i++) {
        assert_null(two_key_resource_named(refused->type));
        assert_non_null(strchr(refused->type, '/'));
        assert_ptr_equal(two_key_refused_named(refused->type), refused);
        assert_true(strlen(refused->why) > 8);
        assert_true(refused->why[strlen(refused->why) - 1] != '.');
    }
    assert_true(i > 30);
    assert_ptr_equal(two_key_refused_named("MICROSOFT.LOGIC/WORKFLOWS"),
                     two_key_refused_named("Microsoft.Logic/workflows"));
    assert_null(two_key_refused_named("Microsoft.Logic"));
    assert_null(two_key_refused_named("Microsoft.Batch/batchAccounts"));
}

static void test_types_in_ids(void **state)
{
    static const struct {
        const char *id, *type;
    } cases[] = {
        {"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Logic/workflows/w",
         "Microsoft.Logic/workflows"},
        {"/subscriptions/0/resourceGroups/rg/providers/A.B/cs/c1/ds/d1/es/e1", "A.B/cs/ds/es"},
        {"/subscriptions/0/resourceGroups/rg/PROVIDERS/A.B/cs", "A.B/cs"},
        {"/subscriptions/0/resourceGroups/rg", ""},
        {"", ""},
    };
    char type[TWO_KEY_TYPE_MAX], small[8];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(two_key_type_in_id(cases[i].id, type, sizeof(type)), cases[i].type);
    assert_string_equal(two_key_type_in_id(cases[1].id, small, sizeof(small)), "A.B/cs/");
}

static void test_what_stands_below(void **state)
{
    (void)state;
    assert_ptr_equal(two_key_resource_below("microsoft.relay/NAMESPACES"),
                     two_key_resource_named("relay"));
    assert_ptr_equal(two_key_resource_below("Microsoft.Relay/namespaces/wcfRelays"),
                     two_key_resource_named("relay_wcf"));
    assert_null(two_key_resource_below("Microsoft.Relay/namespace"));
    assert_null(two_key_resource_below("Microsoft.Relay"));
    assert_null(two_key_resource_below("Microsoft.Batch/batchAccounts"));
    assert_null(two_key_resource_below(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_body_names_one_key),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_no_row_says_salt),
        cmocka_unit_test(test_slow_types),
        cmocka_unit_test(test_keys_named_by_ids),
        cmocka_unit_test(test_keys_of_sites),
        cmocka_unit_test(test_when_keys_were_made),
        cmocka_unit_test(test_times_that_are_none),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_switches),
        cmocka_unit_test(test_switches_in_the_list),
        cmocka_unit_test(test_keys_of_runtimes),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_types_in_ids),
        cmocka_unit_test(test_what_stands_below),
    };

    return cmocka_run_group_tests_name("two_key_types", tests, NULL, NULL);
}
