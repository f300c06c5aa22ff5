#include "io/server/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json_object.h>

#include "base/str.h"
#include "control_fixture.h"

static struct reply first, second, third;

/* --- questions --- */

static void ask(struct control_fixture *fixture)
{
    first = control_fixture_fetch(fixture, "/v1/status", NULL, NULL);
}

static void test_status(void **state)
{
    struct control_fixture *fixture = *state;
    struct control_status status;
    struct err err;

    control_fixture_serve(fixture, ask);
    assert_int_equal(first.status, 200);
    assert_int_equal(fixture->questions, 1);
    assert_string_equal(fixture->question, "status");
    assert_int_equal(control_status_parse(first.text, strlen(first.text), &status, &err), 0);
    assert_string_equal(status.daemon.version, "1.0");
    control_status_done(&status);
}

static void ask_for_names(struct control_fixture *fixture)
{
    first =
        control_fixture_fetch(fixture, "/v1/accounts?account=a%2Fb&account=%2Fsub%2fc", NULL, NULL);
    second = control_fixture_fetch(fixture, "/v1/accounts/nobody", NULL, NULL);
    third = control_fixture_fetch(fixture, "/v1/accounts/twins", NULL, NULL);
}

static void test_names(void **state)
{
    struct control_fixture *fixture = *state;

    control_fixture_serve(fixture, ask_for_names);
    assert_int_equal(first.status, 200);
    assert_int_equal(second.status, 404);
    assert_string_equal(second.text,
                        "{\"error\":{\"code\":\"not_found\",\"message\":\"there is no account "
                        "nobody\"}}\n");
    assert_int_equal(third.status, 409);
    assert_non_null(strstr(third.text, "\"ambiguous\""));
    assert_string_equal(fixture->question, "accounts");
    assert_string_equal(fixture->names, "twins;");
    assert_int_equal(fixture->questions, 3);
}

static void ask_wrongly(struct control_fixture *fixture)
{
    first = control_fixture_fetch(fixture, "/v1/nothing", NULL, NULL);
    second = control_fixture_fetch(fixture, "/v1/status", "{}", NULL);
    third = control_fixture_fetch(fixture, "/v1/accounts/a/rotate", NULL, "DELETE");
}

static void test_wrong_paths_and_methods(void **state)
{
    control_fixture_serve(*state, ask_wrongly);
    assert_int_equal(first.status, 404);
    assert_non_null(strstr(first.text, "\"no_such_path\""));
    assert_int_equal(second.status, 405);
    assert_non_null(strstr(second.text, "only GET"));
    assert_int_equal(third.status, 405);
    assert_non_null(strstr(third.text, "only POST"));
}

/* --- commands --- */

static void command_rotate(struct control_fixture *fixture)
{
    first = control_fixture_fetch(fixture, "/v1/accounts/group%2FAcct/rotate",
                                  "{\"dry_run\": true}", NULL);
}

static void check_accepted(const struct reply *reply)
{
    struct control_answer answer;
    struct json_object *document;
    struct err err;

    assert_int_equal(reply->result, CURLE_OK);
    assert_int_equal(reply->status, 202);
    assert_int_equal(
        control_answer_parse(reply->text, strlen(reply->text), &answer, &document, &err), 0);
    assert_int_equal(answer.outcome, CONTROL_ACCEPTED);
    assert_string_equal(answer.message, "it rotates");
    assert_int_equal(answer.cycle, 7);
    json_object_put(document);
}

static void test_command_answered_at_once(void **state)
{
    struct control_fixture *fixture = *state;
    char expected[128];

    control_fixture_serve(fixture, command_rotate);
    check_accepted(&first);
    assert_int_equal(fixture->last.kind, CONTROL_ROTATE);
    assert_true(fixture->last.dry_run);
    snprintf(expected, sizeof(expected), "group/Acct|uid %u", (unsigned)getuid());
    assert_true(str_starts_with(fixture->last_texts, expected));
    if (getuid() == 0)
        assert_non_null(strstr(fixture->last_texts, "|uid 0 (root)|"));
}

