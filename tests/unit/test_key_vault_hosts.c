/* The vaults that have been challenged: found by name, and never more than so many. */
#include "io/target/key_vault_hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static struct key_vault_hosts *hosts;

static const char *name_of(int number)
{
    static char name[64];

    (void)snprintf(name, sizeof(name), "https://v%d.vault.azure.net", number);
    return name;
}

static void put(int number, const char *resource)
{
    struct key_vault_challenge challenge = {.resource = ""};

    (void)str_copy(challenge.resource, sizeof(challenge.resource), resource);
    key_vault_hosts_put(&hosts, name_of(number), &challenge);
}

static void test_the_last_challenge_counts(void **state)
{
    (void)state;
    assert_null(key_vault_hosts_find(hosts, name_of(1)));
    put(1, "https://a");
    put(2, "https://b");
    put(1, "https://c");
    assert_string_equal(key_vault_hosts_find(hosts, name_of(1))->resource, "https://c");
    assert_string_equal(key_vault_hosts_find(hosts, name_of(2))->resource, "https://b");
    assert_null(key_vault_hosts_find(hosts, name_of(3)));
    key_vault_hosts_free(hosts);
    hosts = NULL;
}

static void test_their_number_has_a_maximum(void **state)
{
    (void)state;
    for (int i = 0; i < KEY_VAULT_HOSTS_MAX; i++)
        put(i, "https://a");
    put(0, "https://b"); /* it is there already */
    assert_non_null(key_vault_hosts_find(hosts, name_of(1)));
    put(KEY_VAULT_HOSTS_MAX, "https://a");
    assert_non_null(key_vault_hosts_find(hosts, name_of(KEY_VAULT_HOSTS_MAX)));
    for (int i = 0; i < KEY_VAULT_HOSTS_MAX; i++)
        assert_null(key_vault_hosts_find(hosts, name_of(i)));
    key_vault_hosts_free(hosts);
    hosts = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_challenge_counts),
        cmocka_unit_test(test_their_number_has_a_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
