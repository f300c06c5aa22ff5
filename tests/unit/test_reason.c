#include "core/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The lists that users' scripts rely on: name, state, and who clears it. */
static const struct {
    enum reason reason;
    const char *name;
    enum account_state state;
    enum clearing clearing;
} contract[] = {
    {REASON_NONE, "none", STATE_OK, CLEARED_BY_NOTHING},
    {REASON_ACTIVE_KEY_UNKNOWN, "active_key_unknown", STATE_BLOCKED, CLEARED_BY_HUMAN},
    {REASON_TARGETS_DISAGREE, "targets_disagree", STATE_BLOCKED, CLEARED_BY_HUMAN},
    {REASON_TARGET_HOLDS_UNKNOWN_KEY, "target_holds_unknown_key", STATE_BLOCKED, CLEARED_BY_HUMAN},
    {REASON_ANOTHER_ROTATOR, "another_rotator", STATE_BLOCKED, CLEARED_BY_HUMAN},
    {REASON_JOURNAL_BEHIND, "journal_behind", STATE_BLOCKED, CLEARED_BY_HUMAN},
    {REASON_REDELIVER_AWAITED, "redeliver_awaited", STATE_BLOCKED, CLEARED_BY_HUMAN},
    {REASON_ADOPTION_UNCONFIRMED, "adoption_unconfirmed", STATE_BLOCKED, CLEARED_BY_HUMAN},
    {REASON_KEY_REFUSED, "key_refused", STATE_BLOCKED, CLEARED_BY_WORLD},
    {REASON_SHARED_KEY_DISABLED, "shared_key_disabled", STATE_BLOCKED, CLEARED_BY_WORLD},
    {REASON_USER_SUBSCRIPTION_MODE, "user_subscription_mode", STATE_BLOCKED, CLEARED_BY_WORLD},
    {REASON_ACCOUNT_NOT_FOUND, "account_not_found", STATE_BLOCKED, CLEARED_BY_WORLD},
    {REASON_DESTINATION_REFUSED, "destination_refused", STATE_BLOCKED, CLEARED_BY_WORLD},
    {REASON_PERMISSION_DENIED, "permission_denied", STATE_RETRYING, CLEARED_BY_RETRY},
    {REASON_TARGET_DENIED, "target_denied", STATE_RETRYING, CLEARED_BY_RETRY},
    {REASON_TARGET_FAILED, "target_failed", STATE_RETRYING, CLEARED_BY_RETRY},
    {REASON_NOT_YET, "not_yet", STATE_RETRYING, CLEARED_BY_RETRY},
    {REASON_TOKEN_FAILED, "token_failed", STATE_RETRYING, CLEARED_BY_RETRY},
    {REASON_NETWORK, "network", STATE_RETRYING, CLEARED_BY_RETRY},
    {REASON_AZURE_ERROR, "azure_error", STATE_RETRYING, CLEARED_BY_RETRY},
    {REASON_THROTTLED, "throttled", STATE_RETRYING, CLEARED_BY_RETRY},
    {REASON_OUTCOME_UNKNOWN, "outcome_unknown", STATE_RETRYING, CLEARED_BY_RETRY},
    {REASON_BEING_CONFIRMED, "being_confirmed", STATE_RETRYING, CLEARED_BY_RETRY},
    {REASON_DELIVERY_PENDING, "delivery_pending", STATE_RETRYING, CLEARED_BY_RETRY},
    {REASON_CLOCK_SKEW, "clock_skew", STATE_RETRYING, CLEARED_BY_RETRY},
    {REASON_JOURNAL_FAILED, "journal_failed", STATE_RETRYING, CLEARED_BY_RETRY},
    {REASON_CONFIG, "config", STATE_HELD, CLEARED_BY_TIME_OR_HUMAN},
    {REASON_OPERATOR, "operator", STATE_HELD, CLEARED_BY_TIME_OR_HUMAN},
    {REASON_FREEZE, "freeze", STATE_HELD, CLEARED_BY_TIME_OR_HUMAN},
};

static void test_contract(void **state)
{
    (void)state;
    assert_int_equal(sizeof(contract) / sizeof(contract[0]), REASON_COUNT);
    for (size_t i = 0; i < REASON_COUNT; i++) {
        const struct reason_description *description = reason_describe(contract[i].reason);

        assert_string_equal(description->name, contract[i].name);
        assert_int_equal(description->state, contract[i].state);
        assert_int_equal(description->clearing, contract[i].clearing);
    }
}

static void test_words(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        const struct reason_description *description = reason_describe((enum reason)i);

        assert_true(strlen(description->meaning) > 5);
        assert_true(strlen(description->remedy) > 5);
        assert_int_not_equal(description->meaning[strlen(description->meaning) - 1], '.');
        assert_int_not_equal(description->remedy[strlen(description->remedy) - 1], '.');
        for (const char *c = strchr(description->remedy, '{'); c; c = strchr(c + 1, '{'))
            assert_true(strncmp(c, "{account}", 9) == 0 || strncmp(c, "{rule}", 6) == 0 ||
                        strncmp(c, "{resource}", 10) == 0 || strncmp(c, "{role}", 6) == 0 ||
                        strncmp(c, "{role_name}", 11) == 0 || strncmp(c, "{keys_on}", 9) == 0 ||
                        strncmp(c, "{active}", 8) == 0);
    }
}

static void test_unknown(void **state)
{
    (void)state;
    assert_ptr_equal(reason_describe(REASON_COUNT), reason_describe(REASON_NONE));
}

static void test_states(void **state)
{
    static const char *const names[STATE_COUNT] = {"adopting", "ok",   "rotating",
                                                   "retrying", "held", "blocked"};

    (void)state;
    for (unsigned i = 0; i < STATE_COUNT; i++)
        assert_string_equal(account_state_name((enum account_state)i), names[i]);
    assert_string_equal(account_state_name(STATE_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contract),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_states),
    };

    return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
