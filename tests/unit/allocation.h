/*
 * Makes memory run out at a moment that the test chooses.
 *
 * A scenario is a piece of work that reports its result. It is run undisturbed first, and then
 * again and again: with its first request for memory failing, its second, its third, …, and with
 * all of them failing from there on, until a run ends before the request that would fail. Every run
 * has to free all of its memory, and either to report that memory ran out or to have the result of
 * the undisturbed run. Anything else is a conviction: a crash, a leak, half a result that passes
 * for a whole one, an error with another cause.
 *
 * Requests are those of the program, those of the libraries that it calls, and those of the C
 * library on behalf of either; allocation_hooks.h lists the functions. Two libraries are special:
 *  - json-c 0.16 copies the name of every member that it reads with strdup(), and uses the copy
 *    without a look at it: it crashes where that fails (json_tokener_parse_ex(), state
 *    object_field_end). That concerns every text with an object in it, and nothing that a caller
 *    does can prevent it, so that this one request never fails. All others of json-c do. A value
 *    that then finds no place in its object or list is lost by json-c: that is not held against us.
 *  - libcrypto keeps what it has made for later, and makes it anew where that failed: its requests
 *    fail, but what it keeps is not counted.
 */
#ifndef KEYROTATED_TESTS_ALLOCATION_H
#define KEYROTATED_TESTS_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>

/* The result of a run. Opaque: only the functions below write to it. */
struct result;

/* A part of the result: printf to where it is compared with the undisturbed run's. */
void result_add(struct result *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A part that may be NULL, which is another result than "". */
void result_add_text(struct result *result, const char *name, const char *text);

/* The work was abandoned; the code and the words are all that the caller was told. The code has to
 * be -ENOMEM; without a code (0) the words have to mention memory. All other words have to be those
 * of the undisturbed run. */
void result_failed(struct result *result, int code, const char *words);

struct scenario {
    const char *name;
    void (*run)(struct result *result, const void *context);
    const void *context;
};

/* Runs it as described above, and fails the test with the first conviction. Skips it, saying so,
 * where the requests cannot be intercepted. */
void allocation_test(void **state); /* *state: the scenario */

/* After a crash: says how far the run had come. */
int allocation_teardown(void **state);

/* A cmocka test of that name. */
#define ALLOCATION_TEST(name, run, context)                                                        \
    {                                                                                              \
        name, allocation_test, NULL, allocation_teardown, (struct scenario[])                      \
        {                                                                                          \
            {                                                                                      \
                name, run, context                                                                 \
            }                                                                                      \
        }                                                                                          \
    }

/* The first conviction, a sentence that stays until the next call; NULL: there is none. */
const char *allocation_convict(const struct scenario *scenario);

/* How many requests an undisturbed run makes. */
size_t allocation_count(const struct scenario *scenario);

/* Can requests be intercepted here? */
bool allocation_works(void);

/* Between these calls no request fails or is counted: for what a run needs besides the tested work.
 * May be nested. */
void allocation_suspend(void);
void allocation_resume(void);

/* --- for allocation_hooks.h --- */

extern bool allocation_watched;

/* Must the request from `caller` fail? Sets errno. The second is for strdup(). */
bool allocation_fails(const void *caller);
bool allocation_copy_fails(const void *caller);
/* The block was allocated (returns it) or freed. */
void *allocation_given(void *block, const void *caller);
void allocation_taken(const void *block);

#endif
