/* `cloud`: the ones that are known by name, and mappings. */
#include "conf/config.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "config_fixture.h"
#include "proto/two_key/two_key.h"

static struct config *load(const char *cloud, const char *targets, const char *expected)
{
    const struct config_lines lines = {.more = cloud, .targets = targets};
    char text[16384];

    config_fixture_compose(&lines, text, sizeof(text));
    return config_fixture_expect(text, expected);
}

static void knows_clouds(void **state)
{
    static const struct {
        const char *line, *name, *resource_manager, *login, *audience, *vaults;
    } cases[] = {
        {"", "AzureCloud", "https://management.azure.com", "https://login.microsoftonline.com",
         "https://management.azure.com/", "https://vault.azure.net"},
        {"cloud: AzureChinaCloud\n", "AzureChinaCloud", "https://management.chinacloudapi.cn",
         "https://login.chinacloudapi.cn", "https://management.core.chinacloudapi.cn/",
         "https://vault.azure.cn"},
        {"cloud: AzureUSGovernment\n", "AzureUSGovernment", "https://management.usgovcloudapi.net",
         "https://login.microsoftonline.us", "https://management.core.usgovcloudapi.net/",
         "https://vault.usgovcloudapi.net"},
        /* a mapping of a known one */
        {"cloud: {resource_manager: 'https://management.chinacloudapi.cn/', login: "
         "'https://login.partner.microsoftonline.cn/'}\n",
         "custom", "https://management.chinacloudapi.cn",
         "https://login.partner.microsoftonline.cn", "https://management.chinacloudapi.cn/",
         "https://vault.azure.cn"},
        {"cloud: {resource_manager: 'https://rm.example', login: 'https://adfs.example/adfs', "
         "audience: x, key_vault_audience: 'https://vault.example'}\n",
         "custom", "https://rm.example", "https://adfs.example/adfs", "x", "https://vault.example"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config *config = load(cases[i].line, NULL, "");

        assert_string_equal(config->cloud.name, cases[i].name);
        assert_string_equal(config->cloud.resource_manager, cases[i].resource_manager);
        assert_string_equal(config->cloud.login, cases[i].login);
        assert_string_equal(config->cloud.audience, cases[i].audience);
        assert_string_equal(config->cloud.key_vault_audience, cases[i].vaults);
        assert_false(config->cloud.discover);
        config_unref(config);
    }
}

/* Keys of Maps are verified at a host that all accounts share, where it is known. */
static void hosts_of_maps(void **state)
{
#define CUSTOM "cloud: {resource_manager: 'https://rm.example', login: 'https://l.example'"
    static const struct {
        const char *cloud, *host;
    } cases[] = {
        {"", "atlas.microsoft.com"},
        {"cloud: AzureUSGovernment\n", "atlas.azure.us"},
        {"cloud: AzureChinaCloud\n", NULL},
        {"cloud: {resource_manager: 'https://management.azure.com', login: 'https://l.example'}\n",
         "atlas.microsoft.com"},
        {CUSTOM "}\n", NULL},
        {CUSTOM ", maps: 'https://maps.example:8443/'}\n", "maps.example:8443"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config *config = load(cases[i].cloud, NULL, "");
        const struct cloud *cloud = &config->cloud;
        const char *why = cloud_cannot_verify(cloud, two_key_resource_named("maps"));

        if (cases[i].host)
            assert_string_equal(cloud->shared_hosts[SHARED_HOST_MAPS], cases[i].host);
        else
            assert_null(cloud->shared_hosts[SHARED_HOST_MAPS]);
        assert_true(cases[i].host ? !why : !!strstr(why, "cloud.maps"));
        assert_null(cloud_cannot_verify(cloud, two_key_resource_named("batch")));
        config_unref(config);
    }
    assert_null(load(CUSTOM ", maps: 'https://maps.example/v2'}\n", NULL,
                     "k.yaml:6:83: cloud.maps: Azure Maps is reached by https:// and has no path "
                     "here: write https://HOST\n"));
#undef CUSTOM
}

/* A token for the public cloud's vaults would be asked for elsewhere. */
static void vaults_of_an_unknown_cloud(void **state)
{
    (void)state;
    assert_null(
        load("cloud: {resource_manager: 'https://rm.example', login: 'https://l.example'}\n",
             "targets: {t: {type: key_vault, vault: 'https://v.vault.azure.net', "
             "secret_name: k}}",
             "k.yaml:4:39: targets.t.vault: \"https://v.vault.azure.net\" is a vault, and "
             "nothing says which tokens the vaults of this cloud take; write "
             "cloud.key_vault_audience, such as https://vault.contoso.example\n"));
}

#define DISCOVERS "cloud: {resource_manager: 'https://rm.example/', discover: true}\n"
#define VAULT     "targets: {t: {type: key_vault, vault: 'https://v.vault.example', secret_name: k}}"
#define KEPT(manager, login)                                                                       \
    "{\"resource_manager\":\"" manager "\",\"name\":\"\",\"login\":\"" login                       \
    "\",\"audience\":\"x\",\"key_vault_audience\":\"https://vault.example\"}"

static void is_discovered(void **state)
{
    struct config *config = load("state_dir: /tmp/none/such\n" DISCOVERS, VAULT, "");

    (void)state;
    assert_true(config->cloud.discover);
    assert_null(config->cloud.metadata);
    assert_string_equal(config->cloud.login, "");
    assert_string_equal(config->cloud.audience, "");
    config_unref(config);
}

static struct config *load_kept(const char *kept, const char *cloud, const char *targets)
{
    char directory[PATH_MAX], line[PATH_MAX + 1024];

    assert_non_null(realpath(".", directory));
    config_fixture_write("cloud.json", kept);
    (void)snprintf(line, sizeof(line), "state_dir: %s\n%s", directory, cloud);
    return load(line, targets, "");
}

static void is_known_from_before(void **state)
{
    struct config *config =
        load_kept(KEPT("https://rm.example", "https://l.example/adfs"), DISCOVERS, VAULT);

    (void)state;
    assert_non_null(config->cloud.metadata);
    assert_string_equal(config->cloud.login, "https://l.example/adfs");
    assert_string_equal(config->cloud.audience, "x");
    assert_string_equal(config->cloud.key_vault_audience, "https://vault.example");
    config_unref(config);
    /* What is written counts. */
    config = load_kept(KEPT("https://rm.example", "https://l.example"),
                       "cloud: {resource_manager: 'https://rm.example', discover: true, login: "
                       "'https://mine.example', audience: y}\n",
                       NULL);
    assert_string_equal(config->cloud.login, "https://mine.example");
    assert_string_equal(config->cloud.audience, "y");
    config_unref(config);
}

/* Of another cloud, with a URL that nothing may be sent to, and damaged. */
static void is_asked_again(void **state)
{
    static const char *const kept[] = {KEPT("https://other.example", "https://l.example"),
                                       KEPT("https://rm.example", "http://l.example"), "{", ""};

    (void)state;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        struct config *config = load_kept(kept[i], DISCOVERS, NULL);

        assert_null(config->cloud.metadata);
        config_unref(config);
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)
    const struct CMUnitTest tests[] = {
        TEST(knows_clouds),  TEST(hosts_of_maps),        TEST(vaults_of_an_unknown_cloud),
        TEST(is_discovered), TEST(is_known_from_before), TEST(is_asked_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
