/* What is given up is gone for ever, so each test has a child process give it up and tell. */
#include "io/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/landlock.h"
#include "io/syscall_filter.h"
#include "io/write_roots.h"

enum { HOLDS, DOES_NOT_HOLD, NOT_TO_BE_HAD };

/* Runs `check` in a child. _exit(): the child must not run the rest of the tests. */
static void assert_holds_in_child(int (*check)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        _exit(check());
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NOT_TO_BE_HAD)
        skip(); /* such as under valgrind */
    assert_int_equal(WEXITSTATUS(status), HOLDS);
}

static int verdict(bool holds)
{
    return holds ? HOLDS : DOES_NOT_HOLD;
}

static bool is_refused(long result, int expected)
{
    return result < 0 && errno == expected;
}

static bool can_make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0 && unlink(path) == 0;
}

/* --- Landlock --- */

static char inside[] = "/tmp/krt-inside-XXXXXX";
static char outside[] = "/var/tmp/krt-outside-XXXXXX";
static char path[128], other[128];

static int make_directories(void **state)
{
    (void)state;
    return mkdtemp(inside) != NULL && mkdtemp(outside) != NULL ? 0 : -1;
}

static int remove_directories(void **state)
{
    (void)state;
    return rmdir(inside) | rmdir(outside);
}

static const char *in(const char *directory, const char *name)
{
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static bool can_replace(const char *directory)
{
    (void)snprintf(other, sizeof(other), "%s/other", directory);
    return open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) >= 0 &&
           rename(other, in(directory, "file")) == 0 && unlink(path) == 0;
}

static int writing_is_limited(void)
{
    const char *const places[] = {inside, "/dev/null"};
    struct err err = {.code = 0};

    if (landlock_version() == 0)
        return NOT_TO_BE_HAD;
    return verdict(landlock_limit_writing(places, 2, &err) == 0 && can_replace(inside) &&
                   mkdir(in(inside, "new"), 0700) == 0 &&
                   is_refused(rmdir(in(inside, "new")), EACCES) &&
                   open("/dev/null", O_WRONLY | O_CLOEXEC) >= 0 &&
                   is_refused(open(in(outside, "file"), O_WRONLY | O_CREAT, 0600), EACCES) &&
                   is_refused(mkdir(in(outside, "new"), 0700), EACCES) &&
                   is_refused(symlink("file", in(inside, "link")), EACCES) &&
                   is_refused(mkfifo(in(inside, "pipe"), 0600), EACCES) &&
                   is_refused(execl("/bin/true", "true", (char *)NULL), EACCES));
}

static int reading_is_not_limited(void)
{
    const char *const places[] = {inside};
    struct err err = {.code = 0};

    if (landlock_version() == 0)
        return NOT_TO_BE_HAD;
    return verdict(landlock_limit_writing(places, 1, &err) == 0 &&
                   open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 &&
                   open(outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0);
}

static int a_missing_place_changes_nothing(void)
{
    const char *const places[] = {inside, "/no/such/place"};
    struct err err = {.code = 0};

    if (landlock_version() == 0)
        return NOT_TO_BE_HAD;
    return verdict(landlock_limit_writing(places, 2, &err) == -ENOENT &&
                   strstr(err.text, "/no/such/place") != NULL &&
                   can_make_file(in(outside, "file")));
}

static void test_writing(void **state)
{
    (void)state;
    assert_holds_in_child(writing_is_limited);
    (void)rmdir(in(inside, "new"));
    assert_holds_in_child(reading_is_not_limited);
    assert_holds_in_child(a_missing_place_changes_nothing);
}

/* --- system calls --- */

static int apply(bool runs_programs)
{
    struct err err = {.code = 0};

    switch (syscall_filter_apply(runs_programs, &err)) {
    case 0:
        return HOLDS;
    case -EOPNOTSUPP:
        return NOT_TO_BE_HAD;
    default:
        return DOES_NOT_HOLD;
    }
}

static int calls_are_refused(void)
{
    int applied = apply(false);

    if (applied != HOLDS)
        return applied;
#ifndef __SANITIZE_ADDRESS__
    if (!is_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM) ||
        !is_refused(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), EPERM))
        return DOES_NOT_HOLD;
