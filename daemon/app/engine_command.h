/*
 * Commands of operators: finds their accounts, posts an event to each, and answers when the last
 * account has answered.
 */
#ifndef KEYROTATED_APP_ENGINE_COMMAND_H
#define KEYROTATED_APP_ENGINE_COMMAND_H

#include "app/engine_account.h"
#include "io/server/control.h"

/* Carries out a command about accounts; answers through control_answer(). */
void engine_command(struct engine *engine, const struct control_command *command,
                    struct control_request *request);

/* The machine's answer names the account as the operator did. */
void engine_command_name_account(const struct engine_account *account,
                                 struct transaction *transaction);
void engine_command_answered(struct engine_account *account, const struct transaction *transaction);
/* The daemon stops, or the account is gone, before the command could be carried out. */
void engine_command_dropped(const struct transaction *transaction);

#endif
