/*
 * Who is told of troubles: the items of `notify`.
 */
#ifndef KEYROTATED_CONF_NOTIFIER_H
#define KEYROTATED_CONF_NOTIFIER_H

#include "conf/config.h"

/* Bits of `events`. */
enum notify_event {
    NOTIFY_BLOCKED = 1 << 0,
    NOTIFY_OVERDUE = 1 << 1,
    NOTIFY_AT_RISK = 1 << 2,
    NOTIFY_RECOVERED = 1 << 3, /* of one of the three before */
    NOTIFY_UPCOMING = 1 << 4,
    NOTIFY_COMPLETED = 1 << 5
};

enum { NOTIFIERS_MAX = 8 };

struct notifier {
    unsigned events;
    duration_ms ahead;              /* of a rotation that is planned: NOTIFY_UPCOMING */
    struct destination destination; /* of type exec, socket or webhook; named as its target */
};

#endif
