/*
 * The fingerprint of a key: what is stored, logged and compared in its place.
 */
#ifndef KEYROTATED_PROTO_KEY_FINGERPRINT_H
#define KEYROTATED_PROTO_KEY_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#include "core/slot.h"

/* Of random bytes, made with a journal. */
enum { FINGERPRINT_SALT_LENGTH = 32 };

/* HMAC-SHA-256 of the key's bytes with the salt, cut to the length of a fingerprint. Returns 0, or
 * -EIO where the library fails (for lack of memory): *ret_fingerprint is none then. */
int key_fingerprint(const uint8_t salt[FINGERPRINT_SALT_LENGTH], const char *key, size_t length,
                    struct fingerprint *ret_fingerprint);

#endif
