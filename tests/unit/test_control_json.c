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

static const struct abandoned_snapshot one_abandoned[1] = {
    {.destination = "file /old", .since = 1700000011000}};

static const struct target_snapshot two_targets[2] = {
    {.name = "file",
     .destination = "file /var/lib/\"keys\"/acct",
     .required = true,
     .satisfied = true,
     .holds = "the primary key",
     .holds_fingerprint = "1a2b3c4d",
     .delivered_at = 1700000001000,
     .failing_since = TIME_NEVER,
     .retry_at = TIME_NEVER,
     .dead_since = TIME_NEVER},
    {.name = "vault",
     .destination = "key_vault x",
     .delivered_at = TIME_NEVER,
     .reason = "target_denied",
     .failing_since = 1700000002000,
     .retry_at = 1700000003000,
     .dead_since = 1700000003500,
     .form = "its mode is 0644, not 0640",
     .gets = "notice"},
};

static const struct hold_snapshot two_holds[] = {
    {.id = 7,
     .configured = true,
     .actor = "uid 0 (root)",
     .since = 1699999990000,
     .until = 1700000009000,
     .reason = "moving\tin \xc3\xbc"},
    {.id = 3, .account = ID, .configured = false, .since = TIME_NEVER, .until = TIME_NEVER},
};

static const struct account_snapshot full_account = {
    .id = ID,
    .pair = "kerb",
    .name = "acct",
    .resource_group = "group",
    .subscription_id = "S",
    .location = "japaneast",
    .identity = "vm",
    .policy = "standard",
    .active = "secondary",
    .keys = {{.fingerprint = "aa", .born = 1690000000000, .older = true, .made = TIME_NEVER},
             {.fingerprint = "bb", .born = 1695000000000, .made = 1695000000000}},
    .state = "held",
    .reason = "operator",
    .meaning = "an operator holds it",
    .remedy = "keyrotatectl resume acct",
    .overdue = true,
    .consumers_at_risk = true,
    .since = 1700000004000,
    .next_at = 1700000005000,
    .retry_at = 1700000006000,
    .due_since = 1700000006500,
    .regenerating_since = 1700000006600,
    .regenerating_until = 1700000006700,
    .waits = "the account is held",
    .phase = "deliver_wait",
    .rotating = true,
    .rotation_requested = true,
    .cycle = 9007199254740993,
    .started_at = 1700000007000,
    .completed_at = 1700000008000,
    .looked_at = 1700000008500,
    .as_recorded = true,
    .holds = two_holds,
    .hold_count = 2,
    .failure = {.at = 1700000010500,
                .text = "it did not work",
                .http_status = 403,
                .error_code = "AuthorizationFailed",
                .request_id = "r",
                .correlation_id = "c",
                .client_request_id = "q"},
    .targets = two_targets,
    .target_count = 2,
    .abandoned = one_abandoned,
    .abandoned_count = 1,
};

static const struct account_snapshot bare_account = {
    .id = ID "2",
    .name = "acct2",
    .state = "adopting",
    .keys = {{.born = TIME_NEVER, .made = TIME_NEVER}, {.born = TIME_NEVER, .made = TIME_NEVER}},
    .since = TIME_NEVER,
    .next_at = TIME_NEVER,
    .retry_at = TIME_NEVER,
    .due_since = TIME_NEVER,
    .regenerating_since = TIME_NEVER,
    .regenerating_until = TIME_NEVER,
    .started_at = TIME_NEVER,
    .completed_at = 0, /* as good as never */
    .looked_at = TIME_NEVER,
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
    .selected = 11,
    .watched = 5,
    .frozen = 6,
    .oldest_key_born = 1690000000000,
    .oldest_key_account = "acct",
    .next_at = 1700000005000,
    .next_account = "acct2",
    .credential_identity = "ops",
    .credential = "the certificate CN=x",
    .credential_expires_at = 1700000006000,
    .credential_problem = "gone",
    .credential_remedy = "renew it",
    .journal_failing_since = 1699999999000,
    .journal_error = "disk full",
    .log_level = "debug",
    .log_level_configured = "info",
    .log_level_until = 1700000009000,
    .log_level_actor = "uid 0 (root)",
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

static void assert_holds_equal(const struct hold_snapshot *got,
                               const struct hold_snapshot *expected)
{
    SAME(id);
    SAME_TEXT(account);
    SAME(configured);
    SAME_TEXT(actor);
    SAME(since);
    SAME(until);
    SAME_TEXT(reason);
}

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
    SAME_TEXT(credential_identity);
    SAME_TEXT(credential);
    SAME(credential_expires_at);
    SAME_TEXT(credential_problem);
    SAME_TEXT(credential_remedy);
    SAME(journal_failing_since);
    SAME_TEXT(journal_error);
    SAME_TEXT(log_level);
    SAME_TEXT(log_level_configured);
    SAME(log_level_until);
    SAME_TEXT(log_level_actor);
}

