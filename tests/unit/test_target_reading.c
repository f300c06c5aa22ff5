/* Files that targets read while they work: on threads, so that one that hangs keeps nobody from
 * working. A file hangs here in open(2), below a directory "hangs", until the test lets it go. */
#include "io/target/target_reading.h"

#include <fcntl.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "authority.h"
#include "base/fs.h"
#include "base/str.h"
#include "conf/target_hashicorp_vault.h"
#include "conf/target_kubernetes_secret.h"
#include "conf/target_webhook.h"
#include "io/loop/work.h"
#include "proto/failure.h"
#include "proto/key_text.h"

enum { DONE_MAX = 4 };

#define PATIENCE ((duration_ms)400)

static sem_t let_go;
static _Atomic int hanging;            /* threads that wait */
static _Atomic int opened_on_the_loop; /* files in the test's directory */
static _Atomic bool nothing_hangs;     /* any more: what hangs already goes on to do so */
static char directory[64];

int open(const char *path, int flags, ...);

/* Instead of the C library's. */
int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list arguments;

    va_start(arguments, flags);
    if (flags & (O_CREAT | O_TMPFILE))
        mode = va_arg(arguments, mode_t);
    va_end(arguments);
    if (directory[0] != '\0' && str_starts_with(path, directory)) {
        opened_on_the_loop += gettid() == getpid();
        if (strstr(path, "/hangs/") && !nothing_hangs) {
            hanging++;
            while (sem_wait(&let_go) != 0)
                continue;
            hanging--;
        }
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

struct fixture {
    struct loop *loop;
    struct http *http;
    struct target_world world;
    struct target_reading *reading;
    struct timer timer;
    int done;
};

static const char *path_of(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    static const struct http_options plain = {.user_agent = "keyrotated/test",
                                              .ca_file = TEST_AUTHORITY};
    struct fixture *f = calloc(1, sizeof(*f));
    struct err err;

    (void)str_copy(directory, sizeof(directory), "/tmp/keyrotated-reading-XXXXXX");
    assert_non_null(mkdtemp(directory));
    assert_int_equal(mkdir(path_of("hangs"), 0700), 0);
    assert_int_equal(sem_init(&let_go, 0, 0), 0);
    f->loop = loop_new(&err);
    f->http = http_new(f->loop, &plain, &err);
    assert_non_null(f->http);
    f->world = (struct target_world){
        .loop = f->loop, .http = f->http, .credentials_directory = directory, .timeout = PATIENCE};
    opened_on_the_loop = 0;
    *state = f;
    return 0;
}

/* Those that were left behind return, too. */
static int tear_down(void **state)
{
    static const char *const names[] = {
        "secret", "other", "hangs/secret", "hangs/ca.pem", "hangs/kubeconfig", "kubeconfig"};
    struct fixture *f = *state;

    while (hanging > 0)
        (void)sem_post(&let_go);
    target_world_done(&f->world);
    http_close(f->http, NULL, NULL);
    loop_run(f->loop);
    assert_true(loop_free(f->loop));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)unlink(path_of(names[i]));
    (void)rmdir(path_of("hangs"));
    assert_int_equal(rmdir(directory), 0);
    directory[0] = '\0';
    free(f);
    return 0;
}

static void stop(struct timer *timer)
{
    loop_stop(timer->loop);
}

static void on_closed(struct timer *timer)
{
    free(timer);
}

/* A while, at the longest; the loop's other events stop it before. */
static void run_for(struct fixture *f, duration_ms duration)
{
    struct timer *timer = calloc(1, sizeof(*timer));

    timer_init(f->loop, timer, stop);
    timer_set_delay(timer, duration);
    loop_run(f->loop);
    timer_close(timer, on_closed);
}

static void on_done(void *context)
{
    struct fixture *f = context;

    f->done++;
    loop_stop(f->loop);
}

static size_t add(struct fixture *f, const char *key, const char *path)
{
    const struct secret_file file = {.key = key, .path = path, .reason = REASON_TARGET_DENIED};

    return target_reading_add(f->reading, &file, SECRET_FILE_MAX);
}

