/*
 * Subscriptions and their lanes: what admission.c lets requests into. They are made when they are
 * first asked for, and go when the configuration has no account of theirs. Private to admission.
 */
#ifndef KEYROTATED_IO_ACCESS_ADMISSION_LANE_H
#define KEYROTATED_IO_ACCESS_ADMISSION_LANE_H

#include "core/ratelimit.h"
#include "io/access/admission.h"

enum { ADMISSION_TABLE_SIZE = 1024 };

/* One limit, and what the server said of it. Unused by ADMISSION_DATA. */
struct admission_gate {
    struct ratelimit bucket;
    bool refused;                    /* the server refused, and has not answered another since */
    struct admission_request *first; /* while refused: the one that finds out */
};

/* What Resource Manager grants one identity in one subscription, of one kind: several lanes share
 * it, and it lives as long as the last of them. */
struct admission_grant {
    struct list link; /* in its subscription's grants */
    char *identity;
    enum admission_kind kind;
    struct admission_gate gate;
    size_t lane_count;
};

/* Requests of one grant to one provider. Lives as long as the configuration has accounts for it. */
struct admission_lane {
    struct list link; /* in its subscription's lanes */
    struct admission_subscription *subscription;
    struct admission_grant *grant;
    char *provider; /* "": none */
    struct list waiting[ADMISSION_POOL_COUNT][ADMISSION_RANK_COUNT];
    size_t waiting_count;                                /* in all of them */
    unsigned in_flight;                                  /* in both pools */
    struct admission_gate own;                           /* the provider's */
    struct admission_gate *gates[ADMISSION_SCOPE_COUNT]; /* that of the grant, and its own */
    bool unused;                                         /* the configuration has it no longer */
};

struct admission_subscription {
    struct list table_link;
    struct list ring_link; /* in the ring while somebody waits */
    struct admission *admission;
    char *id;
    struct list lanes;
    struct list grants;
    size_t waiting_count;
    unsigned in_flight[ADMISSION_POOL_COUNT];
    /* requests of higher ranks that were let in while one of this rank waited */
    unsigned passed_over[ADMISSION_POOL_COUNT][ADMISSION_RANK_COUNT];
};

struct admission_places {
    size_t waiting_count[ADMISSION_RANK_COUNT];
    unsigned in_flight;
    unsigned limit;
    unsigned limit_per_subscription;
};

struct admission {
    struct loop *loop;
    struct log *log;
    duration_ms (*clock)(void);
    struct list table[ADMISSION_TABLE_SIZE]; /* of subscriptions, by hash of their ids */
    struct list ring;
    size_t ring_length;
    struct admission_places pools[ADMISSION_POOL_COUNT];
    struct list prompt; /* the requests in the prompt pool, in the order in which they came in */
    struct deferred dispatch;
    struct timer wake; /* a bucket has a token, or a request has been silent for too long */
    void (*closed)(void *context);
    void *closed_context;
};

/* The lane of that subscription, identity, provider (as in struct admission_request) and kind. */
struct admission_lane *admission_lane_get(struct admission *admission, const char *subscription_id,
                                          const char *identity, const char *provider,
                                          enum admission_kind kind);

/* Until when requests that enter the lane wait for the server, by the admission's clock; 0: they do
 * not, or the next one goes first. */
duration_ms admission_lane_closed_until(const struct admission_lane *lane, duration_ms now);

/* The last request of a lane that no account uses has left. */
void admission_lane_retire(struct admission_lane *lane);

/* Says that the server refused, unless no account uses what it closed. */
void admission_lane_log_refusal(const struct admission_lane *lane, enum admission_scope scope,
                                duration_ms pause);
void admission_lane_log_answer(const struct admission_lane *lane, enum admission_scope scope);

void admission_lanes_free(struct admission *admission);

#endif
