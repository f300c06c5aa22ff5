/* Files of keys and certificates, as people have them. */
#include "base/key_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/encoding.h"
#include "base/str.h"
#include "key_fixture.h"

#define FROM     ((time_ms)1795000000000)
#define TO       ((time_ms)1826000000000)
#define PASSWORD "correct horse"

static X509 *own, *issuer, *stranger;
static struct buf certificate_file, key_file;

static int set_up(void **state)
{
    (void)state;
    issuer = key_fixture_certificate(key_fixture_rsa(1), "issuer", NULL, NULL, FROM, TO);
    own = key_fixture_certificate(key_fixture_rsa(0), "keyrotated", issuer, key_fixture_rsa(1),
                                  FROM, TO);
    stranger = key_fixture_certificate(key_fixture_rsa(1), "stranger", NULL, NULL, FROM, TO);
    buf_init(&certificate_file, KEY_PAIR_FILE_MAX);
    buf_init(&key_file, KEY_PAIR_FILE_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    X509_free(own);
    X509_free(issuer);
    X509_free(stranger);
    buf_done(&certificate_file);
    buf_done(&key_file);
    return 0;
}

static struct key_pair *read_pair(const char *password, struct key_pair_error *error)
{
    struct secret *secret = password ? secret_new(password, strlen(password)) : NULL;
    const struct key_pair_input input = {.certificate = &certificate_file,
                                         .key = key_file.length > 0 ? &key_file : NULL,
                                         .password = secret};
    struct key_pair *pair;
    int rc = key_pair_read(&pair, &input, error);

    secret_free(secret);
    assert_true(rc == 0 ? !!pair : !pair && rc == -EBADMSG);
    /* What one file leaves in OpenSSL's queue would be taken for an error of the next. */
    assert_int_equal(ERR_peek_error(), 0);
    return pair;
}

/* The pair is that of `own`, and its signature is good. */
static void assert_good(const char *password, size_t chain_length)
{
    struct key_pair_error error;
    struct key_pair *pair = read_pair(password, &error);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t digest[SHA256_LENGTH];
    EVP_PKEY_CTX *parameters;
    struct buf signature;

    if (!pair)
        fail_msg("refused: %s", error.text);
    assert_int_equal(key_pair_not_before(pair), FROM);
    assert_int_equal(key_pair_not_after(pair), TO);
    assert_string_equal(key_pair_subject(pair), "CN=keyrotated");
    assert_int_equal(key_pair_chain_length(pair), chain_length);
    assert_int_equal(X509_digest(own, EVP_sha256(), digest, NULL), 1);
    assert_memory_equal(key_pair_digest(pair), digest, sizeof(digest));

    buf_init(&signature, 1024);
    assert_int_equal(key_pair_sign(pair, "abc", 3, &signature), 0);
    assert_int_equal(
        EVP_DigestVerifyInit(context, &parameters, EVP_sha256(), NULL, key_fixture_rsa(0)), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, 32), 1);
    assert_int_equal(EVP_DigestVerify(context, (const unsigned char *)signature.data,
                                      signature.length, (const unsigned char *)"abc", 3),
                     1);
    EVP_MD_CTX_free(context);
    buf_done(&signature);
    key_pair_free(pair);
}

static void assert_refused(const char *password, enum key_pair_problem problem, bool in_key,
                           const char *text)
{
    struct key_pair_error error;
    struct key_pair *pair = read_pair(password, &error);

    assert_null(pair);
    assert_string_equal(error.text, text);
    assert_int_equal(error.problem, problem);
    assert_int_equal(error.in_key, in_key);
}

static void key_and_certificates_stand_in_any_order(void **state)
{
    (void)state;
    key_fixture_add_key(&certificate_file, key_fixture_rsa(0), KEY_FORM_PLAIN, NULL);
    key_fixture_add_certificate(&certificate_file, own);
    assert_good(NULL, 1);

    buf_clear(&certificate_file);
    buf_append_str(&certificate_file, "subject=CN = issuer\n\n");
    key_fixture_add_certificate(&certificate_file, issuer);
    key_fixture_add_certificate(&certificate_file, own);
    buf_append_str(&certificate_file, "Bag Attributes: <No Attributes>\n");
    key_fixture_add_key(&certificate_file, key_fixture_rsa(0), KEY_FORM_TRADITIONAL, NULL);
    assert_good(NULL, 2);
    assert_good("not needed", 2);
}

