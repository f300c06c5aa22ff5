/* The target `socket` against programs that do exactly what a test says. */
#include "io/target/target.h"

#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "conf/target_socket.h"

#define KEY                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define DELIVERED "{\"result\":\"delivered\"}\n"

/* --- programs --- */

enum { RECEIVED_MAX = 4096, PROGRAM_CONNECTIONS_MAX = 4 };

struct program;
typedef void program_script(struct program *program, int connection);

/* Listens at `path`; each connection runs the script on a thread. */
struct program {
    int listener;
    program_script *script;
    const char *answer;
    pthread_t acceptor;
    pthread_t threads[PROGRAM_CONNECTIONS_MAX];
    _Atomic int connections;
    _Atomic int at_work; /* scripts that have read what they wanted to read */
};

struct connection {
    struct program *program;
    int socket;
};

static char received[RECEIVED_MAX]; /* by the last program: read it after the result has come */

static char directory[] = "/tmp/test_target_socket.XXXXXX";
static char path[128];

static int listen_at(int type, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, type, 0);

    (void)unlink(path);
    (void)str_copy(address.sun_path, sizeof(address.sun_path), path);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(listener, backlog), 0);
    return listener;
}

static void *run_script(void *argument)
{
    struct connection *connection = argument;

    connection->program->script(connection->program, connection->socket);
    close(connection->socket);
    free(connection);
    return NULL;
}

static void *accept_all(void *argument)
{
    struct program *program = argument;

    while (program->connections < PROGRAM_CONNECTIONS_MAX) {
        const int accepted = accept(program->listener, NULL, NULL);
        struct connection *connection;

        if (accepted < 0)
            break;
        connection = malloc(sizeof(*connection));
        *connection = (struct connection){.program = program, .socket = accepted};
        pthread_create(&program->threads[program->connections++], NULL, run_script, connection);
    }
    return NULL;
}

static struct program *program_start(program_script *script, const char *answer)
{
    struct program *program = calloc(1, sizeof(*program));

    received[0] = '\0';
    program->script = script;
    program->answer = answer;
    program->listener = listen_at(SOCK_STREAM, 8);
    pthread_create(&program->acceptor, NULL, accept_all, program);
    return program;
}

static void program_stop(struct program *program)
{
    (void)shutdown(program->listener, SHUT_RDWR);
    pthread_join(program->acceptor, NULL);
    for (int i = 0; i < program->connections; i++)
        pthread_join(program->threads[i], NULL);
    close(program->listener);
    free(program);
}

static void read_all(struct program *program, int connection)
{
    size_t length = 0;
    ssize_t count;

    while (length < RECEIVED_MAX - 1 &&
           (count = recv(connection, received + length, RECEIVED_MAX - 1 - length, 0)) > 0)
        length += (size_t)count;
    received[length] = '\0';
    program->at_work++;
}

static void answer(struct program *program, int connection)
{
    read_all(program, connection);
    (void)!send(connection, program->answer, strlen(program->answer), MSG_NOSIGNAL);
}

/* Answers without reading, as `echo` does. */
static void answer_unread(struct program *program, int connection)
{
    (void)!send(connection, program->answer, strlen(program->answer), MSG_NOSIGNAL);
}

static void answer_bytewise(struct program *program, int connection)
{
    read_all(program, connection);
    for (const char *c = program->answer; *c != '\0'; c++) {
        (void)!send(connection, c, 1, MSG_NOSIGNAL);
        usleep(500);
    }
}

static void answer_without_end(struct program *program, int connection)
{
    char line[1024];

    read_all(program, connection);
    memset(line, ' ', sizeof(line));
    while (send(connection, line, sizeof(line), MSG_NOSIGNAL) > 0)
        continue;
}

/* Answers, if at all, and keeps the connection until the daemon closes it. */
static void hang(struct program *program, int connection)
{
    struct pollfd closed = {.fd = connection, .events = 0};

    read_all(program, connection);
    if (program->answer)
        (void)!send(connection, program->answer, strlen(program->answer), MSG_NOSIGNAL);
    (void)poll(&closed, 1, -1); /* POLLHUP: both directions have ended */
}

