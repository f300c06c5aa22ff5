#include "proto/control.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json_object.h>

#include "base/str.h"

#define ID "/subscriptions/S/resourceGroups/group/providers/Microsoft.Batch/batchAccounts/acct"

/* --- the status document --- */

static const struct target_snapshot two_targets[2] = {
    {.name = "file",
     .destination = "file /var/lib/\"keys\"/acct",
     .required = true,
     .satisfied = true,
     .holds = "the primary key",
     .delivered_at = 1700000001000,
     .failing_since = TIME_NEVER,
     .retry_at = TIME_NEVER},
    {.name = "vault",
     .destination = "key_vault x",
     .delivered_at = TIME_NEVER,
     .reason = "target_denied",
     .failing_since = 1700000002000,
     .retry_at = 1700000003000},
};

static const struct account_snapshot full_account = {
    .id = ID,
    .name = "acct",
    .resource_group = "group",
    .subscription_id = "S",
    .location = "japaneast",
    .identity = "vm",
    .policy = "standard",
    .active = "secondary",
    .keys = {{.fingerprint = "aa", .born = 1690000000000, .older = true},
             {.fingerprint = "bb", .born = 1695000000000}},
    .state = "held",
    .reason = "operator",
    .meaning = "an operator holds it",
    .remedy = "keyrotatectl resume acct",
    .overdue = true,
    .consumers_at_risk = true,
    .since = 1700000004000,
    .next_at = 1700000005000,
    .retry_at = 1700000006000,
    .phase = "deliver_wait",
    .rotating = true,
    .rotation_requested = true,
    .cycle = 9007199254740993,
    .started_at = 1700000007000,
    .completed_at = 1700000008000,
    .held = true,
    .held_until = 1700000009000,
    .hold_reason = "moving\tin \xc3\xbc",
    .failure = {.at = 1700000010500,
                .text = "it did not work",
                .http_status = 403,
                .error_code = "AuthorizationFailed",
                .request_id = "r",
                .correlation_id = "c",
                .client_request_id = "q"},
    .targets = two_targets,
    .target_count = 2,
};

static const struct account_snapshot bare_account = {
    .id = ID "2",
    .name = "acct2",
    .state = "adopting",
    .keys = {{.born = TIME_NEVER}, {.born = TIME_NEVER}},
    .since = TIME_NEVER,
    .next_at = TIME_NEVER,
    .retry_at = TIME_NEVER,
    .started_at = TIME_NEVER,
    .completed_at = 0, /* as good as never */
    .held_until = TIME_NEVER,
    .failure = {.at = TIME_NEVER},
};

static const struct daemon_snapshot full_daemon = {
    .version = "1.2.3",
    .now = 1700000000000,
    .started_at = 1600000000000,
    .config_loaded_at = 1600000001000,
    .config_error = "line 3",
    .accounts = 12,
    .states = {{"ok", 10}, {"blocked", 2}},
    .state_count = 2,
    .overdue = 3,
    .consumers_at_risk = 4,
    .oldest_key_born = 1690000000000,
    .oldest_key_account = "acct",
    .next_at = 1700000005000,
    .next_account = "acct2",
    .journal_failing_since = 1699999999000,
    .journal_error = "disk full",
};

static void write_document(struct buf *out)
{
    buf_init(out, CONTROL_REPLY_MAX);
    control_status_start(out, &full_daemon);
    control_status_account(out, &full_account, full_daemon.now);
    control_status_account(out, &bare_account, full_daemon.now);
    control_status_end(out);
    assert_int_equal(out->failed, 0);
}

#define SAME_TEXT(member)                                                                          \
    do {                                                                                           \
        if (expected->member)                                                                      \
            assert_string_equal(got->member, expected->member);                                    \
        else                                                                                       \
            assert_null(got->member);                                                              \
    } while (0)
#define SAME(member) assert_true(got->member == expected->member)

