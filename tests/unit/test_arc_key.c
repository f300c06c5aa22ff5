/* The file that the Azure Arc agent names: what is read, and what is left alone. */
#include "io/access/arc_key.h"

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
static struct failure failure;

static int enter(void **state)
{
    (void)state;
    failure = (struct failure){.reason = REASON_NONE};
    (void)snprintf(directory, sizeof(directory), "/tmp/keyrotated-arc-XXXXXX");
    assert_non_null(mkdtemp(directory));
    (void)strcat(directory, "/");
    (void)snprintf(path, sizeof(path), "%sa.key", directory);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)rmdir(path);
    (void)rmdir(directory);
    return 0;
}

static void put(const char *content, size_t length)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void assert_refused(const char *problem, const char *remedy)
{
    assert_null(arc_key_read(directory, "a.key", &failure));
    assert_int_equal(failure.reason, REASON_TOKEN_FAILED);
    if (!strstr(failure.text, problem) || !strstr(failure.text, path))
        fail_msg("\"%s\" lacks \"%s\" or the path", failure.text, problem);
    if (!strstr(failure.remedy, remedy))
        fail_msg("\"%s\" lacks \"%s\"", failure.remedy, remedy);
}

static void the_content_without_its_line_end_is_the_key(void **state)
{
    static const char *const contents[] = {"abc+/=", "abc+/=\n", "abc+/=\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        struct secret *key;

        put(contents[i], strlen(contents[i]));
        key = arc_key_read(directory, "a.key", &failure);
        assert_non_null(key);
        assert_string_equal(secret_bytes(key), "abc+/=");
        secret_free(key);
    }
}

static void a_file_as_large_as_allowed_is_read(void **state)
{
    static char content[4097];
    struct secret *key;

    (void)state;
    memset(content, 'x', sizeof(content));
    put(content, 4096);
    key = arc_key_read(directory, "a.key", &failure);
    assert_non_null(key);
    assert_int_equal(secret_length(key), 4096);
    secret_free(key);
    put(content, 4097);
    assert_refused("it is larger than a key", "himds");
}

static void content_that_is_no_header_is_refused(void **state)
{
    static const struct {
        const char *content;
        size_t length;
    } cases[] = {{"", 0}, {"\n", 1}, {"a b", 3}, {"a\nb", 3}, {"a\0b", 3}, {"a\xC3\xA4", 3}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put(cases[i].content, cases[i].length);
        assert_refused("it holds no key", "himds");
    }
}

static void what_is_no_regular_file_is_refused(void **state)
{
    (void)state;
    assert_int_equal(symlink("/etc/hostname", path), 0);
    assert_refused("it is a symbolic link", "himds");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused("it is not a regular file", "himds");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused("it is not a regular file", "himds");
    assert_int_equal(rmdir(path), 0);
    assert_refused("No such file or directory", "himds");
}

static void a_directory_for_everybody_is_refused(void **state)
{
    (void)state;
    put("abc", 3);
    assert_int_equal(chmod(directory, 0777), 0);
    assert_refused("everybody may write to the directory", "himds");
    assert_int_equal(chmod(directory, 0700), 0);
}

static void the_file_of_another_user_is_refused(void **state)
{
    struct secret *key;

    (void)state;
    if (geteuid() != 0)
        skip();
    put("abc", 3);
    assert_int_equal(chown(path, SOMEBODY, (gid_t)-1), 0);
    assert_refused("it belongs to neither root nor the agent", "himds");
    /* The agent has a user of its own. */
    assert_int_equal(chown(directory, SOMEBODY, (gid_t)-1), 0);
    key = arc_key_read(directory, "a.key", &failure);
    assert_non_null(key);
    secret_free(key);
}

static void who_may_not_read_it_is_told_of_the_group(void **state)
{
    const bool is_root = geteuid() == 0;

    (void)state;
    put("abc", 3);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(directory, 0755), 0);
    if (is_root)
        assert_int_equal(seteuid(SOMEBODY), 0);
    assert_refused("Permission denied", "`SupplementaryGroups=himds`");
    if (is_root)
        assert_int_equal(seteuid(0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_content_without_its_line_end_is_the_key),
        TEST(a_file_as_large_as_allowed_is_read),
        TEST(content_that_is_no_header_is_refused),
        TEST(what_is_no_regular_file_is_refused),
        TEST(a_directory_for_everybody_is_refused),
        TEST(the_file_of_another_user_is_refused),
        TEST(who_may_not_read_it_is_told_of_the_group),
    };

    return cmocka_run_group_tests_name("arc_key", tests, NULL, NULL);
}