static void files_of_windows_are_read(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, KEY_PAIR_FILE_MAX);
    key_fixture_add_key(&text, key_fixture_rsa(0), KEY_FORM_PLAIN, NULL);
    key_fixture_add_certificate(&text, own);
    buf_append_str(&certificate_file, "\xEF\xBB\xBF");
    for (const char *c = buf_str(&text); *c != '\0'; c++) {
        if (*c == '\n')
            buf_append_char(&certificate_file, '\r');
        buf_append_char(&certificate_file, *c);
    }
    buf_done(&text);
    assert_good(NULL, 1);
}

static void key_and_certificate_may_be_two_files(void **state)
{
    (void)state;
    key_fixture_add_certificate(&certificate_file, own);
    key_fixture_add_key(&key_file, key_fixture_rsa(0), KEY_FORM_PLAIN, NULL);
    assert_good(NULL, 1);
    /* The key of the first file is not the one that was asked for. */
    key_fixture_add_key(&certificate_file, key_fixture_rsa(1), KEY_FORM_PLAIN, NULL);
    assert_good(NULL, 1);
}

static void encrypted_keys_are_opened(void **state)
{
    static const enum key_form forms[] = {KEY_FORM_ENCRYPTED, KEY_FORM_TRADITIONAL_ENCRYPTED};

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        buf_clear(&certificate_file);
        key_fixture_add_certificate(&certificate_file, own);
        key_fixture_add_key(&certificate_file, key_fixture_rsa(0), forms[i], PASSWORD);
        assert_good(PASSWORD, 1);
        assert_refused("another", KEY_PAIR_PASSWORD_WRONG, false,
                       "is encrypted with another password");
        assert_refused(NULL, KEY_PAIR_PASSWORD_MISSING, false, "holds an encrypted private key");
    }
}

static void pkcs12_is_read(void **state)
{
    (void)state;
    key_fixture_add_pkcs12(&certificate_file, key_fixture_rsa(0), own, issuer, PASSWORD, false);
    assert_good(PASSWORD, 2);
    assert_refused("another", KEY_PAIR_PASSWORD_WRONG, false, "is encrypted with another password");
    assert_refused(NULL, KEY_PAIR_PASSWORD_MISSING, false, "is encrypted");

    buf_clear(&certificate_file);
    key_fixture_add_pkcs12(&certificate_file, key_fixture_rsa(0), own, NULL, "", false);
    assert_good(NULL, 1);
}

static void pkcs12_of_old_windows_says_what_it_is(void **state)
{
    (void)state;
    key_fixture_add_pkcs12(&certificate_file, key_fixture_rsa(0), own, NULL, PASSWORD, true);
    assert_refused(PASSWORD, KEY_PAIR_CIPHER, false,
                   "is encrypted in an old way that OpenSSL 3 leaves out");
}

static void the_base64_text_of_pkcs12_says_what_it_is(void **state)
{
    struct buf binary;
    char *text;

    (void)state;
    buf_init(&binary, KEY_PAIR_FILE_MAX);
    key_fixture_add_pkcs12(&binary, key_fixture_rsa(0), own, NULL, "", false);
    text = base64_encode(binary.data, binary.length);
    buf_append_str(&certificate_file, text);
    free(text);
    buf_done(&binary);
    assert_refused(NULL, KEY_PAIR_UNREADABLE, false,
                   "is neither PEM nor PKCS#12, but the base64 text of one");
}

static void what_belongs_together_is_found(void **state)
{
    X509 *renewed = key_fixture_certificate(key_fixture_rsa(0), "keyrotated", issuer,
                                            key_fixture_rsa(1), FROM, TO + MS_DAY);
    struct key_pair_error error;
    struct key_pair *pair;

    (void)state;
    key_fixture_add_key(&certificate_file, key_fixture_rsa(0), KEY_FORM_PLAIN, NULL);
    key_fixture_add_certificate(&certificate_file, stranger);
    key_fixture_add_certificate(&certificate_file, issuer);
    key_fixture_add_certificate(&certificate_file, renewed);
    key_fixture_add_certificate(&certificate_file, own);
    pair = read_pair(NULL, &error);
    assert_non_null(pair);
    assert_int_equal(key_pair_not_after(pair), TO + MS_DAY);
    assert_int_equal(key_pair_chain_length(pair), 2);
    key_pair_free(pair);
    X509_free(renewed);
}

