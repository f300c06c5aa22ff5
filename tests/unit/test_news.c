/* What people are told of an account: the whole object, and that it holds no key. */
#include "proto/news.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY                                                                                        \
    "qWK7l3wUjHWs0HqZ1cRkfdQXb4YJm8tNvGgPz5oE2yTaLx9Di6uFrB0SnMeVhCA3pKjOw7ZlXkUq1RtYb2Ns8g=="

static const struct news_form usual = {
    .event = "account.blocked",
    .time = INT64_C(1795348800000),
    .account = "acct",
    .resource_group = "rg",
    .subscription_id = "0001",
    .resource_id = "/subscriptions/0001/acct",
    .state = "blocked",
    .overdue = true,
    .reason = "key_refused",
    .text = "acct is blocked",
    .remedy = "wait",
    .since = INT64_C(1795348800000),
    .next_at = TIME_NEVER,
    .cycle = 7,
};

static const char *write_form(const struct news_form *form, struct buf *out)
{
    buf_init(out, NEWS_MAX);
    assert_int_equal(news_write(form, out), 0);
    return buf_str(out);
}

static void test_whole(void **state)
{
    struct news_form form = usual;
    struct buf out;

    (void)state;
    assert_string_equal(
        write_form(&form, &out),
        "{\"event\":\"account.blocked\",\"time\":\"2026-11-22T12:00:00Z\",\"account\":\"acct\","
        "\"resource_group\":\"rg\",\"subscription_id\":\"0001\",\"resource_id\":"
        "\"/subscriptions/0001/acct\",\"pair\":null,\"state\":\"blocked\",\"overdue\":true,"
        "\"consumers_at_risk\":false,\"reason\":\"key_refused\",\"text\":\"acct is blocked\","
        "\"remedy\":\"wait\",\"since\":\"2026-11-22T12:00:00Z\",\"next_at\":null,\"cycle\":7}");
    buf_done(&out);
    form.reason = form.remedy = NULL;
    form.since = TIME_NEVER;
    assert_non_null(strstr(write_form(&form, &out),
                           "\"reason\":null,\"text\":\"acct is blocked\",\"remedy\":null,"
                           "\"since\":null,"));
    buf_done(&out);
}

/* Whoever put it there. */
static void test_without_keys(void **state)
{
    struct news_form form = usual;
    struct buf out;

    (void)state;
    form.text = "it says: got " KEY ", want another";
    form.remedy = "do not use " KEY;
    (void)write_form(&form, &out);
    assert_null(strstr(buf_str(&out), "qWK7l3wU"));
    assert_null(strstr(buf_str(&out), "ZlXkUq1RtYb2Ns8g"));
    assert_non_null(strstr(buf_str(&out), ", want another\""));
    buf_done(&out);
}

/* The longest texts, of whatever characters, are cut and not refused. */
static void test_long_texts(void **state)
{
    static const char *const fillers[] = {"\"", "\\", "\x01", "\xff", "\n", "\xe2\x82\xac", "a "};
    struct news_form form = usual;
    char text[6001], id[501];
    struct buf out;

    (void)state;
    memset(id, '"', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    form.account = form.resource_group = form.resource_id = id;
    for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
        const size_t length = strlen(fillers[i]);

        for (size_t at = 0; at + length < sizeof(text); at += length)
            memcpy(text + at, fillers[i], length + 1);
        form.text = form.remedy = text;
        (void)write_form(&form, &out);
        assert_null(strchr(buf_str(&out), '\n'));
        assert_int_equal(buf_str(&out)[out.length - 1], '}');
        buf_done(&out);
    }
}

static void test_message(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, NEWS_MAX);
    assert_int_equal(
        news_write_message("rotation.completed", INT64_C(1795348800000), "{\"a\":1}", &out), 0);
    assert_string_equal(buf_str(&out),
                        "{\"type\":\"rotation.completed\",\"timestamp\":"
                        "\"2026-11-22T12:00:00Z\",\"data\":{\"a\":1}}");
    buf_done(&out);
    buf_init(&out, 20);
    assert_int_equal(news_write_message("rotation.completed", 0, "{}", &out), -EMSGSIZE);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_without_keys),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
