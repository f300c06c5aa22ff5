/* A filter stays for ever, so each check applies it in a child process. */
#include "io/sandbox/syscall_filter.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

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

static int apply(void)
{
    struct err err = {.code = 0};

    switch (syscall_filter_apply(&err)) {
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
    int applied = apply();

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

/* Later threads are under the same filter, and can work. */
static void *use_a_thread(void *worked)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *(bool *)worked = fd >= 0 && close(fd) == 0 && is_refused(setuid(getuid()), EPERM);
    return NULL;
}

static int ordinary_calls_work(void)
{
    int applied = apply();
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

static void test_calls(void **state)
{
    (void)state;
    assert_holds_in_child(calls_are_refused);
    assert_holds_in_child(ordinary_calls_work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
