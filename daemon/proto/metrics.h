/*
 * The metrics of the daemon as one text, from what it knows at this moment. Pure.
 */
#ifndef KEYROTATED_PROTO_METRICS_H
#define KEYROTATED_PROTO_METRICS_H

#include "base/buf.h"
#include "base/histogram.h"
#include "proto/control_protocol.h"

enum {
    METRICS_MAX = 64 * 1024 * 1024, /* of the text */
    METRICS_ACCOUNTS_DEFAULT = 1000,
    METRICS_EVENTS_MAX = 64
};

/* How many requests ended so. Rows of one service stand together. */
struct metrics_requests {
    const char *service;
    const char *status; /* "200", "lost" */
    uint64_t count;
};

struct metrics_durations {
    const char *service;
    const struct histogram *histogram;
};

struct metrics_event {
    const char *name; /* "key.delivered"; each once */
    uint64_t count;
};

enum metrics_target_result { METRICS_DELIVERED, METRICS_FAILING, METRICS_WAITING, METRICS_RESULTS };

/* Texts are borrowed; instants as in struct account_snapshot. */
struct metrics_account {
    const char *id;
    const char *name;
    const char *resource_group;
    const char *state;
    const char *reason; /* NULL: none */
    time_ms born[CONTROL_KEYS];
    time_ms rotated_at;
    time_ms next_at;
    time_ms looked_at;
    bool overdue;
    bool at_risk;
    time_ms held_until;
    uint64_t targets[METRICS_RESULTS];
};

struct metrics {
    const struct daemon_snapshot *daemon;
    size_t unwell;
    const struct metrics_event *events;
    size_t event_count;
    const struct histogram *commits;
    uint64_t saves_waiting;
    uint64_t requests_in_flight;
    const struct metrics_requests *requests;
    size_t request_count;
    const struct metrics_durations *durations;
    size_t duration_count;
    const struct histogram *turns;
    const struct metrics_account *accounts;
    size_t account_count;
};

/* Appends the text. Returns out->failed. */
int metrics_write(const struct metrics *metrics, struct buf *out);

/* The families of accounts. */
void metrics_write_accounts(const struct metrics *metrics, struct buf *out);

#endif
