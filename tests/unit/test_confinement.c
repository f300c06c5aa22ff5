/* What is given up is gone for ever, so each test has a child process give it up and tell. */
#include "io/sandbox/confinement.h"

#include <dlfcn.h>
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

#include "io/target/file_failure.h"
#include "io/sandbox/landlock.h"
#include "io/sandbox/syscall_filter.h"
#include "io/sandbox/write_roots.h"

static bool no_threads;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *context)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return no_threads ? EAGAIN : real(thread, attributes, start, context);
}

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

static const char *in(const char *directory, const char *name)
{
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static int make_directories(void **state)
{
    (void)state;
    return mkdtemp(inside) && mkdtemp(outside) &&
                   symlink("/not/there/yet", in(outside, "link")) == 0
               ? 0
               : -1;
}

static int remove_directories(void **state)
{
    (void)state;
    return unlink(in(outside, "link")) | rmdir(inside) | rmdir(outside);
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

static bool denial_says(const char *directory, const char *remedy)
{
    struct err err = {.code = -EACCES, .text = "cannot create a file"};
    struct failure failure;

    file_failure_write(&failure, in(directory, "key"), NULL, &err);
    return failure.reason == REASON_TARGET_DENIED && strstr(failure.remedy, remedy);
}

/* Only where owner and mode would permit it: else a restart would mend nothing. */
static int a_denial_names_the_limit(void)
{
    const char *const places[] = {inside};
    struct err err = {.code = 0};

    if (landlock_version() == 0)
        return NOT_TO_BE_HAD;
    return verdict(denial_says(outside, "setfacl") &&
                   landlock_limit_writing(places, 1, &err) == 0 &&
                   denial_says(outside, "restart keyrotated, which limits where it writes") &&
                   denial_says("/not/there", "setfacl"));
}

static int a_missing_place_changes_nothing(void)
{
    const char *const places[] = {inside, "/no/such/place"};
    struct err err = {.code = 0};

    if (landlock_version() == 0)
        return NOT_TO_BE_HAD;
    return verdict(landlock_limit_writing(places, 2, &err) == -ENOENT &&
                   strstr(err.text, "/no/such/place") && can_make_file(in(outside, "file")));
}

static void test_writing(void **state)
{
    (void)state;
    assert_holds_in_child(writing_is_limited);
    (void)rmdir(in(inside, "new"));
    assert_holds_in_child(reading_is_not_limited);
    assert_holds_in_child(a_denial_names_the_limit);
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

/* Accounts with a target each: "t0", "t1", … */
static struct config configured_in(struct destination *in, struct account *of,
                                   const char *state_dir, const char *const paths[], size_t count)
{
    static const char *const names[TARGETS] = {"t0", "t1", "t2", "t3"};

    for (size_t i = 0; i < count; i++) {
        in[i] = (struct destination){.name = names[i], .path = paths[i]};
        of[i] = (struct account){.destinations = &in[i], .destination_count = 1};
    }
    return (struct config){.path = "/etc/keyrotated/keyrotated.yaml",
                           .state_dir = state_dir,
                           .control_socket = "/run/keyrotated/control.sock",
                           .accounts = of,
                           .account_count = count};
}

static struct config configured(const char *state_dir, const char *const paths[], size_t count)
{
    static struct destination destinations[TARGETS];
    static struct account accounts[TARGETS];

    return configured_in(destinations, accounts, state_dir, paths, count);
}

static const char *path_in_force = "/var/lib/keys/a";

static struct config configured_before(void)
{
    static struct destination destination;
    static struct account account;

    return configured_in(&destination, &account, "/var/lib/keyrotated", &path_in_force, 1);
}

static int find(const struct config *config, struct write_roots *roots, struct err *err)
{
    int rc;

    *roots = (struct write_roots){.count = 0};
    rc = write_roots_add_own(roots, config, err);
    return rc != 0 ? rc : write_roots_add_targets(roots, config, err);
}

static void test_roots(void **state)
{
    const char *const paths[] = {"/var/lib/keys/a", "//srv/b", "/opt/keys/{location}-c"};
    struct config config = configured("/var/lib/keyrotated", paths, 3);
    struct write_roots roots;
    struct err err = {.code = 0};

    (void)state;
    assert_int_equal(find(&config, &roots, &err), 0);
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
    struct config config = configured("/data", paths, 1);
    struct write_roots roots;
    struct err err = {.code = 0};

    (void)state;
    assert_int_equal(find(&config, &roots, &err), 0);
    assert_true(write_roots_get(&roots, "/data")->stays);
    assert_string_equal(write_roots_get(&roots, "/data")->target, "t0");
}

static void test_roots_that_are_none(void **state)
{
    static const struct {
        const char *path, *named;
    } cases[] = {
        {"/key", "files in / "},
        {"/{location}/key", "/{location}"},
        {"/var/lib/keys/{location}/key", "/var/lib/keys/{location}"},
        {"/var/lib/keys/in-{location}/x/key", "{location}/x"},
        {"/var/../srv/key", "/var/../srv"},
    };
    struct write_roots roots;
    struct err err = {.code = 0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config config = configured("/var/lib/keyrotated", &cases[i].path, 1);

        assert_int_equal(find(&config, &roots, &err), -ENOTSUP);
        assert_non_null(strstr(err.text, cases[i].named));
    }
}

/* --- all together --- */

static bool admits(const struct confinement *confinement, const struct config *config,
                   const char *expected)
{
    const struct config in_force = configured_before();
    struct config_messages messages;
    bool admitted, as_expected;

    config_messages_init(&messages);
    admitted = confinement_admits(confinement, &in_force, config, &messages);
    as_expected = !expected
                      ? messages.error_count == 0
                      : messages.error_count == 1 && strstr(buf_str(&messages.text), expected) &&
                            strstr(buf_str(&messages.text), "systemctl restart");
    config_messages_done(&messages);
    return admitted == (!expected) && as_expected;
}

/* Confines this process. `gaps`: how many of the measures are expected not to be in force; where
 * there are more, it is not to be had here. */
static int begin(const struct config *config, unsigned gaps, struct confinement **ret_confinement)
{
    struct confinement *confinement = confinement_begin(config);

    if (!confinement)
        return DOES_NOT_HOLD;
    if (confinement_gap(confinement, gaps)) {
        confinement_free(confinement);
        return NOT_TO_BE_HAD;
    }
    *ret_confinement = confinement;
    return HOLDS;
}

static int a_reload_cannot_widen(void)
{
    const char *const within[] = {"/run/app/a", "/var/other/b"};
    const char *const beyond[] = {"/var/lib/keys/a", "/tmp/keys/b"};
    const char *const in_root[] = {"/key"};
    struct config config = configured_before();
    struct confinement *confinement = NULL;
    char text[CONFINEMENT_TEXT_MAX];
    bool held;
    int begun = begin(&config, 0, &confinement);

    if (begun != HOLDS)
        return begun;
    held = strcmp(confinement_describe(confinement, text), "writing, system calls") == 0 &&
           landlock_limits_writing() &&
           is_refused(open("/tmp/krt-beyond", O_WRONLY | O_CREAT, 0600), EACCES) &&
           is_refused(setuid(getuid()), EPERM);
    config = configured("/var/lib/keyrotated", within, 2);
    held = held && admits(confinement, &config, NULL);
    config = configured("/var/lib/keyrotated", beyond, 2);
    held =
        held && admits(confinement, &config, "targets.t1.path: nothing can be written below /tmp");
    config = configured("/tmp/keyrotated", beyond, 2); /* the journal moves at the next start */
    held = held && admits(confinement, &config, "targets.t1.path");
    config = configured("/", within, 2);
    held = held && admits(confinement, &config, NULL);
    config = configured("/var/lib/keyrotated", in_root, 1);
    held = held && admits(confinement, &config, "it is not known below which directory");
    confinement_free(confinement);
    return verdict(held);
}

/* What is behind a link counts for a configuration that is the first to have it; and where nobody
 * can look, for none. */
static int a_reload_is_refused_for_what_is_new(void)
{
    char known[128], added[128];
    const char *const both[] = {known, added};
    struct config config = configured_before();
    struct confinement *confinement = NULL;
    bool held;
    int begun = begin(&config, 0, &confinement);

    if (begun != HOLDS)
        return begun;
    (void)snprintf(known, sizeof(known), "%s/link/key", outside);
    (void)snprintf(added, sizeof(added), "%s/link/below/key", outside);
    path_in_force = known;
    config = configured("/var/lib/keyrotated", both, 1);
    held = admits(confinement, &config, NULL);
    config = configured("/var/lib/keyrotated", both, 2);
    held = held && admits(confinement, &config, "targets.t1.path: /var/tmp/krt-outside-") &&
           admits(confinement, &config, "link is a symbolic link");
    no_threads = true;
    held = held && admits(confinement, &config, NULL);
    confinement_free(confinement);
    return verdict(held);
}

/* With key files there, only system calls are limited, for that reason. */
static int writing_stays_free(const char *key_path, const char *reason)
{
    const char *const paths[] = {key_path};
    const char *const anywhere[] = {"/tmp/keys/b"};
    struct config config = configured("/var/lib/keyrotated", paths, 1);
    struct confinement *confinement = NULL;
    char text[CONFINEMENT_TEXT_MAX];
    bool held;
    int begun = begin(&config, 1, &confinement);

    if (begun != HOLDS)
        return begun;
    held = strcmp(confinement_describe(confinement, text), "system calls") == 0 &&
           strstr(confinement_gap(confinement, 0), reason) && can_make_file(in(outside, "file"));
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

/* Such as /var/lib/keys, which leads to a file system that is mounted later. */
static int a_place_behind_a_dangling_link(void)
{
    char key[128];

    (void)snprintf(key, sizeof(key), "%s/link/key", outside);
    return writing_stays_free(key, "link is a symbolic link");
}

static int a_place_that_only_azure_names(void)
{
    return writing_stays_free("/var/lib/keys/{location}/a", "/var/lib/keys/{location}");
}

static void test_confinement(void **state)
{
    (void)state;
    assert_holds_in_child(a_reload_cannot_widen);
    assert_holds_in_child(a_reload_is_refused_for_what_is_new);
    assert_holds_in_child(a_file_in_the_root_directory);
    assert_holds_in_child(a_place_that_may_come_and_go);
    assert_holds_in_child(a_place_behind_a_dangling_link);
    assert_holds_in_child(a_place_that_only_azure_names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_roots),
        cmocka_unit_test(test_roots_in_use),
        cmocka_unit_test(test_roots_that_are_none),
        cmocka_unit_test(test_confinement),
    };

    return cmocka_run_group_tests(tests, make_directories, remove_directories);
}
