/*
 * Places that a change of the configuration leaves behind.
 *
 * When a target gets another path or no more keys, the readers of the old place find a dead key one
 * or two rotations later. So the journal stores a description of every place, and abandoned ones
 * are reported: in the log, in the history, in the answer of the reload, and in `status` until a
 * rotation has completed since.
 */
#ifndef KEYROTATED_APP_ENGINE_PLACE_H
#define KEYROTATED_APP_ENGINE_PLACE_H

#include "app/engine_account.h"
#include "proto/control_protocol.h"

int engine_places_load(struct engine *engine, struct err *err);
void engine_places_done(struct engine *engine);

/* An account that was configured until now gets other destinations: those of `subject`. Before the
 * account takes it over. */
void engine_places_change(struct engine_account *account, const struct account *subject);
/* An account begins: its destinations are held against what the journal knows. */
void engine_places_begin(struct engine_account *account);
/* An account is not configured any more. Its keys stay as they are: nothing is abandoned. */
void engine_places_remove(struct engine_account *account);
/* Hands what changed since the last time to the journal. */
void engine_places_save(struct engine *engine);

/* A rotation has completed. */
void engine_places_rotated(struct engine_account *account);

/* What `engine_places_change` would report; changes nothing. */
void engine_places_preview(const struct engine_account *account, const struct account *subject,
                           struct buf *report);

/* What is abandoned, into `out` (at most `max`), texts borrowed. Returns how many. */
size_t engine_places_abandoned(const struct engine_account *account, struct abandoned_snapshot *out,
                               size_t max);

#endif
