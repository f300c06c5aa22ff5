/* The target `webhook` against servers that do exactly what a test says. */
#include "io/target/target.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/fs.h"
#include "base/str.h"
#include "conf/target_webhook.h"
#include "http_fixture.h"
#include "proto/webhook.h"

#define KEY                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define SECRET "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define OTHER  "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

static struct fixture *net;
static struct target_world world;
static struct target_webhook settings;
static struct destination destination;
static struct account account = {.id = "/subscriptions/1/acct", .name = "acct"};
static char directory[] = "/tmp/test_target_webhook.XXXXXX";
static char url[128];

static struct outcome {
    int count;
    bool failed, changed, canceled;
    struct failure failure;
} outcome;

static struct fingerprint fingerprint(void *context, const char *key, size_t length)
{
    struct fingerprint print = {.bytes = {(uint8_t)key[0], (uint8_t)length}};

    (void)context;
    return print;
}

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

static void write_file(const char *name, const char *content)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    assert_int_equal(fs_replace(path, content, strlen(content),
                                &(struct fs_form){.mode = 0600, .gid = (gid_t)-1}, NULL),
                     0);
}

static int set_up(void **state)
{
    (void)state;
    net = fixture_new(NULL);
    write_file("hook", SECRET "\n");
    settings = (struct target_webhook){
        .secret_files = {"hook"}, .secret_count = 1, .timeout = 10 * MS_SECOND};
    world = (struct target_world){.loop = net->loop,
                                  .http = net->http,
                                  .credentials_directory = directory,
                                  .fingerprint = fingerprint};
    destination = (struct destination){
        .name = "hook", .type = &target_webhook_type, .place = url, .settings = &settings};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(world.queue.lane_count, 0);
    fixture_free(net);
    return 0;
}

