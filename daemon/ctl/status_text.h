/*
 * A status document as people read it. Pure: from a document to text.
 *
 * What comes from elsewhere (error texts, names) is written without control characters, so that it
 * cannot play tricks on a terminal.
 */
#ifndef KEYROTATED_CTL_STATUS_TEXT_H
#define KEYROTATED_CTL_STATUS_TEXT_H

#include "base/buf.h"
#include "base/date.h"
#include "ctl/ctl.h"

/* Appends the text with "?" for each control character, except a line break that ends the format.
 */
void ctl_write(struct buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "-" for NULL. */
const char *ctl_shown(const char *text);

/* How instants and durations are written; all return out. */
enum { CTL_TIME_MAX = DATE_TEXT_MAX + DURATION_TEXT_MAX + 16 };
/* "2026-11-22T12:00:00Z (in 3h 5m)", "… (2d ago)"; "never". */
/* "in 5s", or "now" for an instant that has come. */
const char *ctl_next_try(time_ms at, time_ms now, char out[CTL_TIME_MAX]);
const char *ctl_instant(time_ms at, time_ms now, char out[CTL_TIME_MAX]);
/* "in 3h 5m", "3h 5m ago" */
const char *ctl_distance(time_ms at, time_ms now, char out[CTL_TIME_MAX]);
/* In whole seconds, at least one. */
const char *ctl_words(duration_ms duration, char out[CTL_TIME_MAX]);

/* One line about the accounts that a question concerned, of all that there are; `unwell` of them
 * are not well. */
void ctl_write_selection(struct buf *out, const struct daemon_snapshot *daemon, size_t unwell);
/* What is wrong beside accounts: a line each for a journal that fails, a refused reload and the
 * like. `socket` is where the daemon was asked. */
void ctl_write_conditions(struct buf *out, const struct daemon_snapshot *daemon,
                          const char *socket);
/* One line about all accounts, and the conditions. */
void ctl_write_summary(struct buf *out, const struct daemon_snapshot *daemon, const char *socket);

/* ": retrying: network, for 3h", what is wrong with an account and what to do: what follows its
 * name, in two to five lines. */
void ctl_write_trouble(struct buf *out, const struct account_snapshot *account, time_ms now);
/* The same behind the name. */
void ctl_write_problem(struct buf *out, const struct account_snapshot *account, time_ms now);
/* "group/name" */
void ctl_write_name(struct buf *out, const struct account_snapshot *account);
/* "CONSUMERS AT RISK, blocked: targets_disagree, overdue" */
void ctl_write_state(struct buf *out, const struct account_snapshot *account);

/* The table of all accounts (status_table.c). */
void ctl_write_table(struct buf *out, const struct control_status *status);

/* Everything that is known of an account. */
void ctl_write_account(struct buf *out, const struct account_snapshot *account, time_ms now);

/* A line: "hold 3 of all accounts, by uid 0 (root) since …, until …: release week" */
void ctl_write_hold(struct buf *out, const struct hold_snapshot *hold, time_ms now);

/* The exit status that an account, or a document, stands for (as monitoring plugins have it). */
enum ctl_exit ctl_account_severity(const struct account_snapshot *account);
enum ctl_exit ctl_status_severity(const struct control_status *status);

/* What is not well (status_group.c). For each cause the accounts (up to five by name, and how many
 * more), what is wrong, and what to do. The worst first. Well accounts are left out. */
void ctl_write_problems(struct buf *out, const struct control_status *status);
/* Equal for accounts, and for looks at one account, that have the same trouble: the number changes
 * with what is wrong and what to do, and not with time. */
uint64_t ctl_problem_cause(const struct account_snapshot *account);

#endif
