#include "proto/azure_cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/local_time.h"

#define NOW ((time_ms)1795348800000) /* 2026-11-22T12:00:00Z */

static const struct azure_cli cli = {.program = "/usr/bin/az", .directory = "/srv/az", .user = 990};

static void set_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

/* Zones in the form that needs no database (POSIX.1, 8.3). */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

static void test_local_time(void **state)
{
    static const struct {
        const char *zone;
        struct local_time local;
        time_ms at;
    } cases[] = {
        {"UTC0", {2026, 11, 22, 12, 0, 0}, NOW},
        {BERLIN, {2026, 11, 22, 13, 0, 0}, NOW},
        {BERLIN, {2026, 7, 1, 14, 30, 15}, INT64_C(1782909015000)},
        {"EST5EDT,M3.2.0,M11.1.0", {2026, 11, 22, 7, 0, 0}, NOW},
        /* Half past two occurs twice on 2026-10-25: 00:30 UTC comes first. */
        {BERLIN, {2026, 10, 25, 2, 30, 0}, INT64_C(1792888200000)},
        {BERLIN, {2026, 10, 25, 1, 59, 59}, INT64_C(1792886399000)},
        {BERLIN, {2026, 10, 25, 3, 0, 0}, INT64_C(1792893600000)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_zone(cases[i].zone);
        assert_int_equal(local_time_to_instant(&cases[i].local), cases[i].at);
    }
    set_zone("UTC0");
}

static void test_tokens(void **state)
{
    static const struct {
        const char *output;
        duration_ms lifetime;
    } cases[] = {
        {"{\"accessToken\":\"abc\",\"expires_on\":1795352400,\"tokenType\":\"Bearer\"}\n", 3600000},
        {"{\"accessToken\":\"abc\",\"expires_on\":\"1795352400\"}", 3600000},
        /* The epoch comes first: the local time may have been written in another zone. */
        {"{\"accessToken\":\"abc\",\"expiresOn\":\"2020-01-01 00:00:00.000000\",\"expires_on\":"
         "1795350600}",
         1800000},
        {"{\"accessToken\":\"abc\",\"expiresOn\":\"2026-11-22 13:00:00.000000\",\"subscription\":"
         "null}",
         3600000},
        {"{\"accessToken\":\"abc\",\"expiresOn\":\"2026-11-22 12:20:00\"}", 1200000},
    };

    (void)state;
    set_zone("UTC0");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct access_token token;
        struct failure failure;

        assert_int_equal(
            azure_cli_read(&token, &cli, cases[i].output, strlen(cases[i].output), NOW, &failure),
            0);
        assert_string_equal(secret_bytes(token.token), "abc");
        assert_int_equal(token.lifetime, cases[i].lifetime);
        assert_in_range(token.refresh_after, 1, token.lifetime - 1);
        access_token_done(&token);
    }
}

static void test_unusable_output(void **state)
{
    static const struct {
        const char *output, *problem;
    } cases[] = {
        {"", "no JSON"},
        {"Welcome!\n", "no JSON"},
        {"Hello\n", "no JSON object"},
        {"[]", "no JSON object"},
        {"{\"accessToken\":7}", "no accessToken"},
        {"{\"accessToken\":\"abc\"}", "when it expires"},
        {"{\"accessToken\":\"a b\",\"expires_on\":1795352400}", "malformed"},
        {"{\"accessToken\":\"\",\"expires_on\":1795352400}", "malformed"},
        {"{\"accessToken\":\"abc\",\"expires_on\":1795348800}", "has expired"},
        {"{\"accessToken\":\"abc\",\"expires_on\":-5}", "no time"},
        {"{\"accessToken\":\"abc\",\"expires_on\":9223372036854775807}", "no time"},
        {"{\"accessToken\":\"abc\",\"expiresOn\":\"tomorrow\"}", "no time"},
        {"{\"accessToken\":\"abc\",\"expiresOn\":\"2026-13-22 13:00:00\"}", "no time"},
        {"{\"accessToken\":\"abc\",\"expiresOn\":\"2026-11-22 13:00:00 PM\"}", "no time"},
        {"{\"accessToken\":\"abc\",\"tokenType\":\"pop\",\"expires_on\":1795352400}", "not Bearer"},
    };

    (void)state;
    set_zone("UTC0");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct access_token token;
        struct failure failure;

        assert_int_equal(
            azure_cli_read(&token, &cli, cases[i].output, strlen(cases[i].output), NOW, &failure),
            -EINVAL);
        assert_null(token.token);
        if (!strstr(failure.text, cases[i].problem))
            fail_msg("%s: %s", cases[i].output, failure.text);
        assert_null(strstr(failure.text, "abc"));
        assert_non_null(strstr(failure.remedy,
                               "`sudo -u '#990' env AZURE_CONFIG_DIR=/srv/az "
                               "/usr/bin/az account get-access-token"));
    }
}

