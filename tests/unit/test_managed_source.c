/* Where a managed identity asks, by the configuration and the environment. */
#include "io/access/managed_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern const struct identity_type identity_managed_identity;

static const char *const variables[] = {"IDENTITY_ENDPOINT", "IDENTITY_HEADER",
                                        "IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT"};
enum { VARIABLES = sizeof(variables) / sizeof(variables[0]) };

static void set_variables(const char *const values[VARIABLES])
{
    for (size_t i = 0; i < VARIABLES; i++) {
        if (values[i])
            assert_int_equal(setenv(variables[i], values[i], 1), 0);
        else
            assert_int_equal(unsetenv(variables[i]), 0);
    }
}

#define APP "http://169.254.129.7:8081/msi/token"
#define ARC "http://localhost:40342/metadata/identity/oauth2/token"

static void the_source_follows(void **state)
{
    static const struct {
        const char *values[VARIABLES];
        bool has_agent;
        const char *source, *endpoint; /* of the configuration */
        enum managed_source expected;
        const char *expected_endpoint;
        const char *expected_header;
    } cases[] = {
        {{NULL}, false, "auto", NULL, MANAGED_IMDS, "http://169.254.169.254", NULL},
        {{NULL}, true, "auto", NULL, MANAGED_ARC, "http://127.0.0.1:40342", NULL},
        {{NULL}, true, "imds", NULL, MANAGED_IMDS, "http://169.254.169.254", NULL},
        {{NULL}, true, "auto", "http://localhost:1", MANAGED_IMDS, "http://localhost:1", NULL},
        {{APP, "s"}, true, "auto", NULL, MANAGED_APP_SERVICE, APP, "s"},
        {{APP, "s"}, false, "imds", NULL, MANAGED_IMDS, "http://169.254.169.254", NULL},
        {{APP, "s"}, false, "app_service", NULL, MANAGED_APP_SERVICE, APP, "s"},
        {{APP, "s", "t"}, false, "app_service", NULL, MANAGED_APP_SERVICE, APP, "s"},
        {{NULL, "s"},
         false,
         "app_service",
         "http://localhost:1",
         MANAGED_APP_SERVICE,
         "http://localhost:1",
         "s"},
        {{ARC, NULL, NULL, "http://localhost:40342"}, false, "auto", NULL, MANAGED_ARC, ARC, NULL},
        {{ARC, NULL, NULL, ""}, false, "auto", NULL, MANAGED_IMDS, "http://169.254.169.254", NULL},
        {{NULL}, false, "arc", "http://localhost:2", MANAGED_ARC, "http://localhost:2", NULL},
        {{APP, "s"}, false, "arc", NULL, MANAGED_ARC, "http://127.0.0.1:40342", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct identity identity = {
            .name = "vm",
            .type = &identity_managed_identity,
            .settings = {"c", "o", "r", cases[i].source, cases[i].endpoint}};
        struct managed_identity chosen;
        struct failure failure;
        const char *header;

        set_variables(cases[i].values);
        assert_true(
            managed_source_choose(&identity, cases[i].has_agent, &chosen, &header, &failure));
        assert_int_equal(chosen.source, cases[i].expected);
        assert_string_equal(chosen.endpoint, cases[i].expected_endpoint);
        if (cases[i].expected_header)
            assert_string_equal(header, cases[i].expected_header);
        else
            assert_null(header);
        assert_string_equal(chosen.client_id, "c");
        assert_string_equal(chosen.object_id, "o");
        assert_string_equal(chosen.resource_id, "r");
    }
}

static void what_is_missing_or_not_supported_is_named(void **state)
{
    static const struct {
        const char *values[VARIABLES];
        const char *source;
        const char *text;
        const char *remedy;
    } cases[] = {
        {{NULL}, "app_service", "needs IDENTITY_ENDPOINT", "start the daemon in the app itself"},
        {{APP}, "app_service", "needs IDENTITY_HEADER", "start the daemon in the app itself"},
        {{APP, "s", "t"}, "auto", "Service Fabric", "type client_certificate"},
        {{"http://10.0.0.1/msi/token", "s"},
         "auto",
         "IDENTITY_ENDPOINT http://10.0.0.1/msi/token would send tokens unencrypted",
         "as the platform sets it"},
        {{"http://169.253.0.1/msi/token", "s"}, "auto", "unencrypted", "platform"},
        {{"nonsense", "s"}, "auto", "is not a URL that can be used", "platform"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct identity identity = {.name = "vm",
                                          .type = &identity_managed_identity,
                                          .settings = {NULL, NULL, NULL, cases[i].source, NULL}};
        struct failure failure = {.reason = REASON_NONE};
        struct managed_identity chosen;
        const char *header;

        set_variables(cases[i].values);
        assert_false(managed_source_choose(&identity, false, &chosen, &header, &failure));
        assert_int_equal(failure.reason, REASON_TOKEN_FAILED);
        assert_non_null(strstr(failure.text, cases[i].text));
        assert_non_null(strstr(failure.remedy, cases[i].remedy));
    }
}

/* Looking for the agent takes a thread. */
static void the_agent_is_looked_for_where_it_matters(void **state)
{
    static const struct {
        const char *values[VARIABLES];
        const char *source, *endpoint;
        bool expected;
    } cases[] = {
        {{NULL}, "auto", NULL, true},      {{NULL}, "auto", "http://localhost:1", false},
        {{NULL}, "imds", NULL, false},     {{NULL}, "arc", NULL, false},
        {{APP, "s"}, "auto", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct identity identity = {
            .name = "vm",
            .type = &identity_managed_identity,
            .settings = {NULL, NULL, NULL, cases[i].source, cases[i].endpoint}};

        set_variables(cases[i].values);
        assert_int_equal(managed_source_needs_agent(&identity), cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_source_follows),
        cmocka_unit_test(what_is_missing_or_not_supported_is_named),
        cmocka_unit_test(the_agent_is_looked_for_where_it_matters),
    };

    return cmocka_run_group_tests_name("managed_source", tests, NULL, NULL);
}
