#include "conf/target_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/json_writer.h"
#include "base/str.h"
#include "conf/here.h"
#include "conf/path.h"
#include "conf/schema_row.h"
#include "conf/target_value.h"
#include "conf/value.h"
#include "proto/template.h"

enum { PATH_LENGTH_MAX = 4095 };

static const struct schema_choice formats[] = {
    {"raw", FILE_FORMAT_RAW},
    {"env", FILE_FORMAT_ENV},
    {"json", FILE_FORMAT_JSON},
    {"template", FILE_FORMAT_TEMPLATE},
    {"env_connection_string", FILE_FORMAT_ENV_CONNECTION},
    {NULL, 0},
};

static const struct schema_map keys = {(const struct schema_key[]){
    SCHEMA_ROW("path", SCHEMA_TEMPLATE, .required = true),
    SCHEMA_ROW("mode", SCHEMA_MODE, .fallback = "0600"),
    SCHEMA_ROW("owner", SCHEMA_TEMPLATE),
    SCHEMA_ROW("group", SCHEMA_TEMPLATE),
    SCHEMA_ROW("format", SCHEMA_CHOICE, .fallback = "raw", .choices = formats),
    SCHEMA_ROW("template", SCHEMA_CONTENT),
    SCHEMA_ROW("template_file", SCHEMA_PATH),
    SCHEMA_AFTER,
    SCHEMA_END,
}};

/* Reads the file of a template, so that a reload takes up what it holds then. */
static void read_template(struct resolve *resolve, struct tree_node *file)
{
    struct err err = {.code = 0};
    struct buf content;
    int rc;

    buf_init(&content, TEMPLATE_MAX);
    rc = fs_read(file->text, &content, &err);
    if (rc == -ENOMEM) {
        arena_fail(resolve->arena);
    } else if (rc != 0) {
        report_error(resolve->report, file, "%s; write the path of a template", err.text);
    } else if (content.length == 0 || memchr(content.data, '\0', content.length)) {
        report_error(resolve->report, file,
                     "%s is %s; write a text with placeholders such as {key}", file->text,
                     content.length == 0 ? "empty" : "no text");
    } else {
        file->content = arena_dup_n(resolve->arena, content.data, content.length);
    }
    file->invalid = !file->content;
    buf_done(&content);
}

static void refuse_template(struct resolve *resolve, struct tree_node *node, const char *problem)
{
    if (str_equal(node->name, "template_file"))
        report_invalid(resolve->report, node, "%s: %s", node->text, problem);
    else
        report_invalid(resolve->report, node, "%s", problem);
}

static void check_template(struct resolve *resolve, struct tree_node *node)
{
    char sentence[TEMPLATE_PROBLEM_MAX];
    const char *problem = template_problem(node->content, NULL, sentence, sizeof(sentence));

    if (!problem && !template_holds_key(node->content))
        problem = template_keyless_problem(node->content);
    if (problem)
        refuse_template(resolve, node, problem);
}

/* A text in one line ends its line all the same, as `raw` does. */
static char *with_last_line_ended(struct arena *arena, const char *text)
{
    return arena_format(arena, "%s%s", text, str_ends_with(text, "\n") ? "" : "\n");
}

/* `format` on the one side, `template` and `template_file` on the other. */
static void check_content(struct resolve *resolve, const struct tree_node *target)
{
    struct tree_node *text = tree_child(target, "template");
    struct tree_node *file = tree_child(target, "template_file");
    struct tree_node *node = text ? text : file;
    const struct tree_node *format = tree_child(target, "format");
    bool wanted = format && str_equal(format->text, "template");

    if (format && format->invalid)
        return;
    if (wanted && !node)
        report_missing(resolve->report, target, "template",
                       "is missing; write the text there, or its file's path as `template_file`");
    if (text && file)
        report_key_error(resolve->report, file, "stands beside `template`; keep one of them");
    else if (node && !wanted)
        report_key_error(resolve->report, node, "has no effect without `format: template`; add it");
    if (node && (!wanted || (text && file)))
        node->invalid = true;
    if (!node || node->invalid)
        return;
    if (node == file)
        read_template(resolve, node);
    else
        node->content = with_last_line_ended(resolve->arena, node->text);
    if (node->content)
        check_template(resolve, node);
}

/* The values of placeholders contain no '/' and no dot segment, by the grammar of ids. */
static void check(struct resolve *resolve, const struct tree_node *target)
{
    target_value_check_path(resolve, tree_child(target, "path"));
    target_value_refuse_location(resolve, tree_child(target, "owner"), "in an owner");
    target_value_refuse_location(resolve, tree_child(target, "group"), "in a group");
    check_content(resolve, target);
}

static bool fill_path(struct resolve *resolve, struct tree_node *path,
                      const struct placeholder_values *values, struct destination *destination)
{
    char *expanded = target_value_expand(resolve, path, values, PATH_LENGTH_MAX, "a path can hold");
    char *clean = expanded ? path_clean(resolve->arena, expanded) : NULL;

    if (!clean || !target_value_check_outside(resolve, path, clean))
        return false;
    destination->place = clean;
    destination->needs_location = placeholder_needs_location(expanded);
    return true;
}