static void test_files_are_read_together(void **state)
{
    struct fixture *f = *state;
    struct failure failure = {.http_status = 0};
    struct secret *secret;

    write_file("secret", "s3cret\n");
    write_file("other", "text\n");
    f->reading = target_reading_new(&f->world);
    assert_int_equal(add(f, "token_file", "secret"), 0);
    assert_int_equal(add(f, "ca_file", path_of("other")), 1);
    assert_int_equal(add(f, "token_file", "gone"), 2);
    target_reading_start(f->reading, on_done, f);
    assert_int_equal(f->done, 0); /* from the loop only */
    run_for(f, 10 * MS_SECOND);
    assert_int_equal(f->done, 1);
    secret = target_reading_secret(f->reading, 0, &failure);
    assert_non_null(secret);
    assert_string_equal(secret_bytes(secret), "s3cret");
    secret_free(secret);
    assert_string_equal(buf_str(target_reading_bytes(f->reading, 1, "", &failure)), "text\n");
    assert_null(target_reading_secret(f->reading, 2, &failure));
    assert_non_null(strstr(failure.text, "/gone cannot be used: cannot open"));
    assert_non_null(strstr(failure.remedy, "add `LoadCredential=gone:"));
    assert_null(target_reading_bytes(f->reading, 2, "look", &failure));
    assert_non_null(strstr(failure.remedy, "add `LoadCredential=gone:"));
    assert_int_equal(failure.reason, REASON_TARGET_DENIED);
    assert_int_equal(opened_on_the_loop, 0);
    target_reading_free(f->reading);
}

/* So many files of the file system hang already that the next one is not tried. */
static void test_no_thread_to_read_with(void **state)
{
    struct fixture *f = *state;
    struct target_reading *left[WORK_LANE_MAX];
    struct failure failure = {.http_status = 0};

    write_file("secret", "s3cret\n");
    write_file("hangs/secret", "s3cret\n");
    for (size_t i = 0; i < WORK_LANE_MAX; i++) {
        left[i] = f->reading = target_reading_new(&f->world);
        (void)add(f, "token_file", path_of("hangs/secret"));
        target_reading_start(f->reading, on_done, f);
    }
    while (hanging < WORK_LANE_MAX)
        run_for(f, 10);
    for (size_t i = 0; i < WORK_LANE_MAX; i++)
        target_reading_free(left[i]);

    f->reading = target_reading_new(&f->world);
    (void)add(f, "token_file", "secret");
    target_reading_start(f->reading, on_done, f);
    run_for(f, 10 * MS_SECOND);
    assert_int_equal(f->done, 1);
    assert_null(target_reading_secret(f->reading, 0, &failure));
    assert_int_equal(failure.reason, REASON_TARGET_DENIED);
    assert_non_null(strstr(failure.text, "/secret: not tried, because 24 operations on "));
    assert_null(target_reading_bytes(f->reading, 0, "look", &failure));
    assert_non_null(strstr(failure.remedy, "for a network file system, check its server"));
    target_reading_free(f->reading);
}

static void test_no_place_to_read_from(void **state)
{
    struct fixture *f = *state;
    struct failure failure = {.http_status = 0};

    f->world.credentials_directory = NULL;
    f->reading = target_reading_new(&f->world);
    (void)add(f, "token_file", "secret");
    target_reading_start(f->reading, on_done, f);
    assert_int_equal(f->done, 0);
    run_for(f, 10 * MS_SECOND);
    assert_int_equal(f->done, 1);
    assert_null(target_reading_secret(f->reading, 0, &failure));
    assert_non_null(strstr(failure.text, "there is no $CREDENTIALS_DIRECTORY"));
    assert_null(target_reading_bytes(f->reading, 0, "look", &failure));
    assert_non_null(strstr(failure.remedy, "LoadCredential=secret:"));
    target_reading_free(f->reading);
    /* Given up before it has begun. */
    f->reading = target_reading_new(&f->world);
    (void)add(f, "token_file", "secret");
    target_reading_start(f->reading, on_done, f);
    target_reading_free(f->reading);
    run_for(f, 1);
    assert_int_equal(f->done, 1);
}

