/* Targets in HashiCorp Vault, against a server that answers as the test says. Logins: shared,
 * handed on, remembered where they fail, replaced where the token is refused. Probes: what they
 * demand. */
#include "io/target/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "conf/target_hashicorp_vault.h"
#include "proto/key_text.h"
#include "scripted_server.h"

enum { JOBS = 6 };

#define PATIENCE (1 * MS_SECOND)

struct answer {
    int count;
    bool failed, canceled;
    struct failure failure;
    enum sighting_kind kind;
};

struct fixture {
    char directory[64];
    char secret_file[128];
    char address[64];
    char places[JOBS][128];
    struct server *server;
    struct loop *loop;
    struct http *http;
    struct target_world world;
    struct target_hashicorp_vault settings;
    struct answer answers[JOBS];
    struct timer timer;
};

/* What the server does; shared with its threads. */
static struct {
    _Atomic int logins, unwraps, reads;
    _Atomic int hanging_logins; /* so many get no answer */
    _Atomic int refused_reads;  /* so many are refused, for the token */
    _Atomic bool refuses_logins;
    _Atomic bool slow_renewal; /* a second login is answered some time after all refusals */
    _Atomic int lease_s;
    const char *capabilities;  /* of the token; NULL: it may not ask */
    char next_token_file[128]; /* not empty: a read that is refused puts another token there */
} vault;

static void answer(int connection, int status, const char *body)
{
    char text[512];

    (void)snprintf(
        text, sizeof(text),
        "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
        strlen(body), body);
    server_send(connection, text);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    (void)fputs(text, file);
    (void)fclose(file);
}

static void log_in(int connection)
{
    char body[128];

    vault.logins++;
    while (vault.slow_renewal && vault.logins > 1 && vault.refused_reads > 0)
        usleep(1000);
    if (vault.slow_renewal && vault.logins > 1)
        usleep(100 * 1000);
    if (vault.hanging_logins > 0) {
        vault.hanging_logins--;
        server_await_hangup(connection);
    } else if (vault.refuses_logins) {
        answer(connection, 400, "{\"errors\":[\"invalid role or secret ID\"]}");
    } else {
        (void)snprintf(body, sizeof(body),
                       "{\"auth\":{\"client_token\":\"token-%d\",\"lease_duration\":%d}}",
                       (int)vault.logins, (int)vault.lease_s);
        answer(connection, 200, body);
    }
}

static void read_object(int connection)
{
    vault.reads++;
    if (vault.refused_reads > 0) {
        vault.refused_reads--;
        if (vault.next_token_file[0] != '\0')
            write_text(vault.next_token_file, "the next token\n");
        answer(connection, 403, "{\"errors\":[\"permission denied\"]}");
    } else {
        answer(connection, 404, "{\"errors\":[]}");
    }
}

static void tell_capabilities(int connection)
{
    char body[128];

    if (!vault.capabilities) {
        answer(connection, 403, "{\"errors\":[\"1 error occurred: * permission denied\"]}");
        return;
    }
    (void)snprintf(body, sizeof(body), "{\"data\":{\"secret/data/a0\":[%s]}}", vault.capabilities);
    answer(connection, 200, body);
}

static void serve(struct server *server, int connection)
{
    char request[1024];

    while (server_read_request(server, connection)) {
        pthread_mutex_lock(&server->lock);
        (void)str_copy(request, sizeof(request), server->last_request);
        pthread_mutex_unlock(&server->lock);
        if (strstr(request, "/login")) {
            log_in(connection);
        } else if (strstr(request, "/unwrap")) {
            vault.unwraps++;
            answer(connection, 200, "{\"data\":{\"secret_id\":\"an id\"}}");
        } else if (strstr(request, "/capabilities-self")) {
            tell_capabilities(connection);
        } else if (strstr(request, "/ui/mounts/")) {
            answer(connection, 403, "{\"errors\":[\"preflight\"]}");
        } else {
            read_object(connection);
        }
    }
}

