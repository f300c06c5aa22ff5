#include "key_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

EVP_PKEY *key_fixture_rsa_of(unsigned bits)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);

    assert_non_null(key);
    return key;
}

EVP_PKEY *key_fixture_rsa(unsigned index)
{
    static EVP_PKEY *keys[2];

    if (!keys[index])
        keys[index] = key_fixture_rsa_of(2048);
    return keys[index];
}

EVP_PKEY *key_fixture_ec(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

    assert_non_null(key);
    return key;
}

X509 *key_fixture_certificate(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key,
                              time_ms not_before, time_ms not_after)
{
    static long serial;
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_NAME_new();

    assert_non_null(certificate);
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(certificate), not_before / MS_SECOND));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(certificate), not_after / MS_SECOND));
    assert_int_equal(X509_set_subject_name(certificate, subject), 1);
    assert_int_equal(
        X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : subject), 1);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, issuer ? issuer_key : key, EVP_sha256()) > 0);
    X509_NAME_free(subject);
    return certificate;
}

/* Takes the BIO. */
static void move(struct buf *out, BIO *bio)
{
    char *data;
    long length = BIO_get_mem_data(bio, &data);

    assert_true(length > 0);
    assert_int_equal(buf_append(out, data, (size_t)length), 0);
    BIO_free(bio);
}

void key_fixture_add_key(struct buf *out, EVP_PKEY *key, enum key_form form, const char *password)
{
    const EVP_CIPHER *cipher = form == KEY_FORM_ENCRYPTED || form == KEY_FORM_TRADITIONAL_ENCRYPTED
                                   ? EVP_aes_256_cbc()
                                   : NULL;
    const unsigned char *bytes = cipher ? (const unsigned char *)password : NULL;
    const int length = cipher ? (int)strlen(password) : 0;
    BIO *bio = BIO_new(BIO_s_mem());
    int rc;

    if (form == KEY_FORM_PLAIN || form == KEY_FORM_ENCRYPTED)
        rc = PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, (const char *)bytes, length, NULL,
                                           NULL);
    else
        rc = PEM_write_bio_PrivateKey_traditional(bio, key, cipher, bytes, length, NULL, NULL);
    assert_int_equal(rc, 1);
    move(out, bio);
}

void key_fixture_add_certificate(struct buf *out, X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
    move(out, bio);
}

void key_fixture_add_pkcs12(struct buf *out, EVP_PKEY *key, X509 *certificate, X509 *other,
                            const char *password, bool old)
{
    OSSL_PROVIDER *ordinary = old ? OSSL_PROVIDER_load(NULL, "default") : NULL;
    OSSL_PROVIDER *legacy = old ? OSSL_PROVIDER_load(NULL, "legacy") : NULL;
    STACK_OF(X509) *others = other ? sk_X509_new_null() : NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    PKCS12 *bag;

    assert_true(!old || legacy);
    if (other)
        (void)sk_X509_push(others, other);
    bag = PKCS12_create(password, "name", key, certificate, others, 0,
                        old ? NID_pbe_WithSHA1And40BitRC2_CBC : 0, 0, 0, 0);
    assert_non_null(bag);
    assert_int_equal(i2d_PKCS12_bio(bio, bag), 1);
    PKCS12_free(bag);
    sk_X509_free(others);
    OSSL_PROVIDER_unload(legacy);
    OSSL_PROVIDER_unload(ordinary);
    move(out, bio);
}
