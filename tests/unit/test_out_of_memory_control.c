/* What daemon and keyrotatectl say to each other, when memory runs out: see allocation.h. */
#include "allocation_hooks.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json_object.h>

#include "ctl/config_show.h"
#include "ctl/plan.h"
#include "proto/control_chain.h"
#include "proto/control_history.h"
#include "proto/control_identify.h"

#define NOW ((time_ms)1795348800000)
#define ID  "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Batch/batchAccounts/acct"

static void add_written(struct result *result, const struct buf *out)
{
    if (out->failed != 0)
        result_failed(result, out->failed, NULL);
    else
        result_add(result, "%s\n", buf_str(out));
}

/* --- the request line --- */

static const struct control_question questions[] = {
    {.name = "status"},
    {.name = "accounts", .of_accounts = true, .of_some = true},
    {.name = "plan", .of_accounts = true, .of_time = true},
    {.name = "identify", .of_keys = true},
};
enum { QUESTIONS = sizeof(questions) / sizeof(questions[0]) };

struct line {
    const char *method;
    const char *uri;
};

static void read_line(struct result *result, const void *context)
{
    const struct line *sent = context;
    struct control_request_line line;
    struct err err = {.code = 0};
    const char *allow;
    int rc = control_request_line_parse(sent->method, sent->uri, questions, QUESTIONS, &line,
                                        &allow, &err);

    if (rc != 0)
        result_failed(result, rc, err.text);
    else
        result_add(result, "%s %d\n", line.question ? line.question->name : "-", line.kind);
    result_add_text(result, "allow", allow);
    if (rc == 0)
        result_add_text(result, "account", line.account);
    for (size_t i = 0; rc == 0 && i < line.query.name_count; i++)
        result_add(result, "%s\n", line.query.names[i]);
    control_request_line_done(&line);
}

static const struct line status = {"GET", "/v1/status"};
static const struct line one_account = {"GET", "/v1/accounts/rg%2Facct"};
static const struct line some_accounts = {
    "GET", "/v1/accounts?account=a%20b&account=c&account=d&state=ok&policy=p"};
static const struct line plan_page = {"GET",
                                      "/v1/plan?until=2026-11-22T12:00:00Z&after=%2Fsub%2Fx"};
static const struct line rotate = {"POST", "/v1/accounts/acct/rotate"};
static const struct line hold_all = {"POST", "/v1/hold"};
static const struct line wrong_method = {"GET", "/v1/accounts/acct/rotate"};
static const struct line no_such_path = {"GET", "/v1/accounts/acct/nonsense/more/and/more"};
static const struct line malformed = {"GET", "/v1/accounts?account=%zz"};

static void write_paths(struct result *result, const void *context)
{
    static char account[] = "a group (1)/an account of some length, with blanks";
    const struct control_command command = {.kind = CONTROL_ADOPT, .account = account};
    char *const names[] = {account, account, account};
    struct buf out;

    (void)context;
    buf_init(&out, CONTROL_URI_MAX);
    (void)control_command_path(&command, &out);
    add_written(result, &out);
    buf_clear(&out);
    (void)control_question_path("accounts", names, 3, &out);
    add_written(result, &out);
    buf_done(&out);
}

/* --- commands --- */

static const struct control_command hold = {
    .kind = CONTROL_HOLD, .until = NOW, .reason = "release week, with \"quotes\""};

static void write_command(struct result *result, const void *command)
{
    struct buf out;

    buf_init(&out, CONTROL_BODY_MAX);
    (void)control_command_body(command, &out);
    add_written(result, &out);
    buf_done(&out);
}

static void read_command(struct result *result, const void *body)
{
    struct control_command command;
    struct json_object *document;
    struct err err = {.code = 0};
    int rc = control_command_parse(CONTROL_HOLD, body, strlen(body), &command, &document, &err);

    if (rc != 0)
        result_failed(result, rc, err.text);
    else
        result_add(result, "%s %" PRId64 "\n", command.reason, command.until);
    json_object_put(document);
}

/* --- answers --- */

