#include "proto/app_settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GROUP "/subscriptions/34adfa4f-cedf-4dc0-ba29-b6d1a69ab345/resourceGroups/testrg123"
#define SITE  GROUP "/providers/Microsoft.Web/sites/sitef6141"

/* The example of "Web Apps - List Application Settings". */
static const char site_list[] =
    "{\"name\":\"appsettings\",\"type\":\"Microsoft.Web/sites/config\",\"id\":\"" SITE
    "/config/appsettings\",\"kind\":\"app\",\"properties\":{\"Setting1\":\"Value1\","
    "\"Setting2\":\"say \\\"hi\\\"\\n\",\"BATCH_KEY\":\"old\",\"Ref\":\"@Microsoft.KeyVault("
    "SecretUri=https://v.vault.azure.net/secrets/s)\",\"Nothing\":null}}";

static const char container_list[] =
    "{\"value\":[{\"name\":\"one\",\"value\":\"1\"},{\"name\":\"batch-key\",\"value\":\"old\"},"
    "{\"name\":\"ref\",\"keyVaultUrl\":\"https://v.vault.azure.net/secrets/s\",\"identity\":"
    "\"system\"}]}";

static struct app_settings settings_of(enum app_kind kind, const char *body)
{
    struct app_settings settings;
    struct err err = {.code = 0};

    if (app_settings_read(&settings, kind, body, strlen(body), &err) != 0)
        fail_msg("%s", err.text);
    return settings;
}