static int set_up(void **state)
{
    static const struct http_options plain = {.user_agent = "keyrotated/test"};
    static const struct vault_field field = {"key", "{key}"};
    struct fixture *f = calloc(1, sizeof(*f));
    struct err err;

    memset(&vault, 0, sizeof(vault));
    vault.lease_s = 3600;
    (void)str_copy(f->directory, sizeof(f->directory), "/tmp/keyrotated-vault-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    (void)snprintf(f->secret_file, sizeof(f->secret_file), "%s/secret", f->directory);
    write_text(f->secret_file, "a secret\n");
    f->server = server_start(serve, NULL);
    f->loop = loop_new(&err);
    f->http = http_new(f->loop, &plain, &err);
    assert_non_null(f->http);
    f->world = (struct target_world){.loop = f->loop, .http = f->http};
    (void)snprintf(f->address, sizeof(f->address), "http://127.0.0.1:%d", f->server->port);
    f->settings = (struct target_hashicorp_vault){
        .object = {.address = f->address, .mount = "secret"},
        .path_offset = strlen(f->address) + strlen("/secret/"),
        .fields = &field,
        .field_count = 1,
        .login = {.kind = VAULT_LOGIN_APPROLE,
                  .mount = "approle",
                  .role = "r",
                  .file = f->secret_file},
    };
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    target_world_done(&f->world);
    http_close(f->http, NULL, NULL);
    loop_run(f->loop);
    assert_true(loop_free(f->loop));
    server_stop(f->server);
    (void)unlink(f->secret_file);
    assert_int_equal(rmdir(f->directory), 0);
    free(f);
    return 0;
}

static void note(void *context, struct target_result *result)
{
    struct answer *answer = context;

    answer->count++;
    answer->failed = !!result->failure;
    answer->canceled = result->canceled;
    if (result->failure)
        answer->failure = *result->failure;
    answer->kind = result->sighting.kind;
}

/* Of the place `i`, which the caller writes. */
static struct destination destination_of(struct fixture *f, size_t i)
{
    (void)snprintf(f->places[i], sizeof(f->places[i]), "%s/secret/a%zu", f->address, i);
    f->answers[i] = (struct answer){.count = 0};
    return (struct destination){.name = "v",
                                .type = &target_hashicorp_vault_type,
                                .key_shape = &key_shape_base64,
                                .place = f->places[i],
                                .settings = &f->settings};
}

static void start_read(struct fixture *f, size_t i)
{
    struct destination destination = destination_of(f, i);

    target_read(&f->world, &destination, NULL, false, note, &f->answers[i]);
    memset(f->places[i], 0, sizeof(f->places[i])); /* borrowed until the call returned */
}

static void assert_empty(const struct answer *answer)
{
    assert_int_equal(answer->count, 1);
    if (answer->failed)
        fail_msg("%s", answer->failure.text);
    assert_int_equal(answer->kind, SIGHTING_EMPTY);
}

static void read_one(struct fixture *f)
{
    start_read(f, 0);
    loop_run(f->loop);
}

/* One logs in, and all others wait for it. */
static void test_login_is_shared(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < JOBS; i++)
        start_read(f, i);
    loop_run(f->loop);
    for (size_t i = 0; i < JOBS; i++)
        assert_empty(&f->answers[i]);
    assert_int_equal(vault.logins, 1);
    read_one(f);
    assert_int_equal(vault.logins, 1);
    assert_int_equal(vault.reads, JOBS + 1);
}

/* Another role is another login. */
static void test_logins_differ(void **state)
{
    struct fixture *f = *state;

    read_one(f);
    f->settings.login.role = "other";
    read_one(f);
    assert_empty(&f->answers[0]);
    f->settings.object.name_space = "team";
    read_one(f);
    assert_int_equal(vault.logins, 3);
}

/* A token is used until a tenth of its life is left. */
static void test_token_runs_out(void **state)
{
    struct fixture *f = *state;

    vault.lease_s = 1;
    read_one(f);
    usleep(950 * 1000);
    read_one(f);
    assert_empty(&f->answers[0]);
    assert_int_equal(vault.logins, 2);
}

static void start_second(struct timer *timer)
{
    struct fixture *f = container_of(timer, struct fixture, timer);

    start_read(f, 1);
    timer_close(timer, NULL);
}

/* The login hangs until the first job's time is up; the second one, which waits for it, then logs
 * in itself. */
