#include "conf/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/list.h"
#include "io/access/credential.h"

extern const struct identity_type identity_client_secret;
extern const struct identity_type identity_managed_identity;

/* The schema accepts the type of each identity: without a source of tokens it would fail only in
 * use. */
static void test_every_type_has_a_source(void **state)
{
    (void)state;
    for (size_t i = 0; schema_identity_types[i]; i++) {
        const struct schema_variant *variant = schema_identity_types[i];
        const struct identity_type *type = container_of(variant, struct identity_type, variant);
        size_t keys = 0;

        assert_non_null(credential_source_of(type));
        while (variant->map->keys[keys].name)
            keys++;
        assert_in_range(keys, 0, IDENTITY_SETTINGS_MAX);
    }
}

static void test_settings_by_name(void **state)
{
    static const struct identity ops = {
        .name = "ops", .type = &identity_client_secret, .settings = {"1111", "2222", "ops-secret"}};
    static const struct identity vm = {.name = "vm",
                                       .type = &identity_managed_identity,
                                       .settings = {NULL, "3333", NULL, "auto", "http://here"}};

    (void)state;
    assert_string_equal(identity_setting(&ops, "tenant_id"), "1111");
    assert_string_equal(identity_setting(&ops, "client_secret_file"), "ops-secret");
    assert_null(identity_setting(&ops, "endpoint")); /* it has no such key */
    assert_string_equal(identity_assignee(&ops), "2222");
    assert_string_equal(identity_assignee(&vm), "3333");
    assert_string_equal(identity_setting(&vm, "endpoint"), "http://here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_has_a_source),
        cmocka_unit_test(test_settings_by_name),
    };

    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
