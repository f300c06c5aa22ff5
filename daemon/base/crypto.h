/*
 * The few cryptographic primitives that are needed, on OpenSSL.
 */
#ifndef KEYROTATED_BASE_CRYPTO_H
#define KEYROTATED_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SHA256_LENGTH = 32, UUID_TEXT_MAX = 37 };

/* Has OpenSSL wipe what it frees: copies of keys, and of what passed through TLS. False, without
 * any effect, where OpenSSL has been in use already. */
bool crypto_wipe_freed_memory(void);

/* Of TLS connections that are made with this SSL_CTX: what was received is wiped as soon as it was
 * handed over. Else it would stand in the connection's buffer until more comes, or it is closed. */
void crypto_wipe_received(void *tls_context);

/* Are there certificates in the PEM file that TLS could trust? 0, or -errno of opening it, -EINVAL
 * where it is no regular file, -ENODATA where it holds none that can be read, -ENOMEM. */
int crypto_check_authorities(const char *path, struct err *err);

/* All return 0, or -EIO when the library fails (out of memory, no entropy). */
int crypto_sha256(const void *bytes, size_t length, uint8_t out[SHA256_LENGTH]);
int crypto_hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t length,
                       uint8_t out[SHA256_LENGTH]);
int crypto_random(void *out, size_t length);

/* A random UUID (RFC 9562, version 4) in lower-case text. */
int crypto_uuid(char out[UUID_TEXT_MAX]);

#endif
