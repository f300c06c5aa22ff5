/* The target `systemd_credential`, with a script in place of systemd-creds(1). */
#include "conf/target_systemd_credential.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/str.h"
#include "io/target/target.h"
#include "proto/key_text.h"

#define KEY_A                                                                                      \
    "qWK7l3wUjHWs0HqZ1cRkfdQXb4YJm8tNvGgPz5oE2yTaLx9Di6uFrB0SnMeVhCA3pKjOw7ZlXkUq1RtYb2Ns8g=="
#define KEY_B                                                                                      \
    "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6QUJDREVGR0hJSktMTU5PUA=="

static char directory[64], program[128], path[128];
static struct loop *loop;
static struct target_world world;
static struct target_systemd_credential settings;
static struct answer {
    int count;
    bool failed, canceled, changed;
    struct failure failure;
    struct sighting sighting;
} answer;

static struct fingerprint first_bytes(void *context, const char *key, size_t length)
{
    struct fingerprint fingerprint;

    (void)context;
    assert_true(length >= FINGERPRINT_LENGTH);
    memcpy(fingerprint.bytes, key, FINGERPRINT_LENGTH);
    return fingerprint;
}

static void note(void *context, struct target_result *result)
{
    struct answer *to = context;

    to->count++;
    to->failed = !!result->failure;
    if (to->failed)
        to->failure = *result->failure;
    to->canceled = result->canceled;
    to->changed = result->changed;
    to->sighting = result->sighting;
}

static void write_file(const char *where, const char *text, mode_t mode)
{
    FILE *file = fopen(where, "w");

    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    assert_int_equal(chmod(where, mode), 0);
}

/* "Encrypts" to base64 with the name before it, and counts its runs. */
static void write_program(const char *body)
{
    char text[2048];

    (void)snprintf(text, sizeof(text),
                   "#!/bin/sh\nd=%s\necho \"$*|$SYSTEMD_CREDENTIAL_SECRET\" >>$d/runs\n"
                   "good() { if [ $1 = encrypt ]; then echo $2; base64; else read name; "
                   "[ \"$name\" = \"$2\" ] || { echo \"Embedded credential name does not match\" "
                   ">&2; exit 1; }; base64 -d; fi; }\n%s\n",
                   directory, body);
    write_file(program, text, 0755);
}

