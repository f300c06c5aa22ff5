/* Directories that are what their names say, and others; one of them is on a file system that hangs
 * for as long as the test wants. */
#include "io/sandbox/link_survey.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { TARGETS = 3 };

static char directory[] = "/tmp/krt-survey-XXXXXX";
static atomic_bool hanging;
static atomic_int looks;

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

int lstat(const char *path, struct stat *status)
{
    atomic_fetch_add(&looks, 1);
    while (atomic_load(&hanging) && strstr(path, "/dead"))
        pause_ms(1);
    return fstatat(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

/* Accounts with a target each: "t0", "t1", … `paths` are below the test's own directory. */
struct scene {
    char paths[TARGETS][128];
    char state_dir[128];
    struct destination destinations[TARGETS];
    struct account accounts[TARGETS];
    struct config config;
};

static const struct config *set_scene(struct scene *scene, const char *state_dir,
                                      const char *const paths[], size_t count)
{
    static const char *const names[TARGETS] = {"t0", "t1", "t2"};

    (void)snprintf(scene->state_dir, sizeof(scene->state_dir), "%s/%s", directory, state_dir);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(scene->paths[i], sizeof(scene->paths[i]), "%s/%s", directory, paths[i]);
        scene->destinations[i] = (struct destination){.name = names[i], .path = scene->paths[i]};
        scene->accounts[i] =
            (struct account){.destinations = &scene->destinations[i], .destination_count = 1};
    }
    scene->config = (struct config){.state_dir = scene->state_dir,
                                    .control_socket = "/run/control.sock",
                                    .accounts = scene->accounts,
                                    .account_count = count};
    return &scene->config;
}

/* Of one path, or of two. */
static int survey(const char *first, const char *second, const char **ret_target, struct err *err)
{
    const char *const paths[] = {first, second};
    struct scene scene;

    return link_survey(set_scene(&scene, "state", paths, second ? 2 : 1), NULL, ret_target, err);
}

static const char *in(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static int make_places(void **state)
{
    (void)state;
    return !mkdtemp(directory) || mkdir(in("real"), 0755) != 0 ||
           symlink("real", in("link")) != 0 || symlink("/not/there/yet", in("dangling")) != 0 ||
           close(open(in("file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) != 0;
}

static int remove_places(void **state)
{
    (void)state;
    return rmdir(in("real")) | unlink(in("link")) | unlink(in("dangling")) | unlink(in("file")) |
           rmdir(directory);
}

static void test_what_is_there_and_what_is_missing(void **state)
{
    const char *target;
    struct err err = {.code = 0};

    (void)state;
    assert_int_equal(survey("real/key", "key", &target, &err), 0);
    assert_int_equal(survey("real/not/there/yet/key", "nor/this/key", &target, &err), 0);
    /* What is no directory on the way is the business of the delivery. */
    assert_int_equal(survey("link", "file", &target, &err), 0);
    assert_null(target);
}

static void test_links(void **state)
{
    static const char *const behind[] = {"link/key", "link/not/there/key", "dangling/key",
                                         "dangling/below/key"};
    const char *target;

    (void)state;
    for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
        struct err err = {.code = 0};

        assert_int_equal(survey("real/key", behind[i], &target, &err), -ENOTSUP);
        assert_string_equal(target, "t1");
        assert_non_null(strstr(err.text, behind[i][0] == 'l' ? "/link is a symbolic link"
                                                             : "/dangling is a symbolic link"));
    }
}

static void test_what_cannot_be_told(void **state)
{
    const char *target;
    struct err err = {.code = 0};
    int looked_at_closed;

    (void)state;
    assert_int_equal(survey("file/key", NULL, &target, &err), -ENOTSUP);
    assert_non_null(strstr(err.text, "/file is not a directory"));

    assert_int_equal(chmod(directory, 0600), 0);
    if (geteuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    looked_at_closed = survey("real/key", NULL, &target, &err);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(directory, 0700), 0);
    assert_int_equal(looked_at_closed, -ENOTSUP);
    assert_non_null(strstr(err.text, "Permission denied"));
}

/* The journal and the socket stay where they are, whatever a reload says. */
static void test_of_a_reload_what_is_new(void **state)
{
    const char *const before[] = {"link/key", "real/key"};
    const char *const reordered[] = {"real/key", "link/other"};
    const char *const more[] = {"real/key", "link/key", "dangling/key"};
    struct scene known, config;
    const char *target;
    struct err err = {.code = 0};

    (void)state;
    set_scene(&known, "link", before, 2);
    assert_int_equal(link_survey(&known.config, NULL, &target, &err), -ENOTSUP);
    assert_null(target);
    set_scene(&config, "dangling", reordered, 2);
    assert_int_equal(link_survey(&config.config, &known.config, &target, &err), 0);
    set_scene(&config, "link", more, 3);
    assert_int_equal(link_survey(&config.config, &known.config, &target, &err), -ENOTSUP);
    assert_string_equal(target, "t2");
    set_scene(&known, "state", before, 0);
    assert_int_equal(link_survey(&config.config, &known.config, &target, &err), -ENOTSUP);
}

static double seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* It is waited for once, and never more than one thread hangs there. */
static void test_a_file_system_that_hangs(void **state)
{
    const double begun = seconds();
    const char *target;
    struct err err = {.code = 0};
    int looked;

    (void)state;
    atomic_store(&hanging, true);
    assert_int_equal(survey("dead/key", "link/key", &target, &err), -ETIMEDOUT);
    assert_true(seconds() - begun < 4);
    looked = atomic_load(&looks);
    for (int i = 0; i < 100; i++)
        assert_int_equal(survey("link/key", NULL, &target, &err), -ETIMEDOUT);
    assert_true(seconds() - begun < 4);
    assert_int_equal(atomic_load(&looks), looked);
    assert_non_null(strstr(err.text, "still hangs"));

    atomic_store(&hanging, false);
    for (int i = 0; i < 5000 && survey("real/key", NULL, &target, &err) != 0; i++)
        pause_ms(1);
    assert_int_equal(survey("real/key", NULL, &target, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_there_and_what_is_missing),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_what_cannot_be_told),
        cmocka_unit_test(test_of_a_reload_what_is_new),
        cmocka_unit_test(test_a_file_system_that_hangs),
    };

    return cmocka_run_group_tests(tests, make_places, remove_places);
}