static void test_errors(void **state)
{
    static const struct {
        const char *errors;
        enum reason reason;
        const char *sentence, *remedy;
    } cases[] = {
        {"ERROR: Please run 'az login' to setup account.\n", REASON_TOKEN_FAILED,
         "because a login is needed: ERROR: Please run",
         "`sudo -u '#990' env AZURE_CONFIG_DIR=/srv/az /usr/bin/az login`"},
        {"ERROR: AADSTS700082: The refresh token has expired due to inactivity.\n",
         REASON_TOKEN_FAILED, "the last one is too old", "login`"},
        {"ERROR: AADSTS50173: The provided grant has expired due to it being revoked\n",
         REASON_TOKEN_FAILED, "the last one was revoked", "login`"},
        {"ERROR: AADSTS50076: Due to a configuration change you must use multi-factor "
         "authentication\nTo re-authenticate, please run:\naz login --scope x\n",
         REASON_TOKEN_FAILED, "a login is needed, with a second factor", "login`"},
        {"ERROR: AADSTS7000222: The provided client secret keys for app are expired.\n"
         "Interactive authentication is needed. Please run:\naz login\n",
         REASON_TOKEN_FAILED, "the client secret has expired",
         "/usr/bin/az login --service-principal --username CLIENT_ID --tenant TENANT_ID`"},
        {"ERROR: AADSTS7000215: Invalid client secret provided.\n"
         "Interactive authentication is needed. Please run:\naz login\n",
         REASON_TOKEN_FAILED, "the client secret is wrong", "--service-principal"},
        {"ERROR: AADSTS700027: The certificate with identifier used to sign the client assertion "
         "is "
         "not registered on application.\nPlease run:\naz login\n",
         REASON_TOKEN_FAILED, "the certificate is not the application's", "--password FILE"},
        {"ERROR: AADSTS53003: Blocked by policies.\nplease run:\naz login\n", REASON_TOKEN_FAILED,
         "a conditional access policy forbids it", "/usr/bin/az account show`"},
        {"ERROR: AADSTS90002: Tenant 'x' not found.\n", REASON_TOKEN_FAILED,
         "the tenant is not known", "/usr/bin/az login --tenant TENANT`"},
        {"ERROR: AADSTS700016: Application not found in the directory.\n", REASON_TOKEN_FAILED,
         "whoever is signed in is not known in the tenant", "correct tenant_id"},
        {"ERROR: AADSTS50020: User account does not exist in tenant.\n", REASON_TOKEN_FAILED,
         "whoever is signed in is not known in the tenant", "correct tenant_id"},
        {"ERROR: interaction_required\n", REASON_TOKEN_FAILED, "a login is needed", "login`"},
        {"The command requires the extension account. Unable to prompt for extension install "
         "confirmation as no tty available.\n",
         REASON_TOKEN_FAILED, "wants to install an extension", "extension add"},
        {"PermissionError: [Errno 13] Permission denied: '/root/.azure'\n", REASON_TOKEN_FAILED,
         "cannot write its configuration", "`config_dir`"},
        {"OSError: [Errno 30] Read-only file system: '/home/x/.azure'\n", REASON_TOKEN_FAILED,
         "cannot write its configuration", "azure-cli.conf"},
        {"HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Max retries exceeded "
         "with url: /x (Caused by SSLError(SSLCertVerificationError(1, '[SSL: "
         "CERTIFICATE_VERIFY_FAILED] certificate verify failed')))\n",
         REASON_TOKEN_FAILED, "does not trust the server's certificate", "REQUESTS_CA_BUNDLE"},
        {"HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Max retries exceeded\n",
         REASON_NETWORK, "does not reach Azure", "HTTPS_PROXY"},
        {"ModuleNotFoundError: No module named 'azure'\n", REASON_TOKEN_FAILED,
         "not installed as a whole", "/usr/bin/az version"},
        {"ERROR: something else\n", REASON_TOKEN_FAILED, "(exit status 1): ERROR: something else",
         "sudo -u '#990'"},
        {"", REASON_TOKEN_FAILED, "(exit status 1)", "get-access-token`"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct failure failure;

        azure_cli_explain(&cli, 1, cases[i].errors, strlen(cases[i].errors), &failure);
        assert_int_equal(failure.reason, cases[i].reason);
        if (!strstr(failure.text, cases[i].sentence) || !strstr(failure.remedy, cases[i].remedy))
            fail_msg("%s: %s / %s", cases[i].errors, failure.text, failure.remedy);
    }
}

/* As `az --debug` would show it. */
static void test_token_among_the_errors(void **state)
{
    static const char errors[] = "DEBUG: Bearer eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJo.c2ln-_x and eyJ\n";
    struct failure failure;

    (void)state;
    azure_cli_explain(&cli, 1, errors, strlen(errors), &failure);
    assert_null(strstr(failure.text, "eyJ0"));
    assert_null(strstr(failure.text, "c2ln"));
    assert_non_null(strstr(failure.text, "DEBUG: Bearer ***"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_local_time),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_unusable_output),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_token_among_the_errors),
    };

    return cmocka_run_group_tests_name("azure_cli", tests, NULL, NULL);
}
