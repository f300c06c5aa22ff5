/* A client assertion, read as Microsoft Entra ID reads it. */
#include "proto/client_assertion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/rsa.h>

#include "base/encoding.h"
#include "base/json.h"
#include "key_fixture.h"

#define NOW      ((time_ms)1795348800123)
#define ENDPOINT "https://login.microsoftonline.com/1111/oauth2/v2.0/token"

static X509 *own, *issuer;
static struct key_pair *pair;

static int set_up(void **state)
{
    struct buf file;
    struct key_pair_error error;
    const struct key_pair_input input = {.certificate = &file};

    (void)state;
    issuer = key_fixture_certificate(key_fixture_rsa(1), "issuer", NULL, NULL, NOW, NOW + MS_DAY);
    own = key_fixture_certificate(key_fixture_rsa(0), "keyrotated", issuer, key_fixture_rsa(1), NOW,
                                  NOW + MS_DAY);
    buf_init(&file, KEY_PAIR_FILE_MAX);
    key_fixture_add_certificate(&file, issuer);
    key_fixture_add_certificate(&file, own);
    key_fixture_add_key(&file, key_fixture_rsa(0), KEY_FORM_PLAIN, NULL);
    assert_int_equal(key_pair_read(&pair, &input, &error), 0);
    buf_done(&file);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    key_pair_free(pair);
    X509_free(own);
    X509_free(issuer);
    return 0;
}

static struct secret *sign(bool with_chain)
{
    const struct client_assertion assertion = {.client_id = "2222",
                                               .token_endpoint = ENDPOINT,
                                               .id = "77777777-7777-4777-8777-777777777777",
                                               .now = NOW,
                                               .with_chain = with_chain};
    struct secret *token;
    struct err err;

    assert_int_equal(client_assertion_sign(&token, &assertion, pair, &err), 0);
    return token;
}

/* Decodes base64url. Returns the count of bytes. */
static size_t decode(const char *text, size_t length, uint8_t *out, size_t size)
{
    char padded[8192];
    long count;

    assert_in_range(length, 1, sizeof(padded) - 4);
    memcpy(padded, text, length);
    for (size_t i = 0; i < length; i++) {
        assert_null(strchr("+/=", padded[i]));
        padded[i] = padded[i] == '-' ? '+' : padded[i] == '_' ? '/' : padded[i];
    }
    while (length % 4 != 0)
        padded[length++] = '=';
    count = base64_decode(padded, length, out, size);
    assert_true(count > 0);
    return (size_t)count;
}

/* Part 0: the header; 1: the claims. To be put. */
static struct json_object *part_of(const struct secret *token, unsigned part)
{
    const char *text = secret_bytes(token);
    uint8_t json[8192];
    struct json_object *document;
    struct err err;
    size_t length;

    for (unsigned i = 0; i < part; i++)
        text = strchr(text, '.') + 1;
    length = decode(text, strcspn(text, "."), json, sizeof(json));
    document = json_parse((const char *)json, length, &err);
    assert_non_null(document);
    return document;
}

static void the_claims_are_those_of_a_certificate_credential(void **state)
{
    struct secret *token = sign(false);
    struct json_object *claims = part_of(token, 1);
    int64_t number;

    (void)state;
    assert_string_equal(json_string(claims, "aud"), ENDPOINT);
    assert_string_equal(json_string(claims, "iss"), "2222");
    assert_string_equal(json_string(claims, "sub"), "2222");
    assert_string_equal(json_string(claims, "jti"), "77777777-7777-4777-8777-777777777777");
    assert_true(json_int64(claims, "nbf", &number) && number == 1795348800);
    assert_true(json_int64(claims, "iat", &number) && number == 1795348800);
    assert_true(json_int64(claims, "exp", &number) && number == 1795349400);
    assert_int_equal(json_object_object_length(claims), 7);
    json_object_put(claims);
    secret_free(token);
}

static void the_header_names_the_certificate(void **state)
{
    struct secret *token = sign(false);
    struct json_object *header = part_of(token, 0);
    uint8_t digest[SHA256_LENGTH], claimed[SHA256_LENGTH];
    const char *thumbprint = json_string(header, "x5t#S256");

    (void)state;
    assert_string_equal(json_string(header, "alg"), "PS256");
    assert_string_equal(json_string(header, "typ"), "JWT");
    assert_non_null(thumbprint);
    assert_int_equal(decode(thumbprint, strlen(thumbprint), claimed, sizeof(claimed)), 32);
    assert_int_equal(X509_digest(own, EVP_sha256(), digest, NULL), 1);
    assert_memory_equal(digest, claimed, sizeof(digest));
    assert_int_equal(json_object_object_length(header), 3);
    json_object_put(header);
    secret_free(token);
}

static void the_chain_begins_with_the_own_certificate(void **state)
{
    X509 *expected[] = {own, issuer};
    struct secret *token = sign(true);
    struct json_object *header = part_of(token, 0);
    struct json_object *chain = json_member(header, "x5c");

    (void)state;
    assert_int_equal(json_object_array_length(chain), 2);
    for (size_t i = 0; i < 2; i++) {
        const char *text = json_object_get_string(json_object_array_get_idx(chain, i));
        uint8_t bytes[4096];
        const unsigned char *der = bytes;
        long length = base64_decode(text, strlen(text), bytes, sizeof(bytes));
        X509 *certificate = d2i_X509(NULL, &der, length);

        assert_non_null(certificate);
        assert_int_equal(X509_cmp(certificate, expected[i]), 0);
        X509_free(certificate);
    }
    json_object_put(header);
    secret_free(token);
}

static void the_public_key_verifies_the_signature(void **state)
{
    struct secret *token = sign(true);
    const char *text = secret_bytes(token), *end = strrchr(text, '.');
    uint8_t signature[1024];
    size_t length = decode(end + 1, strlen(end + 1), signature, sizeof(signature));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters;

    (void)state;
    assert_int_equal(
        EVP_DigestVerifyInit(context, &parameters, EVP_sha256(), NULL, X509_get0_pubkey(own)), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, 32), 1);
    assert_int_equal(EVP_DigestVerify(context, signature, length, (const unsigned char *)text,
                                      (size_t)(end - text)),
                     1);
    EVP_MD_CTX_free(context);
    secret_free(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_claims_are_those_of_a_certificate_credential),
        cmocka_unit_test(the_header_names_the_certificate),
        cmocka_unit_test(the_chain_begins_with_the_own_certificate),
        cmocka_unit_test(the_public_key_verifies_the_signature),
    };

    return cmocka_run_group_tests_name("client_assertion", tests, set_up, tear_down);
}
