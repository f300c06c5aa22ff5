#include "key_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
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

/* Making primes takes half a minute under valgrind. */
static const char *const primes[2][2] = {
    {"E7DD51662FED0455DBE5BB549676352F61BE911D43459FBBF1E3997D887AFF7E7BCE813B0FC6C246"
     "FC02D39F597CF43FB79D433EFFC4FC50A2710C6C66DF0D332081D956759857CCE7CD224CD2DFC408"
     "0D5CF768322D28755B856C30EE342D152B9E96DC2AECC98DD9DDC01C6A8FBA0FDC340D440C51D192"
     "287B0831362F2597",
     "C66FC565AD7D819EF29AF02A016F2EA80764EA8E5A6D670876FFD2E74F4B7B0F070342370DFE2A25"
     "064F3432214BE975149BF898821037F7C4393B3920282838DAB2BEF17F2D81D5578A5DD1359B536A"
     "D1E6A4E70BC0EB4646A9A9C1DD069971F88C5A29A59FF5B8871FBA42720064B9FCE0374EB5AC63CC"
     "6DEAB95F4F82E88F"},
    {"CA2DAF58337BBFA2D8106F43117AEE7579AEE701702E6A419CE75B04939853BE17A334B1FD5CB5CD"
     "D061D552F3DABDA950B79C7C25CE4EB1CF94BF32B563CCC5D3335902F3F176A04E800518AA0E8917"
     "59926400DAB635F8BC3ECD069928AACCC17342A7065B8C2F1BB594E42EC50987015A4F165DBACCFC"
     "EA59F5C4C0B6B933",
     "D917AD7178A4B512D2F03FAD134B7B64EEF9E2F94FE995B13F9FB5B4F58A87312E4F923DDD54E170"
     "975C2B242B584907DDAF04484F60871D2214FF42A79F9E6C3D66271EB8627B52AF567F2E260D6102"
     "6D628256D3BE60064C12F73AE2A562B7AB44A7DF27DD18B5B2957DF85CE2DAF34B141FFC75113929"
     "DEBCF82CDDED6AFD"},
};

/* The numbers of RFC 8017, section 3.2. */
static void add_numbers(OSSL_PARAM_BLD *builder, BIGNUM *p, BIGNUM *q, BIGNUM *numbers[6])
{
    static const char *const names[] = {
        OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    BIGNUM *p1 = BN_dup(p), *q1 = BN_dup(q), *phi = BN_new();
    BN_CTX *context = BN_CTX_new();

    for (size_t i = 0; i < 6; i++)
        numbers[i] = BN_new();
    BN_sub_word(p1, 1);
    BN_sub_word(q1, 1);
    BN_mul(phi, p1, q1, context);
    BN_mul(numbers[0], p, q, context);
    BN_set_word(numbers[1], RSA_F4);
    assert_non_null(BN_mod_inverse(numbers[2], numbers[1], phi, context));
    BN_mod(numbers[3], numbers[2], p1, context);
    BN_mod(numbers[4], numbers[2], q1, context);
    assert_non_null(BN_mod_inverse(numbers[5], q, p, context));
    for (size_t i = 0; i < 6; i++)
        OSSL_PARAM_BLD_push_BN(builder, names[i], numbers[i]);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_FACTOR1, p);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_FACTOR2, q);
    BN_CTX_free(context);
    BN_free(phi);
    BN_free(q1);
    BN_free(p1);
}

static EVP_PKEY *key_of_primes(const char *const text[2])
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *p = NULL, *q = NULL, *numbers[6];
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters;

    BN_hex2bn(&p, text[0]);
    BN_hex2bn(&q, text[1]);
    add_numbers(builder, p, q, numbers);
    parameters = OSSL_PARAM_BLD_to_param(builder);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters), 1);
    OSSL_PARAM_free(parameters);
    for (size_t i = 0; i < 6; i++)
        BN_free(numbers[i]);
    BN_free(q);
    BN_free(p);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

EVP_PKEY *key_fixture_rsa(unsigned index)
{
    static EVP_PKEY *keys[2];

    if (!keys[index])
        keys[index] = key_of_primes(primes[index]);
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
