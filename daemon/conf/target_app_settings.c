#include "conf/target_app_settings.h"

#include <string.h>

#include "base/json_writer.h"
#include "base/str.h"
#include "conf/schema_row.h"
#include "conf/target_value.h"
#include "conf/value.h"
#include "proto/template.h"

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("app", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("setting", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("value", SCHEMA_CONTENT, .fallback = "{key}"),
    SCHEMA_ROW("identity", SCHEMA_TEXT),
    SCHEMA_AFTER,
    SCHEMA_END,
}};

static void check(struct resolve *resolve, const struct tree_node *target)
{
    struct tree_node *value = tree_child(target, "value");

    target_value_refuse_location(resolve, tree_child(target, "app"), "here");
    target_value_refuse_location(resolve, tree_child(target, "setting"), "here");
    if (target_value_is_given(value) && !template_holds_key(value->text))
        report_invalid(resolve->report, value, "%s", template_keyless_problem(value->text));
}

/* Is the subscription of the id, which is well formed otherwise, a GUID? */
static bool has_subscription(struct resolve *resolve, const char *id)
{
    const char *subscription = strchr(id + 1, '/') + 1;
    const char *guid = arena_dup_n(resolve->arena, subscription, strcspn(subscription, "/"));

    return guid && value_is_guid(guid);
}

static bool fill_place(struct resolve *resolve, const struct tree_node *target,
                       const struct placeholder_values *values, struct destination *destination,
                       struct target_app_settings *settings)
{
    struct tree_node *app = tree_child(target, "app");
    struct tree_node *setting = tree_child(target, "setting");
    struct err err = {.code = 0};
    const char *problem;
    char *place;

    if (!target_value_is_given(app) || !target_value_is_given(setting))
        return false;
    settings->app = target_value_expand(resolve, app, values, SIZE_MAX, "it can hold");
    settings->setting = target_value_expand(resolve, setting, values, SIZE_MAX, "it can hold");
    if (!settings->app || !settings->setting)
        return false;
    if (app_id_parse(settings->app, &settings->kind, &err) != 0) {
        target_value_refuse(resolve, app, settings->app, err.text);
        return false;
    }
    if (!has_subscription(resolve, settings->app)) {
        if (!arena_failed(resolve->arena))
            target_value_refuse(resolve, app, settings->app,
                                "holds a subscription that is not a GUID; write "
                                "/subscriptions/00000000-0000-0000-0000-000000000000/...");
        return false;
    }
    problem = app_setting_problem(settings->kind, settings->setting);
    if (problem) {
        target_value_refuse(resolve, setting, settings->setting, problem);
        return false;
    }
    place = arena_format(resolve->arena, "%s/%s/%s", settings->app,
                         app_words(settings->kind)->settings, settings->setting);
    if (!place)
        return false;
    str_lower(place);
    destination->place = place;
    return true;
}

/* Only now it is known whose keys go into the value. */
static bool fill_value(struct resolve *resolve, const struct tree_node *target,
                       const struct account *account, struct target_app_settings *settings)
{
    struct tree_node *value = tree_child(target, "value");
    const char *text = schema_text(target, &keys, "value"), *problem;
    char sentence[TEMPLATE_PROBLEM_MAX];

    if (value && value->invalid)
        return false;
    problem =
        template_problem(text, two_key_resource_find(account->id), sentence, sizeof(sentence));
    if (value && problem) { /* the default has none */
        report_invalid(resolve->report, value, "%s", problem);
        return false;
    }
    settings->value = arena_dup(resolve->arena, text);
    return !!settings->value;
}

static bool fill(struct resolve *resolve, const struct tree_node *target,
                 const struct account *account, const struct placeholder_values *values,
                 struct destination *destination)
{
    struct target_app_settings *settings = arena_alloc(resolve->arena, sizeof(*settings));

    if (!settings || !fill_place(resolve, target, values, destination, settings) ||
        !fill_value(resolve, target, account, settings))
        return false;
    settings->resource_manager = resolve->config->cloud.resource_manager;
    settings->audience = resolve->config->cloud.audience;
    destination->settings = settings;
    return true;
}

static void tell_rights(const struct destination *destination, struct target_rights *ret_rights)
{
    const struct target_app_settings *settings = target_app_settings_of(destination);

    ret_rights->resource = settings->app;
    ret_rights->actions[0] = app_request(settings->kind, APP_LIST)->action;
    ret_rights->actions[1] = app_request(settings->kind, APP_WRITE)->action;
    if (settings->kind == APP_CONTAINER) /* it may work on a change for a while, and is watched */
        ret_rights->actions[2] = app_request(settings->kind, APP_DESCRIBE)->action;
}

static void describe(const struct destination *destination, struct buf *out)
{
    const struct target_app_settings *settings = target_app_settings_of(destination);

    (void)buf_append_format(out, "azure_app_settings %s (by identity %s; %s)", destination->place,
                            destination->identity->name, app_words(settings->kind)->for_readers);
}

static void write_keys(const struct destination *destination, struct buf *out)
{
    const struct target_app_settings *settings = target_app_settings_of(destination);

    json_write_text(out, "app", settings->app);
    json_write_text(out, "setting", settings->setting);
    json_write_text(out, "value", settings->value);
    json_write_text(out, "identity", destination->identity->name);
}

const struct target_type target_app_settings_type = {
    .variant = {.name = "azure_app_settings", .map = &keys},
    .place_key = "setting",
    .check = check,
    .fill = fill,
    .rights = tell_rights,
    .describe = describe,
    .write = write_keys,
};