static void test_command_answered_later(void **state)
{
    struct control_fixture *fixture = *state;

    fixture->answer_after = 60;
    control_fixture_serve(fixture, command_rotate);
    check_accepted(&first);
}

static void test_command_that_takes_too_long(void **state)
{
    struct control_fixture *fixture = *state;

    fixture->answer_after = -1;
    fixture->limits.command_timeout = 80;
    control_fixture_serve(fixture, command_rotate);
    assert_int_equal(first.status, 503);
    assert_non_null(strstr(first.text, "\"not_done\""));
    assert_null(fixture->waiting); /* and its late answer was taken */
}

static void ask_history(struct control_fixture *fixture)
{
    first = control_fixture_fetch(fixture, "/v1/history?account=a&failed=true", NULL, NULL);
}

/* The query lives until the answer, whenever that comes. */
static void test_question_answered_later(void **state)
{
    struct control_fixture *fixture = *state;

    fixture->answer_after = 60;
    control_fixture_serve(fixture, ask_history);
    assert_int_equal(first.status, 200);
    assert_string_equal(fixture->question, "history");
    assert_string_equal(fixture->names, "a;");
    assert_true(fixture->last_query.failed);
}

static void test_question_answered_at_once(void **state)
{
    struct control_fixture *fixture = *state;

    control_fixture_serve(fixture, ask_history);
    assert_int_equal(first.status, 200);
    assert_int_equal(fixture->questions, 1);
}

static void test_question_that_fails(void **state)
{
    struct control_fixture *fixture = *state;

    fixture->answer_after = 1;
    fixture->answer_fails = true;
    control_fixture_serve(fixture, ask_history);
    assert_int_equal(first.status, 503);
    assert_non_null(strstr(first.text, "the disk is on fire"));
}

static void test_question_that_takes_too_long(void **state)
{
    struct control_fixture *fixture = *state;

    fixture->answer_after = -1;
    fixture->limits.command_timeout = 80;
    control_fixture_serve(fixture, ask_history);
    assert_int_equal(first.status, 503);
    assert_non_null(strstr(first.text, "the journal is slow to read"));
    assert_null(fixture->waiting); /* and its late answer was taken */
}

static void command_then_stop(struct control_fixture *fixture)
{
    struct timespec pause = {.tv_nsec = 50000000};
    char buffer[2048];
    size_t used = 0;
    ssize_t count;
    int fd = control_fixture_connect(fixture);
    static const char text[] = "POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

    (void)!write(fd, text, sizeof(text) - 1);
    nanosleep(&pause, NULL);
    atomic_store(&fixture->close_wanted, true);
    while (used < sizeof(buffer) - 1 &&
           (count = read(fd, buffer + used, sizeof(buffer) - 1 - used)) > 0)
        used += (size_t)count;
    buffer[used] = '\0';
    (void)str_copy(first.text, sizeof(first.text), buffer);
    (void)close(fd);
}

static void test_stop_while_a_command_waits(void **state)
{
    struct control_fixture *fixture = *state;

    fixture->answer_after = -1;
    control_fixture_serve(fixture, command_then_stop);
    assert_int_equal(fixture->commands, 1);
    assert_non_null(strstr(first.text, "503"));
    assert_non_null(strstr(first.text, "the daemon is stopping"));
}

static void command_and_leave(struct control_fixture *fixture)
{
    struct timespec pause = {.tv_nsec = 30000000};
    int fd = control_fixture_connect(fixture);
    static const char text[] = "POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

    (void)!write(fd, text, sizeof(text) - 1);
    nanosleep(&pause, NULL);
    (void)close(fd);
    first = control_fixture_fetch(fixture, "/v1/status", NULL, NULL); /* nobody else is disturbed */
}

static void test_client_that_leaves(void **state)
{
    struct control_fixture *fixture = *state;

    fixture->answer_after = 100;
    control_fixture_serve(fixture, command_and_leave);
    assert_int_equal(fixture->commands, 1);
    assert_int_equal(first.status, 200);
}

