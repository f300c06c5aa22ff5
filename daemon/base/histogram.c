#include "base/histogram.h"

static const uint64_t bounds_us[HISTOGRAM_BOUNDS] = {
    1000, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 2500000, 5000000, 10000000, 60000000,
};

uint64_t histogram_bound_us(unsigned index)
{
    return bounds_us[index];
}

void histogram_add(struct histogram *histogram, uint64_t us)
{
    unsigned index = 0;

    while (index < HISTOGRAM_BOUNDS && us > bounds_us[index])
        index++;
    histogram->counts[index]++;
    histogram->sum_us += us;
}
