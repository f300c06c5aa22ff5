/*
 * The questions that the control socket answers, a row each:
 *
 *    name          GET /v1/name, answered by daemon_answer_name()
 *    of_accounts   also GET /v1/name/ACCOUNT and /v1/name?account=A&account=B
 *    of_time       also GET /v1/name?until=TIME&after=ID
 *    of_some       also GET /v1/name?state=STATE&policy=POLICY, and account=PATTERN
 *    of_keys       GET /v1/name?fingerprint=HEX&fingerprint=HEX
 *
 * QUESTION_OF_JOURNAL_LIST has those about what was, which wait for the journal. Each is of
 * accounts and of time, too, also GET /v1/name?since=TIME&failed=true, and asked with
 * daemon_ask_name().
 */
#ifndef KEYROTATED_APP_QUESTION_LIST_H
#define KEYROTATED_APP_QUESTION_LIST_H

#include "app/daemon_state.h"

#define QUESTION_LIST(ROW)                                                                         \
    ROW(status, true, true, false, false)                                                          \
    ROW(accounts, true, true, false, false)                                                        \
    ROW(config, true, false, false, false)                                                         \
    ROW(plan, true, false, true, false)                                                            \
    ROW(holds, false, false, false, false)                                                         \
    ROW(identify, false, false, false, true)

#define QUESTION_OF_JOURNAL_LIST(ROW)                                                              \
    ROW(history, true)                                                                             \
    ROW(history_chains, false)

/* As struct control_question has them (proto/control_protocol.h); `context` is the daemon. */
#define ROW(name, ...)                                                                             \
    int daemon_answer_##name(void *context, const struct control_query *query, struct buf *out,    \
                             struct err *err);
QUESTION_LIST(ROW)
#undef ROW

#define ROW(name, of_past)                                                                         \
    void daemon_ask_##name(void *context, const struct control_query *query,                       \
                           struct control_request *request);
QUESTION_OF_JOURNAL_LIST(ROW)
#undef ROW

#endif
