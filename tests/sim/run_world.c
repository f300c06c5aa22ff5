/*
 * One world: with its trace, in a process of its own, or shrunk.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "fold.h"
#include "run.h"
#include "shrink.h"

enum { SCENARIO_MAX = 1024 * 1024, TRACE_MAX = 64 * 1024 * 1024 };

/* What a process hands back. */
struct shared_result {
    bool complete;
    struct oracle_verdict verdict;
    struct world_counts counts;
};

static void convict_process(struct oracle_verdict *verdict, int status)
{
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    verdict->convicted = UINT64_C(1) << ORACLE_SOUND;
    verdict->first = ORACLE_SOUND;
    verdict->first_at = 0;
    if (number == SIGPROF)
        snprintf(verdict->text, sizeof(verdict->text), "the play does not end within %d s",
                 PLAY_LIMIT_S);
    else
        snprintf(verdict->text, sizeof(verdict->text), "the play died of %s",
                 number != 0 ? strsignal(number) : "an exit");
}

void run_limit(int seconds)
{
    const struct itimerval limit = {.it_value.tv_sec = seconds};

    if (setitimer(ITIMER_PROF, &limit, NULL) != 0)
        abort();
}

void run_apart(const struct script *script, const struct design *design,
               struct oracle_verdict *verdict, struct world_counts *counts)
{
    struct shared_result *result =
        mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 0;
    pid_t child;

    if (result == MAP_FAILED)
        abort();
    result->verdict = *verdict;
    fflush(NULL);
    child = fork();
    if (child < 0)
        abort();
    if (child == 0) {
        run_limit(PLAY_LIMIT_S);
        world_play(script, design, &result->verdict, NULL, &result->counts);
        result->complete = true;
        _exit(0);
    }
    waitpid(child, &status, 0);
    *verdict = result->verdict;
    if (counts)
        *counts = result->counts;
    if (!result->complete)
        convict_process(verdict, status);
    munmap(result, sizeof(*result));
}

void run_describe(const struct oracle_verdict *verdict, char *out, size_t size)
{
    const struct oracle_description *description = oracle_describe(verdict->first);
    char at[DURATION_TEXT_MAX];

    snprintf(out, size, "%s (%s) at %s: %s", description->name, description->rule,
             duration_to_text(verdict->first_at, at), verdict->text);
}

static void tell_verdict(const struct oracle_verdict *verdict)
{
    char text[ORACLE_TEXT_MAX + 200];

    if (verdict->convicted == 0) {
        puts("# no oracle convicts");
        return;
    }
    run_describe(verdict, text, sizeof(text));
    printf("# %s\n", text);
}

bool run_told(const struct script *script, const struct run_settings *settings)
{
    struct oracle_verdict verdict = {.muted = settings->muted};
    struct trace *trace = trace_new();
    struct buf told;

    world_play(script, settings->design, &verdict, trace, NULL);
    buf_init(&told, TRACE_MAX);
    fold_trace(trace_text(trace), &told);
    fputs(buf_str(&told), stdout);
    tell_verdict(&verdict);
    buf_done(&told);
    trace_free(trace);
    return verdict.convicted == 0;
}

static void print_scenario(const struct script *script)
{
    struct buf text;

    buf_init(&text, SCENARIO_MAX);
    script_print(script, &text);
    fputs(buf_str(&text), stdout);
    puts("expect");
    buf_done(&text);
}

bool run_shrunk(const struct script *script, const struct run_settings *settings)
{
    struct oracle_verdict verdict = {.muted = settings->muted, .first_only = true};
    struct script shrunk;
    unsigned plays;

    run_apart(script, settings->design, &verdict, NULL);
    if (verdict.convicted == 0)
        return false;
    script_copy(&shrunk, script);
    plays = shrink(&shrunk, settings->design, settings->muted, &verdict);
    printf("# seed %llu, shrunk in %u plays from %zu incidents to %zu:\n",
           (unsigned long long)script->seed, plays, script->incident_count, shrunk.incident_count);
    tell_verdict(&verdict);
    print_scenario(&shrunk);
    fflush(stdout);
    run_told(&shrunk, settings);
    script_done(&shrunk);
    return true;
}
