/* Memory that has to be there: a process without it ends, and says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"

enum { SAID_MAX = 256 };

/* How a process that runs `act` ends, and what it says on stderr. */
static int status_of(void (*act)(void), char said[SAID_MAX])
{
    int ends[2], status = 0;
    size_t length = 0;
    ssize_t part;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        act();
        _exit(0);
    }
    close(ends[1]);
    while ((part = read(ends[0], said + length, SAID_MAX - 1 - length)) > 0)
        length += (size_t)part;
    said[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* What an allocator answers. A sanitizer's own would end the process for a size that cannot be. */
static void get_nothing(void)
{
    (void)must(NULL);
}

static void test_without_memory_the_process_ends(void **state)
{
    char said[SAID_MAX];

    (void)state;
    assert_int_equal(status_of(get_nothing, said), 70);
    assert_string_equal(said, "out of memory: stopping at once\n");
}

static void say(void *context)
{
    (void)!write(STDERR_FILENO, context, strlen(context));
}

/* The handler is called once, even when it runs out of memory itself. */
static void say_without_memory(void *context)
{
    say(context);
    get_nothing();
}

static void fail_with_last_words(void)
{
    static char words[] = "the journal is safe; ";

    fault_on_out_of_memory(say_without_memory, words);
    get_nothing();
}

static void test_who_is_told_is_told_once(void **state)
{
    char said[SAID_MAX];

    (void)state;
    assert_int_equal(status_of(fail_with_last_words, said), 70);
    assert_string_equal(said, "the journal is safe; out of memory: stopping at once\n");
}

static void test_memory_that_is_there(void **state)
{
    static const char zeros[100];
    char *memory = must_alloc(sizeof(zeros));
    char *none = must_alloc_array(0, 8);
    char *copy = must_dup("a text");

    (void)state;
    assert_memory_equal(memory, zeros, sizeof(zeros));
    assert_non_null(none);
    assert_string_equal(copy, "a text");
    assert_null(must_dup(NULL));
    assert_ptr_equal(must(memory), memory);
    free(memory);
    free(none);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_memory_the_process_ends),
        cmocka_unit_test(test_who_is_told_is_told_once),
        cmocka_unit_test(test_memory_that_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