/* A file that is being written, or an update that went wrong. */
static void test_empty_files(void **state)
{
    struct fixture *f = *state;
    struct failure failure = {.http_status = 0};
    struct buf authorities;

    write_file("other", "");
    buf_init(&authorities, HTTP_PEM_MAX);
    f->reading = target_reading_new(&f->world);
    (void)add(f, "ca_file", path_of("other"));
    (void)add(f, "token_file", path_of("other"));
    target_reading_start(f->reading, on_done, f);
    run_for(f, 10 * MS_SECOND);
    assert_int_equal(f->done, 1);
    assert_false(target_reading_authorities(f->reading, 0, "write it", &authorities, &failure));
    assert_non_null(strstr(failure.text, "cannot be used: it holds no certificate"));
    assert_string_equal(failure.remedy, "write it");
    assert_int_equal(authorities.length, 0);
    assert_null(target_reading_secret(f->reading, 1, &failure));
    assert_non_null(strstr(failure.text, "cannot be used: it is empty"));
    buf_done(&authorities);
    target_reading_free(f->reading);
}

/* Nobody waits for the thread; what it reads in the end is dropped. */
static void test_a_file_that_hangs_is_left_behind(void **state)
{
    struct fixture *f = *state;
    struct failure failure = {.http_status = 0};
    char path[128];

    write_file("secret", "s3cret\n");
    write_file("hangs/secret", "s3cret\n");
    (void)str_copy(path, sizeof(path), path_of("hangs/secret"));
    f->reading = target_reading_new(&f->world);
    (void)add(f, "token_file", "secret");
    (void)add(f, "ca_file", path);
    target_reading_start(f->reading, on_done, f);
    while (hanging == 0)
        run_for(f, 1);
    run_for(f, 50);
    assert_int_equal(f->done, 0);
    target_reading_explain(f->reading, 30 * MS_SECOND, &failure);
    assert_non_null(strstr(failure.text, path));
    assert_non_null(strstr(failure.text, "has not returned within 30s"));
    assert_null(strstr(failure.text, "token_file"));
    assert_true(failure.remedy[0] != '\0');
    target_reading_free(f->reading);
    (void)sem_post(&let_go);
    while (hanging > 0)
        run_for(f, 1);
    run_for(f, 10);
    assert_int_equal(f->done, 0);
}

/* --- the types that read --- */

static struct answer {
    int count;
    bool canceled;
    struct failure failure;
} answer;

static void note(void *context, struct target_result *result)
{
    struct fixture *f = context;

    answer.count++;
    answer.canceled = result->canceled;
    if (result->failure)
        answer.failure = *result->failure;
    loop_stop(f->loop);
}

static void probe(struct fixture *f, const struct target_type *type, const char *place,
                  const void *settings)
{
    const struct destination destination = {.name = "t",
                                            .type = type,
                                            .key_shape = &key_shape_base64,
                                            .place = (char *)place,
                                            .settings = settings};

    memset(&answer, 0, sizeof(answer));
    target_probe(&f->world, &destination, NULL, note, f);
    run_for(f, 10 * MS_SECOND);
    assert_int_equal(answer.count, 1);
}

/* The file at `path` hangs, and the job's time runs out: then the next one gets its turn. Each
 * leaves its thread behind. */
static void assert_hangs(struct fixture *f, const struct target_type *type, const char *place,
                         const void *settings, const char *path)
{
    for (int i = 0; i < 2; i++) {
        probe(f, type, place, settings);
        if (!strstr(answer.failure.text, path) ||
            !strstr(answer.failure.text, "has not returned within 400ms"))
            fail_msg("%s", answer.failure.text);
        assert_true(answer.failure.remedy[0] != '\0');
        assert_false(answer.failure.outcome_unknown);
        run_for(f, 1);
        assert_int_equal(f->world.queue.lane_count, 0);
        assert_int_equal(hanging, i + 1);
    }
    assert_int_equal(opened_on_the_loop, 0);
}

static void test_webhook(void **state)
{
    static const char secret[] = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    struct fixture *f = *state;
    struct target_webhook settings = {.secret_files = {"secret"}, .secret_count = 1};

    write_file("secret", secret);
    write_file("hangs/ca.pem", "x");
    settings.ca_file = path_of("hangs/ca.pem");
    settings.timeout = PATIENCE - 5 * MS_SECOND; /* the target adds some */
    assert_hangs(f, &target_webhook_type, "https://127.0.0.1:1/", &settings, "/hangs/ca.pem");
}

