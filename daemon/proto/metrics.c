#include "proto/metrics.h"

#include "base/str.h"
#include "proto/metrics_list.h"
#include "proto/metrics_text.h"

#define FAMILY(NAME, type, name, help) FAMILY_##NAME,
enum family { METRICS_OF_DAEMON(FAMILY) };
#undef FAMILY

#define FAMILY(NAME, type, name, help) {"keyrotated_" name, type, help},
static const struct {
    const char *name, *type, *help;
} families[] = {METRICS_OF_DAEMON(FAMILY)};
#undef FAMILY

/* Begins the family; returns its name. */
static const char *begin(struct buf *out, enum family family)
{
    metric_family(out, families[family].name, families[family].type, families[family].help);
    return families[family].name;
}

static void write_number(struct buf *out, enum family family, uint64_t value)
{
    metric_number(out, begin(out, family), METRIC_NO_LABELS, value);
}

static void write_time(struct buf *out, enum family family, time_ms at)
{
    metric_time(out, begin(out, family), METRIC_NO_LABELS, at);
}

static void write_process(const struct daemon_snapshot *daemon, struct buf *out)
{
    const struct metric_label version[] = {{"version", daemon->version}};

    metric_number(out, begin(out, FAMILY_BUILD), METRIC_LABELS(version), 1);
    write_time(out, FAMILY_STARTED, daemon->started_at);
    write_time(out, FAMILY_WRITTEN, daemon->now);
    write_time(out, FAMILY_CONFIG_LOADED, daemon->config_loaded_at);
    write_number(out, FAMILY_CONFIG_REFUSED, daemon->config_error ? 1 : 0);
}

static void write_totals(const struct metrics *metrics, struct buf *out)
{
    const struct daemon_snapshot *daemon = metrics->daemon;
    const char *name = begin(out, FAMILY_ACCOUNTS);

    for (size_t i = 0; i < daemon->state_count; i++) {
        const struct metric_label state[] = {{"state", daemon->states[i].state}};

        metric_number(out, name, METRIC_LABELS(state), daemon->states[i].count);
    }
    write_number(out, FAMILY_OVERDUE, daemon->overdue);
    write_number(out, FAMILY_AT_RISK, daemon->consumers_at_risk);
    write_number(out, FAMILY_UNWELL, metrics->unwell);
    write_time(out, FAMILY_OLDEST, daemon->oldest_key_born);
    write_time(out, FAMILY_NEXT, daemon->next_at);
}

static void write_credential(const struct daemon_snapshot *daemon, struct buf *out)
{
    const struct metric_label identity[] = {{"identity", daemon->credential_identity}};

    metric_time(out, begin(out, FAMILY_CREDENTIAL), METRIC_LABELS(identity),
                daemon->credential_expires_at);
}

static void write_rules(const struct daemon_snapshot *daemon, struct buf *out)
{
    const char *name = begin(out, FAMILY_RULE_ACCOUNTS);

    for (size_t i = 0; i < daemon->rule_count; i++) {
        const struct metric_label rule[] = {{"rule", daemon->rules[i].name}};

        metric_number(out, name, METRIC_LABELS(rule), daemon->rules[i].accounts);
    }
    name = begin(out, FAMILY_RULE_LISTED);
    for (size_t i = 0; i < daemon->rule_count; i++) {
        const struct metric_label rule[] = {{"rule", daemon->rules[i].name}};

        metric_time(out, name, METRIC_LABELS(rule), daemon->rules[i].listed_at);
    }
}

static void write_events(const struct metrics *metrics, struct buf *out)
{
    const char *name = begin(out, FAMILY_EVENTS);

    for (size_t i = 0; i < metrics->event_count; i++) {
        const struct metric_label event[] = {{"event", metrics->events[i].name}};

        metric_number(out, name, METRIC_LABELS(event), metrics->events[i].count);
    }
}

static void write_requests(const struct metrics *metrics, struct buf *out)
{
    const char *name = begin(out, FAMILY_REQUESTS);

    for (size_t i = 0; i < metrics->request_count; i++) {
        const struct metrics_requests *row = &metrics->requests[i];
        const struct metric_label labels[] = {{"service", row->service}, {"status", row->status}};

        metric_number(out, name, METRIC_LABELS(labels), row->count);
    }
    name = begin(out, FAMILY_DURATIONS);
    for (size_t i = 0; i < metrics->duration_count; i++) {
        const struct metric_label service[] = {{"service", metrics->durations[i].service}};

        metric_histogram(out, name, METRIC_LABELS(service), metrics->durations[i].histogram);
    }
}

int metrics_write(const struct metrics *metrics, struct buf *out)
{
    const struct daemon_snapshot *daemon = metrics->daemon;

    write_process(daemon, out);
    write_totals(metrics, out);
    write_credential(daemon, out);
    write_rules(daemon, out);
    write_events(metrics, out);
    write_number(out, FAMILY_JOURNAL_FAILING, daemon->journal_failing_since != TIME_NEVER);
    write_number(out, FAMILY_JOURNAL_WAITING, metrics->saves_waiting);
    metric_histogram(out, begin(out, FAMILY_COMMITS), METRIC_NO_LABELS, metrics->commits);
    write_number(out, FAMILY_IN_FLIGHT, metrics->requests_in_flight);
    write_requests(metrics, out);
    metric_histogram(out, begin(out, FAMILY_TURNS), METRIC_NO_LABELS, metrics->turns);
    write_number(out, FAMILY_LISTED, metrics->account_count);
    metrics_write_accounts(metrics, out);
    return out->failed;
}