static int set_up(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    memset(&world, 0, sizeof(world));
    if (spawner_start(&world.spawner, NULL) != 0)
        return -1;
    loop = loop_new(NULL);
    spawner_attach(world.spawner, loop);
    world.loop = loop;
    world.fingerprint = first_bytes;
    (void)str_copy(directory, sizeof(directory), "/tmp/keyrotated-creds-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    (void)snprintf(program, sizeof(program), "%s/systemd-creds", directory);
    (void)snprintf(path, sizeof(path), "%s/batch.cred", directory);
    settings =
        (struct target_systemd_credential){.name = "batch-key", .key = "host", .program = program};
    write_program("good \"$@\"");
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    spawner_close(world.spawner);
    loop_run(loop);
    assert_true(loop_free(loop));
    (void)snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

static struct destination destination_of(void)
{
    return (struct destination){.name = "creds",
                                .type = &target_systemd_credential_type,
                                .key_shape = &key_shape_base64,
                                .place = path,
                                .settings = &settings};
}

static void start_delivery(const char *key)
{
    const struct destination destination = destination_of();
    const struct account account = {.name = "sampleacct", .id = "/subscriptions/0/sampleacct"};
    struct secret *secret = secret_new(key, strlen(key));
    const struct delivery delivery = {.account = &account, .key = secret, .cycle = 7};

    memset(&answer, 0, sizeof(answer));
    target_deliver(&world, &destination, &delivery, note, &answer);
    secret_free(secret);
}

static void deliver(const char *key)
{
    start_delivery(key);
    loop_run(loop);
    assert_int_equal(answer.count, 1);
}

static void read_it(void)
{
    const struct destination destination = destination_of();

    memset(&answer, 0, sizeof(answer));
    target_read(&world, &destination, NULL, false, note, &answer);
    loop_run(loop);
    assert_int_equal(answer.count, 1);
}

static void probe(void)
{
    const struct destination destination = destination_of();

    memset(&answer, 0, sizeof(answer));
    target_probe(&world, &destination, NULL, note, &answer);
    loop_run(loop);
    assert_int_equal(answer.count, 1);
}

static void expect_sighting(enum sighting_kind kind, const char *key)
{
    assert_false(answer.failed);
    assert_int_equal(answer.sighting.kind, kind);
    if (key)
        assert_memory_equal(answer.sighting.keys[0].bytes, key, FINGERPRINT_LENGTH);
}

static void expect_failure(enum reason reason, const char *text, const char *remedy)
{
    assert_true(answer.failed);
    assert_false(answer.changed);
    assert_int_equal(answer.failure.reason, reason);
    if (!strstr(answer.failure.text, text) || !strstr(answer.failure.remedy, remedy))
        fail_msg("\"%s\", do: %s", answer.failure.text, answer.failure.remedy);
    assert_null(strstr(answer.failure.text, "qWK7l3wU"));
    assert_false(answer.failure.outcome_unknown);
}

static void expect_content(const char *expected)
{
    struct buf content;
    struct stat status;

    buf_init(&content, 4096);
    assert_int_equal(fs_read(path, &content, NULL), 0);
    assert_string_equal(buf_str(&content), expected);
    buf_done(&content);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void expect_last_run(const char *expected)
{
    char runs[160];
    struct buf content;

    (void)snprintf(runs, sizeof(runs), "%s/runs", directory);
    buf_init(&content, 65536);
    assert_int_equal(fs_read(runs, &content, NULL), 0);
    if (!str_ends_with(buf_str(&content), expected))
        fail_msg("%s", buf_str(&content));
    buf_done(&content);
}

/* --- the tests --- */

static void delivers_once(void **state)
{
    (void)state;
    read_it();
    expect_sighting(SIGHTING_EMPTY, NULL);
    deliver(KEY_A);
    assert_false(answer.failed);
    assert_true(answer.changed);
    expect_last_run("encrypt --name=batch-key --with-key=host - -|\n");
    read_it();
    expect_sighting(SIGHTING_KEYS, KEY_A);
    expect_last_run("decrypt --name=batch-key - -|\n");
    deliver(KEY_A);
    assert_false(answer.failed);
    assert_false(answer.changed);
    expect_last_run("decrypt --name=batch-key - -|\n");
    deliver(KEY_B);
    assert_true(answer.changed);
    read_it();
    expect_sighting(SIGHTING_KEYS, KEY_B);
}

static void passes_its_settings_on(void **state)
{
    char expected[256], secret[128];

    (void)state;
    (void)snprintf(secret, sizeof(secret), "%s/hs", directory);
    write_file(secret, "a secret", 0600);
    settings.key = "tpm2";
    settings.not_after = 90 * MS_DAY;
    settings.host_secret_file = "hs";
    world.credentials_directory = directory;
    deliver(KEY_A);
    assert_true(answer.changed);
    (void)snprintf(expected, sizeof(expected), " - -|%s\n", secret);
    expect_last_run(expected);
    settings.host_secret_file = secret;
    probe();
    assert_false(answer.failed);
    expect_last_run(expected);
    world.credentials_directory = NULL;
    settings.host_secret_file = "hs";
    deliver(KEY_B);
    expect_failure(REASON_TARGET_FAILED, "there is no $CREDENTIALS_DIRECTORY",
                   "LoadCredential=hs:/var/lib/systemd/credential.secret");
}

static void an_expiring_credential_gets_its_date(void **state)
{
    char runs[160], text[4096] = "";
    const char *date;
    FILE *file;
    long long at;

    (void)state;
    settings.not_after = 90 * MS_DAY;
    deliver(KEY_A);
    (void)snprintf(runs, sizeof(runs), "%s/runs", directory);
    file = fopen(runs, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    (void)fclose(file);
    date = strstr(text, "--not-after=@");
    assert_non_null(date);
    at = atoll(date + strlen("--not-after=@"));
    assert_in_range(at, (time_wall() + 90 * MS_DAY) / MS_SECOND - 60,
                    (time_wall() + 90 * MS_DAY) / MS_SECOND);
}

/* What is there, and what a look makes of it; a delivery replaces all of it. */
static void what_cannot_be_decrypted_is_foreign(void **state)
{
    static char large[70000];
    static const char *const scripts[] = {
        "cat >/dev/null; echo 'Encrypted file too short.' >&2; exit 1",
        "cat >/dev/null; echo 'Decryption failed (incorrect key?): x' >&2; exit 1",
        "cat >/dev/null; echo 'Credential timestamp is past.' >&2; exit 1",
    };

    (void)state;
    write_file(path, "another-name\naGVsbG8=\n", 0600);
    read_it();
    expect_sighting(SIGHTING_FOREIGN, NULL);
    write_file(path, "--name=batch-key\naGVsbG8=\n", 0600); /* it is no key */
    read_it();
    expect_sighting(SIGHTING_FOREIGN, NULL);
    write_file(path, "", 0600);
    read_it();
    expect_sighting(SIGHTING_EMPTY, NULL);
    memset(large, 'x', sizeof(large) - 1);
    write_file(path, large, 0600);
    read_it();
    expect_sighting(SIGHTING_FOREIGN, NULL);
    deliver(KEY_A);
    assert_true(answer.changed);
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        char script[512];

        (void)snprintf(script, sizeof(script), "if [ $1 = decrypt ]; then %s; fi\ngood \"$@\"",
                       scripts[i]);
        write_program(script);
        read_it();
        expect_sighting(SIGHTING_FOREIGN, NULL);
        deliver(KEY_A);
        assert_true(answer.changed);
    }
    write_program("good \"$@\"");
    read_it();
    expect_sighting(SIGHTING_KEYS, KEY_A);
}

static const struct {
    const char *script;
    enum reason reason;
    const char *text, *remedy;
} ways[] = {
    {"echo 'Failed to determine local credential host secret: Permission denied' >&2; exit 1",
     REASON_TARGET_DENIED, "Permission denied",
     "LoadCredential=host-secret:/var/lib/systemd/credential.secret"},
    {"echo 'Failed to determine local credential key: No such file or directory' >&2; exit 1",
     REASON_TARGET_FAILED, "encrypt failed with exit status 1: Failed to determine local", "setup"},
    {"echo 'TPM2 support not installed: Operation not supported' >&2; exit 1", REASON_TARGET_FAILED,
     "TPM2 support not installed", "set `key: host`"},
    {"echo 'Unknown key type: x' >&2; exit 1", REASON_TARGET_FAILED, "Unknown key type",
     "--with-key=host --name=x"},
    {"cat >&2; exit 1", REASON_TARGET_FAILED, "exit status 1: ****", "says to the daemon's user"},
    {"exit 0", REASON_TARGET_FAILED, "wrote nothing", "says to the daemon's user"},
    {"head -c 100000 /dev/zero", REASON_TARGET_FAILED, "more than 64 KiB", ""},
    {"exec yes", REASON_TARGET_FAILED, "wrote more than 8 MiB", ""},
    {"kill -KILL $$", REASON_TARGET_FAILED, "was ended by signal 9 (SIGKILL)", ""},
};

static void explains_each_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        write_program(ways[i].script);
        deliver(KEY_A);
        expect_failure(ways[i].reason, ways[i].text, ways[i].remedy);
        assert_int_not_equal(access(path, F_OK), 0);
        if (i != 4) { /* a probe has no key to print */
            probe();
            expect_failure(ways[i].reason, ways[i].text, ways[i].remedy);
        }
    }
    /* The key that is there stays where encrypting fails. */
    write_file(path, "--name=batch-key\nold\n", 0600);
    write_program(ways[0].script);
    deliver(KEY_A);
    expect_failure(ways[0].reason, ways[0].text, ways[0].remedy);
    expect_content("--name=batch-key\nold\n");
    /* A machine that cannot decrypt knows nothing of what is there. */
    read_it();
    expect_failure(ways[0].reason, "decrypt failed with exit status 1", ways[0].remedy);
}

/* Where there is none, the program would make one, by which no reader could decrypt. */
static void without_the_host_secret_nothing_is_run(void **state)
{
    char absolute[128], text[256];

    (void)state;
    settings.host_secret_file = "hs";
    world.credentials_directory = directory;
    deliver(KEY_A);
    expect_failure(REASON_TARGET_FAILED, "No such file or directory",
                   "add `LoadCredential=hs:/var/lib/systemd/credential.secret` below [Service]");
    (void)snprintf(absolute, sizeof(absolute), "%s/absolute", directory);
    (void)snprintf(text, sizeof(text), "see that %s is a copy", absolute);
    settings.host_secret_file = absolute;
    deliver(KEY_A);
    expect_failure(REASON_TARGET_FAILED, "No such file or directory", text);
    probe();
    expect_failure(REASON_TARGET_FAILED, "No such file or directory", text);
    assert_int_equal(mkdir(absolute, 0700), 0);
    read_it();
    expect_failure(REASON_TARGET_FAILED, "it is no regular file", text);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(rmdir(absolute), 0);
}

/* valgrind ends a process whose execve(2) fails. */
static bool runs_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded && strstr(preloaded, "vgpreload");
}