static void assert_targets_equal(const struct target_snapshot *got,
                                 const struct target_snapshot *expected)
{
    SAME_TEXT(name);
    SAME_TEXT(destination);
    SAME(required);
    SAME(satisfied);
    SAME_TEXT(holds);
    SAME_TEXT(holds_fingerprint);
    SAME(delivered_at);
    SAME_TEXT(reason);
    SAME(failing_since);
    SAME(retry_at);
    SAME(dead_since);
    SAME_TEXT(form);
    SAME_TEXT(gets);
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
    SAME(due_since);
    SAME(regenerating_since);
    SAME(regenerating_until);
    SAME_TEXT(waits);
    SAME_TEXT(phase);
    SAME(rotating);
    SAME(rotation_requested);
    SAME(cycle);
    SAME(started_at);
    SAME(completed_at);
    SAME(looked_at);
    SAME(as_recorded);
    SAME(hold_count);
    for (size_t i = 0; i < got->hold_count; i++)
        assert_holds_equal(&got->holds[i], &expected->holds[i]);
}

static void assert_accounts_equal(const struct account_snapshot *got,
                                  const struct account_snapshot *expected)
{
    SAME_TEXT(id);
    SAME_TEXT(name);
    SAME_TEXT(resource_group);
    SAME_TEXT(pair);
    SAME_TEXT(subscription_id);
    SAME_TEXT(location);
    SAME_TEXT(identity);
    SAME_TEXT(policy);
    SAME_TEXT(active);
    for (int slot = 0; slot < CONTROL_KEYS; slot++) {
        SAME_TEXT(keys[slot].fingerprint);
        SAME(keys[slot].born);
        SAME(keys[slot].older);
        SAME(keys[slot].made);
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
    assert_int_equal(got->abandoned_count, expected->abandoned_count);
    for (size_t i = 0; i < got->abandoned_count; i++) {
        assert_string_equal(got->abandoned[i].destination, expected->abandoned[i].destination);
        assert_int_equal(got->abandoned[i].since, expected->abandoned[i].since);
    }
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

static void test_list_of_holds_comes_back(void **state)
{
    struct control_holds holds;
    struct err err;
    struct buf text;

    (void)state;
    buf_init(&text, CONTROL_REPLY_MAX);
    control_holds_write(&text, 1700000000000, two_holds, 2);
    assert_int_equal(control_holds_parse(buf_str(&text), text.length, &holds, &err), 0);
    assert_int_equal(holds.now, 1700000000000);
    assert_int_equal(holds.count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_holds_equal(&holds.items[i], &two_holds[i]);
    control_holds_done(&holds);
    assert_int_equal(control_holds_parse("{\"now\":null}", 12, &holds, &err), -EBADMSG);
    buf_done(&text);
}

/* A hold tells of the new one, a resume of those that ended; other answers have no such member. */
static void test_holds_in_an_answer(void **state)
{
    struct control_answer answer = {.outcome = CONTROL_DONE, .message = "m", .until = TIME_NEVER};
    struct control_answer found;
    struct hold_snapshot *holds;
    struct json_object *document;
    struct err err;
    struct buf text;
    size_t count;

    (void)state;
    buf_init(&text, CONTROL_REPLY_MAX);
    assert_int_equal(control_answer_write(&text, &answer), 0);
    assert_null(strstr(buf_str(&text), "holds"));
    buf_clear(&text);
    answer.holds = two_holds;
    answer.hold_count = 2;
    assert_int_equal(control_answer_write(&text, &answer), 0);
    assert_int_equal(control_answer_parse(buf_str(&text), text.length, &found, &document, &err), 0);
    assert_int_equal(control_hold_list_read(document, &holds, &count), 0);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_holds_equal(&holds[i], &two_holds[i]);
    free(holds);
    json_object_put(document);
    buf_done(&text);
}

/* Programs read these names: they are never renamed. */
static void test_names_in_the_document_are_stable(void **state)
{
    static const char *const parts[] = {
        "{\"daemon\":{\"version\":\"1.2.3\",\"now\":\"2023-11-14T22:13:20Z\",",
        "\"states\":{\"ok\":10,\"blocked\":2},\"overdue\":3,\"consumers_at_risk\":4,",
        "\"oldest_key_age_s\":10000000,",
        "\"credential_identity\":\"ops\",\"credential\":\"the certificate CN=x\","
        "\"credential_expires_at\":\"2023-11-14T22:13:26Z\",\"credential_problem\":\"gone\","
        "\"credential_remedy\":\"renew it\",",
        "\"journal_failing_since\":\"2023-11-14T22:13:19Z\",\"journal_error\":\"disk "
        "full\",\"log_level\":\"debug\",\"log_level_configured\":\"info\","
        "\"log_level_until\":\"2023-11-14T22:13:29Z\",\"log_level_actor\":\"uid 0 (root)\","
        "\"discover\":[",
        "\"keys\":{\"primary\":{\"fingerprint\":\"aa\",\"born\":\"2023-07-22T04:26:40Z\","
        "\"older\":true,\"age_s\":10000000,\"made\":null},\"secondary\":{",
        "\"older\":false,\"age_s\":5000000,\"made\":\"2023-09-18T01:20:00Z\"}},",
        "\"state\":\"held\",\"reason\":\"operator\",\"meaning\":\"an operator holds it\","
        "\"do\":\"keyrotatectl resume acct\",\"overdue\":true,\"consumers_at_risk\":true,",
        "\"cycle\":9007199254740993,",
        "\"completed_at\":\"2023-11-14T22:13:28Z\",\"looked_at\":\"2023-11-14T22:13:28.500Z\","
        "\"as_recorded\":true,",
        "\"consumers_at_risk\":4,\"selected\":11,\"watched\":5,\"frozen\":6,",
        "\"hold\":{\"id\":7,\"account\":null,\"configured\":true,\"actor\":\"uid 0 (root)\","
        "\"since\":\"2023-11-14T22:13:10Z\",\"until\":\"2023-11-14T22:13:29Z\","
        "\"reason\":\"moving\\tin ",
        "\"holds\":[{\"id\":7,",
        "\"failure\":{\"at\":\"2023-11-14T22:13:30.500Z\",\"text\":\"it did not work\","
        "\"http_status\":403,\"error_code\":\"AuthorizationFailed\",\"request_id\":\"r\","
        "\"correlation_id\":\"c\",\"client_request_id\":\"q\"},",
        "\"targets\":[{\"name\":\"file\",\"destination\":",
        "\"hold\":null,\"holds\":[],\"failure\":null,\"targets\":[],\"abandoned\":[]}]}\n",
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_comes_back),
        cmocka_unit_test(test_names_in_the_document_are_stable),
        cmocka_unit_test(test_list_of_holds_comes_back),
        cmocka_unit_test(test_holds_in_an_answer),
        cmocka_unit_test(test_documents_that_are_none),
        cmocka_unit_test(test_what_a_newer_daemon_adds_is_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
