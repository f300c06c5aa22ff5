/* Lists of keys that come in pages: what is asked for, and what is not. */
#include "io/azure/azure.h"

#include "azure_fixture.h"

#define NEXT_URL "https://arm.example" ID "/listKeys?%24skiptoken="
#define PRIMARY                                                                                    \
    "{\"id\":\"one\",\"name\":\"Primary\",\"value\":\"" KEY_A                                      \
    "\",\"lastModified\":\"2026-01-02T03:04:05Z\"}"
#define SECONDARY "{\"id\":\"two\",\"name\":\"Secondary\",\"value\":\"" KEY_B "\"}"
#define DESCRIBED                                                                                  \
    STATUS(                                                                                        \
        200, NULL,                                                                                 \
        "{\"location\":\"westeurope\",\"properties\":{\"endpoint\":\"https://store.example\"}}")
#define PAGE(url, keys, next)                                                                      \
    {                                                                                              \
        HTTP_ANSWERED, 200, NULL, "{\"value\":[" keys "],\"nextLink\":\"" next "\"}", url          \
    }
#define LAST_PAGE(url, keys)                                                                       \
    {                                                                                              \
        HTTP_ANSWERED, 200, NULL, "{\"value\":[" keys "]}", url                                    \
    }

static void look_by(const struct scripted *script, size_t length)
{
    start(script, length);
    look("corr-1")->resource = two_key_resource_named("app_configuration");
    fake_loop_run(0);
    assert_int_equal(completions, 1);
}

static void test_second_page(void **state)
{
    static const struct scripted script[] = {
        TOKEN, DESCRIBED, PAGE("/listKeys?api-version=", SECONDARY, NEXT_URL "1"),
        LAST_PAGE(NEXT_URL "1", PRIMARY)};

    (void)state;
    look_by(script, 4);
    assert_null(result.failure);
    assert_true(result.described);
    assert_int_equal(fake_http.sent_count, 4);
    assert_string_equal(fake_http.sent[3].method, "POST");
    assert_string_equal(fake_http.sent[3].authorization, fake_http.sent[2].authorization);
    assert_string_equal(fake_http.sent[3].correlation_id, "corr-1");
    assert_string_equal(subject.key_ids[SLOT_PRIMARY], "one");
    assert_string_equal(subject.key_ids[SLOT_SECONDARY], "two");
    assert_int_equal(result.made[SLOT_PRIMARY], INT64_C(1767323045000));
    assert_int_equal(result.made[SLOT_SECONDARY], 0);
    assert_int_equal(result.live[SLOT_PRIMARY].bytes[0], KEY_A[0]);
    stop();
}

/* Both keys are on the first page: whatever follows is not asked for. */
static void test_first_page_is_enough(void **state)
{
    static const struct scripted script[] = {
        TOKEN, DESCRIBED, PAGE("/listKeys", PRIMARY "," SECONDARY, "https://evil.example/")};

    (void)state;
    look_by(script, 3);
    assert_null(result.failure);
    assert_int_equal(fake_http.sent_count, 3);
    stop();
}

static void test_links_that_are_refused(void **state)
{
    static const struct {
        struct scripted page;
        const char *text;
    } cases[] = {
        {PAGE("/listKeys", PRIMARY, "https://evil.example" ID "/listKeys?sig=x"), "evil.example"},
        {PAGE("/listKeys", PRIMARY, "http://arm.example" ID "/listKeys"), "http://arm.example"},
        {PAGE("/listKeys", PRIMARY, "https://arm.example" ID "/regenerateKey"), "another place"},
        {LAST_PAGE("/listKeys", PRIMARY), "ends without both keys"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scripted script[] = {TOKEN, DESCRIBED, cases[i].page};

        look_by(script, 3);
        assert_int_equal(failure.reason, REASON_AZURE_ERROR);
        assert_non_null(strstr(failure.text, cases[i].text));
        assert_null(strstr(failure.text, "sig="));
        assert_int_equal(fake_http.sent_count, 3);
        assert_null(subject.keys[SLOT_PRIMARY]);
        stop();
    }
}

static void test_a_list_without_end(void **state)
{
    struct scripted script[32] = {TOKEN, DESCRIBED};

    (void)state;
    for (size_t i = 2; i < 32; i++)
        script[i] = (struct scripted)PAGE("/listKeys", PRIMARY, NEXT_URL "1");
    look_by(script, 32);
    assert_int_equal(failure.reason, REASON_AZURE_ERROR);
    assert_non_null(strstr(failure.text, "first 8 pages do not hold both keys"));
    assert_int_equal(fake_http.sent_count, 2 + 8);
    stop();
}

/* Azure gives further pages to a GET alone; which the first page is not asked by. */
static void test_pages_by_get(void **state)
{
    static const struct scripted script[] = {
        TOKEN, DESCRIBED, PAGE("/listKeys", PRIMARY, NEXT_URL "1"),
        STATUS(405, NULL, "{\"error\":{\"code\":\"MethodNotAllowed\",\"message\":\"m\"}}"),
        LAST_PAGE(NEXT_URL "1", SECONDARY)};
    static const struct scripted refused[] = {
        TOKEN, DESCRIBED,
        STATUS(405, NULL, "{\"error\":{\"code\":\"MethodNotAllowed\",\"message\":\"m\"}}")};

    (void)state;
    look_by(script, 5);
    assert_null(result.failure);
    assert_string_equal(fake_http.sent[3].method, "POST");
    assert_string_equal(fake_http.sent[4].method, "GET");
    assert_string_equal(fake_http.sent[4].url, fake_http.sent[3].url);
    assert_int_equal(fake_http.sent_count, 5);
    stop();
    look_by(refused, 3);
    assert_non_null(result.failure);
    assert_int_equal(fake_http.sent_count, 3);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_page),
        cmocka_unit_test(test_first_page_is_enough),
        cmocka_unit_test(test_links_that_are_refused),
        cmocka_unit_test(test_a_list_without_end),
        cmocka_unit_test(test_pages_by_get),
    };

    return cmocka_run_group_tests_name("azure_page", tests, NULL, NULL);
}