static void explains_a_program_that_cannot_be_started(void **state)
{
    (void)state;
    if (runs_under_valgrind())
        skip();
    assert_int_equal(chmod(program, 0644), 0);
    deliver(KEY_A);
    expect_failure(REASON_TARGET_DENIED, "may not execute it", "");
    assert_int_equal(unlink(program), 0);
    deliver(KEY_A);
    expect_failure(REASON_TARGET_FAILED, "there is no such file", "install systemd 250");
    spawner_close(world.spawner);
    loop_run(loop);
    world.spawner = NULL;
    deliver(KEY_A);
    expect_failure(REASON_TARGET_FAILED, "could not be started", "systemctl restart {unit}");
}

static void explains_failures_of_the_file(void **state)
{
    char where[128];

    (void)state;
    (void)str_copy(where, sizeof(where), path);
    (void)snprintf(path, sizeof(path), "%s/missing/x.cred", directory);
    deliver(KEY_A);
    expect_failure(REASON_TARGET_FAILED, "No such file or directory", "install -d");
    probe();
    expect_failure(REASON_TARGET_FAILED, "No such file or directory", "install -d");
    (void)str_copy(path, sizeof(path), directory);
    read_it();
    expect_failure(REASON_TARGET_FAILED, "not a regular file", "remove");
    deliver(KEY_A);
    expect_failure(REASON_TARGET_FAILED, "not a regular file", "remove");
    (void)str_copy(path, sizeof(path), where);
}