static const struct control_answer refused = {.outcome = CONTROL_REFUSED,
                                              .message = "the overlap has not passed yet",
                                              .account = ID,
                                              .until = NOW,
                                              .cycle = 7,
                                              .accounts = 1,
                                              .report = "k.yaml:1:1: a line\nand another\n"};
static const struct control_answer not_found = {
    .outcome = CONTROL_NOT_FOUND, .message = "there is no account nobody", .until = TIME_NEVER};

static void write_answer(struct result *result, const void *answer)
{
    struct buf out;

    buf_init(&out, CONTROL_BODY_MAX);
    (void)control_answer_write(&out, answer);
    add_written(result, &out);
    buf_done(&out);
}

static void read_answer(struct result *result, const void *context)
{
    struct control_answer answer;
    struct json_object *document;
    struct err err = {.code = 0};
    struct buf text;
    int rc;

    allocation_suspend();
    buf_init(&text, CONTROL_BODY_MAX);
    (void)control_answer_write(&text, context);
    allocation_resume();
    rc = control_answer_parse(buf_str(&text), text.length, &answer, &document, &err);
    if (rc != 0)
        result_failed(result, rc, err.text);
    else
        result_add(result, "%d %s %" PRIu64 " %zu %" PRId64 "\n", answer.outcome, answer.message,
                   answer.cycle, answer.accounts, answer.until);
    result_add_text(result, "account", answer.account);
    result_add_text(result, "report", answer.report);
    json_object_put(document);
    buf_done(&text);
}

/* --- the status document --- */

static const struct daemon_snapshot daemon_state = {
    .version = "1.0",
    .now = NOW,
    .started_at = NOW - MS_DAY,
    .config_loaded_at = NOW - MS_HOUR,
    .config_error = "k.yaml:1:1: it is empty",
    .accounts = 2,
    .states = {{"ok", 1}, {"blocked", 1}},
    .state_count = 2,
    .oldest_key_born = NOW - 30 * MS_DAY,
    .oldest_key_account = ID,
    .next_at = NOW + MS_DAY,
    .next_account = ID,
    .journal_failing_since = TIME_NEVER,
};

static const struct target_snapshot targets[] = {
    {.name = "file",
     .destination = "file /keys/acct",
     .required = true,
     .satisfied = true,
     .holds = "the primary key",
     .delivered_at = NOW - MS_DAY,
     .failing_since = TIME_NEVER,
     .retry_at = TIME_NEVER},
    {.name = "env",
     .destination = "file /keys/acct.env",
     .delivered_at = TIME_NEVER,
     .reason = "target_denied",
     .failing_since = NOW - MS_HOUR,
     .retry_at = NOW + MS_HOUR},
};

static const struct hold_snapshot account_hold = {.id = 3,
                                                  .actor = "uid 0 (root)",
                                                  .since = NOW,
                                                  .until = NOW + MS_DAY,
                                                  .reason = "release week"};

static const struct account_snapshot account = {
    .id = ID,
    .name = "acct",
    .resource_group = "rg",
    .subscription_id = "0",
    .location = "westeurope",
    .identity = "ops",
    .policy = "standard",
    .active = "primary",
    .keys = {{.fingerprint = "0123456789abcdef", .born = NOW - MS_DAY, .older = true},
             {.born = TIME_NEVER}},
    .state = "retrying",
    .reason = "target_denied",
    .meaning = "a target cannot be written",
    .remedy = "let it be written",
    .since = NOW - MS_HOUR,
    .next_at = NOW + MS_DAY,
    .retry_at = NOW + MS_HOUR,
    .phase = "deliver",
    .rotating = true,
    .cycle = 7,
    .started_at = NOW - MS_HOUR,
    .completed_at = NOW - MS_DAY,
    .holds = &account_hold,
    .hold_count = 1,
    .failure = {.at = NOW - MS_HOUR, .text = "permission denied", .error_code = "EACCES"},
    .targets = targets,
    .target_count = 2,
};

static void write_document(struct buf *out)
{
    buf_init(out, CONTROL_REPLY_MAX);
    control_status_start(out, &daemon_state);
    control_status_account(out, &account, NOW);
    control_status_account(out, &account, NOW);
    control_status_end(out);
}

