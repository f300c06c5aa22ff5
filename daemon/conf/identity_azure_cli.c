#include <string.h>

#include "base/str.h"
#include "conf/identity.h"
#include "conf/schema_row.h"

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("command", SCHEMA_TEXT, .shape = SHAPE_ONE_OR_LIST, .fallback = "az"),
    SCHEMA_ROW("tenant_id", SCHEMA_TENANT),
    SCHEMA_ROW("config_dir", SCHEMA_PATH),
    SCHEMA_END,
}};

static const struct identity_variable variables[] = {
    {"config_dir", "AZURE_CONFIG_DIR", false},
    {NULL, NULL, false},
};

enum { ARGUMENTS_MAX = 48 };

static void check(struct report *report, const struct tree_node *map)
{
    const struct tree_node *command = tree_child(map, "command");
    const struct tree_node *program =
        command && command->kind == TREE_LIST ? command->first : command;

    if (!command || command->invalid)
        return;
    if (command->count > ARGUMENTS_MAX)
        report_key_error(report, command, "holds %zu items; write at most %d", command->count,
                         ARGUMENTS_MAX);
    else if (!program || program->kind != TREE_SCALAR || program->text[0] == '\0')
        report_key_error(report, command, "names no program; write az, or its full path");
    else if (strpbrk(program->text, " \t"))
        report_error(report, program,
                     "holds a blank; there is no shell, so write the program and each argument as "
                     "an item of a list");
    else if (strchr(program->text, '/') && program->text[0] != '/')
        report_error(report, program, "is a relative path; write az, or a full path");
}

static void describe(const struct identity *identity, struct buf *out)
{
    const char *command = identity_setting(identity, "command");
    const char *directory = identity_setting(identity, "config_dir");
    const char *tenant = identity_setting(identity, "tenant_id");

    (void)buf_append_str(out, "whoever is signed in to the Azure CLI (`");
    for (const char *c = command; *c != '\0'; c++)
        (void)buf_append_char(out, *c == '\n' ? ' ' : *c);
    (void)buf_append_str(out, "`)");
    if (tenant)
        (void)buf_append_format(out, ", in tenant %s", tenant);
    if (directory)
        (void)buf_append_format(
            out, ", configuration in %s%s", directory,
            identity_is_from_environment(identity, "config_dir") ? " (AZURE_CONFIG_DIR)" : "");
}

const struct identity_type identity_azure_cli = {
    .variant = {.name = "azure_cli", .map = &keys},
    .noun = "identity",
    .variables = variables,
    .check = check,
    .describe = describe,
};
