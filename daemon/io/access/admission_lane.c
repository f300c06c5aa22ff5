#include "io/access/admission_lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/must.h"
#include "base/str.h"
#include "proto/two_key/two_key.h"

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
    list_init(&subscription->grants);
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

static void gate_init(struct admission_gate *gate, enum admission_kind kind, duration_ms now)
{
    bool write = kind == ADMISSION_WRITE;

    ratelimit_init(&gate->bucket, write ? WRITE_BURST : READ_BURST,
                   write ? WRITE_REFILL : READ_REFILL, now);
    gate->refused = false;
    gate->first = NULL;
}

static struct admission_grant *grant_get(struct admission_subscription *subscription,
                                         const char *identity, enum admission_kind kind)
{
    struct admission_grant *grant;

    list_for_each (link, &subscription->grants) {
        grant = container_of(link, struct admission_grant, link);
        if (grant->kind == kind && str_equal(grant->identity, identity))
            return grant;
    }
    grant = must_alloc(sizeof(*grant));
    grant->identity = must_dup(identity);
    grant->kind = kind;
    gate_init(&grant->gate, kind, subscription->admission->clock());
    list_append(&subscription->grants, &grant->link);
    return grant;
}

/* What a provider grants is not known beforehand: its own bucket begins like that of Resource
 * Manager, which it cannot exceed anyway. */
static struct admission_lane *lane_new(struct admission_subscription *subscription,
                                       struct admission_grant *grant, const char *provider)
{
    struct admission_lane *lane = must_alloc(sizeof(*lane));

    lane->subscription = subscription;
    lane->grant = grant;
    lane->provider = must_dup(provider);
    lane->provider[strcspn(provider, "/")] = '\0';
    for (int pool = 0; pool < ADMISSION_POOL_COUNT; pool++) {
        for (int rank = 0; rank < ADMISSION_RANK_COUNT; rank++)
            list_init(&lane->waiting[pool][rank]);
    }
    gate_init(&lane->own, grant->kind, subscription->admission->clock());
    lane->gates[ADMISSION_OF_MANAGER] = &grant->gate;
    lane->gates[ADMISSION_OF_PROVIDER] = &lane->own;
    grant->lane_count++;
    list_append(&subscription->lanes, &lane->link);
    return lane;
}

static bool is_for(const struct admission_lane *lane, const char *provider)
{
    size_t length = strcspn(provider, "/");

    return strlen(lane->provider) == length && strncasecmp(lane->provider, provider, length) == 0;
}

struct admission_lane *admission_lane_get(struct admission *admission, const char *subscription_id,
                                          const char *identity, const char *provider,
                                          enum admission_kind kind)
{
    struct admission_subscription *subscription = find_subscription(admission, subscription_id);
    struct admission_grant *grant;

    if (!subscription)
        subscription = subscription_new(admission, subscription_id);
    grant = grant_get(subscription, identity, kind);
    list_for_each_entry (lane, &subscription->lanes, struct admission_lane, link) {
        if (lane->grant == grant && is_for(lane, provider))
            return lane;
    }
    return lane_new(subscription, grant, provider);
}

static duration_ms closed_until(const struct admission_gate *gate, duration_ms now)
{
    if (!gate->refused || (gate->bucket.closed_until <= now && !gate->first))
        return 0;
    return gate->bucket.closed_until > now ? gate->bucket.closed_until : now;
}

duration_ms admission_lane_closed_until(const struct admission_lane *lane, duration_ms now)
{
    return time_max(closed_until(&lane->grant->gate, now), closed_until(&lane->own, now));
}

bool admission_is_closed(struct admission *admission, const char *subscription_id,
                         const char *identity, const char *provider, duration_ms *ret_wait,
                         enum admission_scope *ret_scope)
{
    const struct admission_subscription *subscription =
        find_subscription(admission, subscription_id);
    const duration_ms now = admission->clock();
    duration_ms manager_until = 0, provider_until = 0;

    if (!subscription)
        return false;
    list_for_each_entry (grant, &subscription->grants, const struct admission_grant, link) {
        if (grant->kind != ADMISSION_DATA && str_equal(grant->identity, identity))
            manager_until = time_max(manager_until, closed_until(&grant->gate, now));
    }
    list_for_each_entry (lane, &subscription->lanes, const struct admission_lane, link) {
        if (lane->grant->kind != ADMISSION_DATA && str_equal(lane->grant->identity, identity) &&
            is_for(lane, provider ? provider : ""))
            provider_until = time_max(provider_until, closed_until(&lane->own, now));
    }
    *ret_wait = time_max(manager_until, provider_until) - now;
    *ret_scope = provider_until > manager_until ? ADMISSION_OF_PROVIDER : ADMISSION_OF_MANAGER;
    return manager_until != 0 || provider_until != 0;
}