static void a_key_of_another_certificate_is_a_mismatch(void **state)
{
    (void)state;
    key_fixture_add_certificate(&certificate_file, own);
    key_fixture_add_key(&key_file, key_fixture_rsa(1), KEY_FORM_PLAIN, NULL);
    assert_refused(NULL, KEY_PAIR_MISMATCH, true,
                   "holds a private key that belongs to another certificate");
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    assert_refused(NULL, KEY_PAIR_UNREADABLE, false, "is empty");
    key_fixture_add_certificate(&certificate_file, own);
    assert_refused(NULL, KEY_PAIR_NO_KEY, false, "holds no private key");
    buf_append_str(&certificate_file,
                   "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
                   "-----END OPENSSH PRIVATE KEY-----\n");
    assert_refused(NULL, KEY_PAIR_NO_KEY, false,
                   "holds no private key, but a block \"OPENSSH PRIVATE KEY\"");
    buf_clear(&certificate_file);
    key_fixture_add_key(&certificate_file, key_fixture_rsa(0), KEY_FORM_PLAIN, NULL);
    assert_refused(NULL, KEY_PAIR_NO_CERTIFICATE, false, "holds no certificate");
    key_fixture_add_key(&certificate_file, key_fixture_rsa(1), KEY_FORM_PLAIN, NULL);
    assert_refused(NULL, KEY_PAIR_MANY_KEYS, false, "holds more than one private key");
}

static void keys_that_do_not_serve_are_named(void **state)
{
    EVP_PKEY *keys[] = {key_fixture_ec(), key_fixture_rsa_of(1024)};
    static const struct {
        enum key_pair_problem problem;
        const char *text;
    } expected[] = {
        {KEY_PAIR_NOT_RSA, "holds a key of type EC, and it has to be RSA"},
        {KEY_PAIR_SHORT, "holds an RSA key of 1024 bits, and it has to have 2048 or more"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        X509 *certificate = key_fixture_certificate(keys[i], "keyrotated", NULL, NULL, FROM, TO);

        buf_clear(&certificate_file);
        key_fixture_add_certificate(&certificate_file, certificate);
        key_fixture_add_key(&certificate_file, keys[i], KEY_FORM_PLAIN, NULL);
        assert_refused(NULL, expected[i].problem, false, expected[i].text);
        X509_free(certificate);
        EVP_PKEY_free(keys[i]);
    }
}

static void damage_is_told_from_other_content(void **state)
{
    (void)state;
    buf_append_str(&certificate_file, "hello\n");
    assert_refused(NULL, KEY_PAIR_UNREADABLE, false, "is neither PEM nor PKCS#12");
    buf_clear(&certificate_file);
    key_fixture_add_certificate(&certificate_file, own);
    key_fixture_add_key(&certificate_file, key_fixture_rsa(0), KEY_FORM_PLAIN, NULL);
    buf_truncate(&certificate_file, certificate_file.length - 40); /* while it is written */
    assert_refused(NULL, KEY_PAIR_UNREADABLE, false, "holds a damaged block of PEM");
    buf_clear(&certificate_file);
    buf_append_str(&certificate_file,
                   "-----BEGIN CERTIFICATE-----\nMIIB\n"
                   "-----END CERTIFICATE-----\n");
    assert_refused(NULL, KEY_PAIR_UNREADABLE, false, "holds a damaged certificate");
    buf_clear(&certificate_file);
    buf_append(&certificate_file, "\x30\x82\x01\x00\x02\x01", 6);
    assert_refused(NULL, KEY_PAIR_UNREADABLE, false, "is neither PEM nor PKCS#12");
}

static void the_thumbprint_is_that_of_the_portal(void **state)
{
    struct key_pair_error error;
    struct key_pair *pair;
    uint8_t digest[20], shown[20];

    (void)state;
    key_fixture_add_certificate(&certificate_file, own);
    key_fixture_add_key(&certificate_file, key_fixture_rsa(0), KEY_FORM_PLAIN, NULL);
    pair = read_pair(NULL, &error);
    assert_non_null(pair);
    assert_int_equal(X509_digest(own, EVP_sha1(), digest, NULL), 1);
    assert_true(hex_decode(key_pair_thumbprint(pair), shown, sizeof(shown)));
    assert_memory_equal(digest, shown, sizeof(shown));
    assert_null(strpbrk(key_pair_thumbprint(pair), "abcdef"));
    key_pair_free(pair);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(key_and_certificates_stand_in_any_order),
        TEST(files_of_windows_are_read),
        TEST(key_and_certificate_may_be_two_files),
        TEST(encrypted_keys_are_opened),
        TEST(pkcs12_is_read),
        TEST(pkcs12_of_old_windows_says_what_it_is),
        TEST(the_base64_text_of_pkcs12_says_what_it_is),
        TEST(what_belongs_together_is_found),
        TEST(a_key_of_another_certificate_is_a_mismatch),
        TEST(what_is_missing_is_named),
        TEST(keys_that_do_not_serve_are_named),
        TEST(damage_is_told_from_other_content),
        TEST(the_thumbprint_is_that_of_the_portal),
    };

    return cmocka_run_group_tests_name("key_pair", tests, NULL, NULL);
}
