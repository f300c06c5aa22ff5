/*
 * The few cryptographic primitives that are needed, on OpenSSL's libcrypto.
 */
#ifndef KEYROTATED_BASE_CRYPTO_H
#define KEYROTATED_BASE_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_LENGTH = 32, UUID_TEXT_MAX = 37 };

/* All return 0, or -EIO when the library fails (out of memory, no entropy). */
int crypto_sha256(const void *bytes, size_t length, uint8_t out[SHA256_LENGTH]);
int crypto_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
                       uint8_t out[SHA256_LENGTH]);
int crypto_random(void *out, size_t length);

/* A random UUID (RFC 9562, version 4) in lower-case text. */
int crypto_uuid(char out[UUID_TEXT_MAX]);

#endif
