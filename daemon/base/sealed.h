/*
 * A secret that is kept for an hour and used for moments, such as an access token.
 *
 * Between uses memory holds its bytes only XORed with random ones of the same length. A leak of
 * some of the memory (an over-read, a stray page) does not reveal the secret. A reader of all
 * memory can still recover it.
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