#endif
    return verdict(is_refused(execl("/bin/true", "true", (char *)NULL), EPERM) &&
                   is_refused(setuid(getuid()), EPERM) &&
                   is_refused(mount("none", "/mnt", "tmpfs", 0, NULL), EPERM) &&
                   is_refused(socket(AF_PACKET, SOCK_RAW, 0), EAFNOSUPPORT) &&
                   is_refused(socket(AF_ALG, SOCK_SEQPACKET, 0), EAFNOSUPPORT) &&
                   is_refused(socket(AF_VSOCK, SOCK_STREAM, 0), EAFNOSUPPORT));
}

/* Threads to come are limited, and free, alike. */
static void *use_a_thread(void *worked)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *(bool *)worked = fd >= 0 && close(fd) == 0 && is_refused(setuid(getuid()), EPERM);
    return NULL;
}

static int ordinary_calls_work(void)
{
    int applied = apply(false);
    pthread_t thread;
    bool worked = false;

    if (applied != HOLDS)
        return applied;
    return verdict(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                   socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 &&
                   socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 &&
                   socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0 &&
                   mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED &&
                   pthread_create(&thread, NULL, use_a_thread, &worked) == 0 &&
                   pthread_join(thread, NULL) == 0 && worked);
}

/* The program that runs gives the exit status, HOLDS. */
static int programs_run_where_they_must(void)
{
    int applied = apply(true);

    if (applied != HOLDS)
        return applied;
    (void)execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
    return DOES_NOT_HOLD;
}

static void test_calls(void **state)
{
    (void)state;
    assert_holds_in_child(calls_are_refused);
    assert_holds_in_child(ordinary_calls_work);
    assert_holds_in_child(programs_run_where_they_must);
}

/* --- where a configuration writes --- */

enum { TARGETS = 4 };

static struct destination destinations[TARGETS];
static struct account accounts[TARGETS];

/* Accounts with a target each: "t0", "t1", … */
static struct config configured(const char *state_dir, const char *const paths[], size_t count)
{
    static const char *const names[TARGETS] = {"t0", "t1", "t2", "t3"};

    for (size_t i = 0; i < count; i++) {
        destinations[i] = (struct destination){.name = names[i], .path = paths[i]};
        accounts[i] = (struct account){.destinations = &destinations[i], .destination_count = 1};
    }
    return (struct config){.path = "/etc/keyrotated/keyrotated.yaml",
                           .state_dir = state_dir,
                           .control_socket = "/run/keyrotated/control.sock",
                           .accounts = accounts,
                           .account_count = count};
}

static void test_roots(void **state)
{
    const char *const paths[] = {"/var/lib/keys/a", "//srv/b", "/opt/keys/{location}/c"};
    struct config config = configured("/var/lib/keyrotated", paths, 3);
    struct write_roots roots;
    struct err err = {.code = 0};

    (void)state;
    assert_int_equal(write_roots_find(&config, &roots, &err), 0);
    assert_true(write_roots_get(&roots, "/var")->stays);
    assert_true(write_roots_get(&roots, "/run")->stays);
    assert_false(write_roots_get(&roots, "/opt")->stays);
    assert_false(write_roots_get(&roots, "/srv")->stays);
    assert_string_equal(write_roots_get(&roots, "/srv")->target, "t1");
    assert_null(write_roots_get(&roots, "/etc"));
    assert_null(write_roots_get(&roots, "/"));
}

/* Where the daemon has its own files open, nothing can be unmounted. */
static void test_roots_in_use(void **state)
{
    const char *const paths[] = {"/data/keys/a"};
    struct config config = configured("/data/keyrotated", paths, 1);
    struct write_roots roots;
    struct err err = {.code = 0};

    (void)state;
    assert_int_equal(write_roots_find(&config, &roots, &err), 0);
    assert_true(write_roots_get(&roots, "/data")->stays);
    assert_string_equal(write_roots_get(&roots, "/data")->target, "t0");
}

static void test_roots_behind_links(void **state)
{
    char link[128], target[160];
    const char *const paths[] = {target};
    struct config config;
    struct write_roots roots;
    struct err err = {.code = 0};

    (void)state;
    (void)snprintf(link, sizeof(link), "%s/link", inside);
    (void)snprintf(target, sizeof(target), "%s/not/there/yet/key", link);
    assert_int_equal(symlink(outside, link), 0);
    config = configured("/run/keyrotated", paths, 1);
    assert_int_equal(write_roots_find(&config, &roots, &err), 0);
    assert_non_null(write_roots_get(&roots, "/tmp"));
    assert_string_equal(write_roots_get(&roots, "/var")->target, "t0");
    assert_int_equal(unlink(link), 0);
}

