/*
 * The families of metrics: FAMILY(NAME, type, name, help). The names begin with keyrotated_.
 *
 * Instants are seconds since 1970, so that a rule can ask how long ago they were. One that is not
 * known has no sample. keyrotated(8) lists the families, and a test holds the two together.
 */
#ifndef KEYROTATED_PROTO_METRICS_LIST_H
#define KEYROTATED_PROTO_METRICS_LIST_H

#define METRICS_OF_DAEMON(FAMILY)                                                                  \
    FAMILY(BUILD, "gauge", "build_info", "Always 1; the version.")                                 \
    FAMILY(STARTED, "gauge", "start_time_seconds", "When the daemon started.")                     \
    FAMILY(WRITTEN, "gauge", "written_time_seconds", "When these metrics were written.")           \
    FAMILY(CONFIG_LOADED, "gauge", "config_loaded_time_seconds",                                   \
           "When the configuration in force was read.")                                            \
    FAMILY(CONFIG_REFUSED, "gauge", "config_refused",                                              \
           "1: the last reload was refused, and an older configuration is in force.")              \
    FAMILY(ACCOUNTS, "gauge", "accounts", "Accounts by state.")                                    \
    FAMILY(OVERDUE, "gauge", "accounts_overdue", "Accounts whose rotation is overdue.")            \
    FAMILY(AT_RISK, "gauge", "accounts_at_risk",                                                   \
           "Accounts that have a consumer whose key is dead or soon will be.")                     \
    FAMILY(UNWELL, "gauge", "accounts_unwell",                                                     \
           "Accounts that are blocked, overdue, at risk, retried or held by an operator.")         \
    FAMILY(OLDEST, "gauge", "oldest_key_time_seconds", "Since when the oldest key exists.")        \
    FAMILY(NEXT, "gauge", "next_rotation_time_seconds",                                            \
           "When the next rotation of any account begins.")                                        \
    FAMILY(CREDENTIAL, "gauge", "credential_expiry_time_seconds",                                  \
           "When the credential of an identity ends, of the one that ends first.")                 \
    FAMILY(RULE_ACCOUNTS, "gauge", "rule_accounts", "Accounts that a rule has found.")             \
    FAMILY(RULE_LISTED, "gauge", "rule_listed_time_seconds",                                       \
           "When all that a rule looks for was listed last.")                                      \
    FAMILY(EVENTS, "counter", "events_total",                                                      \
           "Events of accounts since the start, whether logged or not.")                           \
    FAMILY(JOURNAL_FAILING, "gauge", "journal_failing",                                            \
           "1: the journal cannot be written, and nothing is regenerated.")                        \
    FAMILY(JOURNAL_WAITING, "gauge", "journal_waiting_saves", "Saves that are not durable yet.")   \
    FAMILY(COMMITS, "histogram", "journal_commit_duration_seconds",                                \
           "How long it took until a transaction of the journal was durable.")                     \
    FAMILY(IN_FLIGHT, "gauge", "http_requests_in_flight", "Requests under way.")                   \
    FAMILY(REQUESTS, "counter", "http_requests_total",                                             \
           "Requests that ended, by service and status, or why there is none.")                    \
    FAMILY(DURATIONS, "histogram", "http_request_duration_seconds",                                \
           "How long requests took, by service.")                                                  \
    FAMILY(TURNS, "histogram", "loop_turn_duration_seconds",                                       \
           "How long the turns of the loop took, in which all else waited.")                       \
    FAMILY(LISTED, "gauge", "accounts_listed",                                                     \
           "Accounts with metrics of their own: all, or those that are not well.")

/* With the labels account (as keyrotatectl calls it) and id. */
#define METRICS_OF_ACCOUNTS(FAMILY)                                                                \
    FAMILY(STATE, "gauge", "account_state", "Always 1; the state, and the reason.")                \
    FAMILY(KEY_BORN, "gauge", "account_key_time_seconds", "Since when the key exists.")            \
    FAMILY(ROTATED, "gauge", "account_last_rotation_time_seconds",                                 \
           "When the last rotation was complete.")                                                 \
    FAMILY(ROTATES, "gauge", "account_next_rotation_time_seconds",                                 \
           "When the next rotation begins.")                                                       \
    FAMILY(LOOKED, "gauge", "account_last_look_time_seconds",                                      \
           "When Azure and the targets were looked at last.")                                      \
    FAMILY(IS_OVERDUE, "gauge", "account_overdue", "1: its rotation is overdue.")                  \
    FAMILY(IS_AT_RISK, "gauge", "account_at_risk", "1: a consumer's key is dead or soon will be.") \
    FAMILY(HELD_UNTIL, "gauge", "account_hold_end_time_seconds",                                   \
           "When the last of its holds ends; none: by a command.")                                 \
    FAMILY(TARGETS, "gauge", "account_targets", "Targets by result: delivered, failing, waiting.")

#endif
