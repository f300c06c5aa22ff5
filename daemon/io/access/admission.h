/*
 * Who may send a request now.
 *
 * Azure Resource Manager grants every subscription and principal so many reads and writes, refilled
 * steadily ("Understand how Azure Resource Manager throttles requests"); POST actions count as
 * writes. What it lets pass goes to a resource provider (Microsoft.Storage), which may grant less.
 * Requests queue here, in lanes of subscription, identity, kind and provider, until the buckets of
 * both have a token and the limits on requests in flight leave room. Subscriptions take turns, and
 * so do the lanes of one, so that a large subscription does not keep the others waiting. Ranks go
 * before turns: what serves a repair is admitted before everything else, and a regenerate before
 * what is left, because it follows a look that grows old while it waits. Where higher ranks of a
 * subscription want all that there is, one request in eight is of each lower rank nevertheless.
 *
 * Lanes are closed only where Azure says that the subscription is meant: all of that identity and
 * kind where Resource Manager refuses, those of one provider where its own limit is used up; and
 * for a minute at most. After that one request goes first; the others follow when Azure has
 * answered it.
 *
 * Servers that are silent hold no place of those that answer. There are two pools of places: prompt
 * and slow, the slow one half as large, in all and in each subscription. A request that has had no
 * answer for ADMISSION_PATIENCE moves to the slow pool; where that is full and others wait for the
 * place, its owner is asked to take it back, so that it waits for a slow place. Whoever was silent
 * last starts in the slow pool until it has answered again.
 */
#ifndef KEYROTATED_IO_ACCESS_ADMISSION_H
#define KEYROTATED_IO_ACCESS_ADMISSION_H

#include <stdint.h>

#include "base/list.h"
#include "base/log.h"
#include "base/time.h"
#include "conf/config.h"
#include "io/loop/loop.h"

enum admission_kind {
    ADMISSION_READ,  /* GET of Resource Manager */
    ADMISSION_WRITE, /* POST of Resource Manager */
    ADMISSION_DATA   /* a service's data plane: no bucket, only the limits in flight */
};

enum admission_rank {
    ADMISSION_FIRST, /* serves a repair: consumers hold a dead key, or may */
    ADMISSION_SOON,  /* follows something that grows old */
    ADMISSION_IN_TURN,
    ADMISSION_RANK_COUNT
};

enum admission_pool { ADMISSION_PROMPT, ADMISSION_SLOW, ADMISSION_POOL_COUNT };

/* A request without an answer for longer than this counts as slow. */
#define ADMISSION_PATIENCE (5 * MS_SECOND)

/* Whose limit is spoken of. */
enum admission_scope {
    ADMISSION_OF_MANAGER,  /* Resource Manager's for a subscription, whatever the provider */
    ADMISSION_OF_PROVIDER, /* that of one provider in a subscription */
    ADMISSION_SCOPE_COUNT
};

struct admission;
struct admission_lane;

/* A server: an account at Resource Manager, or its data plane. Zeroed at first; it must outlive its
 * requests. */
struct admission_server {
    bool silent; /* its last request had no answer for ADMISSION_PATIENCE */
};

/* The place of one request, embedded in its owner. */
struct admission_request {
    struct list link;
    struct admission_lane *lane;
    enum { ADMISSION_OUTSIDE, ADMISSION_WAITING, ADMISSION_INSIDE } state;
    enum admission_pool pool;
    duration_ms admitted_at;
    bool asked_back;
    void (*admitted)(struct admission_request *request);
    /* Set before admission_enter(). */
    struct admission_server *server;
    enum admission_rank rank; /* ADMISSION_IN_TURN at first */
    /* Whom the request is for: "Microsoft.Storage", or text in which a '/' follows that; copied by
     * admission_enter(). NULL: no provider. */
    const char *provider;
    /* From the loop, at most once for each time it is admitted: the request is to be canceled and
     * to enter again. It stays inside until it leaves. NULL: this request cannot be sent twice. */
    void (*take_back)(struct admission_request *request);
};

/* `clock` is monotonic: time_boot() but in tests. */
struct admission *admission_new(struct loop *loop, struct log *log, duration_ms (*clock)(void));

/* Requests in flight at once, in all and per subscription; both at least 1. In addition, half as
 * many of each may be slow. */
void admission_set_limits(struct admission *admission, unsigned in_all, unsigned per_subscription);

/* After a reload: frees lanes that no account uses any more, and ends what was logged about
 * them. */
void admission_keep_used(struct admission *admission, const struct config *config);

/* No request may be waiting or inside. Frees everything, then calls closed(context) from the
 * loop. */
void admission_close(struct admission *admission, void (*closed)(void *context), void *context);

/* admitted() is called once per admission_enter(), from the loop, unless admission_leave() comes
 * first. */
void admission_request_init(struct admission_request *request,
                            void (*admitted)(struct admission_request *request));

/* Both names are copied; any case. */
void admission_enter(struct admission *admission, struct admission_request *request,
                     const char *subscription_id, const char *identity, enum admission_kind kind);

/* Leaves the queue or the place. Without effect when the request has neither. */
void admission_leave(struct admission_request *request);

/* The server has answered the request, in any way. */
void admission_answered(struct admission_request *request);

/* What the server's answer said, while the request is inside: so many are left of that limit
 * (negative: it did not say). A request that went first after a pause opens the lanes by that. */
void admission_server_remaining(struct admission_request *request, enum admission_scope scope,
                                int64_t remaining);
/* The server refused it, and meant all such requests to the subscription: the lanes that share the
 * limit are closed for `pause` (0: it did not say how long), at most ADMISSION_PAUSE_MAX. Not to be
 * called for a refusal of a single resource, which does not affect others. */
#define ADMISSION_PAUSE_MAX MS_MINUTE
void admission_server_refused(struct admission_request *request, enum admission_scope scope,
                              duration_ms pause);

/* Would a request to Resource Manager for that provider that enters now wait because the server
 * closed its lane? Then *ret_wait is as below, and *ret_scope says whose limit keeps it for so
 * long.
 */
bool admission_is_closed(struct admission *admission, const char *subscription_id,
                         const char *identity, const char *provider, duration_ms *ret_wait,
                         enum admission_scope *ret_scope);

/* Does it wait because the server closed its lane? Then *ret_wait is how long the lane stays closed
 * (0: the request that goes first is being answered). */
bool admission_waits_for_server(const struct admission_request *request, duration_ms *ret_wait);

#endif
