#include "io/access/admission.h"

#include <stdlib.h>

#include "base/must.h"
#include "io/access/admission_lane.h"

/* Each may hold one of the 256 connections for all requests. */
enum { SLOW_MAX = 64 };

/* While higher ranks want all that there is, of so many requests one is of each lower rank. */
enum { SHARE_OF_LOWER = 8 };

/* For a refusal that does not say how long to wait. */
#define PAUSE_UNSAID (5 * MS_SECOND)

/* --- letting requests in --- */

static bool has_place(const struct admission_subscription *subscription, enum admission_pool pool)
{
    const struct admission_places *places = &subscription->admission->pools[pool];

    return places->in_flight < places->limit &&
           subscription->in_flight[pool] < places->limit_per_subscription;
}

static void take_place(struct admission_request *request, enum admission_pool pool)
{
    struct admission_subscription *subscription = request->lane->subscription;
    struct admission *admission = subscription->admission;

    request->pool = pool;
    request->lane->in_flight++;
    subscription->in_flight[pool]++;
    admission->pools[pool].in_flight++;
    if (pool == ADMISSION_PROMPT)
        list_append(&admission->prompt, &request->link);
}

static void give_place_back(struct admission_request *request)
{
    struct admission_subscription *subscription = request->lane->subscription;

    request->lane->in_flight--;
    subscription->in_flight[request->pool]--;
    subscription->admission->pools[request->pool].in_flight--;
    list_remove(&request->link);
}

static void stop_waiting(struct admission_request *request)
{
    struct admission_subscription *subscription = request->lane->subscription;

    list_remove(&request->link);
    request->lane->waiting_count--;
    subscription->waiting_count--;
    subscription->admission->pools[request->pool].waiting_count[request->rank]--;
}

static void admit(struct admission_request *request)
{
    struct admission_lane *lane = request->lane;

    stop_waiting(request);
    take_place(request, request->pool);
    request->admitted_at = lane->subscription->admission->clock();
    request->asked_back = false;
    for (int scope = 0; scope < ADMISSION_SCOPE_COUNT; scope++)
        if (lane->gates[scope]->refused)
            lane->gates[scope]->first = request;
    request->state = ADMISSION_INSIDE;
    request->admitted(request);
}

/* 0: a request of the lane may go now. TIME_NEVER: when another one has been answered. */
static duration_ms lane_wait(struct admission_lane *lane)
{
    const duration_ms now = lane->subscription->admission->clock();
    duration_ms wait = 0;

    if (lane->grant->kind == ADMISSION_DATA)
        return 0;
    for (int scope = 0; scope < ADMISSION_SCOPE_COUNT; scope++) {
        struct admission_gate *gate = lane->gates[scope];

        wait = time_max(wait, gate->first ? TIME_NEVER : ratelimit_wait(&gate->bucket, now));
    }
    for (int scope = 0; wait == 0 && scope < ADMISSION_SCOPE_COUNT; scope++)
        (void)ratelimit_take(&lane->gates[scope]->bucket, now);
    return wait;
}

static bool waits(const struct admission_subscription *subscription, enum admission_pool pool,
                  int rank)
{
    list_for_each_entry (lane, &subscription->lanes, const struct admission_lane, link) {
        if (!list_empty(&lane->waiting[pool][rank]))
            return true;
    }
    return false;
}

static void count_passed_over(struct admission_subscription *subscription, enum admission_pool pool,
                              int rank)
{
    subscription->passed_over[pool][rank] = 0;
    for (int lower = rank + 1; lower < ADMISSION_RANK_COUNT; lower++)
        subscription->passed_over[pool][lower] += waits(subscription, pool, lower) ? 1 : 0;
}

static bool admit_of_rank(struct admission_subscription *subscription, enum admission_pool pool,
                          int rank, duration_ms *wait)
{
    list_for_each (link, &subscription->lanes) {
        struct admission_lane *lane = container_of(link, struct admission_lane, link);
        duration_ms until_token;

        if (list_empty(&lane->waiting[pool][rank]))
            continue;
        until_token = lane_wait(lane);
        if (until_token == 0) {
            list_remove(&lane->link);
            list_append(&subscription->lanes, &lane->link);
            count_passed_over(subscription, pool, rank);
            admit(container_of(lane->waiting[pool][rank].next, struct admission_request, link));
            return true;
        }
        if (until_token < *wait)
            *wait = until_token;
    }
    return false;
}

/* Lets in one request of the subscription: of that rank, or of a lower one that was passed over for
 * too long. Where only empty buckets prevent it, *wait is lowered to the time until the first of
 * them has a token. */