/* The name of a user or a group, or NULL. */
static const char *fill_name(struct resolve *resolve, struct tree_node *node,
                             const struct placeholder_values *values)
{
    return target_value_is_given(node)
               ? target_value_expand(resolve, node, values, SIZE_MAX, "a name can hold")
               : NULL;
}

/* Only now it is known whose keys go into the template. */
static bool fill_content(struct resolve *resolve, const struct tree_node *target,
                         const struct account *account, struct target_file *settings)
{
    struct tree_node *text = tree_child(target, "template");
    struct tree_node *node = text ? text : tree_child(target, "template_file");
    char sentence[TEMPLATE_PROBLEM_MAX];
    const char *problem;

    if (settings->format != FILE_FORMAT_TEMPLATE)
        return true;
    if (!node || node->invalid || !node->content)
        return false; /* which has been reported */
    problem = template_problem(node->content, two_key_resource_find(account->id), sentence,
                               sizeof(sentence));
    if (problem)
        refuse_template(resolve, node, problem);
    settings->content = node->content;
    return !problem;
}

/* Does the account's type have what the format is for? */
static bool check_connection(struct resolve *resolve, const struct tree_node *target,
                             const struct target_file *settings)
{
    struct tree_node *format = tree_child(target, "format");
    const struct two_key_resource *type = settings->resource;

    if (settings->format != FILE_FORMAT_ENV_CONNECTION || !type || type->env_connection_string)
        return true;
    report_invalid(resolve->report, format,
                   "tools of %s read no connection string from the environment; write env",
                   type->noun);
    return false;
}

static bool fill(struct resolve *resolve, const struct tree_node *target,
                 const struct account *account, const struct placeholder_values *values,
                 struct destination *destination)
{
    struct tree_node *path = tree_child(target, "path");
    struct tree_node *owner = tree_child(target, "owner");
    struct tree_node *group = tree_child(target, "group");
    struct target_file *settings;
    unsigned mode = 0;

    if (!target_value_is_given(path) || !fill_path(resolve, path, values, destination))
        return false;
    settings = arena_alloc(resolve->arena, sizeof(*settings));
    if (!settings)
        return false;
    (void)value_parse_mode(schema_text(target, &keys, "mode"), &mode);
    settings->mode = (mode_t)mode;
    settings->has_mode = !!schema_get(target, "mode");
    settings->format = (enum file_format)schema_choice(target, &keys, "format");
    settings->owner = fill_name(resolve, owner, values);
    settings->group = fill_name(resolve, group, values);
    settings->resource = two_key_resource_find(account->id);
    if (!fill_content(resolve, target, account, settings) ||
        !check_connection(resolve, target, settings))
        return false;
    destination->settings = settings;
    if (!destination->needs_location)
        here_note_directory(resolve, path, destination->place, settings->group);
    here_note_user(resolve, owner, settings->owner);
    here_note_group(resolve, group, settings->group);
    return true;
}

static void append_variables(const struct target_file *settings, struct buf *out)
{
    const char *names[TWO_KEY_VARIABLES_MAX];
    const size_t count = two_key_variables(settings->resource, names);

    for (size_t i = 0; i < count; i++)
        (void)buf_append_format(out, "%s%s", i == 0 ? " with " : ", ", names[i]);
    if (settings->format == FILE_FORMAT_ENV_CONNECTION)
        (void)buf_append_format(out, ", %s", settings->resource->env_connection_string);
}

static void describe(const struct destination *destination, struct buf *out)
{
    static const char *const words[] = {
        [FILE_FORMAT_RAW] = "the key alone",
        [FILE_FORMAT_ENV] = "environment file",
        [FILE_FORMAT_JSON] = "JSON",
        [FILE_FORMAT_TEMPLATE] = "template",
        [FILE_FORMAT_ENV_CONNECTION] = "environment file",
    };
    const struct target_file *settings = target_file_of(destination);

    (void)buf_append_format(out, "file %s (%s", destination->place, words[settings->format]);
    if ((settings->format == FILE_FORMAT_ENV || settings->format == FILE_FORMAT_ENV_CONNECTION) &&
        settings->resource)
        append_variables(settings, out);
    (void)buf_append_format(out, ", mode %04o", (unsigned)settings->mode);
    if (settings->owner)
        (void)buf_append_format(out, ", owner %s", settings->owner);
    if (settings->group)
        (void)buf_append_format(out, ", group %s", settings->group);
    /* The sandbox of the units lets no file be given away. */
    if (settings->owner || settings->group)
        (void)buf_append_format(out, "; in the service with the drop-in %s",
                                settings->owner ? "key-owners.conf" : "key-groups.conf");
    (void)buf_append_char(out, ')');
}

static void write_keys(const struct destination *destination, struct buf *out)
{
    const struct target_file *settings = target_file_of(destination);
    char mode[8];

    (void)snprintf(mode, sizeof(mode), "%04o", (unsigned)settings->mode);
    json_write_text(out, "path", destination->place);
    json_write_text(out, "mode", mode);
    json_write_text(out, "owner", settings->owner);
    json_write_text(out, "group", settings->group);
    json_write_text(out, "format", formats[settings->format].name);
    json_write_text(out, "template", settings->content);
}

const struct target_type target_file_type = {
    .variant = {.name = "file", .map = &keys},
    .place_key = "path",
    .place_is_file = true,
    .check = check,
    .fill = fill,
    .describe = describe,
    .write = write_keys,
};
