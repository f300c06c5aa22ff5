/*
 * The outcomes of tests, as a JUnit file.
 */
#ifndef KEYROTATED_TESTS_SIM_RESULTS_H
#define KEYROTATED_TESTS_SIM_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

enum { RESULTS_MAX = 1000, RESULT_NAME_MAX = 80 };

struct results {
    struct result {
        char name[RESULT_NAME_MAX];
        bool passed;
    } result[RESULTS_MAX];
    size_t count;
    size_t failed;
};

/* `name` may be a path: its last part, without ".txt", is kept. */
void results_add(struct results *results, const char *name, bool passed);
/* False, and says why: the file could not be written. Its directory is made. */
bool results_write(const struct results *results, const char *path);

#endif
