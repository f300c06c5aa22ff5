#include "assertion.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "encode.h"
#include "http.h"

#define AADSTS_MALFORMED         50027
#define AADSTS_OUTSIDE_VALIDITY  700024
#define AADSTS_BAD_SIGNATURE     700027
#define AADSTS_BAD_ISSUER        700021
#define AADSTS_BAD_AUDIENCE      50013
#define AADSTS_NO_ISSUER_MATCH   700211
#define AADSTS_NO_AUDIENCE_MATCH 700212
#define AADSTS_NO_SUBJECT_MATCH  700213
#define AADSTS_BAD_ISSUER_KEY    5000811
#define CLOCK_TOLERANCE_S        300

struct jwt {
    struct json_object *header;
    struct json_object *claims;
    const char *signed_text; /* points into the assertion */
    size_t signed_length;
    unsigned char *signature;
    size_t signature_length;
};

static bool fail(struct assertion_error *error, int aadsts, const char *message)
{
    error->aadsts = aadsts;
    snprintf(error->message, sizeof(error->message), "%s", message);
    return false;
}

static struct json_object *parse_part(const char *text, size_t text_length)
{
    size_t length;
    char *json = (char *)base64url_decode(text, text_length, &length);
    struct json_object *object = !json ? NULL : json_tokener_parse(json);

    free(json);
    if (!json_object_is_type(object, json_type_object)) {
        json_object_put(object);
        return NULL;
    }
    return object;
}

static bool jwt_parse(struct jwt *jwt, const char *text)
{
    const char *first_dot = strchr(text, '.');
    const char *second_dot = !first_dot ? NULL : strchr(first_dot + 1, '.');

    if (!second_dot)
        return false;
    jwt->header = parse_part(text, (size_t)(first_dot - text));
    jwt->claims = parse_part(first_dot + 1, (size_t)(second_dot - first_dot - 1));
    jwt->signed_text = text;
    jwt->signed_length = (size_t)(second_dot - text);
    jwt->signature =
        base64url_decode(second_dot + 1, strlen(second_dot + 1), &jwt->signature_length);
    return jwt->header && jwt->claims && jwt->signature;
}

static void jwt_done(struct jwt *jwt)
{
    json_object_put(jwt->header);
    json_object_put(jwt->claims);
    free(jwt->signature);
}

static bool thumbprint_matches(const struct jwt *jwt, X509 *certificate)
{
    const char *sha256_text = json_get_text(jwt->header, "x5t#S256");
    const char *sha1_text = json_get_text(jwt->header, "x5t");
    const char *text = sha256_text ? sha256_text : sha1_text;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_length;
    unsigned char *claimed;
    size_t claimed_length;
    bool matches;

    if (!text || X509_digest(certificate, sha256_text ? EVP_sha256() : EVP_sha1(), digest,
                             &digest_length) != 1)
        return false;
    claimed = base64url_decode(text, strlen(text), &claimed_length);
    matches =
        claimed && claimed_length == digest_length && memcmp(claimed, digest, digest_length) == 0;
    free(claimed);
    return matches;
}

static bool signature_matches(const struct jwt *jwt, EVP_PKEY *key)
{
    const char *algorithm = json_get_text(jwt->header, "alg");
    bool pss = algorithm && strcmp(algorithm, "PS256") == 0;
    EVP_PKEY_CTX *key_context = NULL;
    EVP_MD_CTX *context;
    bool matches;

    if (!algorithm || (!pss && strcmp(algorithm, "RS256") != 0) ||
        EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
        return false;
    context = EVP_MD_CTX_new();
    matches = EVP_DigestVerifyInit(context, &key_context, EVP_sha256(), NULL, key) == 1;
    if (matches && pss)
        matches = EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) == 1;
    matches = matches &&
              EVP_DigestVerify(context, jwt->signature, jwt->signature_length,
                               (const unsigned char *)jwt->signed_text, jwt->signed_length) == 1;
    EVP_MD_CTX_free(context);
    return matches;
}

/* Some clients send fractional seconds, so the claim is read as a double. */
static double time_claim(const struct jwt *jwt, const char *name, double absent)
{
    struct json_object *value;

    if (!json_object_object_get_ex(jwt->claims, name, &value) ||
        (!json_object_is_type(value, json_type_int) &&
         !json_object_is_type(value, json_type_double)))
        return absent;
    return json_object_get_double(value);
}

static bool claim_is(const struct jwt *jwt, const char *name, const char *expected)
{
    const char *value = json_get_text(jwt->claims, name);

    return value && expected && strcasecmp(value, expected) == 0;
}

static bool claim_ends_in(const struct jwt *jwt, const char *name, const char *expected)
{
    const char *value = json_get_text(jwt->claims, name);
    size_t length = !value ? 0 : strlen(value);
    size_t expected_length = strlen(expected);

    return value && length >= expected_length &&
           strcasecmp(value + length - expected_length, expected) == 0;
}

static bool check_validity(const struct jwt *jwt, struct assertion_error *error)
{
    double now = (double)clock_wall_us() / 1e6;
    double expires = time_claim(jwt, "exp", 0);
    double not_before = time_claim(jwt, "nbf", 0);

    if (expires < now - CLOCK_TOLERANCE_S || not_before > now + CLOCK_TOLERANCE_S)
        return fail(error, AADSTS_OUTSIDE_VALIDITY,
                    "Client assertion is not within its valid time range.");
    return true;
}

