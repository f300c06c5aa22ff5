/*
 * A secret that is kept for an hour and needed for moments, such as an access token.
 *
 * While nobody needs it, its bytes do not stand in memory: they are kept XORed with random ones of
 * the same length. Whoever sees some of the memory (an over-read, a page that ends up where it
 * should not) does not see the secret. It is no protection from somebody who reads all of the
 * memory and knows where to look.
 */
#ifndef KEYROTATED_BASE_SEALED_H
#define KEYROTATED_BASE_SEALED_H

#include "base/secret.h"

struct sealed;

/* Keeps the bytes of `secret`, which remains the caller's. NULL when memory, or randomness, is out.
 */
struct sealed *sealed_new(const struct secret *secret);

/* A fresh copy of the secret, to be freed soon. NULL when memory is out. */
struct secret *sealed_open(const struct sealed *sealed);

/* Wipes and frees. NULL is fine. */
void sealed_free(struct sealed *sealed);

#endif
