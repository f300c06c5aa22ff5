#include "ctl/history.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "proto/control_chain.h"

#define NOW 1795348800000 /* 2026-11-22T12:00:00Z */
#define ID  "/subscriptions/s/resourcegroups/g/providers/microsoft.batch/batchaccounts/alpha"

enum { OUT_MAX = 64 * 1024, COLUMNS = 100 };

static const struct history_snapshot rows[] = {
    {.number = 7,
     .at = NOW - MS_HOUR + 123,
     .event = "rotation.started",
     .id = ID,
     .name = "alpha",
     .resource_group = "g",
     .cycle = 3,
     .slot = "secondary",
     .trigger = "command",
     .actor = "uid 1000 (alice)",
     .fingerprint = "00112233445566778899aabbccddeeff",
     .request_id = "r",
     .correlation_id = "c",
     .duration = 200400},
    {.number = 9,
     .at = NOW,
     .event = "drift.detected",
     .id = ID,
     .name = "alpha",
     .resource_group = "g",
     .cycle = 99999,
     .trigger = "schedule",
     .target = "vault",
     .reason = "target_changed",
     .text = "a \"quoted\", long text\x1b that goes on and on and on and on and on, until it does "
             "not fit into a line, and has a/very/long/word/without/any/blank/which/is/longer/than/"
             "a/line/of/the/table/and/is/broken",
     .failed = true},
};

static void write_document(struct buf *out)
{
    control_history_start(out, NOW);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        control_history_row(out, &rows[i]);
    control_history_end(out, 12);
}

static void test_what_is_sent_arrives(void **state)
{
    struct control_history page;
    struct buf out;
    struct err err;

    (void)state;
    buf_init(&out, OUT_MAX);
    write_document(&out);
    assert_int_equal(control_history_parse(buf_str(&out), out.length, &page, &err), 0);
    assert_true(page.now == NOW);
    assert_string_equal(page.next, "12");
    assert_int_equal(page.row_count, 2);
    assert_int_equal(page.rows[0].number, 7);
    assert_true(page.rows[0].at == rows[0].at);
    assert_string_equal(page.rows[0].actor, "uid 1000 (alice)");
    assert_string_equal(page.rows[0].correlation_id, "c");
    assert_int_equal(page.rows[0].duration, 200400);
    assert_null(page.rows[0].target);
    assert_false(page.rows[0].failed);
    assert_true(page.rows[1].failed);
    assert_string_equal(page.rows[1].text, rows[1].text);
    control_history_done(&page);
    buf_clear(&out);
    control_history_start(&out, NOW);
    control_history_end(&out, 0);
    assert_int_equal(control_history_parse(buf_str(&out), out.length, &page, &err), 0);
    assert_null(page.next);
    control_history_done(&page);
    buf_done(&out);
}

static const char *shown(struct buf *out, const struct history_form *form, size_t count)
{
    buf_init(out, OUT_MAX);
    form->head(out, NOW);
    for (size_t i = 0; i < count; i++)
        form->row(out, &rows[i]);
    form->end(out, count);
    assert_int_equal(out->failed, 0);
    return buf_str(out);
}

static void test_table(void **state)
{
    struct buf out;
    const char *text = shown(&out, &history_as_text, 2);

    (void)state;
    assert_true(str_starts_with(text, "TIME                  CYCLE  EVENT "));
    assert_non_null(strstr(text,
                           "\n2026-11-22 11:00:00Z      3  rotation.started    secondary  "
                           "uid 1000 (alice)  00112233     3m 20s\n"
                           "                     g/alpha\n"));
    assert_non_null(
        strstr(text, "  drift.detected      -          schedule          -            -\n"));
    assert_non_null(
        strstr(text, "\n                     g/alpha: target vault: target_changed: a "));
    assert_null(strchr(text, '\x1b'));
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_in_range(strcspn(line, "\n"), 1, COLUMNS);
    buf_done(&out);
    text = shown(&out, &history_as_text, 0);
    assert_non_null(strstr(text, "\nnothing is known of that time\n"));
    buf_done(&out);
}

