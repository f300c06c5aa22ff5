/* Programs, run by a real spawner: what they get, what is learnt of them, and how they are ended.
 */
#include "io/spawner/program.h"

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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "io/spawner/spawner_process.h"

static struct spawner *spawner;
static struct loop *loop;
static char directory[64];

/* What a completion said, with copies. */
struct answer {
    int count;
    struct program_result result;
    char output[PROGRAM_OUTPUT_MAX + 1], errors[PROGRAM_OUTPUT_MAX + 1];
};
static struct answer answer;

static void note(void *context, const struct program_result *result)
{
    struct answer *to = context;

    to->count++;
    to->result = *result;
    (void)str_copy(to->output, sizeof(to->output), buf_str(result->output));
    (void)str_copy(to->errors, sizeof(to->errors), buf_str(result->errors));
}

static int set_up(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    if (spawner_start(&spawner, NULL) != 0)
        return -1;
    loop = loop_new(NULL);
    spawner_attach(spawner, loop);
    (void)str_copy(directory, sizeof(directory), "/tmp/keyrotated-program-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    spawner_close(spawner);
    loop_run(loop);
    assert_true(loop_free(loop));
    (void)snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

static struct program *begin(const char *const *arguments, const char *input, duration_ms timeout)
{
    const char *environment[] = {"PATH=/usr/bin:/bin", "COLOUR=blue", NULL};

    memset(&answer, 0, sizeof(answer));
    return program_start(spawner, loop,
                         &(struct program_request){.arguments = arguments,
                                                   .environment = environment,
                                                   .input = input,
                                                   .input_length = strlen(input),
                                                   .timeout = timeout},
                         note, &answer);
}

static void run(const char *const *arguments, const char *input, duration_ms timeout)
{
    (void)begin(arguments, input, timeout);
    assert_int_equal(answer.count, 0);
    loop_run(loop);
    assert_int_equal(answer.count, 1);
}

static void shell(const char *script, const char *input, duration_ms timeout)
{
    run((const char *[]){"/bin/sh", "-c", script, NULL}, input, timeout);
}

static void expect(enum program_end end, int code)
{
    assert_int_equal(answer.result.end, end);
    assert_int_equal(answer.result.code, code);
}

static void gets_input_arguments_and_environment_alone(void **state)
{
    (void)state;
    run((const char *[]){"/bin/sh", "-c", "cat; echo \"$1,$2\"; env; pwd; umask >&2", "sh", "a b",
                         "$HOME", NULL},
        "hello\n", 0);
    expect(PROGRAM_EXITED, 0);
    assert_non_null(strstr(answer.output, "hello\na b,$HOME\n"));
    assert_non_null(strstr(answer.output, "COLOUR=blue\n"));
    assert_null(strstr(answer.output, "HOME="));
    assert_true(str_ends_with(answer.output, "/\n"));
    assert_true(strlen(answer.errors) > 0);
    assert_false(answer.result.output_cut);
}

static void has_a_session_no_descriptors_and_default_signals(void **state)
{
    int pid, group, session, self;
    unsigned long blocked, ignored;

    (void)state;
    (void)signal(SIGHUP, SIG_IGN);
    shell(
        "ls /proc/self/fd; awk '/^Sig(Ign|Blk)/ {print $2}' /proc/self/status;"
        "set -- $(cat /proc/$$/stat); echo pid $1 group $5 session $6 self $$",
        "", 0);
    (void)signal(SIGHUP, SIG_DFL);
    expect(PROGRAM_EXITED, 0);
    /* The fourth is the directory that ls lists. */
    assert_true(str_starts_with(answer.output, "0\n1\n2\n3\n"));
    assert_int_equal(sscanf(answer.output + 8, "%lx\n%lx\npid %d group %d session %d self %d",
                            &blocked, &ignored, &pid, &group, &session, &self),
                     6);
    assert_int_equal(blocked, 0);
    /* The C library keeps signals 32 and 33 for itself, and lets nobody reset them. */
    assert_int_equal(ignored & ~0x180000000UL, 0);
    assert_int_equal(group, self);
    assert_int_equal(session, self);
    assert_int_equal(pid, self);
}

static void tells_how_it_ended(void **state)
{
    (void)state;
    shell("exit 75", "", 0);
    expect(PROGRAM_EXITED, 75);
    shell("kill -SEGV $$", "", 0);
    expect(PROGRAM_SIGNALED, SIGSEGV);
    shell("echo out; echo err >&2; exit 3", "", 0);
    expect(PROGRAM_EXITED, 3);
    assert_string_equal(answer.output, "out\n");
    assert_string_equal(answer.errors, "err\n");
}

static void write_file(const char *name, mode_t mode, const char *text, char path[128])
{
    FILE *file;

    (void)snprintf(path, 128, "%s/%s", directory, name);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

/* valgrind ends a process whose execve(2) fails. */
static bool runs_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded && strstr(preloaded, "vgpreload");
}

static void tells_why_it_was_not_started(void **state)
{
    char path[128];

    (void)state;
    if (runs_under_valgrind())
        skip();
    run((const char *[]){"/nowhere/at-all", NULL}, "x", 0);
    expect(PROGRAM_NOT_STARTED, ENOENT);
    run((const char *[]){"/etc", NULL}, "x", 0);
    expect(PROGRAM_NOT_STARTED, EACCES);
    write_file("plain", 0644, "#!/bin/sh\n", path);
    run((const char *[]){path, NULL}, "x", 0);
    expect(PROGRAM_NOT_STARTED, EACCES);
    write_file("headless", 0755, "exit 0\n", path);
    run((const char *[]){path, NULL}, "x", 0);
    expect(PROGRAM_NOT_STARTED, ENOEXEC);
    write_file("stray", 0755, "#!/nowhere/sh\n", path);
    run((const char *[]){path, NULL}, "x", 0);
    expect(PROGRAM_NOT_STARTED, ENOENT);
}

static void refuses_what_is_too_much(void **state)
{
    static char long_word[PROGRAM_TEXT_MAX + 1], long_input[PROGRAM_INPUT_MAX + 2];
    const char *words[PROGRAM_WORDS_MAX + 2];

    (void)state;
    memset(long_word, 'x', sizeof(long_word) - 1);
    run((const char *[]){"/bin/true", long_word, NULL}, "", 0);
    expect(PROGRAM_NOT_STARTED, E2BIG);
    for (size_t i = 0; i <= PROGRAM_WORDS_MAX; i++)
        words[i] = "/bin/true";
    words[PROGRAM_WORDS_MAX + 1] = NULL;
    run(words, "", 0);
    expect(PROGRAM_NOT_STARTED, E2BIG);
    memset(long_input, 'x', sizeof(long_input) - 1);
    run((const char *[]){"/bin/cat", NULL}, long_input, 0);
    expect(PROGRAM_NOT_STARTED, EMSGSIZE);
}

static void need_not_read_its_input(void **state)
{
    static char input[PROGRAM_INPUT_MAX + 1];

    (void)state;
    memset(input, 'x', PROGRAM_INPUT_MAX);
    shell("exec <&-; echo done", input, 0);
    expect(PROGRAM_EXITED, 0);
    shell("exit 0", input, 0);
    expect(PROGRAM_EXITED, 0);
    shell("wc -c", input, 0);
    expect(PROGRAM_EXITED, 0);
    assert_string_equal(answer.output, "65536\n");
}

static void keeps_the_end_of_long_output(void **state)
{
    (void)state;
    shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done", "", 0);
    expect(PROGRAM_EXITED, 0);
    assert_true(answer.result.output_cut);
    assert_true(strlen(answer.output) > PROGRAM_OUTPUT_MAX / 4);
    assert_true(str_ends_with(answer.output, "line 19999\n"));
}

static void ends_what_writes_for_ever(void **state)
{
    (void)state;
    run((const char *[]){"/usr/bin/yes", NULL}, "", 0);
    assert_true(answer.result.flooded);
    expect(PROGRAM_SIGNALED, SIGTERM);
}

static void ends_the_group_in_time(void **state)
{
    (void)state;
    shell("sleep 100 & sleep 100", "", 100);
    assert_true(answer.result.timed_out);
    expect(PROGRAM_SIGNALED, SIGTERM);
}

/* --- ending a program once it has made a file --- */

static struct {
    struct timer timer;
    struct program *program;
    char path[128];
} watch;

static void look(struct timer *timer)
{
    if (access(watch.path, F_OK) != 0) {
        timer_set_delay(timer, 10);
        return;
    }
    program_kill(watch.program);
    program_kill(watch.program); /* has no further effect */
    timer_close(timer, NULL);
}

/* `script` makes the file $0. */
static void end_when_ready(const char *script)
{
    (void)snprintf(watch.path, sizeof(watch.path), "%s/ready", directory);
    (void)unlink(watch.path);
    watch.program = begin((const char *[]){"/bin/sh", "-c", script, watch.path, NULL}, "", 0);
    timer_init(loop, &watch.timer, look);
    timer_set_delay(&watch.timer, 10);
    loop_run(loop);
    assert_int_equal(answer.count, 1);
    assert_false(answer.result.timed_out);
}

static void a_program_that_is_asked_to_end_has_its_say(void **state)
{
    (void)state;
    end_when_ready("echo begun; sleep 100 & >$0; sleep 100");
    expect(PROGRAM_SIGNALED, SIGTERM);
    assert_string_equal(answer.output, "begun\n");
    end_when_ready("trap 'echo ended; exit 4' TERM; >$0; while :; do sleep 0.05; done");
    expect(PROGRAM_EXITED, 4);
    assert_string_equal(answer.output, "ended\n");
}

static void a_program_that_does_not_end_is_killed(void **state)
{
    (void)state;
    end_when_ready("trap '' TERM; >$0; while :; do sleep 0.05; done");
    expect(PROGRAM_SIGNALED, SIGKILL);
}

/* A process of its group holds the pipes, and is killed; one that has left it is not waited for. */
static void does_not_wait_for_grandchildren(void **state)
{
    char path[128], script[512];
    FILE *file;
    int pid = 0;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/pid", directory);
    (void)snprintf(script, sizeof(script), "sleep 1000 & echo $! >%s; echo done", path);
    shell(script, "", 0);
    expect(PROGRAM_EXITED, 0);
    assert_string_equal(answer.output, "done\n");
    file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    (void)fclose(file);
    for (int i = 0; i < 500 && kill(pid, 0) == 0; i++)
        (void)usleep(10000);
    assert_int_not_equal(kill(pid, 0), 0);

    (void)snprintf(script, sizeof(script),
                   "setsid sh -c 'echo $$ >%s; exec sleep 1000' & "
                   "while [ ! -s %s ]; do :; done; echo done",
                   path, path);
    (void)unlink(path);
    shell(script, "", 0);
    expect(PROGRAM_EXITED, 0);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    (void)fclose(file);
    assert_int_equal(kill(pid, 0), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
}

static void can_be_killed_at_once(void **state)
{
    struct program *program = begin((const char *[]){"/bin/sleep", "100", NULL}, "", 0);

    (void)state;
    program_kill(program);
    program_kill(program);
    loop_run(loop);
    assert_int_equal(answer.count, 1);
    expect(PROGRAM_SIGNALED, SIGTERM);
}

enum { MANY = 300 };

static void count(void *context, const struct program_result *result)
{
    assert_int_equal(result->end, PROGRAM_EXITED);
    ++*(int *)context;
}

/* More than run at the same time: the rest waits. */
static void runs_many(void **state)
{
    const char *arguments[] = {"/bin/sleep", "0.1", NULL}, *environment[] = {NULL};
    int done = 0;

    (void)state;
    for (int i = 0; i < MANY; i++)
        (void)program_start(
            spawner, loop,
            &(struct program_request){.arguments = arguments, .environment = environment}, count,
            &done);
    loop_run(loop);
    assert_int_equal(done, MANY);
}

/* --- programs that hang --- */

enum { COMMON = SPAWNER_PROGRAMS_MAX - SPAWNER_RESERVE, CROWDS = COMMON / 2 / SPAWNER_CROWD };

static struct program *hanging[COMMON + CROWDS];
static size_t hanging_count;
static size_t hang_ends;

static void note_hang(void *context, const struct program_result *result)
{
    (void)context;
    hang_ends++;
    assert_true(result->end == PROGRAM_SIGNALED || result->end == PROGRAM_NO_ROOM);
}

static void hang(const char *path, int number)
{
    const char *arguments[] = {path, "1000", NULL}, *environment[] = {NULL};

    for (int i = 0; i < number; i++)
        hanging[hanging_count++] = program_start(
            spawner, loop,
            &(struct program_request){.arguments = arguments, .environment = environment},
            note_hang, NULL);
}

/* One that says "done"; it goes on where the others hang. */
static void expect_turn(const char *path, bool uses_reserve, bool expected)
{
    const char *arguments[] = {path, "-c", "echo done", NULL}, *environment[] = {NULL};

    memset(&answer, 0, sizeof(answer));
    (void)program_start(spawner, loop,
                        &(struct program_request){.arguments = arguments,
                                                  .environment = environment,
                                                  .room_wait = expected ? 0 : 20,
                                                  .uses_reserve = uses_reserve},
                        note, &answer);
    while (answer.count == 0)
        (void)uv_run(loop_uv(loop), UV_RUN_ONCE);
    expect(expected ? PROGRAM_EXITED : PROGRAM_NO_ROOM, 0);
    assert_string_equal(answer.output, expected ? "done\n" : "");
    assert_int_equal(answer.result.timed_out, expected ? 0 : 20);
}

static void end_all_that_hang(void)
{
    for (size_t i = 0; i < hanging_count; i++)
        program_kill(hanging[i]);
    loop_run(loop);
    assert_int_equal(hang_ends, hanging_count);
}

/* Half of the places at most are those of one program; then each has a few; and what serves
 * everybody has places of its own. */
static void those_that_hang_leave_places(void **state)
{
    static const char slashes[] = "////////////////////////////////////////";
    char path[64];

    (void)state;
    hanging_count = 0;
    hang_ends = 0;
    hang("/bin/sleep", COMMON / 2 + 1);
    expect_turn("/bin/sh", false, true);
    hang("/bin/./sleep", SPAWNER_CROWD);
    expect_turn("/bin/sh", false, true);
    for (int i = 2; i <= CROWDS; i++) {
        (void)snprintf(path, sizeof(path), "/bin%.*ssleep", i, slashes);
        hang(path, SPAWNER_CROWD);
    }
    expect_turn("/bin/sh", false, false);
    expect_turn("/bin/sh", true, true);
    assert_int_equal(hang_ends, 0);
    end_all_that_hang();
}

/* Its own time begins with its turn. */
static void waiting_takes_none_of_its_time(void **state)
{
    const char *arguments[] = {"/bin/sleep", "3", NULL}, *environment[] = {NULL};
    int done = 0;

    (void)state;
    for (int i = 0; i < COMMON / 2; i++)
        (void)program_start(
            spawner, loop,
            &(struct program_request){.arguments = arguments, .environment = environment}, count,
            &done);
    run((const char *[]){"/bin/sleep", "0", NULL}, "", 2900);
    assert_int_equal(done, COMMON / 2);
    expect(PROGRAM_EXITED, 0);
}

static void runs_nothing_without_a_spawner(void **state)
{
    const char *arguments[] = {"/bin/true", NULL};

    (void)state;
    memset(&answer, 0, sizeof(answer));
    (void)program_start(NULL, loop,
                        &(struct program_request){.arguments = arguments, .environment = arguments},
                        note, &answer);
    assert_int_equal(answer.count, 0);
    loop_run(loop);
    assert_int_equal(answer.count, 1);
    expect(PROGRAM_NO_SPAWNER, 0);
    assert_non_null(spawner_problem(NULL));
}

/* The parent of a program is the spawner. */
static int pid_of_spawner(void)
{
    int pid = 0;

    run((const char *[]){"/bin/sh", "-c", "echo $PPID", NULL}, "", 0);
    assert_int_equal(sscanf(answer.output, "%d", &pid), 1);
    return pid;
}

static void survives_the_end_of_the_spawner(void **state)
{
    const int pid = pid_of_spawner();

    (void)state;
    (void)begin((const char *[]){"/bin/sleep", "100", NULL}, "", 0);
    assert_null(spawner_problem(spawner));
    assert_int_equal(kill(pid, SIGKILL), 0);
    loop_run(loop);
    assert_int_equal(answer.count, 1);
    expect(PROGRAM_LOST, 0);
    assert_string_equal(spawner_problem(spawner),
                        "the process that starts programs has been ended by signal 9 (SIGKILL)");
    run((const char *[]){"/bin/true", NULL}, "", 0);
    expect(PROGRAM_NO_SPAWNER, 0);
}

/* With the daemon go the spawner and what it has started. */
static void ends_with_the_daemon(void **state)
{
    char path[128], script[512];
    int pid = 0, end[2];
    FILE *file;
    char byte;
    pid_t daemon;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/last", directory);
    (void)snprintf(script, sizeof(script), "echo $$ >%s; exec sleep 1000", path);
    assert_int_equal(pipe(end), 0);
    daemon = fork();
    if (daemon == 0) {
        struct spawner *own;
        struct loop *own_loop;

        (void)spawner_start(&own, NULL);
        own_loop = loop_new(NULL);
        spawner_attach(own, own_loop);
        (void)program_start(own, own_loop,
                            &(struct program_request){
                                .arguments = (const char *[]){"/bin/sh", "-c", script, NULL},
                                .environment = (const char *[]){NULL},
                            },
                            note, &answer);
        loop_run(own_loop);
        _exit(0);
    }
    for (int i = 0; i < 500 && pid == 0; i++) {
        file = fopen(path, "r");
        if (file && fscanf(file, "%d", &pid) != 1)
            pid = 0;
        if (file)
            (void)fclose(file);
        (void)usleep(10000);
    }
    assert_int_not_equal(pid, 0);
    assert_int_equal(kill(daemon, SIGKILL), 0);
    assert_int_equal(waitpid(daemon, NULL, 0), daemon);
    (void)close(end[1]);
    assert_int_equal(read(end[0], &byte, 1), 0); /* the spawner has no descriptor of the daemon's */
    (void)close(end[0]);
    for (int i = 0; i < 500 && kill(pid, 0) == 0; i++)
        (void)usleep(10000);
    assert_int_not_equal(kill(pid, 0), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(gets_input_arguments_and_environment_alone),
        TEST(has_a_session_no_descriptors_and_default_signals),
        TEST(tells_how_it_ended),
        TEST(tells_why_it_was_not_started),
        TEST(refuses_what_is_too_much),
        TEST(need_not_read_its_input),
        TEST(keeps_the_end_of_long_output),
        TEST(ends_what_writes_for_ever),
        TEST(ends_the_group_in_time),
        TEST(a_program_that_is_asked_to_end_has_its_say),
        TEST(a_program_that_does_not_end_is_killed),
        TEST(does_not_wait_for_grandchildren),
        TEST(can_be_killed_at_once),
        TEST(runs_many),
        TEST(those_that_hang_leave_places),
        TEST(waiting_takes_none_of_its_time),
        TEST(runs_nothing_without_a_spawner),
        TEST(survives_the_end_of_the_spawner),
        TEST(ends_with_the_daemon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
