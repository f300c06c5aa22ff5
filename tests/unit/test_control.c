#include "io/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
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
#include <curl/curl.h>

#include "base/str.h"

/*
 * The server runs in this thread's loop; clients run in a second thread, with curl or with bare
 * sockets, and stop the loop when they are through.
 */
struct fixture {
    char directory[64];
    char path[96];
    struct loop *loop;
    struct control *control;
    struct control_limits limits;

    /* what the fake engine saw, and how it is to behave */
    unsigned questions;
    unsigned commands;
    enum control_scope scope;
    char names[256];
    struct control_command last;
    char last_texts[512];     /* account|actor|target|active|reason */
    duration_ms answer_after; /* 0: inside the call; -1: never, until released */
    struct control_request *waiting;
    struct timer answer_timer;
    bool answer_timer_in_use;

    void (*client)(struct fixture *fixture);
    pthread_t thread;
    struct timer watch;
    atomic_bool client_done;
    bool watch_closed;
    bool closed;
    bool close_now; /* set by the client thread through an atomic below */
    atomic_bool close_wanted;
};

static const struct control_answer fine = {
    .outcome = CONTROL_ACCEPTED, .message = "it rotates", .until = TIME_NEVER, .cycle = 7};

static int on_status(void *context, const struct control_query *query, struct buf *out,
                     struct err *err)
{
    struct fixture *fixture = context;
    struct daemon_snapshot daemon = {.version = "1.0", .now = 1700000000000};

    fixture->questions++;
    fixture->scope = query->scope;
    fixture->names[0] = '\0';
    for (size_t i = 0; i < query->name_count; i++) {
        strcat(fixture->names, query->names[i]);
        strcat(fixture->names, ";");
        if (strcmp(query->names[i], "nobody") == 0)
            return err_set(err, -ENOENT, "there is no account nobody");
        if (strcmp(query->names[i], "twins") == 0)
            return err_set(err, -ENOTUNIQ, "several accounts are called twins");
    }
    control_status_start(out, &daemon);
    control_status_end(out);
    return 0;
}

static void on_answer_timer_closed(struct timer *timer)
{
    struct fixture *fixture = container_of(timer, struct fixture, answer_timer);

    fixture->answer_timer_in_use = false;
}

static void on_answer_timer(struct timer *timer)
{
    struct fixture *fixture = container_of(timer, struct fixture, answer_timer);

    control_answer(fixture->waiting, &fine);
    fixture->waiting = NULL;
    timer_close(timer, on_answer_timer_closed);
}

static void on_command(void *context, const struct control_command *command,
                       struct control_request *request)
{
    struct fixture *fixture = context;

