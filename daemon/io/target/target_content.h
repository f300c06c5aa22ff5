/*
 * The content of a delivery, copied, because the configuration may be replaced meanwhile.
 */
#ifndef KEYROTATED_IO_TARGET_TARGET_CONTENT_H
#define KEYROTATED_IO_TARGET_TARGET_CONTENT_H

#include "io/target/target.h"
#include "proto/key_file.h"

/* A copy; its texts and the key belong to it. */
struct key_file target_content_copy(const struct delivery *delivery);
/* Frees a copy, or a zeroed one, and wipes it. */
void target_content_done(struct key_file *content);

/* Is there no endpoint yet, although resources of that type have one? */
bool target_lacks_endpoint(const struct delivery *delivery);

#endif
