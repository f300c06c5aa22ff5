/*
 * Very many worlds, by several processes.
 *
 * Which seeds are played depends on the settings alone, not on the speed of processes: each process
 * goes through the same line of seeds, knows the length of each world beforehand, and takes the
 * next free one.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "design.h"
#include "run.h"

enum { YEAR_DAYS = 365, TOLD_MAX = 100, PROGRESS_S = 10 };

struct told {
    uint64_t seed;
    struct oracle_verdict verdict;
};

/* What one process has done; written by it alone. */
struct worker {
    uint64_t seed; /* being played; 0: none */
    uint64_t worlds, convicted;
    duration_ms time; /* account time */
    struct world_counts counts;
    uint64_t incidents[INCIDENT_KIND_COUNT];
    uint64_t by_oracle[ORACLE_COUNT];
    struct told told[TOLD_MAX]; /* the first of them */
    unsigned told_count;
};

/* Seen by all processes. */
struct shared {
    atomic_uint_fast64_t next;  /* the next free seed, counted from the first */
    atomic_uint_fast64_t found; /* the smallest seed for which the expected oracle convicted */
    struct worker workers[RUN_JOBS_MAX];
};

struct run {
    const struct run_settings *settings;
    struct shared *shared;
    struct timespec began;
    pid_t processes[RUN_JOBS_MAX]; /* 0: it has ended */
};

/* --- a process --- */

static void note(struct worker *worker, uint64_t seed, const struct oracle_verdict *verdict)
{
    if (verdict->convicted == 0)
        return;
    worker->convicted++;
    for (int oracle = 0; oracle < ORACLE_COUNT; oracle++)
        worker->by_oracle[oracle] += verdict->convicted >> oracle & 1U;
    if (worker->told_count < TOLD_MAX)
        worker->told[worker->told_count++] = (struct told){.seed = seed, .verdict = *verdict};
}

static void count(struct worker *worker, const struct script *script,
                  const struct world_counts *counts)
{
    worker->worlds++;
    worker->time += script->length * script->accounts;
    worker->counts.rotations += counts->rotations;
    worker->counts.regenerates += counts->regenerates;
    worker->counts.deliveries += counts->deliveries;
    worker->counts.crashes += counts->crashes;
    worker->counts.mishaps += counts->mishaps;
    for (size_t i = 0; i < script->incident_count; i++)
        worker->incidents[script->incidents[i].kind]++;
}

/* Seeds after one for which the expected oracle convicts need not be played. */
static void note_found(const struct run *run, uint64_t seed, const struct oracle_verdict *verdict)
{
    uint64_t found = atomic_load(&run->shared->found);

    if (run->settings->expected == ORACLE_COUNT ||
        (verdict->convicted >> run->settings->expected & 1U) == 0)
        return;
    while (seed < found && !atomic_compare_exchange_weak(&run->shared->found, &found, seed))
        ;
}

static void play(const struct run *run, struct worker *worker, uint64_t seed)
{
    const struct run_settings *settings = run->settings;
    struct oracle_verdict verdict = {.muted = settings->muted};
    struct world_counts counts;
    struct script script;

    verdict.first_only = settings->expected == ORACLE_COUNT;
    worker->seed = seed;
    run_limit(PLAY_LIMIT_S);
    script_by_chance(&script, seed, RUN_WORLD_YEARS);
    world_play(&script, settings->design, &verdict, NULL, &counts);
    run_limit(0);
    count(worker, &script, &counts);
    note(worker, seed, &verdict);
    script_done(&script);
    worker->seed = 0;
    note_found(run, seed, &verdict);
}

static void work(const struct run *run, struct worker *worker)
{
    const duration_ms wanted = run->settings->years * (YEAR_DAYS * MS_DAY);
    uint64_t walked = run->settings->seed;
    duration_ms before = 0; /* account time of the worlds before it */

    for (;;) {
        uint64_t seed = run->settings->seed + atomic_fetch_add(&run->shared->next, 1);

        for (; walked < seed; walked++)
            before += script_time_by_chance(walked, RUN_WORLD_YEARS);
        if (before >= wanted || seed > atomic_load(&run->shared->found))
            return;
        play(run, worker, seed);
    }
}

