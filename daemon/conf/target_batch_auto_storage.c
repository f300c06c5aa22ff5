#include "conf/target_batch_auto_storage.h"

#include "base/json_writer.h"
#include "base/str.h"
#include "conf/resource_id.h"
#include "conf/schema_row.h"
#include "conf/target_value.h"
#include "proto/batch_auto_storage.h"

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("batch_account", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("identity", SCHEMA_TEXT),
    SCHEMA_AFTER,
    SCHEMA_END,
}};

static void check(struct resolve *resolve, const struct tree_node *target)
{
    target_value_refuse_location(resolve, tree_child(target, "batch_account"), "here");
}

/* The id for one account, or NULL with what is wrong reported. */
static char *expand(struct resolve *resolve, struct tree_node *node,
                    const struct placeholder_values *values)
{
    char *id = target_value_expand(resolve, node, values, SIZE_MAX, "an id can hold");
    struct err err = {.code = 0};
    struct resource_id parts;

    if (!id)
        return NULL;
    if (resource_id_parse(id, &parts, &err) != 0)
        target_value_refuse(resolve, node, id, err.text);
    else if (!str_equal(two_key_resource_find(id)->type, "Microsoft.Batch/batchAccounts"))
        target_value_refuse(resolve, node, id, "is no Batch account; write the id of one");
    else
        return id;
    return NULL;
}

/* Batch copies the pair `key` of a Storage account, and nothing else. */
static bool serves(struct resolve *resolve, struct tree_node *node, const struct account *account)
{
    const struct two_key_resource *type = two_key_resource_find(account->id);
    const bool is_storage = str_equal(type->type, "Microsoft.Storage/storageAccounts");

    if (is_storage && !two_key_is_further_pair(type))
        return true;
    report_invalid(resolve->report, node,
                   "cannot serve account %s, which is %s%s%s: Batch copies the pair key of a "
                   "Storage account alone; take this target out of the account's deliver_to",
                   account->name, is_storage ? "the pair " : type->noun,
                   is_storage ? type->pair : "", is_storage ? " of a Storage account" : "");
    return false;
}

static bool fill(struct resolve *resolve, const struct tree_node *target,
                 const struct account *account, const struct placeholder_values *values,
                 struct destination *destination)
{
    struct target_batch_auto_storage *settings = arena_alloc(resolve->arena, sizeof(*settings));
    struct tree_node *node = tree_child(target, "batch_account");
    const struct cloud *cloud = &resolve->config->cloud;
    char *place;

    if (!settings || !target_value_is_given(node) || !serves(resolve, node, account))
        return false;
    settings->batch_account = expand(resolve, node, values);
    place = arena_dup(resolve->arena, settings->batch_account);
    if (!place)
        return false;
    str_lower(place);
    settings->api_version =
        config_api_version(resolve->config, two_key_resource_find(settings->batch_account));
    settings->resource_manager = cloud->resource_manager;
    settings->audience = cloud->audience;
    destination->place = place;
    destination->settings = settings;
    destination->without_key = true;
    return true;
}

static void tell_rights(const struct destination *destination, struct target_rights *ret_rights)
{
    ret_rights->resource = target_batch_auto_storage_of(destination)->batch_account;
    ret_rights->actions[0] = BATCH_AUTO_STORAGE_READ;
    ret_rights->actions[1] = BATCH_AUTO_STORAGE_SYNC;
}

static void describe(const struct destination *destination, struct buf *out)
{
    (void)buf_append_format(out, "batch_auto_storage %s (by identity %s; gets no key)",
                            destination->place, destination->identity->name);
}

static void write_keys(const struct destination *destination, struct buf *out)
{
    json_write_text(out, "batch_account", target_batch_auto_storage_of(destination)->batch_account);
    json_write_text(out, "identity", destination->identity->name);
}

const struct target_type target_batch_auto_storage_type = {
    .variant = {.name = "batch_auto_storage", .map = &keys},
    .place_key = "batch_account",
    .is_unreadable = true,
    .check = check,
    .fill = fill,
    .rights = tell_rights,
    .describe = describe,
    .write = write_keys,
};
