/*
 * One line of the kernel's table of mounts, and which kinds of file systems can hang.
 *
 * Source: proc(5), /proc/PID/mountinfo.
 */
#ifndef KEYROTATED_BASE_MOUNT_LINE_H
#define KEYROTATED_BASE_MOUNT_LINE_H

#include <stdbool.h>

/* All borrowed from the line. */
struct mount_line {
    const char *point;  /* "/srv/keys" */
    const char *device; /* "0:42": mounts of one file system have the same */
    const char *type;   /* "nfs4" */
};

/* Takes the line, without its end, apart, and changes it. False: it is no such line. */
bool mount_line_parse(char *line, struct mount_line *ret_line);

/* Does whoever touches a path on this type of file system wait for somebody else: a server, or a
 * program? True for types that are not known to be the kernel's own affair. */
bool mount_type_may_hang(const char *type);

/* The same for the file system of an absolute path, by the process's own table, which the kernel
 * answers from memory; the path itself is left alone. False where the table cannot be read. */
bool mount_path_may_hang(const char *path);

#endif
