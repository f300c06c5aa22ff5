/*
 * The few cryptographic primitives that the program needs, built on OpenSSL.
 */
#ifndef KEYROTATED_BASE_CRYPTO_H
#define KEYROTATED_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SHA256_LENGTH = 32, UUID_TEXT_MAX = 37 };

/* Makes OpenSSL wipe all memory that it frees: copies of keys, and data that passed through TLS.
 * Returns false, and changes nothing, when OpenSSL has already allocated memory. */
bool crypto_wipe_freed_memory(void);

/* Makes TLS connections of this SSL_CTX wipe received data as soon as it has been handed over.
 * Otherwise the data stays in the connection's buffer until more arrives or the connection
 * closes. */
void crypto_wipe_received(void *tls_context);

/* Checks that the PEM file holds certificates that TLS can trust. Returns 0, -errno of opening the
 * file, -EINVAL when it is no regular file, -ENODATA when it holds no readable certificate, or
 * -ENOMEM. */
int crypto_check_authorities(const char *path, struct err *err);

/* The same of PEM text. -ENODATA or -ENOMEM. */
int crypto_check_authorities_text(const void *pem, size_t length, struct err *err);

/* All return 0, or -EIO when the library fails (out of memory, no entropy). */
int crypto_sha256(const void *bytes, size_t length, uint8_t out[SHA256_LENGTH]);
int crypto_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
                       uint8_t out[SHA256_LENGTH]);
int crypto_random(void *out, size_t length);

/* A random UUID (RFC 9562, version 4) in lower-case text. */
int crypto_uuid(char out[UUID_TEXT_MAX]);

#endif
