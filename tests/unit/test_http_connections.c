/*
 * How io/http/http uses connections, name resolution and memory over time.
 */
#include "io/http/http.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http_fixture.h"

enum { LAG_MAX = 1000 }; /* far less than a lookup stalls, and enough for a slow machine */

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

/* --- a clock that can be moved on, for what happens after a minute --- */

static _Atomic int64_t shift_s;

int clock_gettime(clockid_t clock, struct timespec *at)
{
    const long result = syscall(SYS_clock_gettime, clock, at);

    at->tv_sec += shift_s;
    return (int)result;
}

static void wake(struct timer *timer)
{
    loop_stop(timer->loop);
}

static void timer_is_closed(struct timer *timer)
{
    timer->fired = NULL;
}

/* Runs the loop for so long. */
static void run_for(struct fixture *fixture, duration_ms length)
{
    struct timer timer;

    timer_init(fixture->loop, &timer, wake);
    timer_set_delay(&timer, length);
    loop_run(fixture->loop);
    timer_close(&timer, timer_is_closed);
    while (timer.fired)
        uv_run(loop_uv(fixture->loop), UV_RUN_NOWAIT);
}

static void answer(struct server *server, int connection)
{
    while (server_read_request(server, connection))
        server_send(connection, OK_REPLY);
}

static void expect_answer(struct fixture *fixture, const char *method, const struct server *server)
{
    const struct result result = run(fixture, request_to_server(method, server));

    expect_outcome(method, &result, HTTP_ANSWERED);
}

static void expect_hangups(struct server *server, int count)
{
    for (int i = 0; i < 300 && server->hangups < count; i++)
        pause_ms(10);
    assert_int_equal(server->hangups, count);
}

/* --- connections --- */

static void test_idle_connections_are_dropped(void **state)
{
    struct fixture *fixture = fixture_new(NULL);
    struct server *server = server_start(answer, NULL);

    (void)state;
    expect_answer(fixture, "GET", server);
    expect_answer(fixture, "GET", server);
    assert_int_equal(server->connections, 1);
    shift_s += 55;
    run_for(fixture, 20);
    expect_answer(fixture, "GET", server); /* starts the minute anew */
    shift_s += 55;
    run_for(fixture, 20);
    assert_int_equal(server->connections, 1);
    assert_int_equal(server->hangups, 0);
    shift_s += 6;
    run_for(fixture, 20);
    expect_hangups(server, 1);
    expect_answer(fixture, "GET", server); /* with a new connection */
    assert_int_equal(server->connections, 2);
    fixture_free(fixture);
    server_stop(server);
}

static void test_unrepeatable_shuns_old_connections(void **state)
{
    struct fixture *fixture = fixture_new(NULL);
    struct server *server = server_start(answer, NULL);

    (void)state;
    expect_answer(fixture, "GET", server);
    shift_s += 10;
    expect_answer(fixture, "POST", server);
    assert_int_equal(server->connections, 2);
    expect_answer(fixture, "POST", server);
    assert_int_equal(server->connections, 2);
    fixture_free(fixture);
    server_stop(server);
}

static void test_new_options_mean_new_connections(void **state)
{
    static const struct http_options renamed = {.user_agent = "other/2"};
    static const struct http_options broken = {.ca_file = "/nonexistent/ca.pem"};
    struct fixture *fixture = fixture_new(NULL);
    struct server *server = server_start(answer, NULL);
    struct http_request request;
    struct result result;
    struct err err;

    (void)state;
    expect_answer(fixture, "GET", server);
    assert_int_equal(http_set_options(fixture->http, &broken, &err), -ENOENT);
    expect_text("err", err.text, "/nonexistent/ca.pem");
    expect_answer(fixture, "GET", server);
    assert_int_equal(server->connections, 1);

    request = request_to_server("GET", server);
    (void)start(fixture, &request, &result); /* finishes with the options that it began with */
    assert_int_equal(http_set_options(fixture->http, &renamed, &err), 0);
    finish_all(fixture);
    expect_outcome("under way", &result, HTTP_ANSWERED);
    expect_text("before", server->last_request, "User-Agent: keyrotated/test\r\n");
    expect_hangups(server, 1);
    expect_answer(fixture, "GET", server);
    expect_text("after", server->last_request, "User-Agent: other/2\r\n");
    assert_int_equal(server->connections, 2);

    assert_int_equal(http_set_options(fixture->http, &renamed, &err), 0); /* while idle */
    run_for(fixture, 10);
    expect_hangups(server, 2);
    fixture_free(fixture);
    server_stop(server);
}

