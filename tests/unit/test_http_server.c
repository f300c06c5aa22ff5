#include "io/server/http_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* Server and client in one thread: the client writes what the kernel's buffers hold. */

enum { BODY_MAX = 100, ROUNDS_MAX = 2000 };

static struct {
    struct loop *loop;
    struct http_server *server;
    struct timer tick;
    bool tick_closed;
    bool closed;
    int client;
    char reply[2048];
    size_t reply_length;
    bool reply_ended;
    struct http_call *call; /* that waits for its answer */
    unsigned calls;
    bool answers_inside; /* the handler's call */
    bool sent_inside;    /* something arrived before the handler had returned */
    char seen[128];      /* method, target, body */
} test;

static void receive(void)
{
    ssize_t count;

    while ((count = recv(test.client, test.reply + test.reply_length,
                         sizeof(test.reply) - 1 - test.reply_length, MSG_DONTWAIT)) > 0)
        test.reply_length += (size_t)count;
    test.reply_ended = count == 0 || (count < 0 && errno != EAGAIN);
    test.reply[test.reply_length] = '\0';
}

static void answer(struct http_call *call)
{
    struct buf content;

    buf_init(&content, 100);
    (void)buf_append_str(&content, "hello");
    http_call_answer(call, &(struct http_answer){
                               .status = 200, .content_type = "text/plain", .content = &content});
    assert_int_equal(content.length, 0);
}

static void handle(void *context, struct http_call *call)
{
    assert_ptr_equal(context, &test);
    test.calls++;
    snprintf(test.seen, sizeof(test.seen), "%s %s %s", call->method, call->uri,
             buf_str(&call->body));
    if (!test.answers_inside) {
        test.call = call;
        return;
    }
    answer(call);
    receive();
    test.sent_inside = test.reply_length > 0;
}

static void refuse_too_large(void *context, struct http_answer *refusal)
{
    assert_ptr_equal(context, &test);
    refusal->status = 413;
    refusal->content_type = "text/plain";
    (void)buf_append_str(refusal->content, "too much");
}

static void on_tick(struct timer *timer)
{
    loop_stop(timer->loop);
}

static void on_closed(void *context)
{
    assert_ptr_equal(context, &test);
    test.closed = true;
}

static void on_tick_closed(struct timer *timer)
{
    (void)timer;
    test.tick_closed = true;
}

static bool has_reply(void)
{
    receive();
    return test.reply_length > 0 || test.reply_ended;
}

static bool has_call(void)
{
    return test.call;
}

static bool is_closed(void)
{
    return test.closed;
}

static void run_until(bool (*is_so)(void))
{
    for (unsigned i = 0; i < ROUNDS_MAX && !is_so(); i++) {
        timer_set_delay(&test.tick, 5);
        loop_run(test.loop);
    }
    assert_true(is_so());
}

static int set_up(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof(address);
    struct http_server_options options = {.connections = 4,
                                          .receive_timeout = 10 * MS_SECOND,
                                          .uri_max = 1000,
                                          .body_max = BODY_MAX,
                                          .context = &test,
                                          .handle = handle,
                                          .refuse_too_large = refuse_too_large};

    (void)state;
    memset(&test, 0, sizeof(test));
    test.loop = loop_new(NULL);
    timer_init(test.loop, &test.tick, on_tick);
    /* An abstract address that the kernel picks: no file. */
    options.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(options.listen_fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(options.listen_fd, 4), 0);
    assert_int_equal(getsockname(options.listen_fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(http_server_open(test.loop, &options, &test.server, NULL), 0);
    test.client = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(test.client, (struct sockaddr *)&address, length), 0);
    return 0;
}

static void close_server(void)
{
    http_server_close(test.server, on_closed, &test);
    run_until(is_closed);
}

static int tear_down(void **state)
{
    (void)state;
    if (!test.closed)
        close_server();
    timer_close(&test.tick, on_tick_closed);
    while (!test.tick_closed)
        loop_run(test.loop);
    (void)close(test.client);
    assert_true(loop_free(test.loop));
    return 0;
}

static void send_text(const char *text)
{
    assert_int_equal(write(test.client, text, strlen(text)), strlen(text));
}

static void check_hello(void)
{
    assert_non_null(strstr(test.reply, "200 OK"));
    assert_non_null(strstr(test.reply, "text/plain"));
    assert_non_null(strstr(test.reply, "\r\n\r\nhello"));
}

static void test_answer_is_sent_from_the_loop(void **state)
{
    (void)state;
    test.answers_inside = true;
    send_text("PUT /a%2Fb?c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
    run_until(has_reply);
    assert_false(test.sent_inside);
    assert_string_equal(test.seen, "PUT /a%2Fb?c body");
    check_hello();
}

static void test_answer_comes_later(void **state)
{
    (void)state;
    send_text("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    run_until(has_call);
    assert_false(has_reply());
    answer(test.call);
    assert_false(has_reply());
    run_until(has_reply);
    check_hello();
}

static void test_closing_sends_what_is_answered(void **state)
{
    (void)state;
    send_text("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    run_until(has_call);
    answer(test.call);
    close_server();
    assert_true(has_reply());
    check_hello();
}

/* The call outlives the server; its answer is dropped. */
static void test_closing_ends_what_is_not_answered(void **state)
{
    (void)state;
    send_text("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    run_until(has_call);
    close_server();
    assert_true(has_reply());
    assert_true(test.reply_ended);
    assert_int_equal(test.reply_length, 0);
    assert_string_equal(test.call->uri, "/");
    answer(test.call);
}

static unsigned rounds;
static bool three_rounds(void)
{
    return ++rounds > 3;
}

/* Its request stands in the kernel's buffer when closing begins. */
static void test_closing_while_a_request_arrives(void **state)
{
    (void)state;
    test.answers_inside = true;
    rounds = 0;
    run_until(three_rounds); /* accepted */
    send_text("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    close_server();
    printf("calls %u, reply: %d %zu\n", test.calls, has_reply(), test.reply_length);
}

static void test_too_large(void **state)
{
    (void)state;
    send_text("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n");
    run_until(has_reply);
    assert_non_null(strstr(test.reply, "413"));
    assert_non_null(strstr(test.reply, "too much"));
    assert_int_equal(test.calls, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_answer_is_sent_from_the_loop),    TEST(test_answer_comes_later),
        TEST(test_closing_sends_what_is_answered),  TEST(test_closing_ends_what_is_not_answered),
        TEST(test_closing_while_a_request_arrives), TEST(test_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
