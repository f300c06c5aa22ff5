#include "proto/metrics_text.h"

#include <inttypes.h>
#include <stdio.h>

enum { US_PER_S = 1000000, BOUND_TEXT_MAX = 32 };

void metric_family(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void append_escaped(struct buf *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            buf_append_char(out, '\\');
        if (*value == '\n')
            buf_append_str(out, "\\n");
        else
            buf_append_char(out, *value);
    }
}

static void append_label(struct buf *out, const char *name, const char *value, char *separator)
{
    if (!value || *value == '\0')
        return;
    buf_append_char(out, *separator);
    buf_append_format(out, "%s=\"", name);
    append_escaped(out, value);
    buf_append_char(out, '"');
    *separator = ',';
}

/* NAMESUFFIX{labels,le="bound"} and a space. */
static void begin_sample(struct buf *out, const char *name, const char *suffix,
                         struct metric_labels labels, const char *bound)
{
    char separator = '{';

    buf_append_format(out, "%s%s", name, suffix);
    for (size_t i = 0; i < labels.count; i++)
        append_label(out, labels.items[i].name, labels.items[i].value, &separator);
    append_label(out, "le", bound, &separator);
    buf_append_str(out, separator == ',' ? "} " : " ");
}

void metric_number(struct buf *out, const char *name, struct metric_labels labels, uint64_t value)
{
    begin_sample(out, name, "", labels, NULL);
    buf_append_format(out, "%" PRIu64 "\n", value);
}

void metric_time(struct buf *out, const char *name, struct metric_labels labels, time_ms at)
{
    if (at <= 0 || at == TIME_NEVER)
        return;
    begin_sample(out, name, "", labels, NULL);
    buf_append_format(out, "%" PRId64 ".%03d\n", at / MS_SECOND, (int)(at % MS_SECOND));
}

/* "0.005", "60": without zeros at the end, as other programs write them. */
static const char *bound_text(uint64_t us, char out[BOUND_TEXT_MAX])
{
    (void)snprintf(out, BOUND_TEXT_MAX, "%g", (double)us / US_PER_S);
    return out;
}

void metric_histogram(struct buf *out, const char *name, struct metric_labels labels,
                      const struct histogram *histogram)
{
    char bound[BOUND_TEXT_MAX];
    uint64_t count = 0;

    for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++) {
        count += histogram->counts[i];
        begin_sample(out, name, "_bucket", labels,
                     i < HISTOGRAM_BOUNDS ? bound_text(histogram_bound_us(i), bound) : "+Inf");
        buf_append_format(out, "%" PRIu64 "\n", count);
    }
    begin_sample(out, name, "_sum", labels, NULL);
    buf_append_format(out, "%" PRIu64 ".%06" PRIu64 "\n", histogram->sum_us / US_PER_S,
                      histogram->sum_us % US_PER_S);
    begin_sample(out, name, "_count", labels, NULL);
    buf_append_format(out, "%" PRIu64 "\n", count);
}
