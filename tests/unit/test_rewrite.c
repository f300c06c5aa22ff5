/* The body of the PUT that renews one key of a hub: what was read, without that key. */
#include "proto/two_key/neighbours.h"
#include "proto/two_key/rewrite.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HUB "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Devices/IotHubs/hub"
#define ID  HUB "/IotHubKeys/Service"

#define K1 "QQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define K2 "QgECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define K3 "QwECAwQFBgcICQoLDA0ODw=="
#define K4 "RAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

#define OWNER                                                                                      \
    "{\"keyName\":\"iothubowner\",\"primaryKey\":\"" K1 "\",\"secondaryKey\":\"" K2                \
    "\",\"rights\":\"RegistryWrite, ServiceConnect, DeviceConnect\"}"
#define SERVICE_KEYS(more)                                                                         \
    "{\"keyName\":\"service\"," more "\"rights\":\"ServiceConnect\",\"since\":1.50}"
#define SERVICE_PRIMARY   "\"primaryKey\":\"" K3 "\","
#define SERVICE_SECONDARY "\"secondaryKey\":\"" K4 "\","
#define SERVICE           SERVICE_KEYS(SERVICE_PRIMARY SERVICE_SECONDARY)
#define LISTED            "{\"value\":[" OWNER "," SERVICE "]}"

#define BEFORE                                                                                     \
    "{\"id\":\"" HUB                                                                               \
    "\",\"etag\":\"AAAA=\",\"tags\":{\"a\":\"\\u00e4 "                                             \
    "\\\"q\\\"\"},\"properties\":{\"state\":\"Active\""
#define AFTER                                                                                      \
    ",\"routing\":{\"endpoints\":[],\"n\":1e2,\"big\":9007199254740993,\"x\":null}},\"sku\":{"     \
    "\"name\":\"S1\",\"capacity\":2}}"

/* With these policies, or with none. */
#define WHOLE(policies) BEFORE policies AFTER
#define SHOWN                                                                                      \
    ",\"authorizationPolicies\":[{\"keyName\":\"service\",\"rights\":\"ServiceConnect\","          \
    "\"kept\":[true]},{\"keyName\":\"iothubowner\","                                               \
    "\"rights\":\"RegistryWrite, ServiceConnect, DeviceConnect\"}]"

static int rewrite(const char *body, const char *listed, enum slot slot, size_t maximum,
                   struct buf *out, struct err *err)
{
    const struct two_key_resource *type = two_key_resource_named("iot_hub");
    struct two_key_whole whole;
    int rc = two_key_whole_read(&whole, body, strlen(body), err);

    buf_init(out, maximum);
    if (rc == 0) {
        assert_string_equal(whole.etag, "AAAA=");
        rc = two_key_rewrite(type, ID, slot, &whole, listed, strlen(listed), out, err);
    }
    two_key_whole_done(&whole);
    return rc;
}

static void check_equal(const struct buf *body, const char *expected)
{
    struct err err = {.code = 0};
    struct json_object *is = json_parse(buf_str(body), body->length, &err);
    struct json_object *wanted = json_parse(expected, strlen(expected), &err);

    assert_true(is && wanted);
    assert_true(json_object_equal(is, wanted));
    json_free_wiped(is);
    json_free_wiped(wanted);
}