static void assert_daemon_equal(const struct daemon_snapshot *got,
                                const struct daemon_snapshot *expected)
{
    SAME_TEXT(version);
    SAME(now);
    SAME(started_at);
    SAME(config_loaded_at);
    SAME_TEXT(config_error);
    SAME(accounts);
    SAME(state_count);
    for (size_t i = 0; i < expected->state_count; i++) {
        SAME_TEXT(states[i].state);
        SAME(states[i].count);
    }
    SAME(overdue);
    SAME(consumers_at_risk);
    SAME(oldest_key_born);
    SAME_TEXT(oldest_key_account);
    SAME(next_at);
    SAME_TEXT(next_account);
    SAME(journal_failing_since);
    SAME_TEXT(journal_error);
}

static void assert_targets_equal(const struct target_snapshot *got,
                                 const struct target_snapshot *expected)
{
    SAME_TEXT(name);
    SAME_TEXT(destination);
    SAME(required);
    SAME(satisfied);
    SAME_TEXT(holds);
    SAME(delivered_at);
    SAME_TEXT(reason);
    SAME(failing_since);
    SAME(retry_at);
}

static void assert_conditions_equal(const struct account_snapshot *got,
                                    const struct account_snapshot *expected)
{
    SAME_TEXT(state);
    SAME_TEXT(reason);
    SAME_TEXT(meaning);
    SAME_TEXT(remedy);
    SAME(overdue);
    SAME(consumers_at_risk);
    SAME(since);
    SAME(next_at);
    SAME(retry_at);
    SAME_TEXT(phase);
    SAME(rotating);
    SAME(rotation_requested);
    SAME(cycle);
    SAME(started_at);
    SAME(completed_at);
    SAME(held);
    SAME(held_until);
    SAME_TEXT(hold_reason);
}

static void assert_accounts_equal(const struct account_snapshot *got,
                                  const struct account_snapshot *expected)
{
    SAME_TEXT(id);
    SAME_TEXT(name);
    SAME_TEXT(resource_group);
    SAME_TEXT(subscription_id);
    SAME_TEXT(location);
    SAME_TEXT(identity);
    SAME_TEXT(policy);
    SAME_TEXT(active);
    for (int slot = 0; slot < CONTROL_KEYS; slot++) {
        SAME_TEXT(keys[slot].fingerprint);
        SAME(keys[slot].born);
        SAME(keys[slot].older);
    }
    assert_conditions_equal(got, expected);
    SAME(failure.at);
    SAME_TEXT(failure.text);
    SAME(failure.http_status);
    SAME_TEXT(failure.error_code);
    SAME_TEXT(failure.request_id);
    SAME_TEXT(failure.correlation_id);
    SAME_TEXT(failure.client_request_id);
    SAME(target_count);
    for (size_t i = 0; i < expected->target_count; i++)
        assert_targets_equal(&got->targets[i], &expected->targets[i]);
}

static void test_status_comes_back(void **state)
{
    struct account_snapshot bare = bare_account;
    struct control_status status;
    struct err err;
    struct buf text;

    (void)state;
    write_document(&text);
    assert_int_equal(control_status_parse(buf_str(&text), text.length, &status, &err), 0);
    assert_daemon_equal(&status.daemon, &full_daemon);
    assert_int_equal(status.account_count, 2);
    assert_accounts_equal(&status.accounts[0], &full_account);
    bare.completed_at = TIME_NEVER;
    assert_accounts_equal(&status.accounts[1], &bare);
    control_status_done(&status);
    buf_done(&text);
}