static bool watching_fails;

/* The one that the client calls; libuv's own is the same as uv_poll_init() here. */
int uv_poll_init_socket(uv_loop_t *loop, uv_poll_t *handle, uv_os_sock_t socket)
{
    return watching_fails ? UV_ENOMEM : uv_poll_init(loop, handle, socket);
}

static void test_sockets_that_cannot_be_watched(void **state)
{
    enum { COUNT = 3 };
    struct fixture *fixture = fixture_new(NULL);
    struct server *server = server_start(answer, NULL);
    struct http_request request;
    struct result results[COUNT];

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        request = request_to_server("POST", server);
        (void)start(fixture, &request, &results[i]);
    }
    watching_fails = true;
    finish_all(fixture);
    watching_fails = false;
    for (int i = 0; i < COUNT; i++) {
        expect_outcome("unwatched", &results[i], HTTP_UNSENT);
        expect_text("unwatched", results[i].error, "cannot be watched");
    }
    expect_answer(fixture, "GET", server); /* the failures left nothing behind */
    fixture_free(fixture);
    server_stop(server);
}

static void test_client_needs_its_ca_file(void **state)
{
    static const char *const unusable[] = {"/nonexistent/ca.pem", "/dev/null", "/etc/passwd"};
    struct loop *loop = loop_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
        const struct http_options broken = {.ca_file = unusable[i]};
        struct err err;

        assert_null(http_new(loop, &broken, &err));
        expect_text("err", err.text, "ca_file");
        expect_text("err", err.text, unusable[i]);
    }
    assert_true(loop_free(loop));
}

/* --- a resolver that does not answer --- */

/* Lets the stalled lookups end, and with them their threads. */
static void release_lookups(int threads_before)
{
    names_stall = false;
    for (int i = 0; i < 300 && count_entries("/proc/self/task") > threads_before; i++)
        pause_ms(10);
    assert_int_equal(count_entries("/proc/self/task"), threads_before);
}

static void test_stalled_resolver_holds_nothing_up(void **state)
{
    const int threads = count_entries("/proc/self/task");
    struct fixture *fixture = fixture_new(NULL);
    struct http_request request = request_to("POST", false, "stall.test", 443);
    struct result result;

    (void)state;
    names_stall = true;
    run_for(fixture, 10);
    (void)loop_take_lag(fixture->loop);
    request.deadline = 300;
    result = run(fixture, request);
    expect_outcome("stalled", &result, HTTP_UNSENT);
    assert_int_equal(result.error_code, -ETIMEDOUT);
    expect_text("stalled", result.error, "stall.test:443 was not resolved in time");
    assert_in_range(result.duration, 290, 1500);
    run_for(fixture, 10);
    assert_in_range(loop_take_lag(fixture->loop).longest_own, 0, LAG_MAX);
    fixture_free(fixture);
    release_lookups(threads);
}

static void test_abandoned_lookups_leave_nothing(void **state)
{
    enum { COUNT = 20 };
    const int files = count_entries("/proc/self/fd");
    const int threads = count_entries("/proc/self/task");
    struct fixture *fixture = fixture_new(NULL);
    struct result results[COUNT];
    struct http_call *calls[COUNT];

    (void)state;
    names_stall = true;
    names_looked_up = 0;
    for (int i = 0; i < COUNT; i++) {
        struct http_request request = request_to("GET", false, "stall.test", 443 + i);

        calls[i] = start(fixture, &request, &results[i]);
    }
    for (int i = 0; i < 500 && names_looked_up < COUNT; i++)
        run_for(fixture, 10);
    assert_int_equal(names_looked_up, COUNT);
    (void)loop_take_lag(fixture->loop);
    for (int i = 0; i < COUNT; i++)
        http_cancel(calls[i]);
    finish_all(fixture);
    run_for(fixture, 10);
    assert_in_range(loop_take_lag(fixture->loop).longest_own, 0, LAG_MAX);
    for (int i = 0; i < COUNT; i++)
        expect_outcome("lookup", &results[i], HTTP_CANCELED);

    fixture_free(fixture);
    release_lookups(threads);
    assert_int_equal(count_entries("/proc/self/fd"), files);
}

/* --- proxies --- */

static void refuse_tunnel(struct server *server, int connection)
{
    if (server_read_request(server, connection) && server->context)
        server_send(connection, server->context);
}

static struct result run_through(const struct http_options *options, struct http_request request)
{
    struct fixture *fixture = fixture_new(options);
    const struct result result = run(fixture, request);

    fixture_free(fixture);
    return result;
}

