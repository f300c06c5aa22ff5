/*
 * Operations that may hang, for ever even: each runs on a thread, and is given up after a time.
 *
 *   waiting ---> on a thread ---> done: reported, freed
 *      |             |
 *      |             +--- time is up: reported as failed (of a delivery nobody knows the outcome);
 *      |                  the job lives on until its thread returns, and keeps its place meanwhile
 *      +--- time is up: reported as failed, freed; nothing was done
 *
 * One job at a time works on a place, in the order they were asked for: a delivery that hung and
 * comes to life again must not undo a later one. And only a few work in one lane, that is, on what
 * hangs as a whole, so that a network file system does not take every thread there is.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_QUEUE_H
#define KEYROTATED_IO_TARGET_TARGET_QUEUE_H

#include "io/target/target_type.h"
#include "proto/key_text.h"

enum { TARGET_JOBS_PER_LANE = 2 };

/* What the thread found out. */
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
    TARGET_END_HANGS,    /* a thread works on it, and what it writes belongs to it alone */
    TARGET_END_NOT_TRIED /* earlier ones hang */
};

/* The first member of a type's own job, which has copies of all that it needs besides. */
struct target_job {
    struct work work;
    struct timer deadline;
    struct list link; /* in lane->waiting or lane->running */
    struct target_lane *lane;
    struct target_world *world;
    target_done *done;
    void *context;
    bool on_thread; /* handed to the pool of threads and not back yet */
    bool reported;

    enum target_action action;
    struct target_id target;
    char *place;
    size_t lane_length; /* how many bytes of `place` name what hangs as a whole */

    /* On the thread. Fills `outcome`. */
    void (*run)(struct target_job *job);
    /* Text and remedy of an operation that has been given up after `timeout`, in words. */
    void (*explain)(const struct target_job *job, enum target_end end, const char *timeout,
                    struct failure *failure);
    void (*free)(struct target_job *job);

    /* The thread's own until it is done; `failed` from the beginning: run() is left out. */
    struct target_outcome outcome;
    bool ran;
};

/* Takes the job over: all but what is filled in from `request` and by the queue has been set. Ends
 * in one done(context, result) from the loop. */
void target_queue_start(struct target_world *world, struct target_job *job,
                        const struct target_request *request);

#endif
