/*
 * Logs when a change freeze begins and ends, be it by time or by a reload, and when a reload
 * changes the policies or the reason of one that is in force.
 */
#ifndef KEYROTATED_APP_FREEZE_WATCH_H
#define KEYROTATED_APP_FREEZE_WATCH_H

#include "base/log.h"
#include "conf/config.h"
#include "io/loop/loop.h"

/* A freeze that is in force, of one or more policies. Texts owned. */
struct freeze_told {
    time_ms from;
    time_ms to;
    char *reason;   /* as configured; NULL: none */
    char *policies; /* "all", or their names */
};

struct freeze_watch {
    struct log *log;
    struct config *config; /* a reference */
    struct timer timer;    /* of the next change */
    struct freeze_told *told;
    size_t told_count;
};

void freeze_watch_init(struct freeze_watch *watch, struct loop *loop, struct log *log);
/* The configuration that is in force from now on: at the start, and after each reload. */
void freeze_watch_set(struct freeze_watch *watch, struct config *config);
/* No further line. The timer closes by itself. */
void freeze_watch_close(struct freeze_watch *watch);

#endif
