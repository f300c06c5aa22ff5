/*
 * Operations that may hang, even for ever: each runs on a thread, and is abandoned after a time.
 *
 *   waiting ---> on a thread ---> done: reported, freed
 *      |             |
 *      |             +--- time is up: reported as failed (of a delivery nobody knows the outcome);
 *      |                  the job lives on until its thread returns, and keeps its place meanwhile
 *      +--- time is up: reported as failed, freed; nothing was done
 *
 * One job at a time works on a place, in the order of the calls: a delivery that hung and continues
 * must not undo a later one. Only a few jobs run in one lane, which groups what hangs as a whole,
 * so that a network file system does not occupy every thread.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_QUEUE_H
#define KEYROTATED_IO_TARGET_TARGET_QUEUE_H

#include "io/target/target_type.h"
#include "proto/key_text.h"

enum { TARGET_JOBS_PER_LANE = 2 };

/* The result of the thread. */
struct target_outcome {
    bool failed;
    struct failure failure;
    bool changed;          /* deliver */
    enum target_form form; /* read */
    char form_text[TARGET_FORM_TEXT_MAX];
    enum sighting_kind kind; /* read */
    struct key_text found;   /* read */
};

enum target_end {
    TARGET_END_CANCELED, /* the daemon stops */
    TARGET_END_HANGS,    /* a thread still works on the job and owns its outcome */
    TARGET_END_NOT_TRIED /* earlier ones hang */
};

/* The first member of a type's own job, which holds copies of its other data. */
struct target_job {
    struct work work;
    struct timer deadline;
    struct list link; /* in lane->waiting or lane->running */
    struct target_lane *lane;
    struct target_world *world;
    target_done *done;
    void *context;
    bool on_thread; /* handed to the thread pool and not returned yet */
    bool reported;

    enum target_action action;
    struct target_id target;
    char *place;
    size_t lane_length; /* length of the prefix of `place` that names the lane */

    /* On the thread. Fills `outcome`. */
    void (*run)(struct target_job *job);
    /* Sets text and remedy of an operation that was abandoned after `timeout`. */
    void (*explain)(const struct target_job *job, enum target_end end, const char *timeout,
                    struct failure *failure);
    void (*free)(struct target_job *job);

    /* Belongs to the thread until it is done. When `failed` is set before the start, run() is
     * skipped. */
    struct target_outcome outcome;
    bool ran;
};

/* Takes ownership of the job. The caller has set all members except those that come from `request`
 * or belong to the queue. Ends in one done(context, result) from the loop. */
void target_queue_start(struct target_world *world, struct target_job *job,
                        const struct target_request *request);

#endif
