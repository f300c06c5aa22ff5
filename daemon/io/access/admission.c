#include "io/access/admission.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/str.h"
#include "core/ratelimit.h"

/* What Azure documents for one subscription and principal. */
enum { READ_BURST = 250, READ_REFILL = 25, WRITE_BURST = 200, WRITE_REFILL = 10 };

enum { TABLE_SIZE = 1024 };

/* For a refusal that does not say how long to wait. */
#define PAUSE_UNSAID (5 * MS_SECOND)

/* Requests of one identity to one subscription, of one kind. Lives as long as the admission: there
 * are no more of them than the configuration has pairs. */
struct admission_lane {
    struct list link; /* in its subscription's lanes */
    struct admission_subscription *subscription;
    char *identity;
    enum admission_kind kind;
    struct list waiting[ADMISSION_RANK_COUNT];
    size_t waiting_count;            /* in all of them */
    struct ratelimit bucket;         /* unused by ADMISSION_DATA */
    bool refused;                    /* the server refused, and has not answered another since */
    struct admission_request *first; /* while refused: the one that finds out */
};

struct admission_subscription {
    struct list table_link;
    struct list ring_link; /* in the ring while somebody waits */
    struct admission *admission;
    char *id;
    struct list lanes;
    size_t waiting_count;
    unsigned in_flight;
};

struct admission {
    struct loop *loop;
    struct log *log;
    duration_ms (*clock)(void);
    struct list table[TABLE_SIZE]; /* of subscriptions, by hash of their ids */
    struct list ring;
    size_t ring_length;
    size_t waiting_count[ADMISSION_RANK_COUNT];
    unsigned limit_in_all;
    unsigned limit_per_subscription;
    unsigned in_flight;
    struct deferred dispatch;
    struct timer refilled;
    void (*closed)(void *context);
    void *closed_context;
};

/* --- letting requests in --- */

static void admit(struct admission_lane *lane, enum admission_rank rank)
{
    struct admission_subscription *subscription = lane->subscription;
    struct admission *admission = subscription->admission;
    struct admission_request *request =
        container_of(lane->waiting[rank].next, struct admission_request, link);

    list_remove(&request->link);
    lane->waiting_count--;
    subscription->waiting_count--;
    admission->waiting_count[rank]--;
    subscription->in_flight++;
    admission->in_flight++;
    if (lane->refused)
        lane->first = request;
    request->state = ADMISSION_INSIDE;
    request->admitted(request);
}

/* 0: a request of the lane may go now. TIME_NEVER: when another one has been answered. */
static duration_ms lane_wait(struct admission_lane *lane)
{
    if (lane->kind == ADMISSION_DATA)
        return 0;
    if (lane->first)
        return TIME_NEVER;
    return ratelimit_take(&lane->bucket, lane->subscription->admission->clock());
}

/* Lets in one request of the subscription. Where only empty buckets prevent it, *wait is lowered to
 * the time until the first of them has a token. */
static bool admit_one(struct admission_subscription *subscription, enum admission_rank rank,
                      duration_ms *wait)
{
    if (subscription->in_flight >= subscription->admission->limit_per_subscription)
        return false;
    list_for_each (link, &subscription->lanes) {
        struct admission_lane *lane = container_of(link, struct admission_lane, link);
        duration_ms until_token;

        if (list_empty(&lane->waiting[rank]))
            continue;
        until_token = lane_wait(lane);
        if (until_token == 0) {
            list_remove(&lane->link);
            list_append(&subscription->lanes, &lane->link);
            admit(lane, rank);
            return true;
        }
        if (until_token < *wait)
            *wait = until_token;
    }
    return false;
}

static void leave_ring(struct admission_subscription *subscription)
{
    list_remove(&subscription->ring_link);
    subscription->admission->ring_length--;
}

static void join_ring(struct admission_subscription *subscription)
{
    if (!list_empty(&subscription->ring_link))
        return;
    list_append(&subscription->admission->ring, &subscription->ring_link);
    subscription->admission->ring_length++;
}

/* The turn passes on with every request that is let in. It ends when the limit is reached, or when
 * nobody in the whole ring could be helped. */
static void dispatch_rank(struct admission *admission, enum admission_rank rank, duration_ms *wait)
{
    size_t fruitless = 0;

    while (admission->waiting_count[rank] > 0 && admission->in_flight < admission->limit_in_all &&
           fruitless < admission->ring_length) {
        struct admission_subscription *subscription =
            container_of(admission->ring.next, struct admission_subscription, ring_link);

        list_remove(&subscription->ring_link);
        list_append(&admission->ring, &subscription->ring_link);
        if (subscription->waiting_count == 0) {
            leave_ring(subscription);
            fruitless = 0;
        } else if (admit_one(subscription, rank, wait)) {
            fruitless = 0;
        } else {
            fruitless++;
        }
    }
}