static void test_login_is_handed_on(void **state)
{
    struct fixture *f = *state;

    f->world.timeout = PATIENCE;
    vault.hanging_logins = 1;
    start_read(f, 0);
    timer_init(f->loop, &f->timer, start_second);
    timer_set_delay(&f->timer, PATIENCE / 2);
    loop_run(f->loop);
    assert_int_equal(f->answers[0].count, 1);
    assert_true(f->answers[0].failed);
    assert_non_null(strstr(f->answers[0].failure.text, "did not answer for secret/a0 within 1s"));
    assert_false(f->answers[0].failure.outcome_unknown);
    assert_empty(&f->answers[1]);
    assert_int_equal(vault.logins, 2);
}

/* Both wait for nothing until their time is up. */
static void test_those_who_wait_are_given_up(void **state)
{
    struct fixture *f = *state;

    f->world.timeout = PATIENCE / 4;
    vault.hanging_logins = 2;
    start_read(f, 0);
    start_read(f, 1);
    loop_run(f->loop);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(f->answers[i].count, 1);
        assert_true(f->answers[i].failed);
    }
    vault.hanging_logins = 0;
    read_one(f);
    assert_empty(&f->answers[0]);
}

static void cancel_all(struct timer *timer)
{
    struct fixture *f = container_of(timer, struct fixture, timer);

    target_cancel_all(&f->world);
    timer_close(timer, NULL);
}

/* Nobody logs in any more for those that wait, when the daemon stops. */
static void test_daemon_stops(void **state)
{
    struct fixture *f = *state;

    vault.hanging_logins = JOBS;
    for (size_t i = 0; i < 3; i++)
        start_read(f, i);
    timer_init(f->loop, &f->timer, cancel_all);
    timer_set_delay(&f->timer, PATIENCE / 4);
    loop_run(f->loop);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(f->answers[i].count, 1);
        assert_true(f->answers[i].canceled);
    }
    assert_int_equal(vault.logins, 1);
    assert_false(target_is_busy(&f->world));
}

/* Many accounts with a wrong secret make one request. */
static void test_failed_login_is_remembered(void **state)
{
    struct fixture *f = *state;

    vault.refuses_logins = true;
    for (size_t i = 0; i < JOBS; i++)
        start_read(f, i);
    loop_run(f->loop);
    read_one(f);
    for (size_t i = 0; i < JOBS; i++) {
        assert_true(f->answers[i].failed);
        assert_int_equal(f->answers[i].failure.reason, REASON_TARGET_DENIED);
        assert_non_null(strstr(f->answers[i].failure.text, "invalid role or secret ID"));
        assert_non_null(strstr(f->answers[i].failure.remedy, f->secret_file));
    }
    assert_int_equal(vault.logins, 1);
    assert_int_equal(vault.reads, 0);
}

/* A token that is refused is replaced once; a second refusal is final, and another operation does
 * not log in again within seconds. */
static void test_refused_token(void **state)
{
    struct fixture *f = *state;

    vault.refused_reads = 1;
    read_one(f);
    assert_empty(&f->answers[0]);
    assert_int_equal(vault.logins, 2);

    vault.refused_reads = 9;
    read_one(f);
    assert_true(f->answers[0].failed);
    assert_int_equal(f->answers[0].failure.reason, REASON_TARGET_DENIED);
    assert_int_equal(vault.logins, 2);
    assert_int_equal(vault.reads, 3);
}

/* All operations with the refused token wait for its successor, whoever noticed first. */
static void test_token_refused_to_many(void **state)
{
    struct fixture *f = *state;

    vault.refused_reads = JOBS;
    vault.slow_renewal = true;
    for (size_t i = 0; i < JOBS; i++)
        start_read(f, i);
    loop_run(f->loop);
    for (size_t i = 0; i < JOBS; i++)
        assert_empty(&f->answers[i]);
    assert_int_equal(vault.logins, 2);
    assert_int_equal(vault.reads, 2 * JOBS);
}

static void test_refused_token_of_a_file(void **state)
{
    struct fixture *f = *state;

    f->settings.login.kind = VAULT_LOGIN_TOKEN;
    vault.refused_reads = 1;
    read_one(f);
    assert_true(f->answers[0].failed); /* the file has no other */
    assert_non_null(strstr(f->answers[0].failure.remedy, "write a valid token to /tmp/"));
    assert_int_equal(vault.reads, 1);

    /* Somebody renews it just then. */
    (void)str_copy(vault.next_token_file, sizeof(vault.next_token_file), f->secret_file);
    vault.refused_reads = 1;
    read_one(f);
    assert_empty(&f->answers[0]);
    assert_non_null(strstr(f->server->last_request, "X-Vault-Token: the next token"));
    assert_int_equal(vault.logins, 0);
}

