/*
 * Bytes that must never be seen: account keys, tokens, client secrets.
 *
 * A secret lives in pages that hold nothing else; they are locked out of swap where the limit
 * allows it and excluded from core dumps, and every secret is wiped when it is freed. It is never
 * formatted, logged or put on a command line; only its fingerprint travels.
 */
#ifndef KEYROTATED_BASE_SECRET_H
#define KEYROTATED_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/wipe.h"

struct secret; /* opaque: length and bytes */

enum { SECRET_MAX = 65536 };

/* A copy of `length` bytes (followed by an uncounted NUL), or NULL when memory is out or
 * length exceeds SECRET_MAX. Any thread may make and free secrets. */
struct secret *secret_new(const void *bytes, size_t length);

/* NULL when memory is out, and for NULL. */
struct secret *secret_clone(const struct secret *secret);

/* `length` random bytes, or NULL when memory, or randomness, is out. */
struct secret *secret_random(size_t length);

/* Each byte of the one XOR that of the other. NULL when memory is out; they must be of one length.
 */
struct secret *secret_xor(const struct secret *a, const struct secret *b);

/* Wipes and frees. NULL is fine. */
void secret_free(struct secret *secret);

/* Frees *secret and sets it to NULL. */
void secret_clear(struct secret **secret);

/* Borrowed: valid until the secret is freed. */
const char *secret_bytes(const struct secret *secret);
size_t secret_length(const struct secret *secret);

/* Same bytes? Takes time that depends on the lengths only. NULL equals nothing. */
bool secret_equal(const struct secret *a, const struct secret *b);

#endif
