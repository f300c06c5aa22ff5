/*
 * One operation on a file target: run on a thread, because a file system may hang, and given up
 * after a time, because it may hang for ever.
 *
 *   waiting ---> on a thread ---> done: reported, freed
 *      |             |
 *      |             +--- time is up: reported as failed (of a delivery nobody knows the outcome);
 *      |                  the job lives on until its thread returns, and keeps its file meanwhile
 *      +--- time is up: reported as failed, freed; nothing was done
 *
 * One job at a time works on a file, in the order they were asked for: a delivery that hung and
 * comes to life again must not undo a later one. And only a few work in one directory, so that a
 * network file system that hangs does not take every thread there is.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_QUEUE_H
#define KEYROTATED_IO_TARGET_TARGET_QUEUE_H

#include "io/target/target.h"
#include "io/target/target_type.h"
#include "proto/key_file.h"
#include "proto/key_text.h"

enum { FILE_JOBS_PER_DIRECTORY = 2 };

/* What the thread found out. */
struct file_outcome {
    bool failed;
    struct failure failure;
    bool changed;          /* deliver */
    enum target_form form; /* read */
    char form_text[TARGET_FORM_TEXT_MAX];
    enum sighting_kind kind; /* read */
    struct key_text found;   /* read */
};

struct file_job {
    struct work work;
    struct timer deadline;
    struct list link; /* in world->waiting or world->running */
    struct target_world *world;
    target_done *done;
    void *context;
    bool on_thread; /* handed to the pool of threads and not back yet */
    bool reported;

    /* Copies of all it needs; not changed once it is started. */
    enum target_action action;
    struct target_id target;
    char *path;
    mode_t mode;
    bool has_mode; /* it is configured */
    char *group;   /* NULL: the daemon's own */
    enum file_format format;
    struct key_file content; /* deliver; its texts and the key belong to the job */

    /* The thread's own until it is done. */
    void (*run)(struct file_job *job);
    bool ran;
    struct file_outcome outcome;
};

/* A job that can be started, or NULL when memory is out. run() is called on the thread and fills
 * job->outcome, unless it says `failed` from the beginning. */
struct file_job *file_job_new(struct target_world *world, const struct destination *destination,
                              const char *location, enum target_action action,
                              const struct delivery *delivery, void (*run)(struct file_job *));

/* Takes the job over. Ends in one done(context, result) from the loop. */
void file_job_start(struct file_job *job, target_done *done, void *context);

#endif