static void send_bad_bodies(struct control_fixture *fixture)
{
    first = control_fixture_fetch(fixture, "/v1/accounts/a/adopt",
                                  "{\"active\":\"primary\",\"active\":\"secondary\"}", NULL);
    second =
        control_fixture_fetch(fixture, "/v1/accounts/a/adopt", "{\"aktive\":\"primary\"}", NULL);
    third = control_fixture_fetch(fixture, "/v1/accounts/a/hold", "{'until': 1}", NULL);
}

static void test_bad_bodies(void **state)
{
    struct control_fixture *fixture = *state;

    control_fixture_serve(fixture, send_bad_bodies);
    assert_int_equal(first.status, 400);
    assert_int_equal(second.status, 400);
    assert_non_null(strstr(second.text, "aktive"));
    assert_int_equal(third.status, 400);
    assert_int_equal(fixture->commands, 0);
}

static void send_too_much(struct control_fixture *fixture)
{
    static char body[CONTROL_BODY_MAX + 2];
    int fd = control_fixture_connect(fixture);
    static const char head[] =
        "POST /v1/reload HTTP/1.1\r\nHost: x\r\n"
        "Transfer-Encoding: chunked\r\n\r\n";
    char chunk[64];
    ssize_t count = 0;

    memset(body, ' ', sizeof(body) - 1);
    first = control_fixture_fetch(fixture, "/v1/reload", body, NULL);

    (void)!write(fd, head, sizeof(head) - 1); /* chunked: the length is not announced */
    for (unsigned i = 0; i < CONTROL_BODY_MAX / 16 + 10; i++) {
        const int length = snprintf(chunk, sizeof(chunk), "10\r\n%16s\r\n", "");

        if (write(fd, chunk, (size_t)length) < 0)
            break;
    }
    (void)!write(fd, "0\r\n\r\n", 5);
    memset(&second, 0, sizeof(second));
    count = read(fd, second.text, sizeof(second.text) - 1);
    if (count < 0)
        second.text[0] = '\0';
    (void)close(fd);
}

static void test_too_large_bodies(void **state)
{
    struct control_fixture *fixture = *state;

    control_fixture_serve(fixture, send_too_much);
    assert_int_equal(first.status, 413);
    assert_non_null(strstr(second.text, "413"));
    assert_int_equal(fixture->commands, 0);
}

/* --- hostile clients --- */

static bool ends_within(int fd, int ms)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char buffer[512];
    ssize_t count;

    do {
        if (poll(&ready, 1, ms) <= 0)
            return false;
        count = read(fd, buffer, sizeof(buffer));
    } while (count > 0);
    return true;
}

/* A byte now and then, for ever. */
static void drip(struct control_fixture *fixture)
{
    struct timespec pause = {.tv_nsec = 20000000};
    int fd = control_fixture_connect(fixture);
    int i;

    (void)!write(fd, "GET /v1/status HTTP/1.1\r\nX: ", 28);
    for (i = 0; i < 200; i++) {
        if (send(fd, "a", 1, MSG_NOSIGNAL) < 0)
            break;
        nanosleep(&pause, NULL);
    }
    first.status = i;
    (void)close(fd);
    second = control_fixture_fetch(fixture, "/v1/status", NULL, NULL);
}

static void test_slow_client_is_cut_off(void **state)
{
    struct control_fixture *fixture = *state;

    fixture->limits.receive_timeout = 200;
    control_fixture_serve(fixture, drip);
    assert_in_range(first.status, 5, 60); /* 200 ms allow for ten bytes */
    assert_int_equal(second.status, 200);
}

static void send_garbage(struct control_fixture *fixture)
{
    static const char *const texts[] = {
        "\r\n\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00",
        "GET\r\n\r\n",
        "GET /v1/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        "GET /v1/accounts/%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    };

    first.status = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int fd = control_fixture_connect(fixture);

        (void)!write(fd, texts[i], strlen(texts[i]));
        (void)shutdown(fd, SHUT_WR);
        first.status += ends_within(fd, 3000);
        (void)close(fd);
    }
    second = control_fixture_fetch(fixture, "/v1/status", NULL, NULL);
}