/* Programs read these names: they are never renamed. */
static void test_names_in_the_document_are_stable(void **state)
{
    static const char *const parts[] = {
        "{\"daemon\":{\"version\":\"1.2.3\",\"now\":\"2023-11-14T22:13:20Z\",",
        "\"states\":{\"ok\":10,\"blocked\":2},\"overdue\":3,\"consumers_at_risk\":4,",
        "\"oldest_key_age_s\":10000000,",
        "\"journal_failing_since\":\"2023-11-14T22:13:19Z\",\"journal_error\":\"disk full\"},",
        "\"keys\":{\"primary\":{\"fingerprint\":\"aa\",\"born\":\"2023-07-22T04:26:40Z\","
        "\"older\":true,\"age_s\":10000000},\"secondary\":{",
        "\"state\":\"held\",\"reason\":\"operator\",\"meaning\":\"an operator holds it\","
        "\"do\":\"keyrotatectl resume acct\",\"overdue\":true,\"consumers_at_risk\":true,",
        "\"cycle\":9007199254740993,",
        "\"hold\":{\"until\":\"2023-11-14T22:13:29Z\",\"reason\":\"moving\\tin ",
        "\"failure\":{\"at\":\"2023-11-14T22:13:30.500Z\",\"text\":\"it did not work\","
        "\"http_status\":403,\"error_code\":\"AuthorizationFailed\",\"request_id\":\"r\","
        "\"correlation_id\":\"c\",\"client_request_id\":\"q\"},",
        "\"targets\":[{\"name\":\"file\",\"destination\":",
        "\"hold\":null,\"failure\":null,\"targets\":[]}]}\n",
    };
    struct buf text;

    (void)state;
    write_document(&text);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (!strstr(buf_str(&text), parts[i]))
            fail_msg("%s\nis not in\n%s", parts[i], buf_str(&text));
    }
    buf_done(&text);
}

static void test_documents_that_are_none(void **state)
{
    static const char *const texts[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"daemon\":{}",
        "{\"daemon\":{},\"accounts\":[1]}",
        "{\"daemon\":{},\"accounts\":[{\"id\":\"x\"}]}",
        "{\"daemon\":{},\"daemon\":{}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct control_status status;
        struct err err;

        assert_int_equal(control_status_parse(texts[i], strlen(texts[i]), &status, &err), -EBADMSG);
        assert_null(status.document);
    }
}

static void test_what_a_newer_daemon_adds_is_ignored(void **state)
{
    static const char text[] =
        "{\"daemon\":{\"accounts\":\"many\",\"states\":{\"new\":1},\"x\":[]},"
        "\"accounts\":[{\"id\":\"i\",\"name\":\"n\",\"state\":\"new\","
        "\"targets\":{},\"cycle\":-1,\"since\":\"soon\"}],\"y\":1}";
    struct control_status status;
    struct err err;

    (void)state;
    assert_int_equal(control_status_parse(text, strlen(text), &status, &err), 0);
    assert_int_equal(status.daemon.accounts, 0);
    assert_string_equal(status.daemon.states[0].state, "new");
    assert_int_equal(status.account_count, 1);
    assert_true(status.accounts[0].since == TIME_NEVER);
    assert_int_equal(status.accounts[0].cycle, 0);
    assert_false(control_account_is_well(&status.accounts[0]));
    control_status_done(&status);
}

/* --- request lines --- */

