#include "proto/arm_list.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/P/t/n"

static struct arm_page *read_page(const char *text)
{
    struct arm_page *page;
    struct err err;

    assert_int_equal(arm_page_read(text, strlen(text), &page, &err), 0);
    return page;
}

static void test_page(void **state)
{
    struct arm_page *page =
        read_page("{\"value\":[{\"id\":\"" ID
                  "\",\"location\":\"westeurope\",\"tags\":{\"a\":\"b\","
                  "\"n\":7,\"c\":\"\"}},{\"id\":\"/x\"}],\"nextLink\":\"https://h/next\"}");
    struct arm_resource resource;

    (void)state;
    assert_int_equal(arm_page_count(page), 2);
    arm_page_resource(page, 0, &resource);
    assert_string_equal(resource.id, ID);
    assert_string_equal(resource.location, "westeurope");
    assert_int_equal(resource.tag_count, 2);
    assert_string_equal(resource.tags[0].name, "a");
    assert_string_equal(resource.tags[0].value, "b");
    assert_string_equal(resource.tags[1].value, "");
    arm_page_resource(page, 1, &resource);
    assert_string_equal(resource.location, "");
    assert_int_equal(resource.tag_count, 0);
    assert_string_equal(arm_page_next(page), "https://h/next");
    arm_page_free(page);
}

static void test_subscriptions(void **state)
{
    struct arm_page *page = read_page(
        "{\"value\":[{\"id\":\"/subscriptions/00000000-0000-0000-0000-000000000001\"},"
        "{\"id\":\"/subscriptions/../x\"},{\"id\":\"/tenants/1\"}],\"nextLink\":\"\"}");

    (void)state;
    assert_string_equal(arm_page_subscription(page, 0), "00000000-0000-0000-0000-000000000001");
    assert_null(arm_page_subscription(page, 1));
    assert_null(arm_page_subscription(page, 2));
    assert_null(arm_page_next(page));
    arm_page_free(page);
}

/* A list that cannot be read whole must not look like one without the rest. */
static void test_no_page(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "<html></html>",
        "{\"value\":{}}",
        "{\"value\":[7]}",
        "{\"value\":[{}]}",
        "{\"value\":[{\"id\":7}]}",
        "{\"value\":[{\"id\":\"no path\"}]}",
        "{\"value\":[{\"id\":\"/with a blank\"}]}",
        "{\"value\":[],\"nextLink\":7}",
        "{\"value\":[{\"id\":\"/x\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct arm_page *page;
        struct err err;

        assert_int_equal(arm_page_read(texts[i], strlen(texts[i]), &page, &err), -EINVAL);
        assert_null(page);
        assert_true(err.text[0] != '\0');
    }
}

static void test_resource_and_tags(void **state)
{
    static const char text[] = "{\"id\":\"" ID "\",\"tags\":{\"x\":\"y\"}}";
    static const char tags[] = "{\"x\":\"y\"}";
    struct arm_resource resource;
    struct arm_page *page;
    struct err err;

    (void)state;
    assert_int_equal(arm_resource_read(text, strlen(text), &page, &resource, &err), 0);
    assert_string_equal(resource.tags[0].value, "y");
    arm_page_free(page);
    assert_int_equal(arm_resource_read("{}", 2, &page, &resource, &err), -EINVAL);
    assert_int_equal(arm_tags_read(tags, strlen(tags), &page, &resource, &err), 0);
    assert_string_equal(resource.tags[0].name, "x");
    arm_page_free(page);
}

static void test_links(void **state)
{
    static const struct {
        const char *link, *manager;
        bool good;
    } cases[] = {
        {"https://management.azure.com/x?$skiptoken=1", "https://management.azure.com", true},
        {"HTTPS://Management.Azure.Com/x", "https://management.azure.com", true},
        {"https://management.azure.com:443/x", "https://management.azure.com", true},
        {"https://management.azure.com?x", "https://management.azure.com", true},
        {"https://localhost:8443/x", "https://localhost:8443", true},
        {"https://localhost:8444/x", "https://localhost:8443", false},
        {"http://management.azure.com/x", "https://management.azure.com", false},
        {"https://management.azure.com.evil.example/x", "https://management.azure.com", false},
        {"https://management.azure.com@evil.example/x", "https://management.azure.com", false},
        {"https://evil.example/https://management.azure.com", "https://management.azure.com",
         false},
        {"https://management.azure.co", "https://management.azure.com", false},
        {"/subscriptions?page=2", "https://management.azure.com", false},
        {"https://management.azure.com\\@evil.example/", "https://management.azure.com", false},
        {"https://management.azure.com/x y", "https://management.azure.com", false},
        {"https://management.azure.com/x#y", "https://management.azure.com", false},
        {"", "https://management.azure.com", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {.code = 0};
        const int rc = arm_link_check(cases[i].link, cases[i].manager, &err);

        if (rc != (cases[i].good ? 0 : -EPERM))
            fail_msg("%s: %d %s", cases[i].link, rc, err.text);
    }
}

static void test_gone(void **state)
{
    static const struct {
        const char *body;
        bool gone;
    } cases[] = {
        {"{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\"m\"}}", true},
        {"{\"error\":{\"code\":\"ResourceGroupNotFound\",\"message\":\"m\"}}", true},
        {"{\"code\":\"AccountNotFound\",\"message\":\"m\"}", true},
        {"{\"error\":{\"code\":\"SubscriptionNotFound\",\"message\":\"m\"}}", false},
        {"{\"error\":{\"code\":\"InvalidResourceType\",\"message\":\"m\"}}", false},
        {"<html>404</html>", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(arm_says_gone(cases[i].body, strlen(cases[i].body)), cases[i].gone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),    cmocka_unit_test(test_subscriptions),
        cmocka_unit_test(test_no_page), cmocka_unit_test(test_resource_and_tags),
        cmocka_unit_test(test_links),   cmocka_unit_test(test_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
