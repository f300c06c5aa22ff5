#include "base/key_pair.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/encoding.h"
#include "base/key_parts.h"
#include "base/sealed.h"

enum { BITS_MIN = 2048, SIGNATURE_MAX = 2048, SHA1_LENGTH = 20 };

struct key_pair {
    struct sealed *key; /* RSAPrivateKey in DER (RFC 8017, A.1.2) */
    X509 *chain[KEY_PAIR_CHAIN_MAX];
    size_t count;
    time_ms not_before;
    time_ms not_after;
    char subject[KEY_PAIR_NAME_MAX];
    char thumbprint[KEY_PAIR_THUMBPRINT_MAX];
    uint8_t digest[SHA256_LENGTH];
};

static time_ms time_of(const ASN1_TIME *asn1)
{
    struct tm parts;

    return ASN1_TIME_to_tm(asn1, &parts) == 1 ? (time_ms)timegm(&parts) * MS_SECOND : 0;
}

/* --- what belongs together --- */

/* The certificate of the key that ends last; NULL: there is none. The public keys are compared as
 * DER, because OpenSSL cannot say why it did not decode one. */
static X509 *find_own(const struct key_parts *parts, const unsigned char *public_key, int length)
{
    X509 *own = NULL;

    for (size_t i = 0; i < parts->count; i++) {
        X509 *one = parts->certificates[i];
        const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(one);

        if (bits->length == length && memcmp(bits->data, public_key, (size_t)length) == 0 &&
            (!own || time_of(X509_get0_notAfter(one)) > time_of(X509_get0_notAfter(own))))
            own = one;
    }
    return own;
}

static bool is_in_chain(const struct key_pair *pair, const X509 *certificate)
{
    for (size_t i = 0; i < pair->count; i++) {
        if (X509_cmp(pair->chain[i], certificate) == 0)
            return true;
    }
    return false;
}

static void append_to_chain(struct key_pair *pair, X509 *certificate)
{
    (void)X509_up_ref(certificate);
    pair->chain[pair->count++] = certificate;
}

/* Its issuer, that one's issuer, and so on. */
static void build_chain(struct key_pair *pair, const struct key_parts *parts, X509 *own)
{
    bool found = true;

    append_to_chain(pair, own);
    while (found) {
        X509 *last = pair->chain[pair->count - 1];

        found = false;
        for (size_t i = 0; i < parts->count && !found; i++) {
            X509 *one = parts->certificates[i];

            if (!is_in_chain(pair, one) && X509_check_issued(one, last) == X509_V_OK) {
                append_to_chain(pair, one);
                found = true;
            }
        }
    }
}

static int no_memory(struct key_pair_error *error)
{
    ERR_clear_error();
    return key_pair_fail(error, KEY_PAIR_NO_MEMORY, "cannot be read: out of memory");
}

