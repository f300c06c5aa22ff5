#include "io/store/record_json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/record_table.h"
#include "store_fixture.h"

enum { ROUNDS = 500, VALUE_MAX = 64 * 1024 };

static void assert_reads(const char *text, int expected, const char *part)
{
    struct record record;
    struct err err;

    err_clear(&err);
    assert_int_equal(record_json_read(text, strlen(text), &record, &err), expected);
    if (part)
        assert_non_null(strstr(err.text, part));
}

static void test_every_member_comes_back(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        struct record record, again;
        struct buf text;
        struct err err;

        record_randomize(&record, seed);
        buf_init(&text, VALUE_MAX);
        assert_int_equal(record_json_write(&text, &record), 0);
        memset(&again, 0xa5, sizeof(again));
        assert_int_equal(record_json_read(buf_str(&text), text.length, &again, &err), 0);
        assert_records_equal(&record, &again);
        buf_done(&text);
    }
}

static void test_every_member_stands_under_its_name(void **state)
{
    struct record record;
    struct buf text;

    (void)state;
    record_init(&record);
    record.target_count = 1;
    buf_init(&text, VALUE_MAX);
    assert_int_equal(record_json_write(&text, &record), 0);
    for (size_t i = 0; i < record_table.count; i++)
        assert_non_null(strstr(buf_str(&text), record_table.members[i].name));
    for (size_t i = 0; i < record_target_table.count; i++)
        assert_non_null(strstr(buf_str(&text), record_target_table.members[i].name));
    buf_done(&text);
}

static void test_what_is_absent_is_as_in_a_new_record(void **state)
{
    const char *text = "{\"adopted\": true, \"check_at\": \"never\"}";
    struct record record, expected;
    struct err err;

    (void)state;
    record_init(&expected);
    expected.adopted = true;
    expected.check_at = TIME_NEVER;
    assert_int_equal(record_json_read(text, strlen(text), &record, &err), 0);
    assert_records_equal(&record, &expected);
}

static void test_what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    assert_reads("{\"from_the_future\": 1}", -EPROTONOSUPPORT, "from_the_future");
    assert_reads("{\"targets\": [{\"place\": 1}]}", -EPROTONOSUPPORT, "place");
    assert_reads("{\"position\": \"nowhere\"}", -EBADMSG, "position");
    assert_reads("{\"adopted\": 1}", -EBADMSG, "adopted");
    assert_reads("{\"adopted\": null}", -EBADMSG, "adopted");
    assert_reads("{\"cycle\": -1}", -EBADMSG, "cycle");
    assert_reads("{\"attempts\": 4294967296}", -EBADMSG, "attempts");
    assert_reads("{\"live_primary\": \"abc\"}", -EBADMSG, "live_primary");
    assert_reads("{\"targets\": {}}", -EBADMSG, "targets");
    assert_reads("{\"targets\": [1]}", -EBADMSG, NULL);
    assert_reads("[]", -EBADMSG, NULL);
    assert_reads("{\"adopted\": tru", -EBADMSG, NULL);
}

static void test_more_targets_than_fit_are_refused(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, VALUE_MAX);
    buf_append_str(&text, "{\"targets\": [{}");
    for (int i = 0; i < TARGETS_MAX; i++)
        buf_append_str(&text, ", {}");
    buf_append_str(&text, "]}");
    assert_reads(buf_str(&text), -EBADMSG, "more than");
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_member_comes_back),
        cmocka_unit_test(test_every_member_stands_under_its_name),
        cmocka_unit_test(test_what_is_absent_is_as_in_a_new_record),
        cmocka_unit_test(test_what_makes_no_sense_is_refused),
        cmocka_unit_test(test_more_targets_than_fit_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
