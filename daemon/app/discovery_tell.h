/*
 * What the log says of listings that went wrong. What lasts is told when it begins and when it
 * ends.
 */
#ifndef KEYROTATED_APP_DISCOVERY_TELL_H
#define KEYROTATED_APP_DISCOVERY_TELL_H

#include "base/log.h"
#include "conf/discovery.h"
#include "core/look.h"

struct discovery_teller {
    struct log *log;
    time_ms now;
    const struct discovery_rule *rule;
    const char *socket; /* of the daemon, for remedies */
};

/* A list could not be read to its end. `subscription` NULL: the list of subscriptions. */
void discovery_tell_failed(const struct discovery_teller *teller, const char *subscription,
                           const struct failure *failure);
/* It was read to its end. */
void discovery_tell_listed(const struct discovery_teller *teller, const char *subscription);

/* Resource Graph could not be used. failure NULL: it could. */
void discovery_tell_degraded(const struct discovery_teller *teller, const struct failure *failure);

/* Lists lack so many known accounts, and so many of these were not asked about. */
void discovery_tell_missing(const struct discovery_teller *teller, size_t missing, size_t unasked);

#endif