/* Workload identity federation: a token of another issuer stands for the application. */
static bool check_federated(const struct jwt *jwt, const struct principal *principal,
                            struct assertion_error *error)
{
    struct json_object *audience = NULL;
    const char *expected = principal->federated_audience ? principal->federated_audience
                                                         : "api://AzureADTokenExchange";

    json_object_object_get_ex(jwt->claims, "aud", &audience);
    if (json_object_is_type(audience, json_type_array))
        audience = json_object_array_get_idx(audience, 0);
    if (!claim_is(jwt, "iss", principal->federated_issuer))
        return fail(error, AADSTS_NO_ISSUER_MATCH,
                    "No matching federated identity record found for presented assertion issuer.");
    if (!claim_is(jwt, "sub", principal->federated_subject))
        return fail(error, AADSTS_NO_SUBJECT_MATCH,
                    "No matching federated identity record found for presented assertion subject.");
    if (!audience || strcmp(json_object_get_string(audience), expected) != 0)
        return fail(
            error, AADSTS_NO_AUDIENCE_MATCH,
            "No matching federated identity record found for presented assertion audience.");
    if (!check_validity(jwt, error))
        return false;
    if (principal->federated_key && !signature_matches(jwt, principal->federated_key))
        return fail(error, AADSTS_BAD_ISSUER_KEY,
                    "Unable to verify token signature. The signing key identifier does not match "
                    "any valid registered keys.");
    return true;
}

/* The certificate at INDEX of the assertion's own chain, or NULL. */
static X509 *chain_certificate(const struct jwt *jwt, size_t index)
{
    struct json_object *chain = NULL;
    const char *text;
    const unsigned char *at;
    unsigned char *der;
    X509 *certificate;
    size_t length;

    json_object_object_get_ex(jwt->header, "x5c", &chain);
    if (!json_object_is_type(chain, json_type_array) || index >= json_object_array_length(chain))
        return NULL;
    text = json_object_get_string(json_object_array_get_idx(chain, index));
    der = !text ? NULL : base64_decode(text, &length);
    at = der;
    certificate = !der ? NULL : d2i_X509(NULL, &at, (long)length);
    free(der);
    return certificate;
}

/* Did the authority sign the chain's first certificate, perhaps through those behind it? */
static bool chain_leads_to(const struct jwt *jwt, X509 *authority, X509 *certificate)
{
    STACK_OF(X509) *others = sk_X509_new_null();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE *store = X509_STORE_new();
    X509 *other;
    bool leads;

    for (size_t i = 1; (other = chain_certificate(jwt, i)); i++)
        sk_X509_push(others, other);
    X509_STORE_add_cert(store, authority);
    leads = X509_STORE_CTX_init(context, store, certificate, others) == 1 &&
            X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    sk_X509_pop_free(others, X509_free);
    return leads;
}

static bool has_subject(X509 *certificate, const char *expected)
{
    BIO *text = BIO_new(BIO_s_mem());
    char subject[256] = "";

    X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    BIO_read(text, subject, sizeof(subject) - 1);
    BIO_free(text);
    return expected && strcmp(subject, expected) == 0;
}

/* An application that is registered with subject and issuer takes every such certificate. */
static bool check_chain(const struct jwt *jwt, const struct principal *principal,
                        struct assertion_error *error)
{
    X509 *certificate = chain_certificate(jwt, 0);
    bool valid = certificate && has_subject(certificate, principal->subject) &&
                 chain_leads_to(jwt, principal->authority, certificate) &&
                 thumbprint_matches(jwt, certificate) &&
                 signature_matches(jwt, X509_get0_pubkey(certificate));

    X509_free(certificate);
    return valid ||
           fail(error, AADSTS_BAD_SIGNATURE,
                "Client assertion contains an invalid signature. The certificate chain does "
                "not lead to a trusted issuer and subject.");
}

static bool check_self_signed(const struct jwt *jwt, const struct principal *principal,
                              const char *token_path, struct assertion_error *error)
{
    if (!claim_is(jwt, "iss", principal->client_id) || !claim_is(jwt, "sub", principal->client_id))
        return fail(error, AADSTS_BAD_ISSUER,
                    "Client assertion application identifier doesn't match 'client_id' parameter.");
    if (!claim_ends_in(jwt, "aud", token_path))
        return fail(error, AADSTS_BAD_AUDIENCE,
                    "Assertion failed signature validation: audience is not the token endpoint.");
    if (!check_validity(jwt, error))
        return false;
    if (principal->authority)
        return check_chain(jwt, principal, error);
    if (!principal->certificate)
        return true;
    if (!thumbprint_matches(jwt, principal->certificate))
        return fail(error, AADSTS_BAD_SIGNATURE,
                    "The certificate with identifier used to sign the client assertion is not "
                    "registered on application.");
    if (!signature_matches(jwt, X509_get0_pubkey(principal->certificate)))
        return fail(error, AADSTS_BAD_SIGNATURE, "Client assertion failed signature validation.");
    return true;
}

bool assertion_check(const char *assertion, const struct principal *principal,
                     const char *token_path, struct assertion_error *error)
{
    struct jwt jwt = {0};
    bool valid;

    if (!jwt_parse(&jwt, assertion))
        valid = fail(error, AADSTS_MALFORMED, "JWT token is invalid or malformed.");
    else if (!claim_is(&jwt, "iss", principal->client_id) && principal->federated_issuer)
        valid = check_federated(&jwt, principal, error);
    else
        valid = check_self_signed(&jwt, principal, token_path, error);
    jwt_done(&jwt);
    return valid;
}