/* --- the target --- */

static struct loop *loop;
static struct target_world world;
static struct target_socket settings;
static struct destination destination;
static struct account account = {.id = "/subscriptions/1/acct", .name = "acct"};
static char owner[16];

static struct outcome {
    int count;
    bool failed, changed, canceled;
    struct failure failure;
} outcome;

static void note(void *context, struct target_result *result)
{
    (void)context;
    outcome.count++;
    outcome.failed = !!result->failure;
    outcome.changed = result->changed;
    outcome.canceled = result->canceled;
    if (result->failure)
        outcome.failure = *result->failure;
}

static int set_up(void **state)
{
    (void)state;
    loop = loop_new(NULL);
    (void)snprintf(path, sizeof(path), "%s/hook.sock", directory);
    (void)snprintf(owner, sizeof(owner), "%u", (unsigned)geteuid());
    settings = (struct target_socket){.owner = owner, .timeout = 10 * MS_SECOND};
    world = (struct target_world){.loop = loop};
    destination = (struct destination){
        .name = "hook", .type = &target_socket_type, .place = path, .settings = &settings};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(world.queue.lane_count, 0);
    assert_true(loop_free(loop));
    (void)unlink(path);
    (void)rmdir(path);
    return 0;
}

static void start_delivery(const char *endpoint)
{
    struct secret *key = secret_new(KEY, strlen(KEY));
    const struct delivery delivery = {.account = &account,
                                      .endpoint = endpoint,
                                      .slot = SLOT_SECONDARY,
                                      .key = key,
                                      .cycle = 7,
                                      .delivered_at = 1795348800000};

    memset(&outcome, 0, sizeof(outcome));
    target_deliver(&world, &destination, &delivery, note, NULL);
    secret_free(key); /* it is borrowed until the call returns */
    assert_int_equal(outcome.count, 0);
}

static void finish(void)
{
    loop_run(loop);
    assert_int_equal(outcome.count, 1);
    assert_null(strstr(outcome.failure.text, "AAEC"));
}

static void deliver(void)
{
    start_delivery("acct.example");
    finish();
}

static void probe(void)
{
    memset(&outcome, 0, sizeof(outcome));
    target_probe(&world, &destination, NULL, note, NULL);
    finish();
}

static void expect_failure(enum reason reason, bool is_unknown, const char *text,
                           const char *remedy)
{
    assert_true(outcome.failed);
    if (!strstr(outcome.failure.text, text) || !strstr(outcome.failure.remedy, remedy))
        fail_msg("%s; do: %s", outcome.failure.text, outcome.failure.remedy);
    assert_int_equal(outcome.failure.reason, reason);
    assert_int_equal(outcome.failure.outcome_unknown, is_unknown);
    assert_false(outcome.changed);
}

/* --- delivering --- */

static void test_delivers(void **state)
{
    static program_script *const scripts[] = {answer, answer_bytewise};

    (void)state;
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        struct program *program = program_start(scripts[i], DELIVERED);

        deliver();
        assert_false(outcome.failed);
        assert_true(outcome.changed);
        assert_string_equal(received,
                            "{\"account\":\"acct\",\"resource_id\":\"/subscriptions/1/acct\","
                            "\"account_endpoint\":\"acct.example\",\"slot\":\"secondary\",\"key\":"
                            "\"" KEY
                            "\",\"cycle\":7,"
                            "\"delivered_at\":\"2026-11-22T12:00:00Z\"}\n");
        program_stop(program);
    }
}

/* The connection is reset then, and the answer counts all the same. */
static void test_program_that_does_not_read(void **state)
{
    struct program *program = program_start(answer_unread, DELIVERED);

    (void)state;
    deliver();
    assert_false(outcome.failed);
    program_stop(program);
}

static void test_probe_does_not_connect(void **state)
{
    struct program *program = program_start(answer, DELIVERED);

    (void)state;
    probe();
    assert_false(outcome.failed);
    assert_int_equal(program->connections, 0);
    program_stop(program);
}

