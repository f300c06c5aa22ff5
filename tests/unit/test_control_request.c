#include "proto/control_protocol.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json_object.h>

#include "same_members.h"

#define ID "/subscriptions/S/resourceGroups/group/providers/Microsoft.Batch/batchAccounts/acct"

/* --- request lines --- */

#define NO_KEY "00000000000000000000000000000000"

static const struct control_question questions[] = {
    {.name = "status", .of_accounts = true, .of_some = true},
    {.name = "accounts", .of_accounts = true, .of_some = true},
    {.name = "holds"},
    {.name = "plan", .of_accounts = true, .of_time = true},
    {.name = "identify", .of_keys = true},
    {.name = "history", .of_accounts = true, .of_time = true, .of_past = true},
    {.name = "history_chains", .of_accounts = true, .of_time = true},
};
enum { QUESTIONS = sizeof(questions) / sizeof(questions[0]) };

static const struct {
    const char *method;
    const char *uri;
    int code;
    const char *question; /* NULL: it is a command */
    enum control_command_kind kind;
    const char *names; /* each with ";" behind it; of a command: its account */
} request_lines[] = {
    {"GET", "/v1/status", 0, "status", 0, ""},
    {"GET", "/v1/accounts", 0, "accounts", 0, ""},
    {"GET", "/v1/accounts/acct", 0, "accounts", 0, "acct;"},
    {"GET", "/v1/accounts?account=a&account=g%2Fb", 0, "accounts", 0, "a;g/b;"},
    {"POST", "/v1/accounts/%2fsub%2Fx/rotate", 0, NULL, CONTROL_ROTATE, "/sub/x;"},
    {"POST", "/v1/accounts/rotate/rotate", 0, NULL, CONTROL_ROTATE, "rotate;"},
    {"POST", "/v1/accounts/a/redeliver", 0, NULL, CONTROL_REDELIVER, "a;"},
    {"POST", "/v1/accounts/a/adopt", 0, NULL, CONTROL_ADOPT, "a;"},
    {"POST", "/v1/accounts/a/hold", 0, NULL, CONTROL_HOLD, "a;"},
    {"POST", "/v1/accounts/a/resume", 0, NULL, CONTROL_RESUME, "a;"},
    {"POST", "/v1/hold", 0, NULL, CONTROL_HOLD, ""},
    {"POST", "/v1/resume", 0, NULL, CONTROL_RESUME, ""},
    {"GET", "/v1/holds", 0, "holds", 0, ""},
    {"POST", "/v1/accounts/a/unblock", 0, NULL, CONTROL_UNBLOCK, "a;"},
    {"POST", "/v1/accounts/a/check", 0, NULL, CONTROL_CHECK, "a;"},
    {"POST", "/v1/check", 0, NULL, CONTROL_CHECK, ""},
    {"POST", "/v1/unblock", -ENOENT, NULL, 0, ""},
    {"GET", "/v1/holds/3", -ENOENT, NULL, 0, ""},
    {"GET", "/v1/holds?account=a", -EINVAL, NULL, 0, ""},
    {"POST", "/v1/holds", -ENOTSUP, NULL, 0, ""},
    {"GET", "/v1/plan", 0, "plan", 0, ""},
    {"GET", "/v1/plan?until=2026-11-22T12:00:00Z&after=%2Fsub%2Fx", 0, "plan", 0, ""},
    {"GET", "/v1/plan?account=a&until=2026-11-22T12:00:00Z&account=b", 0, "plan", 0, "a;b;"},
    {"GET", "/v1/plan?until=soon", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/plan?until=2026-11-22T12:00:00Z&until=2026-11-22T12:00:00Z", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/plan?after=a&after=b", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/plan?after=%zz", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/accounts?until=2026-11-22T12:00:00Z", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/accounts?after=a", -EINVAL, NULL, 0, ""},
    {"POST", "/v1/plan", -ENOTSUP, NULL, 0, ""},
    {"GET", "/v1/identify", 0, "identify", 0, ""},
    {"GET", "/v1/identify?fingerprint=00112233445566778899aabbccddeeff", 0, "identify", 0, ""},
    {"GET", "/v1/identify?fingerprint=00112233445566778899AABBCCDDEEFF&fingerprint=" NO_KEY,
     -EINVAL, NULL, 0, ""},
    {"GET", "/v1/identify?fingerprint=00112233445566778899aabbccddeef", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/identify?fingerprint=00112233445566778899aabbccddeeffa", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/identify?fingerprint=", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/identify?account=a", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/identify/a", -ENOENT, NULL, 0, ""},
    {"GET", "/v1/accounts?fingerprint=00112233445566778899aabbccddeeff", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/history", 0, "history", 0, ""},
    {"GET", "/v1/history_chains?account=a&after=%2Fsub", 0, "history_chains", 0, "a;"},
    {"GET", "/v1/history_chains?failed=true", -EINVAL, NULL, 0, ""},
    {"GET",
     "/v1/history?account=a&since=2026-11-20T12:00:00Z&until=2026-11-22T12:00:00Z&failed=true", 0,
     "history", 0, "a;"},
    {"GET", "/v1/history?since=soon", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/history?since=2026-11-20T12:00:00Z&since=2026-11-20T12:00:00Z", -EINVAL, NULL, 0,
     ""},
    {"GET", "/v1/history?failed=false", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/history?failed=true&failed=true", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/history?failed=truer", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/plan?failed=true", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/plan?since=2026-11-20T12:00:00Z", -EINVAL, NULL, 0, ""},
    {"POST", "/v1/reload", 0, NULL, CONTROL_RELOAD, ""},
    {"POST", "/v1/log_level", 0, NULL, CONTROL_LOG_LEVEL, ""},
    {"POST", "/v1/rotate", -ENOENT, NULL, 0, ""},
    {"POST", "/v1/accounts/a/reload", -ENOENT, NULL, 0, ""},
    {"POST", "/v1/accounts/a/revoke", -ENOENT, NULL, 0, ""},
    {"GET", "/", -EINVAL, NULL, 0, ""},
    {"GET", "/v2/status", -ENOENT, NULL, 0, ""},
    {"GET", "/v1", -ENOENT, NULL, 0, ""},
    {"GET", "v1/status", -ENOENT, NULL, 0, ""},
    {"GET", "*", -ENOENT, NULL, 0, ""},
    {"GET", "/v1/accounts/a/b/c", -ENOENT, NULL, 0, ""},
    {"GET", "/v1/accounts/", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/accounts/%zz", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/accounts/%4", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/accounts/a%00b", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/accounts/%ff", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/accounts/a%0ab", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/accounts?account=", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/accounts?name=a", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/accounts?", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/status?account=a", 0, "status", 0, "a;"},
    {"GET", "/v1/status?account=rg1%2F%2A&state=blocked&policy=nightly", 0, "status", 0, "rg1/*;"},
    {"GET", "/v1/accounts?state=ok", 0, "accounts", 0, ""},
    {"GET", "/v1/accounts?state=ok&state=held", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/accounts?policy=a&policy=a", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/accounts?policy=", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/accounts?state=%zz", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/plan?state=ok", -EINVAL, NULL, 0, ""},
    {"GET", "/v1/holds?state=ok", -EINVAL, NULL, 0, ""},
    {"POST", "/v1/reload?now=1", -EINVAL, NULL, 0, ""},
    {"POST", "/v1/status", -ENOTSUP, NULL, 0, ""},
    {"HEAD", "/v1/accounts/a", -ENOTSUP, NULL, 0, ""},
    {"GET", "/v1/accounts/a/rotate", -ENOTSUP, NULL, 0, ""},
    {"post", "/v1/reload", -ENOTSUP, NULL, 0, ""},
};

static void test_request_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(request_lines) / sizeof(request_lines[0]); i++) {
        struct control_request_line line;
        char names[256] = "";
        const char *allow;
        struct err err;

        if (control_request_line_parse(request_lines[i].method, request_lines[i].uri, questions,
                                       QUESTIONS, &line, &allow, &err) != request_lines[i].code)
            fail_msg("%s %s", request_lines[i].method, request_lines[i].uri);
        assert_int_equal(!!allow, request_lines[i].code == -ENOTSUP);
        if (request_lines[i].code == 0) {
            assert_string_equal(line.question ? line.question->name : "a command",
                                request_lines[i].question ? request_lines[i].question
                                                          : "a command");
            assert_int_equal(line.kind, request_lines[i].kind);
            for (size_t n = 0; n < line.query.name_count; n++)
                strcat(strcat(names, line.query.names[n]), ";");
            if (line.account)
                strcat(strcat(names, line.account), ";");
            assert_string_equal(names, request_lines[i].names);
        }
        control_request_line_done(&line);
    }
}

/* The row of a command says which of the two paths there are. */
static void test_every_command_has_its_paths(void **state)
{
#define ROW(NAME, ...) CONTROL_##NAME,
    static const enum control_command_kind kinds[] = {COMMAND_LIST(ROW)};
#undef ROW

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct control_command command = {.kind = kinds[i / 2],
                                                .account = i % 2 == 0 ? "a" : NULL};
        const struct control_command_row *row = control_command_row(command.kind);
        const bool exists = row->about & (command.account ? ABOUT_ACCOUNT : ABOUT_ALL);
        struct control_request_line line;
        const char *allow;
        struct err err;
        struct buf path;

        buf_init(&path, CONTROL_URI_MAX);
        assert_int_equal(control_command_path(&command, &path), 0);
        assert_int_equal(control_request_line_parse("POST", buf_str(&path), questions, QUESTIONS,
                                                    &line, &allow, &err),
                         exists ? 0 : -ENOENT);
        if (exists) {
            assert_int_equal(line.kind, command.kind);
            assert_int_equal(!!line.account, !!command.account);
        }
        assert_int_equal(row->required & ~row->members, 0);
        control_request_line_done(&line);
        buf_done(&path);
    }
}

