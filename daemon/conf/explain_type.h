/*
 * The part of `--check` that says what the types of the accounts mean.
 */
#ifndef KEYROTATED_CONF_EXPLAIN_TYPE_H
#define KEYROTATED_CONF_EXPLAIN_TYPE_H

#include "base/buf.h"
#include "conf/config.h"
#include "proto/two_key/two_key.h"

/*
 * Appends, for each type that these accounts have, what a key of it may do, what dies with one, by
 * what it is verified, when keys are off, and the permissions. `accounts` NULL: those of the
 * configuration's first `count`, and of its rules. In words: blocks of lines of at most 100
 * columns; as JSON: objects.
 */
void explain_types(const struct config *config, const struct account *const *accounts, size_t count,
                   bool as_json, struct buf *out);

#endif
