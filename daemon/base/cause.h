/*
 * Which sentences about accounts name the same cause, whatever account they are about.
 */
#ifndef KEYROTATED_BASE_CAUSE_H
#define KEYROTATED_BASE_CAUSE_H

#include <stdint.h>

/* Goes on with a hash (base/hash.h) over `text` (NULL: over nothing, which differs from ""). All
 * words that have a digit in them count as the same one: numbers, ids, times. So does each of
 * `names`, which ends with NULL: names of accounts and groups, where they stand as words, in any
 * case. */
uint64_t cause_hash(uint64_t hash, const char *text, const char *const names[]);
uint64_t cause_hash_number(uint64_t hash, int64_t number);

#endif