static void start_delivery(const char *location)
{
    struct secret *key = secret_new(KEY, strlen(KEY));
    const struct delivery delivery = {.account = &account,
                                      .endpoint = "acct.example",
                                      .location = location,
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
    loop_run(net->loop);
    assert_int_equal(outcome.count, 1);
    assert_null(strstr(outcome.failure.text, KEY));
    assert_null(strstr(outcome.failure.text, "AAEC"));
    assert_null(strstr(outcome.failure.text, "horse"));
}

static void deliver(void)
{
    start_delivery(NULL);
    finish();
}

static void probe(void)
{
    memset(&outcome, 0, sizeof(outcome));
    target_probe(&world, &destination, NULL, note, NULL);
    finish();
}

static void expect_failure(bool is_unknown, const char *text, const char *remedy)
{
    assert_true(outcome.failed);
    if (!strstr(outcome.failure.text, text) || !strstr(outcome.failure.remedy, remedy))
        fail_msg("%s; do: %s", outcome.failure.text, outcome.failure.remedy);
    assert_int_equal(outcome.failure.reason, REASON_TARGET_FAILED);
    assert_int_equal(outcome.failure.outcome_unknown, is_unknown);
    assert_false(outcome.changed);
}

/* --- a server that answers with what its context says --- */

static void answer_with_context(struct server *server, int connection)
{
    if (server_read_request(server, connection))
        server_send(connection, server->context);
}

static struct server *serve(server_script *script, const void *context)
{
    struct server *server = server_start(script, context);

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/hooks/acct", server->port);
    return server;
}

static void header_of(const char *request, const char *name, char *out, size_t size)
{
    const char *at = strcasestr(request, name);

    out[0] = '\0';
    if (at)
        (void)snprintf(out, size, "%.*s", (int)strcspn(at + strlen(name), "\r"), at + strlen(name));
}

/* Does the request carry these signatures, as a receiver with the secrets would compute them? */
static void expect_signed(const char *request, const char *const texts[], size_t count)
{
    struct secret *secrets[2];
    char id[64], timestamp[64], signature[256];
    const char *problem;
    struct buf body, expected;

    header_of(request, "webhook-id: ", id, sizeof(id));
    header_of(request, "webhook-timestamp: ", timestamp, sizeof(timestamp));
    header_of(request, "webhook-signature: ", signature, sizeof(signature));
    buf_init(&body, WEBHOOK_BODY_MAX);
    buf_init(&expected, 256);
    buf_append_str(&body, strstr(request, "\r\n\r\n") + 4);
    for (size_t i = 0; i < count; i++) {
        struct secret *text = secret_new(texts[i], strlen(texts[i]));

        secrets[i] = webhook_secret(text, &problem);
        secret_free(text);
    }
    assert_int_equal(
        webhook_sign(secrets, count, id, strtoll(timestamp, NULL, 10), &body, &expected), 0);
    assert_string_equal(signature, buf_str(&expected));
    for (size_t i = 0; i < count; i++)
        secret_free(secrets[i]);
    buf_done(&expected);
    buf_done(&body);
}

#define EMPTY_200 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static void test_delivers_and_signs(void **state)
{
    static const char *const one[] = {SECRET};
    static const char *const two[] = {OTHER, SECRET};
    struct server *server = serve(answer_with_context, EMPTY_200);
    char id[64], again[64];

    (void)state;
    deliver();
    assert_false(outcome.failed);
    assert_true(outcome.changed);
    assert_true(str_starts_with(server->last_request, "POST /hooks/acct HTTP/1.1\r\n"));
    expect_signed(server->last_request, one, 1);
    assert_null(strstr(server->last_request, KEY)); /* include_key is false */
    assert_non_null(strstr(server->last_request, "\"slot\":\"secondary\",\"cycle\":7"));
    header_of(server->last_request, "webhook-id: ", id, sizeof(id));

    /* The files are read again, and a second secret signs, too. */
    write_file("new", OTHER);
    settings.secret_files[0] = "new";
    settings.secret_files[1] = "hook";
    settings.secret_count = 2;
    deliver();
    assert_false(outcome.failed);
    expect_signed(server->last_request, two, 2);
    header_of(server->last_request, "webhook-id: ", again, sizeof(again));
    assert_string_equal(id, again);

    settings.include_key = true;
    deliver();
    assert_non_null(strstr(server->last_request, "\"key\":\"" KEY "\"}}"));
    header_of(server->last_request, "webhook-id: ", again, sizeof(again));
    assert_string_not_equal(id, again); /* it is another destination by then */
    server_stop(server);
}

static void test_place_with_location(void **state)
{
    struct server *server = serve(answer_with_context, EMPTY_200);

    (void)state;
    (void)snprintf(url + strlen(url), 32, "/{location}");
    destination.needs_location = true;
    start_delivery("Japan East");
    finish();
    assert_false(outcome.failed);
    assert_true(str_starts_with(server->last_request, "POST /hooks/acct/japaneast HTTP/1.1\r\n"));
    start_delivery(NULL);
    finish();
    expect_failure(false, "location is not known yet", "none needed");
    start_delivery("Japan/East");
    finish();
    expect_failure(false, "\"Japan/East\" cannot stand in", "of the target's `url`");
    assert_int_equal(server->requests, 1);
    server_stop(server);
}

static void test_probe_sends_nothing(void **state)
{
    struct server *server = serve(answer_with_context, EMPTY_200);

    (void)state;
    probe();
    assert_false(outcome.failed);
    assert_int_equal(server->connections, 0);
    server_stop(server);
}

/* --- what a delivery needs is not there --- */

static void both_fail(const char *text, const char *remedy)
{
    probe();
    expect_failure(false, text, remedy);
    deliver();
    expect_failure(false, text, remedy);
}

static void test_files_that_cannot_be_used(void **state)
{
    struct server *server = serve(answer_with_context, EMPTY_200);
    char ca_file[128];

    (void)state;
    (void)snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", directory);
    settings.secret_files[0] = "missing";
    both_fail("/missing", "add `LoadCredential=missing:");
    write_file("hook", "");
    settings.secret_files[0] = "hook";
    both_fail("it is empty", "`LoadCredential=hook:`");
    write_file("hook", "correct-horse-battery-staple\n");
    both_fail("secret_file hook cannot be used: it is not a signing secret", "openssl rand");
    write_file("hook", "whsec_AAECAAEC\n");
    both_fail("24 to 64 bytes", "hook");
    write_file("hook", SECRET "\n");
    settings.secret_files[1] = "gone"; /* one of two is not enough: half of the receivers fail */
    settings.secret_count = 2;
    both_fail("/gone", "add `LoadCredential=gone:");
    settings.secret_count = 1;

    settings.ca_file = ca_file;
    both_fail("/ca.pem cannot be used: cannot open", "in PEM");
    assert_int_equal(mkfifo(ca_file, 0600), 0); /* nobody writes to it */
    both_fail("/ca.pem cannot be used: ", "run `mv ");
    assert_non_null(strstr(outcome.failure.text, "is not a regular file"));
    assert_int_equal(unlink(ca_file), 0);
    write_file("ca.pem", "no certificate\n");
    both_fail("/ca.pem cannot be used: it holds no certificate", "in PEM");
    assert_int_equal(server->connections, 0);
    server_stop(server);
}

/* --- answers --- */

static void send_huge(struct server *server, int connection)
{
    char line[1024];

    if (!server_read_request(server, connection))
        return;
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    server_send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    for (int i = 0; i < 100; i++)
        server_send(connection, line);
}

static void hang(struct server *server, int connection)
{
    if (server_read_request(server, connection))
        server_await_hangup(connection);
}

static void reset(struct server *server, int connection)
{
    if (server_read_request(server, connection))
        server_reset(connection);
}

static const struct {
    server_script *script;
    const char *reply;
    duration_ms timeout;
    bool is_unknown;
    const char *text;
    const char *remedy;
} ways[] = {
    {answer_with_context,
     "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 0, false,
     "status 302; it redirects the request to http://127.0.0.1:1/", "redirects are not followed"},
    {answer_with_context,
     "HTTP/1.1 308 Permanent Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", 0,
     false, "status 308", "redirects are not followed"},
    {answer_with_context, "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", 0, false, "status 410",
     "out of deliver_to"},
    {answer_with_context,
     "HTTP/1.1 400 Bad Request\r\nContent-Length: 33\r\n\r\n"
     "{\"message\":\"bad AAECAwQFBgcI%2B\"}",
     0, false, "status 400: bad ************%2B", "why it refuses the message"},
    {answer_with_context, "220 mail.example ESMTP\r\n", 0, true, "the answer was lost",
     "same webhook-id"},
    {answer_with_context, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", 0, true,
     "the answer was lost", "same webhook-id"},
    {send_huge, NULL, 0, true, "longer than 65536 bytes", "same webhook-id"},
    {hang, NULL, 200, true, "did not answer within 200ms", "same webhook-id"},
    {reset, NULL, 0, true, "the answer was lost", "same webhook-id"},
};

static void test_ways_of_being_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct server *server = serve(ways[i].script, ways[i].reply);

        settings.timeout = ways[i].timeout > 0 ? ways[i].timeout : 10 * MS_SECOND;
        deliver();
        expect_failure(ways[i].is_unknown, ways[i].text, ways[i].remedy);
        assert_int_equal(server->requests, 1); /* sent once, to one place */
        server_stop(server);
    }
}

