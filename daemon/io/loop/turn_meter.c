#include "io/loop/turn_meter.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <uv.h>

enum { NS_PER_US = 1000 };

uint64_t turn_meter_wait_in(const char *text)
{
    char *end;

    (void)strtoull(text, &end, 10); /* the time for which it ran */
    return *end == ' ' ? strtoull(end, NULL, 10) : 0;
}

static uint64_t waited(const struct turn_meter *meter)
{
    char text[96];
    ssize_t length = meter->file >= 0 ? pread(meter->file, text, sizeof(text) - 1, 0) : 0;

    if (length <= 0)
        return 0;
    text[length] = '\0';
    return turn_meter_wait_in(text);
}

static void begin(struct turn_meter *meter, uint64_t slept_ns)
{
    meter->began_ns = uv_hrtime();
    meter->slept_ns = slept_ns;
    meter->waited_ns = waited(meter);
}

void turn_meter_start(struct turn_meter *meter, uint64_t slept_ns)
{
    meter->file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    begin(meter, slept_ns);
}

void turn_meter_stop(struct turn_meter *meter)
{
    if (meter->file >= 0)
        (void)close(meter->file);
    meter->file = -1;
}

static uint64_t difference(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

void turn_meter_next(struct turn_meter *meter, uint64_t slept_ns)
{
    const uint64_t began_ns = meter->began_ns, slept_before_ns = meter->slept_ns;
    const uint64_t waited_ns = meter->waited_ns;
    uint64_t busy, own;

    begin(meter, slept_ns);
    busy = difference(meter->began_ns - began_ns, slept_ns - slept_before_ns);
    own = difference(busy, meter->waited_ns - waited_ns);
    histogram_add(&meter->turns, busy / NS_PER_US);
    if (busy > meter->worst_ns)
        meter->worst_ns = busy;
    if (own > meter->worst_own_ns)
        meter->worst_own_ns = own;
}
