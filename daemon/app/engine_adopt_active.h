/*
 * Warns about a changed `adopt_active` that has no effect. It is used only while an account is
 * adopted. A later edit is probably meant to correct which key is in use, which needs a command.
 */
#ifndef KEYROTATED_APP_ENGINE_ADOPT_ACTIVE_H
#define KEYROTATED_APP_ENGINE_ADOPT_ACTIVE_H

#include "app/engine_account.h"

/* Appends the warning that the change from `account` to `subject` would cause, if any. Changes
 * nothing. */
void engine_adopt_active_preview(const struct engine_account *account,
                                 const struct account *subject, struct buf *report);

/* An adopted account is about to be configured as `subject`: warned about in the log, and in the
 * answer of the reload (engine->place_report). */
void engine_adopt_active_changed(struct engine_account *account, const struct account *subject);

/* An account of the journal begins. What stood in the configuration when it was adopted is not
 * known; before its first rotation, another slot than the active one is what was edited. */
void engine_adopt_active_begins(struct engine_account *account);

#endif
