/* The renewal of a key by rewriting a hub: what is sent, in which order, and when nothing is. */
#include "io/azure/azure.h"

#include "azure_fixture.h"

#define HUB      "/subscriptions/0000/resourceGroups/rg/providers/Microsoft.Devices/IotHubs/hub"
#define OF(path) "https://arm.example" HUB path "?api-version=2023-06-30"
#define OTHER_KEY                                                                                  \
    "CBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

static struct account policy_account;

#define WHOLE(properties)                                                                          \
    {                                                                                              \
        HTTP_ANSWERED, 200, NULL,                                                                  \
            "{\"etag\":\"E1\",\"properties\":{\"hostName\":\"h.example\"" properties "}}", OF("")  \
    }
#define LIST(primary, secondary) LIST_AT(OF("/listkeys"), primary, secondary, "")
#define LIST_AT(place, primary, secondary, more)                                                   \
    {                                                                                              \
        HTTP_ANSWERED, 200, NULL,                                                                  \
            "{\"value\":[{\"keyName\":\"service\",\"primaryKey\":\"" primary                       \
            "\",\"secondaryKey\":\"" secondary "\",\"rights\":\"ServiceConnect\"}]" more "}",      \
            place                                                                                  \
    }
#define PUT(status, headers, body)                                                                 \
    {                                                                                              \
        HTTP_ANSWERED, status, headers, body, OF("")                                               \
    }
#define STATE_IS(state) "{\"properties\":{\"provisioningState\":\"" state "\"}}"

static duration_ms now;

static duration_ms test_clock(void)
{
    return now;
}

static void prepare(const struct scripted *script, size_t length)
{
    start(script, length);
    now = 1000 * MS_SECOND;
    azure->clock = test_clock;
    policy_account = account;
    policy_account.id = policy_account.key = HUB "/IotHubKeys/service";
    policy_account.name = "hub-service";
    subject.account = &policy_account;
    subject.fingerprints[SLOT_PRIMARY] = first_byte(NULL, KEY_A, sizeof(KEY_A) - 1);
    subject.fingerprints[SLOT_SECONDARY] = first_byte(NULL, KEY_B, sizeof(KEY_B) - 1);
}

static void run(void)
{
    azure_regenerate(azure, &subject, SLOT_SECONDARY, "corr-1", on_done, &subject);
    fake_loop_run(0);
    assert_int_equal(completions, 1);
}

static void renew(const struct scripted *script, size_t length)
{
    prepare(script, length);
    run();
}

static void test_reads_before_it_writes(void **state)
{
    static const struct scripted script[] = {
        TOKEN, WHOLE(",\"comments\":\"c\""), LIST(KEY_A, KEY_B),
        PUT(201, "Azure-AsyncOperation: https://arm.example/op/1\nRetry-After: 3\n",
            STATE_IS("Succeeded"))};

    (void)state;
    renew(script, 4);
    assert_null(result.failure);
    assert_true(result.under_way);
    assert_int_equal(result.poll_after, 3 * MS_SECOND);
    assert_int_equal(fake_http.sent_count, 4);
    assert_string_equal(fake_http.sent[1].method, "GET");
    assert_string_equal(fake_http.sent[2].method, "POST");
    assert_string_equal(fake_http.sent[3].method, "PUT");
    assert_string_equal(fake_http.sent[1].if_match, "");
    assert_string_equal(fake_http.sent[3].if_match, "E1");
    assert_string_equal(fake_http.sent[3].correlation_id, "corr-1");
    assert_string_equal(fake_http.sent[3].body,
                        "{\"etag\":\"E1\",\"properties\":{\"hostName\":\"h.example\",\"comments\":"
                        "\"c\",\"authorizationPolicies\":[{\"keyName\":\"service\",\"primaryKey\":"
                        "\"" KEY_A "\",\"rights\":\"ServiceConnect\"}]}}");
    stop();
}

