/* What a row of the table says for people: paths, permissions, variables. */
#include "proto/two_key/two_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_path_forms(void **state)
{
    static const struct {
        const char *type;
        size_t depth;
        const char *form;
    } cases[] = {
        {"Microsoft.Batch/batchAccounts", 1, ""},
        {"Microsoft.ServiceBus/namespaces/AuthorizationRules", 2, "RULE"},
        {"Microsoft.ServiceBus/namespaces/queues/authorizationRules", 3, "QUEUE/RULE"},
        {"Microsoft.Relay/namespaces/hybridConnections/authorizationRules", 3, "CONNECTION/RULE"},
        {"Microsoft.ApiManagement/service/workspaces/subscriptions", 3, "WORKSPACE/SUBSCRIPTION"},
        {"Microsoft.ApiManagement/service/tenant", 2, "TENANT"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct two_key_resource type = {.type = cases[i].type};
        struct buf form;

        buf_init(&form, 1024);
        two_key_append_path_form(&type, &form);
        assert_string_equal(buf_str(&form), cases[i].form);
        assert_int_equal(two_key_depth(&type), cases[i].depth);
        buf_done(&form);
    }
}

static void test_actions(void **state)
{
    struct two_key_resource type = {
        .read_action = "T/read", .list_action = "T/list/action", .regenerate_action = "T/first"};
    const char *actions[TWO_KEY_ACTIONS_MAX];

    (void)state;
    assert_int_equal(two_key_actions(&type, actions), 3);
    assert_string_equal(actions[0], "T/read");
    assert_string_equal(actions[2], "T/first");
    assert_string_equal(two_key_regenerate_action(&type, SLOT_PRIMARY), "T/first");
    assert_string_equal(two_key_regenerate_action(&type, SLOT_SECONDARY), "T/first");

    type.regenerate_secondary_action = "T/second";
    assert_int_equal(two_key_actions(&type, actions), 4);
    assert_string_equal(actions[3], "T/second");
    assert_string_equal(two_key_regenerate_action(&type, SLOT_PRIMARY), "T/first");
    assert_string_equal(two_key_regenerate_action(&type, SLOT_SECONDARY), "T/second");

    /* The right to read may be the one to list. */
    type.list_action = "T/read";
    assert_int_equal(two_key_actions(&type, actions), 3);
}

/* Only where a regenerate takes its time. */
static void test_poll_actions(void **state)
{
    static const struct {
        const char *type;
        size_t count;
        const char *first;
    } cases[] = {
        {"Microsoft.EventGrid/topics", 2, "Microsoft.EventGrid/locations/operationsStatus/read"},
        {"Microsoft.DocumentDB/databaseAccounts", 1,
         "Microsoft.DocumentDB/locations/operationsStatus/read"},
        {"Microsoft.SignalRService/SignalR", 2,
         "Microsoft.SignalRService/locations/operationStatuses/signalr/read"},
        {"Microsoft.SignalRService/webPubSub", 2,
         "Microsoft.SignalRService/locations/operationStatuses/webpubsub/read"},
        {"Microsoft.MachineLearningServices/workspaces/onlineEndpoints", 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct two_key_resource type = {.type = cases[i].type,
                                        .read_action = "T/read",
                                        .list_action = "T/list/action",
                                        .regenerate_action = "T/first"};
        const char *actions[TWO_KEY_ACTIONS_MAX];

        assert_int_equal(two_key_poll_actions(&type, actions), 0);
        type.slow_for = MS_HOUR;
        assert_int_equal(two_key_poll_actions(&type, actions), cases[i].count);
        assert_int_equal(two_key_actions(&type, actions), 3 + cases[i].count);
        if (cases[i].first)
            assert_string_equal(actions[3], cases[i].first);
    }
}

static void test_variables(void **state)
{
    struct two_key_resource type = {.env_name = "A_NAME", .env_key = "A_KEY"};
    const char *names[TWO_KEY_VARIABLES_MAX];

    (void)state;
    assert_int_equal(two_key_variables(&type, names), 2);
    type.env_endpoint = "A_HOST";
    assert_int_equal(two_key_variables(&type, names), 3);
    assert_string_equal(names[1], "A_KEY");
    assert_string_equal(names[2], "A_HOST");
    type.env_other_key = "B_KEY";
    type.env_other_endpoint = "B_HOST";
    assert_int_equal(two_key_variables(&type, names), 5);
    assert_string_equal(names[3], "B_KEY");
    assert_string_equal(names[4], "B_HOST");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_forms),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_poll_actions),
        cmocka_unit_test(test_variables),
    };

    return cmocka_run_group_tests_name("two_key_words", tests, NULL, NULL);
}
