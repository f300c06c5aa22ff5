/*
 * The part of the process environment on which the configuration depends.
 */
#ifndef KEYROTATED_APP_ENVIRONMENT_H
#define KEYROTATED_APP_ENVIRONMENT_H

#include "conf/config.h"

/* See conf/config.h. The texts are the environment's. */
void environment_read(struct config_environment *environment);

#endif
