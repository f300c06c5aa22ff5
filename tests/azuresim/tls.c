#include "tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "cloud.h"
#include "memory.h"

#define VALID_DAYS  30
#define BACKDATED_S 3600
#define SERIAL_BITS 127
#define DAY_S       86400

struct extension {
    int nid;
    const char *value;
};

static const struct extension authority_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {NID_undef, NULL},
};

static const struct extension server_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "serverAuth"},
    {NID_subject_alt_name, NULL}, /* the names of the cloud */
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
    {NID_undef, NULL},
};

static bool add_extensions(X509 *certificate, X509 *issuer, const struct extension *extensions)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    for (; extensions->nid != NID_undef; extensions++) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(
            NULL, &context, extensions->nid,
            extensions->value ? extensions->value : cloud_chosen()->certificate_names);
        bool added = extension && X509_add_ext(certificate, extension, -1) == 1;

        X509_EXTENSION_free(extension);
        if (!added)
            return false;
    }
    return true;
}

static bool set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    bool set = number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
               BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));

    BN_free(number);
    return set;
}

static bool set_subject(X509 *certificate, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(certificate);

    return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"azuresim",
                                      -1, -1, 0) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                      -1, -1, 0) == 1;
}

/* A certificate for KEY, signed by ISSUER with ISSUER_KEY; by itself where ISSUER is NULL. */
static X509 *make_certificate(EVP_PKEY *key, const char *common_name,
                              const struct extension *extensions, X509 *issuer,
                              EVP_PKEY *issuer_key)
{
    X509 *certificate = X509_new();
    X509 *signer = !issuer ? certificate : issuer;

    if (certificate && X509_set_version(certificate, X509_VERSION_3) == 1 &&
        set_serial(certificate) && set_subject(certificate, common_name) &&
        X509_set_issuer_name(certificate, X509_get_subject_name(signer)) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), -BACKDATED_S) &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), (long)VALID_DAYS * DAY_S) &&
        X509_set_pubkey(certificate, key) == 1 && add_extensions(certificate, signer, extensions) &&
        X509_sign(certificate, issuer_key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static char *text_of(BIO *output)
{
    char *bytes;
    long length = BIO_get_mem_data(output, &bytes);

    return memory_text_n(bytes, (size_t)length);
}

static char *certificate_to_pem(X509 *certificate)
{
    BIO *output = BIO_new(BIO_s_mem());
    char *pem = NULL;

    if (output && PEM_write_bio_X509(output, certificate) == 1)
        pem = text_of(output);
    BIO_free(output);
    return pem;
}

static char *key_to_pem(EVP_PKEY *key)
{
    BIO *output = BIO_new(BIO_s_mem());
    char *pem = NULL;

    if (output && PEM_write_bio_PrivateKey(output, key, NULL, NULL, 0, NULL, NULL) == 1)
        pem = text_of(output);
    BIO_free(output);
    return pem;
}

bool tls_identity_init(struct tls_identity *identity)
{
    EVP_PKEY *authority_key = EVP_EC_gen("P-256");
    EVP_PKEY *server_key = EVP_EC_gen("P-256");
    X509 *authority = NULL, *server = NULL;
    bool complete;

    *identity = (struct tls_identity){0};
    if (authority_key && server_key)
        authority = make_certificate(authority_key, "azuresim test authority", authority_extensions,
                                     NULL, authority_key);
    if (authority)
        server =
            make_certificate(server_key, "localhost", server_extensions, authority, authority_key);
    if (server) {
        identity->ca_pem = certificate_to_pem(authority);
        identity->server_pem = certificate_to_pem(server);
        identity->key_pem = key_to_pem(server_key);
    }
    complete = identity->ca_pem && identity->server_pem && identity->key_pem;
    if (!complete)
        ERR_print_errors_fp(stderr);
    X509_free(authority);
    X509_free(server);
    EVP_PKEY_free(authority_key);
    EVP_PKEY_free(server_key);
    return complete;
}

void tls_identity_done(struct tls_identity *identity)
{
    free(identity->ca_pem);
    free(identity->server_pem);
    free(identity->key_pem);
}
