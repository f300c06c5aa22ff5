/*
 * The files that a job on the loop needs: secrets, certificates, a kubeconfig. A file system can
 * keep a reader waiting for ever, so each file is read on a thread; the job goes on when all have
 * been read, or is given up meanwhile.
 *
 *   target_reading_new() ---> target_reading_add(), for each file
 *   target_reading_start() ---> done(context), from the loop
 *   target_reading_secret(), target_reading_bytes(): what was read
 *
 * A thread that hangs is left behind with the data that it works on. A job of requests uses
 * target_http_read(), which also gives up the reading together with the job.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_READING_H
#define KEYROTATED_IO_TARGET_TARGET_READING_H

#include "base/buf.h"
#include "base/secret.h"
#include "io/access/secret_file.h"
#include "io/target/target.h"

enum { TARGET_READING_MAX = 4 }; /* files */

struct target_reading;

/* `world` has the directory of relative paths, and outlives the reading. */
struct target_reading *target_reading_new(struct target_world *world);

/* One more file, of at most `maximum` bytes; before the start. `file` is copied, except for its
 * key. Returns its number, which counts from 0. A path that leads nowhere shows when the file is
 * taken. */
size_t target_reading_add(struct target_reading *reading, const struct secret_file *file,
                          size_t maximum);

/* Reads all files; then done(context) from the loop, once. */
void target_reading_start(struct target_reading *reading, void (*done)(void *context),
                          void *context);

/* Gives the reading up, at any time, and wipes what was read. done() is no longer called. NULL is
 * fine. */
void target_reading_free(struct target_reading *reading);

/* The secret in file number `i`. NULL, with *failure filled, where there is none. */
struct secret *target_reading_secret(const struct target_reading *reading, size_t i,
                                     struct failure *failure);

/* All of file number `i`, borrowed. NULL, with *failure filled, where it could not be read:
 * `remedy` is what to do, unless the error says more. */
const struct buf *target_reading_bytes(const struct target_reading *reading, size_t i,
                                       const char *remedy, struct failure *failure);

/* Appends the PEM text of certificate authorities in file number `i` to `out`. False, with *failure
 * filled, where there is none. */
bool target_reading_authorities(const struct target_reading *reading, size_t i, const char *remedy,
                                struct buf *out, struct failure *failure);

/* The full path of file number `i`, borrowed; what stands in the configuration where there is
 * none. */
const char *target_reading_path(const struct target_reading *reading, size_t i);

/* "reading ca_file /srv/ca.pem has not returned within 1m: …", and what to do: for the file that
 * has kept the job waiting for so long. */
void target_reading_explain(const struct target_reading *reading, duration_ms patience,
                            struct failure *failure);

#endif