static void dispatch(struct admission *admission)
{
    duration_ms wait = TIME_NEVER;

    timer_stop(&admission->refilled);
    for (int rank = 0; rank < ADMISSION_RANK_COUNT; rank++)
        dispatch_rank(admission, (enum admission_rank)rank, &wait);
    if (wait != TIME_NEVER)
        timer_set_delay(&admission->refilled, wait);
}

static void on_deferred(struct deferred *deferred)
{
    dispatch(container_of(deferred, struct admission, dispatch));
}

static void on_refilled(struct timer *timer)
{
    dispatch(container_of(timer, struct admission, refilled));
}

/* --- lanes --- */

static struct list *table_place(struct admission *admission, const char *id)
{
    return &admission->table[hash_folded_text(HASH_START, id) % TABLE_SIZE];
}

static struct admission_subscription *subscription_new(struct admission *admission, const char *id)
{
    struct admission_subscription *subscription = calloc(1, sizeof(*subscription));

    if (!subscription)
        return NULL;
    subscription->id = str_dup(id);
    if (!subscription->id) {
        free(subscription);
        return NULL;
    }
    subscription->admission = admission;
    list_init(&subscription->ring_link);
    list_init(&subscription->lanes);
    list_append(table_place(admission, id), &subscription->table_link);
    return subscription;
}

static struct admission_subscription *get_subscription(struct admission *admission, const char *id)
{
    struct list *place = table_place(admission, id);

    list_for_each (link, place) {
        struct admission_subscription *subscription =
            container_of(link, struct admission_subscription, table_link);

        if (str_equal_nocase(subscription->id, id))
            return subscription;
    }
    return subscription_new(admission, id);
}

static struct admission_lane *lane_new(struct admission_subscription *subscription,
                                       const char *identity, enum admission_kind kind)
{
    struct admission_lane *lane = calloc(1, sizeof(*lane));
    bool write = kind == ADMISSION_WRITE;

    if (!lane)
        return NULL;
    lane->identity = str_dup(identity);
    if (!lane->identity) {
        free(lane);
        return NULL;
    }
    lane->subscription = subscription;
    lane->kind = kind;
    for (int rank = 0; rank < ADMISSION_RANK_COUNT; rank++)
        list_init(&lane->waiting[rank]);
    ratelimit_init(&lane->bucket, write ? WRITE_BURST : READ_BURST,
                   write ? WRITE_REFILL : READ_REFILL, subscription->admission->clock());
    list_append(&subscription->lanes, &lane->link);
    return lane;
}

static struct admission_lane *get_lane(struct admission_subscription *subscription,
                                       const char *identity, enum admission_kind kind)
{
    list_for_each (link, &subscription->lanes) {
        struct admission_lane *lane = container_of(link, struct admission_lane, link);

        if (lane->kind == kind && str_equal(lane->identity, identity))
            return lane;
    }
    return lane_new(subscription, identity, kind);
}

/* --- requests --- */

void admission_request_init(struct admission_request *request,
                            void (*admitted)(struct admission_request *request))
{
    list_init(&request->link);
    request->lane = NULL;
    request->state = ADMISSION_OUTSIDE;
    request->admitted = admitted;
    request->rank = ADMISSION_IN_TURN;
}

int admission_enter(struct admission *admission, struct admission_request *request,
                    const char *subscription_id, const char *identity, enum admission_kind kind)
{
    struct admission_subscription *subscription = get_subscription(admission, subscription_id);
    struct admission_lane *lane = NULL;

    if (subscription)
        lane = get_lane(subscription, identity, kind);
    if (!lane)
        return -ENOMEM;
    request->lane = lane;
    request->state = ADMISSION_WAITING;
    list_append(&lane->waiting[request->rank], &request->link);
    lane->waiting_count++;
    subscription->waiting_count++;
    admission->waiting_count[request->rank]++;
    join_ring(subscription);
    loop_defer(admission->loop, &admission->dispatch);
    return 0;
}

void admission_leave(struct admission_request *request)
{
    struct admission_lane *lane = request->lane;
    struct admission *admission;

    if (request->state == ADMISSION_OUTSIDE)
        return;
    admission = lane->subscription->admission;
    if (request->state == ADMISSION_WAITING) {
        list_remove(&request->link);
        lane->waiting_count--;
        lane->subscription->waiting_count--;
        admission->waiting_count[request->rank]--;
    } else {
        lane->subscription->in_flight--;
        admission->in_flight--;
    }
    if (lane->first == request)
        lane->first = NULL;
    request->state = ADMISSION_OUTSIDE;
    request->lane = NULL;
    loop_defer(admission->loop, &admission->dispatch);
}

