#include "allocation.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    RESULT_MAX = 128 * 1024,
    BLOCKS_MAX = 16384,
    RUNS_MAX = 20000, /* a scenario with more requests is too large for a test */
};

struct result {
    char text[RESULT_MAX];
    size_t length;
    bool too_long;
    bool says_memory;
};

/* The code of a library in this process. */
struct library {
    const char *name;
    uintptr_t start;
    uintptr_t end;
};

static struct library json_c = {.name = "/libjson-c."};
static struct library crypto = {.name = "/libcrypto."};

struct block {
    void *start;
    bool of_json_c;
};

enum failing { FAILS_ONCE, FAILS_FROM_THERE };

/* The run that is under way. */
static struct {
    size_t requests;
    size_t fail_at; /* counted from 1; 0: none */
    enum failing failing;
    bool failed;
    bool failed_in_json_c;
    unsigned suspended;
    size_t block_count;
    bool too_many_blocks;
    const char *scenario; /* NULL: no run is under way */
} run;

static struct block blocks[BLOCKS_MAX]; /* given to the run, and not freed by it yet */

bool allocation_watched;

static struct result undisturbed, disturbed;

/* --- whose request is it? --- */

static int find_library(struct dl_phdr_info *info, size_t size, void *context)
{
    struct library *library = context;

    (void)size;
    if (!strstr(info->dlpi_name, library->name))
        return 0;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0)
            continue;
        library->start = info->dlpi_addr + segment->p_vaddr;
        library->end = library->start + segment->p_memsz;
    }
    return 1;
}

static bool is_in(const struct library *library, const void *code)
{
    return (uintptr_t)code >= library->start && (uintptr_t)code < library->end;
}

/* --- for the hooks --- */

bool allocation_fails(const void *caller)
{
    if (run.suspended > 0)
        return false;
    run.requests++;
    if (run.fail_at == 0 || run.requests < run.fail_at ||
        (run.failing == FAILS_ONCE && run.requests > run.fail_at))
        return false;
    run.failed = true;
    run.failed_in_json_c = run.failed_in_json_c || is_in(&json_c, caller);
    errno = ENOMEM;
    return true;
}

bool allocation_copy_fails(const void *caller)
{
    Dl_info place;

    /* dladdr() knows the functions that a library exports; this is one. */
    if (is_in(&json_c, caller) && dladdr(caller, &place) != 0 && place.dli_sname &&
        strcmp(place.dli_sname, "json_tokener_parse_ex") == 0)
        return false;
    return allocation_fails(caller);
}

void *allocation_given(void *block, const void *caller)
{
    if (!block || run.suspended > 0 || is_in(&crypto, caller))
        return block;
    if (run.block_count == BLOCKS_MAX)
        run.too_many_blocks = true;
    else
        blocks[run.block_count++] =
            (struct block){.start = block, .of_json_c = is_in(&json_c, caller)};
    return block;
}

/* Most blocks are freed in the reverse order of their allocation. */
void allocation_taken(const void *block)
{
    for (size_t i = run.block_count; i > 0 && block; i--) {
        if (blocks[i - 1].start != block)
            continue;
        blocks[i - 1] = blocks[--run.block_count];
        return;
    }
}

void allocation_suspend(void)
{
    run.suspended++;
}

void allocation_resume(void)
{
    run.suspended--;
}

/* --- results --- */

void result_add(struct result *result, const char *format, ...)
{
    size_t room = sizeof(result->text) - result->length;
    va_list arguments;
    int length;

    allocation_suspend();
    va_start(arguments, format);
    length = vsnprintf(result->text + result->length, room, format, arguments);
    va_end(arguments);
    allocation_resume();
    if (length < 0 || (size_t)length >= room)
        result->too_long = true;
    else
        result->length += (size_t)length;
}

void result_add_text(struct result *result, const char *name, const char *text)
{
    if (text)
        result_add(result, "%s=\"%s\"\n", name, text);
    else
        result_add(result, "%s is absent\n", name);
}

void result_failed(struct result *result, int code, const char *words)
{
    result_add(result, "failed with %d: %s\n", code, words ? words : "");
    if (code == -ENOMEM || (code == 0 && words && strstr(words, "memory")))
        result->says_memory = true;
}

/* --- running --- */

static void run_once(const struct scenario *scenario, size_t fail_at, enum failing failing,
                     struct result *result)
{
    memset(&run, 0, sizeof(run));
    run.fail_at = fail_at;
    run.failing = failing;
    run.scenario = scenario->name;
    *result->text = '\0';
    result->length = 0;
    result->too_long = false;
    result->says_memory = false;

