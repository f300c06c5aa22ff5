/*
 * FNV-1a: a hash for tables, and for spreading work evenly. Anybody who chooses the input can make
 * hashes collide, so it must not protect a secret.
 *
 * Source: draft-eastlake-fnv (parameters of the 64-bit form).
 */
#ifndef KEYROTATED_BASE_HASH_H
#define KEYROTATED_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Each continues `hash`, which is HASH_START or what an earlier call returned. */
uint64_t hash_byte(uint64_t hash, uint8_t byte);
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length);
/* Hashes the text in lower case (ASCII), because Azure's answers vary the case of resource ids, and
 * hashes its NUL, so that "ab", "c" differs from "a", "bc". */
uint64_t hash_folded_text(uint64_t hash, const char *text);

#endif
