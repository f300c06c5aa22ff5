/*
 * Jobs on files, and what they and other targets need to know of files. Private to io/target/.
 */
#ifndef KEYROTATED_IO_TARGET_FILE_JOB_H
#define KEYROTATED_IO_TARGET_FILE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/fs.h"
#include "conf/target_file.h"
#include "core/look.h"
#include "io/target/target.h"
#include "io/target/target_queue.h"
#include "proto/key_file.h"

/*
 * --- file_job.c ---
 *
 * One operation on a file, with copies of all its data.
 */

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

/*
 * --- file_owner.c ---
 *
 * Owner and group of a key file: the ids of their names, and whether this process may give files to
 * them. All functions may ask a directory service, so do not call them on the loop.
 */

#define FILE_OWNER_ANY ((uid_t)-1)

/* 0, or a positive errno value; the id is FILE_OWNER_ANY or FILE_GROUP_ANY where
 * there is no such name. */
int file_owner_user(const char *name, uid_t *ret_uid);
int file_owner_group(const char *name, gid_t *ret_gid);

/* Fills in mode, owner and group of `ret_form` as configured. Returns false with *failure filled
 * when one of the names is unknown, or a file such as `path` cannot be given to them, or this
 * process could not read it any more afterwards. */
bool file_owner_find(const struct target_file *settings, const char *path, struct fs_form *ret_form,
                     struct failure *failure);

/*
 * --- file_form.c ---
 *
 * The form of an existing key file: its mode, owner and group, compared with the configuration and
 * corrected in place. Content and inode stay, so readers notice nothing.
 */

#define FILE_GROUP_ANY ((gid_t)-1)

/* The form that the configuration asks for. */
struct file_form {
    bool has_mode; /* false: no `mode` is configured, so any is right */
    mode_t mode;
    bool has_owner; /* false: any is right */
    uid_t uid;
    gid_t gid; /* FILE_GROUP_ANY: any is right */
};

/*
 * Checks `path` and, with `set`, corrects it. A missing file, and one that is no regular file,
 * count as right. A file with a second hard link is never changed, because that name may belong to
 * somebody else. May block on the file system, so do not call it on the loop. `out` gets a sentence
 * about the file that begins with "its", or "" for TARGET_FORM_RIGHT; `size` in bytes.
 */
enum target_form file_form_check(const char *path, const struct file_form *wanted, bool set,
                                 char *out, size_t size);

/*
 * --- file_failure.c ---
 *
 * Turns the errors of a file system into a reason, a sentence, and an exact remedy.
 */

/* All overwrite *failure. They may look up users, so do not call them on the loop. */

/* Writing `path` failed with `err`. `group`: the configured one, or NULL. */
void file_failure_write(struct failure *failure, const char *path, const char *group,
                        const struct err *err);

/* Reading it failed. */
void file_failure_read(struct failure *failure, const char *path,
                       const struct target_file *settings, const struct err *err);

/* Everybody may write to its directory, which has no sticky bit. */
void file_failure_open_directory(struct failure *failure, const char *path, const char *directory);

/* The group of a file was not found, or the file cannot be given to it. `saved_errno` 0: no such
 * group exists. */
void file_failure_group(struct failure *failure, const char *path, const char *group,
                        int saved_errno);

/* Likewise the owner of a file. EACCES: the file can be given to him, and the daemon could not read
 * it any more. */
void file_failure_owner(struct failure *failure, const char *path,
                        const struct target_file *settings, int saved_errno);

#endif
