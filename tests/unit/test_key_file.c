#include "proto/key_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/key_text.h"
#include "proto/template.h"

#define KEY                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

#define ID "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/acct"

typedef int render(const struct key_file *file, struct buf *out);

static struct key_file example(struct secret **ret_key)
{
    *ret_key = secret_new(KEY, sizeof(KEY) - 1);
    return (struct key_file){.account = "acct",
                             .resource_id = ID,
                             .account_endpoint = "acct.westeurope.batch.azure.com",
                             .slot = SLOT_SECONDARY,
                             .key = *ret_key,
                             .cycle = 17,
                             .delivered_at = 1795348800000};
}

static void test_forms(void **state)
{
    static const struct {
        render *render;
        const char *expected;
        uint64_t cycle;
    } cases[] = {
        {key_file_raw, KEY "\n", 0},
        {key_file_env,
         "AZURE_BATCH_ACCOUNT=acct\nAZURE_BATCH_ACCESS_KEY=" KEY
         "\nAZURE_BATCH_ENDPOINT=https://acct.westeurope.batch.azure.com\n",
         0},
        {key_file_json,
         "{\"account\":\"acct\",\"resource_id\":\"" ID "\",\"account_endpoint\":"
         "\"acct.westeurope.batch.azure.com\",\"slot\":\"secondary\",\"key\":\"" KEY
         "\",\"cycle\":17,\"delivered_at\":\"2026-11-22T12:00:00Z\"}\n",
         17},
    };
    struct secret *key;
    struct key_file file = example(&key);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key_text found;
        struct buf out;

        buf_init(&out, KEY_FILE_MAX);
        assert_int_equal(cases[i].render(&file, &out), 0);
        assert_string_equal(buf_str(&out), cases[i].expected);
        /* what was written is found again */
        assert_int_equal(key_text_find(&found, &key_shape_base64, buf_str(&out), out.length), 0);
        assert_int_equal(found.key_count, 1);
        assert_true(secret_equal(found.keys[0], key));
        assert_int_equal(found.cycle, cases[i].cycle);
        key_text_done(&found);
        buf_done(&out);
    }
    secret_free(key);
}

/* A further pair: the account is called otherwise than the resource, whose name its tools want. */
static void test_pair(void **state)
{
    static const char storage[] =
        "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/stacct";
    struct secret *key;
    struct key_file file = example(&key);
    struct buf out;

    (void)state;
    file.account = "stacct-kerb";
    file.resource_id = storage;
    file.pair = "kerb";
    buf_init(&out, KEY_FILE_MAX);
    assert_int_equal(key_file_env(&file, &out), 0);
    assert_string_equal(buf_str(&out),
                        "AZURE_STORAGE_ACCOUNT=stacct\nAZURE_STORAGE_KERBEROS_KEY=" KEY "\n");
    buf_done(&out);
    buf_init(&out, KEY_FILE_MAX);
    assert_int_equal(key_file_json(&file, &out), 0);
    assert_non_null(strstr(buf_str(&out), "{\"account\":\"stacct-kerb\",\"resource_id\":\""));
    assert_non_null(strstr(buf_str(&out), "/stacct\",\"pair\":\"kerb\",\"account_endpoint\":"));
    assert_null(strstr(buf_str(&out), "connection_string"));
    buf_done(&out);
    buf_init(&out, KEY_FILE_MAX);
    assert_int_equal(template_expand("{name} {account}", key_file_type(&file), &file, &out), 0);
    assert_string_equal(buf_str(&out), "stacct stacct-kerb");
    buf_done(&out);
    secret_free(key);
}

