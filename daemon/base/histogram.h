/*
 * How often something took how long: counts by upper bounds that are fixed.
 */
#ifndef KEYROTATED_BASE_HISTOGRAM_H
#define KEYROTATED_BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BOUNDS = 12 };

struct histogram {
    uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* up to each bound; the last one: more than all */
    uint64_t sum_us;
};

/* The upper bound of a count, in microseconds: from 1 ms to a minute. */
uint64_t histogram_bound_us(unsigned index);

void histogram_add(struct histogram *histogram, uint64_t us);

#endif
