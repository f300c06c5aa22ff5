/* Lists of keys that come in pages. */
#include "proto/two_key/two_key.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ID                                                                                         \
    "/subscriptions/0/resourceGroups/rg/providers/Microsoft.AppConfiguration/configurationStores/" \
    "store"
#define KEY_END "0123456789abcdef0123456789abcdef"
#define MANAGER "https://management.azure.com"
#define LIST    ID "/listKeys"

#define KEY(name, value)                                                                           \
    "{\"id\":\"id-" value "\",\"name\":\"" name "\",\"value\":\"" value "" KEY_END                 \
    "\",\"lastModified\":\"2026-01-02T03:04:05+00:00\"}"
#define PAGE(keys)           "{\"value\":[" keys "]}"
#define PAGE_AND(keys, link) "{\"value\":[" keys "],\"nextLink\":" link "}"

static char link[64];
static struct err err;

static int add(struct two_key_pages *pages, const char *pair, const char *body)
{
    const struct two_key_resource *type = two_key_resource_named("app_configuration");

    link[0] = '\0';
    err = (struct err){.code = 0};
    return two_key_read_page(two_key_pair_named(type, pair), ID, body, strlen(body), pages, link,
                             sizeof(link), &err);
}

static void assert_holds(const struct two_key_pages *pages, enum slot slot, const char *value)
{
    char key[96], id[64];

    (void)snprintf(key, sizeof(key), "%s" KEY_END, value);
    (void)snprintf(id, sizeof(id), "id-%s", value);
    assert_int_equal(secret_length(pages->keys[slot]), strlen(key));
    assert_memory_equal(secret_bytes(pages->keys[slot]), key, strlen(key));
    assert_string_equal(pages->ids[slot], id);
    assert_true(pages->made[slot] > 0);
}

static void test_all_on_one_page(void **state)
{
    struct two_key_pages pages = {.made = {0}};

    (void)state;
    /* Where it goes on does not matter any more. */
    assert_int_equal(add(&pages, "read_write",
                         PAGE_AND(KEY("Primary", "one") "," KEY("Secondary", "two"),
                                  "\"https://evil.example\"")),
                     0);
    assert_holds(&pages, SLOT_PRIMARY, "one");
    assert_holds(&pages, SLOT_SECONDARY, "two");
    two_key_pages_done(&pages);
    assert_null(pages.keys[SLOT_PRIMARY]);
}

static void test_one_by_one(void **state)
{
    struct two_key_pages pages = {.made = {0}};

    (void)state;
    assert_int_equal(add(&pages, "read_only", PAGE_AND(KEY("Primary", "one"), "\"https://2\"")), 1);
    assert_string_equal(link, "https://2");
    assert_null(pages.keys[SLOT_PRIMARY]);
    assert_int_equal(
        add(&pages, "read_only", PAGE_AND(KEY("Secondary Read Only", "four"), "\"https://3\"")), 1);
    /* The first that was shown counts. */
    assert_int_equal(
        add(&pages, "read_only", PAGE_AND(KEY("Secondary Read Only", "x"), "\"https://4\"")), 1);
    assert_int_equal(add(&pages, "read_only", PAGE(KEY("Primary Read Only", "three"))), 0);
    assert_holds(&pages, SLOT_PRIMARY, "three");
    assert_holds(&pages, SLOT_SECONDARY, "four");
    two_key_pages_done(&pages);
}

static void test_lists_that_cannot_be_used(void **state)
{
    static const struct {
        const char *body;
        int rc;
        const char *text;
    } cases[] = {
        {PAGE(KEY("Primary", "one")), -ENODATA, "ends without both keys"},
        {PAGE_AND(KEY("Primary", "one"), "null"), -ENODATA, "ends without both keys"},
        {PAGE_AND(KEY("Primary", "one"), "\"\""), -ENODATA, "ends without both keys"},
        {PAGE_AND(KEY("Primary", "one"), "17"), -EINVAL, "nextLink is no text"},
        {PAGE_AND(KEY("Primary", "one"),
                  "\"https://0123456789012345678901234567890123456789012345678901234567890\""),
         -EINVAL, "too long"},
        {PAGE(KEY("Primary", "one") "," KEY("Primary", "two")), -EINVAL, ""},
        {PAGE(KEY("Primary", "one") "," KEY("Secondary", "one")), -EINVAL,
         "both keys are the same"},
        {PAGE("{\"name\":\"Primary\",\"value\":\"one" KEY_END "\"}"), -EINVAL, "the id of a key"},
        {"{", -EINVAL, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct two_key_pages pages = {.made = {0}};

        assert_int_equal(add(&pages, "read_write", cases[i].body), cases[i].rc);
        assert_non_null(strstr(err.text, cases[i].text));
        two_key_pages_done(&pages);
    }
}

static void test_where_a_list_may_go_on(void **state)
{
    static const struct {
        const char *link;
        bool good;
    } cases[] = {
        {MANAGER LIST "?api-version=2024-06-01&%24skiptoken=2", true},
        {"https://MANAGEMENT.azure.com:443"
         "/SUBSCRIPTIONS/0/resourcegroups/rg/providers/microsoft.appconfiguration"
         "/configurationstores/STORE/listkeys?x",
         true},
        {MANAGER LIST, true},
        {"http://management.azure.com" LIST, false},
        {"https://management.azure.com.evil.example" LIST, false},
        {"https://evil.example" LIST, false},
        {"https://management.azure.com@evil.example" LIST, false},
        {"https://management.azure.com:444" LIST, false},
        {LIST, false},
        {"", false},
        {MANAGER, false},
        {MANAGER ID "/listKeys/2", false},
        {MANAGER ID "/regenerateKey?x=" LIST, false},
        {MANAGER ID "2/listKeys", false},
        {MANAGER ID "/../store/listKeys", false},
        {MANAGER LIST "#x", false},
        {MANAGER LIST "?a b", false},
    };
    const struct two_key_resource *type = two_key_resource_named("app_configuration");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        err = (struct err){.code = 0};
        assert_int_equal(two_key_link_check(type, ID, cases[i].link, MANAGER, &err),
                         cases[i].good ? 0 : -EPERM);
        assert_int_equal(two_key_link_check(type, ID "#read_only", cases[i].link, MANAGER, &err),
                         cases[i].good ? 0 : -EPERM);
        assert_null(strstr(err.text, "skiptoken"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_on_one_page),
        cmocka_unit_test(test_one_by_one),
        cmocka_unit_test(test_lists_that_cannot_be_used),
        cmocka_unit_test(test_where_a_list_may_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
