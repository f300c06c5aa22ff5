#include "proto/control_config.h"

#include <errno.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "base/json.h"
#include "base/json_writer.h"
#include "proto/snapshot.h"

static const struct snapshot_member value_members[] = {
    SNAPSHOT_MEMBER(config_value_snapshot, TEXT, key, "key"),
    SNAPSHOT_MEMBER(config_value_snapshot, TEXT, value, "value"),
    SNAPSHOT_MEMBER(config_value_snapshot, TEXT, file, "file"),
    SNAPSHOT_MEMBER(config_value_snapshot, NUMBER, line, "line"),
    SNAPSHOT_MEMBER(config_value_snapshot, TEXT, from, "from"),
};
static const struct snapshot_table value_table =
    SNAPSHOT_TABLE(config_value_snapshot, value_members);

void control_config_start(struct buf *out, const char *id, const char *name,
                          const char *resource_group, time_ms loaded_at)
{
    json_write_open(out, NULL, '{');
    json_write_text(out, "id", id);
    json_write_text(out, "account", name);
    json_write_text(out, "resource_group", resource_group);
    json_write_time(out, "loaded_at", loaded_at);
    json_write_open(out, "values", '[');
}

void control_config_value(struct buf *out, const struct config_value_snapshot *value)
{
    snapshot_write_object(out, NULL, &value_table, value, TIME_NEVER);
}

void control_config_end(struct buf *out)
{
    json_write_close(out, ']');
    json_write_close(out, '}');
    (void)buf_append_char(out, '\n');
}

int control_config_parse(const char *text, size_t length, struct control_config *config,
                         struct err *err)
{
    void *values = NULL;
    int rc;

    *config = (struct control_config){.document = json_parse(text, length, err)};
    if (!config->document)
        return err_wrap(err, "the daemon's answer") == -ENOMEM ? -ENOMEM : -EBADMSG;
    config->id = json_string(config->document, "id");
    config->name = json_string(config->document, "account");
    config->resource_group = json_string(config->document, "resource_group");
    config->loaded_at = snapshot_read_time(config->document, "loaded_at");
    rc = config->id && json_object_is_type(json_member(config->document, "values"), json_type_array)
             ? snapshot_read_list(config->document, "values", &value_table, &values,
                                  &config->value_count)
             : -EBADMSG;
    config->values = values;
    if (rc == 0)
        return 0;
    control_config_done(config);
    return err_set(err, rc,
                   rc == -ENOMEM ? "no memory for the daemon's answer"
                                 : "the daemon's answer says no configuration");
}

void control_config_done(struct control_config *config)
{
    free(config->values);
    if (config->document)
        json_object_put(config->document);
    *config = (struct control_config){.document = NULL};
}