/* A path that is missing there stands for the directory. */
static void explains_failures_in_the_store(void **state)
{
    char where[128];
    const bool is_root = getuid() == 0;

    (void)state;
    (void)str_copy(where, sizeof(where), path);
    (void)str_copy(path, sizeof(path), "/etc/credstore.encrypted/no-such/x");
    probe();
    assert_true(answer.failed);
    assert_null(strstr(answer.failure.remedy, "GROUP"));
    assert_null(strstr(answer.failure.remedy, "chown"));
    expect_failure(answer.failure.reason, "/etc/credstore.encrypted/no-such",
                   is_root ? "`install -d -m 700 /etc/credstore.encrypted`"
                           : "set `path` to a file below /var/lib/keyrotated-keys");
    if (is_root) {
        assert_int_equal(chmod(directory, 0755), 0);
        assert_int_equal(seteuid(65534), 0);
        probe();
        assert_int_equal(seteuid(0), 0);
        expect_failure(answer.failure.reason, "/etc/credstore.encrypted/no-such",
                       "set `path` to a file below /var/lib/keyrotated-keys");
    }
    (void)snprintf(path, sizeof(path), "%s/missing/x.cred", directory);
    probe();
    expect_failure(REASON_TARGET_FAILED, "No such file or directory", " -g root -m 2750 ");
    (void)str_copy(path, sizeof(path), where);
}

static void a_hanging_program_is_ended(void **state)
{
    (void)state;
    world.timeout = 50;
    write_program("sleep 1000");
    deliver(KEY_A);
    expect_failure(REASON_TARGET_FAILED, "did not answer within 50ms", "answer");
    assert_int_not_equal(access(path, F_OK), 0);
    assert_false(target_is_busy(&world));
}

static void a_stop_ends_it(void **state)
{
    (void)state;
    write_program("sleep 1000");
    start_delivery(KEY_A);
    target_cancel_all(&world);
    loop_run(loop);
    assert_int_equal(answer.count, 1);
    assert_true(answer.canceled);
    assert_false(target_is_busy(&world));
}

static void its_form_is_part_of_its_identity(void **state)
{
    const struct destination destination = destination_of();
    const struct target_id before = target_identify(&destination);
    struct target_id after;

    (void)state;
    after = target_identify(&destination);
    assert_true(target_id_equal(&before, &after));
    settings.name = "other";
    after = target_identify(&destination);
    assert_false(target_id_equal(&before, &after));
    settings.name = "batch-key";
    settings.not_after = MS_DAY;
    after = target_identify(&destination);
    assert_false(target_id_equal(&before, &after));
    settings.not_after = 0;
    settings.key = "auto";
    after = target_identify(&destination);
    assert_false(target_id_equal(&before, &after));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(delivers_once),
        TEST(passes_its_settings_on),
        TEST(an_expiring_credential_gets_its_date),
        TEST(what_cannot_be_decrypted_is_foreign),
        TEST(explains_each_failure),
        TEST(without_the_host_secret_nothing_is_run),
        TEST(explains_failures_in_the_store),
        TEST(explains_a_program_that_cannot_be_started),
        TEST(explains_failures_of_the_file),
        TEST(a_hanging_program_is_ended),
        TEST(a_stop_ends_it),
        TEST(its_form_is_part_of_its_identity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
