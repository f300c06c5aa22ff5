/*
 * What the tests of the target hashicorp_vault share: a server that answers as the test says, and
 * operations against it.
 */
#ifndef KEYROTATED_TESTS_VAULT_FIXTURE_H
#define KEYROTATED_TESTS_VAULT_FIXTURE_H

#include "io/target/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "authority.h"
#include "base/str.h"
#include "conf/target_hashicorp_vault.h"
#include "proto/key_text.h"
#include "scripted_server.h"

enum { JOBS = 6 };

#define PATIENCE (1 * MS_SECOND)

/* By how much the clock that remembers failures runs ahead. */
static _Atomic time_t boot_offset_s;

/* Instead of the C library's. */
int clock_gettime(clockid_t clock, struct timespec *out)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, out);

    if (rc == 0 && clock == CLOCK_BOOTTIME)
        out->tv_sec += boot_offset_s;
    return rc;
}

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
    _Atomic int cut_unwraps;    /* so many are carried out, and get no answer */
    _Atomic int slow_unwrap_ms;
    _Atomic bool refuses_unwraps;
    _Atomic int refused_reads; /* so many are refused, for the token */
    _Atomic bool refuses_logins;
    _Atomic bool slow_renewal; /* a second login is answered some time after all refusals */
    _Atomic int lease_s;
    const char *capabilities;  /* of the token; NULL: it may not ask */
    char next_token_file[128]; /* not empty: a read that is refused puts another token there */
} vault;

static inline void answer(int connection, int status, const char *body)
{
    char text[512];

    (void)snprintf(
        text, sizeof(text),
        "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
        strlen(body), body);
    server_send(connection, text);
}

static inline void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    (void)fputs(text, file);
    (void)fclose(file);
}

static inline void log_in(int connection)
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

static inline void unwrap(int connection)
{
    vault.unwraps++;
    usleep((useconds_t)vault.slow_unwrap_ms * 1000);
    if (vault.cut_unwraps > 0) {
        vault.cut_unwraps--;
        server_reset(connection);
        (void)shutdown(connection, SHUT_RDWR);
    } else if (vault.refuses_unwraps) {
        answer(connection, 400, "{\"errors\":[\"wrapping token is not valid\"]}");
    } else {
        answer(connection, 200, "{\"data\":{\"secret_id\":\"an id\"}}");
    }
}

static inline void read_object(int connection)
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

static inline void tell_capabilities(int connection)
{
    char body[128];

    if (!vault.capabilities) {
        answer(connection, 403, "{\"errors\":[\"1 error occurred: * permission denied\"]}");
        return;
    }
    (void)snprintf(body, sizeof(body), "{\"data\":{\"secret/data/a0\":[%s]}}", vault.capabilities);
    answer(connection, 200, body);
}

static inline void serve(struct server *server, int connection)
{
    char request[1024];

    while (server_read_request(server, connection)) {
        pthread_mutex_lock(&server->lock);
        (void)str_copy(request, sizeof(request), server->last_request);
        pthread_mutex_unlock(&server->lock);
        if (strstr(request, "/login")) {
            log_in(connection);
        } else if (strstr(request, "/unwrap")) {
            unwrap(connection);
        } else if (strstr(request, "/capabilities-self")) {
            tell_capabilities(connection);
        } else if (strstr(request, "/ui/mounts/")) {
            answer(connection, 403, "{\"errors\":[\"preflight\"]}");
        } else {
            read_object(connection);
        }
    }
}

static inline int set_up(void **state)
{
    static const struct http_options plain = {.user_agent = "keyrotated/test",
                                              .ca_file = TEST_AUTHORITY};
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

static inline int tear_down(void **state)
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

static inline void note(void *context, struct target_result *result)
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
static inline struct destination destination_of(struct fixture *f, size_t i)
{
    (void)snprintf(f->places[i], sizeof(f->places[i]), "%s/secret/a%zu", f->address, i);
    f->answers[i] = (struct answer){.count = 0};
    return (struct destination){.name = "v",
                                .type = &target_hashicorp_vault_type,
                                .key_shape = &key_shape_base64,
                                .place = f->places[i],
                                .settings = &f->settings};
}

static inline void start_read(struct fixture *f, size_t i)
{
    struct destination destination = destination_of(f, i);

    target_read(&f->world, &destination, NULL, false, note, &f->answers[i]);
    memset(f->places[i], 0, sizeof(f->places[i])); /* borrowed until the call returned */
}

static inline void assert_empty(const struct answer *answer)
{
    assert_int_equal(answer->count, 1);
    if (answer->failed)
        fail_msg("%s", answer->failure.text);
    assert_int_equal(answer->kind, SIGHTING_EMPTY);
}

static inline void read_one(struct fixture *f)
{
    start_read(f, 0);
    loop_run(f->loop);
}

#endif
