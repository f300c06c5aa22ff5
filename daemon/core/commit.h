/*
 * What of a step has to become durable, and what of that is waited for.
 */
#ifndef KEYROTATED_CORE_COMMIT_H
#define KEYROTATED_CORE_COMMIT_H

#include "core/event.h"

/*
 * Sets effects->persist and effects->wait of a step that led from one record to the other.
 *
 * A commit is made when a restart would read another record. The account waits for an intent, a
 * delivery intent, a completion, and whatever closes the interlock (see `wait` in the record
 * table); whoever gave a command waits for its commit.
 */
void commit_decide(const struct record *before, const struct record *after,
                   struct effects *effects);

#endif
