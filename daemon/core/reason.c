#include "core/reason.h"

static const struct reason_description descriptions[REASON_COUNT] = {
    [REASON_NONE] = {"none", STATE_OK, CLEARED_BY_NOTHING, "all is well", "nothing"},

    [REASON_ACTIVE_KEY_UNKNOWN] =
        {"active_key_unknown", STATE_BLOCKED, CLEARED_BY_HUMAN,
         "no target and no setting says which of the two keys the consumers use",
         "find out which key the consumers use, then run "
         "`keyrotatectl adopt {account} --active primary` (or secondary), or set adopt_active"},
    [REASON_TARGETS_DISAGREE] =
        {"targets_disagree", STATE_BLOCKED, CLEARED_BY_HUMAN,
         "the targets, or a target and adopt_active, name different keys as the active one",
         "compare the fingerprints in `keyrotatectl status {account}`, then run "
         "`keyrotatectl adopt {account} --active primary` (or secondary); for an adopted account "
         "you can also correct the targets and run `keyrotatectl unblock {account}`"},
    [REASON_TARGET_HOLDS_UNKNOWN_KEY] =
        {"target_holds_unknown_key", STATE_BLOCKED, CLEARED_BY_HUMAN,
         "a target holds a key that is neither of the account's two",
         "see in `keyrotatectl status {account}` which target it is and whether it belongs to this "
         "account; `keyrotatectl adopt {account} --active primary` (or secondary) overwrites it; "
         "once you have corrected it, run `keyrotatectl check {account}` instead"},
    [REASON_ANOTHER_ROTATOR] =
        {"another_rotator", STATE_BLOCKED, CLEARED_BY_HUMAN,
         "somebody else keeps regenerating this account's keys, or delivering the standby key",
         "find the caller of regenerateKeys in the subscription's activity log, or who writes to "
         "the targets, and stop one of the two, then run `keyrotatectl unblock {account}`"},
    [REASON_JOURNAL_BEHIND] =
        {"journal_behind", STATE_BLOCKED, CLEARED_BY_HUMAN,
         "the journal is out of date: it was restored, or another daemon has rotated since",
         "make sure that no other daemon rotates this account, then run "
         "`keyrotatectl adopt {account} --active primary` (or secondary)"},
    [REASON_REDELIVER_AWAITED] =
        {"redeliver_awaited", STATE_BLOCKED, CLEARED_BY_HUMAN,
         "somebody else regenerated the key that consumers use, and on_drift: alert leaves the "
         "delivery of the live one to a person",
         "run `keyrotatectl redeliver {account}`: it delivers the live key"},
    [REASON_ADOPTION_UNCONFIRMED] =
        {"adoption_unconfirmed", STATE_BLOCKED, CLEARED_BY_HUMAN,
         "which key the consumers use is known from adopt_active of a rule alone, and nobody has "
         "confirmed it for this account",
         "make sure that its consumers use the {active} key, then run `keyrotatectl confirm "
         "{account}`; for all accounts of its rule, `keyrotatectl adopt --rule {rule}`"},

    [REASON_KEY_REFUSED] =
        {"key_refused", STATE_BLOCKED, CLEARED_BY_WORLD,
         "its data plane refuses a key that Azure Resource Manager reports as live",
         "wait: nothing is delivered or regenerated meanwhile, and the key is checked again "
         "automatically; if this persists, give Azure's support the ids in `keyrotatectl status "
         "{account}`"},
    [REASON_SHARED_KEY_DISABLED] = {"shared_key_disabled", STATE_BLOCKED, CLEARED_BY_WORLD,
                                    "the account does not allow authentication with shared keys",
                                    "{keys_on}, or take the account out of the configuration"},
    [REASON_USER_SUBSCRIPTION_MODE] =
        {"user_subscription_mode", STATE_BLOCKED, CLEARED_BY_WORLD,
         "the account allocates its pools in the user's subscription and has no usable keys",
         "take the account out of the configuration: its clients use Microsoft Entra ID"},
    [REASON_ACCOUNT_NOT_FOUND] =
        {"account_not_found", STATE_BLOCKED, CLEARED_BY_WORLD, "Azure has no such account",
         "correct the account's id in the configuration, or take the account out of it"},
    [REASON_DESTINATION_REFUSED] =
        {"destination_refused", STATE_BLOCKED, CLEARED_BY_WORLD,
         "the rule that found the account gives it a destination that it cannot have",
         "give the target a place with the placeholders that tell the accounts apart (account, "
         "resource_group, subscription_id), or name the account in `accounts` with targets of its "
         "own; then run `keyrotatectl reload`"},

    [REASON_PERMISSION_DENIED] = {"permission_denied", STATE_RETRYING, CLEARED_BY_RETRY,
                                  "the identity lacks a permission on the account",
                                  "assign the role \"{role_name}\" to the identity at "
                                  "{resource}, after `{role}` where there "
                                  "is no such role yet"},
    [REASON_TARGET_DENIED] = {"target_denied", STATE_RETRYING, CLEARED_BY_RETRY,
                              "a target does not permit reading or writing",
                              "give the daemon's user, or the identity, access to the target; "
                              "`keyrotatectl status {account}` names it"},
    [REASON_TARGET_FAILED] = {"target_failed", STATE_RETRYING, CLEARED_BY_RETRY,
                              "a target cannot be read or written",
                              "see the target's message in `keyrotatectl status {account}`; "
                              "delivery is retried automatically"},
    [REASON_NOT_YET] =
        {"not_yet", STATE_RETRYING, CLEARED_BY_RETRY, "a target asked for more time",
         "nothing, unless this takes longer than the target's consumers should need"},
    [REASON_TOKEN_FAILED] =
        {"token_failed", STATE_RETRYING, CLEARED_BY_RETRY,
         "the identity could not get an access token",
         "check the identity's settings and its secret; the token.failed lines of the log say what "
         "Microsoft Entra ID or the metadata service answered"},
    [REASON_NETWORK] =
        {"network", STATE_RETRYING, CLEARED_BY_RETRY, "a service cannot be reached",
         "check name resolution, the route, the firewall, the proxy and ca_file on this machine"},
    [REASON_AZURE_ERROR] = {"azure_error", STATE_RETRYING, CLEARED_BY_RETRY,
                            "Azure answered with an error",
                            "wait; if this persists, see Azure's status page, and give Azure's "
                            "support the request id"},
    [REASON_THROTTLED] = {"throttled", STATE_RETRYING, CLEARED_BY_RETRY,
                          "Azure asks for fewer requests",
                          "nothing: requests continue when Azure allows them; if this persists, "
                          "find out what else sends requests to the same resource, or to others "
                          "of its resource provider in the subscription"},
    [REASON_OUTCOME_UNKNOWN] =
        {"outcome_unknown", STATE_RETRYING, CLEARED_BY_RETRY,
         "the answer to a regeneration was lost, so it may have happened",
         "nothing: the live keys are compared after unknown_wait, before anything is repeated"},
    [REASON_BEING_CONFIRMED] =
        {"being_confirmed", STATE_RETRYING, CLEARED_BY_RETRY,
         "a look found an unexpected change: a second look must confirm it",
         "nothing: the second look follows automatically; `keyrotatectl redeliver {account}` "
         "restores at once what a target lost by accident"},
    [REASON_DELIVERY_PENDING] = {"delivery_pending", STATE_RETRYING, CLEARED_BY_RETRY,
                                 "a required target does not hold the active key yet",
                                 "nothing: delivery is retried automatically; `keyrotatectl "
                                 "redeliver {account}` retries at once"},
    [REASON_CLOCK_SKEW] = {"clock_skew", STATE_RETRYING, CLEARED_BY_RETRY,
                           "this machine's clock and Azure's differ by more than 5 minutes",
                           "set the clock of this machine (`timedatectl status`)"},
    [REASON_JOURNAL_FAILED] = {"journal_failed", STATE_RETRYING, CLEARED_BY_RETRY,
                               "the journal cannot be written",
                               "make room on, or repair, the file system that holds state_dir"},

    [REASON_CONFIG] = {"config", STATE_HELD, CLEARED_BY_TIME_OR_HUMAN,
                       "the configuration says rotate: false",
                       "set `rotate: true` for the account and reload, when it is to rotate"},
    [REASON_OPERATOR] = {"operator", STATE_HELD, CLEARED_BY_TIME_OR_HUMAN,
                         "an operator holds the account",
                         "see in `keyrotatectl hold --list` who holds it and why; when the account "
                         "may rotate again, end the hold by its id with resume --hold"},
    [REASON_FREEZE] = {"freeze", STATE_HELD, CLEARED_BY_TIME_OR_HUMAN,
                       "a change freeze is in force",
                       "nothing: rotations start when it is over; `keyrotatectl rotate "
                       "{account}` rotates all the same, and a changed `freeze` of the "
                       "configuration holds from the next reload"},
};

static const char *const state_names[STATE_COUNT] = {
    [STATE_ADOPTING] = "adopting", [STATE_OK] = "ok",     [STATE_ROTATING] = "rotating",
    [STATE_RETRYING] = "retrying", [STATE_HELD] = "held", [STATE_BLOCKED] = "blocked",
};

const struct reason_description *reason_describe(enum reason reason)
{
    if ((unsigned)reason >= REASON_COUNT)
        return &descriptions[REASON_NONE];
    return &descriptions[reason];
}

const char *account_state_name(enum account_state state)
{
    return (unsigned)state < STATE_COUNT ? state_names[state] : "unknown";
}
