#include "io/access/admission_lane.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/must.h"
#include "base/str.h"

/* What Azure documents for one subscription and principal. */
enum { READ_BURST = 250, READ_REFILL = 25, WRITE_BURST = 200, WRITE_REFILL = 10 };

static struct list *table_place(struct admission *admission, const char *id)
{
    return &admission->table[hash_folded_text(HASH_START, id) % ADMISSION_TABLE_SIZE];
}

static struct admission_subscription *subscription_new(struct admission *admission, const char *id)
{
    struct admission_subscription *subscription = must_alloc(sizeof(*subscription));

    subscription->id = must_dup(id);
    subscription->admission = admission;
    list_init(&subscription->ring_link);
    list_init(&subscription->lanes);
    list_append(table_place(admission, id), &subscription->table_link);
    return subscription;
}

static struct admission_subscription *find_subscription(struct admission *admission, const char *id)
{
    struct list *place = table_place(admission, id);

    list_for_each_entry (subscription, place, struct admission_subscription, table_link) {
        if (str_equal_nocase(subscription->id, id))
            return subscription;
    }
    return NULL;
}

static struct admission_lane *lane_new(struct admission_subscription *subscription,
                                       const char *identity, enum admission_kind kind)
{
    struct admission_lane *lane = must_alloc(sizeof(*lane));
    bool write = kind == ADMISSION_WRITE;

    lane->identity = must_dup(identity);
    lane->subscription = subscription;
    lane->kind = kind;
    for (int pool = 0; pool < ADMISSION_POOL_COUNT; pool++) {
        for (int rank = 0; rank < ADMISSION_RANK_COUNT; rank++)
            list_init(&lane->waiting[pool][rank]);
    }
    ratelimit_init(&lane->bucket, write ? WRITE_BURST : READ_BURST,
                   write ? WRITE_REFILL : READ_REFILL, subscription->admission->clock());
    list_append(&subscription->lanes, &lane->link);
    return lane;
}

struct admission_lane *admission_lane_get(struct admission *admission, const char *subscription_id,
                                          const char *identity, enum admission_kind kind)
{
    struct admission_subscription *subscription = find_subscription(admission, subscription_id);

    if (!subscription)
        subscription = subscription_new(admission, subscription_id);
    list_for_each_entry (lane, &subscription->lanes, struct admission_lane, link) {
        if (lane->kind == kind && str_equal(lane->identity, identity))
            return lane;
    }
    return lane_new(subscription, identity, kind);
}

/* Until when the lane is closed, by its own clock; 0: it is open, or the next request goes first.
 */
static duration_ms closed_until(const struct admission_lane *lane, duration_ms now)
{
    if (!lane->refused || (lane->bucket.closed_until <= now && !lane->first))
        return 0;
    return lane->bucket.closed_until > now ? lane->bucket.closed_until : now;
}

bool admission_is_closed(struct admission *admission, const char *subscription_id,
                         const char *identity, duration_ms *ret_wait)
{
    const struct admission_subscription *subscription =
        find_subscription(admission, subscription_id);
    const duration_ms now = admission->clock();
    duration_ms until = 0;

    if (!subscription)
        return false;
    list_for_each_entry (lane, &subscription->lanes, const struct admission_lane, link) {
        if (lane->kind != ADMISSION_DATA && str_equal(lane->identity, identity))
            until = time_max(until, closed_until(lane, now));
    }
    *ret_wait = until - now;
    return until != 0;
}

/* --- what is logged about them --- */

enum { SUBJECT_MAX = 512 };

static const char *subject_of(const struct admission_lane *lane, char out[SUBJECT_MAX])
{
    (void)snprintf(out, SUBJECT_MAX, "%s %d %s", lane->subscription->id, (int)lane->kind,
                   lane->identity);
    return out;
}

void admission_lane_log_refusal(const struct admission_lane *lane, duration_ms pause)
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

static void log_end(const struct admission_lane *lane, bool quiet)
{
    struct admission *admission = lane->subscription->admission;
    char subject[SUBJECT_MAX];

    log_ended(admission->log, loop_now(admission->loop), "request.throttled",
              subject_of(lane, subject), quiet);
}

void admission_lane_log_answer(const struct admission_lane *lane)
{
    log_end(lane, false);
}

/* --- those that nobody uses --- */

/* Ends what was logged about it, and frees it when nobody waits or is inside. */
void admission_lane_retire(struct admission_lane *lane)
{
    if (lane->refused)
        log_end(lane, true);
    if (lane->waiting_count > 0 || lane->in_flight > 0)
        return;
    list_remove(&lane->link);
    free(lane->identity);
    free(lane);
}

static void for_each_lane(struct admission *admission, void (*visit)(struct admission_lane *lane))
{
    for (size_t i = 0; i < ADMISSION_TABLE_SIZE; i++) {
        list_for_each_entry (subscription, &admission->table[i], struct admission_subscription,
                             table_link) {
            list_for_each (link, &subscription->lanes)
                visit(container_of(link, struct admission_lane, link));
        }
    }
}

static void mark_unused(struct admission_lane *lane)
{
    lane->unused = true;
}

static void mark_used(struct admission *admission, const struct account *account)
{
    struct admission_subscription *subscription =
        find_subscription(admission, account->subscription_id);

    if (!subscription)
        return;
    list_for_each_entry (lane, &subscription->lanes, struct admission_lane, link) {
        if (str_equal(lane->identity, account->identity->name))
            lane->unused = false;
    }
}

static void retire_unused(struct admission_lane *lane)
{
    if (lane->unused)
        admission_lane_retire(lane);
}

void admission_keep_used(struct admission *admission, const struct config *config)
{
    for_each_lane(admission, mark_unused);
    for (size_t i = 0; i < config->account_count; i++)
        mark_used(admission, &config->accounts[i]);
    for_each_lane(admission, retire_unused);
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

void admission_lanes_free(struct admission *admission)
{
    struct list *link;

    for (size_t i = 0; i < ADMISSION_TABLE_SIZE; i++) {
        while ((link = list_pop(&admission->table[i])))
            free_subscription(container_of(link, struct admission_subscription, table_link));
    }
}
