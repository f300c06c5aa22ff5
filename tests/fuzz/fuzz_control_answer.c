/*
 * What keyrotatectl reads from a daemon, perhaps a newer one, perhaps none of ours: answers and
 * status documents. What is understood and written is understood the same again; what is shown
 * holds nothing that terminals obey.
 */
#include <string.h>

#include <json-c/json_object.h>

#include "base/str.h"
#include "ctl/history.h"
#include "ctl/identify.h"
#include "ctl/config_show.h"
#include "ctl/plan.h"
#include "ctl/status_text.h"
#include "fuzz.h"
#include "proto/control_protocol.h"

enum { OUT_MAX = 16 * 1024 * 1024 };

static void read_answer(const char *text, size_t length)
{
    struct control_answer answer, again;
    struct json_object *document = NULL;
    struct json_object *second = NULL;
    struct err err = {.code = 0};
    struct buf out;

    if (control_answer_parse(text, length, &answer, &document, &err) != 0) {
        MUST(err.text[0] != '\0' && fuzz_is_presentable(err.text));
        return;
    }
    MUST(answer.message);
    buf_init(&out, OUT_MAX);
    MUST(control_answer_write(&out, &answer) == 0);
    MUST(control_answer_parse(buf_str(&out), out.length, &again, &second, &err) == 0);
    MUST(again.outcome == answer.outcome && str_equal(again.message, answer.message));
    if (answer.outcome < CONTROL_NOT_FOUND) {
        MUST(str_equal(again.account, answer.account));
        MUST(again.until == (answer.until > 0 ? answer.until : TIME_NEVER));
        MUST(again.cycle == answer.cycle && again.accounts == answer.accounts);
    }
    json_object_put(second);
    json_object_put(document);
    buf_done(&out);
}

static void write_status(struct buf *out, const struct control_status *status)
{
    buf_init(out, OUT_MAX);
    control_status_start(out, &status->daemon);
    for (size_t i = 0; i < status->account_count; i++)
        control_status_account(out, &status->accounts[i], status->daemon.now);
    control_status_end(out);
    MUST(out->failed == 0);
}

/* Lines are ours; everything else that terminals obey would be the document's. */
static void show_status(const struct control_status *status)
{
    struct buf out;

    buf_init(&out, OUT_MAX);
    ctl_write_summary(&out, &status->daemon, "/run/control.sock");
    ctl_write_table(&out, status);
    for (size_t i = 0; i < status->account_count; i++) {
        ctl_write_problem(&out, &status->accounts[i], status->daemon.now);
        ctl_write_account(&out, &status->accounts[i], status->daemon.now);
    }
    for (size_t i = 0; i < out.length; i++)
        MUST((unsigned char)out.data[i] >= 0x20 ? out.data[i] != 0x7f : out.data[i] == '\n');
    (void)ctl_status_severity(status);
    buf_done(&out);
}

/* Reads what was written, and writes it again. */
static void rewrite(const struct buf *written, struct buf *again, size_t account_count)
{
    struct control_status status;
    struct err err;

    MUST(control_status_parse(buf_str(written), written->length, &status, &err) == 0);
    MUST(status.account_count == account_count);
    write_status(again, &status);
    control_status_done(&status);
}

static void read_status(const char *text, size_t length)
{
    struct control_status status;
    struct err err = {.code = 0};
    struct buf first, second, third;

    if (control_status_parse(text, length, &status, &err) != 0) {
        MUST(err.text[0] != '\0' && fuzz_is_presentable(err.text));
        MUST(status.account_count == 0 && !status.document);
        return;
    }
    show_status(&status);
    write_status(&first, &status);
    /* Instants before 1970 are written as unknown: after that it has settled. */
    rewrite(&first, &second, status.account_count);
    rewrite(&second, &third, status.account_count);
    MUST(third.length == second.length && memcmp(third.data, second.data, second.length) == 0);
    control_status_done(&status);
    buf_done(&first);
    buf_done(&second);
    buf_done(&third);
}

static void show_keys(struct findings *findings, time_ms now)
{
    struct buf out;

    buf_init(&out, OUT_MAX);
    identify_write_text(&out, findings, now);
    for (const char *line = buf_str(&out); *line != '\0'; line++)
        MUST((unsigned char)*line >= ' ' ? *line != 0x7f : *line == '\n');
    buf_clear(&out);
    identify_write_json(&out, findings, now);
    MUST(out.failed == 0);
    (void)identify_result(findings);
    buf_done(&out);
}

