/* The target `exec`, with real programs: what is made of each way in which one can end. */
#include "conf/target_exec.h"

#include <errno.h>
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

#include "base/str.h"
#include "io/spawner/program_failure.h"
#include "io/target/target.h"
#include "proto/failure.h"

#define KEY                                                                                        \
    "qWK7l3wUjHWs0HqZ1cRkfdQXb4YJm8tNvGgPz5oE2yTaLx9Di6uFrB0SnMeVhCA3pKjOw7ZlXkUq1RtYb2Ns8g=="

static char directory[64];
static struct loop *loop;
static struct target_world world;
static struct answer {
    int count;
    bool failed, canceled, changed;
    struct failure failure;
    char output[TARGET_OUTPUT_MAX];
} answer;

static void note(void *context, struct target_result *result)
{
    struct answer *to = context;

    to->count++;
    to->failed = !!result->failure;
    if (to->failed)
        to->failure = *result->failure;
    to->canceled = result->canceled;
    to->changed = result->changed;
    (void)str_copy(to->output, sizeof(to->output), result->output ? result->output : "");
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
    (void)str_copy(directory, sizeof(directory), "/tmp/keyrotated-exec-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
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

/* --- programs --- */

enum { PATH_SIZE = 128 };

static const char *write_program(const char *text, mode_t mode)
{
    static char path[PATH_SIZE];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/program", directory);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static const char *write_script(const char *body)
{
    char text[1024];

    (void)snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", body);
    return write_program(text, 0755);
}

struct subject {
    const char *arguments[4];
    struct target_exec settings;
    struct destination destination;
    struct account account;
};

static struct subject subject_of(const char *program, duration_ms timeout)
{
    return (struct subject){
        .arguments = {program, "an argument"},
        .settings = {.timeout = timeout},
        .destination = {.name = "tell", .type = &target_exec_type, .place = program},
        .account = {.name = "sampleacct", .id = "/subscriptions/0/sampleacct"},
    };
}

static void begin(struct subject *subject, const char *endpoint)
{
    struct secret *key = secret_new(KEY, strlen(KEY));
    const struct delivery delivery = {.account = &subject->account,
                                      .endpoint = endpoint,
                                      .slot = SLOT_SECONDARY,
                                      .key = key,
                                      .cycle = 7};

    subject->settings.arguments = subject->arguments;
    subject->destination.settings = &subject->settings;
    memset(&answer, 0, sizeof(answer));
    target_deliver(&world, &subject->destination, &delivery, note, &answer);
    secret_free(key);
}

static void deliver(const char *program, duration_ms timeout)
{
    struct subject subject = subject_of(program, timeout);

    begin(&subject, "sampleacct.japaneast.batch.azure.com");
    assert_int_equal(answer.count, 0);
    loop_run(loop);
    assert_int_equal(answer.count, 1);
}

static void probe(const char *program)
{
    struct subject subject = subject_of(program, MS_MINUTE);

    subject.settings.arguments = subject.arguments;
    subject.destination.settings = &subject.settings;
    memset(&answer, 0, sizeof(answer));
    target_probe(&world, &subject.destination, NULL, note, &answer);
    loop_run(loop);
    assert_int_equal(answer.count, 1);
}

static void expect(enum reason reason, bool outcome_unknown, const char *text, const char *remedy)
{
    assert_true(answer.failed);
    assert_false(answer.changed);
    assert_int_equal(answer.failure.reason, reason);
    assert_int_equal(answer.failure.outcome_unknown, outcome_unknown);
    if (!strstr(answer.failure.text, text) || !strstr(answer.failure.remedy, remedy))
        fail_msg("\"%s\", do: %s", answer.failure.text, answer.failure.remedy);
    assert_true(str_starts_with(answer.failure.text, directory));
    assert_null(strstr(answer.failure.text, "qWK7l3wU"));
    assert_null(strstr(answer.output, "qWK7l3wU"));
}

/* --- the tests --- */

static void delivers(void **state)
{
    (void)state;
    deliver(write_script("echo \"$1\"; cat | cut -d, -f1; echo warned >&2; env | grep KEYROTATED_"
                         " | sort"),
            MS_MINUTE);
    assert_false(answer.failed);
    assert_true(answer.changed);
    assert_string_equal(answer.output,
                        "an argument | {\"account\":\"sampleacct\" | KEYROTATED_ACCOUNT=sampleacct "
                        "| KEYROTATED_CYCLE=7 | "
                        "KEYROTATED_ENDPOINT=sampleacct.japaneast.batch.azure.com | "
                        "KEYROTATED_RESOURCE_ID=/subscriptions/0/sampleacct | "
                        "KEYROTATED_SLOT=secondary | KEYROTATED_TARGET=tell | warned");
    deliver(write_script(""), MS_MINUTE);
    assert_false(answer.failed);
    assert_string_equal(answer.output, "");
}

static const struct {
    const char *body;
    duration_ms timeout;
    enum reason reason;
    bool outcome_unknown;
    const char *text, *remedy;
} ways[] = {
    {"echo 'not now' >&2; exit 75", 0, REASON_NOT_YET, false,
     "asked for more time (exit status 75): not now", ""},
    {"echo 'no such tenant' >&2; exit 3", 0, REASON_TARGET_FAILED, false,
     "failed with exit status 3: no such tenant", "redeliver {account}"},
    {"echo 'on standard output'; exit 1", 0, REASON_TARGET_FAILED, false,
     "exit status 1: on standard output", "delivery.output"},
    {"no-such-command-anywhere", 0, REASON_TARGET_FAILED, false,
     "exit status 127: ", "delivery.output"},
    {"exec <&-; exit 9", 0, REASON_TARGET_FAILED, false, "exit status 9", "delivery.output"},
    {"cat >&2; exit 1", 0, REASON_TARGET_FAILED, false, "\"key\":\"****", ""},
    {"cut -d'\"' -f20 | fold -w 30 >&2; exit 1", 0, REASON_TARGET_FAILED, false,
     "exit status 1: *****", ""},
    {"printf '\\000\\377\\033[2J bad' >&2; exit 1", 0, REASON_TARGET_FAILED, false,
     "exit status 1: ? [2J bad", ""},
    {"kill -SEGV $$", 0, REASON_TARGET_FAILED, true, "was ended by signal 11 (SIGSEGV)",
     "find out who"},
    {"sleep 1000", 50, REASON_TARGET_FAILED, true,
     "did not end within 50ms, and was ended with all that it had started", "`timeout`"},
    {"trap '' TERM; while :; do sleep 0.1; done", 50, REASON_TARGET_FAILED, true,
     "did not end within 50ms", "`timeout`"},
    {"exec yes", 0, REASON_TARGET_FAILED, true, "wrote more than 8 MiB and was ended",
     "make it write less"},
};

static void explains_each_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        deliver(write_script(ways[i].body), ways[i].timeout > 0 ? ways[i].timeout : MS_MINUTE);
        expect(ways[i].reason, ways[i].outcome_unknown, ways[i].text, ways[i].remedy);
    }
}

static const struct {
    const char *text; /* NULL: there is none */
    mode_t mode;
    enum reason reason;
    const char *message, *remedy;
    bool passes_probe; /* it can be found out only by running it */
} files[] = {
    {NULL, 0, REASON_TARGET_FAILED, "there is no such file", "install", false},
    {"#!/bin/sh\n", 0644, REASON_TARGET_DENIED, "may not execute it", "chmod a+x", false},
    {"exit 0\n", 0755, REASON_TARGET_FAILED, "it is no program of this machine", "#!/bin/sh", true},
    {"#!/nowhere/sh\n", 0755, REASON_TARGET_FAILED, "its interpreter is missing", "head -n 1",
     true},
    {"\x7f"
     "ELF\x02\x01\x01 and nothing more",
     0755, REASON_TARGET_FAILED, "it is no program of this machine", "uname -m", true},
};

/* valgrind ends a process whose execve(2) fails. */
static bool runs_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded && strstr(preloaded, "vgpreload");
}