static int check_key(const struct key_parts *parts, struct key_pair_error *error)
{
    BIGNUM *modulus = NULL;
    int bits;

    if (EVP_PKEY_get_base_id(parts->key) != EVP_PKEY_RSA) {
        const char *type = EVP_PKEY_get0_type_name(parts->key);

        return key_pair_fail(error, KEY_PAIR_NOT_RSA,
                             "holds a key of type %s, and it has to be RSA",
                             type ? type : "unknown");
    }
    /* EVP_PKEY_get_bits() says 0 where memory ran out. */
    if (EVP_PKEY_get_bn_param(parts->key, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1)
        return no_memory(error);
    bits = BN_num_bits(modulus);
    BN_free(modulus);
    if (bits < BITS_MIN)
        return key_pair_fail(error, KEY_PAIR_SHORT,
                             "holds an RSA key of %d bits, and it has to have %d or more", bits,
                             BITS_MIN);
    return 0;
}

static int check_parts(const struct key_parts *parts, const struct key_pair_input *input,
                       struct key_pair_error *error)
{
    const char *stranger = parts->stranger;

    error->in_key = !!input->key;
    if (!parts->key)
        return key_pair_fail(error, KEY_PAIR_NO_KEY, "holds no private key%s%s%s",
                             stranger[0] != '\0' ? ", but a block \"" : "", stranger,
                             stranger[0] != '\0' ? "\"" : "");
    error->in_key = false;
    if (parts->count == 0)
        return key_pair_fail(error, KEY_PAIR_NO_CERTIFICATE, "holds no certificate%s%s%s",
                             stranger[0] != '\0' ? ", but a block \"" : "", stranger,
                             stranger[0] != '\0' ? "\"" : "");
    error->in_key = !!input->key;
    return check_key(parts, error);
}

/* --- making it --- */

static struct sealed *seal(const EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int length = i2d_PrivateKey(key, &der);
    struct secret *secret = length > 0 ? secret_new(der, (size_t)length) : NULL;
    struct sealed *sealed = secret ? sealed_new(secret) : NULL;

    secret_free(secret);
    if (length > 0)
        OPENSSL_clear_free(der, (size_t)length);
    return sealed;
}

static bool name_of(const X509_NAME *name, char *out, size_t size)
{
    BIO *text = BIO_new(BIO_s_mem());
    int length = 0;

    if (text && X509_NAME_print_ex(text, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) > 0)
        length = BIO_read(text, out, (int)size - 1);
    BIO_free(text);
    out[length > 0 ? length : 0] = '\0';
    return length > 0 || X509_NAME_entry_count(name) == 0;
}

static bool fill(struct key_pair *pair, const struct key_parts *parts, X509 *own)
{
    uint8_t sha1[SHA1_LENGTH];

    build_chain(pair, parts, own);
    pair->not_before = time_of(X509_get0_notBefore(own));
    pair->not_after = time_of(X509_get0_notAfter(own));
    pair->key = seal(parts->key);
    if (!pair->key || !name_of(X509_get_subject_name(own), pair->subject, sizeof(pair->subject)) ||
        X509_digest(own, EVP_sha256(), pair->digest, NULL) != 1 ||
        X509_digest(own, EVP_sha1(), sha1, NULL) != 1)
        return false;
    hex_encode(sha1, sizeof(sha1), pair->thumbprint);
    for (char *c = pair->thumbprint; *c != '\0'; c++)
        *c = *c >= 'a' ? (char)(*c - 'a' + 'A') : *c;
    return true;
}

static int make(struct key_pair **ret_pair, const struct key_parts *parts,
                const struct key_pair_input *input, struct key_pair_error *error)
{
    unsigned char *public_key = NULL;
    const int length = i2d_PublicKey(parts->key, &public_key);
    X509 *own = length > 0 ? find_own(parts, public_key, length) : NULL;
    struct key_pair *pair;

    OPENSSL_free(public_key);
    if (!own && length > 0) {
        error->in_key = !!input->key;
        return key_pair_fail(error, KEY_PAIR_MISMATCH, "holds a private key that belongs to %s",
                             parts->count == 1 ? "another certificate"
                                               : "none of the certificates");
    }
    pair = own ? calloc(1, sizeof(*pair)) : NULL;
    if (pair && fill(pair, parts, own)) {
        *ret_pair = pair;
        return 0;
    }
    key_pair_free(pair);
    return no_memory(error);
}

int key_pair_read(struct key_pair **ret_pair, const struct key_pair_input *input,
                  struct key_pair_error *error)
{
    struct key_parts parts = {.count = 0};
    int rc;

    *ret_pair = NULL;
    *error = (struct key_pair_error){.in_key = false};
    rc = key_parts_read(&parts, input->certificate, input->password, !input->key, error);
    if (rc == 0 && input->key) {
        error->in_key = true;
        rc = key_parts_read(&parts, input->key, input->password, true, error);
    }
    if (rc == 0)
        rc = check_parts(&parts, input, error);
    if (rc == 0)
        rc = make(ret_pair, &parts, input, error);
    key_parts_done(&parts);
    return rc;
}

void key_pair_free(struct key_pair *pair)
{
    if (!pair)
        return;
    sealed_free(pair->key);
    for (size_t i = 0; i < pair->count; i++)
        X509_free(pair->chain[i]);
    free(pair);
}

/* --- using it --- */

time_ms key_pair_not_before(const struct key_pair *pair)
{
    return pair->not_before;
}

time_ms key_pair_not_after(const struct key_pair *pair)
{
    return pair->not_after;
}

const char *key_pair_subject(const struct key_pair *pair)
{
    return pair->subject;
}

const char *key_pair_thumbprint(const struct key_pair *pair)
{
    return pair->thumbprint;
}

const uint8_t *key_pair_digest(const struct key_pair *pair)
{
    return pair->digest;
}

size_t key_pair_chain_length(const struct key_pair *pair)
{
    return pair->count;
}

char *key_pair_certificate(const struct key_pair *pair, size_t index)
{
    unsigned char *der = NULL;
    int length = i2d_X509(pair->chain[index], &der);
    char *text = length > 0 ? base64_encode(der, (size_t)length) : NULL;

    OPENSSL_free(der);
    return text;
}

static EVP_PKEY *open_key(const struct key_pair *pair)
{
    struct secret *secret = sealed_open(pair->key);
    EVP_PKEY *key = NULL;

    if (secret) {
        const unsigned char *der = (const unsigned char *)secret_bytes(secret);

        key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &der, (long)secret_length(secret));
    }
    secret_free(secret);
    return key;
}

static int sign(EVP_MD_CTX *context, EVP_PKEY *key, const void *bytes, size_t length,
                struct buf *out)
{
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_length = sizeof(signature);
    EVP_PKEY_CTX *parameters;
    bool unsupported;

    if (EVP_DigestSignInit(context, &parameters, EVP_sha256(), NULL, key) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
        EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1 &&
        EVP_DigestSign(context, signature, &signature_length, bytes, length) == 1)
        return buf_append(out, signature, signature_length);
    return key_pair_take_errors(&unsupported) ? -ENOMEM : -EIO;
}

int key_pair_sign(const struct key_pair *pair, const void *bytes, size_t length, struct buf *out)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY *key = open_key(pair);
    int rc = context && key ? sign(context, key, bytes, length, out) : -ENOMEM;

    ERR_clear_error();
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return rc;
}
