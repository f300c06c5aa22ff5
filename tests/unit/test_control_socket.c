/*
 * The control socket as a file: whose it is, and who is at its other end. As in the service, whose
 * system call filter refuses every change of a group, even one that changes nothing.
 */
#include "io/server/control_socket.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const uid_t UNMAPPED = 65534;

struct fixture {
    char directory[64];
    char path[96];
    struct control_socket made;
    struct err err;
};

int lchown(const char *path, uid_t owner, gid_t group)
{
    (void)path;
    (void)owner;
    (void)group;
    errno = EPERM;
    return -1;
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.made = {.fd = -1}};
    strcpy(fixture.directory, "/tmp/keyrotated-socket-XXXXXX");
    assert_non_null(mkdtemp(fixture.directory));
    snprintf(fixture.path, sizeof(fixture.path), "%s/s", fixture.directory);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    control_socket_done(&fixture->made);
    return rmdir(fixture->directory);
}

static void open_for(struct fixture *fixture, const char *group)
{
    assert_int_equal(control_socket_init(&fixture->made, fixture->path, group, &fixture->err), 0);
}

static void test_group_of_others_is_warned_about(void **state)
{
    struct fixture *fixture = *state;
    const char *name = getegid() == 0 ? "daemon" : "root";

    open_for(fixture, name);
    assert_non_null(strstr(fixture->made.warning, "could not be given to the group"));
    assert_non_null(strstr(fixture->made.warning, name));
}

static void test_group_that_it_has_is_not_given(void **state)
{
    struct fixture *fixture = *state;
    const struct group *own = getgrgid(getegid());
    struct stat status;

    open_for(fixture, own ? own->gr_name : NULL);
    assert_string_equal(fixture->made.warning, "");
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_gid, getegid());
    assert_int_equal(status.st_mode & 0777, 0660);
}

static void test_group_that_there_is_not_is_warned_about(void **state)
{
    struct fixture *fixture = *state;

    open_for(fixture, "no-such-group");
    assert_non_null(strstr(fixture->made.warning, "there is no group no-such-group: only root"));
    assert_non_null(strstr(fixture->made.warning, "groupadd --system no-such-group"));
    assert_non_null(strstr(fixture->made.warning, fixture->path));
}

static void make_pair(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

static void name_in_pair(const int pair[2], char out[CONTROL_ACTOR_MAX])
{
    control_socket_peer(pair[0], out);
    assert_int_equal(close(pair[0]), 0);
    assert_int_equal(close(pair[1]), 0);
}

static void name_of_peer(char out[CONTROL_ACTOR_MAX])
{
    int pair[2];

    make_pair(pair);
    name_in_pair(pair, out);
}

static void test_peer_is_named(void **state)
{
    char name[CONTROL_ACTOR_MAX], expected[32];

    (void)state;
    snprintf(expected, sizeof(expected), "uid %u", (unsigned)getuid());
    name_of_peer(name);
    assert_memory_equal(name, expected, strlen(expected));
}

/* The peer is the user that the kernel reports in the place of hidden ones. */
static void make_pair_of_nobody(int pair[2])
{
    assert_int_equal(seteuid(UNMAPPED), 0);
    make_pair(pair);
    assert_int_equal(seteuid(0), 0);
}

static bool all_users_are_mapped(void)
{
    char map[64] = "";
    FILE *file = fopen("/proc/self/uid_map", "re");

    return file && fgets(map, sizeof(map), file) && fclose(file) == 0 && strstr(map, " 4294967295");
}

static void test_nobody_is_called_nobody(void **state)
{
    char name[CONTROL_ACTOR_MAX];
    int pair[2];

    (void)state;
    if (getuid() != 0 || !all_users_are_mapped())
        skip();
    make_pair_of_nobody(pair);
    name_in_pair(pair, name);
    assert_memory_equal(name, "uid 65534", 9);
}

enum { AS_EXPECTED, NOT_AS_EXPECTED, NO_NAMESPACE };

/* In a user namespace in which only root exists, as PrivateUsers= makes it. */
static int name_in_namespace(const int pair[2])
{
    char name[CONTROL_ACTOR_MAX];
    FILE *map;

    if (unshare(CLONE_NEWUSER) != 0 || !(map = fopen("/proc/self/uid_map", "we")) ||
        fputs("0 0 1\n", map) < 0 || fclose(map) != 0)
        return NO_NAMESPACE;
    name_in_pair(pair, name);
    return strcmp(name, "a member of keyrotated-admin") == 0 ? AS_EXPECTED : NOT_AS_EXPECTED;
}

/* A hidden user gets no name: the number belongs to somebody else here. */
static void test_hidden_peer_is_not_called_nobody(void **state)
{
    int pair[2], status = -1;
    pid_t pid;

    (void)state;
    if (getuid() != 0)
        skip();
    make_pair_of_nobody(pair);
    pid = fork();
    if (pid == 0)
        _exit(name_in_namespace(pair));
    assert_int_equal(close(pair[0]), 0);
    assert_int_equal(close(pair[1]), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_NAMESPACE)
        skip();
    assert_int_equal(WEXITSTATUS(status), AS_EXPECTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_group_of_others_is_warned_about, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_group_that_it_has_is_not_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_group_that_there_is_not_is_warned_about, set_up,
                                        tear_down),
        cmocka_unit_test(test_peer_is_named),
        cmocka_unit_test(test_nobody_is_called_nobody),
        cmocka_unit_test(test_hidden_peer_is_not_called_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
