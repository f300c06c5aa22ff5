/* What to do about a secret's file that cannot be read: it depends on who should hand it over. */
#include "io/access/secret_file.h"

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

/* A user whom modes bind. */
enum { SOMEBODY = 65534 };

static char directory[64], path[96];

static int enter(void **state)
{
    FILE *file;

    (void)state;
    (void)snprintf(directory, sizeof(directory), "/tmp/keyrotated-secret-XXXXXX");
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof(path), "%s/ops-secret", directory);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("s3cret\n", file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(directory, 0755), 0);
    assert_int_equal(chmod(path, 0600), 0);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    (void)chmod(directory, 0700);
    (void)unlink(path);
    (void)rmdir(directory);
    return 0;
}

/* As a user whom modes bind; the remedy, of which the last call's text stays. */
static const char *remedy_of(const char *configured, bool stays, const char *text)
{
    static struct failure failure;
    const struct secret_file file = {.key = "client_secret_file",
                                     .path = configured,
                                     .reason = REASON_TOKEN_FAILED,
                                     .stays = stays};
    const bool is_root = getuid() == 0;

    if (is_root)
        assert_int_equal(seteuid(SOMEBODY), 0);
    assert_null(secret_file_read(&file, directory, &failure));
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(failure.reason, REASON_TOKEN_FAILED);
    if (!strstr(failure.text, text))
        fail_msg("\"%s\" lacks \"%s\"", failure.text, text);
    return failure.remedy;
}

static void a_credential_that_is_not_loaded_is_named_in_the_unit(void **state)
{
    (void)state;
    assert_string_equal(remedy_of("no-such", false, "No such file or directory"),
                        "run `systemctl edit {unit}`, add `LoadCredential=no-such:/path/to/file` "
                        "with the path of the file below [Service] and restart the daemon, or give "
                        "an absolute path");
}

/* What lies in the directory is a copy, which systemd makes. */
static void a_credential_that_is_no_secret_is_corrected_where_it_comes_from(void **state)
{
    (void)state;
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(truncate(path, 0), 0);
    assert_string_equal(remedy_of("ops-secret", false, "it is empty"),
                        "write the secret's value, and nothing else, to the file that "
                        "`LoadCredential=ops-secret:` of the unit names, and restart the daemon");
}

static void a_file_that_is_missing_is_written(void **state)
{
    (void)state;
    assert_non_null(strstr(remedy_of("/no/such/file", false, "No such file or directory"),
                           "write the secret's value, and nothing else, to /no/such/file"));
}

static void a_file_of_root_is_handed_over(void **state)
{
    char expected[512];
    const unsigned user = getuid() == 0 ? SOMEBODY : getuid();

    (void)state;
    if (getuid() != 0)
        assert_int_equal(chmod(path, 0), 0);
    (void)snprintf(expected, sizeof(expected),
                   "run `systemctl edit {unit}`, add `LoadCredential=ops-secret:%s` below "
                   "[Service], set `client_secret_file: ops-secret` and restart the daemon; or "
                   "give the file to it, `chown %u %s`",
                   path, user, path);
    assert_string_equal(remedy_of(path, false, "Permission denied"), expected);
    /* Its path stands elsewhere, where no name of a credential would be found. */
    assert_null(strstr(remedy_of(path, true, "Permission denied"), "LoadCredential"));
    assert_non_null(strstr(remedy_of(path, true, "Permission denied"), "`namei -l "));
}

/* To give the file away is no help then. */
static void a_file_behind_a_closed_directory_is_handed_over(void **state)
{
    const char *remedy;

    (void)state;
    assert_int_equal(chmod(directory, getuid() == 0 ? 0700 : 0), 0);
    remedy = remedy_of(path, false, "Permission denied");
    assert_non_null(strstr(remedy, "`LoadCredential=ops-secret:/tmp/"));
    assert_non_null(strstr(remedy, "set `client_secret_file: ops-secret` and restart"));
    assert_null(strstr(remedy, "chown"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
    const struct CMUnitTest tests[] = {
        TEST(a_credential_that_is_not_loaded_is_named_in_the_unit),
        TEST(a_credential_that_is_no_secret_is_corrected_where_it_comes_from),
        TEST(a_file_that_is_missing_is_written),
        TEST(a_file_of_root_is_handed_over),
        TEST(a_file_behind_a_closed_directory_is_handed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