/* All as it was read, with all keys but one. */
static void test_one_key_is_left_out(void **state)
{
    static const struct {
        const char *whole, *expected;
        enum slot slot;
    } cases[] = {
        {WHOLE(""),
         WHOLE(",\"authorizationPolicies\":[" OWNER "," SERVICE_KEYS(SERVICE_SECONDARY) "]"),
         SLOT_PRIMARY},
        {WHOLE(",\"authorizationPolicies\":null"),
         WHOLE(",\"authorizationPolicies\":[" OWNER "," SERVICE_KEYS(SERVICE_PRIMARY) "]"),
         SLOT_SECONDARY},
        {WHOLE(",\"authorizationPolicies\":[]"),
         WHOLE(",\"authorizationPolicies\":[" OWNER "," SERVICE_KEYS(SERVICE_PRIMARY) "]"),
         SLOT_SECONDARY},
        {WHOLE(SHOWN),
         WHOLE(",\"authorizationPolicies\":[" OWNER
               "," SERVICE_KEYS(SERVICE_PRIMARY "\"kept\":[true],") "]"),
         SLOT_SECONDARY},
        /* with its keys, too, whole or masked */
        {WHOLE(",\"authorizationPolicies\":[" OWNER "," SERVICE "]"),
         WHOLE(",\"authorizationPolicies\":[" OWNER "," SERVICE_KEYS(SERVICE_SECONDARY) "]"),
         SLOT_PRIMARY},
        {WHOLE(",\"authorizationPolicies\":[" OWNER
               "," SERVICE_KEYS("\"primaryKey\":\"****************\",\"secondaryKey\":\"\",") "]"),
         WHOLE(",\"authorizationPolicies\":[" OWNER "," SERVICE_KEYS(SERVICE_SECONDARY) "]"),
         SLOT_PRIMARY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {.code = 0};
        struct buf out;

        assert_int_equal(
            rewrite(cases[i].whole, LISTED, cases[i].slot, TWO_KEY_REWRITE_MAX, &out, &err), 0);
        check_equal(&out, cases[i].expected);
        /* The digits of numbers are those that were read. */
        assert_non_null(strstr(buf_str(&out), "1e2"));
        assert_non_null(strstr(buf_str(&out), "9007199254740993"));
        assert_non_null(strstr(buf_str(&out), "1.50"));
        buf_done(&out);
    }
}

/* Whatever would lose or renew more than one key. */
static void test_what_is_not_whole_is_not_written(void **state)
{
    static const struct {
        const char *whole, *listed, *problem;
    } cases[] = {
        {"{\"properties\":{}}", LISTED, "etag"},
        {"{\"etag\":\"\",\"properties\":{}}", LISTED, "etag"},
        {"{\"etag\":\"*\",\"properties\":{}}", LISTED, "etag"},
        {"{\"etag\":\"a b\",\"properties\":{}}", LISTED, "etag"},
        {"{\"etag\":17,\"properties\":{}}", LISTED, "etag"},
        {"{\"etag\":\"W/\\\"AAAA=\\\"\",\"properties\":{}}", LISTED, "weak"},
        {"{\"etag\":\"AAAA=\"}", LISTED, "properties"},
        {"{\"etag\":\"AAAA=\",\"properties\":{\"a\":1,\"a\":2}}", LISTED, ""},
        {"{\"etag\":\"AAAA=\",\"properties\":{\"a\":18446744073709551616}}", LISTED, ""},
        {"<html>", LISTED, ""},
        {WHOLE(""), "{\"value\":[]}", "no list"},
        {WHOLE(""), "{}", "no list"},
        {WHOLE(""), "[" OWNER "," SERVICE "]", "no list"},
        {WHOLE(""), "{\"value\":[" OWNER "," SERVICE "],\"nextLink\":\"https://x\"}", "elsewhere"},
        {WHOLE(""), "{\"value\":[" OWNER "," SERVICE "],\"nextLink\":17}", "elsewhere"},
        {WHOLE(""), "{\"value\":[" OWNER "]}", "no such"},
        {WHOLE(""), "{\"value\":[" OWNER "," SERVICE "," SERVICE "]}", "twice"},
        {WHOLE(""),
         "{\"value\":[" OWNER "," SERVICE ",{\"keyName\":\"IOTHUBOWNER\","
         "\"rights\":\"x\",\"primaryKey\":\"" K1 "\",\"secondaryKey\":\"" K2 "\"}]}",
         "twice"},
        {WHOLE(""), "{\"value\":[" OWNER "," SERVICE_KEYS(SERVICE_PRIMARY) "]}", "secondaryKey"},
        {WHOLE(""), "{\"value\":[" OWNER "," SERVICE_KEYS(SERVICE_SECONDARY) "]}", "primaryKey"},
        {WHOLE(""), "{\"value\":[{\"keyName\":\"other\",\"rights\":\"x\"}," SERVICE "]}",
         "primaryKey"},
        {WHOLE(""),
         "{\"value\":[{\"keyName\":\"other\",\"rights\":\"x\",\"primaryKey\":null,"
         "\"secondaryKey\":\"" K2 "\"}," SERVICE "]}",
         "primaryKey"},
        {WHOLE(""),
         "{\"value\":[{\"keyName\":\"other\",\"rights\":\"x\",\"primaryKey\":\"\","
         "\"secondaryKey\":\"" K2 "\"}," SERVICE "]}",
         "primaryKey"},
        {WHOLE(""),
         "{\"value\":[{\"keyName\":\"other\",\"rights\":\"x\",\"primaryKey\":"
         "\"********************\",\"secondaryKey\":\"" K2 "\"}," SERVICE "]}",
         "primaryKey"},
        {WHOLE(""),
         "{\"value\":[{\"keyName\":\"other\",\"primaryKey\":\"" K1 "\",\"secondaryKey\":\"" K2
         "\"}," SERVICE "]}",
         "rights"},
        {WHOLE(""), "{\"value\":[{\"rights\":\"x\"}," SERVICE "]}", "keyName"},
        {WHOLE(""), "{\"value\":[17," SERVICE "]}", "keyName"},
        /* The two answers are of different times. */
        {WHOLE(SHOWN), "{\"value\":[" SERVICE "]}", "do not agree"},
        {WHOLE(SHOWN),
         "{\"value\":[" OWNER "," SERVICE ",{\"keyName\":\"new\",\"rights\":\"x\","
         "\"primaryKey\":\"" K1 "\",\"secondaryKey\":\"" K2 "\"}]}",
         "do not agree"},
        {WHOLE(",\"authorizationPolicies\":[{\"keyName\":\"service\",\"rights\":\"ServiceConnect\"}"
               ",{\"keyName\":\"iothubowner\",\"rights\":\"DeviceConnect\"}]"),
         LISTED, "do not agree"},
        {WHOLE(",\"authorizationPolicies\":[{\"keyName\":\"service\",\"rights\":\"ServiceConnect\"}"
               ",{\"keyName\":\"service\",\"rights\":\"ServiceConnect\"}]"),
         LISTED, "do not agree"},
        {WHOLE(",\"authorizationPolicies\":[" OWNER
               "," SERVICE_KEYS("\"primaryKey\":\"" K1 "\",") "]"),
         LISTED, "do not agree"},
        {WHOLE(",\"authorizationPolicies\":{}"), LISTED, "no list"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
            struct err err = {.code = 0};
            struct buf out;

            assert_int_equal(rewrite(cases[i].whole, cases[i].listed, (enum slot)slot,
                                     TWO_KEY_REWRITE_MAX, &out, &err),
                             -EBADMSG);
            assert_non_null(strstr(err.text, cases[i].problem));
            assert_null(strstr(err.text, "CAwQFBgcI"));
            buf_done(&out);
        }
    }
}

static void test_what_is_too_long_is_not_written(void **state)
{
    struct err err = {.code = 0};
    struct buf out;

    (void)state;
    assert_int_equal(rewrite(WHOLE(""), LISTED, SLOT_PRIMARY, 200, &out, &err), -EMSGSIZE);
    assert_null(strstr(err.text, "CAwQFBgcI"));
    buf_done(&out);
}

#define MARK "\xEF\xBB\xBF"

/* A byte order mark, and a link that leads nowhere. */
static void test_what_says_nothing(void **state)
{
    struct err err = {.code = 0};
    struct buf out;

    (void)state;
    assert_int_equal(rewrite(MARK WHOLE(""),
                             MARK "{\"value\":[" OWNER "," SERVICE "],\"nextLink\":\"\"}",
                             SLOT_PRIMARY, TWO_KEY_REWRITE_MAX, &out, &err),
                     0);
    check_equal(
        &out, WHOLE(",\"authorizationPolicies\":[" OWNER "," SERVICE_KEYS(SERVICE_SECONDARY) "]"));
    buf_done(&out);
}

/* Azure could take one for the other, wherever they stand. */
static void test_names_that_differ_in_case(void **state)
{
    static const struct {
        const char *whole, *listed;
    } cases[] = {
        {WHOLE(",\"AuthorizationPolicies\":[]"), LISTED},
        {WHOLE(",\"routing2\":{\"x\":[1,{\"b\":1,\"name\":2,\"c\":3,\"Name\":4}]}"), LISTED},
        {WHOLE(""), "{\"value\":[" OWNER "," SERVICE_KEYS(SERVICE_PRIMARY SERVICE_SECONDARY
                                                          "\"SecondaryKey\":\"x\",") "]}"},
        {WHOLE(",\"authorizationPolicies\":[" OWNER
               "," SERVICE_KEYS("\"PRIMARYKEY\":\"****\",") "]"),
         LISTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {.code = 0};
        struct buf out;

        assert_int_equal(
            rewrite(cases[i].whole, cases[i].listed, SLOT_PRIMARY, TWO_KEY_REWRITE_MAX, &out, &err),
            -ENOTUNIQ);
        assert_non_null(strstr(err.text, "case of their names"));
        assert_null(strstr(err.text, "CAwQFBgcI"));
        buf_done(&out);
    }
}

/* --- when a list is known to show the resource as it is --- */

static void test_for_how_long_it_is_unchanged(void **state)
{
    struct two_key_unchanged unchanged = {.since = 0};

    (void)state;
    assert_int_equal(two_key_unchanged_left(&unchanged, 100, 1000), 0); /* not seen: a look tells */
    two_key_unchanged_saw(&unchanged, "A", false, 1000);
    assert_int_equal(two_key_unchanged_left(&unchanged, 100, 1000), 100);
    assert_int_equal(two_key_unchanged_left(&unchanged, 100, 1099), 1);
    two_key_unchanged_saw(&unchanged, "A", false, 1099); /* it counts from the first time */
    assert_int_equal(two_key_unchanged_left(&unchanged, 100, 1099), 1);
    assert_int_equal(two_key_unchanged_left(&unchanged, 100, 1100), 0);
    two_key_unchanged_saw(&unchanged, "B", false, 2000);
    assert_int_equal(two_key_unchanged_left(&unchanged, 100, 2001), 99);
    two_key_unchanged_saw(&unchanged, "A", false, 3000); /* a late description: it counts anew */
    assert_int_equal(two_key_unchanged_left(&unchanged, 100, 3000), 100);
}

/* The etag is that of a change which goes on: what lists show is not settled before its end. */
static void test_a_change_that_takes_its_time(void **state)
{
    struct two_key_unchanged unchanged = {.since = 0};

    (void)state;
    two_key_unchanged_saw(&unchanged, "A", true, 1000);
    two_key_unchanged_saw(&unchanged, "A", true, 5000);
    assert_int_equal(two_key_unchanged_left(&unchanged, 100, 5000), 100);
    two_key_unchanged_saw(&unchanged, "A", false, 9000); /* it ended just before, perhaps */
    assert_int_equal(two_key_unchanged_left(&unchanged, 100, 9000), 100);
    two_key_unchanged_saw(&unchanged, "A", false, 9050);
    assert_int_equal(two_key_unchanged_left(&unchanged, 100, 9050), 50);
    two_key_unchanged_saw(&unchanged, "A", true, 10000); /* another etag comes at its end alone */
    assert_int_equal(two_key_unchanged_left(&unchanged, 100, 10000), 100);
}

/* Whoever has looked last knows the etag best, and whoever has seen it first its age. */
static void test_what_accounts_tell_each_other(void **state)
{
    struct two_key_unchanged one = {.since = 0}, other = {.since = 0};

    (void)state;
    two_key_unchanged_saw(&other, "A", false, 1000);
    two_key_unchanged_learn(&other, &one); /* which knows nothing */
    assert_int_equal(two_key_unchanged_left(&other, 100, 1001), 99);
    two_key_unchanged_learn(&one, &other);
    assert_int_equal(two_key_unchanged_left(&one, 100, 1001), 99);

    two_key_unchanged_saw(&one, "B", false, 2000);
    two_key_unchanged_learn(&one, &other); /* what was true before */
    assert_string_equal(one.etag, "B");
    assert_int_equal(two_key_unchanged_left(&one, 100, 2000), 100);
    two_key_unchanged_learn(&other, &one);
    assert_string_equal(other.etag, "B");

    two_key_unchanged_saw(&other, "C", false, 3000);
    two_key_unchanged_learn(&one, &other);
    two_key_unchanged_saw(&one, "C", false, 3050);
    two_key_unchanged_learn(&other, &one);
    assert_int_equal(two_key_unchanged_left(&other, 100, 3050), 50);
    two_key_unchanged_saw(&other, "C", true, 3060);
    two_key_unchanged_saw(&other, "C", false, 3070); /* which the first has not seen */
    two_key_unchanged_learn(&one, &other);
    assert_int_equal(two_key_unchanged_left(&one, 100, 3070), 100);
}

static void test_which_etags_serve(void **state)
{
    char longest[TWO_KEY_ETAG_MAX + 1];
    struct err err = {.code = 0};

    (void)state;
    memset(longest, 'a', sizeof(longest));
    longest[TWO_KEY_ETAG_MAX] = '\0';
    assert_int_equal(two_key_etag_check(longest, &err), -EBADMSG);
    assert_int_equal(two_key_etag_check(longest + 1, &err), 0);
    assert_int_equal(two_key_etag_check("AAAA=", &err), 0);
    assert_int_equal(two_key_etag_check("W/AA=", &err), 0); /* base64 */
    assert_int_equal(two_key_etag_check("\"1\"", &err), 0);
    assert_int_equal(two_key_etag_check(NULL, &err), -EBADMSG);
    assert_int_equal(two_key_etag_check("W/\"1\"", &err), -EBADMSG);
    assert_non_null(strstr(err.text, "weak"));
}

/* --- the other policies of the hub --- */

static struct fingerprint first_byte(void *context, const char *key, size_t length)
{
    (void)context;
    (void)length;
    return (struct fingerprint){.bytes = {(uint8_t)key[0], (uint8_t)key[1]}};
}

static struct fingerprint of(const char *key)
{
    return first_byte(NULL, key, strlen(key));
}

static void add_replaced(struct record *record, struct fingerprint key)
{
    const struct fingerprint live = record->live[SLOT_PRIMARY];

    record->live[SLOT_PRIMARY] = key;
    record_add_replaced(record, SLOT_PRIMARY, 1);
    record->live[SLOT_PRIMARY] = live;
}

/* The record of the owner's policy, in accord with the list. */
static struct record owner_record(void)
{
    struct record record;

    record_init(&record);
    record.adopted = true;
    record.live[SLOT_PRIMARY] = of(K1);
    record.live[SLOT_SECONDARY] = of(K2);
    add_replaced(&record, (struct fingerprint){.bytes = {'Z'}});
    return record;
}

static int check_list(const struct record *record, bool watched, const char *id, struct err *err)
{
    const struct two_key_resource *type = two_key_resource_named("iot_hub");
    struct two_key_neighbour neighbours[2];

    /* The other one is not listed, and in the way of nothing. */
    two_key_neighbour_init(&neighbours[0], HUB "/iothubkeys/other",
                           &(struct record){.adopted = true}, true);
    two_key_neighbour_init(&neighbours[1], id, record, watched);
    return two_key_neighbours_check(type, neighbours, 2, LISTED, strlen(LISTED), first_byte, NULL,
                                    err);
}

#define OWNER_ID HUB "/iothubkeys/iothubowner"

static void test_list_fits_the_others(void **state)
{
    struct err err = {.code = 0};
    struct record record = owner_record();

    (void)state;
    assert_int_equal(check_list(&record, true, OWNER_ID, &err), 0);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        record = owner_record();
        record.live[slot] = of(K4);
        err = (struct err){.code = 0};
        assert_int_equal(check_list(&record, true, OWNER_ID, &err), -EAGAIN);
        assert_non_null(strstr(err.text, "iothubowner"));
        assert_null(strstr(err.text, "CAwQFBgcI"));
        /* Its record is not kept up, or that slot is in doubt. */
        assert_int_equal(check_list(&record, false, OWNER_ID, &err), 0);
        record.intent = (struct intent){.open = true, .slot = (enum slot)slot};
        assert_int_equal(check_list(&record, true, OWNER_ID, &err), 0);
        record.intent.slot = slot_other((enum slot)slot);
        assert_int_equal(check_list(&record, true, OWNER_ID, &err), -EAGAIN);
        record.intent.open = false;
        record.adopted = false;
        assert_int_equal(check_list(&record, true, OWNER_ID, &err), 0);
    }
}

/* Wherever it is listed, and whoever knows it. */
static void test_list_shows_a_replaced_key(void **state)
{
    const char *const keys[] = {K1, K2, K3, K4};

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct record record = owner_record();
        struct err err = {.code = 0};

        add_replaced(&record, (struct fingerprint){.bytes = {'Y'}});
        add_replaced(&record,
                     (struct fingerprint){.bytes = {(uint8_t)keys[i][0], (uint8_t)keys[i][1]}});
        record.adopted = i % 2 == 0;
        assert_int_equal(check_list(&record, i < 2, HUB "/iothubkeys/gone", &err), -EAGAIN);
        assert_non_null(strstr(err.text, "replaced"));
    }
}