static void test_kubernetes(void **state)
{
    static const struct kubernetes_setting none[] = {{NULL, NULL}};
    static const char kubeconfig[] =
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "clusters: [{name: k, cluster: {server: 'https://127.0.0.1:1', "
        "certificate-authority: hangs/ca.pem}}]\n"
        "users: [{name: u, user: {token: t}}]\ncontexts: [{name: c, context: {cluster: k, user: "
        "u}}]\n";
    struct fixture *f = *state;
    struct target_kubernetes_secret settings = {
        .cluster = {.kubeconfig = "kubeconfig"},
        .cluster_length = 1,
        .data = none,
        .labels = none,
        .annotations = none,
        .field_manager = "m",
    };

    write_file("kubeconfig", kubeconfig);
    write_file("hangs/ca.pem", "x");
    assert_hangs(f, &target_kubernetes_secret_type, "k space/name", &settings, "/hangs/ca.pem");
}

static struct target_hashicorp_vault vault_settings(void)
{
    static const struct vault_field field = {"key", "{key}"};

    return (struct target_hashicorp_vault){
        .object = {.address = "http://127.0.0.1:1", .mount = "m"},
        .path_offset = strlen("http://127.0.0.1:1/m/"),
        .fields = &field,
        .field_count = 1,
    };
}

static void test_vault_token(void **state)
{
    struct fixture *f = *state;
    struct target_hashicorp_vault settings = vault_settings();

    write_file("hangs/secret", "hvs.x\n");
    settings.login = (struct vault_login){.kind = VAULT_LOGIN_TOKEN, .file = "hangs/secret"};
    assert_hangs(f, &target_hashicorp_vault_type, "http://127.0.0.1:1/m/p", &settings,
                 "/hangs/secret");
}

/* The file is read anew when all who waited for the login have given up. */
static void test_vault_login(void **state)
{
    struct fixture *f = *state;
    struct target_hashicorp_vault settings = vault_settings();

    write_file("hangs/secret", "id\n");
    settings.login = (struct vault_login){
        .kind = VAULT_LOGIN_APPROLE, .mount = "approle", .role = "r", .file = "hangs/secret"};
    assert_hangs(f, &target_hashicorp_vault_type, "http://127.0.0.1:1/m/p", &settings,
                 "/hangs/secret");
    /* Another file system is mounted over the dead one, whose threads are never heard of again. */
    nothing_hangs = true;
    probe(f, &target_hashicorp_vault_type, "http://127.0.0.1:1/m/p", &settings);
    assert_int_equal(hanging, 2);
    if (!strstr(answer.failure.text, "127.0.0.1:1") || strstr(answer.failure.text, "/hangs/"))
        fail_msg("%s", answer.failure.text); /* it has come as far as the connection */
    nothing_hangs = false;
}

static void note_reading(void *context, struct target_result *result)
{
    struct fixture *f = context;

    answer.count++;
    if (!strstr(result->failure->text, "/hangs/"))
        f->done++;
}

/* The same where there is somebody who waits for the login at every time. */
static void test_vault_login_of_many(void **state)
{
    struct fixture *f = *state;
    struct target_hashicorp_vault settings = vault_settings();
    char place[64];
    const struct destination destination = {.name = "t",
                                            .type = &target_hashicorp_vault_type,
                                            .key_shape = &key_shape_base64,
                                            .place = place,
                                            .settings = &settings};

    write_file("hangs/secret", "id\n");
    settings.login = (struct vault_login){
        .kind = VAULT_LOGIN_APPROLE, .mount = "approle", .role = "r", .file = "hangs/secret"};
    memset(&answer, 0, sizeof(answer));
    f->world.timeout = 5 * PATIENCE; /* the thread has to begin in it */
    for (int i = 0; f->done == 0; i++) {
        assert_true(i < 100); /* otherwise the file is never read again */
        (void)snprintf(place, sizeof(place), "http://127.0.0.1:1/m/p%d", i);
        target_probe(&f->world, &destination, NULL, note_reading, f);
        do {
            run_for(f, PATIENCE / 4);
        } while (hanging == 0 && answer.count == 0);
        assert_int_equal(hanging, 1);
        nothing_hangs = true;
    }
    assert_int_equal(hanging, 1);
    while (f->world.queue.lane_count > 0)
        run_for(f, PATIENCE / 4);
    nothing_hangs = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files_are_read_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_thread_to_read_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_place_to_read_from, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_that_hangs_is_left_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_webhook, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kubernetes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vault_token, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vault_login, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vault_login_of_many, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
