/*
 * Carries out what waits for an account: steps the machine, makes the record durable, tells, acts,
 * sets the timer. A step whose commit is waited for suspends the account until the journal has the
 * record; what arrives meanwhile waits.
 */
#ifndef KEYROTATED_APP_ENGINE_STEP_H
#define KEYROTATED_APP_ENGINE_STEP_H

#include "app/engine_account.h"

void engine_step_account(struct engine_account *account);

#endif
