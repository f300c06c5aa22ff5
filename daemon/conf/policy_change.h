/* What becomes of policies when one configuration takes the place of another: pure, in words. */
#ifndef KEYROTATED_CONF_POLICY_CHANGE_H
#define KEYROTATED_CONF_POLICY_CHANGE_H

#include "conf/config.h"

/*
 * Appends a line for each policy of both configurations that says something else now, with what
 * follows from its keys ("policy standard: would have rotate_every 20d instead of 40d, overlap 5d
 * instead of 10d"), and one for each account of both that would have another policy, or a `rotate`
 * of its own. Policies that only one of them has are told by the accounts that have them.
 */
void policy_change_preview(const struct config *before, const struct config *after,
                           struct buf *report);

#endif