static void test_proxy_refuses(void **state)
{
    static const struct {
        const char *reply;
        int error_code;
        const char *error;
    } cases[] = {
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", -EACCES,
         "proxy refused the tunnel to server.test:443 with status 403"},
        {"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n", -EACCES,
         "wants a user and a password for the tunnel to server.test:443 (status 407): write proxy: "
         "{url, user, password_file}"},
        {"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"p\"\r\n"
         "Proxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n",
         -EACCES, "wants a user and a password"},
        {"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n"
         "Content-Length: 0\r\n\r\n",
         -EACCES, "a kind that is not spoken here (status 407, NTLM or Negotiate)"},
        {NULL, -ECONNRESET, "server.test:443 broke before the request was sent"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct server *proxy = server_start(refuse_tunnel, cases[i].reply);
        char url[64];
        const struct http_options options = {.proxy = url};
        struct result result;

        (void)snprintf(url, sizeof(url), "http://proxy.test:%d", proxy->port);
        assert_int_equal(setenv("no_proxy", "*", 1), 0); /* must not matter */
        result = run_through(&options, request_to("POST", false, "server.test", 443));
        assert_int_equal(unsetenv("no_proxy"), 0);
        expect_outcome("proxy", &result, HTTP_UNSENT);
        expect_text("proxy", result.error, cases[i].error);
        assert_int_equal(result.error_code, cases[i].error_code);
        assert_int_equal(result.status, 0);
        assert_string_equal(result.headers, "");
        expect_text("proxy", proxy->last_request, "CONNECT server.test:443 HTTP/1.1\r\n");
        server_stop(proxy);
    }
}

/* They are in the request for the tunnel, and not in what the proxy's refusal is called. */
static void test_proxy_knows_the_user(void **state)
{
    static const char refusal[] =
        "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"p\"\r\n"
        "Content-Length: 0\r\n\r\n";
    struct server *proxy = server_start(refuse_tunnel, (void *)refusal);
    struct secret *password = secret_new("open: sesame", 12);
    char url[64];
    const struct http_options options = {
        .proxy = url, .proxy_user = "ali", .proxy_password = password};
    struct result result;

    (void)state;
    (void)snprintf(url, sizeof(url), "http://proxy.test:%d", proxy->port);
    result = run_through(&options, request_to("POST", false, "server.test", 443));
    expect_outcome("proxy", &result, HTTP_UNSENT);
    expect_text("proxy", result.error, "did not take the user and the password for the tunnel");
    assert_null(strstr(result.error, "sesame"));
    expect_text("proxy", proxy->last_request,
                "Proxy-Authorization: Basic YWxpOm9wZW46IHNlc2FtZQ==\r\n");
    server_stop(proxy);
    secret_free(password);
}

static void test_proxy_is_not_there(void **state)
{
    static const struct http_options unknown = {.proxy = "http://absent.test:3128"};
    static const struct http_options refused = {.proxy = "http://127.0.0.1:1"};
    struct result result;

    (void)state;
    result = run_through(&unknown, request_to("GET", false, "server.test", 443));
    expect_outcome("unknown", &result, HTTP_UNSENT);
    expect_text("unknown", result.error, "name of the proxy cannot be resolved");
    result = run_through(&refused, request_to("GET", false, "server.test", 443));
    expect_outcome("refused", &result, HTTP_UNSENT);
    expect_text("refused", result.error, "server.test:443 (or to the proxy before it): ");
}

static void test_proxy_is_not_used(void **state)
{
    struct server *trap = server_start(refuse_tunnel, NULL);
    struct server *server = server_start(answer, NULL);
    char url[64];
    const struct http_options options = {.proxy = url, .no_proxy = "example.com,test"};
    const struct http_options with_proxy = {.proxy = url};
    static const char *const variables[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                            "ALL_PROXY"};
    struct http_request request;
    struct result result;

    (void)state;
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", trap->port);
    result = run_through(&options, request_to("GET", false, "server.test", 1));
    expect_text("no_proxy", result.error, "cannot connect to server.test:1");
    request = request_to("GET", false, "server.test", 1);
    request.link_local = true;
    result = run_through(&with_proxy, request);
    expect_text("link_local", result.error, "cannot connect to server.test:1: ");
    result = run_through(&with_proxy, request_to_server("GET", server));
    expect_outcome("plain http", &result, HTTP_ANSWERED);

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        assert_int_equal(setenv(variables[i], url, 1), 0);
    result = run_through(NULL, request_to("GET", false, "server.test", 1));
    expect_text("environment", result.error, "cannot connect to server.test:1: ");
    result = run_through(NULL, request_to_server("GET", server));
    expect_outcome("environment", &result, HTTP_ANSWERED);
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        assert_int_equal(unsetenv(variables[i]), 0);
    assert_int_equal(trap->connections, 0);
    server_stop(server);
    server_stop(trap);
}