static void explains_what_cannot_be_started(void **state)
{
    char nowhere[PATH_SIZE];

    (void)state;
    if (runs_under_valgrind())
        skip();
    (void)snprintf(nowhere, sizeof(nowhere), "%s/nowhere", directory);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const char *program = files[i].text ? write_program(files[i].text, files[i].mode) : nowhere;

        deliver(program, MS_MINUTE);
        expect(files[i].reason, false, files[i].message, files[i].remedy);
        probe(program);
        assert_int_equal(answer.failed, !files[i].passes_probe);
        if (answer.failed)
            expect(files[i].reason, false, files[i].message, files[i].remedy);
    }
    (void)snprintf(nowhere, sizeof(nowhere), "%s/nowhere --argument", directory);
    probe(nowhere);
    expect(REASON_TARGET_FAILED, false, "there is no such file", "an item of `command` of its own");
    deliver(directory, MS_MINUTE);
    expect(REASON_TARGET_DENIED, false, "it is a directory", "to a program in");
    probe(directory);
    expect(REASON_TARGET_DENIED, false, "it is a directory", "to a program in");
    probe(write_script("exit 1"));
    assert_false(answer.failed);
}

static void explain_end(struct failure *failure, enum program_end end, int code, duration_ms waited)
{
    static const struct buf nothing;

    assert_true(program_failure(
        failure, "/opt/tell",
        &(struct program_result){
            .end = end, .code = code, .timed_out = waited, .output = &nothing, .errors = &nothing},
        NULL, NULL));
}

