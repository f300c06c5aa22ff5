/* Certificates of applications in files: what is wrong with them, and what to do about it. */
#include "io/access/certificate_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/encoding.h"
#include "key_fixture.h"

#define NOW ((time_ms)1795348800000)

static char directory[64];
static char certificate_path[96], key_path[96], password_path[96];
static X509 *own;

static int enter(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof(directory), "/tmp/keyrotated-pair-XXXXXX");
    assert_non_null(mkdtemp(directory));
    (void)snprintf(certificate_path, sizeof(certificate_path), "%s/cert", directory);
    (void)snprintf(key_path, sizeof(key_path), "%s/key", directory);
    (void)snprintf(password_path, sizeof(password_path), "%s/password", directory);
    own = key_fixture_certificate(key_fixture_rsa(0), "keyrotated", NULL, NULL, NOW - MS_DAY,
                                  NOW + MS_DAY);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    X509_free(own);
    (void)unlink(certificate_path);
    (void)unlink(key_path);
    (void)unlink(password_path);
    (void)rmdir(directory);
    return 0;
}

static void put(const char *path, const struct buf *content)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(content->data, 1, content->length, file), content->length);
    assert_int_equal(fclose(file), 0);
}

static void put_text(const char *path, const char *text)
{
    struct buf content;

    buf_init(&content, 4096);
    buf_append_str(&content, text);
    put(path, &content);
    buf_done(&content);
}

/* The keys of the configuration that are set. */
enum { WITH_KEY = 1, WITH_PASSWORD = 2 };

static struct certificate_files files_with(unsigned with)
{
    return (struct certificate_files){.certificate = certificate_path,
                                      .key = with & WITH_KEY ? key_path : NULL,
                                      .password = with & WITH_PASSWORD ? password_path : NULL,
                                      .client_id = "2222"};
}

static void assert_read(unsigned with)
{
    const struct certificate_files files = files_with(with);
    struct failure failure;
    bool being_replaced;
    struct key_pair *pair = certificate_files_read(&files, NOW, &being_replaced, &failure);

    if (!pair)
        fail_msg("refused: %s", failure.text);
    key_pair_free(pair);
}

static void assert_refused(unsigned with, bool expect_replaced, const char *text,
                           const char *remedy)
{
    const struct certificate_files files = files_with(with);
    struct failure failure;
    bool being_replaced;

    assert_null(certificate_files_read(&files, NOW, &being_replaced, &failure));
    assert_int_equal(failure.reason, REASON_TOKEN_FAILED);
    if (!strstr(failure.text, text))
        fail_msg("\"%s\" lacks \"%s\"", failure.text, text);
    if (!strstr(failure.remedy, remedy))
        fail_msg("\"%s\" lacks \"%s\"", failure.remedy, remedy);
    assert_int_equal(being_replaced, expect_replaced);
}

static void put_certificate(X509 *certificate)
{
    struct buf content;

    buf_init(&content, KEY_PAIR_FILE_MAX);
    key_fixture_add_certificate(&content, certificate);
    put(certificate_path, &content);
    buf_done(&content);
}

static void put_key(EVP_PKEY *key, enum key_form form, const char *password)
{
    struct buf content;

    buf_init(&content, KEY_PAIR_FILE_MAX);
    key_fixture_add_key(&content, key, form, password);
    put(key_path, &content);
    buf_done(&content);
}

static void put_pair(EVP_PKEY *key, time_ms not_before, time_ms not_after)
{
    X509 *certificate =
        key_fixture_certificate(key, "keyrotated", NULL, NULL, not_before, not_after);

    put_certificate(certificate);
    put_key(key, KEY_FORM_PLAIN, NULL);
    X509_free(certificate);
}

static void files_that_are_missing_or_closed(void **state)
{
    const bool is_root = geteuid() == 0;

    (void)state;
    assert_refused(0, false, "client_certificate_file /tmp/keyrotated-pair-",
                   "put the file there, PEM or PKCS#12");
    put_certificate(own);
    assert_refused(WITH_KEY, false, "client_certificate_key_file /tmp/keyrotated-pair-",
                   "put the file there");
    put_key(key_fixture_rsa(0), KEY_FORM_PLAIN, NULL);
    assert_refused(WITH_KEY | WITH_PASSWORD, false,
                   "client_certificate_password_file /tmp/keyrotated-pair-",
                   "write the secret's value");
    assert_int_equal(chmod(directory, 0755), 0);
    assert_int_equal(chmod(key_path, 0), 0);
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    assert_refused(WITH_KEY, false, "Permission denied", "`client_certificate_key_file: key`");
    if (is_root)
        assert_int_equal(seteuid(0), 0);
}

static void a_credential_that_is_not_loaded(void **state)
{
    const struct certificate_files files = {.certificate = "ops-cert", .client_id = "2222"};
    struct failure failure;
    bool being_replaced;

    (void)state;
    assert_null(certificate_files_read(&files, NOW, &being_replaced, &failure));
    assert_non_null(strstr(failure.text, "client_certificate_file ops-cert is relative"));
    assert_non_null(strstr(failure.remedy, "`LoadCredential=ops-cert:"));
}

