/*
 * The daemon's side of the socket: one task for each program.
 */
#ifndef KEYROTATED_IO_SPAWNER_SPAWNER_LINK_H
#define KEYROTATED_IO_SPAWNER_SPAWNER_LINK_H

#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "io/spawner/spawner_wire.h"

struct spawner_task {
    struct list link; /* in spawner->waiting or spawner->running; alone once it has ended */
    uint64_t id;
    struct buf message;                   /* until it is sent */
    int descriptors[SPAWNER_DESCRIPTORS]; /* likewise; closed as soon as they are sent */
    uint64_t program;                     /* a hash of its path */
    bool uses_reserve;
    bool sent;
    bool kill_owed;                             /* the socket was full */
    void (*started)(struct spawner_task *task); /* it has been sent */
    void (*ended)(struct spawner_task *task, enum program_end end, int code);
};

/*
 * Sends the order as soon as the socket and the number of programs allow it. ended(task) is called
 * once, possibly from inside this call. The caller has set `descriptors`, of which the spawner
 * takes ownership, `uses_reserve`, `started` and `ended`.
 */
void spawner_submit(struct spawner *spawner, struct spawner_task *task,
                    const char *const *arguments, const char *const *environment);

/* Ends the program; ended(task) follows, also from inside this call. No effect once it has ended.
 */
void spawner_end(struct spawner *spawner, struct spawner_task *task);

#endif
