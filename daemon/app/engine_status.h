/*
 * The answer to a question about accounts.
 */
#ifndef KEYROTATED_APP_ENGINE_STATUS_H
#define KEYROTATED_APP_ENGINE_STATUS_H

#include "io/server/control.h"

struct engine;

/* The status document about the accounts of `query`, as an answer to a question (see
 * proto/control_protocol.h). `daemon` is filled in here but for what only the daemon knows. */
int engine_status(struct engine *engine, const struct control_query *query, bool unwell_alone,
                  struct daemon_snapshot *daemon, struct buf *out, struct err *err);

#endif