/* The secret id is kept, for its wrapping token works once; another token in the file is new. */
static void test_wrapped_secret_id(void **state)
{
    struct fixture *f = *state;

    f->settings.login.wrapped = true;
    vault.refused_reads = 1;
    read_one(f);
    assert_empty(&f->answers[0]);
    assert_int_equal(vault.logins, 2);
    assert_int_equal(vault.unwraps, 1);

    write_text(f->secret_file, "another\n");
    vault.lease_s = 1;
    f->settings.login.role = "other";
    read_one(f);
    assert_int_equal(vault.unwraps, 2);
    usleep(950 * 1000);
    write_text(f->secret_file, "a third one\n");
    read_one(f);
    assert_empty(&f->answers[0]);
    assert_int_equal(vault.unwraps, 3);
}

/* A token that no header takes fails its own operation alone, and every later one. */
static void test_unusable_secret(void **state)
{
    struct fixture *f = *state;

    f->settings.login.wrapped = true;
    f->settings.object.name_space = "a\nb";
    for (size_t i = 0; i < 2; i++)
        start_read(f, i);
    loop_run(f->loop);
    for (size_t i = 0; i < 2; i++) {
        assert_true(f->answers[i].failed);
        assert_non_null(strstr(f->answers[i].failure.text, "cannot be made"));
    }
    assert_int_equal(f->server->requests, 0);
}

/* --- probes --- */

static void probe(struct fixture *f, const char *capabilities, const char *failure)
{
    struct destination destination = destination_of(f, 0);

    vault.capabilities = capabilities;
    target_probe(&f->world, &destination, NULL, note, &f->answers[0]);
    loop_run(f->loop);
    assert_int_equal(f->answers[0].count, 1);
    if (!failure) {
        assert_false(f->answers[0].failed);
        return;
    }
    assert_true(f->answers[0].failed);
    assert_int_equal(f->answers[0].failure.reason, REASON_TARGET_DENIED);
    assert_string_equal(f->answers[0].failure.text, failure);
    assert_non_null(strstr(f->answers[0].failure.remedy, "path \"secret/data/a0\""));
}

/* Nothing was ever written there: the next write creates it. */
static void test_probe_where_nothing_stands(void **state)
{
    struct fixture *f = *state;

    probe(f, "\"create\",\"read\",\"update\"", NULL);
    assert_int_equal(vault.reads, 0);
    probe(f, "\"create\",\"read\"", NULL);
    assert_int_equal(vault.reads, 1);
    probe(f, "\"read\",\"update\"", "the token may not create secret/a0");
    probe(f, "\"deny\"", "the token may not read, create or update secret/a0");
    probe(f, "\"list\",\"read\"", "the token may not create or update secret/a0");
    assert_int_equal(vault.reads, 2);
    probe(f, NULL, NULL); /* what it may not ask, the read has to show */
    assert_int_equal(vault.reads, 3);
}

/* The largest object that the configuration takes has an identity, too, as a hook behind it has. */
static void test_identity_of_a_large_object(void **state)
{
    enum { FIELDS = 32, LENGTH = 4096 };
    struct fixture *f = *state;
    char text[LENGTH + 1];
    struct vault_field fields[FIELDS];
    struct destination destination = destination_of(f, 0), hook = destination;
    struct target_id id, changed;

    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    for (size_t i = 0; i < FIELDS; i++)
        fields[i] = (struct vault_field){.name = text, .template = text};
    f->settings.fields = fields;
    f->settings.field_count = FIELDS;
    hook.after = &destination;
    id = target_identify(&hook);
    fields[FIELDS - 1].template = "y";
    changed = target_identify(&hook);
    assert_false(target_id_equal(&id, &changed));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_login_is_shared),
        TEST(test_logins_differ),
        TEST(test_token_runs_out),
        TEST(test_login_is_handed_on),
        TEST(test_those_who_wait_are_given_up),
        TEST(test_daemon_stops),
        TEST(test_failed_login_is_remembered),
        TEST(test_refused_token),
        TEST(test_token_refused_to_many),
        TEST(test_refused_token_of_a_file),
        TEST(test_wrapped_secret_id),
        TEST(test_unusable_secret),
        TEST(test_probe_where_nothing_stands),
        TEST(test_identity_of_a_large_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
