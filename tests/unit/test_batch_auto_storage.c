#include "proto/batch_auto_storage.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define STORAGE                                                                                    \
    "\"storageAccountId\":\"/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/"       \
    "storageAccounts/s\",\"lastKeySync\":\"2026-11-22T12:00:00Z\""

static void test_descriptions(void **state)
{
    static const struct {
        const char *body;
        int rc;
        enum batch_auto_storage storage;
    } cases[] = {
        {"{\"properties\":{\"autoStorage\":{" STORAGE ",\"authenticationMode\":\"StorageKeys\"}}}",
         0, BATCH_AUTO_STORAGE_KEYS},
        {"{\"properties\":{\"autoStorage\":{" STORAGE "}}}", 0, BATCH_AUTO_STORAGE_KEYS},
        {"{\"properties\":{\"autoStorage\":{" STORAGE
         ",\"authenticationMode\":\"BatchAccountManagedIdentity\"}}}",
         0, BATCH_AUTO_STORAGE_IDENTITY},
        {"{\"properties\":{\"autoStorage\":null}}", 0, BATCH_AUTO_STORAGE_NONE},
        {"{\"properties\":{}}", 0, BATCH_AUTO_STORAGE_NONE},
        {"{\"properties\":{\"autoStorage\":[]}}", 0, BATCH_AUTO_STORAGE_NONE},
        {"{}", -EBADMSG, BATCH_AUTO_STORAGE_NONE},
        {"<html>", -EBADMSG, BATCH_AUTO_STORAGE_NONE},
        {"", -EBADMSG, BATCH_AUTO_STORAGE_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum batch_auto_storage storage = BATCH_AUTO_STORAGE_NONE;
        struct err err = {.code = 0};

        assert_int_equal(
            batch_auto_storage_read(cases[i].body, strlen(cases[i].body), &storage, &err),
            cases[i].rc);
        assert_int_equal(storage, cases[i].storage);
        assert_int_equal(err.text[0] != '\0', cases[i].rc != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptions),
    };

    return cmocka_run_group_tests_name("batch_auto_storage", tests, NULL, NULL);
}