static void test_no_list(void **state)
{
    static const char *const lists[] = {"<html>", "{}", "[]", "{\"value\":{}}"};

    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct err err = {.code = 0};

        assert_int_equal(two_key_neighbours_check(two_key_resource_named("iot_hub"), NULL, 0,
                                                  lists[i], strlen(lists[i]), first_byte, NULL,
                                                  &err),
                         -EBADMSG);
    }
}

/* Accounts that regenerate one at a time. */
static void test_what_is_changed(void **state)
{
    static const char batch[] =
        "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/acct";
    static const char pair[] =
        "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct#kerb";
    static const char rule[] =
        "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Relay/namespaces/ns/"
        "authorizationRules/r";

    (void)state;
    assert_int_equal(two_key_changed_length(ID), strlen(HUB));
    assert_int_equal(two_key_changed_length(batch), strlen(batch));
    assert_int_equal(two_key_changed_length(pair), strlen(pair) - strlen("#kerb"));
    assert_int_equal(two_key_changed_length(rule), strlen(rule));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_key_is_left_out),
        cmocka_unit_test(test_what_is_not_whole_is_not_written),
        cmocka_unit_test(test_what_is_too_long_is_not_written),
        cmocka_unit_test(test_what_says_nothing),
        cmocka_unit_test(test_names_that_differ_in_case),
        cmocka_unit_test(test_for_how_long_it_is_unchanged),
        cmocka_unit_test(test_a_change_that_takes_its_time),
        cmocka_unit_test(test_what_accounts_tell_each_other),
        cmocka_unit_test(test_which_etags_serve),
        cmocka_unit_test(test_list_fits_the_others),
        cmocka_unit_test(test_list_shows_a_replaced_key),
        cmocka_unit_test(test_no_list),
        cmocka_unit_test(test_what_is_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