static void test_endpoint_that_is_not_known(void **state)
{
    struct program *program = program_start(answer, DELIVERED);

    (void)state;
    start_delivery(NULL);
    finish();
    expect_failure(REASON_TARGET_FAILED, false, "endpoint is not known yet", "none needed");
    assert_int_equal(program->connections, 0);
    program_stop(program);
}

/* --- who listens --- */

static void test_owner_by_name(void **state)
{
    struct program *program = program_start(answer, DELIVERED);

    (void)state;
    settings.owner = getpwuid(geteuid())->pw_name;
    deliver();
    assert_false(outcome.failed);
    program_stop(program);
}

/* Whoever listens without being the owner learns nothing. */
static void test_wrong_owner_gets_no_byte(void **state)
{
    struct program *program = program_start(answer, DELIVERED);

    (void)state;
    settings.owner = "54321";
    deliver();
    expect_failure(REASON_TARGET_DENIED, false, "listens there, not user 54321; no key was sent",
                   "set `owner: ");
    program_stop(program);
    assert_string_equal(received, "");
}

static void both_fail(enum reason reason, const char *text, const char *remedy)
{
    probe();
    expect_failure(reason, false, text, remedy);
    deliver();
    expect_failure(reason, false, text, remedy);
}

static void test_owner_that_cannot_be(void **state)
{
    struct program *program = program_start(answer, DELIVERED);

    (void)state;
    settings.owner = "no-such-user";
    both_fail(REASON_TARGET_FAILED, "there is no user \"no-such-user\"", "correct `owner`");
    settings.owner = "nobody";
    both_fail(REASON_TARGET_FAILED, "cannot be its owner", "another user");
    settings.owner = "65534";
    both_fail(REASON_TARGET_FAILED, "cannot be its owner", "another user");
    assert_int_equal(program->connections, 0);
    program_stop(program);
}

/* --- what is not there --- */

static void test_no_socket(void **state)
{
    int listener;

    (void)state;
    both_fail(REASON_TARGET_FAILED, "No such file or directory", "systemctl enable --now");
    assert_int_equal(mkdir(path, 0700), 0);
    both_fail(REASON_TARGET_FAILED, "is no socket", "correct `path`");
    assert_int_equal(rmdir(path), 0);

    /* Left behind by a program that is gone. */
    close(listen_at(SOCK_STREAM, 1));
    probe();
    assert_false(outcome.failed); /* only connecting shows it */
    deliver();
    expect_failure(REASON_TARGET_FAILED, false, "Connection refused", "systemctl restart");

    listener = listen_at(SOCK_DGRAM, 0);
    deliver();
    expect_failure(REASON_TARGET_FAILED, false, "cannot connect", "ListenStream=");
    close(listener);
}

