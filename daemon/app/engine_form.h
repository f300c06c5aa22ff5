/*
 * Mode and group of key files: when they are set right, and when they are left to whoever changes
 * them.
 *
 * A read sets them right twice within a day. The third time somebody insists, so it is reported
 * once and left, until a day has passed or the file is right again. The count lives in memory: a
 * restart begins anew.
 */
#ifndef KEYROTATED_APP_ENGINE_FORM_H
#define KEYROTATED_APP_ENGINE_FORM_H

#include "app/engine_account.h"

/* Shall the next read of that destination set mode and group right? Only of an adopted account
 * whose drift is repaired by the daemon (on_drift: redeliver). */
bool engine_form_is_kept(const struct engine_account *account, size_t destination);

/* Takes what a read of it found; logs what was set right, and what is left. */
void engine_form_take(struct engine_account *account, const struct target_result *result);

/* It was delivered to: its mode and group are as configured. */
void engine_form_delivered(struct engine_account *account, const struct target_id *target);

/* What is wrong with mode and group of that destination, in words; NULL: nothing. Borrowed. */
const char *engine_form_problem(const struct engine_account *account,
                                const struct target_id *target);

/* The account goes. */
void engine_form_forget(struct engine_account *account);

#endif
