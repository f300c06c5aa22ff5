/*
 * Decides which steps must become durable, and which of these the account waits for.
 */
#ifndef KEYROTATED_CORE_COMMIT_H
#define KEYROTATED_CORE_COMMIT_H

#include "core/event.h"

/*
 * Sets effects->persist and effects->wait of a step that led from one record to the other.
 *
 * A commit is made when a restart would read another record. The account waits for an intent, a
 * delivery intent, a completion, and every change that closes the interlock (see `wait` in the
 * record table). The answer to a command waits for its commit, too.
 */
void commit_decide(const struct record *before, const struct record *after,
                   struct effects *effects);

#endif
