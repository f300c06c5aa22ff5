/*
 * The interlock: every path to a regenerate asks here, and nowhere else.
 */
#ifndef KEYROTATED_CORE_INTERLOCK_H
#define KEYROTATED_CORE_INTERLOCK_H

#include "core/event.h"

/* May the standby slot be regenerated now? The one function that decides it. */
struct interlock {
    bool open;
    enum reason reason; /* why not, where there is a word for it */
    time_ms until;      /* when it would be, if nothing else happens; TIME_NEVER: unknown */
    const char *text;   /* why not, in words: a static sentence */
};
void interlock_ask(const struct rotation_context *context, const struct record *record, time_ms now,
                   struct interlock *interlock);

#endif