static void write_status(struct result *result, const void *context)
{
    struct buf out;

    (void)context;
    write_document(&out);
    add_written(result, &out);
    buf_done(&out);
}

/* What was read is written again, which shows all of it. */
static void read_status(struct result *result, const void *context)
{
    struct control_status read;
    struct err err = {.code = 0};
    struct buf text;
    int rc;

    (void)context;
    allocation_suspend();
    write_document(&text);
    allocation_resume();
    rc = control_status_parse(buf_str(&text), text.length, &read, &err);
    allocation_suspend();
    buf_clear(&text);
    if (rc == 0)
        control_status_start(&text, &read.daemon);
    for (size_t i = 0; i < read.account_count; i++)
        control_status_account(&text, &read.accounts[i], NOW);
    allocation_resume();
    if (rc != 0)
        result_failed(result, rc, err.text);
    add_written(result, &text);
    control_status_done(&read);
    buf_done(&text);
}

/* --- the plan --- */

static void write_plan(struct buf *out)
{
    struct planned_snapshot rotations[] = {{.at = NOW + MS_DAY, .slot = "primary", .why = "splay"},
                                           {.at = NOW + 9 * MS_DAY, .slot = "secondary"}};
    const struct account_plan one = {.id = ID,
                                     .name = "acct",
                                     .resource_group = "rg",
                                     .state = "ok",
                                     .later_at = TIME_NEVER,
                                     .rotations = rotations,
                                     .rotation_count = 2};

    buf_init(out, CONTROL_REPLY_MAX);
    control_plan_start(out, NOW, NOW + 30 * MS_DAY);
    control_plan_account(out, &one);
    control_plan_end(out, ID);
}

static void read_plan(struct result *result, const void *context)
{
    struct control_plan page;
    struct err err = {.code = 0};
    struct plan plan;
    struct buf text;
    int rc;

    (void)context;
    allocation_suspend();
    write_plan(&text);
    allocation_resume();
    rc = control_plan_parse(buf_str(&text), text.length, &page, &err);
    buf_done(&text);
    if (rc != 0) {
        result_failed(result, rc, err.text);
        return;
    }
    rc = plan_collect(&plan, &page, 1);
    buf_init(&text, CONTROL_REPLY_MAX);
    if (rc == 0)
        plan_write_json(&text, &plan);
    if (rc == 0)
        add_written(result, &text);
    else
        result_failed(result, rc, NULL);
    buf_done(&text);
    plan_done(&plan);
    control_plan_done(&page);
}

/* --- the configuration --- */

static void read_config(struct result *result, const void *context)
{
    static const struct config_value_snapshot value = {
        .key = "policy.overlap", .value = "10d", .file = "/etc/k.yaml", .line = 3, .from = "file"};
    struct control_config config;
    struct err err = {.code = 0};
    struct buf text;
    int rc;

    (void)context;
    allocation_suspend();
    buf_init(&text, CONTROL_REPLY_MAX);
    control_config_start(&text, ID, "acct", "rg", NOW);
    control_config_value(&text, &value);
    control_config_end(&text);
    allocation_resume();
    rc = control_config_parse(buf_str(&text), text.length, &config, &err);
    buf_clear(&text);
    if (rc != 0) {
        result_failed(result, rc, err.text);
    } else {
        ctl_write_config(&text, &config, NOW);
        add_written(result, &text);
        control_config_done(&config);
    }
    buf_done(&text);
}

/* --- history --- */

static void write_history(struct buf *out)
{
    const struct history_snapshot row = {
        .number = 3, .at = NOW, .event = "key.delivered", .id = ID, .name = "acct", .cycle = 2};

    buf_init(out, CONTROL_REPLY_MAX);
    control_history_start(out, NOW);
    control_history_row(out, &row);
    control_history_row(out, &row);
    control_history_end(out, 3);
}

static void read_history(struct result *result, const void *context)
{
    struct control_history page;
    struct err err = {.code = 0};
    struct buf text;
    int rc;

    (void)context;
    allocation_suspend();
    write_history(&text);
    allocation_resume();
    rc = control_history_parse(buf_str(&text), text.length, &page, &err);
    buf_done(&text);
    if (rc != 0) {
        result_failed(result, rc, err.text);
        return;
    }
    result_add(result, "%zu %s\n", page.row_count, page.next);
    control_history_done(&page);
}

