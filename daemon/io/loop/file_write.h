/*
 * Replaces a file on a thread, so that a file system that hangs keeps nobody waiting.
 */
#ifndef KEYROTATED_IO_LOOP_FILE_WRITE_H
#define KEYROTATED_IO_LOOP_FILE_WRITE_H

#include <sys/types.h>

#include "base/buf.h"
#include "io/loop/loop.h"
#include "proto/failure.h"

/*
 * Replaces `path` by a file with this text (taken: it is empty afterwards) and mode, as
 * fs_replace() does. done(context, …) is called once, from the loop: with NULL when the file is
 * there, else with why it is not, which may be that the file system did not answer for so long.
 * `reason`: of that failure, where nothing better is known.
 */
typedef void file_write_done(void *context, const struct failure *failure);
void file_write_start(struct loop *loop, const char *path, struct buf *text, mode_t mode,
                      duration_ms patience, enum reason reason, file_write_done *done,
                      void *context);

#endif