/* --- the parent --- */

static int64_t elapsed_ms(const struct run *run)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)(now.tv_sec - run->began.tv_sec) * 1000 +
           (now.tv_nsec - run->began.tv_nsec) / 1000000;
}

static duration_ms sum_time(const struct run *run)
{
    duration_ms sum = 0;

    for (unsigned i = 0; i < run->settings->jobs; i++)
        sum += run->shared->workers[i].time;
    return sum;
}

static void tell_progress(const struct run *run)
{
    uint64_t convicted = 0;

    for (unsigned i = 0; i < run->settings->jobs; i++)
        convicted += run->shared->workers[i].convicted;
    fprintf(stderr, "  %lld account-years of %u, %llu worlds convicted\n",
            (long long)(sum_time(run) / (YEAR_DAYS * MS_DAY)), run->settings->years,
            (unsigned long long)convicted);
}

static void begin_worker(struct run *run, unsigned index)
{
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child < 0)
        abort();
    if (child == 0) {
        work(run, &run->shared->workers[index]);
        _exit(0);
    }
    run->processes[index] = child;
}

/* It died in the middle of a world: that is a conviction, and another one goes on. */
static void bury_worker(struct run *run, unsigned index, int status)
{
    struct worker *worker = &run->shared->workers[index];
    struct oracle_verdict verdict = {.convicted = UINT64_C(1) << ORACLE_SOUND,
                                     .first = ORACLE_SOUND};

    run->processes[index] = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
        snprintf(verdict.text, sizeof(verdict.text), "the play does not end within %d s",
                 PLAY_LIMIT_S);
    else
        snprintf(verdict.text, sizeof(verdict.text), "the play died of %s",
                 WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "an exit");
    worker->worlds++;
    note(worker, worker->seed, &verdict);
    note_found(run, worker->seed, &verdict);
    begin_worker(run, index);
}

static void wait_for_workers(struct run *run)
{
    const struct timespec interval = {.tv_sec = PROGRESS_S};
    unsigned left = run->settings->jobs;
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    while (left > 0) {
        bool timed_out = sigtimedwait(&child, NULL, &interval) < 0;

        if (timed_out && isatty(STDERR_FILENO))
            tell_progress(run);
        for (unsigned i = 0; i < run->settings->jobs; i++) {
            int status;

            if (run->processes[i] == 0 || waitpid(run->processes[i], &status, WNOHANG) <= 0)
                continue;
            bury_worker(run, i, status);
            left -= run->processes[i] == 0;
        }
    }
}

/* --- the results --- */

static void sum_up(const struct run *run, struct worker *sum)
{
    for (unsigned i = 0; i < run->settings->jobs; i++) {
        const struct worker *worker = &run->shared->workers[i];

        sum->worlds += worker->worlds;
        sum->convicted += worker->convicted;
        sum->time += worker->time;
        sum->counts.rotations += worker->counts.rotations;
        sum->counts.regenerates += worker->counts.regenerates;
        sum->counts.deliveries += worker->counts.deliveries;
        sum->counts.crashes += worker->counts.crashes;
        sum->counts.mishaps += worker->counts.mishaps;
        for (int kind = 0; kind < INCIDENT_KIND_COUNT; kind++)
            sum->incidents[kind] += worker->incidents[kind];
        for (int oracle = 0; oracle < ORACLE_COUNT; oracle++)
            sum->by_oracle[oracle] += worker->by_oracle[oracle];
    }
}