static void read_chains(struct result *result, const void *context)
{
    const struct chain_snapshot chain = {.id = ID, .name = "acct", .rows = 2, .fault = "broken"};
    struct control_chains page;
    struct err err = {.code = 0};
    struct buf text;
    int rc;

    (void)context;
    allocation_suspend();
    buf_init(&text, CONTROL_REPLY_MAX);
    control_chain_start(&text, NOW);
    control_chain_write(&text, &chain);
    control_chain_end(&text, ID);
    allocation_resume();
    rc = control_chains_parse(buf_str(&text), text.length, &page, &err);
    buf_done(&text);
    if (rc != 0) {
        result_failed(result, rc, err.text);
        return;
    }
    result_add(result, "%zu %s\n", page.count, page.chains[0].fault);
    control_chains_done(&page);
}

/* --- whose keys these are --- */

static void write_identity(struct buf *out)
{
    static const uint8_t salt[FINGERPRINT_SALT_LENGTH] = {1};
    const struct identified_key key = {.fingerprint = "00112233445566778899aabbccddeeff",
                                       .state = "dead",
                                       .id = ID,
                                       .name = "acct",
                                       .dead_since = NOW,
                                       .overlap_until = TIME_NEVER,
                                       .looked_at = NOW};

    buf_init(out, CONTROL_REPLY_MAX);
    control_identify_start(out, NOW, salt);
    control_identify_key(out, &key);
    control_identify_end(out);
}

static void read_identity(struct result *result, const void *context)
{
    struct control_identity identity;
    struct err err = {.code = 0};
    struct buf text;
    int rc;

    (void)context;
    allocation_suspend();
    write_identity(&text);
    allocation_resume();
    rc = control_identify_parse(buf_str(&text), text.length, &identity, &err);
    buf_done(&text);
    if (rc != 0) {
        result_failed(result, rc, err.text);
        return;
    }
    result_add_text(result, "state", identity.keys[0].state);
    control_identify_done(&identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALLOCATION_TEST("line_status", read_line, &status),
        ALLOCATION_TEST("line_one_account", read_line, &one_account),
        ALLOCATION_TEST("line_some_accounts", read_line, &some_accounts),
        ALLOCATION_TEST("line_plan", read_line, &plan_page),
        ALLOCATION_TEST("line_rotate", read_line, &rotate),
        ALLOCATION_TEST("line_hold_all", read_line, &hold_all),
        ALLOCATION_TEST("line_wrong_method", read_line, &wrong_method),
        ALLOCATION_TEST("line_no_such_path", read_line, &no_such_path),
        ALLOCATION_TEST("line_malformed", read_line, &malformed),
        ALLOCATION_TEST("paths", write_paths, NULL),
        ALLOCATION_TEST("command_write", write_command, &hold),
        ALLOCATION_TEST("command_read", read_command,
                        "{\"until\":\"2026-11-22T12:00:00Z\",\"reason\":\"release week\"}"),
        ALLOCATION_TEST("command_read_incomplete", read_command, ""),
        ALLOCATION_TEST("command_read_invalid", read_command, "[\"no\", {\"object\": 1}]"),
        ALLOCATION_TEST("answer_write", write_answer, &refused),
        ALLOCATION_TEST("answer_write_error", write_answer, &not_found),
        ALLOCATION_TEST("answer_read", read_answer, &refused),
        ALLOCATION_TEST("answer_read_error", read_answer, &not_found),
        ALLOCATION_TEST("status_write", write_status, NULL),
        ALLOCATION_TEST("status_read", read_status, NULL),
        ALLOCATION_TEST("plan_read", read_plan, NULL),
        ALLOCATION_TEST("config_read", read_config, NULL),
        ALLOCATION_TEST("history_read", read_history, NULL),
        ALLOCATION_TEST("chains_read", read_chains, NULL),
        ALLOCATION_TEST("identity_read", read_identity, NULL),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
