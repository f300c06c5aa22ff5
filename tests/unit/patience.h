/*
 * How much of a long test to run. Valgrind makes it twenty times as slow, and finds faults of
 * memory in a part of it as well as in all.
 */
#ifndef KEYROTATED_TESTS_PATIENCE_H
#define KEYROTATED_TESTS_PATIENCE_H

#include <stdbool.h>
#include <stdlib.h>

/* tests/run_unit.py --valgrind says so. */
static inline bool under_valgrind(void)
{
    return !!getenv("UNIT_UNDER_VALGRIND");
}

#endif
