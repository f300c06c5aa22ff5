/* Hardening cannot be undone, so each test has a child process apply and check it. */
#include "io/sandbox/process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static bool harden(void)
{
    struct err err = {.code = 0};

    return process_harden(&err) == 0;
}

/* Does `check` hold in a child? _exit(): the child must not run the rest of the tests. */
static bool holds_in_child(bool (*check)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(check() ? 0 : 1);
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool memory_is_private(void)
{
    struct rlimit core;

    return harden() && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
           prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && getrlimit(RLIMIT_CORE, &core) == 0 &&
           core.rlim_cur == 0 && core.rlim_max == 0;
}

static void test_memory(void **state)
{
    (void)state;
    assert_true(holds_in_child(memory_is_private));
}

static bool umask_and_sigpipe_are_set(void)
{
    int ends[2];

    umask(0);
    if (!harden() || umask(0) != 077 || pipe(ends) != 0)
        return false;
    close(ends[0]);
    return write(ends[1], "x", 1) < 0; /* and we live */
}

static void test_umask_and_sigpipe(void **state)
{
    (void)state;
    assert_true(holds_in_child(umask_and_sigpipe_are_set));
}

static bool limits_are_raised(void)
{
    struct rlimit files, locked;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || getrlimit(RLIMIT_MEMLOCK, &locked) != 0)
        return false;
    files.rlim_cur = 64;
    locked.rlim_cur = 0;
    return setrlimit(RLIMIT_NOFILE, &files) == 0 && setrlimit(RLIMIT_MEMLOCK, &locked) == 0 &&
           harden() && getrlimit(RLIMIT_NOFILE, &files) == 0 &&
           files.rlim_cur == (files.rlim_max < 65536 ? files.rlim_max : 65536) &&
           getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_cur == locked.rlim_max;
}

static void test_limits(void **state)
{
    (void)state;
    assert_true(holds_in_child(limits_are_raised));
}

static bool is_open_for_children(int fd)
{
    int flags = fcntl(fd, F_GETFD);

    return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

static bool inherited_descriptors_stay_here(void)
{
    int inherited = fcntl(STDIN_FILENO, F_DUPFD, 20);

    unsetenv("LISTEN_FDS");
    return is_open_for_children(inherited) && harden() && !is_open_for_children(inherited) &&
           fcntl(inherited, F_GETFD) == FD_CLOEXEC && is_open_for_children(STDERR_FILENO);
}

static bool standard_descriptors_are_open(void)
{
    close(STDIN_FILENO);
    close(STDERR_FILENO);
    return harden() && is_open_for_children(STDIN_FILENO) && is_open_for_children(STDERR_FILENO) &&
           write(STDERR_FILENO, "x", 1) == 1;
}

static void test_descriptors(void **state)
{
    (void)state;
    assert_true(holds_in_child(inherited_descriptors_stay_here));
    assert_true(holds_in_child(standard_descriptors_are_open));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_umask_and_sigpipe),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
