/* What to do about a key file that cannot be read: it depends on what refuses. */
#include "io/target/file_job.h"

#include <errno.h>
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

#include "base/fs.h"

/* A user whom modes bind. */
enum { SOMEBODY = 65534 };

struct fixture {
    char directory[64];
    char path[96];
};

static int enter(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    FILE *file;

    assert_non_null(f);
    (void)snprintf(f->directory, sizeof(f->directory), "/tmp/keyrotated-failure-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    (void)snprintf(f->path, sizeof(f->path), "%s/sampleacct", f->directory);
    file = fopen(f->path, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    *state = f;
    return 0;
}

static int leave(void **state)
{
    struct fixture *f = *state;

    (void)chmod(f->directory, 0700);
    (void)unlink(f->path);
    (void)rmdir(f->directory);
    free(f);
    return 0;
}

static void become(uid_t user)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(user), 0);
}

static void expect_remedy(const struct fixture *f, const char *beginning, const char *part)
{
    const struct target_file settings = {.mode = 0600};
    struct err err = {.code = 0};
    struct failure failure;
    struct buf bytes;

    buf_init(&bytes, 100);
    become(SOMEBODY);
    assert_int_equal(fs_read(f->path, &bytes, &err), -EACCES);
    file_failure_read(&failure, f->path, &settings, &err);
    become(0);
    buf_done(&bytes);
    assert_int_equal(failure.reason, REASON_TARGET_DENIED);
    assert_ptr_equal(strstr(failure.remedy, beginning), failure.remedy);
    assert_non_null(strstr(failure.remedy, part));
    assert_null(strstr(failure.remedy, "setfacl")); /* is on few machines */
}

static void a_file_that_refuses_is_replaced(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(chmod(f->directory, 0755), 0);
    assert_int_equal(chmod(f->path, 0), 0);
    expect_remedy(f, "`keyrotatectl redeliver {account}`", "can read");
}

static void a_directory_that_refuses_is_looked_for(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(chmod(f->path, 0644), 0);
    assert_int_equal(chmod(f->directory, getuid() == 0 ? 0700 : 0), 0);
    expect_remedy(f, "let user ", "`namei -l ");
}

/* The remedy for `path`, as its directory does not let somebody write. */
static struct failure refused(const char *path, const char *group)
{
    const struct err err = {.code = -EACCES, .text = "Permission denied"};
    struct failure failure;

    become(SOMEBODY);
    file_failure_write(&failure, path, group, &err);
    become(0);
    return failure;
}

static struct failure group_refused(const char *path)
{
    struct failure failure;

    become(SOMEBODY);
    file_failure_group(&failure, path, "games", EPERM);
    become(0);
    return failure;
}

static void assert_part(const struct failure *failure, const char *part, bool is_there)
{
    if (!!strstr(failure->remedy, part) != is_there)
        fail_msg("\"%s\" %s \"%s\"", failure->remedy, is_there ? "lacks" : "holds", part);
}

static void the_directories_of_others_stay_as_they_are(void **state)
{
    static const char *const paths[] = {"/etc/batch.key", "/root/x", "/root/keys/x", "/x",
                                        "/usr/lib/x"};

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const struct failure failure = refused(paths[i], NULL);
        const struct failure for_group = group_refused(paths[i]);

        assert_part(&failure, "-g GROUP -m 2750 /var/lib/keyrotated-keys/{account}` with the",
                    true);
        assert_part(&failure, "set `path` to a file in it", true);
        assert_part(&failure, "chown", false);
        assert_part(&failure, "chmod", false);
        assert_part(&for_group, "-g games -m 2750 /var/lib/keyrotated-keys/{account}`", true);
        assert_part(&for_group, "chgrp", false);
        assert_part(&for_group, "chmod", false);
    }
}

static void a_directory_for_keys_is_given_to_the_daemon(void **state)
{
    static const char path[] = "/var/lib/keyrotated-keys/no-such/x";
    const struct failure failure = refused(path, "games"), for_group = group_refused(path);

    (void)state;
    assert_part(&failure, " /var/lib/keyrotated-keys/no-such && chmod u+rwx /var", true);
    assert_part(&failure, "`chown ", true);
    assert_part(&for_group,
                "`chgrp games /var/lib/keyrotated-keys/no-such && chmod g+s "
                "/var/lib/keyrotated-keys/no-such`",
                true);
}

static void the_daemons_own_directory_gets_its_mode_and_group(void **state)
{
    struct fixture *f = *state;
    char part[160];
    struct failure failure;

    if (getuid() == 0)
        assert_int_equal(chown(f->directory, SOMEBODY, SOMEBODY), 0);
    failure = refused(f->path, NULL);
    (void)snprintf(part, sizeof(part), " && chmod u+rwx %s`", f->directory);
    assert_part(&failure, part, true);
    failure = group_refused(f->path);
    (void)snprintf(part, sizeof(part), "`chgrp games %s && chmod g+s %s`", f->directory,
                   f->directory);
    assert_part(&failure, part, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_refuses_is_replaced, enter, leave),
        cmocka_unit_test_setup_teardown(a_directory_that_refuses_is_looked_for, enter, leave),
        cmocka_unit_test(the_directories_of_others_stay_as_they_are),
        cmocka_unit_test(a_directory_for_keys_is_given_to_the_daemon),
        cmocka_unit_test_setup_teardown(the_daemons_own_directory_gets_its_mode_and_group, enter,
                                        leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