enum { SUBJECT_MAX = 512 };

static const char *subject_of(const struct admission_lane *lane, char out[SUBJECT_MAX])
{
    (void)snprintf(out, SUBJECT_MAX, "%s %d %s", lane->subscription->id, (int)lane->kind,
                   lane->identity);
    return out;
}

void admission_server_remaining(struct admission_request *request, int64_t remaining)
{
    struct admission_lane *lane = request->lane;
    struct admission *admission = lane->subscription->admission;
    char subject[SUBJECT_MAX];

    if (lane->first == request) {
        lane->refused = false;
        lane->first = NULL;
        log_ended(admission->log, loop_now(admission->loop), "request.throttled",
                  subject_of(lane, subject), false);
    }
    ratelimit_server_remaining(&lane->bucket, remaining, admission->clock());
}

static void log_refusal(const struct admission_lane *lane, duration_ms pause)
{
    static const char *const kinds[] = {"reads", "writes", "data plane requests"};
    struct admission *admission = lane->subscription->admission;
    char words[DURATION_TEXT_MAX];
    char subject[SUBJECT_MAX];
    struct log_line line;

    log_line_start(&line, loop_now(admission->loop), LEVEL_WARNING, "request.throttled",
                   "Azure throttles %s in subscription %s: none for %s, %zu waiting",
                   kinds[lane->kind], lane->subscription->id, duration_to_words(pause, words),
                   lane->waiting_count);
    log_line_lasts(&line, subject_of(lane, subject));
    log_line_text(&line, "subscription_id", lane->subscription->id);
    log_line_text(&line, "identity", lane->identity);
    log_line_time(&line, "retry_at", time_add(loop_now(admission->loop), pause));
    log_emit(admission->log, &line);
}

void admission_server_refused(struct admission_request *request, duration_ms pause)
{
    struct admission_lane *lane = request->lane;
    duration_ms now = lane->subscription->admission->clock();

    if (pause <= 0)
        pause = PAUSE_UNSAID;
    if (pause > ADMISSION_PAUSE_MAX)
        pause = ADMISSION_PAUSE_MAX;
    lane->refused = true;
    ratelimit_server_refused(&lane->bucket, pause, now);
    log_refusal(lane, pause);
}

bool admission_waits_for_server(const struct admission_request *request, duration_ms *ret_wait)
{
    const struct admission_lane *lane = request->lane;
    duration_ms now;

    if (request->state != ADMISSION_WAITING || !lane->refused)
        return false;
    now = lane->subscription->admission->clock();
    *ret_wait = lane->bucket.closed_until > now ? lane->bucket.closed_until - now : 0;
    return true;
}

/* --- life --- */

struct admission *admission_new(struct loop *loop, struct log *log, duration_ms (*clock)(void))
{
    struct admission *admission = calloc(1, sizeof(*admission));

    if (!admission)
        return NULL;
    admission->loop = loop;
    admission->log = log;
    admission->clock = clock;
    admission->limit_in_all = 1;
    admission->limit_per_subscription = 1;
    for (size_t i = 0; i < TABLE_SIZE; i++)
        list_init(&admission->table[i]);
    list_init(&admission->ring);
    deferred_init(&admission->dispatch, on_deferred);
    timer_init(loop, &admission->refilled, on_refilled);
    return admission;
}

void admission_set_limits(struct admission *admission, unsigned in_all, unsigned per_subscription)
{
    admission->limit_in_all = in_all > 0 ? in_all : 1;
    admission->limit_per_subscription = per_subscription > 0 ? per_subscription : 1;
    loop_defer(admission->loop, &admission->dispatch);
}

static void free_subscription(struct admission_subscription *subscription)
{
    struct list *link;

    while ((link = list_pop(&subscription->lanes))) {
        struct admission_lane *lane = container_of(link, struct admission_lane, link);

        free(lane->identity);
        free(lane);
    }
    free(subscription->id);
    free(subscription);
}

static void on_timer_closed(struct timer *timer)
{
    struct admission *admission = container_of(timer, struct admission, refilled);
    void (*closed)(void *context) = admission->closed;
    void *context = admission->closed_context;
    struct list *link;

    for (size_t i = 0; i < TABLE_SIZE; i++) {
        while ((link = list_pop(&admission->table[i])))
            free_subscription(container_of(link, struct admission_subscription, table_link));
    }
    free(admission);
    closed(context);
}

void admission_close(struct admission *admission, void (*closed)(void *context), void *context)
{
    admission->closed = closed;
    admission->closed_context = context;
    loop_defer_cancel(&admission->dispatch);
    timer_close(&admission->refilled, on_timer_closed);
}