static void test_roots_that_are_none(void **state)
{
    const char *const in_root[] = {"/key"};
    const char *const unknown[] = {"/{location}/key"};
    struct config config = configured("/var/lib/keyrotated", in_root, 1);
    struct write_roots roots;
    struct err err = {.code = 0};

    (void)state;
    assert_int_equal(write_roots_find(&config, &roots, &err), -ENOTSUP);
    config = configured("/var/lib/keyrotated", unknown, 1);
    assert_int_equal(write_roots_find(&config, &roots, &err), -ENOTSUP);
    assert_non_null(strstr(err.text, "{location}"));
}

/* --- all together --- */

static bool admits(const struct confinement *confinement, const struct config *config,
                   const char *expected)
{
    struct config_messages messages;
    bool admitted, as_expected;

    config_messages_init(&messages);
    admitted = confinement_admits(confinement, config, &messages);
    as_expected = expected == NULL
                      ? messages.error_count == 0
                      : messages.error_count == 1 &&
                            strstr(buf_str(&messages.text), expected) != NULL &&
                            strstr(buf_str(&messages.text), "systemctl restart") != NULL;
    config_messages_done(&messages);
    return admitted == (expected == NULL) && as_expected;
}

static int a_reload_cannot_widen(void)
{
    const char *const before[] = {"/var/lib/keys/a"};
    const char *const within[] = {"/run/app/a", "/var/other/b"};
    const char *const beyond[] = {"/var/lib/keys/a", "/tmp/keys/b"};
    const char *const in_root[] = {"/key"};
    struct config config = configured("/var/lib/keyrotated", before, 1);
    struct confinement *confinement = confinement_begin(&config);
    char text[CONFINEMENT_TEXT_MAX];
    bool held;

    if (confinement == NULL)
        return DOES_NOT_HOLD;
    if (confinement_gap(confinement, 0) != NULL)
        return NOT_TO_BE_HAD;
    held = strcmp(confinement_describe(confinement, text), "writing, system calls") == 0 &&
           is_refused(open("/tmp/krt-beyond", O_WRONLY | O_CREAT, 0600), EACCES) &&
           is_refused(setuid(getuid()), EPERM);
    config = configured("/var/lib/keyrotated", within, 2);
    held = held && admits(confinement, &config, NULL);
    config = configured("/var/lib/keyrotated", beyond, 2);
    held =
        held && admits(confinement, &config, "targets.t1.path: nothing can be written below /tmp");
    config = configured("/tmp/keyrotated", beyond, 2); /* the journal moves at the next start */
    held = held && admits(confinement, &config, "targets.t1.path");
    config = configured("/var/lib/keyrotated", in_root, 1);
    held = held && admits(confinement, &config, "it is not known below which directory");
    confinement_free(confinement);
    return verdict(held);
}

/* With key files there, only system calls are limited, for that reason. */
static int writing_stays_free(const char *key_path, const char *reason)
{
    const char *const paths[] = {key_path};
    const char *const anywhere[] = {"/tmp/keys/b"};
    struct config config = configured("/var/lib/keyrotated", paths, 1);
    struct confinement *confinement = confinement_begin(&config);
    char text[CONFINEMENT_TEXT_MAX];
    bool held;

    if (confinement == NULL)
        return DOES_NOT_HOLD;
    if (confinement_gap(confinement, 1) != NULL)
        return NOT_TO_BE_HAD;
    held = strcmp(confinement_describe(confinement, text), "system calls") == 0 &&
           strstr(confinement_gap(confinement, 0), reason) != NULL &&
           can_make_file(in(outside, "file"));
    config = configured("/var/lib/keyrotated", anywhere, 1);
    held = held && admits(confinement, &config, NULL);
    confinement_free(confinement);
    return verdict(held);
}

static int a_file_in_the_root_directory(void)
{
    return writing_stays_free("/key", "directory of /");
}

static int a_place_that_may_come_and_go(void)
{
    return writing_stays_free("/srv/keys/a", "below /srv");
}

static void test_confinement(void **state)
{
    (void)state;
    assert_holds_in_child(a_reload_cannot_widen);
    assert_holds_in_child(a_file_in_the_root_directory);
    assert_holds_in_child(a_place_that_may_come_and_go);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_roots),
        cmocka_unit_test(test_roots_in_use),
        cmocka_unit_test(test_roots_behind_links),
        cmocka_unit_test(test_roots_that_are_none),
        cmocka_unit_test(test_confinement),
    };

    return cmocka_run_group_tests(tests, make_directories, remove_directories);
}
