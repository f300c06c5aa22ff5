/*
 * Holds: put on, ended by an operator, ended by time.
 *
 * A hold binds from the moment of the command until its end is durable, so that neither an answer
 * nor a rotation is ahead of the journal.
 */
#ifndef KEYROTATED_APP_ENGINE_HOLD_H
#define KEYROTATED_APP_ENGINE_HOLD_H

#include "app/engine_account.h"
#include "io/server/control.h"

int engine_hold_load(struct engine *engine, struct err *err);
/* Forgets, in memory and on disk, the holds that have ended by time. */
void engine_hold_expire(struct engine *engine);
/* What ends these holds, in words; {account} stands for the account. */
void engine_hold_remedy(const struct hold *const *holds, size_t count, char *out, size_t size);
/* Borrows from the engine and from `hold`. */
void engine_hold_snapshot(const struct engine *engine, const struct hold *hold,
                          struct hold_snapshot *snapshot);
/* The document of all holds, as far as they have not ended by time. Returns out->failed. */
int engine_hold_write(struct engine *engine, struct buf *out);
/* CONTROL_HOLD and CONTROL_RESUME; `account`: whom the command names, NULL: all, or a hold's id. */
void engine_hold_command(struct engine *engine, const struct control_command *command,
                         const struct engine_account *account, struct control_request *request);

#endif
