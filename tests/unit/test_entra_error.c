#include "proto/entra_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "canned_reply.h"
#include "proto/entra.h"

#define NOW       ((time_ms)1795348800000)
#define CLIENT_ID "22222222-2222-2222-2222-222222222222"
#define TENANT_ID "11111111-1111-1111-1111-111111111111"
#define AUDIENCE  "https://management.azure.com/"
#define LOGIN     "https://login.microsoftonline.com"

static const struct federated_token federated = {
    .issuer = "https://issuer.example",
    .subject = "system:serviceaccount:ops:keyrotated",
    .audience = "api://AzureADTokenExchange",
};

static struct entra_client client = {
    .login = LOGIN,
    .tenant_id = TENANT_ID,
    .client_id = CLIENT_ID,
    .audience = AUDIENCE,
    .federated = &federated,
    .proof_file = "/etc/keyrotated/proof",
};

static void refuse(int status, const char *body, struct failure *failure)
{
    struct access_token token;
    struct http_reply reply;

    canned_answer(&reply, status, NULL, body);
    assert_int_equal(entra_token_reply(&token, &reply, &client, NOW, failure), -EIO);
    http_reply_done(&reply);
}

/* Each with a part of its sentence and a part of its remedy. */
static const struct {
    int64_t code;
    const char *sentence;
    const char *remedy;
} cases[] = {
    {7000215, "the client secret is wrong", "(not the secret's id) to /etc/keyrotated/proof"},
    {7000222, "the client secret has expired", "credential reset --append --id " CLIENT_ID},
    {7000216, "neither secret nor assertion", "write the value of a valid secret"},
    {7000218, "neither secret nor assertion", "write the value of a valid secret"},
    {700024, "not valid at this time", "date -u"},
    {700027, "signature of the assertion", "register the certificate that /etc/keyrotated/proof"},
    {700021, "of another application", "check client_id"},
    {700023, "for another endpoint", "check cloud.login and tenant_id"},
    {50013, "the assertion was not accepted", "belongs to application " CLIENT_ID},
    {50027, "malformed", "/etc/keyrotated/proof holds the token"},
    {70021, "no federated credential matches",
     "the issuer https://issuer.example, the subject "
     "system:serviceaccount:ops:keyrotated and the "
     "audience api://AzureADTokenExchange"},
    {700211, "the issuer of the token", "the issuer https://issuer.example"},
    {700212, "the audience of the token", "the audience api://AzureADTokenExchange"},
    {700213, "the subject of the token", "the subject system:serviceaccount:ops:keyrotated"},
    {700222, "issued by Entra ID itself", "a token of another issuer"},
    {5000811, "signature of the federated token", "https://issuer.example publishes the key"},
    {50166, "cannot read the keys", "https://issuer.example/.well-known/openid-configuration"},
    {501661, "cannot read the keys", "https://issuer.example/.well-known/openid-configuration"},
    {700016, "not known in the tenant", "az ad sp create --id " CLIENT_ID},
    {7000229, "no service principal", "az ad sp create --id " CLIENT_ID},
    {7000112, "is disabled", "enable application " CLIENT_ID " in tenant " TENANT_ID},
    {90002, "the tenant is not known", "tenant " TENANT_ID " is not known at " LOGIN},
    {900023, "neither an id nor a domain", "check tenant_id: " TENANT_ID},
    {50059, "names no tenant", "check tenant_id: " TENANT_ID},
    {5000225, "nobody used it", "ask Microsoft"},
    {90038, "in another cloud", "set `cloud` to the one of tenant " TENANT_ID},
    {900382, "in another cloud", "set `cloud` to the one of application " CLIENT_ID},
    {900439, "in another cloud", "set `cloud` to the one of tenant " TENANT_ID},
    {50049, "of no cloud", "check cloud.login: " LOGIN},
    {500011, "audience is not known in the tenant", "check cloud.audience: " AUDIENCE},
    {50001, "audience is not known", "check cloud.audience: " AUDIENCE},
    {70011, "scope is not valid", "check cloud.audience: " AUDIENCE},
    {1002012, "scope is not valid", "check cloud.audience: " AUDIENCE},
    {650057, "may not ask for this audience", "add a permission for " AUDIENCE},
    {65001, "nobody has consented", "az ad app permission admin-consent --id " CLIENT_ID},
    {650052, "lacks the service", "subscribe to the service of " AUDIENCE},
    {90094, "an administrator has to consent", "admin-consent --id " CLIENT_ID},
    {501051, "no role for the audience", "assign application " CLIENT_ID " to a role of " AUDIENCE},
    {53003, "conditional access", "conditional access policies of tenant " TENANT_ID},
    {530034, "disabled or at risk", "Risky workload identities"},
    {50196, "came too often", "look for other programs"},
    {90055, "too many requests", "look for other programs"},
};