static void test_garbage(void **state)
{
    struct control_fixture *fixture = *state;

    fixture->limits.receive_timeout = 500;
    control_fixture_serve(fixture, send_garbage);
    assert_int_equal(first.status, 6);
    assert_int_equal(second.status, 200);
    assert_int_equal(fixture->commands, 0);
}

static void crowd(struct control_fixture *fixture)
{
    const duration_ms began = time_boot();
    int fds[12];

    for (size_t i = 0; i < 12; i++)
        fds[i] = control_fixture_connect(fixture);
    second = control_fixture_fetch(fixture, "/v1/status", NULL,
                                   NULL); /* waits until the idle ones are cut off */
    first.status = (long)(time_boot() - began);
    for (size_t i = 0; i < 12; i++)
        (void)close(fds[i]);
}

/* They come in three batches, each of which is cut off much earlier than if nobody waited. */
static void test_idle_crowd_keeps_nobody_out_for_long(void **state)
{
    struct control_fixture *fixture = *state;

    fixture->limits.connections = 4;
    fixture->limits.receive_timeout = 60 * MS_SECOND;
    control_fixture_serve(fixture, crowd);
    assert_int_equal(second.status, 200);
    assert_in_range(first.status, 0, 30 * MS_SECOND);
}

/* --- the socket --- */

static void look_at_socket(struct control_fixture *fixture)
{
    struct stat status;

    first.status = stat(fixture->path, &status) == 0 ? (long)(status.st_mode & 07777) : -1;
}

static void test_socket_mode(void **state)
{
    const mode_t mask = umask(0);

    control_fixture_serve(*state, look_at_socket);
    (void)umask(mask);
    assert_int_equal(first.status, 0660);
}

static void leave_stale_socket(struct control_fixture *fixture)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, fixture->path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(close(fd), 0);
}

static void test_stale_socket_is_replaced(void **state)
{
    leave_stale_socket(*state);
    control_fixture_serve(*state, ask);
    assert_int_equal(first.status, 200);
}

static int try_to_open(struct control_fixture *fixture, struct err *err)
{
    const struct control_handler handler = control_fixture_handler(fixture);
    struct control *control;
    int rc = control_open(fixture->loop, fixture->path, NULL, &handler, NULL, &control, err);

    assert_null(control);
    return rc;
}

static void test_socket_in_use_is_left_alone(void **state)
{
    struct control_fixture *fixture = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct err err;

    strcpy(address.sun_path, fixture->path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(try_to_open(fixture, &err), -EADDRINUSE);
    assert_int_equal(access(fixture->path, F_OK), 0);
    assert_int_equal(close(fd), 0);
}

static void test_other_files_are_left_alone(void **state)
{
    struct control_fixture *fixture = *state;
    int fd = open(fixture->path, O_CREAT | O_WRONLY, 0600);
    struct err err;

    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(try_to_open(fixture, &err), -EEXIST);
    assert_int_equal(access(fixture->path, F_OK), 0);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, control_fixture_set_up, control_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_status),
        TEST(test_names),
        TEST(test_wrong_paths_and_methods),
        TEST(test_command_answered_at_once),
        TEST(test_command_answered_later),
        TEST(test_command_that_takes_too_long),
        TEST(test_question_answered_later),
        TEST(test_question_answered_at_once),
        TEST(test_question_that_fails),
        TEST(test_question_that_takes_too_long),
        TEST(test_stop_while_a_command_waits),
        TEST(test_client_that_leaves),
        TEST(test_bad_bodies),
        TEST(test_too_large_bodies),
        TEST(test_slow_client_is_cut_off),
        TEST(test_garbage),
        TEST(test_idle_crowd_keeps_nobody_out_for_long),
        TEST(test_socket_mode),
        TEST(test_stale_socket_is_replaced),
        TEST(test_socket_in_use_is_left_alone),
        TEST(test_other_files_are_left_alone),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