static void test_ids(void **state)
{
    static const struct {
        const char *id;
        int kind; /* -1: wrong */
    } cases[] = {
        {SITE, APP_SITE},
        {SITE "/slots/staging", APP_SITE},
        {"/SUBSCRIPTIONS/0/RESOURCEGROUPS/r (\xc3\xa4).g", -1},
        {"/SUBSCRIPTIONS/0/RESOURCEGROUPS/r(\xc3\xa4).g/PROVIDERS/microsoft.WEB/SITES/x", APP_SITE},
        {GROUP "/providers/Microsoft.App/containerApps/app", APP_CONTAINER},
        {GROUP "/providers/Microsoft.App/containerApps/app/slots/x", -1},
        {GROUP "/providers/Microsoft.App/jobs/app", -1},
        {GROUP "/providers/Microsoft.Web/sites", -1},
        {GROUP "/providers/Microsoft.Web/sites/", -1},
        {SITE "/", -1},
        {SITE "/slots", -1},
        {SITE "/slots/a/b", -1},
        {SITE "?api-version=1", -1},
        {SITE "/../x", -1},
        {"subscriptions/0", -1},
        {"", -1},
        {"/", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {.code = 0};
        enum app_kind kind;
        int rc = app_id_parse(cases[i].id, &kind, &err);

        if ((rc == 0) != (cases[i].kind >= 0))
            fail_msg("%s: %d", cases[i].id, rc);
        if (rc == 0)
            assert_int_equal(kind, cases[i].kind);
        else
            assert_non_null(strstr(err.text, "Microsoft.Web/sites/NAME"));
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_null(app_setting_problem(APP_SITE, "Batch__Key:0.x-y"));
    assert_null(app_setting_problem(APP_CONTAINER, "batch-key.1"));
    assert_non_null(app_setting_problem(APP_SITE, ""));
    assert_non_null(app_setting_problem(APP_SITE, "a b"));
    assert_non_null(app_setting_problem(APP_SITE, "a\"b"));
    assert_non_null(app_setting_problem(APP_CONTAINER, "Batch"));
    assert_non_null(app_setting_problem(APP_CONTAINER, "batch_key"));
}

static void test_found(void **state)
{
    struct app_settings site = settings_of(APP_SITE, site_list);
    struct app_settings container = settings_of(APP_CONTAINER, container_list);
    const char *value;

    (void)state;
    assert_int_equal(app_settings_find(&site, "batch_key", &value), APP_SETTING_VALUE);
    assert_string_equal(value, "old");
    assert_int_equal(app_settings_find(&site, "Ref", &value), APP_SETTING_REFERENCE);
    assert_null(value);
    assert_int_equal(app_settings_find(&site, "Nothing", &value), APP_SETTING_HIDDEN);
    assert_int_equal(app_settings_find(&site, "none", &value), APP_SETTING_ABSENT);
    assert_null(app_settings_hidden(&site, "x"));
    assert_int_equal(app_settings_find(&container, "batch-key", &value), APP_SETTING_VALUE);
    assert_string_equal(value, "old");
    assert_int_equal(app_settings_find(&container, "ref", &value), APP_SETTING_REFERENCE);
    assert_int_equal(app_settings_find(&container, "none", &value), APP_SETTING_ABSENT);
    assert_null(app_settings_hidden(&container, "x"));
    app_settings_done(&site);
    app_settings_done(&container);
    container = settings_of(APP_CONTAINER, "{\"value\":[{\"name\":\"secret1\"}]}");
    assert_string_equal(app_settings_hidden(&container, "x"), "secret1");
    assert_null(app_settings_hidden(&container, "secret1"));
    app_settings_done(&container);
    app_settings_done(&container);
}

static void expect_composed(enum app_kind kind, const char *list, const char *name,
                            const char *expected)
{
    struct app_settings settings = settings_of(kind, list);
    struct buf out;

    buf_init(&out, HTTP_BODY_MAX);
    assert_int_equal(app_settings_compose(&settings, name, "new+/==", &out), 0);
    assert_string_equal(buf_str(&out), expected);
    buf_done(&out);
    buf_init(&out, 20);
    assert_int_equal(app_settings_compose(&settings, name, "new+/==", &out), -EMSGSIZE);
    buf_done(&out);
    app_settings_done(&settings);
}

static void test_composed(void **state)
{
    (void)state;
    expect_composed(APP_SITE, site_list, "batch_key",
                    "{\"properties\":{\"Setting1\":\"Value1\",\"Setting2\":\"say \\\"hi\\\"\\n\","
                    "\"BATCH_KEY\":\"new+/==\",\"Ref\":\"@Microsoft.KeyVault(SecretUri=https://"
                    "v.vault.azure.net/secrets/s)\",\"Nothing\":null}}");
    expect_composed(APP_SITE, "{\"properties\":{}}", "Own",
                    "{\"properties\":{\"Own\":\"new+/==\"}}");
    expect_composed(APP_CONTAINER, container_list, "batch-key",
                    "{\"properties\":{\"configuration\":{\"secrets\":[{\"name\":\"one\",\"value\":"
                    "\"1\"},{\"name\":\"batch-key\",\"value\":\"new+/==\"},{\"name\":\"ref\","
                    "\"keyVaultUrl\":\"https://v.vault.azure.net/secrets/s\",\"identity\":"
                    "\"system\"}]}}}");
    expect_composed(APP_CONTAINER,
                    "{\"value\":[{\"name\":\"a\",\"value\":\"1\",\"x\":[1,true,"
                    "null,{}]}]}",
                    "own",
                    "{\"properties\":{\"configuration\":{\"secrets\":[{\"name\":\"a\",\"value\":"
                    "\"1\",\"x\":[1,true,null,{}]},{\"name\":\"own\",\"value\":\"new+/==\"}]}}}");
}

static void test_unusable(void **state)
{
    static const struct {
        enum app_kind kind;
        const char *body;
    } cases[] = {
        {APP_SITE, ""},
        {APP_SITE, "<html>"},
        {APP_SITE, "{}"},
        {APP_SITE, "{\"properties\":[]}"},
        {APP_SITE, "{\"properties\":{\"a\":1}}"},
        {APP_SITE, "{\"properties\":{\"a\":\"1\",\"a\":\"2\"}}"},
        {APP_SITE, "{\"properties\":{\"a\":\"1\"}"},
        {APP_CONTAINER, "{}"},
        {APP_CONTAINER, "{\"value\":{}}"},
        {APP_CONTAINER, "{\"value\":[1]}"},
        {APP_CONTAINER, "{\"value\":[{\"value\":\"1\"}]}"},
        {APP_CONTAINER, "{\"value\":[],\"nextLink\":\"https://x\"}"},
    };
    static char many[32 * 1024];
    struct app_settings settings;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        err_clear(&err);
        assert_int_equal(
            app_settings_read(&settings, cases[i].kind, cases[i].body, strlen(cases[i].body), &err),
            -EBADMSG);
        assert_true(err.text[0] != '\0');
        app_settings_done(&settings);
    }
    (void)strcpy(many, "{\"properties\":{\"a\":\"\"");
    for (int i = 0; i < 1000; i++)
        (void)sprintf(many + strlen(many), ",\"a%d\":\"\"", i);
    (void)strcat(many, "}}");
    assert_int_equal(app_settings_read(&settings, APP_SITE, many, strlen(many), &err), -EBADMSG);
    assert_non_null(strstr(err.text, "at most 1000"));
}

static void expect_difference_from(enum app_kind kind, const char *before_body,
                                   const char *after_body, const char *expected)
{
    struct app_settings before = settings_of(kind, before_body);
    struct app_settings after = settings_of(kind, after_body);
    char names[256];
    size_t number = app_settings_differ(
        &before, &after, kind == APP_SITE ? "BATCH_KEY" : "batch-key", names, sizeof(names));

    assert_string_equal(names, expected);
    assert_int_equal(number > 0, expected[0] != '\0');
    app_settings_done(&before);
    app_settings_done(&after);
}

static void expect_difference(enum app_kind kind, const char *after_body, const char *expected)
{
    expect_difference_from(kind, kind == APP_SITE ? site_list : container_list, after_body,
                           expected);
}

static void test_names_that_are_alike(void **state)
{
    static const char in_two_cases[] = "{\"properties\":{\"Mode\":\"1\",\"mode\":\"2\"}}";
    static const char twice[] =
        "{\"value\":[{\"name\":\"r\",\"value\":\"1\"},"
        "{\"name\":\"r\",\"value\":\"2\"}]}";

    (void)state;
    expect_difference_from(APP_SITE, in_two_cases, in_two_cases, "");
    expect_difference_from(APP_SITE, in_two_cases,
                           "{\"properties\":{\"mode\":\"2\",\"Mode\":\"1\"}}", "");
    expect_difference_from(APP_SITE, in_two_cases,
                           "{\"properties\":{\"Mode\":\"1\",\"mode\":\"1\"}}", "mode");
    expect_difference_from(APP_SITE, in_two_cases, "{\"properties\":{\"mode\":\"2\"}}", "Mode");
    expect_difference_from(APP_CONTAINER, twice, twice, "");
    expect_difference_from(APP_CONTAINER, twice, "{\"value\":[{\"name\":\"r\",\"value\":\"2\"}]}",
                           "r");
}

static void test_differences(void **state)
{
    (void)state;
    expect_difference(APP_SITE, site_list, "");
    expect_difference(APP_SITE,
                      "{\"properties\":{\"setting1\":\"Value1\",\"Setting2\":\"other\","
                      "\"Ref\":\"@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/"
                      "s)\",\"New\":\"\",\"Nothing\":null}}",
                      "Setting2, New");
    expect_difference(APP_SITE, "{\"properties\":{\"a\":\"\",\"b\":\"\",\"c\":\"\"}}",
                      "Setting1, Setting2, Ref, Nothing and 3 more");
    expect_difference(APP_CONTAINER, container_list, "");
    expect_difference(APP_CONTAINER,
                      "{\"value\":[{\"name\":\"one\",\"value\":\"2\"},{\"name\":\"ref\","
                      "\"keyVaultUrl\":\"https://v.vault.azure.net/secrets/s\",\"identity\":"
                      "\"system\"}]}",
                      "one");
}

static void test_state(void **state)
{
    static const struct {
        const char *body;
        int rc;
        const char *expected;
    } cases[] = {
        {"{\"properties\":{\"provisioningState\":\"InProgress\"}}", 0, "InProgress"},
        {"{\"properties\":{}}", 0, ""},
        {"{}", -EBADMSG, NULL},
        {"<html>", -EBADMSG, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {.code = 0};
        char text[32];

        assert_int_equal(
            app_state_read(cases[i].body, strlen(cases[i].body), text, sizeof(text), &err),
            cases[i].rc);
        if (cases[i].rc == 0)
            assert_string_equal(text, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_composed),
        cmocka_unit_test(test_unusable),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_names_that_are_alike),
        cmocka_unit_test(test_state),
    };

    return cmocka_run_group_tests_name("app_settings", tests, NULL, NULL);
}
