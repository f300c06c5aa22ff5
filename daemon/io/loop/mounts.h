/*
 * The mounted file systems, by what the kernel says of them: which one does a path belong to? The
 * path itself is left alone, because a dead file system answers nothing.
 *
 * Source: proc(5), /proc/PID/mountinfo.
 */
#ifndef KEYROTATED_IO_LOOP_MOUNTS_H
#define KEYROTATED_IO_LOOP_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

struct mount {
    char *point;    /* "/srv/keys" */
    char *device;   /* "0:42": mounts of one file system have the same */
    char *type;     /* "nfs4" */
    unsigned order; /* of being mounted */
};

struct mounts {
    struct mount *items; /* by point; where several lie over each other, the one that is seen */
    size_t count;
    int file; /* -1: not open */
};

/* Empty. */
void mounts_init(struct mounts *mounts);
void mounts_done(struct mounts *mounts);

/* Replaces the content by that of `text`, the lines of a mountinfo file. Other lines are skipped.
 * Ends the process when memory runs out. */
void mounts_parse(struct mounts *mounts, const char *text, size_t length);

/* Reads the process's own mounts where they have changed since the last call. The kernel answers
 * this from memory. Without /proc there are none. */
void mounts_refresh(struct mounts *mounts);

/* The mount below which the absolute path lies, by its text: a symbolic link counts where it
 * stands. NULL where none is known. Valid until the next change. */
const struct mount *mounts_find(const struct mounts *mounts, const char *path);

#endif