static void test_no_server(void **state)
{
    struct server *server = serve(answer_with_context, EMPTY_200);

    (void)state;
    server_stop(server);
    deliver();
    expect_failure(false, "cannot be reached", "curl -sv");
    (void)snprintf(url, sizeof(url), "https://nowhere.test/");
    deliver();
    expect_failure(false, "cannot be resolved", "curl -sv");
}

/* --- the end --- */

static void stop_all(struct timer *timer)
{
    target_cancel_all(&world);
    timer_close(timer, NULL);
}

static void test_canceled_while_it_hangs(void **state)
{
    struct server *server = serve(hang, NULL);
    struct timer timer;

    (void)state;
    timer_init(net->loop, &timer, stop_all);
    start_delivery(NULL);
    while (server->requests == 0) {
        uv_run(loop_uv(net->loop), UV_RUN_NOWAIT);
        pause_ms(1);
    }
    timer_set_delay(&timer, 1);
    finish();
    assert_true(outcome.canceled);
    expect_failure(true, "daemon stops", "");
    assert_false(target_is_busy(&world));
    server_stop(server);
}

/* Two accounts of one URL do not wait for each other. */
static void test_accounts_share_a_receiver(void **state)
{
    struct server *server = serve(hang, NULL);

    (void)state;
    settings.timeout = 300;
    start_delivery(NULL);
    account.name = "other";
    start_delivery(NULL);
    account.name = "acct";
    for (int i = 0; i < 200 && server->requests < 2; i++) {
        uv_run(loop_uv(net->loop), UV_RUN_NOWAIT);
        pause_ms(1);
    }
    assert_int_equal(server->requests, 2);
    loop_run(net->loop);
    assert_int_equal(outcome.count, 2);
    server_stop(server);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_delivers_and_signs),      TEST(test_place_with_location),
        TEST(test_probe_sends_nothing),     TEST(test_files_that_cannot_be_used),
        TEST(test_ways_of_being_wrong),     TEST(test_no_server),
        TEST(test_canceled_while_it_hangs), TEST(test_accounts_share_a_receiver),
    };
    static const char *const files[] = {"hook", "new", "ca.pem"};
    char path[128];
    int rc;

    assert_int_equal(http_global_init(NULL), 0);
    assert_non_null(mkdtemp(directory));
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(directory);
    http_global_done();
    return rc;
}
