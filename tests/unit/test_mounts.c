/* To which file system does a path belong? */
#include "io/loop/mounts.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mount_line.h"

static const char table[] =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
    "40 27 0:42 / /srv/keys rw shared:7 master:2 propagate_from:3 - nfs4 server:/keys rw\n"
    "41 27 0:42 /sub /var/lib/keys rw - nfs4 server:/keys rw\n"
    "42 27 0:50 / /mnt/with\\040blank\\134s rw - fuse.sshfs me@there: rw\n"
    "43 27 0:51 / /data rw - tmpfs under rw\n"
    "44 27 0:52 / /data rw - xfs over rw\n"
    "torn line\n"
    "45 27 0:53 / relative rw - xfs nowhere rw\n"
    "46 27 0:54 / /no-hyphen rw shared:1 xfs nothing rw\n"
    "47 40 0:55 / /srv/keys/deeper rw - ext4 /dev/vdb rw";

static void assert_found(const struct mounts *mounts, const char *path, const char *point,
                         const char *device, const char *type)
{
    const struct mount *mount = mounts_find(mounts, path);

    assert_non_null(mount);
    assert_string_equal(mount->point, point);
    assert_string_equal(mount->device, device);
    assert_string_equal(mount->type, type);
}

static void test_longest_mount_point(void **state)
{
    struct mounts mounts;

    (void)state;
    mounts_init(&mounts);
    mounts_parse(&mounts, table, strlen(table));
    assert_int_equal(mounts.count, 7);
    assert_found(&mounts, "/", "/", "254:0", "ext4");
    assert_found(&mounts, "/srv", "/", "254:0", "ext4");
    assert_found(&mounts, "/srv/keys", "/srv/keys", "0:42", "nfs4");
    assert_found(&mounts, "/srv/keys/a/b", "/srv/keys", "0:42", "nfs4");
    assert_found(&mounts, "/srv/keys/deeper/b", "/srv/keys/deeper", "0:55", "ext4");
    assert_found(&mounts, "/srv/keysandmore/b", "/", "254:0", "ext4");
    assert_found(&mounts, "/var/lib/keys/x", "/var/lib/keys", "0:42", "nfs4");
    assert_found(&mounts, "/mnt/with blank\\s/x", "/mnt/with blank\\s", "0:50", "fuse.sshfs");
    assert_found(&mounts, "/data/x", "/data", "0:52", "xfs"); /* the one on top */
    assert_found(&mounts, "/no-hyphen/x", "/", "254:0", "ext4");
    mounts_done(&mounts);
}

static void test_no_mounts(void **state)
{
    struct mounts mounts;

    (void)state;
    mounts_init(&mounts);
    assert_null(mounts_find(&mounts, "/srv"));
    mounts_parse(&mounts, "", 0);
    assert_null(mounts_find(&mounts, "/srv"));
    mounts_parse(&mounts, "1 2 0:1 / /srv rw - xfs x rw\n", 29);
    assert_found(&mounts, "/srv/x", "/srv", "0:1", "xfs");
    assert_null(mounts_find(&mounts, "/"));
    assert_null(mounts_find(&mounts, "/other"));
    mounts_done(&mounts);
    mounts_done(&mounts);
}

static void test_types_that_may_hang(void **state)
{
    (void)state;
    assert_true(mount_type_may_hang("nfs4"));
    assert_true(mount_type_may_hang("fuse.sshfs"));
    assert_true(mount_type_may_hang("cifs"));
    assert_true(mount_type_may_hang("autofs"));
    assert_false(mount_type_may_hang("ext4"));
    assert_false(mount_type_may_hang("tmpfs"));
    assert_false(mount_path_may_hang("/proc/self/status"));
}

static void test_own_mounts(void **state)
{
    struct mounts mounts;

    (void)state;
    mounts_init(&mounts);
    mounts_refresh(&mounts);
    assert_found(&mounts, "/proc/self", "/proc", mounts_find(&mounts, "/proc")->device, "proc");
    mounts_refresh(&mounts);
    assert_true(mounts.count > 0);
    mounts_done(&mounts);
}

/* In a view of its own of the file systems. */
static void test_mounts_that_come_and_go(void **state)
{
    char directory[] = "/tmp/mounts.XXXXXX", path[64];
    struct mounts mounts;

    (void)state;
    if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0)
        skip(); /* not permitted here */
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof(path), "%s/k", directory);
    mounts_init(&mounts);
    mounts_refresh(&mounts);
    assert_string_not_equal(mounts_find(&mounts, path)->point, directory);
    assert_int_equal(mount("none", directory, "tmpfs", 0, NULL), 0);
    mounts_refresh(&mounts);
    assert_string_equal(mounts_find(&mounts, path)->point, directory);
    mounts_refresh(&mounts);
    assert_string_equal(mounts_find(&mounts, path)->type, "tmpfs");
    assert_int_equal(umount2(directory, MNT_DETACH), 0);
    mounts_refresh(&mounts);
    assert_string_not_equal(mounts_find(&mounts, path)->point, directory);
    mounts_done(&mounts);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest_mount_point),     cmocka_unit_test(test_no_mounts),
        cmocka_unit_test(test_types_that_may_hang),     cmocka_unit_test(test_own_mounts),
        cmocka_unit_test(test_mounts_that_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