/* systemd hands over a copy when the daemon starts. */
static void a_credential_is_corrected_where_it_comes_from(void **state)
{
    const struct certificate_files files = {
        .certificate = "cert", .directory = directory, .client_id = "2222"};
    struct failure failure;
    bool being_replaced;

    (void)state;
    put_certificate(own);
    assert_null(certificate_files_read(&files, NOW, &being_replaced, &failure));
    assert_non_null(strstr(failure.text, certificate_path));
    assert_non_null(strstr(failure.remedy,
                           "append the private key to the file that `LoadCredential=cert:` of the "
                           "unit names (and restart the daemon, which has a copy)"));
}

static void content_that_is_no_pair(void **state)
{
    (void)state;
    put_text(certificate_path, "");
    assert_refused(0, true, "cert is empty", "as PEM, one after the other");
    put_text(certificate_path, "hello");
    assert_refused(0, true, "is neither PEM nor PKCS#12", "as PEM, one after the other");
    put_text(certificate_path, "MIIKDAIBAzCCCdYGCSqGSIb3DQEHAaCC");
    assert_refused(0, true, "but the base64 text of one", "`base64 -d`");
    put_certificate(own);
    assert_refused(0, true, "holds no private key", "or set `client_certificate_key_file`");
    put_key(key_fixture_rsa(0), KEY_FORM_PLAIN, NULL);
    put_text(certificate_path, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    assert_refused(WITH_KEY, true, "holds no certificate, but a block \"PUBLIC KEY\"",
                   "BEGIN CERTIFICATE");
}

static void passwords(void **state)
{
    (void)state;
    put_certificate(own);
    put_key(key_fixture_rsa(0), KEY_FORM_ENCRYPTED, "correct horse");
    assert_refused(WITH_KEY, false, "key holds an encrypted private key",
                   "set `client_certificate_password_file` of the identity");
    put_text(password_path, "another\n");
    assert_refused(WITH_KEY | WITH_PASSWORD, false, "is encrypted with another password",
                   "and nothing else, to /tmp/keyrotated-pair-");
    put_text(password_path, "correct horse\n");
    assert_read(WITH_KEY | WITH_PASSWORD);
}

static void keys_that_do_not_fit(void **state)
{
    EVP_PKEY *ec = key_fixture_ec(), *small = key_fixture_rsa_of(1024);

    (void)state;
    put_certificate(own);
    put_key(key_fixture_rsa(1), KEY_FORM_PLAIN, NULL);
    assert_refused(WITH_KEY, true, "holds a private key that belongs to another certificate",
                   "`openssl pkey -pubout -in /tmp/");
    put_pair(ec, NOW - MS_DAY, NOW + MS_DAY);
    assert_refused(WITH_KEY, false, "holds a key of type EC",
                   "`az ad app credential reset --id 2222 --cert @cert.pem --append`");
    put_pair(small, NOW - MS_DAY, NOW + MS_DAY);
    assert_refused(WITH_KEY, false, "holds an RSA key of 1024 bits", "rsa:3072");
    EVP_PKEY_free(ec);
    EVP_PKEY_free(small);
}

static void pkcs12_of_old_windows(void **state)
{
    struct buf content;

    (void)state;
    buf_init(&content, KEY_PAIR_FILE_MAX);
    key_fixture_add_pkcs12(&content, key_fixture_rsa(0), own, NULL, "p", true);
    put(certificate_path, &content);
    put_text(password_path, "p\n");
    assert_refused(WITH_PASSWORD, false, "in an old way that OpenSSL 3 leaves out",
                   "`openssl pkcs12 -legacy -in /tmp/");
    buf_done(&content);
}

static void certificates_out_of_their_time(void **state)
{
    (void)state;
    put_pair(key_fixture_rsa(0), NOW - 2 * MS_DAY, NOW);
    assert_refused(WITH_KEY, false, "CN=keyrotated expired at 2026-11-22T12:00:00Z",
                   "az ad app credential reset --id 2222");
    put_pair(key_fixture_rsa(0), NOW + MS_SECOND, NOW + MS_DAY);
    assert_refused(WITH_KEY, false, "CN=keyrotated is not valid before 2026-11-22T12:00:01Z",
                   "timedatectl");
    put_pair(key_fixture_rsa(0), NOW, NOW + MS_SECOND);
    assert_read(WITH_KEY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_that_are_missing_or_closed),
        TEST(a_credential_that_is_not_loaded),
        TEST(a_credential_is_corrected_where_it_comes_from),
        TEST(content_that_is_no_pair),
        TEST(passwords),
        TEST(keys_that_do_not_fit),
        TEST(pkcs12_of_old_windows),
        TEST(certificates_out_of_their_time),
    };

    return cmocka_run_group_tests_name("certificate_files", tests, NULL, NULL);
}
