#include "conf/target_batch_auto_storage.h"

#include "base/json_writer.h"
#include "base/str.h"
#include "conf/placeholder.h"
#include "conf/resolve.h"
#include "conf/resource_id.h"
#include "conf/schema_row.h"
#include "conf/value.h"

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("batch_account", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("identity", SCHEMA_TEXT),
    SCHEMA_AFTER,
    SCHEMA_END,
}};

static void check(struct resolve *resolve, const struct tree_node *target)
{
    struct tree_node *node = tree_child(target, "batch_account");

    if (!node || node->invalid || !placeholder_needs_location(node->text))
        return;
    report_error(resolve->report, node,
                 "{location} cannot stand here; use {account}, {resource_group} or "
                 "{subscription_id}");
    node->invalid = true;
}

/* The id for one account, or NULL with what is wrong reported. */
static char *expand(struct resolve *resolve, struct tree_node *node,
                    const struct placeholder_values *values)
{
    char *id = placeholder_expand(resolve->arena, node->text, values);
    struct err err = {.code = 0};
    struct resource_id parts;
    char shown[VALUE_SHOWN_MAX];

    if (arena_failed(resolve->arena))
        return NULL; /* report_finish() reports the shortage */
    if (!id)
        report_error(resolve->report, node, "expands to more than an id can hold; shorten it");
    else if (resource_id_parse(id, &parts, &err) != 0)
        report_error(resolve->report, node, "\"%s\" %s", value_shown(id, shown), err.text);
    else if (!str_equal(two_key_resource_find(id)->type, "Microsoft.Batch/batchAccounts"))
        report_error(resolve->report, node, "\"%s\" is no Batch account; write the id of one",
                     value_shown(id, shown));
    else
        return id;
    node->invalid = true;
    return NULL;
}

static bool fill(struct resolve *resolve, const struct tree_node *target,
                 const struct account *account, const struct placeholder_values *values,
                 struct destination *destination)
{
    struct target_batch_auto_storage *settings = arena_alloc(resolve->arena, sizeof(*settings));
    struct tree_node *node = tree_child(target, "batch_account");
    const struct cloud *cloud = &resolve->config->cloud;
    char *place;

    (void)account;
    if (!settings || !node || node->invalid)
        return false;
    settings->batch_account = expand(resolve, node, values);
    place = arena_dup(resolve->arena, settings->batch_account);
    if (!place)
        return false;
    str_lower(place);
    settings->api_version = cloud->api_version
                                ? cloud->api_version
                                : two_key_resource_find(settings->batch_account)->api_version;
    settings->resource_manager = cloud->resource_manager;
    settings->audience = cloud->audience;
    destination->place = place;
    destination->settings = settings;
    destination->without_key = true;
    return true;
}

static void describe(const struct destination *destination, struct buf *out)
{
    (void)buf_append_format(out, "batch_auto_storage %s (by identity %s; gets no key)",
                            destination->place,
                            destination->identity ? destination->identity->name : "?");
}

static void write_keys(const struct destination *destination, struct buf *out)
{
    json_write_text(out, "batch_account", target_batch_auto_storage_of(destination)->batch_account);
    json_write_text(out, "identity", destination->identity ? destination->identity->name : NULL);
}

const struct target_type target_batch_auto_storage_type = {
    .variant = {.name = "batch_auto_storage", .map = &keys},
    .place_key = "batch_account",
    .is_unreadable = true,
    .check = check,
    .fill = fill,
    .describe = describe,
    .write = write_keys,
};