/* The kernel queues `backlog` + 1 connections. */
static void test_full_queue(void **state)
{
    int listener = listen_at(SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int waiting = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    (void)str_copy(address.sun_path, sizeof(address.sun_path), path);
    assert_int_equal(connect(waiting, (struct sockaddr *)&address, sizeof(address)), 0);
    deliver();
    expect_failure(REASON_TARGET_FAILED, false,
                   "does not accept connections at the moment, and its queue is full", "Backlog=");
    close(waiting);
    close(listener);
}

/* --- answers --- */

static void close_at_once(struct program *program, int connection)
{
    (void)program;
    (void)connection;
}

static const struct {
    program_script *script;
    const char *answer;
    duration_ms timeout;
    enum reason reason;
    bool is_unknown;
    const char *text;
    const char *remedy;
} ways[] = {
    {answer, "{\"result\":\"not_yet\",\"message\":\"2 jobs left\"}\n", 0, REASON_NOT_YET, false,
     "asks for more time: 2 jobs left", ""},
    {answer, "{\"result\":\"failed\",\"message\":\"got " KEY "\"}\n", 0, REASON_TARGET_FAILED,
     false, "answered that it failed: got ***", "log of the program"},
    {answer, "{\"result\":\"failed\",\"message\":\"no =AAECAwQFBgcI%2BDQ\"}\n", 0,
     REASON_TARGET_FAILED, false, "answered that it failed: no =************%2BDQ", "log"},
    {answer, "", 0, REASON_TARGET_FAILED, true, "closed without an answer", "one line"},
    {close_at_once, "", 0, REASON_TARGET_FAILED, true, "without an answer", "one line"},
    {answer, "restarting\n" DELIVERED, 0, REASON_TARGET_FAILED, true, "more than one line",
     "one line"},
    {answer, "ok\n", 0, REASON_TARGET_FAILED, true, "cannot be used", "one line"},
    {answer, "{\"result\":\"done\"}\n", 0, REASON_TARGET_FAILED, true, "none of delivered",
     "one line"},
    {answer_without_end, NULL, 0, REASON_TARGET_FAILED, true, "longer than 16384 bytes",
     "one line"},
    {hang, NULL, 200, REASON_TARGET_FAILED, true, "no answer within 200ms", "`timeout`"},
    {hang, "\n", 200, REASON_TARGET_FAILED, true, "not closed the connection within 200ms",
     "and exit"},
};

static void test_ways_of_being_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct program *program = program_start(ways[i].script, ways[i].answer);

        settings.timeout = ways[i].timeout > 0 ? ways[i].timeout : 10 * MS_SECOND;
        deliver();
        expect_failure(ways[i].reason, ways[i].is_unknown, ways[i].text, ways[i].remedy);
        assert_int_equal(program->connections, 1);
        program_stop(program);
    }
}

/* --- the end --- */

static void stop_all(struct timer *timer)
{
    target_cancel_all(&world);
    timer_close(timer, NULL);
}

static void test_canceled_while_it_hangs(void **state)
{
    struct program *program = program_start(hang, NULL);
    struct timer timer;

    (void)state;
    start_delivery("acct.example");
    while (program->at_work == 0) {
        uv_run(loop_uv(loop), UV_RUN_NOWAIT);
        usleep(1000);
    }
    timer_init(loop, &timer, stop_all);
    timer_set_delay(&timer, 1);
    finish();
    assert_true(outcome.canceled);
    expect_failure(REASON_TARGET_FAILED, true, "daemon stops", "");
    assert_false(target_is_busy(&world));
    program_stop(program);
}

/* Before it has begun, while its look is under way. */
static void test_canceled_at_once(void **state)
{
    struct program *program = program_start(answer, DELIVERED);

    (void)state;
    start_delivery("acct.example");
    target_cancel_all(&world);
    finish();
    assert_true(outcome.canceled);
    expect_failure(REASON_TARGET_FAILED, false, "daemon stops", "");
    assert_int_equal(program->connections, 0);
    program_stop(program);
}

/* Two accounts of one socket do not wait for each other. */
static void test_accounts_share_a_socket(void **state)
{
    struct program *program = program_start(hang, NULL);

    (void)state;
    settings.timeout = 500;
    start_delivery("acct.example");
    account.name = "other";
    start_delivery("acct.example");
    account.name = "acct";
    for (int i = 0; i < 400 && program->at_work < 2; i++) {
        uv_run(loop_uv(loop), UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_int_equal(program->at_work, 2);
    loop_run(loop);
    assert_int_equal(outcome.count, 2);
    program_stop(program);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_delivers),
        TEST(test_program_that_does_not_read),
        TEST(test_probe_does_not_connect),
        TEST(test_endpoint_that_is_not_known),
        TEST(test_owner_by_name),
        TEST(test_wrong_owner_gets_no_byte),
        TEST(test_owner_that_cannot_be),
        TEST(test_no_socket),
        TEST(test_full_queue),
        TEST(test_ways_of_being_wrong),
        TEST(test_canceled_while_it_hangs),
        TEST(test_canceled_at_once),
        TEST(test_accounts_share_a_socket),
    };
    int rc;

    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    assert_non_null(mkdtemp(directory));
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    (void)rmdir(directory);
    return rc;
}
