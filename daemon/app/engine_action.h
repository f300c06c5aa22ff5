/*
 * Carrying out actions. Each ends in one transaction, prepared when the action starts
 * (account->acting) and posted when its last part has completed; a canceled one (we are stopping)
 * posts nothing: the journal knows where to go on.
 */
#ifndef KEYROTATED_APP_ENGINE_ACTION_H
#define KEYROTATED_APP_ENGINE_ACTION_H

#include "app/engine_account.h"

void engine_action_start(struct engine_account *account, const struct action *action);
void engine_action_forget_keys(struct engine_account *account);

#endif