/* What the answer to the PUT says of its end. */
static void test_answers(void **state)
{
    static const struct {
        struct scripted put;
        bool under_way;
    } cases[] = {
        {PUT(200, NULL, STATE_IS("Succeeded")), false},
        {PUT(200, NULL, STATE_IS("Failed")), false},
        {PUT(200, NULL, "{\"properties\":{}}"), false},
        {PUT(204, NULL, NULL), false},
        {PUT(200, NULL, STATE_IS("Transitioning")), true},
        {PUT(201, "Location: https://arm.example/hub\n", STATE_IS("Accepted")), true},
        {PUT(200, NULL, "<html>"), true},
        {PUT(202, NULL, NULL), true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scripted script[] = {TOKEN, WHOLE(""), LIST(KEY_A, KEY_B), cases[i].put};

        renew(script, 4);
        assert_null(result.failure);
        assert_int_equal(result.under_way, cases[i].under_way);
        assert_null(result.operation_url);
        assert_false(result.shown[SLOT_PRIMARY] || result.shown[SLOT_SECONDARY]);
        stop();
    }
}

/* Nothing that changes anything is sent, and that is certain. */
static void test_nothing_is_sent(void **state)
{
    static const struct {
        struct scripted whole, list;
        size_t sent;
        enum reason reason;
        const char *text;
    } cases[] = {
        {DENIED, LIST(KEY_A, KEY_B), 2, REASON_PERMISSION_DENIED, "reading the account"},
        {SILENCE(HTTP_LOST), LIST(KEY_A, KEY_B), 2, REASON_NETWORK, ""},
        {STATUS(500, NULL, NULL), LIST(KEY_A, KEY_B), 2, REASON_AZURE_ERROR, ""},
        {STATUS(200, NULL, "{\"properties\":{\"hostName\":\"h.example\"}}"), LIST(KEY_A, KEY_B), 2,
         REASON_AZURE_ERROR, "etag"},
        {STATUS(200, NULL, "<html>"), LIST(KEY_A, KEY_B), 2, REASON_AZURE_ERROR, ""},
        {WHOLE(",\"provisioningState\":\"Transitioning\""), LIST(KEY_A, KEY_B), 2,
         REASON_AZURE_ERROR, "not in working order"},
        {WHOLE(",\"disableLocalAuth\":true"), LIST(KEY_A, KEY_B), 2, REASON_SHARED_KEY_DISABLED,
         ""},
        {WHOLE(""), DENIED, 3, REASON_PERMISSION_DENIED, "listkeys"},
        {WHOLE(""), SILENCE(HTTP_LOST), 3, REASON_NETWORK, ""},
        {WHOLE(""), STATUS(200, NULL, "{\"value\":[]}"), 3, REASON_AZURE_ERROR, ""},
        {WHOLE(""), LIST(OTHER_KEY, KEY_B), 3, REASON_AZURE_ERROR, "changed by somebody else"},
        {WHOLE(""), LIST(KEY_A, OTHER_KEY), 3, REASON_AZURE_ERROR, "changed by somebody else"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scripted script[] = {TOKEN, cases[i].whole, cases[i].list};

        renew(script, 3);
        assert_non_null(result.failure);
        assert_int_equal(failure.reason, cases[i].reason);
        assert_false(failure.outcome_unknown);
        assert_non_null(strstr(failure.text, cases[i].text));
        assert_null(strstr(failure.text, KEY_A));
        assert_int_equal(fake_http.sent_count, cases[i].sent);
        stop();
    }
}

/* Lists may show what was before a change, so that nothing is written back too soon after one. */
static void test_changed_lately(void **state)
{
    static const struct scripted script[] = {TOKEN, WHOLE(""), LIST(KEY_A, KEY_B),
                                             PUT(200, NULL, STATE_IS("Succeeded"))};
    static const struct {
        struct two_key_unchanged seen;
        bool sent;
        duration_ms since; /* it counts from then */
    } cases[] = {
        {{"E1", .since = 610 * MS_SECOND}, true, 610 * MS_SECOND},
        {{"E1", .since = 610 * MS_SECOND + 1}, false, 610 * MS_SECOND + 1},
        {{"E1", .since = 1, .is_changing = true}, false, 1000 * MS_SECOND},
        {{"E0", .since = 1}, false, 1000 * MS_SECOND},
        {{"", .since = 0}, false, 1000 * MS_SECOND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        prepare(script, cases[i].sent ? 4 : 2);
        subject.unchanged = cases[i].seen;
        subject.unchanged_for = 390 * MS_SECOND;
        run();
        assert_int_equal(!result.failure, cases[i].sent);
        assert_int_equal(fake_http.sent_count, cases[i].sent ? 4 : 2);
        assert_string_equal(subject.unchanged.etag, "E1");
        assert_int_equal(subject.unchanged.since, cases[i].since);
        if (!cases[i].sent) {
            assert_non_null(strstr(failure.text, "lists may show keys from before"));
            assert_false(failure.outcome_unknown);
        }
        stop();
    }
}

/* A change that is under way when the hub is read counts, though its etag is known for long: be it
 * read by a look, or before a renewal. */
static void test_is_being_changed(void **state)
{
    static const struct scripted script[] = {
        TOKEN, WHOLE(",\"provisioningState\":\"Transitioning\""), LIST(KEY_A, KEY_B)};
    const struct azure_look_wish wish = {.describe = true};

    (void)state;
    for (int looks = 0; looks < 2; looks++) {
        prepare(script, looks ? 3 : 2);
        subject.unchanged = (struct two_key_unchanged){.etag = "E1", .since = 1};
        if (looks)
            azure_look(azure, &subject, &wish, on_done, &subject);
        else
            azure_regenerate(azure, &subject, SLOT_SECONDARY, "corr-1", on_done, &subject);
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_int_equal(!!result.failure, !looks);
        assert_false(result.described);
        assert_int_equal(subject.unchanged.since, now);
        assert_true(subject.unchanged.is_changing);
        stop();
    }
}

/* What the records of the hub's other policies say. */
static void test_list_that_does_not_fit(void **state)
{
    static const struct scripted script[] = {TOKEN, WHOLE(""), LIST(KEY_A, KEY_B)};
    struct two_key_neighbour neighbour = {.name = "other",
                                          .replaced = {{.bytes = {(uint8_t)KEY_A[0]}}}};

    (void)state;
    prepare(script, 3);
    subject.neighbours = &neighbour;
    subject.neighbour_count = 1;
    run();
    assert_non_null(result.failure);
    assert_int_equal(failure.reason, REASON_AZURE_ERROR);
    assert_non_null(strstr(failure.text, "that was replaced"));
    assert_non_null(strstr(failure.remedy, "configure it again"));
    assert_false(failure.outcome_unknown);
    assert_int_equal(fake_http.sent_count, 3);
    stop();
}

/* A look that a regenerate would follow says so already; any other one takes the keys. */
static void test_look_that_does_not_fit(void **state)
{
    static const struct scripted script[] = {TOKEN, WHOLE(""), LIST(KEY_A, KEY_B)};
    struct two_key_neighbour neighbour = {.name = "other",
                                          .replaced = {{.bytes = {(uint8_t)KEY_A[0]}}}};

    (void)state;
    for (int precedes = 0; precedes < 2; precedes++) {
        const struct azure_look_wish wish = {.describe = true, .precedes_regenerate = precedes > 0};

        prepare(script, 3);
        subject.neighbours = &neighbour;
        subject.neighbour_count = 1;
        azure_look(azure, &subject, &wish, on_done, &subject);
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_null(result.failure);
        assert_int_equal(result.described, !precedes);
        assert_int_equal(!!result.description, precedes);
        if (precedes)
            assert_non_null(strstr(description.text, "that was replaced"));
        assert_string_equal(subject.unchanged.etag, "E1");
        assert_int_equal(subject.unchanged.since, now);
        stop();
    }
}

/* A description without an etag that serves speaks against a renewal, and not against looks. */
static void test_look_without_etag(void **state)
{
    static const struct scripted script[] = {
        TOKEN,
        STATUS(200, NULL, "{\"etag\":\"W/\\\"1\\\"\",\"properties\":{\"hostName\":\"h.example\"}}"),
        LIST(KEY_A, KEY_B)};
    const struct azure_look_wish wish = {.describe = true};

    (void)state;
    prepare(script, 3);
    azure_look(azure, &subject, &wish, on_done, &subject);
    fake_loop_run(0);
    assert_int_equal(completions, 1);
    assert_null(result.failure);
    assert_false(result.described);
    assert_non_null(strstr(description.text, "weak"));
    assert_string_equal(subject.endpoint, "h.example");
    assert_string_equal(subject.unchanged.etag, "");
    stop();
}

/* The description shows no policies, as usual, and the list has others: the policy is gone. */
static void test_look_without_the_policy(void **state)
{
    static const struct scripted script[] = {
        TOKEN, WHOLE(""),
        STATUS(200, NULL,
               "{\"value\":[{\"keyName\":\"other\",\"primaryKey\":\"" KEY_A
               "\",\"secondaryKey\":\"" KEY_B "\",\"rights\":\"r\"}]}")};
    const struct azure_look_wish wish = {.describe = true};

    (void)state;
    prepare(script, 3);
    azure_look(azure, &subject, &wish, on_done, &subject);
    fake_loop_run(0);
    assert_int_equal(completions, 1);
    assert_non_null(result.failure);
    assert_int_equal(failure.reason, REASON_AZURE_ERROR);
    assert_non_null(strstr(failure.remedy, "the hub has no such policy"));
    stop();
}

/* The policy stands on a later page, which is asked for at the hub: it is looked after, but all
 * keys cannot be written back from one page. */
static void test_look_in_pages(void **state)
{
    static const struct scripted script[] = {
        TOKEN, WHOLE(""),
        STATUS(200, NULL,
               "{\"value\":[{\"keyName\":\"other\",\"primaryKey\":\"" OTHER_KEY
               "\",\"secondaryKey\":\"" OTHER_KEY
               "\",\"rights\":\"r\"}],\"nextLink\":\"" OF("/listkeys") "&at=1\"}"),
        LIST_AT(OF("/listkeys") "&at=1", KEY_A, KEY_B, "")};

    (void)state;
    for (int precedes = 0; precedes < 2; precedes++) {
        const struct azure_look_wish wish = {.describe = true, .precedes_regenerate = precedes > 0};

        prepare(script, 4);
        azure_look(azure, &subject, &wish, on_done, &subject);
        fake_loop_run(0);
        assert_int_equal(completions, 1);
        assert_null(result.failure);
        assert_int_equal(fake_http.sent_count, 4);
        assert_true(
            fingerprint_equal(&result.live[SLOT_SECONDARY], &subject.fingerprints[SLOT_SECONDARY]));
        assert_int_equal(result.described, !precedes);
        if (precedes) {
            assert_non_null(strstr(description.text, "comes in pages"));
            assert_non_null(strstr(description.remedy, "until one answer holds the list"));
        }
        stop();
    }
}

/* It stands on the first one, and others follow. */
static void test_renewal_of_a_part(void **state)
{
    static const struct scripted script[] = {
        TOKEN, WHOLE(""),
        LIST_AT(OF("/listkeys"), KEY_A, KEY_B, ",\"nextLink\":\"" OF("/listkeys") "&at=1\"")};
    const struct azure_look_wish wish = {.describe = true, .precedes_regenerate = true};

    (void)state;
    renew(script, 3);
    assert_non_null(result.failure);
    assert_non_null(strstr(failure.text, "comes in pages"));
    assert_false(failure.outcome_unknown);
    assert_int_equal(fake_http.sent_count, 3);
    stop();
    prepare(script, 3);
    azure_look(azure, &subject, &wish, on_done, &subject);
    fake_loop_run(0);
    assert_null(result.failure);
    assert_false(result.described);
    assert_non_null(strstr(description.text, "comes in pages"));
    stop();
}

/* The clock goes on while keys are read. */
static struct fingerprint slow_first_byte(void *context, const char *key, size_t length)
{
    now += 8 * MS_SECOND;
    return first_byte(context, key, length);
}

static void test_reading_takes_too_long(void **state)
{
    static const struct scripted script[] = {TOKEN, WHOLE(""), LIST(KEY_A, KEY_B)};

    (void)state;
    prepare(script, 3);
    azure->fingerprint = slow_first_byte;
    run();
    assert_non_null(result.failure);
    assert_int_equal(failure.reason, REASON_AZURE_ERROR);
    assert_non_null(strstr(failure.text, "took so long"));
    assert_false(failure.outcome_unknown);
    assert_int_equal(fake_http.sent_count, 3);
    stop();
}

/* Of what two members could be, one is as good as the other: a person has to decide. */
static void test_names_that_differ_in_case(void **state)
{
    static const struct scripted script[] = {TOKEN, WHOLE(",\"comments\":\"a\",\"Comments\":\"b\""),
                                             LIST(KEY_A, KEY_B)};

    (void)state;
    renew(script, 3);
    assert_non_null(result.failure);
    assert_non_null(strstr(failure.text, "\"Comments\""));
    assert_non_null(strstr(failure.remedy, "rename one of the two"));
    assert_int_equal(fake_http.sent_count, 3);
    stop();
}

/* A refusal has no effect, a lost answer may have had one. */
static void test_failures_of_the_put(void **state)
{
    static const struct {
        struct scripted put;
        enum reason reason;
        bool unknown;
        const char *text, *remedy;
    } cases[] = {
        {PUT(412, NULL,
             "{\"code\":412001,\"httpStatusCode\":\"PreconditionFailed\",\"message\":\"bad\"}"),
         REASON_AZURE_ERROR, false, "the renewal of a key with 412", "somebody else"},
        {PUT(409, NULL, "{\"code\":409001,\"httpStatusCode\":\"Conflict\",\"message\":\"busy\"}"),
         REASON_AZURE_ERROR, false, "409", ""},
        {PUT(403, NULL, "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"m\"}}"),
         REASON_PERMISSION_DENIED, false, "", "Microsoft.Devices/IotHubs/write"},
        {PUT(500, NULL, NULL), REASON_AZURE_ERROR, true, "", ""},
        {SILENCE(HTTP_LOST), REASON_OUTCOME_UNKNOWN, true, "", ""},
        {SILENCE(HTTP_UNSENT), REASON_NETWORK, false, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scripted script[] = {TOKEN, WHOLE(""), LIST(KEY_A, KEY_B), cases[i].put};

        renew(script, 4);
        assert_non_null(result.failure);
        assert_int_equal(failure.reason, cases[i].reason);
        assert_int_equal(failure.outcome_unknown, cases[i].unknown);
        assert_non_null(strstr(failure.text, cases[i].text));
        assert_non_null(strstr(failure.remedy, cases[i].remedy));
        assert_int_equal(fake_http.sent_count, 4);
        stop();
    }
}

/* A 401 to any of the three is answered by another token, once, and the body is sent again whole.
 */
static void test_another_token(void **state)
{
    static const struct scripted script[] = {
        TOKEN,        WHOLE(""),  LIST(KEY_A, KEY_B),
        UNAUTHORIZED, NEXT_TOKEN, PUT(200, NULL, STATE_IS("Succeeded"))};

    (void)state;
    renew(script, 6);
    assert_null(result.failure);
    assert_string_equal(fake_http.sent[3].body, fake_http.sent[5].body);
    assert_string_equal(fake_http.sent[5].if_match, "E1");
    assert_string_equal(fake_http.sent[5].authorization, "Bearer tok2");
    stop();
}

/* Whoever stops in between has changed nothing. */
static void test_canceled_in_between(void **state)
{
    static const struct scripted script[] = {TOKEN, WHOLE("")};
    struct azure_call *call;

    (void)state;
    start(script, 2);
    policy_account = account;
    policy_account.id = policy_account.key = HUB "/IotHubKeys/service";
    subject.account = &policy_account;
    call = azure_regenerate(azure, &subject, SLOT_PRIMARY, "corr-1", on_done, &subject);
    fake_loop_run(0);
    assert_int_equal(completions, 0);
    assert_int_equal(fake_http.sent_count, 3);
    azure_cancel(call);
    fake_loop_run(0);
    assert_int_equal(completions, 1);
    assert_true(result.canceled && !failure.outcome_unknown);
    assert_int_equal(fake_http.sent_count, 3);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_before_it_writes),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_nothing_is_sent),
        cmocka_unit_test(test_failures_of_the_put),
        cmocka_unit_test(test_changed_lately),
        cmocka_unit_test(test_is_being_changed),
        cmocka_unit_test(test_list_that_does_not_fit),
        cmocka_unit_test(test_look_that_does_not_fit),
        cmocka_unit_test(test_look_without_etag),
        cmocka_unit_test(test_look_without_the_policy),
        cmocka_unit_test(test_look_in_pages),
        cmocka_unit_test(test_renewal_of_a_part),
        cmocka_unit_test(test_reading_takes_too_long),
        cmocka_unit_test(test_names_that_differ_in_case),
        cmocka_unit_test(test_another_token),
        cmocka_unit_test(test_canceled_in_between),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
