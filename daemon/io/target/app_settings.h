/*
 * The target `azure_app_settings`.
 */
#ifndef KEYROTATED_IO_TARGET_APP_SETTINGS_H
#define KEYROTATED_IO_TARGET_APP_SETTINGS_H

#include "io/target/target_type.h"

extern const struct target_operations target_app_settings_operations;

#endif
