/*
 * One operation on a file, with copies of all its data.
 */
#ifndef KEYROTATED_IO_TARGET_FILE_JOB_H
#define KEYROTATED_IO_TARGET_FILE_JOB_H

#include "conf/target_file.h"
#include "io/target/target_queue.h"
#include "proto/key_file.h"

struct file_job {
    struct target_job base;      /* its place is the path, its lane the directory */
    struct target_file settings; /* its texts belong to the job */
    const struct key_shape *key_shape;
    struct key_file content; /* deliver; its texts and the key belong to the job */
};

static inline struct file_job *file_job_of(struct target_job *base)
{
    return container_of(base, struct file_job, base);
}

/* For target_queue_start(). run() is called on the thread. */
struct file_job *file_job_new(const struct target_request *request,
                              void (*run)(struct target_job *));

#endif
