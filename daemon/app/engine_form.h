/*
 * Mode and group of key files: when the daemon corrects them, and when it leaves a foreign change
 * alone. A read corrects them twice within a day. The third change is deliberate: it is reported
 * once and left alone, until a day has passed or the file is right again. The count is in memory
 * only, so a restart resets it.
 */
#ifndef KEYROTATED_APP_ENGINE_FORM_H
#define KEYROTATED_APP_ENGINE_FORM_H

#include "app/engine_account.h"

/* Shall the next read of that destination correct mode and group? Only of an adopted account whose
 * drift is repaired by the daemon (on_drift: redeliver). */
bool engine_form_is_kept(const struct engine_account *account, size_t destination);

/* Takes the result of a read; logs corrections, and changes that are left alone. */
void engine_form_take(struct engine_account *account, const struct target_result *result);

/* It was delivered to: its mode and group are as configured. */
void engine_form_delivered(struct engine_account *account, const struct target_id *target);

/* What is wrong with mode and group of that destination, in words; NULL: nothing. Borrowed. */
const char *engine_form_problem(const struct engine_account *account,
                                const struct target_id *target);

/* The account goes. */
void engine_form_forget(struct engine_account *account);

#endif
