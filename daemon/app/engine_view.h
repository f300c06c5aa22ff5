/*
 * What people see of one account.
 */
#ifndef KEYROTATED_APP_ENGINE_VIEW_H
#define KEYROTATED_APP_ENGINE_VIEW_H

#include "app/engine_account.h"

void engine_view(const struct engine_account *account, struct rotation_view *view);

#endif
