/*
 * Playing worlds: one with its trace, one in a process of its own, very many at once.
 */
#ifndef KEYROTATED_TESTS_SIM_RUN_H
#define KEYROTATED_TESTS_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "world.h"

enum { RUN_JOBS_MAX = 64, RUN_WORLD_YEARS = 25, PLAY_LIMIT_S = 300 };

/* What plays, and who judges. */
struct run_settings {
    const struct design *design;
    uint64_t muted;         /* oracles that are switched off, as bits */
    uint64_t seed;          /* of the first world */
    unsigned years;         /* account-years to play */
    unsigned jobs;          /* processes */
    enum oracle expected;   /* stop when this one convicts; ORACLE_COUNT: none is waited for */
    unsigned convict_limit; /* how many convictions are told in full */
};

/* Ends this process by SIGPROF when it has computed for so many seconds: a play that never ends.
 * Time in which the machine had no processor for it does not count. 0: it may go on. */
void run_limit(int seconds);

/* Plays it in a process of its own: a crash, or a play that never ends, is a conviction as well
 * (of ORACLE_SOUND). `verdict` has what goes in. `counts` may be NULL. */
void run_apart(const struct script *script, const struct design *design,
               struct oracle_verdict *verdict, struct world_counts *counts);

/* "seed 17: no-outage: at 12d3h, a1: …" for people. */
void run_describe(const struct oracle_verdict *verdict, char *out, size_t size);

/* Plays the script with its trace to standard output. False: an oracle convicted. */
bool run_told(const struct script *script, const struct run_settings *settings);

/* Shrinks a script that an oracle convicts, and prints what is left as a scenario with its trace.
 * False: no oracle convicts. */
bool run_shrunk(const struct script *script, const struct run_settings *settings);

/* Random worlds. */
struct run_outcome {
    uint64_t worlds;
    uint64_t convicted;  /* of them */
    uint64_t first_seed; /* that was convicted; with `expected`: by that oracle */
    bool found;          /* `expected` has convicted */
};
void run_random(const struct run_settings *settings, struct run_outcome *outcome);

#endif