    fixture->commands++;
    fixture->last = *command;
    snprintf(fixture->last_texts, sizeof(fixture->last_texts), "%s|%s|%s|%s|%s",
             command->account ? command->account : "-", command->actor,
             command->target ? command->target : "-", command->active ? command->active : "-",
             command->reason ? command->reason : "-");
    if (fixture->answer_after == 0) {
        control_answer(request, &fine);
        return;
    }
    fixture->waiting = request;
    if (fixture->answer_after < 0)
        return;
    fixture->answer_timer_in_use = true;
    timer_init(fixture->loop, &fixture->answer_timer, on_answer_timer);
    timer_set_delay(&fixture->answer_timer, fixture->answer_after);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    strcpy(fixture->directory, "/tmp/test-control-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->path, sizeof(fixture->path), "%s/control.sock", fixture->directory);
    fixture->loop = loop_new(NULL);
    assert_non_null(fixture->loop);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    assert_true(loop_free(fixture->loop));
    (void)unlink(fixture->path);
    assert_int_equal(rmdir(fixture->directory), 0);
    free(fixture);
    return 0;
}

static void open_control(struct fixture *fixture)
{
    const struct control_handler handler = {
        .context = fixture, .status = on_status, .command = on_command};
    struct err err;

    err_clear(&err);
    if (control_open(fixture->loop, fixture->path, "no-such-group", &handler, &fixture->limits,
                     &fixture->control, &err) != 0)
        fail_msg("%s", err.text);
}

static void on_closed(void *context)
{
    struct fixture *fixture = context;

    fixture->closed = true;
    if (fixture->watch_closed)
        loop_stop(fixture->loop);
}

static void on_watch_closed(struct timer *timer)
{
    struct fixture *fixture = container_of(timer, struct fixture, watch);

    fixture->watch_closed = true;
    if (fixture->closed)
        loop_stop(fixture->loop);
}

static void on_watch(struct timer *timer)
{
    struct fixture *fixture = container_of(timer, struct fixture, watch);

    if (atomic_load(&fixture->close_wanted) || atomic_load(&fixture->client_done)) {
        if (!fixture->close_now)
            control_close(fixture->control, on_closed, fixture);
        fixture->close_now = true;
    }
    if (atomic_load(&fixture->client_done) && !fixture->answer_timer_in_use)
        timer_close(timer, on_watch_closed);
    else
        timer_set_delay(timer, 5);
}

static void *run_client(void *argument)
{
    struct fixture *fixture = argument;

    fixture->client(fixture);
    atomic_store(&fixture->client_done, true);
    return NULL;
}

/* Serves until the client is through, then closes. */
static void serve(struct fixture *fixture, void (*client)(struct fixture *))
{
    open_control(fixture);
    fixture->client = client;
    timer_init(fixture->loop, &fixture->watch, on_watch);
    timer_set_delay(&fixture->watch, 5);
    assert_int_equal(pthread_create(&fixture->thread, NULL, run_client, fixture), 0);
    while (!fixture->closed || !fixture->watch_closed)
        loop_run(fixture->loop);
    assert_int_equal(pthread_join(fixture->thread, NULL), 0);
    if (fixture->waiting)
        control_answer(fixture->waiting, &fine); /* late, and into the void */
    assert_int_equal(access(fixture->path, F_OK), -1);
}

/* --- clients (in the second thread: failures are recorded, not raised) --- */

struct reply {
    CURLcode result;
    long status;
    char text[4096];
};

static size_t take_reply(char *data, size_t size, size_t count, void *context)
{
    struct reply *reply = context;
    const size_t used = strlen(reply->text);

    if (used + count >= sizeof(reply->text))
        return 0;
    memcpy(reply->text + used, data, count);
    reply->text[used + count] = '\0';
    return size * count;
}

/* `body` NULL: GET. */
static struct reply request(struct fixture *fixture, const char *path, const char *body,
                            const char *method)
{
    struct reply reply = {0};
    char url[1024];
    CURL *curl = curl_easy_init();

    snprintf(url, sizeof(url), "http://localhost%s", path);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, fixture->path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 10000L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_reply);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
    if (body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    if (method)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    reply.result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_easy_cleanup(curl);
    return reply;
}

static int connect_bare(struct fixture *fixture)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, fixture->path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static struct reply first, second, third;

/* --- questions --- */

static void ask(struct fixture *fixture)
{
    first = request(fixture, "/v1/status", NULL, NULL);
}

static void test_status(void **state)
{
    struct fixture *fixture = *state;
    struct control_status status;
    struct err err;

    serve(fixture, ask);
    assert_int_equal(first.status, 200);
    assert_int_equal(fixture->questions, 1);
    assert_int_equal(fixture->scope, CONTROL_NOT_WELL);
    assert_int_equal(control_status_parse(first.text, strlen(first.text), &status, &err), 0);
    assert_string_equal(status.daemon.version, "1.0");
    control_status_done(&status);
}

static void ask_for_names(struct fixture *fixture)
{
    first = request(fixture, "/v1/accounts?account=a%2Fb&account=%2Fsub%2fc", NULL, NULL);
    second = request(fixture, "/v1/accounts/nobody", NULL, NULL);
    third = request(fixture, "/v1/accounts/twins", NULL, NULL);
}

static void test_names(void **state)
{
    struct fixture *fixture = *state;

    serve(fixture, ask_for_names);
    assert_int_equal(first.status, 200);
    assert_int_equal(second.status, 404);
    assert_string_equal(second.text,
                        "{\"error\":{\"code\":\"not_found\",\"message\":\"there is no account "
                        "nobody\"}}\n");
    assert_int_equal(third.status, 409);
    assert_non_null(strstr(third.text, "\"ambiguous\""));
    assert_string_equal(fixture->names, "twins;");
    assert_int_equal(fixture->questions, 3);
}

static void ask_wrongly(struct fixture *fixture)
{
    first = request(fixture, "/v1/nothing", NULL, NULL);
    second = request(fixture, "/v1/status", "{}", NULL);
    third = request(fixture, "/v1/accounts/a/rotate", NULL, "DELETE");
}

static void test_wrong_paths_and_methods(void **state)
{
    serve(*state, ask_wrongly);
    assert_int_equal(first.status, 404);
    assert_non_null(strstr(first.text, "\"no_such_path\""));
    assert_int_equal(second.status, 405);
    assert_non_null(strstr(second.text, "only GET"));
    assert_int_equal(third.status, 405);
    assert_non_null(strstr(third.text, "only POST"));
}

/* --- commands --- */

static void command_rotate(struct fixture *fixture)
{
    first = request(fixture, "/v1/accounts/group%2FAcct/rotate", "{\"dry_run\": true}", NULL);
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
    struct fixture *fixture = *state;
    char expected[128];

    serve(fixture, command_rotate);
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
    struct fixture *fixture = *state;

    fixture->answer_after = 60;
    serve(fixture, command_rotate);
    check_accepted(&first);
}

static void test_command_that_takes_too_long(void **state)
{
    struct fixture *fixture = *state;

    fixture->answer_after = -1;
    fixture->limits.command_timeout = 80;
    serve(fixture, command_rotate);
    assert_int_equal(first.status, 503);
    assert_non_null(strstr(first.text, "\"not_done\""));
    assert_non_null(fixture->waiting);
}

static void command_then_stop(struct fixture *fixture)
{
    struct timespec pause = {.tv_nsec = 50000000};
    char buffer[2048];
    size_t used = 0;
    ssize_t count;
    int fd = connect_bare(fixture);
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
    struct fixture *fixture = *state;

    fixture->answer_after = -1;
    serve(fixture, command_then_stop);
    assert_int_equal(fixture->commands, 1);
    assert_non_null(strstr(first.text, "503"));
    assert_non_null(strstr(first.text, "the daemon is stopping"));
}

static void command_and_leave(struct fixture *fixture)
{
    struct timespec pause = {.tv_nsec = 30000000};
    int fd = connect_bare(fixture);
    static const char text[] = "POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

    (void)!write(fd, text, sizeof(text) - 1);
    nanosleep(&pause, NULL);
    (void)close(fd);
    first = request(fixture, "/v1/status", NULL, NULL); /* nobody else is disturbed */
}

static void test_client_that_leaves(void **state)
{
    struct fixture *fixture = *state;

    fixture->answer_after = 100;
    serve(fixture, command_and_leave);
    assert_int_equal(fixture->commands, 1);
    assert_int_equal(first.status, 200);
}

static void send_bad_bodies(struct fixture *fixture)
{
    first = request(fixture, "/v1/accounts/a/adopt",
                    "{\"active\":\"primary\",\"active\":\"secondary\"}", NULL);
    second = request(fixture, "/v1/accounts/a/adopt", "{\"aktive\":\"primary\"}", NULL);
    third = request(fixture, "/v1/accounts/a/hold", "{'until': 1}", NULL);
}

static void test_bad_bodies(void **state)
{
    struct fixture *fixture = *state;

    serve(fixture, send_bad_bodies);
    assert_int_equal(first.status, 400);
    assert_int_equal(second.status, 400);
    assert_non_null(strstr(second.text, "aktive"));
    assert_int_equal(third.status, 400);
    assert_int_equal(fixture->commands, 0);
}

static void send_too_much(struct fixture *fixture)
{
    static char body[CONTROL_BODY_MAX + 2];
    int fd = connect_bare(fixture);
    static const char head[] =
        "POST /v1/reload HTTP/1.1\r\nHost: x\r\n"
        "Transfer-Encoding: chunked\r\n\r\n";
    char chunk[64];
    ssize_t count = 0;

    memset(body, ' ', sizeof(body) - 1);
    first = request(fixture, "/v1/reload", body, NULL);

    (void)!write(fd, head, sizeof(head) - 1); /* without saying beforehand how much it will be */
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
    struct fixture *fixture = *state;

    serve(fixture, send_too_much);
    assert_int_equal(first.status, 413);
    assert_non_null(strstr(second.text, "413"));
    assert_int_equal(fixture->commands, 0);
}

/* --- clients that mean no good --- */

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
static void drip(struct fixture *fixture)
{
    struct timespec pause = {.tv_nsec = 20000000};
    int fd = connect_bare(fixture);
    int i;

    (void)!write(fd, "GET /v1/status HTTP/1.1\r\nX: ", 28);
    for (i = 0; i < 200; i++) {
        if (send(fd, "a", 1, MSG_NOSIGNAL) < 0)
            break;
        nanosleep(&pause, NULL);
    }
    first.status = i;
    (void)close(fd);
    second = request(fixture, "/v1/status", NULL, NULL);
}

static void test_slow_client_is_cut_off(void **state)
{
    struct fixture *fixture = *state;

    fixture->limits.receive_timeout = 200;
    serve(fixture, drip);
    assert_in_range(first.status, 5, 60); /* 200 ms are ten drops */
    assert_int_equal(second.status, 200);
}

static void send_garbage(struct fixture *fixture)
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
        int fd = connect_bare(fixture);

