#include "proto/cloud_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_shapes(void **state)
{
    static const struct {
        const char *body;
        const char *code;
        const char *message;
        size_t count;
    } cases[] = {
        {"{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}}", "AuthorizationFailed",
         "no", 1},
        {"{\"code\":\"Conflict\",\"message\":\"busy\"}", "Conflict", "busy", 1},
        {"{\"error\":{\"code\":\"A\"}}", "A", "", 1},
        {"{\"error\":{\"message\":\"m\"}}", "", "m", 1},
        {"{\"error\":{\"code\":\"A\",\"message\":\"m\",\"details\":[{\"code\":\"B\",\"message\":"
         "\"n\",\"details\":[{\"code\":\"C\"}]},{\"code\":\"D\"}]}}",
         "A", "m", 4},
        {"{\"error\":{\"code\":\"Forbidden\",\"message\":\"m\",\"innererror\":{\"code\":"
         "\"ForbiddenByRbac\"}}}",
         "Forbidden", "m", 2},
        {"{\"odata.metadata\":\"x\",\"code\":\"AuthenticationFailed\",\"message\":{\"lang\":"
         "\"en-US\",\"value\":\"bad\"},\"values\":[{\"key\":\"AuthenticationErrorDetail\","
         "\"value\":\"why\"}]}",
         "AuthenticationFailed", "bad", 2},
        {"{\"odata.error\":{\"code\":\"A\",\"message\":{\"value\":\"m\"}}}", "A", "m", 1},
        {"{\"error\":{\"code\":\"A\",\"details\":null,\"target\":null}}", "A", "", 1},
        {"{\"error\":{\"code\":\"A\",\"details\":[1,\"x\",null,{}]}}", "A", "", 1},
        {"{\"error\":{\"code\":17,\"message\":true}}", "", "", 0},
        {"{\"error\":\"invalid_client\"}", "invalid_client", "", 1},
        {"{\"error\":\"invalid_client\",\"error_description\":\"d\"}", "invalid_client", "d", 1},
        {"{\"error\":\"forbidden\",\"message\":\"m\"}", "forbidden", "m", 1},
        {"{\"error\":\"You shall not pass\"}", "", "You shall not pass", 1},
        {"{\"Error\":{\"Code\":\"A\",\"Message\":\"m\"}}", "A", "m", 1},
        {"{\"Code\":\"A\",\"Message\":\"m\",\"Details\":[{\"Code\":\"B\"}]}", "A", "m", 2},
        {"{\"Message\":\"No HTTP resource\"}", "", "No HTTP resource", 1},
        {"[{\"code\":\"A\",\"message\":\"m\"},{\"error\":{\"code\":\"B\"}}]", "A", "m", 2},
        {"{\"error\":[{\"code\":\"A\"}]}", "A", "", 1},
        {"{\"error\":{\"details\":{\"code\":\"B\",\"message\":\"n\"}}}", "B", "n", 1},
        {"{\"error\":{\"innererror\":{\"details\":[{\"code\":\"B\"}]}}}", "B", "", 1},
        {"{\"error\":{\"code\":\"A\",\"details\":{\"code\":\"B\",\"message\":\"n\"}}}", "A", "", 2},
        {"\xEF\xBB\xBF{\"error\":{\"code\":\"A\",\"message\":\"m\"}}", "A", "m", 1},
        {"{\"error\":{\"code\":\"A\",\"message\":\"\\ud83d\",\"x\":1,\"x\":2}}", "A", "", 1},
        {"{\"error\":{\"code\":\"A\",\"code\":\"B\",\"message\":\"m\"}}", "", "m", 1},
        {"{\"error\":[]}", "", "", 0},
        {"[]", "", "", 0},
        {"null", "", "", 0},
        {"\"x\"", "", "", 0},
        {"<html>Proxy</html>", "", "", 0},
        {"{\"error\":{\"code\":\"A\"", "", "", 0},
        {"", "", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cloud_error error;

        assert_int_equal(cloud_error_parse(&error, cases[i].body, strlen(cases[i].body)),
                         cases[i].count > 0);
        assert_int_equal(error.count, cases[i].count);
        assert_string_equal(cloud_error_code(&error), cases[i].code);
        assert_string_equal(cloud_error_message(&error), cases[i].message);
    }
}

static void test_find_in_details(void **state)
{
    static const char body[] =
        "{\"error\":{\"code\":\"Outer\",\"target\":\"t\",\"details\":[{\"code\":\"Inner\","
        "\"message\":\"deep\",\"target\":\"u\"}]}}";
    struct cloud_error error;

    (void)state;
    assert_true(cloud_error_parse(&error, body, sizeof(body) - 1));
    assert_string_equal(cloud_error_find(&error, "inner")->message, "deep");
    assert_string_equal(cloud_error_find(&error, "inner")->target, "u");
    assert_string_equal(cloud_error_find(&error, "OUTER")->target, "t");
    assert_null(cloud_error_find(&error, "other"));
}

static void test_bounds(void **state)
{
    static char body[20000];
    struct cloud_error error;
    size_t length = 0;

    (void)state;
    length += (size_t)sprintf(body, "{\"error\":{\"code\":\"");
    memset(body + length, 'c', 500);
    length += 500;
    length += (size_t)sprintf(body + length, "\",\"message\":\"");
    memset(body + length, 'm', 5000);
    length += 5000;
    length += (size_t)sprintf(body + length, "\",\"details\":[");
    for (int i = 0; i < 100; i++)
        length += (size_t)sprintf(body + length, "%s{\"code\":\"%d\"}", i > 0 ? "," : "", i);
    length += (size_t)sprintf(body + length, "]}}");
    assert_true(cloud_error_parse(&error, body, length));
    assert_int_equal(error.count, CLOUD_ERROR_ITEMS_MAX);
    assert_int_equal(strlen(error.items[0].code), FAILURE_CODE_MAX - 1);
    assert_int_equal(strlen(error.items[0].message), CLOUD_ERROR_MESSAGE_MAX - 1);
    assert_string_equal(error.items[CLOUD_ERROR_ITEMS_MAX - 1].code, "6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_find_in_details),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests_name("cloud_error", tests, NULL, NULL);
}
