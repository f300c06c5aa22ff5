/*
 * The closed lists of states and reasons, with a remedy for each. A reason belongs to exactly one
 * state. A block ends by a command, by the configuration, or by itself when its cause is gone; a
 * retry always ends by itself.
 */
#ifndef KEYROTATED_CORE_REASON_H
#define KEYROTATED_CORE_REASON_H

#include <stdbool.h>

enum account_state {
    STATE_ADOPTING,
    STATE_OK,
    STATE_ROTATING,
    STATE_RETRYING,
    STATE_HELD,
    STATE_BLOCKED,
    STATE_COUNT
};

enum reason {
    REASON_NONE,
    /* blocked, cleared by a command or the configuration */
    REASON_ACTIVE_KEY_UNKNOWN,
    REASON_TARGETS_DISAGREE,
    REASON_TARGET_HOLDS_UNKNOWN_KEY,
    REASON_ANOTHER_ROTATOR,
    REASON_JOURNAL_BEHIND,
    REASON_REDELIVER_AWAITED,
    REASON_ADOPTION_UNCONFIRMED,
    /* blocked until the cause is gone */
    REASON_KEY_REFUSED,
    REASON_SHARED_KEY_DISABLED,
    REASON_USER_SUBSCRIPTION_MODE,
    REASON_ACCOUNT_NOT_FOUND,
    REASON_DESTINATION_REFUSED,
    /* retrying */
    REASON_PERMISSION_DENIED,
    REASON_TARGET_DENIED,
    REASON_TARGET_FAILED,
    REASON_NOT_YET,
    REASON_TOKEN_FAILED,
    REASON_NETWORK,
    REASON_AZURE_ERROR,
    REASON_THROTTLED,
    REASON_OUTCOME_UNKNOWN,
    REASON_BEING_CONFIRMED,
    REASON_DELIVERY_PENDING,
    REASON_CLOCK_SKEW,
    REASON_JOURNAL_FAILED,
    /* held */
    REASON_CONFIG,
    REASON_OPERATOR,
    REASON_FREEZE,
    REASON_COUNT
};

enum clearing {
    CLEARED_BY_NOTHING,      /* REASON_NONE */
    CLEARED_BY_HUMAN,        /* a command or the configuration */
    CLEARED_BY_WORLD,        /* blocked until the cause is gone: checked from time to time */
    CLEARED_BY_RETRY,        /* tried again by back-off */
    CLEARED_BY_TIME_OR_HUMAN /* held */
};

struct reason_description {
    const char *name; /* "permission_denied": stable, in logs and --json */
    enum account_state state;
    enum clearing clearing;
    const char *meaning; /* a short sentence: what is wrong */
    const char *remedy;  /* the words after `do:`, with the placeholders of proto/remedy.h */
};

const struct reason_description *reason_describe(enum reason reason);

const char *account_state_name(enum account_state state);

#endif
