/*
 * What the oracles are called, and what each of them states.
 */
#include <string.h>

#include "oracle.h"

static const struct oracle_description oracles[ORACLE_COUNT] = {
    [ORACLE_NO_OUTAGE] = {"no-outage", "product",
                          "programs that read again within overlap never hold a dead key"},
    [ORACLE_STANDBY_ONLY] = {"standby-only", "rule 1",
                             "a key is regenerated only when every required target has had the "
                             "other one for an overlap"},
    [ORACLE_LOOK_FIRST] =
        {"look-first", "rule 2",
         "a look at the live keys and the targets comes right before a regenerate"},
    [ORACLE_CLOCKS_AGREE] = {"clocks-agree", "rule 2",
                             "nothing is regenerated with clocks over five minutes apart"},
    [ORACLE_INTENT_FIRST] = {"intent-first", "rule 3",
                             "what is about to be regenerated is durable before the request"},
    [ORACLE_DOUBT_LOOKS] = {"doubt-looks", "rule 4",
                            "a request whose outcome is unknown is waited out and looked at, not "
                            "repeated"},
    [ORACLE_POLLED_DURABLE] = {"polled-durable", "rule 3",
                               "how a regenerate goes on is asked where its URL is durable"},
    [ORACLE_ONE_OPERATION] = {"one-operation", "rule 4",
                              "nothing is regenerated while an earlier regenerate may go on"},
    [ORACLE_ENDED_FIRST] = {"ended-first", "rule 4",
                            "nothing is concluded from a slot, and no key of it delivered, that a "
                            "regenerate may still change"},
    [ORACLE_SAME_SLOT] = {"same-slot", "rule 5", "a retry repeats the same slot"},
    [ORACLE_CALM_START] = {"calm-start", "rule 5",
                           "nothing is regenerated within unknown_wait of a start, nor before "
                           "lists show what was done until then"},
    [ORACLE_FROZEN] = {"frozen", "rule 6",
                       "both keys are frozen while a required target waits for the new one"},
    [ORACLE_IN_ORDER] = {"in-order", "rule 6",
                         "while the old key works, a target waits for the required ones before it"},
    [ORACLE_OFFER_FIRST] = {"offer-first", "rule 6",
                            "that a target may hold the new key is durable before it is delivered"},
    [ORACLE_DELIVERS_GOAL] = {"delivers-goal", "rule 6",
                              "nothing but the key under delivery is delivered"},
    [ORACLE_PROVEN] =
        {"proven", "product",
         "no new key is delivered that the data plane refuses, or was not asked about"},
    [ORACLE_ACKNOWLEDGED] = {"acknowledged", "rule 7",
                             "a target counts as having a key only when it was given that key, or "
                             "seen to hold it"},
    [ORACLE_OWED] = {"owed", "rule 7", "a required target without the key gets it, in time"},
    [ORACLE_RELEASED] = {"released", "rule 7",
                         "an account does not wait for a target that is removed or made optional, "
                         "and not long for one that is optional"},
    [ORACLE_OVERLAP_AGAIN] = {"overlap-again", "rule 8",
                              "a delivery that changed a target starts overlap anew"},
    [ORACLE_UNSETTLED] = {"unsettled", "rule 8",
                          "nothing goes to a target while an earlier delivery may still land"},
    [ORACLE_NONE_WAITS] = {"none-waits", "rule 8",
                           "in a repair no target, look or command waits long for one that hangs"},
    [ORACLE_ACTIVE_LAST] = {"active-last", "rule 9",
                            "the new key is called active last, when all required targets have it"},
    [ORACLE_SETTLE_LOOK] = {"settle-look", "rule 9", "a completed rotation is looked at once more"},
    [ORACLE_PAST_LOOK] = {"past-look", "rule 10", "no key that is known to be dead is delivered"},
    [ORACLE_TWO_LOOKS] = {"two-looks", "rule 10",
                          "an unexpected change counts when it was seen twice, or proven"},
    [ORACLE_SURE_ADOPTION] =
        {"sure-adoption", "rule 10",
         "where a target cannot be read, what the configuration calls active is looked at twice"},
    [ORACLE_STANDBY_CHANGED] = {"standby-changed", "rule 11",
                                "a key that somebody else made is not regenerated for an overlap"},
    [ORACLE_BOTH_CHANGED] = {"both-changed", "rule 11",
                             "after somebody else changed both keys nothing is regenerated for "
                             "rotate_every"},
    [ORACLE_NO_FIGHT] = {"no-fight", "rule 11",
                         "after the second foreign change in one period no key is regenerated, no "
                         "target overwritten"},
    [ORACLE_JOURNAL_UNFIT] = {"journal-unfit", "rule 12",
                              "a journal that does not fit the world is not acted upon"},
    [ORACLE_ONE_AT_A_TIME] = {"one-at-a-time", "rule 13",
                              "an account has one thing under way at a time"},
    [ORACLE_PAIRS_APART] = {"pairs-apart", "rule 13",
                            "two pairs of keys of one resource are not regenerated at once"},
    [ORACLE_NOT_PROMPTED] = {"not-prompted", "rule 14",
                             "starting, reloading and adopting do not rotate"},
    [ORACLE_CAUGHT_UP_ONCE] = {"caught-up-once", "rule 14",
                               "there are no more rotations than the schedule has"},
    [ORACLE_IN_WINDOW] = {"in-window", "rule 14", "a scheduled rotation starts inside its window"},
    [ORACLE_CHANGE_FREEZE] = {"change-freeze", "rule 14",
                              "no scheduled rotation starts in a change freeze"},
    [ORACLE_NO_KEY_STORED] = {"no-key-stored", "rule 15",
                              "no key stands in the journal, in its history or in the log"},
    [ORACLE_KEYS_FORGOTTEN] = {"keys-forgotten", "rule 15",
                               "no key is in memory while nothing is under way"},
    [ORACLE_NOT_SILENT] =
        {"not-silent", "rule 16",
         "an account that waits for a person has said so; all others have a timer"},
    [ORACLE_REPAIRED] = {"repaired", "product",
                         "what somebody else's regenerate broke is repaired in time, whatever "
                         "else fails"},
    [ORACLE_PROGRESS] = {"progress", "product",
                         "once nothing fails any more, every account completes a rotation in time"},
    [ORACLE_LEADS_ON] = {"leads-on", "rule 16",
                         "a regenerate that has ended, or must have, leads on in time"},
    [ORACLE_NO_STARVATION] = {"no-starvation", "product",
                              "no account waits while others rotate again and again"},
    [ORACLE_CLOSED_FIRST] = {"closed-first", "rule 3",
                             "what closes the interlock is durable before the daemon goes on"},
    [ORACLE_ANSWERED_DURABLE] = {"answered-durable", "commands",
                                 "a command is answered when the journal has it"},
    [ORACLE_HELD] = {"held", "commands",
                     "nothing is regenerated while held, or where the policy says not to"},
    [ORACLE_CONFIRMED] = {"confirmed", "rule 1",
                          "nothing is regenerated where a rule alone names the active key, before "
                          "a person has confirmed it"},
    [ORACLE_NOT_FORGOTTEN] = {"not-forgotten", "found",
                              "an account leaves care by its own GET, or by another configuration, "
                              "and its journal stays"},
    [ORACLE_FEW_AT_ONCE] = {"few-at-once", "found", "one listing adds max_new accounts at most"},
    [ORACLE_ONE_DESTINATION] = {"one-destination", "found",
                                "accounts that rules give the same destination get nothing"},
    [ORACLE_AGES_ONLY] =
        {"ages-only", "always",
         "when Azure says that keys were made is shown, and makes a first rotation "
         "earlier, but decides nothing else"},
    [ORACLE_SOUND] = {"sound", "always", "no fault, no broken invariant, no endless loop"},
};

const struct oracle_description *oracle_describe(enum oracle oracle)
{
    return &oracles[oracle];
}

enum oracle oracle_from_name(const char *name)
{
    for (int oracle = 0; oracle < ORACLE_COUNT; oracle++)
        if (strcmp(oracles[oracle].name, name) == 0)
            return (enum oracle)oracle;
    return ORACLE_COUNT;
}