/* Of what keyrotatectl asks, the daemon reads all of it, and no more. */
static void test_a_selection_is_read_back(void **state)
{
    static const struct {
        size_t names;
        const char *state, *policy;
    } cases[] = {{0, NULL, NULL}, {0, "held", NULL},     {0, NULL, "a&b=c"},
                 {0, "ok", "p"},  {2, "at_risk", "p q"}, {1, NULL, "p"}};
    char *names[] = {(char[]){"rg1/*"}, (char[]){"b&state=ok"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct control_request_line line;
        const char *allow;
        struct err err;
        struct buf path;

        buf_init(&path, CONTROL_URI_MAX);
        assert_int_equal(control_selection_path("status", names, cases[i].names, cases[i].state,
                                                cases[i].policy, &path),
                         0);
        assert_int_equal(control_request_line_parse("GET", buf_str(&path), questions, QUESTIONS,
                                                    &line, &allow, &err),
                         0);
        assert_int_equal(line.query.name_count, cases[i].names);
        for (size_t name = 0; name < cases[i].names; name++)
            assert_string_equal(line.query.names[name], names[name]);
        assert_string_equal(line.query.state ? line.query.state : "-",
                            cases[i].state ? cases[i].state : "-");
        assert_string_equal(line.query.policy ? line.query.policy : "-",
                            cases[i].policy ? cases[i].policy : "-");
        control_request_line_done(&line);
        buf_done(&path);
    }
}

static void test_patterns(void **state)
{
    static const struct {
        const char *pattern;
        bool matches;
    } cases[] = {
        {"*", true},
        {"ac*", true},
        {"AC?T", true},
        {"acc", false},
        {"group/*", true},
        {"GROUP/a*", true},
        {"*/acct", true},
        {"group*", false},
        {"other/*", false},
        {"*/a", false},
        {"/subscriptions/s/*", true},
        {"/subscriptions/t/*", false},
        {"/*/ACCT", true},
        {"/group/*", false},
        {"?", false},
        {"**/**", true},
        {"group/acct?", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (control_pattern_matches(cases[i].pattern, "acct", "group", ID) != cases[i].matches)
            fail_msg("%s", cases[i].pattern);
    assert_true(control_is_pattern("rg1/*") && control_is_pattern("a?"));
    assert_false(control_is_pattern("rg1/acct") || control_is_pattern(ID));
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
    assert_int_equal(
        control_request_line_parse("GET", buf_str(&uri), questions, QUESTIONS, &line, &allow, &err),
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
    assert_int_equal(control_question_path("accounts", names, 3, &path), 0);
    assert_int_equal(control_request_line_parse("GET", buf_str(&path), questions, QUESTIONS, &line,
                                                &allow, &err),
                     0);
    assert_int_equal(line.query.name_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(line.query.names[i], names[i]);
    control_request_line_done(&line);

    buf_clear(&path);
    assert_int_equal(
        control_command_path(&(struct control_command){.kind = CONTROL_ADOPT, .account = names[1]},
                             &path),
        0);
    assert_int_equal(control_request_line_parse("POST", buf_str(&path), questions, QUESTIONS, &line,
                                                &allow, &err),
                     0);
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

static void test_nearest_account(void **state)
{
    static const char *const names[] = {
        "docs", "docs-read-only", "myhub-service", "orders-send", "shop", "orders-send-only", NULL};
    static const struct {
        const char *typed, *nearest;
    } cases[] = {
        {"shpo", "shop"},
        {"rg2/shop", "shop"},
        {"/subscriptions/s/resourceGroups/g/providers/P/t/shop", "shop"},
        {"DOCS#read_only", "docs-read-only"},
        {"docs/read only", "docs-read-only"},
        {"myhub", "myhub-service"},
        {"myhub/service", "myhub-service"},
        {"shop-key", "shop"},
        {"orders", NULL}, /* two begin so */
        {"unlike", NULL},
        {"shopkeeper", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *nearest = control_nearest_account(cases[i].typed, names);

        if (cases[i].nearest ? !nearest || strcmp(nearest, cases[i].nearest) != 0 : !!nearest)
            fail_msg("%s: %s", cases[i].typed, nearest ? nearest : "none");
    }
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
        {CONTROL_HOLD, "{\"until\":\"1969-12-31T23:59:59Z\",\"reason\":\"r\"}", false},
        {CONTROL_HOLD, "{\"until\":\"2026-11-22T12:00:00Z\",\"reason\":\"a\\nb\"}", false},
        {CONTROL_RESUME, "{}", true},
        {CONTROL_RESUME, "{\"all\":true}", false},
        {CONTROL_RESUME, "{\"hold\":3}", true},
        {CONTROL_RESUME, "{\"hold\":0}", false},
        {CONTROL_RESUME, "{\"hold\":\"3\"}", false},
        {CONTROL_CHECK, "{\"hold\":3}", false},
        {CONTROL_UNBLOCK, "", true},
        {CONTROL_RELOAD, "", true},
        {CONTROL_LOG_LEVEL, "{\"level\":\"debug\"}", true},
        {CONTROL_LOG_LEVEL, "{\"level\":\"debug\",\"until\":\"2026-11-22T12:00:00Z\"}", true},
        {CONTROL_LOG_LEVEL, "{}", false},
        {CONTROL_LOG_LEVEL, "{\"level\":7}", false},
        {CONTROL_RELOAD, "{\"level\":\"debug\"}", false},
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
        {.kind = CONTROL_RESUME, .hold = 9007199254740993, .until = TIME_NEVER},
        {.kind = CONTROL_UNBLOCK, .until = TIME_NEVER},
        {.kind = CONTROL_CHECK, .until = TIME_NEVER},
        {.kind = CONTROL_RELOAD, .until = TIME_NEVER},
        {.kind = CONTROL_LOG_LEVEL, .level = "debug", .until = TIME_NEVER},
        {.kind = CONTROL_LOG_LEVEL, .level = "configured", .until = 1700000000123},
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
        SAME_TEXT(level);
        SAME(hold);
        json_object_put(document);
        buf_done(&body);
    }
}

/* What is wrong with a body is said in words. */
static void test_words_about_bodies(void **state)
{
    static const struct {
        enum control_command_kind kind;
        const char *body;
        const char *words;
    } cases[] = {
        {CONTROL_RELOAD, "{\"dry_run\":1}", "dry_run is true or false"},
        {CONTROL_ROTATE, "{\"target\":\"t\"}", "rotate has no member of that name: target"},
        {CONTROL_REDELIVER, "{\"target\":\"\"}", "target is the name of a target"},
        {CONTROL_ADOPT, "{}", "adopt needs active: primary or secondary"},
        {CONTROL_ADOPT, "{\"active\":\"\"}", "active is primary or secondary"},
        {CONTROL_HOLD, "{\"reason\":\"r\"}", "hold needs until: when it ends"},
        {CONTROL_HOLD, "{\"until\":\"2026-11-22T12:00:00Z\"}", "hold needs a reason"},
        {CONTROL_HOLD, "{\"until\":1}", "until is an instant such as 2026-11-22T12:00:00Z"},
        {CONTROL_HOLD, "{\"reason\":\"\"}", "reason is one line of at most 119 bytes"},
        {CONTROL_RESUME, "{\"hold\":0}", "hold is the id of a hold, such as 3"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct control_command command = {.account = NULL};
        struct json_object *document;
        struct err err;

        assert_int_equal(control_command_parse(cases[i].kind, cases[i].body, strlen(cases[i].body),
                                               &command, &document, &err),
                         -EINVAL);
        assert_string_equal(err.text, cases[i].words);
        json_object_put(document);
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
        cmocka_unit_test(test_request_lines),
        cmocka_unit_test(test_every_command_has_its_paths),
        cmocka_unit_test(test_a_selection_is_read_back),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_too_many_names),
        cmocka_unit_test(test_paths_are_read_back),
        cmocka_unit_test(test_names_of_accounts),
        cmocka_unit_test(test_nearest_account),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_words_about_bodies),
        cmocka_unit_test(test_bodies_are_read_back),
        cmocka_unit_test(test_answers_are_read_back),
        cmocka_unit_test(test_answers_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