static void test_csv(void **state)
{
    struct buf out;
    const char *text = shown(&out, &history_as_csv, 2);

    (void)state;
    assert_true(str_starts_with(text,
                                "number,at,event,failed,id,account,resource_group,cycle,slot,"
                                "trigger,actor,fingerprint,target,reason,request_id,"
                                "correlation_id,text,duration_ms\r\n"));
    assert_non_null(strstr(text, "\r\n7,2026-11-22T11:00:00.123Z,\"rotation.started\",false,\"" ID
                                 "\",\"alpha\",\"g\",3,\"secondary\",\"command\","
                                 "\"uid 1000 (alice)\",\"00112233445566778899aabbccddeeff\",\"\","
                                 "\"\",\"r\",\"c\",\"\",200400\r\n9,"));
    assert_non_null(strstr(text, ",\"a \"\"quoted\"\", long text? that"));
    buf_done(&out);
}

static void test_what_fails(void **state)
{
    (void)state;
    assert_true(control_history_is_failure("account.blocked"));
    assert_true(control_history_is_failure("consumers.at_risk"));
    assert_true(control_history_is_failure("command.refused"));
    assert_false(control_history_is_failure("command.accepted"));
    assert_false(control_history_is_failure("consumers.safe"));
    assert_false(control_history_is_failure("rotation.completed"));
    assert_false(control_history_is_failure(NULL));
}

static void test_paths(void **state)
{
    char name[] = "g/alpha";
    char *names[] = {name};
    struct buf out;

    (void)state;
    buf_init(&out, OUT_MAX);
    (void)control_history_path(&(struct control_history_wish){.until = TIME_NEVER}, NULL, &out);
    assert_string_equal(buf_str(&out), "/v1/history");
    buf_clear(&out);
    (void)control_history_path(&(struct control_history_wish){.until = NOW, .failed = true}, "7",
                               &out);
    assert_string_equal(buf_str(&out),
                        "/v1/history?until=2026-11-22T12%3A00%3A00Z&failed=true&after=7");
    buf_clear(&out);
    (void)control_history_path(
        &(struct control_history_wish){
            .names = names, .name_count = 1, .since = NOW, .until = TIME_NEVER},
        NULL, &out);
    assert_string_equal(buf_str(&out),
                        "/v1/history?account=g%2Falpha&since=2026-11-22T12%3A00%3A00Z");
    buf_done(&out);
}

static void test_chains(void **state)
{
    const struct chain_snapshot chain = {.id = ID,
                                         .name = "alpha",
                                         .resource_group = "g",
                                         .rows = 12,
                                         .older = 3,
                                         .head = "00ff",
                                         .fault = "this row was altered",
                                         .number = 7};
    char name[] = "g/alpha";
    struct control_chains page;
    struct buf out;
    struct err err;

    (void)state;
    buf_init(&out, OUT_MAX);
    control_chain_start(&out, NOW);
    control_chain_write(&out, &chain);
    control_chain_write(&out, &(struct chain_snapshot){.id = ID});
    control_chain_end(&out, ID);
    assert_int_equal(control_chains_parse(buf_str(&out), out.length, &page, &err), 0);
    assert_true(page.now == NOW);
    assert_int_equal(page.count, 2);
    assert_string_equal(page.next, ID);
    assert_int_equal(page.chains[0].rows, 12);
    assert_int_equal(page.chains[0].older, 3);
    assert_int_equal(page.chains[0].number, 7);
    assert_string_equal(page.chains[0].head, "00ff");
    assert_string_equal(page.chains[0].fault, chain.fault);
    assert_null(page.chains[1].fault);
    control_chains_done(&page);
    assert_int_equal(control_chains_parse("{\"rows\":[]}", 11, &page, &err), -EBADMSG);
    assert_null(page.document);
    buf_clear(&out);
    (void)control_chains_path((char *[]){name}, 1, "/s", &out);
    assert_string_equal(buf_str(&out), "/v1/history_chains?account=g%2Falpha&after=%2Fs");
    buf_clear(&out);
    (void)control_chains_path(NULL, 0, "/s", &out);
    assert_string_equal(buf_str(&out), "/v1/history_chains?after=%2Fs");
    buf_done(&out);
}

static void test_no_history(void **state)
{
    static const char *const texts[] = {"", "[]", "{}", "{\"rows\":{}}", "{\"rows\":"};
    struct control_history page;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        err_clear(&err);
        assert_int_equal(control_history_parse(texts[i], strlen(texts[i]), &page, &err), -EBADMSG);
        assert_true(err.text[0] != '\0');
        assert_null(page.document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_sent_arrives),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_what_fails),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_no_history),
        cmocka_unit_test(test_chains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