/* --- what is logged about them --- */

enum { SUBJECT_MAX = 512 };

static bool shares(const struct admission_lane *lane, const struct admission_lane *with,
                   enum admission_scope scope)
{
    return lane->gates[scope] == with->gates[scope];
}

static const char *subject_of(const struct admission_lane *lane, enum admission_scope scope,
                              char out[SUBJECT_MAX])
{
    (void)snprintf(out, SUBJECT_MAX, "%s %d %s %s", lane->subscription->id, (int)lane->grant->kind,
                   scope == ADMISSION_OF_PROVIDER ? lane->provider : "", lane->grant->identity);
    return out;
}

void admission_lane_log_refusal(const struct admission_lane *lane, enum admission_scope scope,
                                duration_ms pause)
{
    static const char *const kinds[] = {"reads", "writes", "data plane requests"};
    const struct admission_subscription *subscription = lane->subscription;
    struct admission *admission = subscription->admission;
    bool of_provider = scope == ADMISSION_OF_PROVIDER, used = false;
    char words[DURATION_TEXT_MAX];
    char subject[SUBJECT_MAX];
    struct log_line line;
    size_t waiting = 0;

    list_for_each_entry (other, &subscription->lanes, const struct admission_lane, link) {
        waiting += shares(other, lane, scope) ? other->waiting_count : 0;
        used |= shares(other, lane, scope) && !other->unused;
    }
    if (!used)
        return;
    log_line_start(&line, loop_now(admission->loop), LEVEL_WARNING, "request.throttled",
                   "Azure throttles %s%s%s in subscription %s: none for %s, %zu waiting",
                   kinds[lane->grant->kind], of_provider ? " of " : "",
                   of_provider ? lane->provider : "", subscription->id,
                   duration_to_words(pause, words), waiting);
    log_line_lasts(&line, subject_of(lane, scope, subject));
    log_line_text(&line, "subscription_id", subscription->id);
    log_line_text(&line, "identity", lane->grant->identity);
    if (of_provider)
        log_line_text(&line, "provider", lane->provider);
    log_line_time(&line, "retry_at", time_add(loop_now(admission->loop), pause));
    log_emit(admission->log, &line);
}

static void log_end(const struct admission_lane *lane, enum admission_scope scope, bool quiet)
{
    struct admission *admission = lane->subscription->admission;
    char subject[SUBJECT_MAX];

    log_ended(admission->log, loop_now(admission->loop), "request.throttled",
              subject_of(lane, scope, subject), quiet);
}

void admission_lane_log_answer(const struct admission_lane *lane, enum admission_scope scope)
{
    log_end(lane, scope, false);
}

/* --- those that nobody uses --- */

static void lane_free(struct admission_lane *lane)
{
    struct admission_grant *grant = lane->grant;

    list_remove(&lane->link);
    free(lane->provider);
    free(lane);
    if (--grant->lane_count > 0)
        return;
    list_remove(&grant->link);
    free(grant->identity);
    free(grant);
}

static bool grant_is_used(const struct admission_lane *lane)
{
    list_for_each_entry (other, &lane->subscription->lanes, const struct admission_lane, link) {
        if (other->grant == lane->grant && !other->unused)
            return true;
    }
    return false;
}

/* Ends what was logged about it, and frees it when nobody waits or is inside. */
void admission_lane_retire(struct admission_lane *lane)
{
    if (lane->own.refused)
        log_end(lane, ADMISSION_OF_PROVIDER, true);
    if (lane->grant->gate.refused && !grant_is_used(lane))
        log_end(lane, ADMISSION_OF_MANAGER, true);
    if (lane->waiting_count == 0 && lane->in_flight == 0)
        lane_free(lane);
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
    const struct two_key_resource *type = two_key_resource_find(account->id);

    if (!subscription || !type)
        return;
    list_for_each_entry (lane, &subscription->lanes, struct admission_lane, link) {
        if (str_equal(lane->grant->identity, account->identity->name) && is_for(lane, type->type))
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
    list_for_each (link, &subscription->lanes)
        lane_free(container_of(link, struct admission_lane, link));
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
