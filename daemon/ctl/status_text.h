/*
 * A status document as people read it. Pure: from a document to text.
 *
 * What comes from elsewhere (error texts, names) is written without control characters, so that it
 * cannot play tricks on a terminal.
 */
#ifndef KEYROTATED_CTL_STATUS_TEXT_H
#define KEYROTATED_CTL_STATUS_TEXT_H

#include "base/buf.h"
#include "ctl/ctl.h"

/* One line about all accounts, and one each for a journal that fails and a refused reload. `socket`
 * is where the daemon was asked. */
void ctl_write_summary(struct buf *out, const struct daemon_snapshot *daemon, const char *socket);

/* ": retrying: network, for 3h", what is wrong with an account and what to do: what follows its
 * name, in two to five lines. */
void ctl_write_trouble(struct buf *out, const struct account_snapshot *account, time_ms now);
/* The same behind the name. */
void ctl_write_problem(struct buf *out, const struct account_snapshot *account, time_ms now);
/* "group/name" */
void ctl_write_name(struct buf *out, const struct account_snapshot *account);

/* The table of all accounts (status_table.c). */
void ctl_write_table(struct buf *out, const struct control_status *status);

/* Everything that is known of an account. */
void ctl_write_account(struct buf *out, const struct account_snapshot *account, time_ms now);

/* "hold 3 of all accounts, by uid 0 (root) since …, until …: release week" */
void ctl_write_hold(struct buf *out, const struct hold_snapshot *hold, time_ms now);

/* Text without control characters; NULL: "-". */
void ctl_write_plain(struct buf *out, const char *text);
/* "2026-11-22T12:00:00Z (in 3h 5m)", "… (2d ago)"; "never". */
void ctl_write_instant(struct buf *out, time_ms at, time_ms now);

/* In whole seconds, at least one. */
void ctl_write_words(struct buf *out, duration_ms duration);
/* "in 3h 5m", "3h 5m ago" */
void ctl_write_distance(struct buf *out, time_ms at, time_ms now);
/* "CONSUMERS AT RISK, blocked: targets_disagree, overdue" */
void ctl_write_state(struct buf *out, const struct account_snapshot *account);

/* The exit status that an account, or a document, stands for (as monitoring plugins have it). */
enum ctl_exit ctl_account_severity(const struct account_snapshot *account);
enum ctl_exit ctl_status_severity(const struct control_status *status);

#endif
