/*
 * Recognises messages that report the same cause for different accounts.
 */
#ifndef KEYROTATED_BASE_CAUSE_H
#define KEYROTATED_BASE_CAUSE_H

#include <stdint.h>

/* Continues a hash (base/hash.h) over `text`; NULL and "" give different hashes. All words that
 * contain a digit (numbers, ids, times) hash alike. So do the words in `names`, a NULL-terminated
 * list of the names of accounts and groups, in any case. */
uint64_t cause_hash(uint64_t hash, const char *text, const char *const names[]);
uint64_t cause_hash_number(uint64_t hash, int64_t number);

#endif