/* --- memory --- */

#if !defined(__SANITIZE_ADDRESS__)

static const char marker[] = "Qm9sb2duYS1zYW5kd2ljaC1mb3ItdGhyZWU";

/* How often the marker stands in the main heap. 0 too where the allocator has no such heap. */
static int count_in_heap(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    unsigned long start, end;
    int count = 0;

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        if (!strstr(line, "[heap]") || sscanf(line, "%lx-%lx", &start, &end) != 2)
            continue;
        for (const char *at = (const char *)start; at + sizeof(marker) < (const char *)end; at++)
            if (*at == *marker && memcmp(at, marker, sizeof(marker) - 1) == 0)
                count++;
    }
    fclose(maps);
    return count;
}

struct search {
    struct server *server;
    int found;
};

static void look_into_heap(void *context, struct http_reply *reply)
{
    struct search *search = context;

    assert_int_equal(reply->outcome, HTTP_ANSWERED);
    memset(search->server->last_request, 0, SERVER_REQUEST_MAX);
    search->found = count_in_heap();
}

/* valgrind and the like have allocators of their own. */
static bool has_plain_allocator(void)
{
    return !getenv("LD_PRELOAD");
}

static void test_secrets_do_not_stay_in_the_heap(void **state)
{
    struct fixture *fixture = fixture_new(NULL);
    struct server *server = server_start(answer, NULL);
    struct http_request request = request_to_server("POST", server);
    struct search search = {.server = server, .found = -1};

    (void)state;
    http_request_header(&request, "Authorization", marker);
    (void)buf_append_str(&request.body, marker);
    if (has_plain_allocator())
        assert_int_equal(count_in_heap(), 2); /* so they would be found */
    (void)http_start(fixture->http, &request, look_into_heap, &search);
    while (http_in_flight(fixture->http) > 0)
        run_for(fixture, 10);
    assert_int_equal(search.found, 0); /* with the connection still open */
    fixture_free(fixture);
    assert_int_equal(count_in_heap(), 0);
    server_stop(server);
}

static void take_all_memory(void)
{
    for (size_t size = 1024 * 1024; size >= sizeof(void *); size /= 2) {
        while (malloc(size))
            ;
    }
}

/* In a process of its own, which ends. */
static _Noreturn void call_without_memory(struct fixture *fixture, struct http_request *request)
{
    struct rlimit tight = {.rlim_cur = 1024 * 1024, .rlim_max = RLIM_INFINITY};
    struct result result;

    (void)setrlimit(RLIMIT_AS, &tight);
    take_all_memory();
    (void)start(fixture, request, &result);
    _exit(0);
}

static void test_no_memory_for_a_call(void **state)
{
    struct fixture *fixture = fixture_new(NULL);
    struct http_request request = request_to("GET", true, "127.0.0.1", 1);
    int status = 0;
    pid_t child;

    (void)state;
    if (!has_plain_allocator()) {
        fixture_free(fixture);
        http_request_done(&request);
        skip();
    }
    child = fork();
    if (child == 0)
        call_without_memory(fixture, &request);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 70);
    http_request_done(&request);
    fixture_free(fixture);
}
#endif

static int init(void **state)
{
    struct err err;

    (void)state;
    return http_global_init(&err);
}

static int done(void **state)
{
    (void)state;
    http_global_done();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_connections_are_dropped),
        cmocka_unit_test(test_unrepeatable_shuns_old_connections),
        cmocka_unit_test(test_new_options_mean_new_connections),
        cmocka_unit_test(test_sockets_that_cannot_be_watched),
        cmocka_unit_test(test_client_needs_its_ca_file),
        cmocka_unit_test(test_stalled_resolver_holds_nothing_up),
        cmocka_unit_test(test_abandoned_lookups_leave_nothing),
        cmocka_unit_test(test_proxy_refuses),
        cmocka_unit_test(test_proxy_knows_the_user),
        cmocka_unit_test(test_proxy_is_not_there),
        cmocka_unit_test(test_proxy_is_not_used),
#if !defined(__SANITIZE_ADDRESS__)
        cmocka_unit_test(test_secrets_do_not_stay_in_the_heap),
        cmocka_unit_test(test_no_memory_for_a_call),
#endif
    };

    return cmocka_run_group_tests(tests, init, done);
}