static void print_incidents(const struct worker *sum)
{
    uint64_t all = 0;
    size_t column = 0;

    for (int kind = 0; kind < INCIDENT_KIND_COUNT; kind++)
        all += sum->incidents[kind];
    printf("%llu incidents:", (unsigned long long)all);
    for (int kind = 0; kind < INCIDENT_KIND_COUNT; kind++)
        printf("%s%s %llu", column++ % 6 == 0 ? "\n   " : ", ",
               incident_kind_name((enum incident_kind)kind),
               (unsigned long long)sum->incidents[kind]);
    putchar('\n');
}

static void print_counts(const struct run *run, const struct worker *sum)
{
    int64_t took = elapsed_ms(run);
    long long years = (long long)(sum->time / (YEAR_DAYS * MS_DAY));
    long long rate = years * 1000 / (took > 0 ? took : 1);

    printf(
        "%s, seeds from %llu: %llu worlds, %lld account-years in %lld.%lld s: %lld a second "
        "(%u jobs: %lld each)\n",
        run->settings->design->name, (unsigned long long)run->settings->seed,
        (unsigned long long)sum->worlds, years, (long long)took / 1000, (long long)took / 100 % 10,
        rate, run->settings->jobs, rate / run->settings->jobs);
    printf("%llu rotations, %llu regenerates, %llu deliveries, %llu crashes, %llu mishaps\n",
           (unsigned long long)sum->counts.rotations, (unsigned long long)sum->counts.regenerates,
           (unsigned long long)sum->counts.deliveries, (unsigned long long)sum->counts.crashes,
           (unsigned long long)sum->counts.mishaps);
    print_incidents(sum);
}

/* The one with the smallest seed from `from` on; NULL: there is none. */
static const struct told *find_told(const struct run *run, uint64_t from)
{
    const struct told *found = NULL;

    for (unsigned i = 0; i < run->settings->jobs; i++) {
        const struct worker *worker = &run->shared->workers[i];

        for (unsigned j = 0; j < worker->told_count; j++)
            if (worker->told[j].seed >= from && (!found || worker->told[j].seed < found->seed))
                found = &worker->told[j];
    }
    return found;
}

static void print_convictions(const struct run *run, const struct worker *sum)
{
    const struct told *told = find_told(run, 0);

    printf("%llu worlds convicted\n", (unsigned long long)sum->convicted);
    for (unsigned i = 0; told && i < run->settings->convict_limit; i++) {
        char text[ORACLE_TEXT_MAX + 200];

        run_describe(&told->verdict, text, sizeof(text));
        printf("    seed %llu: %s\n", (unsigned long long)told->seed, text);
        told = find_told(run, told->seed + 1);
    }
    for (int oracle = 0; oracle < ORACLE_COUNT; oracle++)
        if (sum->by_oracle[oracle] > 0)
            printf("    %-16s %llu worlds\n", oracle_describe((enum oracle)oracle)->name,
                   (unsigned long long)sum->by_oracle[oracle]);
}

void run_random(const struct run_settings *settings, struct run_outcome *outcome)
{
    struct run run = {.settings = settings};
    struct worker *sum = calloc(1, sizeof(*sum));
    const struct told *first;
    sigset_t child;

    run.shared =
        mmap(NULL, sizeof(*run.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!sum || run.shared == MAP_FAILED)
        abort();
    atomic_store(&run.shared->found, UINT64_MAX);
    clock_gettime(CLOCK_MONOTONIC, &run.began);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    for (unsigned i = 0; i < settings->jobs; i++)
        begin_worker(&run, i);
    wait_for_workers(&run);
    sum_up(&run, sum);
    print_counts(&run, sum);
    if (settings->expected == ORACLE_COUNT)
        print_convictions(&run, sum);
    first = find_told(&run, 0);
    *outcome = (struct run_outcome){.worlds = sum->worlds,
                                    .convicted = sum->convicted,
                                    .first_seed = first ? first->seed : 0,
                                    .found = atomic_load(&run.shared->found) != UINT64_MAX};
    if (outcome->found)
        outcome->first_seed = atomic_load(&run.shared->found);
    munmap(run.shared, sizeof(*run.shared));
    free(sum);
}
