/*
 * Keys, certificates, and the files in which people keep them.
 */
#ifndef KEYROTATED_TESTS_KEY_FIXTURE_H
#define KEYROTATED_TESTS_KEY_FIXTURE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/time.h"

/* Two different keys of 2048 bits, always the same. */
EVP_PKEY *key_fixture_rsa(unsigned index);
EVP_PKEY *key_fixture_rsa_of(unsigned bits); /* to be freed */
EVP_PKEY *key_fixture_ec(void);              /* to be freed */

/* `issuer` NULL: it signs itself. To be freed. */
X509 *key_fixture_certificate(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key,
                              time_ms not_before, time_ms not_after);

enum key_form {
    KEY_FORM_PLAIN,       /* PKCS#8 */
    KEY_FORM_ENCRYPTED,   /* PKCS#8, AES */
    KEY_FORM_TRADITIONAL, /* "RSA PRIVATE KEY" */
    KEY_FORM_TRADITIONAL_ENCRYPTED,
};

/* Append PEM. */
void key_fixture_add_key(struct buf *out, EVP_PKEY *key, enum key_form form, const char *password);
void key_fixture_add_certificate(struct buf *out, X509 *certificate);

/* Appends PKCS#12. `other`: one more certificate, or NULL. `old`: encrypted with RC2-40, which
 * OpenSSL 3 only knows by its "legacy" provider. */
void key_fixture_add_pkcs12(struct buf *out, EVP_PKEY *key, X509 *certificate, X509 *other,
                            const char *password, bool old);

#endif