static bool admit_one(struct admission_subscription *subscription, enum admission_pool pool,
                      enum admission_rank rank, duration_ms *wait)
{
    if (!has_place(subscription, pool))
        return false;
    for (int lower = ADMISSION_RANK_COUNT - 1; lower > (int)rank; lower--) {
        if (subscription->passed_over[pool][lower] >= SHARE_OF_LOWER - 1 &&
            admit_of_rank(subscription, pool, lower, wait))
            return true;
    }
    return admit_of_rank(subscription, pool, (int)rank, wait);
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
 * no subscription in the ring has an admissible request. */
static void dispatch_rank(struct admission *admission, enum admission_pool pool,
                          enum admission_rank rank, duration_ms *wait)
{
    struct admission_places *places = &admission->pools[pool];
    size_t fruitless = 0;

    while (places->waiting_count[rank] > 0 && places->in_flight < places->limit &&
           fruitless < admission->ring_length) {
        struct admission_subscription *subscription =
            container_of(admission->ring.next, struct admission_subscription, ring_link);

        list_remove(&subscription->ring_link);
        list_append(&admission->ring, &subscription->ring_link);
        if (subscription->waiting_count == 0) {
            leave_ring(subscription);
            fruitless = 0;
        } else if (admit_one(subscription, pool, rank, wait)) {
            fruitless = 0;
        } else {
            fruitless++;
        }
    }
}

/* Does another request wait for the prompt place that this one holds? */
static bool is_in_the_way(const struct admission_request *request)
{
    const struct admission_subscription *subscription = request->lane->subscription;
    const struct admission_places *prompt = &subscription->admission->pools[ADMISSION_PROMPT];
    size_t waiting = 0;

    for (int rank = 0; rank < ADMISSION_RANK_COUNT; rank++)
        waiting += prompt->waiting_count[rank];
    return waiting > 0 && !has_place(subscription, ADMISSION_PROMPT);
}

static void leave_prompt_pool(struct admission_request *request)
{
    request->server->silent = true;
    if (has_place(request->lane->subscription, ADMISSION_SLOW)) {
        give_place_back(request);
        take_place(request, ADMISSION_SLOW);
    } else if (request->take_back && !request->asked_back && is_in_the_way(request)) {
        request->asked_back = true;
        request->take_back(request);
    }
}

/* Moves requests without an answer for too long to the slow pool. Returns the time until the next
 * one. */
static duration_ms sort_out_silent(struct admission *admission)
{
    duration_ms now = admission->clock();

    list_for_each_entry (request, &admission->prompt, struct admission_request, link) {
        duration_ms silent_for = now - request->admitted_at;

        if (silent_for < ADMISSION_PATIENCE)
            return ADMISSION_PATIENCE - silent_for;
        leave_prompt_pool(request);
    }
    return TIME_NEVER;
}

static void dispatch(struct admission *admission)
{
    duration_ms until_silent, wait = TIME_NEVER;

    timer_stop(&admission->wake);
    (void)sort_out_silent(admission);
    for (int rank = 0; rank < ADMISSION_RANK_COUNT; rank++) {
        for (int pool = 0; pool < ADMISSION_POOL_COUNT; pool++)
            dispatch_rank(admission, (enum admission_pool)pool, (enum admission_rank)rank, &wait);
    }
    until_silent = sort_out_silent(admission);
    if (until_silent < wait)
        wait = until_silent;
    if (wait != TIME_NEVER)
        timer_set_delay(&admission->wake, wait);
}

static void on_deferred(struct deferred *deferred)
{
    dispatch(container_of(deferred, struct admission, dispatch));
}

static void on_wake(struct timer *timer)
{
    dispatch(container_of(timer, struct admission, wake));
}

/* --- requests --- */

void admission_request_init(struct admission_request *request,
                            void (*admitted)(struct admission_request *request))
{
    list_init(&request->link);
    request->lane = NULL;
    request->state = ADMISSION_OUTSIDE;
    request->admitted = admitted;
    request->server = NULL;
    request->rank = ADMISSION_IN_TURN;
    request->provider = NULL;
    request->take_back = NULL;
}

void admission_enter(struct admission *admission, struct admission_request *request,
                     const char *subscription_id, const char *identity, enum admission_kind kind)
{
    struct admission_lane *lane = admission_lane_get(
        admission, subscription_id, identity, request->provider ? request->provider : "", kind);

    lane->unused = false;
    request->lane = lane;
    request->state = ADMISSION_WAITING;
    request->pool = request->server->silent ? ADMISSION_SLOW : ADMISSION_PROMPT;
    list_append(&lane->waiting[request->pool][request->rank], &request->link);
    lane->waiting_count++;
    lane->subscription->waiting_count++;
    admission->pools[request->pool].waiting_count[request->rank]++;
    join_ring(lane->subscription);
    loop_defer(admission->loop, &admission->dispatch);
}

void admission_leave(struct admission_request *request)
{
    struct admission_lane *lane = request->lane;
    struct admission *admission;

    if (request->state == ADMISSION_OUTSIDE)
        return;
    admission = lane->subscription->admission;
    if (request->state == ADMISSION_WAITING)
        stop_waiting(request);
    else
        give_place_back(request);
    for (int scope = 0; scope < ADMISSION_SCOPE_COUNT; scope++)
        if (lane->gates[scope]->first == request)
            lane->gates[scope]->first = NULL;
    request->state = ADMISSION_OUTSIDE;
    request->lane = NULL;
    if (lane->unused)
        admission_lane_retire(lane);
    loop_defer(admission->loop, &admission->dispatch);
}

void admission_answered(struct admission_request *request)
{
    request->server->silent = false;
}

void admission_server_remaining(struct admission_request *request, enum admission_scope scope,
                                int64_t remaining)
{
    struct admission_lane *lane = request->lane;
    struct admission_gate *gate = lane->gates[scope];

    if (gate->first == request) {
        gate->refused = false;
        gate->first = NULL;
        admission_lane_log_answer(lane, scope);
    }
    ratelimit_server_remaining(&gate->bucket, remaining, lane->subscription->admission->clock());
}

void admission_server_refused(struct admission_request *request, enum admission_scope scope,
                              duration_ms pause)
{
    struct admission_lane *lane = request->lane;
    duration_ms now = lane->subscription->admission->clock();

    if (pause <= 0)
        pause = PAUSE_UNSAID;
    if (pause > ADMISSION_PAUSE_MAX)
        pause = ADMISSION_PAUSE_MAX;
    lane->gates[scope]->refused = true;
    ratelimit_server_refused(&lane->gates[scope]->bucket, pause, now);
    admission_lane_log_refusal(lane, scope, pause);
}

bool admission_waits_for_server(const struct admission_request *request, duration_ms *ret_wait)
{
    const struct admission_lane *lane = request->lane;
    bool refused = false;
    duration_ms now;

    for (int scope = 0; request->state == ADMISSION_WAITING && scope < ADMISSION_SCOPE_COUNT;
         scope++)
        refused |= lane->gates[scope]->refused;
    if (!refused)
        return false;
    now = lane->subscription->admission->clock();
    *ret_wait = time_max(now, admission_lane_closed_until(lane, now)) - now;
    return true;
}

/* --- life --- */

struct admission *admission_new(struct loop *loop, struct log *log, duration_ms (*clock)(void))
{
    struct admission *admission = must_alloc(sizeof(*admission));

