/*
 * An identity with texts of its own, for work that outlives the configuration.
 */
#ifndef KEYROTATED_IO_ACCESS_IDENTITY_COPY_H
#define KEYROTATED_IO_ACCESS_IDENTITY_COPY_H

#include "conf/config.h"

struct identity identity_copy(const struct identity *identity);
/* Frees the texts; a zeroed copy is fine. */
void identity_copy_done(struct identity *copy);

#endif