/* What is said of keys, one by one as if each came from standard input. */
static void read_identity(const char *text, size_t length)
{
    struct control_identity identity;
    struct err err = {.code = 0};
    struct buf out;

    if (control_identify_parse(text, length, &identity, &err) != 0) {
        MUST(err.text[0] != '\0' && fuzz_is_presentable(err.text));
        MUST(identity.key_count == 0 && !identity.document);
        return;
    }
    buf_init(&out, OUT_MAX);
    control_identify_start(&out, identity.now, identity.salt);
    for (size_t i = 0; i < identity.key_count; i++) {
        struct found_key key = {.known = &identity.keys[i]};
        struct findings findings = {.keys = &key, .key_count = 1};

        show_keys(&findings, identity.now);
        control_identify_key(&out, &identity.keys[i]);
    }
    control_identify_end(&out);
    MUST(out.failed == 0);
    control_identify_done(&identity);
    MUST(control_identify_parse(buf_str(&out), out.length, &identity, &err) == 0);
    control_identify_done(&identity);
    buf_done(&out);
}

static void show_rows(const struct control_history *history, const struct history_form *form)
{
    struct buf out;

    buf_init(&out, OUT_MAX);
    form->head(&out, history->now);
    for (size_t i = 0; i < history->row_count; i++)
        form->row(&out, &history->rows[i]);
    form->end(&out, history->row_count);
    for (const char *line = buf_str(&out); form != &history_as_json && *line != '\0'; line++)
        MUST((unsigned char)*line >= ' ' ? *line != 0x7f : *line == '\n' || *line == '\r');
    buf_done(&out);
}

/* A page of history, in all its forms, and written again. */
static void read_history(const char *text, size_t length)
{
    struct control_history history;
    struct err err = {.code = 0};
    struct buf out;

    if (control_history_parse(text, length, &history, &err) != 0) {
        MUST(err.text[0] != '\0' && fuzz_is_presentable(err.text));
        MUST(history.row_count == 0 && !history.document);
        return;
    }
    show_rows(&history, &history_as_text);
    show_rows(&history, &history_as_csv);
    show_rows(&history, &history_as_json);
    buf_init(&out, OUT_MAX);
    control_history_start(&out, history.now);
    for (size_t i = 0; i < history.row_count; i++)
        control_history_row(&out, &history.rows[i]);
    control_history_end(&out, 7);
    MUST(out.failed == 0);
    control_history_done(&history);
    MUST(control_history_parse(buf_str(&out), out.length, &history, &err) == 0);
    MUST(str_equal(history.next, "7"));
    control_history_done(&history);
    buf_done(&out);
}

/* A plan, in all its forms. */
static void read_plan(const char *text, size_t length)
{
    struct control_plan page;
    struct err err = {.code = 0};
    struct plan plan;
    struct buf out;

    if (control_plan_parse(text, length, &page, &err) != 0) {
        MUST(err.text[0] != '\0' && fuzz_is_presentable(err.text));
        return;
    }
    MUST(plan_collect(&plan, &page, 1) == 0);
    buf_init(&out, OUT_MAX);
    plan_write_text(&out, &plan);
    for (const char *line = buf_str(&out); *line != '\0'; line++)
        MUST((unsigned char)*line >= ' ' || *line == '\n');
    buf_clear(&out);
    plan_write_json(&out, &plan);
    MUST(out.failed == 0);
    buf_clear(&out);
    plan_write_ics(&out, &plan);
    plan_done(&plan);
    control_plan_done(&page);
    buf_done(&out);
}

/* The configuration of an account, as people see it. */
static void read_config(const char *text, size_t length)
{
    struct control_config config;
    struct err err = {.code = 0};
    struct buf out;

    if (control_config_parse(text, length, &config, &err) != 0) {
        MUST(err.text[0] != '\0' && fuzz_is_presentable(err.text));
        return;
    }
    buf_init(&out, OUT_MAX);
    ctl_write_config(&out, &config, config.loaded_at);
    for (const char *line = buf_str(&out); *line != '\0'; line++)
        MUST((unsigned char)*line >= ' ' || *line == '\n');
    control_config_done(&config);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_answer((const char *)data, size);
    read_status((const char *)data, size);
    read_plan((const char *)data, size);
    read_config((const char *)data, size);
    read_identity((const char *)data, size);
    read_history((const char *)data, size);
    return 0;
}
