/*
 * Operations that may hang, even for ever: each is abandoned after a time.
 *
 *   waiting ---> running ---> done: reported, freed
 *      |             |
 *      |             +--- time is up: reported as failed (nobody may know the outcome of a
 *      |                  delivery); the job lives on until it ends, and keeps its place meanwhile
 *      +--- time is up: reported as failed, freed; nothing was done
 *
 * Whoever needs a job no more lets its time be up at once (target_give_up()).
 *
 * A job of files runs on a thread, because a file system can block it. All others run on the loop:
 * requests, programs, sockets. These can be ended, so their time counts from their start.
 *
 * One job at a time works on a place, in the order of the calls: a delivery that hung and continues
 * must not undo a later one. Only a few jobs run in one lane, which groups what hangs as a whole: a
 * directory, a server, all programs. So a server is not flooded. Where some of a lane may hang
 * while others work, as programs do, those that are slow make room. That a dead file system, with
 * any number of directories, does not occupy every thread is the matter of io/loop/work.h.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_QUEUE_H
#define KEYROTATED_IO_TARGET_TARGET_QUEUE_H

#include "io/loop/work.h"
#include "io/target/target_reading.h"
#include "io/target/target_type.h"
#include "proto/key_text.h"

enum {
    TARGET_JOBS_PER_LANE = 2,   /* on threads */
    TARGET_CALLS_PER_LANE = 16, /* on the loop */
    TARGET_SLOW_PER_LANE = 8    /* on the loop, besides: that have given up their turn */
};

/* A job on the loop waits for its turn in its lane at most for so long. A read may take
 * TARGET_TIMEOUT at most from the call to its result, and waits for half of that. */
#define TARGET_TURN_WAIT (5 * MS_MINUTE)

/* The result of the job. */
struct target_outcome {
    bool failed;
    struct failure failure;
    bool changed;          /* deliver */
    enum target_form form; /* read */
    char form_text[TARGET_FORM_TEXT_MAX];
    char form_remedy[TARGET_FORM_REMEDY_MAX];
    enum sighting_kind kind; /* read */
    struct key_text found;   /* read */
    char *output;            /* deliver: freed by the queue */
};

enum target_end {
    TARGET_END_CANCELED,  /* the daemon stops */
    TARGET_END_HANGS,     /* it was begun, and has not ended in time */
    TARGET_END_NOT_TRIED, /* earlier ones hang */
    TARGET_END_GIVEN_UP   /* target_give_up(); the queue adds why */
};

/* How a type speaks of an operation that was given up. All borrowed. */
struct target_words {
    const char *type;    /* "key_vault"; NULL: the place says enough */
    const char *place;   /* for people */
    const char *hangs;   /* "did not answer" (within 1m) */
    const char *earlier; /* (because for 1m) "earlier requests to this vault have been hanging" */
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
    struct deferred ending; /* of a job on the loop */
    bool running;           /* handed to the thread pool, or begun on the loop; not ended yet */
    bool ended;             /* on the loop: the result is about to be reported */
    bool reported;
    const char *given_up; /* why; NULL: it is not given up before its time */
    bool left_behind; /* on the loop: it counts no more among those that run in the lane, for its
                       * turn is over, or its time is up and a step of it hangs on its thread */
    bool is_slow;     /* its turn is over */
    bool gave_turn;   /* and it made room for another */
    duration_ms queued_at; /* by time_boot() */
    duration_ms waited;    /* on the loop: for its turn */

    enum target_action action;
    struct target_id target;
    char *place;         /* what is written: one job at a time works on it */
    size_t lane_length;  /* length of the prefix of `place` that names the lane */
    unsigned lane_width; /* jobs that run in the lane at the same time; 0: one of the defaults */
    duration_ms turn;    /* on the loop: one that takes longer makes room for another, but for
                          * TARGET_SLOW_PER_LANE; 0: it never does */
    duration_ms timeout; /* 0: the world's */
    bool may_have_acted; /* on the loop: a request that changes the target has been sent, so the
                          * outcome of a job that is given up is unknown. (On a thread: always) */

    /* On a thread: fills `outcome`. NULL for a job on the loop, which has the other two. */
    void (*run)(struct target_job *job);
    /* On the loop: starts the work, whose end calls target_job_end(), also from inside. */
    void (*begin)(struct target_job *job);
    /* On the loop: its time is up, or the daemon stops, and the result has been reported. Ends the
     * work by all means, as soon as possible; target_job_end() follows, also from inside. */
    void (*abort)(struct target_job *job);

    /* On the loop: the files that it waits for, borrowed; NULL: none. They are named when its time
     * is up. */
    const struct target_reading *reading;

    /* A step of a job on the loop, see target_job_step(). */
    void (*step)(struct target_job *job);
    void (*stepped)(struct target_job *job);
    bool stepping;

    /* Sets text and remedy of an operation that was abandoned after `timeout`: target_explain()
     * has the usual texts. */
    void (*explain)(const struct target_job *job, enum target_end end, const char *timeout,
                    struct failure *failure);
    void (*free)(struct target_job *job);

    /* Belongs to the thread until it is done. When `failed` is set before the start, run() or
     * begin() is skipped. */
    struct target_outcome outcome;
    bool ran;
};

/* Takes ownership of the job. The caller has set all members except those that come from `request`
 * or belong to the queue. Ends in one done(context, result) from the loop. */
void target_queue_start(struct target_world *world, struct target_job *job,
                        const struct target_request *request);

/*
 * The server asks for a pause: for so long (0: TARGET_PAUSE_UNKNOWN; at most TARGET_PAUSE_MAX,
 * after which the next job tries it) no further job starts in the job's lane. They wait for their
 * turn meanwhile, instead of being refused one after the other. The last pause that is asked for
 * replaces an earlier one.
 */
#define TARGET_PAUSE_MAX     MS_MINUTE
#define TARGET_PAUSE_UNKNOWN (2 * MS_SECOND)
void target_job_pause_lane(struct target_job *job, duration_ms pause);

/*
 * A job on the loop has work that may block, at the absolute path: step() runs on a thread of
 * io/loop/work.h, and then stepped() from the loop. A job that was given up has stepped() too,
 * after abort(): at once where no thread has begun the step, else when the step returns. Where too
 * much hangs for another step, the job ends as failed, and neither is called. One step of a job at
 * a time.
 */
void target_job_step(struct target_job *job, const char *path, void (*step)(struct target_job *job),
                     void (*stepped)(struct target_job *job));

/* The work of a job on the loop has ended, and `outcome` is filled. The result is reported from the
 * loop, unless the job was given up before. Exactly once for each begin(). */
void target_job_end(struct target_job *job);

/* The same, with `outcome.failure` as the result. */
void target_job_fail(struct target_job *job);

/* "TYPE PLACE: HANGS within TIMEOUT" and its like: the text of a job that was given up. */
void target_explain(const struct target_words *words, enum target_end end, const char *timeout,
                    struct failure *failure);

/* Read: notes what stands in the target, as keys of that shape, foreign text, or nothing. */
void target_note_text(struct target_outcome *outcome, const struct key_shape *shape,
                      const char *text, size_t length);

/* Ends all pauses. Nothing may be under way. Timers close from the loop. */
void target_queue_done(struct target_queue *queue);

#endif