/* What the system says is never all that is said. */
static void explains_what_the_system_says(void **state)
{
    static const int codes[] = {ENOTDIR, ELOOP,  ENAMETOOLONG, E2BIG,   EMSGSIZE,     EISDIR,
                                EINVAL,  EAGAIN, EMFILE,       ETXTBSY, ETOOMANYREFS, EIO};
    char start[64];
    struct failure failure;

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        explain_end(&failure, PROGRAM_NOT_STARTED, codes[i], 0);
        (void)snprintf(start, sizeof(start), "/opt/tell cannot be started: %s", strerror(codes[i]));
        assert_true(str_starts_with(failure.text, "/opt/tell cannot be started: "));
        assert_false(str_starts_with(failure.text, start));
        assert_string_equal(failure.error_code, strerrorname_np(codes[i]));
        assert_true(failure.remedy[0]);
    }
    explain_end(&failure, PROGRAM_NO_ROOM, 0, PROGRAM_ROOM_WAIT);
    assert_string_equal(failure.text,
                        "/opt/tell: not run, because for 30s too many other programs "
                        "have been running");
    assert_non_null(strstr(failure.remedy, "`systemctl status {unit}` lists them"));
    assert_false(failure.outcome_unknown);
    explain_end(&failure, PROGRAM_NO_ROOM, 0, 0);
    assert_string_equal(failure.text, "/opt/tell: not run, because the daemon stops");
}

static void waits_for_the_endpoint(void **state)
{
    struct subject subject = subject_of(write_script("exit 0"), MS_MINUTE);

    (void)state;
    begin(&subject, NULL);
    loop_run(loop);
    expect(REASON_TARGET_FAILED, false, "the account's endpoint is not known yet", "none needed");
}

static void a_stop_ends_programs(void **state)
{
    struct subject subject = subject_of(write_script("echo begun; sleep 1000"), MS_MINUTE);

    (void)state;
    begin(&subject, "e");
    target_cancel_all(&world);
    loop_run(loop);
    assert_int_equal(answer.count, 1);
    assert_true(answer.canceled);
    assert_false(target_is_busy(&world));
}

static void says_what_to_do_without_a_spawner(void **state)
{
    (void)state;
    spawner_close(world.spawner);
    loop_run(loop);
    world.spawner = NULL;
    deliver(write_script("exit 0"), MS_MINUTE);
    expect(REASON_TARGET_FAILED, false, "the process that starts programs could not be started",
           "systemctl restart {unit}");
}

static void is_never_read(void **state)
{
    const struct subject subject = subject_of("/bin/true", MS_MINUTE);

    (void)state;
    assert_false(target_is_readable(&subject.destination));
    assert_false(target_settles_at_once(&subject.destination));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(delivers),
        TEST(explains_each_end),
        TEST(explains_what_cannot_be_started),
        TEST(explains_what_the_system_says),
        TEST(waits_for_the_endpoint),
        TEST(a_stop_ends_programs),
        TEST(says_what_to_do_without_a_spawner),
        TEST(is_never_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
