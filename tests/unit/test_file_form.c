/* Mode and group of a key file, corrected in place: each test with a directory of its own. */
#include "io/target/file_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { OTHER_GROUP = 4711 };

struct fixture {
    char directory[64];
    char path[96];
    char other_path[96];
    char text[TARGET_FORM_TEXT_MAX];
};

static void make_file(const char *path, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs("a key\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    (void)snprintf(f->directory, sizeof(f->directory), "/tmp/keyrotated-form-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    (void)snprintf(f->path, sizeof(f->path), "%s/sampleacct", f->directory);
    (void)snprintf(f->other_path, sizeof(f->other_path), "%s/other", f->directory);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    (void)unlink(f->path);
    (void)unlink(f->other_path);
    assert_int_equal(rmdir(f->directory), 0);
    free(f);
    return 0;
}

static enum target_form check(struct fixture *f, const struct file_form *wanted, bool set)
{
    return file_form_check(f->path, wanted, set, f->text, sizeof(f->text));
}

static struct stat status_of(const char *path)
{
    struct stat status;

    assert_int_equal(lstat(path, &status), 0);
    return status;
}

static unsigned mode_of(const char *path)
{
    return status_of(path).st_mode & 07777;
}

static const struct file_form mode_0640 = {.has_mode = true, .mode = 0640, .gid = FILE_GROUP_ANY};

static void test_right(void **state)
{
    const struct file_form anything = {.has_mode = false, .mode = 0600, .gid = FILE_GROUP_ANY};
    struct fixture *f = *state;

    assert_int_equal(check(f, &mode_0640, true), TARGET_FORM_RIGHT); /* there is no file */
    make_file(f->path, 0640);
    assert_int_equal(check(f, &mode_0640, true), TARGET_FORM_RIGHT);
    assert_string_equal(f->text, "");
    assert_int_equal(chmod(f->path, 0604), 0);
    assert_int_equal(check(f, &anything, true), TARGET_FORM_RIGHT);
    assert_int_equal(mode_of(f->path), 0604);
}

static void test_told_and_set(void **state)
{
    struct fixture *f = *state;
    ino_t inode;

    make_file(f->path, 0604);
    inode = status_of(f->path).st_ino;
    assert_int_equal(check(f, &mode_0640, false), TARGET_FORM_WRONG);
    assert_string_equal(f->text, "its mode is 0604, not 0640");
    assert_int_equal(mode_of(f->path), 0604);
    assert_int_equal(check(f, &mode_0640, true), TARGET_FORM_SET);
    assert_string_equal(f->text, "its mode was 0604, not 0640");
    assert_int_equal(mode_of(f->path), 0640);
    assert_int_equal(status_of(f->path).st_ino, inode);
    assert_int_equal(check(f, &mode_0640, true), TARGET_FORM_RIGHT);
}

/* A mode that keeps its owner from reading is corrected, too. */
static void test_set_without_reading(void **state)
{
    struct fixture *f = *state;

    make_file(f->path, 0);
    assert_int_equal(check(f, &mode_0640, true), TARGET_FORM_SET);
    assert_int_equal(mode_of(f->path), 0640);
}

static void test_group(void **state)
{
    const struct file_form wanted = {.has_mode = true, .mode = 0640, .gid = OTHER_GROUP};
    struct fixture *f = *state;
    char expected[TARGET_FORM_TEXT_MAX];

    if (geteuid() != 0)
        skip(); /* only root may give files to any group */
    make_file(f->path, 0600);
    (void)snprintf(expected, sizeof(expected),
                   "its mode was 0600, not 0640, its group was %u, not %u",
                   (unsigned)status_of(f->path).st_gid, (unsigned)OTHER_GROUP);
    assert_int_equal(check(f, &wanted, true), TARGET_FORM_SET);
    assert_string_equal(f->text, expected);
    assert_int_equal(status_of(f->path).st_gid, OTHER_GROUP);
    assert_int_equal(mode_of(f->path), 0640);
}

/* The other name may be somebody else's file, or a file of ours that is no key file. */
static void test_hard_link_is_left(void **state)
{
    struct fixture *f = *state;

    make_file(f->other_path, 0604);
    assert_int_equal(link(f->other_path, f->path), 0);
    assert_int_equal(check(f, &mode_0640, true), TARGET_FORM_WRONG);
    assert_string_equal(f->text, "its mode is 0604, not 0640, and cannot be set: Too many links");
    assert_int_equal(mode_of(f->other_path), 0604);
}

static void test_symbolic_link_is_not_followed(void **state)
{
    struct fixture *f = *state;

    make_file(f->other_path, 0604);
    assert_int_equal(symlink(f->other_path, f->path), 0);
    assert_int_equal(check(f, &mode_0640, true), TARGET_FORM_RIGHT);
    assert_int_equal(mode_of(f->other_path), 0604);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_right, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_told_and_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_set_without_reading, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_group, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hard_link_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_symbolic_link_is_not_followed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
