/*
 * An `adopt_active` that changes nothing any more.
 *
 * It is consulted while an account is adopted. Who edits it later means to correct which key is in
 * use, and has to be told that a command does that.
 */
#ifndef KEYROTATED_APP_ENGINE_ADOPT_ACTIVE_H
#define KEYROTATED_APP_ENGINE_ADOPT_ACTIVE_H

#include "app/engine_account.h"

/* Would an account that is configured as `account` says be told so, once it is configured as
 * `subject`? Then a line is appended. Changes nothing. */
void engine_adopt_active_preview(const struct engine_account *account,
                                 const struct account *subject, struct buf *report);

/* An adopted account is about to be configured as `subject`: warned about in the log, and in the
 * answer of the reload (engine->place_report). */
void engine_adopt_active_changed(struct engine_account *account, const struct account *subject);

/* An account of the journal begins. What stood in the configuration when it was adopted is not
 * known; before its first rotation, another slot than the active one is what was edited. */
void engine_adopt_active_begins(struct engine_account *account);

#endif