        (void)!write(fd, texts[i], strlen(texts[i]));
        (void)shutdown(fd, SHUT_WR);
        first.status += ends_within(fd, 3000);
        (void)close(fd);
    }
    second = request(fixture, "/v1/status", NULL, NULL);
}

static void test_garbage(void **state)
{
    struct fixture *fixture = *state;

    fixture->limits.receive_timeout = 500;
    serve(fixture, send_garbage);
    assert_int_equal(first.status, 6);
    assert_int_equal(second.status, 200);
    assert_int_equal(fixture->commands, 0);
}

static void crowd(struct fixture *fixture)
{
    int fds[12];

    for (size_t i = 0; i < 12; i++)
        fds[i] = connect_bare(fixture);
    second = request(fixture, "/v1/status", NULL, NULL); /* waits until the idle ones are cut off */
    for (size_t i = 0; i < 12; i++)
        (void)close(fds[i]);
}

static void test_idle_crowd_keeps_nobody_out_for_long(void **state)
{
    struct fixture *fixture = *state;

    fixture->limits.connections = 4;
    fixture->limits.receive_timeout = 200;
    serve(fixture, crowd);
    assert_int_equal(second.status, 200);
}

/* --- the socket --- */

static void look_at_socket(struct fixture *fixture)
{
    struct stat status;

    first.status = stat(fixture->path, &status) == 0 ? (long)(status.st_mode & 07777) : -1;
}

