/* What to do about a key file that cannot be read: it depends on what refuses. */
#include "io/target/file_failure.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_refuses_is_replaced, enter, leave),
        cmocka_unit_test_setup_teardown(a_directory_that_refuses_is_looked_for, enter, leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
