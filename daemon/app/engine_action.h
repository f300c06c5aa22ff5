/*
 * Carrying out actions. Each ends in one transaction, prepared when the action starts
 * (account->acting) and posted when its last part has completed; a canceled one (the daemon stops)
 * posts nothing, because the journal says where to continue.
 */
#ifndef KEYROTATED_APP_ENGINE_ACTION_H
#define KEYROTATED_APP_ENGINE_ACTION_H

#include "app/engine_account.h"

void engine_action_start(struct engine_account *account, const struct action *action);
void engine_action_forget_keys(struct engine_account *account);

#endif