static void test_socket_mode(void **state)
{
    const mode_t mask = umask(0);

    serve(*state, look_at_socket);
    (void)umask(mask);
    assert_int_equal(first.status, 0660);
}

static void leave_stale_socket(struct fixture *fixture)
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
    serve(*state, ask);
    assert_int_equal(first.status, 200);
}

static int try_to_open(struct fixture *fixture, struct err *err)
{
    const struct control_handler handler = {
        .context = fixture, .status = on_status, .command = on_command};
    struct control *control;
    int code = control_open(fixture->loop, fixture->path, NULL, &handler, NULL, &control, err);

    assert_null(control);
    return code;
}

static void test_socket_in_use_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
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
    struct fixture *fixture = *state;
    int fd = open(fixture->path, O_CREAT | O_WRONLY, 0600);
    struct err err;

    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(try_to_open(fixture, &err), -EEXIST);
    assert_int_equal(access(fixture->path, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_status, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_paths_and_methods, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_command_answered_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_command_answered_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_command_that_takes_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_while_a_command_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_client_that_leaves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_bodies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_large_bodies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_client_is_cut_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_garbage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_idle_crowd_keeps_nobody_out_for_long, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_socket_mode, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stale_socket_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_socket_in_use_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_files_are_left_alone, set_up, tear_down),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
