/*
 * The text format in which Prometheus reads metrics.
 *
 * A family is its head, and then its samples, together. Failures are sticky in `out` (base/buf.h).
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4)
 */
#ifndef KEYROTATED_PROTO_METRICS_TEXT_H
#define KEYROTATED_PROTO_METRICS_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/histogram.h"
#include "base/time.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The value NULL or "": the label is left out, which means the same. */
struct metric_label {
    const char *name;
    const char *value;
};

/* A list of labels as the one argument `labels`; METRIC_NO_LABELS: none. */
struct metric_labels {
    const struct metric_label *items;
    size_t count;
};
#define METRIC_LABELS(array)                                                                       \
    ((struct metric_labels){.items = (array), .count = sizeof(array) / sizeof((array)[0])})
#define METRIC_NO_LABELS ((struct metric_labels){.items = NULL, .count = 0})

/* `type`: "gauge", "counter" or "histogram". */
void metric_family(struct buf *out, const char *name, const char *type, const char *help);

void metric_number(struct buf *out, const char *name, struct metric_labels labels, uint64_t value);
/* Seconds since 1970; nothing where the instant is 0 or TIME_NEVER. */
void metric_time(struct buf *out, const char *name, struct metric_labels labels, time_ms at);
/* A histogram of seconds. */
void metric_histogram(struct buf *out, const char *name, struct metric_labels labels,
                      const struct histogram *histogram);

#endif
