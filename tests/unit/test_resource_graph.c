#include "proto/resource_graph.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROW(name)                                                                                  \
    "{\"id\":\"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/P/"  \
    "t/"                                                                                           \
    "" name "\",\"location\":\"westeurope\",\"tags\":{\"a\":\"b\"}}"
#define REST ",\"totalRecords\":2,\"count\":1,\"resultTruncated\":\"false\""

static void test_query(void **state)
{
    static const char *const subscriptions[] = {"s1", "s2"};
    static const char *const types[] = {"Microsoft.Batch/batchAccounts", "P/t"};
    struct resource_graph_query query = {
        .subscriptions = subscriptions, .subscription_count = 2, .types = types, .type_count = 2};
    struct buf out;

    (void)state;
    buf_init(&out, RESOURCE_GRAPH_BODY_MAX);
    resource_graph_write(&out, &query);
    assert_string_equal(
        buf_str(&out),
        "{\"subscriptions\":[\"s1\",\"s2\"],\"query\":\"resources | where type in~ "
        "('Microsoft.Batch/batchAccounts', 'P/t') | project id, location, tags | order by id asc\","
        "\"options\":{\"resultFormat\":\"objectArray\",\"$top\":1000}}");
    buf_clear(&out);
    query.skip_token = "a\"b";
    resource_graph_write(&out, &query);
    assert_non_null(strstr(buf_str(&out), "\"$top\":1000,\"$skipToken\":\"a\\\"b\"}}"));
    buf_done(&out);
}

static void test_largest_query(void **state)
{
    const char *subscriptions[RESOURCE_GRAPH_SUBSCRIPTIONS], *types[64];
    static char token[RESOURCE_GRAPH_TOKEN_MAX + 1];
    struct buf out;

    (void)state;
    memset(token, '"', RESOURCE_GRAPH_TOKEN_MAX);
    for (size_t i = 0; i < RESOURCE_GRAPH_SUBSCRIPTIONS; i++)
        subscriptions[i] = "00000000-0000-0000-0000-000000000001";
    for (size_t i = 0; i < 64; i++)
        types[i] = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints";
    buf_init(&out, RESOURCE_GRAPH_BODY_MAX);
    resource_graph_write(
        &out, &(struct resource_graph_query){.subscriptions = subscriptions,
                                             .subscription_count = RESOURCE_GRAPH_SUBSCRIPTIONS,
                                             .types = types,
                                             .type_count = 64,
                                             .skip_token = token});
    assert_int_equal(out.failed, 0);
    buf_done(&out);
}

static void test_page(void **state)
{
    static const char text[] = "{\"data\":[" ROW("n") "]" REST ",\"$skipToken\":\"next\"}";
    struct resource_graph_page page;
    struct arm_resource resource;
    struct err err;

    (void)state;
    assert_int_equal(resource_graph_read(text, strlen(text), &page, &err), 0);
    assert_int_equal(arm_page_count(page.rows), 1);
    arm_page_resource(page.rows, 0, &resource);
    assert_string_equal(resource.location, "westeurope");
    assert_string_equal(resource.tags[0].value, "b");
    assert_string_equal(page.skip_token, "next");
    assert_false(page.truncated);
    assert_int_equal(page.total, 2);
    arm_page_free(page.rows);
}

static void test_truncated(void **state)
{
    static const struct {
        const char *value;
        bool truncated;
    } cases[] = {{"\"true\"", true}, {"\"True\"", true}, {"true", true}, {"false", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct resource_graph_page page;
        struct err err;
        struct buf text;

        buf_init(&text, 256);
        assert_int_equal(buf_append_format(&text,
                                           "{\"data\":[],\"totalRecords\":0,\"resultTruncated\":%s,"
                                           "\"$skipToken\":\"\"}",
                                           cases[i].value),
                         0);
        assert_int_equal(resource_graph_read(buf_str(&text), text.length, &page, &err), 0);
        assert_int_equal(page.truncated, cases[i].truncated);
        assert_null(page.skip_token);
        arm_page_free(page.rows);
        buf_done(&text);
    }
}

/* What does not say whether it is whole must not look so. */
static void test_no_page(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "<html></html>",
        "{\"value\":[]" REST "}",
        "{\"data\":{\"columns\":[],\"rows\":[]}" REST "}",
        "{\"data\":[{}]" REST "}",
        "{\"data\":[" ROW("a") "," ROW("b") "]" REST "}",
        "{\"data\":[],\"resultTruncated\":\"false\"}",
        "{\"data\":[],\"totalRecords\":-1,\"resultTruncated\":\"false\"}",
        "{\"data\":[],\"totalRecords\":\"0\",\"resultTruncated\":\"false\"}",
        "{\"data\":[],\"totalRecords\":0}",
        "{\"data\":[],\"totalRecords\":0,\"resultTruncated\":\"no\"}",
        "{\"data\":[],\"totalRecords\":0,\"resultTruncated\":\"false\",\"$skipToken\":7}",
        "{\"data\":[" ROW("a") "]" REST,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct resource_graph_page page;
        struct err err = {.code = 0};

        assert_int_equal(resource_graph_read(texts[i], strlen(texts[i]), &page, &err), -EINVAL);
        assert_null(page.rows);
        assert_true(err.text[0] != '\0');
    }
}

static void test_long_token(void **state)
{
    struct resource_graph_page page;
    struct err err;
    struct buf text;

    (void)state;
    buf_init(&text, 2 * RESOURCE_GRAPH_TOKEN_MAX);
    (void)buf_append_str(&text, "{\"data\":[" ROW("a") "]" REST ",\"$skipToken\":\"");
    for (size_t i = 0; i <= RESOURCE_GRAPH_TOKEN_MAX; i++)
        (void)buf_append_char(&text, 'x');
    (void)buf_append_str(&text, "\"}");
    assert_int_equal(resource_graph_read(buf_str(&text), text.length, &page, &err), -EINVAL);
    assert_non_null(strstr(err.text, "too long"));
    buf_done(&text);
}

static void test_pause(void **state)
{
    static const struct {
        const char *remaining, *resets_after;
        duration_ms pause;
    } cases[] = {
        {"0", "00:00:05", 5 * MS_SECOND},
        {"0", "01:02:03", MS_HOUR + 2 * MS_MINUTE + 3 * MS_SECOND},
        {"0", "00:00:05.25", 5 * MS_SECOND},
        {"1", "00:00:05", 0},
        {"0", "5", 0},
        {"0", "00:00:", 0},
        {"0", "00:00:005", 0},
        {"0", "-1:00:00", 0},
        {"0", NULL, 0},
        {NULL, "00:00:05", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;

        http_reply_init(&reply, 0);
        if (cases[i].remaining)
            (void)buf_append_format(&reply.headers, "x-ms-user-quota-remaining: %s\n",
                                    cases[i].remaining);
        if (cases[i].resets_after)
            (void)buf_append_format(&reply.headers, "X-Ms-User-Quota-Resets-After: %s\n",
                                    cases[i].resets_after);
        assert_int_equal(resource_graph_pause(&reply), cases[i].pause);
        http_reply_done(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query),   cmocka_unit_test(test_largest_query),
        cmocka_unit_test(test_page),    cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_no_page), cmocka_unit_test(test_long_token),
        cmocka_unit_test(test_pause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