/* Azure OpenAI's own clients and those of AI services read other names. */
static void test_names_of_two_clients_in_env(void **state)
{
    struct secret *key;
    struct key_file file = example(&key);
    struct key_text found;
    struct buf out;

    (void)state;
    file.resource_id =
        "/subscriptions/0/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/acct";
    file.account_endpoint = "acct.openai.azure.com";
    buf_init(&out, KEY_FILE_MAX);
    assert_int_equal(key_file_env(&file, &out), 0);
    assert_string_equal(buf_str(&out),
                        "AZURE_AI_SERVICES_NAME=acct\nAZURE_AI_SERVICES_KEY=" KEY
                        "\nAZURE_AI_SERVICES_ENDPOINT=https://acct.openai.azure.com\n"
                        "AZURE_OPENAI_API_KEY=" KEY
                        "\nAZURE_OPENAI_ENDPOINT=https://acct.openai.azure.com\n");
    assert_int_equal(key_text_find(&found, &key_shape_base64, buf_str(&out), out.length), 0);
    assert_int_equal(found.key_count, 1);
    key_text_done(&found);
    buf_done(&out);
    secret_free(key);
}

/* It has the lines of env, and one more. */
static void test_connection_string_in_env(void **state)
{
    struct secret *key;
    struct key_file file = example(&key);
    struct key_text found;
    struct buf out;

    (void)state;
    buf_init(&out, KEY_FILE_MAX);
    assert_int_equal(key_file_env_connection(&file, &out), -EINVAL); /* Batch has none */
    buf_clear(&out);
    file.resource_id =
        "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct";
    file.account_endpoint = "acct.blob.core.windows.net";
    assert_int_equal(key_file_env_connection(&file, &out), 0);
    assert_string_equal(buf_str(&out),
                        "AZURE_STORAGE_ACCOUNT=acct\nAZURE_STORAGE_KEY=" KEY
                        "\nAZURE_STORAGE_BLOB_ENDPOINT=https://acct.blob.core.windows.net\n"
                        "AZURE_STORAGE_CONNECTION_STRING='DefaultEndpointsProtocol=https;"
                        "AccountName=acct;AccountKey=" KEY
                        ";BlobEndpoint=https://acct.blob.core.windows.net/'\n");
    assert_int_equal(key_text_find(&found, &key_shape_base64, out.data, out.length), 0);
    assert_int_equal(found.key_count, 1);
    key_text_done(&found);
    buf_done(&out);
    buf_init(&out, 150);
    assert_int_equal(key_file_env_connection(&file, &out), -EMSGSIZE);
    buf_done(&out);
    secret_free(key);
}

static void test_nothing_is_smuggled_into_env(void **state)
{
    static const char *const endpoints[] = {"",   "a\nLD_PRELOAD=x", "a b", "$(reboot)", "a\"",
                                            "a;b"};
    struct secret *key;
    struct key_file file = example(&key);

    (void)state;
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        struct buf out;

        buf_init(&out, KEY_FILE_MAX);
        file.account_endpoint = endpoints[i];
        assert_int_equal(key_file_env(&file, &out), -EINVAL);
        assert_int_equal(out.length, 0);
        buf_done(&out);
    }
    secret_free(key);
}

static void test_json_escapes(void **state)
{
    struct secret *key;
    struct key_file file = example(&key);
    struct buf out;

    (void)state;
    file.resource_id = "a\"b\\c\n";
    buf_init(&out, KEY_FILE_MAX);
    assert_int_equal(key_file_json(&file, &out), 0);
    assert_non_null(strstr(buf_str(&out), "\"a\\\"b\\\\c\\n\""));
    buf_done(&out);
    secret_free(key);
}

static void test_no_room(void **state)
{
    static render *const forms[] = {key_file_raw, key_file_env, key_file_json};
    struct secret *key;
    struct key_file file = example(&key);

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf out;

        buf_init(&out, 40);
        assert_int_equal(forms[i](&file, &out), -EMSGSIZE);
        buf_done(&out);
    }
    secret_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_pair),
        cmocka_unit_test(test_names_of_two_clients_in_env),
        cmocka_unit_test(test_connection_string_in_env),
        cmocka_unit_test(test_nothing_is_smuggled_into_env),
        cmocka_unit_test(test_json_escapes),
        cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests_name("key_file", tests, NULL, NULL);
}
