/*
 * Scenario files: a script, and the trace that is expected of it.
 */
#ifndef KEYROTATED_TESTS_SIM_SCENARIO_H
#define KEYROTATED_TESTS_SIM_SCENARIO_H

#include <stdbool.h>

#include "run.h"

/*
 * Plays the file. True: no oracle convicted, and the trace is the expected one; else what is wrong
 * has been printed. `record`: the trace that came of it is written into the file as the expected
 * one.
 */
bool scenario_play(const char *path, const struct run_settings *settings, bool record);

#endif
