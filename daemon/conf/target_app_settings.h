/*
 * The settings of a target of type `azure_app_settings`: a setting of an App Service or Functions
 * app, or a secret of a Container App.
 */
#ifndef KEYROTATED_CONF_TARGET_APP_SETTINGS_H
#define KEYROTATED_CONF_TARGET_APP_SETTINGS_H

#include "conf/target_type.h"
#include "proto/app_settings.h"

/* The place is the app's id, what holds the settings below it, and the setting's name:
 * "/subscriptions/…/sites/contoso/config/appsettings/batch_key". In lower case, because Azure
 * compares all of them without regard to case. */
struct target_app_settings {
    const char *app;     /* the resource id, as written */
    const char *setting; /* its name, as written */
    const char *value;   /* the template of its value (proto/template.h) */
    enum app_kind kind;
    const char *resource_manager; /* URL */
    const char *audience;         /* of its tokens */
};

extern const struct target_type target_app_settings_type;

/* The settings of a destination of this type. */
static inline const struct target_app_settings *target_app_settings_of(
    const struct destination *destination)
{
    return destination->settings;
}

#endif
