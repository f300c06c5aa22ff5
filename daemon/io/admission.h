/*
 * Who may send a request now.
 *
 * Azure Resource Manager grants every subscription and principal so many reads and writes, refilled
 * steadily ("Understand how Azure Resource Manager throttles requests"); POST actions count as
 * writes. Requests queue here, in lanes of subscription, identity and kind, until their lane's
 * bucket has a token and the limits on requests in flight leave room. Subscriptions take turns, and
 * so do the lanes of one, so that a large subscription does not keep the others waiting. Within a
 * lane, urgent requests go first: a regenerate follows a look that grows old while it waits.
 */
#ifndef KEYROTATED_IO_ADMISSION_H
#define KEYROTATED_IO_ADMISSION_H

#include <stdint.h>

#include "base/list.h"
#include "base/log.h"
#include "base/time.h"
#include "io/loop.h"

enum admission_kind {
    ADMISSION_READ,  /* GET of Resource Manager */
    ADMISSION_WRITE, /* POST of Resource Manager */
    ADMISSION_DATA   /* a service's data plane: no bucket, only the limits in flight */
};

struct admission;
struct admission_lane;

/* One request's place, embedded in whatever makes the request. */
struct admission_request {
    struct list link;
    struct admission_lane *lane;
    enum { ADMISSION_OUTSIDE, ADMISSION_WAITING, ADMISSION_INSIDE } state;
    void (*admitted)(struct admission_request *request);
    bool urgent; /* set before admission_enter() */
};

/* `clock` is monotonic: time_boot() but in tests. NULL when memory is out. */
struct admission *admission_new(struct loop *loop, struct log *log, duration_ms (*clock)(void));

/* Requests in flight at once, in all and per subscription; both at least 1. */
void admission_set_limits(struct admission *admission, unsigned in_all, unsigned per_subscription);

/* Nobody may be waiting or inside. Frees everything, then closed(context) from the loop. */
void admission_close(struct admission *admission, void (*closed)(void *context), void *context);

/* admitted() is called once per admission_enter(), from the loop, unless admission_leave() comes
 * first. */
void admission_request_init(struct admission_request *request,
                            void (*admitted)(struct admission_request *request));

/* 0, or -ENOMEM (admitted() is not called then). Both names are copied; any case. */
int admission_enter(struct admission *admission, struct admission_request *request,
                    const char *subscription_id, const char *identity, enum admission_kind kind);

/* Gives up waiting, or the place inside. Harmless outside. */
void admission_leave(struct admission_request *request);

/* What the server's answer said, while the request is inside: so many are left (negative: it did
 * not say); it refused and wants a pause (0: it did not say how long). */
void admission_server_remaining(struct admission_request *request, int64_t remaining);
void admission_server_refused(struct admission_request *request, duration_ms pause);

#endif
