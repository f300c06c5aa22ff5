/* Looks for remains of secrets on the stack of a thread. The stack belongs to the test, which reads
 * it when the thread has ended. */
#include "base/wipe.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { STACK_SIZE = 512 * 1024, TRACE_SIZE = 4096, DEPTH = 4 };

static const char trace[] = "left on the stack";
static unsigned char *stack;

__attribute__((noinline)) static void leave_traces(int depth)
{
    volatile char local[TRACE_SIZE];

    for (size_t i = 0; i < sizeof(local); i++)
        local[i] = trace[i % sizeof(trace)];
    if (depth > 0)
        leave_traces(depth - 1);
    local[0] = '\0'; /* not a tail call */
}

static void *run(void *wipes)
{
    leave_traces(DEPTH);
    if (wipes)
        wipe_unused_stack();
    return NULL;
}

static bool has_traces(void)
{
    unsigned char *copy = malloc(STACK_SIZE);
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    bool found;

    assert_non_null(copy);
    assert_true(memory >= 0);
    assert_int_equal(pread(memory, copy, STACK_SIZE, (off_t)(uintptr_t)stack), STACK_SIZE);
    found = !!memmem(copy, STACK_SIZE, trace, sizeof(trace));
    close(memory);
    free(copy);
    return found;
}

static bool leaves_traces(bool wipes)
{
    pthread_attr_t attributes;
    pthread_t thread;
    bool found;

    stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(stack != MAP_FAILED);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK_SIZE), 0);
    assert_int_equal(pthread_create(&thread, &attributes, run, wipes ? &stack : NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    found = has_traces();
    munmap(stack, STACK_SIZE);
    return found;
}

static void test_stack(void **state)
{
    (void)state;
#ifndef __SANITIZE_ADDRESS__ /* which keeps such variables elsewhere */
    assert_true(leaves_traces(false));
#endif
    assert_false(leaves_traces(true));
}

static void test_bytes(void **state)
{
    char bytes[] = "abcdef";

    (void)state;
    wipe(bytes + 1, 3);
    assert_memory_equal(bytes, "a\0\0\0ef", 7);
    wipe(NULL, 0);
    wipe(NULL, 5);
}

static void test_blocks(void **state)
{
    char *block = wiping_realloc(NULL, 10);

    (void)state;
    assert_non_null(block);
    strcpy(block, "nine char");
    block = wiping_realloc(block, 100000);
    assert_non_null(block);
    assert_string_equal(block, "nine char");
    block = wiping_realloc(block, 4);
    assert_non_null(block);
    assert_memory_equal(block, "nine", 4);
    wiping_free(block);
    wiping_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stack),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
