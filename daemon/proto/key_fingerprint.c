#include "proto/key_fingerprint.h"

#include "base/crypto.h"

int key_fingerprint(const uint8_t salt[FINGERPRINT_SALT_LENGTH], const char *key, size_t length,
                    struct fingerprint *ret_fingerprint)
{
    uint8_t hash[SHA256_LENGTH];
    int rc = crypto_hmac_sha256(salt, FINGERPRINT_SALT_LENGTH, key, length, hash);

    *ret_fingerprint = (struct fingerprint){0};
    if (rc == 0)
        memcpy(ret_fingerprint->bytes, hash, sizeof(ret_fingerprint->bytes));
    return rc;
}
