/* Targets in HashiCorp Vault, against a server that answers as the test says. Probes: what they
 * demand. */
#include "vault_fixture.h"

static void probe(struct fixture *f, const char *capabilities, const char *failure)
{
    struct destination destination = destination_of(f, 0);

    vault.capabilities = capabilities;
    target_probe(&f->world, &destination, NULL, note, &f->answers[0]);
    loop_run(f->loop);
    assert_int_equal(f->answers[0].count, 1);
    if (!failure) {
        assert_false(f->answers[0].failed);
        return;
    }
    assert_true(f->answers[0].failed);
    assert_int_equal(f->answers[0].failure.reason, REASON_TARGET_DENIED);
    assert_string_equal(f->answers[0].failure.text, failure);
    assert_non_null(strstr(f->answers[0].failure.remedy, "path \"secret/data/a0\""));
}

/* Nothing was ever written there: the next write creates it. */
static void test_probe_where_nothing_stands(void **state)
{
    struct fixture *f = *state;

    probe(f, "\"create\",\"read\",\"update\"", NULL);
    assert_int_equal(vault.reads, 0);
    probe(f, "\"create\",\"read\"", NULL);
    assert_int_equal(vault.reads, 1);
    probe(f, "\"read\",\"update\"", "the token may not create secret/a0");
    probe(f, "\"deny\"", "the token may not read, create or update secret/a0");
    probe(f, "\"list\",\"read\"", "the token may not create or update secret/a0");
    assert_int_equal(vault.reads, 2);
    probe(f, NULL, NULL); /* what it may not ask, the read has to show */
    assert_int_equal(vault.reads, 3);
}

/* The largest object that the configuration takes has an identity, too, as a hook behind it has. */
static void test_identity_of_a_large_object(void **state)
{
    enum { FIELDS = 32, LENGTH = 4096 };
    struct fixture *f = *state;
    char text[LENGTH + 1];
    struct vault_field fields[FIELDS];
    struct destination destination = destination_of(f, 0), hook = destination;
    struct target_id id, changed;

    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    for (size_t i = 0; i < FIELDS; i++)
        fields[i] = (struct vault_field){.name = text, .template = text};
    f->settings.fields = fields;
    f->settings.field_count = FIELDS;
    hook.after = &destination;
    id = target_identify(&hook);
    fields[FIELDS - 1].template = "y";
    changed = target_identify(&hook);
    assert_false(target_id_equal(&id, &changed));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_probe_where_nothing_stands),
        TEST(test_identity_of_a_large_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