static void test_each_row(void **state)
{
    char body[256], code[32];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct failure failure;

        (void)snprintf(body, sizeof(body),
                       "{\"error\":\"e\",\"error_description\":\"AADSTS%lld: Their words.\","
                       "\"error_codes\":[%lld]}",
                       (long long)cases[i].code, (long long)cases[i].code);
        refuse(401, body, &failure);
        (void)snprintf(code, sizeof(code), "AADSTS%lld", (long long)cases[i].code);
        assert_string_equal(failure.error_code, code);
        assert_int_equal(failure.reason, REASON_TOKEN_FAILED);
        if (!strstr(failure.text, cases[i].sentence) || !strstr(failure.text, "Their words.") ||
            !strstr(failure.remedy, cases[i].remedy))
            fail_msg("%s: %s / %s", code, failure.text, failure.remedy);
        assert_null(strchr(failure.remedy, '{'));
    }
}

/* A row without a case here would be a row that nobody has read. */
static void test_no_other_rows(void **state)
{
    (void)state;
    for (const struct entra_error *error = entra_errors; error->code != 0; error++) {
        size_t found = 0;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
            found += cases[i].code == error->code;
        assert_int_equal(found, 1);
    }
}

static void test_code_in_the_text_alone(void **state)
{
    struct failure failure;

    (void)state;
    refuse(400, "{\"error\":\"e\",\"error_description\":\"AADSTS90002: Tenant not found.\"}",
           &failure);
    assert_string_equal(failure.error_code, "AADSTS90002");
    refuse(400, "{\"error\":\"e\",\"error_description\":\"AADSTS: Tenant not found.\"}", &failure);
    assert_string_equal(failure.error_code, "e");
    refuse(400,
           "{\"error\":\"e\",\"error_description\":\"AADSTS99999999999999999999999: x\","
           "\"error_codes\":[17,\"90002\",null]}",
           &failure);
    assert_string_equal(failure.error_code, "e");
    assert_string_equal(failure.remedy, "");
}

/* The portal shows both; only one of them is shown again later. */
static void test_id_in_the_place_of_the_value(void **state)
{
    static const char body[] = "{\"error\":\"invalid_client\",\"error_codes\":[7000215]}";
    struct failure failure;

    (void)state;
    client.is_guid = true;
    refuse(401, body, &failure);
    assert_non_null(strstr(failure.text, "it is the id of a secret, not its value"));
    assert_non_null(strstr(failure.remedy, "az ad app credential reset --append --id " CLIENT_ID));
    client.is_guid = false;
    refuse(401, body, &failure);
    assert_null(strstr(failure.text, "it is the id of a secret"));
}

/* The remedy names the key that a person changes. */
static void test_another_login(void **state)
{
    static const char body[] = "{\"error\":\"invalid_request\",\"error_codes\":[90002]}";
    struct failure failure;

    (void)state;
    refuse(400, body, &failure);
    assert_non_null(strstr(failure.remedy, "check tenant_id and cloud.login: tenant"));
    client.login_key = "authority_host";
    refuse(400, body, &failure);
    assert_non_null(strstr(failure.remedy, "check tenant_id and authority_host: tenant"));
    refuse(403, "<html>", &failure);
    assert_non_null(strstr(failure.remedy, "and check authority_host"));
    client.login_key = NULL;
}

/* Whoever meets a code that has no row is told where it is explained. */
static void test_a_code_without_a_row(void **state)
{
    static const char body[] =
        "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS123456: New.\"}";
    struct failure failure;

    (void)state;
    refuse(400, body, &failure);
    assert_string_equal(failure.error_code, "invalid_client");
    assert_non_null(strstr(failure.text, "AADSTS123456: New."));
    assert_non_null(strstr(failure.remedy, "https://login.microsoftonline.com/error?code=123456"));
    refuse(503, body, &failure);
    assert_non_null(strstr(failure.remedy, "status page"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row),
        cmocka_unit_test(test_no_other_rows),
        cmocka_unit_test(test_code_in_the_text_alone),
        cmocka_unit_test(test_id_in_the_place_of_the_value),
        cmocka_unit_test(test_a_code_without_a_row),
        cmocka_unit_test(test_another_login),
    };

    return cmocka_run_group_tests_name("entra_error", tests, NULL, NULL);
}