    allocation_watched = true;
    scenario->run(result, scenario->context);
    allocation_watched = false;
    run.scenario = NULL;
}

/* Frees what json-c lost, so that leak checkers do not report it. */
static size_t count_leaks(void)
{
    size_t leaks = 0;

    for (size_t i = 0; i < run.block_count; i++) {
        if (blocks[i].of_json_c && run.failed_in_json_c)
            free(blocks[i].start);
        else
            leaks++;
    }
    return leaks;
}

/* What is wrong with the run that has just ended, or NULL. */
static const char *judge(const struct result *result)
{
    static char verdict[256];
    size_t leaks = count_leaks();

    if (result->too_long || run.too_many_blocks)
        return "the scenario is too large for this test";
    if (leaks > 0) {
        (void)snprintf(verdict, sizeof(verdict), "%zu blocks were not given back", leaks);
        return verdict;
    }
    if (result->says_memory)
        return run.failed ? NULL : "it says that memory is out, and it is not";
    return strcmp(result->text, undisturbed.text) == 0
               ? NULL
               : "it came to something else, and does not say that memory ran out";
}

/* The line in which two texts begin to differ. */
static const char *line_of_difference(const char *text, const char *other)
{
    const char *line = text;

    for (; *text != '\0' && *text == *other; text++, other++)
        if (*text == '\n')
            line = text + 1;
    return line;
}

static const char *convict(const struct scenario *scenario, const char *manner, size_t at,
                           const char *problem)
{
    static char conviction[900];
    const char *usual = line_of_difference(undisturbed.text, disturbed.text);
    const char *now = line_of_difference(disturbed.text, undisturbed.text);

    (void)snprintf(conviction, sizeof(conviction),
                   "%s: %s %zu failed: %s; instead of \"%.*s\": \"%.*s\"", scenario->name, manner,
                   at, problem, (int)strcspn(usual, "\n"), usual, (int)strcspn(now, "\n"), now);
    return conviction;
}

const char *allocation_convict(const struct scenario *scenario)
{
    const char *problem;

    /* Libraries set themselves up once, when they are first used. */
    run_once(scenario, 0, FAILS_ONCE, &undisturbed);
    run_once(scenario, 0, FAILS_ONCE, &undisturbed);
    problem = judge(&undisturbed);
    if (problem)
        return convict(scenario, "undisturbed, request", 0, problem);
    for (enum failing failing = FAILS_ONCE; failing <= FAILS_FROM_THERE; failing++) {
        size_t at = 0;

        do {
            run_once(scenario, ++at, failing, &disturbed);
            problem = judge(&disturbed);
            if (problem)
                return convict(scenario, failing == FAILS_ONCE ? "request" : "all requests from",
                               at, problem);
        } while (run.failed && at < RUNS_MAX);
        if (run.failed)
            return "the scenario is too large for this test";
    }
    return NULL;
}

size_t allocation_count(const struct scenario *scenario)
{
    run_once(scenario, 0, FAILS_ONCE, &undisturbed);
    return run.requests;
}

static void ask_once(struct result *result, const void *context)
{
    void *(*volatile ask)(size_t) = malloc;
    void *block = ask(1);

    (void)context;
    if (!block)
        result_failed(result, -ENOMEM, NULL);
    free(block);
}

bool allocation_works(void)
{
    static const struct scenario scenario = {"one request", ask_once, NULL};

    (void)dl_iterate_phdr(find_library, &json_c);
    (void)dl_iterate_phdr(find_library, &crypto);
    run_once(&scenario, 1, FAILS_ONCE, &disturbed);
    return disturbed.says_memory;
}

/* --- as tests --- */

void allocation_test(void **state)
{
    const struct scenario *scenario = *state;
    const char *conviction;

    if (!allocation_works()) {
        print_message("requests for memory cannot be intercepted here (valgrind does it itself)\n");
        skip();
    }
    conviction = allocation_convict(scenario);
    if (conviction)
        fail_msg("%s", conviction);
}

int allocation_teardown(void **state)
{
    (void)state;
    if (run.scenario)
        print_error("%s: request %zu was the first to fail, %zu were made\n", run.scenario,
                    run.fail_at, run.requests);
    allocation_watched = false;
    run.scenario = NULL;
    return 0;
}
