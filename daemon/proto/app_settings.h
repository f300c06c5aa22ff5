/*
 * Settings of apps in Azure, as data: the application settings of an App Service or Functions app
 * (Microsoft.Web/sites, and their deployment slots), and the secrets of a Container App
 * (Microsoft.App/containerApps).
 *
 * Both services replace all settings at once, so one setting is written by reading all, changing
 * one, and writing all back. A setting that cannot be written back as it was read makes the whole
 * unusable.
 *
 * Sources: learn.microsoft.com/rest/api, "Web Apps - List Application Settings" (POST
 * …/config/appsettings/list: 200 with a StringDictionary) and "Web Apps - Update Application
 * Settings" (PUT …/config/appsettings: replaces them, 200); "Container Apps - List Secrets" (POST
 * …/listSecrets: 200 with name, value, and identity and keyVaultUrl of references) and "Container
 * Apps - Update" (PATCH, a JSON merge patch, which replaces lists: 200, or 202 while
 * provisioningState is InProgress). Neither documents an ETag; one that an answer has is used.
 */
#ifndef KEYROTATED_PROTO_APP_SETTINGS_H
#define KEYROTATED_PROTO_APP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "proto/http_message.h"

enum app_kind { APP_SITE, APP_CONTAINER };

enum app_operation {
    APP_LIST,    /* all settings with their values */
    APP_WRITE,   /* all settings */
    APP_DESCRIBE /* the app itself, without values */
};

/* Reads the resource id of an app: the kind of app that it is. 0, or -EINVAL with err set. */
int app_id_parse(const char *id, enum app_kind *ret_kind, struct err *err);

/* What is wrong with the name of a setting, or NULL. */
const char *app_setting_problem(enum app_kind kind, const char *name);

/* The parts of a request, and the words for it. */
struct app_request {
    const char *method;
    const char *path; /* below the app; NULL: the app itself */
    const char *api_version;
    const char *operation; /* for people */
    const char *action;    /* the permission */
};
const struct app_request *app_request(enum app_kind kind, enum app_operation operation);

/* The words for a kind of app. */
struct app_words {
    const char *role;        /* a built-in role that may do all this */
    const char *settings;    /* below the app, for its place: "config/appsettings" */
    const char *noun;        /* "setting", "secret" */
    const char *for_readers; /* when the app sees a new value */
};
const struct app_words *app_words(enum app_kind kind);

/* All settings of an app; secrets, each of them. */
struct app_settings {
    enum app_kind kind;
    struct json_object *document; /* NULL: empty */
};

/* Reads the answer to APP_LIST. 0; -EBADMSG or -ENOMEM with err set. */
int app_settings_read(struct app_settings *settings, enum app_kind kind, const char *body,
                      size_t length, struct err *err);
/* Wipes and frees; an empty one is fine. */
void app_settings_done(struct app_settings *settings);

enum app_setting_state {
    APP_SETTING_ABSENT,
    APP_SETTING_VALUE,
    APP_SETTING_REFERENCE, /* it refers to a secret of Key Vault */
    APP_SETTING_HIDDEN     /* without a value: it could not be written back */
};

/* The setting of that name (in any case), and its value (borrowed; NULL but for
 * APP_SETTING_VALUE). */
enum app_setting_state app_settings_find(const struct app_settings *settings, const char *name,
                                         const char **ret_value);

/* The first setting but `name` that could not be written back as it was read, or NULL. Borrowed. */
const char *app_settings_hidden(const struct app_settings *settings, const char *name);

/* Appends the body of APP_WRITE: all settings, with the value of one set. 0, or the buffer's error.
 */
int app_settings_compose(const struct app_settings *settings, const char *name, const char *value,
                         struct buf *out);

/* The names of all settings but `name` that differ between the two, "A, B and 3 more" at most.
 * Returns how many there are. */
size_t app_settings_differ(const struct app_settings *before, const struct app_settings *after,
                           const char *name, char *out, size_t size);

/* Reads the answer to APP_DESCRIBE: the app's provisioningState, "" where it has none. 0, or
 * -EBADMSG or -ENOMEM with err set. */
int app_state_read(const char *body, size_t length, char *out, size_t size, struct err *err);

#endif
