/*
 * What is not well, by cause: accounts that have the same trouble are told together.
 */
#ifndef KEYROTATED_CTL_STATUS_GROUP_H
#define KEYROTATED_CTL_STATUS_GROUP_H

#include "ctl/status_text.h"

/* For each cause the accounts (up to five by name, and how many more), what is wrong, and what to
 * do. The worst first. Well accounts are left out. */
void ctl_write_problems(struct buf *out, const struct control_status *status);

/* Equal for accounts, and for looks at one account, that have the same trouble: the number changes
 * with what is wrong and what to do, and not with time. */
uint64_t ctl_problem_cause(const struct account_snapshot *account);

#endif