    admission->loop = loop;
    admission->log = log;
    admission->clock = clock;
    for (size_t i = 0; i < ADMISSION_TABLE_SIZE; i++)
        list_init(&admission->table[i]);
    list_init(&admission->ring);
    list_init(&admission->prompt);
    deferred_init(&admission->dispatch, on_deferred);
    timer_init(loop, &admission->wake, on_wake);
    admission_set_limits(admission, 1, 1);
    return admission;
}

void admission_set_limits(struct admission *admission, unsigned in_all, unsigned per_subscription)
{
    admission->pools[ADMISSION_PROMPT].limit = in_all > 0 ? in_all : 1;
    admission->pools[ADMISSION_PROMPT].limit_per_subscription =
        per_subscription > 0 ? per_subscription : 1;
    admission->pools[ADMISSION_SLOW].limit = in_all / 2 < SLOW_MAX ? (in_all + 1) / 2 : SLOW_MAX;
    admission->pools[ADMISSION_SLOW].limit_per_subscription = (per_subscription + 1) / 2;
    loop_defer(admission->loop, &admission->dispatch);
}

static void on_timer_closed(struct timer *timer)
{
    struct admission *admission = container_of(timer, struct admission, wake);
    void (*closed)(void *context) = admission->closed;
    void *context = admission->closed_context;

    admission_lanes_free(admission);
    free(admission);
    closed(context);
}

void admission_close(struct admission *admission, void (*closed)(void *context), void *context)
{
    admission->closed = closed;
    admission->closed_context = context;
    loop_defer_cancel(&admission->dispatch);
    timer_close(&admission->wake, on_timer_closed);
}
