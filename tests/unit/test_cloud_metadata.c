#include "proto/cloud_metadata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "canned_reply.h"

#define NOW ((time_ms)1795348800000)
#define RM  "https://management.contoso.example"

static void test_request(void **state)
{
    static const char *const versions[] = {"2022-09-01", "2019-05-01", "2015-01-01"};

    (void)state;
    for (unsigned form = 0; form < CLOUD_METADATA_FORMS; form++) {
        struct http_request request;
        struct err err = {.code = 0};

        assert_int_equal(cloud_metadata_request(&request, RM, form, &err), 0);
        assert_string_equal(request.method, "GET");
        assert_non_null(strstr(buf_str(&request.url), RM "/metadata/endpoints?api-version="));
        assert_true(str_ends_with(buf_str(&request.url), versions[form]));
        assert_null(sent_header(&request, "Authorization"));
        assert_true(request.reply_maximum <= 256 * 1024);
        http_request_done(&request);
    }
}

static int read_body(struct cloud_metadata *metadata, int status, const char *body,
                     struct failure *failure)
{
    struct http_reply reply;
    int rc;

    canned_answer(&reply, status, NULL, body);
    rc = cloud_metadata_read(metadata, &reply, RM, NOW, failure);
    http_reply_done(&reply);
    return rc;
}

#define AUTHENTICATION                                                                             \
    "\"authentication\":{\"loginEndpoint\":\"https://login.contoso.example/\",\"audiences\":["     \
    "\"https://management.contoso.example/8f3b/\",\"second\"]}"

static void test_forms(void **state)
{
    static const struct {
        const char *body, *name, *vaults;
    } cases[] = {
        {"{\"name\":\"Contoso\",\"resourceManager\":\"" RM "/\"," AUTHENTICATION
         ",\"suffixes\":{\"keyVaultDns\":\"vault.contoso.example\"}}",
         "Contoso", "https://vault.contoso.example"},
        {"\xef\xbb\xbf[{\"name\":\"Other\",\"resourceManager\":\"https://other.example/\"},"
         "{\"name\":\"Contoso\",\"resourceManager\":\"HTTPS://"
         "Management.contoso.example\"," AUTHENTICATION
         ",\"suffixes\":{\"keyVaultDns\":\".vault.contoso.example\"}}]",
         "Contoso", "https://vault.contoso.example"},
        {"{\"galleryEndpoint\":\"\"," AUTHENTICATION "}", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cloud_metadata metadata;
        struct failure failure;

        assert_int_equal(read_body(&metadata, 200, cases[i].body, &failure), 0);
        assert_string_equal(metadata.name, cases[i].name);
        assert_string_equal(metadata.resource_manager, RM);
        assert_string_equal(metadata.login, "https://login.contoso.example");
        assert_string_equal(metadata.audience, "https://management.contoso.example/8f3b/");
        assert_string_equal(metadata.key_vault_audience, cases[i].vaults);
    }
}

static void test_mistakes(void **state)
{
    static const struct {
        int status;
        const char *body, *says, *remedy;
    } cases[] = {
        {200, "<html>", "something that is no JSON", "check cloud.resource_manager"},
        {200, "{\"authentication\":", "something that is no JSON", "check cloud.resource_manager"},
        {404, "{}", "with status 404", "check cloud.resource_manager"},
        {302, "", "with status 302", "check cloud.resource_manager"},
        {200, "[]", "describes other clouds than its own: none", "cloud.resource_manager"},
        {200, "[{\"resourceManager\":\"https://a\"},{\"resourceManager\":\"https://b\"},{}]",
         "other clouds than its own: https://a, https://b", "cloud.resource_manager"},
        {200, "{\"resourceManager\":\"https://management.azure.com/\"," AUTHENTICATION "}",
         "other clouds than its own: https://management.azure.com", "cloud.resource_manager"},
        {200, "{}", "without a usable authentication.loginEndpoint", "write cloud.login"},
        {200, "{\"authentication\":{\"loginEndpoint\":7,\"audiences\":[\"a\"]}}",
         "without a usable authentication.loginEndpoint", "write cloud.login"},
        {200, "{\"authentication\":{\"loginEndpoint\":\"https://a b\",\"audiences\":[\"a\"]}}",
         "without a usable authentication.loginEndpoint", "write cloud.login"},
        {200, "{\"authentication\":{\"loginEndpoint\":\"https://a\",\"audiences\":[]}}",
         "without a usable authentication.audiences", "write cloud.login"},
        {200, "{\"authentication\":{\"loginEndpoint\":\"https://a\",\"audiences\":[{}]}}",
         "without a usable authentication.audiences", "write cloud.login"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cloud_metadata metadata;
        struct failure failure;

        assert_int_equal(read_body(&metadata, cases[i].status, cases[i].body, &failure), -EIO);
        assert_int_equal(failure.reason, REASON_AZURE_ERROR);
        assert_non_null(strstr(failure.text, cases[i].says));
        assert_non_null(strstr(failure.text, RM));
        assert_non_null(strstr(failure.remedy, cases[i].remedy));
    }
}

static void test_silence(void **state)
{
    struct cloud_metadata metadata;
    struct http_reply reply;
    struct failure failure;

    (void)state;
    canned_silence(&reply, HTTP_UNSENT, "the name cannot be resolved");
    assert_false(cloud_metadata_wants_other_form(&reply));
    assert_int_equal(cloud_metadata_read(&metadata, &reply, RM, NOW, &failure), -EIO);
    assert_int_equal(failure.reason, REASON_NETWORK);
    http_reply_done(&reply);
    canned_answer(&reply, 400, NULL, "{}");
    assert_true(cloud_metadata_wants_other_form(&reply));
    http_reply_done(&reply);
    canned_answer(&reply, 503, NULL, "");
    assert_false(cloud_metadata_wants_other_form(&reply));
    http_reply_done(&reply);
}

static void test_file(void **state)
{
    const struct cloud_metadata metadata = {.name = "Contoso \"1\"",
                                            .resource_manager = RM,
                                            .login = "https://l/adfs",
                                            .audience = "a",
                                            .key_vault_audience = ""};
    static const char *const wrong[] = {"", "{}", "{\"resource_manager\":\"" RM "\"}",
                                        "{\"resource_manager\":\"a\",\"login\":\"b c\","
                                        "\"audience\":\"d\"}"};
    struct cloud_metadata read;
    struct err err = {.code = 0};
    struct buf text;

    (void)state;
    buf_init(&text, 4096);
    cloud_metadata_write(&text, &metadata);
    assert_int_equal(cloud_metadata_parse(&read, buf_str(&text), text.length, &err), 0);
    assert_string_equal(read.resource_manager, RM);
    assert_string_equal(read.login, "https://l/adfs");
    assert_string_equal(read.audience, "a");
    assert_string_equal(read.key_vault_audience, "");
    buf_done(&text);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(cloud_metadata_parse(&read, wrong[i], strlen(wrong[i]), &err), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),  cmocka_unit_test(test_forms),
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_silence),
        cmocka_unit_test(test_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