static void test_request_lines(void **state)
{
    static const struct {
        const char *method;
        const char *uri;
        int code;
        bool is_query;
        enum control_scope scope;
        enum control_command_kind kind;
        const char *names; /* each with ";" behind it; of a command: its account */
    } cases[] = {
        {"GET", "/v1/status", 0, true, CONTROL_NOT_WELL, 0, ""},
        {"GET", "/v1/accounts", 0, true, CONTROL_ALL, 0, ""},
        {"GET", "/v1/accounts/acct", 0, true, CONTROL_NAMED, 0, "acct;"},
        {"GET", "/v1/accounts?account=a&account=g%2Fb", 0, true, CONTROL_NAMED, 0, "a;g/b;"},
        {"POST", "/v1/accounts/%2fsub%2Fx/rotate", 0, false, 0, CONTROL_ROTATE, "/sub/x;"},
        {"POST", "/v1/accounts/rotate/rotate", 0, false, 0, CONTROL_ROTATE, "rotate;"},
        {"POST", "/v1/accounts/a/redeliver", 0, false, 0, CONTROL_REDELIVER, "a;"},
        {"POST", "/v1/accounts/a/adopt", 0, false, 0, CONTROL_ADOPT, "a;"},
        {"POST", "/v1/accounts/a/hold", 0, false, 0, CONTROL_HOLD, "a;"},
        {"POST", "/v1/accounts/a/resume", 0, false, 0, CONTROL_RESUME, "a;"},
        {"POST", "/v1/hold", 0, false, 0, CONTROL_HOLD, ""},
        {"POST", "/v1/resume", 0, false, 0, CONTROL_RESUME, ""},
        {"POST", "/v1/reload", 0, false, 0, CONTROL_RELOAD, ""},
        {"POST", "/v1/rotate", -ENOENT, false, 0, 0, ""},
        {"POST", "/v1/accounts/a/reload", -ENOENT, false, 0, 0, ""},
        {"POST", "/v1/accounts/a/revoke", -ENOENT, false, 0, 0, ""},
        {"GET", "/", -EINVAL, false, 0, 0, ""},
        {"GET", "/v2/status", -ENOENT, false, 0, 0, ""},
        {"GET", "/v1", -ENOENT, false, 0, 0, ""},
        {"GET", "v1/status", -ENOENT, false, 0, 0, ""},
        {"GET", "*", -ENOENT, false, 0, 0, ""},
        {"GET", "/v1/accounts/a/b/c", -ENOENT, false, 0, 0, ""},
        {"GET", "/v1/accounts/", -EINVAL, false, 0, 0, ""},
        {"GET", "/v1/accounts/%zz", -EINVAL, false, 0, 0, ""},
        {"GET", "/v1/accounts/%4", -EINVAL, false, 0, 0, ""},
        {"GET", "/v1/accounts/a%00b", -EINVAL, false, 0, 0, ""},
        {"GET", "/v1/accounts/%ff", -EINVAL, false, 0, 0, ""},
        {"GET", "/v1/accounts/a%0ab", -EINVAL, false, 0, 0, ""},
        {"GET", "/v1/accounts?account=", -EINVAL, false, 0, 0, ""},
        {"GET", "/v1/accounts?name=a", -EINVAL, false, 0, 0, ""},
        {"GET", "/v1/accounts?", -EINVAL, false, 0, 0, ""},
        {"GET", "/v1/status?account=a", -EINVAL, false, 0, 0, ""},
        {"POST", "/v1/reload?now=1", -EINVAL, false, 0, 0, ""},
        {"POST", "/v1/status", -ENOTSUP, false, 0, 0, ""},
        {"HEAD", "/v1/accounts/a", -ENOTSUP, false, 0, 0, ""},
        {"GET", "/v1/accounts/a/rotate", -ENOTSUP, false, 0, 0, ""},
        {"post", "/v1/reload", -ENOTSUP, false, 0, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct control_request_line line;
        char names[256] = "";
        const char *allow;
        struct err err;

        if (control_request_line_parse(cases[i].method, cases[i].uri, &line, &allow, &err) !=
            cases[i].code)
            fail_msg("%s %s", cases[i].method, cases[i].uri);
        assert_int_equal(allow != NULL, cases[i].code == -ENOTSUP);
        if (cases[i].code == 0) {
            assert_int_equal(line.is_query, cases[i].is_query);
            assert_int_equal(line.query.scope, cases[i].scope);
            assert_int_equal(line.kind, cases[i].kind);
            for (size_t n = 0; n < line.query.name_count; n++)
                strcat(strcat(names, line.query.names[n]), ";");
            if (line.account)
                strcat(strcat(names, line.account), ";");
            assert_string_equal(names, cases[i].names);
        }
        control_request_line_done(&line);
    }
}

static void test_too_many_names(void **state)
{
    struct control_request_line line;
    const char *allow;
    struct err err;
    struct buf uri;

    (void)state;
    buf_init(&uri, CONTROL_URI_MAX);
    buf_append_str(&uri, "/v1/accounts?account=a");
    for (unsigned i = 0; i < CONTROL_NAMED_MAX; i++)
        buf_append_str(&uri, "&account=a");
    assert_int_equal(control_request_line_parse("GET", buf_str(&uri), &line, &allow, &err),
                     -EINVAL);
    control_request_line_done(&line);
    buf_done(&uri);
}

static void test_paths_are_read_back(void **state)
{
    char *names[] = {(char[]){"a"}, (char[]){"gr\xc3\xbcn/b&c=d?"}, (char[]){ID}};
    struct control_request_line line;
    const char *allow;
    struct err err;
    struct buf path;

    (void)state;
    buf_init(&path, CONTROL_URI_MAX);
    assert_int_equal(control_query_path(CONTROL_NAMED, names, 3, &path), 0);
    assert_int_equal(control_request_line_parse("GET", buf_str(&path), &line, &allow, &err), 0);
    assert_int_equal(line.query.name_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(line.query.names[i], names[i]);
    control_request_line_done(&line);

    buf_clear(&path);
    assert_int_equal(
        control_command_path(&(struct control_command){.kind = CONTROL_ADOPT, .account = names[1]},
                             &path),
        0);
    assert_int_equal(control_request_line_parse("POST", buf_str(&path), &line, &allow, &err), 0);
    assert_int_equal(line.kind, CONTROL_ADOPT);
    assert_string_equal(line.account, names[1]);
    control_request_line_done(&line);
    buf_done(&path);
}

static void test_names_of_accounts(void **state)
{
    static const struct {
        const char *typed;
        bool expected;
    } cases[] = {
        {"acct", true},
        {"ACCT", true},
        {"acc", false},
        {"acct2", false},
        {"group/acct", true},
        {"Group/Acct", true},
        {"grou/acct", false},
        {"groups/acct", false},
        {"/acct", false},
        {"group/", false},
        {ID, true},
        {"/SUBSCRIPTIONS/s/resourcegroups/GROUP/providers/microsoft.batch/batchaccounts/acct",
         true},
        {ID "2", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (control_names_account(cases[i].typed, "acct", "group", ID) != cases[i].expected)
            fail_msg("%s", cases[i].typed);
}

/* --- bodies of commands --- */

static void test_bodies(void **state)
{
    static const struct {
        enum control_command_kind kind;
        const char *body;
        bool valid;
    } cases[] = {
        {CONTROL_ROTATE, "", true},
        {CONTROL_ROTATE, "{}", true},
        {CONTROL_ROTATE, "{\"dry_run\":false}", true},
        {CONTROL_ROTATE, "{\"dry_run\":1}", false},
        {CONTROL_ROTATE, "{\"dry_run\":null}", false},
        {CONTROL_ROTATE, "{\"dryrun\":true}", false},
        {CONTROL_ROTATE, "[]", false},
        {CONTROL_ROTATE, "{\"dry_run\":true,\"dry_run\":true}", false},
        {CONTROL_ROTATE, "{\"dry_run\":true} x", false},
        {CONTROL_REDELIVER, "{\"target\":\"file\"}", true},
        {CONTROL_REDELIVER, "{\"target\":\"\"}", false},
        {CONTROL_REDELIVER, "{\"target\":7}", false},
        {CONTROL_ADOPT, "{\"active\":\"Secondary\"}", true},
        {CONTROL_ADOPT, "{\"active\":\"both\"}", false},
        {CONTROL_ADOPT, "{}", false},
        {CONTROL_HOLD, "{\"until\":\"2026-11-22T12:00:00Z\",\"reason\":\"r\"}", true},
        {CONTROL_HOLD, "{\"until\":\"2026-11-22T12:00:00Z\"}", false},
        {CONTROL_HOLD, "{\"reason\":\"r\"}", false},
        {CONTROL_HOLD, "{\"until\":\"tomorrow\",\"reason\":\"r\"}", false},
        {CONTROL_HOLD, "{\"until\":null,\"reason\":\"r\"}", false},
        {CONTROL_HOLD, "{\"until\":\"2026-11-22T12:00:00Z\",\"reason\":\"a\\nb\"}", false},
        {CONTROL_RESUME, "{}", true},
        {CONTROL_RESUME, "{\"all\":true}", false},
        {CONTROL_RELOAD, "", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct control_command command = {.account = NULL};
        struct json_object *document;
        struct err err;
        int code;

        err_clear(&err);
        code = control_command_parse(cases[i].kind, cases[i].body, strlen(cases[i].body), &command,
                                     &document, &err);
        if (code != (cases[i].valid ? 0 : -EINVAL))
            fail_msg("%s", cases[i].body);
        assert_int_equal(err.text[0] != '\0', !cases[i].valid);
        if (document)
            json_object_put(document);
    }
}

static void test_bodies_are_read_back(void **state)
{
    static const struct control_command commands[] = {
        {.kind = CONTROL_ROTATE, .dry_run = true, .until = TIME_NEVER},
        {.kind = CONTROL_REDELIVER, .target = "file \"x\"", .until = TIME_NEVER},
        {.kind = CONTROL_REDELIVER, .until = TIME_NEVER},
        {.kind = CONTROL_ADOPT, .active = "secondary", .until = TIME_NEVER},
        {.kind = CONTROL_HOLD, .until = 1700000000123, .reason = "because"},
        {.kind = CONTROL_RESUME, .until = TIME_NEVER},
        {.kind = CONTROL_RELOAD, .until = TIME_NEVER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        const struct control_command *expected = &commands[i];
        struct control_command parsed = {.account = NULL};
        struct control_command *got = &parsed;
        struct json_object *document;
        struct err err;
        struct buf body;

        buf_init(&body, CONTROL_BODY_MAX);
        assert_int_equal(control_command_body(expected, &body), 0);
        assert_int_equal(control_command_parse(expected->kind, buf_str(&body), body.length, got,
                                               &document, &err),
                         0);
        SAME(kind);
        SAME(dry_run);
        SAME_TEXT(target);
        SAME_TEXT(active);
        SAME(until);
        SAME_TEXT(reason);
        json_object_put(document);
        buf_done(&body);
    }
}

/* --- answers --- */

static void test_answers_are_read_back(void **state)
{
    (void)state;
    for (int outcome = CONTROL_DONE; outcome <= CONTROL_INVALID; outcome++) {
        const struct control_answer given = {.outcome = (enum control_outcome)outcome,
                                             .message = "a \"message\"",
                                             .account = ID,
                                             .until = 1700000000000,
                                             .cycle = 7,
                                             .accounts = 3,
                                             .report = "one\ntwo\n"};
        const struct control_answer *expected = &given;
        struct control_answer parsed;
        struct control_answer *got = &parsed;
        struct json_object *document;
        struct err err;
        struct buf text;

        buf_init(&text, CONTROL_REPLY_MAX);
        assert_int_equal(control_answer_write(&text, expected), 0);
        assert_int_equal(control_answer_parse(buf_str(&text), text.length, got, &document, &err),
                         0);
        SAME(outcome);
        SAME_TEXT(message);
        if (outcome < CONTROL_NOT_FOUND) {
            SAME_TEXT(account);
            SAME(until);
            SAME(cycle);
            SAME(accounts);
            SAME_TEXT(report);
        }
        json_object_put(document);
        buf_done(&text);
    }
}

static void test_answers_that_are_none(void **state)
{
    static const struct {
        const char *text;
        int code;
    } cases[] = {
        {"", -EBADMSG},
        {"{}", -EBADMSG},
        {"{\"outcome\":\"done\"}", -EBADMSG},
        {"{\"outcome\":\"perhaps\",\"message\":\"m\"}", -EBADMSG},
        {"{\"outcome\":\"not_found\",\"message\":\"m\"}", -EBADMSG},
        {"{\"outcome\":\"done\",\"message\":\"m\",\"until\":\"soon\"}", -EBADMSG},
        {"{\"error\":{\"code\":\"new\"}}", -EBADMSG},
        {"{\"error\":{\"code\":\"new\",\"message\":\"m\"}}", 0},
        {"{\"outcome\":\"done\",\"message\":\"m\",\"more\":1}", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct control_answer answer;
        struct json_object *document;
        struct err err;

        if (control_answer_parse(cases[i].text, strlen(cases[i].text), &answer, &document, &err) !=
            cases[i].code)
            fail_msg("%s", cases[i].text);
        if (document)
            json_object_put(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_comes_back),
        cmocka_unit_test(test_names_in_the_document_are_stable),
        cmocka_unit_test(test_documents_that_are_none),
        cmocka_unit_test(test_what_a_newer_daemon_adds_is_ignored),
        cmocka_unit_test(test_request_lines),
        cmocka_unit_test(test_too_many_names),
        cmocka_unit_test(test_paths_are_read_back),
        cmocka_unit_test(test_names_of_accounts),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_bodies_are_read_back),
        cmocka_unit_test(test_answers_are_read_back),
        cmocka_unit_test(test_answers_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
